"""What a run knows, on disk: it outlives a kill, and memory stays flat whatever the range.

One SQLite file in the run folder, written in transactions: what was published for the range, what
was read of it, what differs, and how far the run has come. It goes when the run is whole.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from streams.events import QueryUnderstood
from streams.records import Headers, OutputRecord
from workers.errors import IntentstreamError
from workers.replays.event_identity import EventKey, Position
from workers.replays.record_comparison import understood

WORK: Final = "state.partial"
"""The name of the file in the run folder while the run is not finished."""

_POINTWISE: Final = 8
"""A batch whose positions lie this many times wider than they are many is looked up one by one."""

_headers = msgspec.msgpack.Decoder(Headers)

_SCHEMA: Final = """
create table meta (name text primary key, value text not null) without rowid;
create table published (
  partition integer, offset integer, topic text, ce_id text,
  revision integer, stamp integer, key blob, value blob, headers blob,
  primary key (partition, offset, topic, ce_id)
);
create table inputs (
  partition integer, offset integer, digest blob, user text, primary key (partition, offset)
) without rowid;
create table differences (
  id integer primary key, partition integer, offset integer, topic text,
  weight real, body text, replayed blob
);
create index by_weight on differences (weight desc);
create table unmatched (
  partition integer, offset integer, topic text, ce_id text,
  primary key (partition, offset, topic, ce_id)
) without rowid;
create table redriven (
  partition integer, offset integer, topic text, ce_id text,
  primary key (partition, offset, topic, ce_id)
) without rowid;
create table corrections (
  id integer primary key, topic text, key blob, value blob, headers blob, done integer default 0
);
"""


class RunError(IntentstreamError):
    """A run's name, folder or topic cannot be used."""


class Input(NamedTuple):
    """A record that was replayed: its position, the hash of its raw bytes, and whose it is."""

    partition: int
    offset: int
    digest: bytes
    user: str | None


class NotedDifference(NamedTuple):
    """A difference as it was noted: its line of JSON, and the replayed event where it may be shown."""

    partition: int
    offset: int
    topic: str
    weight: float
    body: str
    replayed: bytes | None

    def event(self) -> QueryUnderstood | None:
        """The replayed event, read."""
        return None if self.replayed is None else understood(OutputRecord("", None, self.replayed))


class RunState:
    """The state of one run. Made by `opened_state`; used by one process at a time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @contextmanager
    def saving(self) -> Iterator[None]:
        """All that is written inside is there as a whole, or not at all.

        Raises:
            RunError: the disk is full, or the file cannot be written.
        """
        with _explained(), self._connection:
            yield

    def get(self, name: str, default: Any = None) -> Any:
        """A plain value that was put."""
        found = self._connection.execute(
            "select value from meta where name = ?", (name,)
        ).fetchone()
        return default if found is None else json.loads(found[0])

    def put(self, name: str, value: Any) -> None:
        """Keeps a plain value; write it inside `saving`."""
        text = json.dumps(value, ensure_ascii=False)
        self._connection.execute("insert or replace into meta values (?, ?)", (name, text))

    # --- what was published

    def keep_published(self, events: Iterable[tuple[EventKey, OutputRecord, int, int]]) -> None:
        """Keeps events with their revision and time stamp: of repeats the last of the highest revision."""
        self._connection.executemany(
            "insert into published values (?,?,?,?,?,?,?,?,?) "
            "on conflict do update set revision = excluded.revision, stamp = excluded.stamp, "
            "key = excluded.key, value = excluded.value, headers = excluded.headers "
            "where (excluded.revision, excluded.stamp) >= (revision, stamp)",
            (
                (*_row(key), revision, stamp, event.key, event.value, _packed(event.headers))
                for key, event, revision, stamp in events
            ),
        )

    def published(
        self, positions: Sequence[Position]
    ) -> dict[Position, dict[EventKey, OutputRecord]]:
        """What was published for records, by their positions."""
        found: dict[Position, dict[EventKey, OutputRecord]] = {}
        wanted: dict[int, list[int]] = {}
        for position in positions:
            wanted.setdefault(position.partition, []).append(position.offset)
        for partition, offsets in wanted.items():
            chosen = set(offsets)
            first, last = min(chosen), max(chosen)
            dense = last - first < _POINTWISE * len(chosen)
            spans = [(first, last)] if dense else [(one, one) for one in sorted(chosen)]
            for span in spans:
                for row in self._connection.execute(
                    "select offset, topic, ce_id, key, value, headers from published "
                    "where partition = ? and offset between ? and ? order by offset, rowid",
                    (partition, *span),
                ):
                    if row[0] in chosen:
                        key = EventKey(row[1], partition, row[0], row[2] or None)
                        event = OutputRecord(row[1], row[3], row[4], _unpacked(row[5]))
                        found.setdefault(key.position, {})[key] = event
        return found

    def published_count(self) -> int:
        """How many events there are."""
        return int(self._connection.execute("select count(*) from published").fetchone()[0])

    # --- what was read

    def keep_inputs(self, inputs: Iterable[Input]) -> None:
        """Keeps what was replayed."""
        self._connection.executemany("insert or replace into inputs values (?,?,?,?)", inputs)

    def has_input(self, position: Position) -> bool:
        """Whether the record at this position was replayed."""
        row = (position.partition, position.offset)
        query = "select 1 from inputs where partition = ? and offset = ?"
        return self._connection.execute(query, row).fetchone() is not None

    def inputs(self) -> Iterator[Input]:
        """What was replayed, in order."""
        for row in self._connection.execute("select * from inputs order by partition, offset"):
            yield Input(*row)

    # --- what differs

    def note(self, noted: Iterable[NotedDifference]) -> None:
        """Keeps differences."""
        self._connection.executemany(
            "insert into differences (partition, offset, topic, weight, body, replayed) "
            "values (?,?,?,?,?,?)",
            noted,
        )

    def differences(self) -> Iterator[str]:
        """The lines of JSON, by position."""
        for row in self._connection.execute(
            "select body from differences order by partition, offset, id"
        ):
            yield row[0]

    def most_telling(self, topic: str, count: int) -> list[NotedDifference]:
        """The differences on a topic that tell most."""
        rows = self._connection.execute(
            "select partition, offset, topic, weight, body, replayed from differences "
            "where topic = ? and weight > 0 order by weight desc, partition, offset limit ?",
            (topic, count),
        )
        return [NotedDifference(*row) for row in rows]

    # --- what is not decided before the end, because a redriven record may still account for it

    def leave_unmatched(self, keys: Iterable[EventKey]) -> None:
        """Published events that no replayed one has accounted for yet."""
        self._connection.executemany(
            "insert or ignore into unmatched select ?,?,?,? where not exists "
            "(select 1 from redriven where partition=? and offset=? and topic=? and ce_id=?)",
            ((*_row(key), *_row(key)) for key in keys),
        )

    def match_redriven(self, key: EventKey) -> bool:
        """Accounts for an event by a redriven record; whether it waited for that."""
        done = self._connection.execute(
            "delete from unmatched where partition=? and offset=? and topic=? and ce_id=?",
            _row(key),
        )
        self._connection.execute("insert or ignore into redriven values (?,?,?,?)", _row(key))
        return done.rowcount > 0

    def unmatched(self) -> Iterator[EventKey]:
        """Those that are left."""
        for partition, offset, topic, ce_id in self._connection.execute(
            "select * from unmatched order by partition, offset, topic, ce_id"
        ):
            yield EventKey(topic, partition, offset, ce_id or None)

    # --- what a back-fill is to publish

    def keep_corrections(self, events: Iterable[OutputRecord]) -> None:
        """Keeps events to be published again."""
        self._connection.executemany(
            "insert into corrections (topic, key, value, headers) values (?,?,?,?)",
            ((one.topic, one.key, one.value, _packed(one.headers)) for one in events),
        )

    def corrections_left(self) -> dict[str, int]:
        """How many are not published yet, by topic."""
        rows = self._connection.execute(
            "select topic, count(*) from corrections where not done group by topic order by topic"
        )
        return {str(topic): int(count) for topic, count in rows}

    def corrections(self, count: int) -> list[tuple[int, OutputRecord]]:
        """The next of them, each with its number."""
        rows = self._connection.execute(
            "select id, topic, key, value, headers from corrections where not done order by id limit ?",
            (count,),
        )
        return [(row[0], OutputRecord(row[1], row[2], row[3], _unpacked(row[4]))) for row in rows]

    def corrected(self, numbers: Sequence[int]) -> None:
        """These are published."""
        self._connection.executemany(
            "update corrections set done = 1 where id = ?", ((number,) for number in numbers)
        )


@contextmanager
def opened_state(folder: Path, *, resume: bool) -> Iterator[RunState]:
    """The state of the run in a folder: a new one, or with `resume` that of an unfinished run.

    Raises:
        RunError: the run exists already, is another process's at the moment, or there is none to
            resume; or the folder cannot be written.
    """
    path = folder / WORK
    unfinished = path.is_file()
    if folder.exists() and not (unfinished and resume):
        hint = "go on with --resume, or give another --run" if unfinished else "give another --run"
        state = "exists already, unfinished" if unfinished else "exists already"
        raise RunError(f"the run {folder} {state}", hint)
    if resume and not unfinished:
        raise RunError(f"there is no run {folder} to resume", "leave --resume out to begin it")
    with _explained():
        folder.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=1.0)
    try:
        with _explained(folder):
            # the lock keeps a second process out, and spares a file for shared memory
            connection.execute("pragma locking_mode = exclusive")
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute("pragma cache_size = -32768")
            if not connection.execute("select 1 from sqlite_master limit 1").fetchone():
                connection.executescript(f"begin exclusive; {_SCHEMA} commit;")
            else:
                connection.execute("begin exclusive")
                connection.commit()
        yield RunState(connection)
    finally:
        connection.close()


@contextmanager
def _explained(folder: Path | None = None) -> Iterator[None]:
    """What goes wrong with the files of a run, in plain words."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) and folder is not None:
            raise RunError(
                f"another process is at the run {folder}", "wait for it, or give another --run"
            ) from error
        raise unwritable(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise RunError(
            f"the state of the run is damaged: {error}", "begin anew under another --run"
        ) from error
    except OSError as error:
        raise unwritable(error.strerror or str(error)) from error


def unwritable(reason: str) -> RunError:
    """The files of a run cannot be written."""
    return RunError(
        f"the files of the run cannot be written: {reason}",
        "is there room, and a right to write? Then go on with --resume",
    )


def _row(key: EventKey) -> tuple[int, int, str, str]:
    return key.partition, key.offset, key.topic, key.ce_id or ""


def _packed(headers: Headers) -> bytes:
    return msgspec.msgpack.encode(headers)


def _unpacked(packed: bytes) -> Headers:
    return _headers.decode(packed)
