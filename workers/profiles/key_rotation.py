"""Rotates the pseudonym key, and carries what is known of users from their old names to the new.

A pseudonym cannot be turned back into an id, so nobody can rename users without knowing their ids.
Given the ids, each user's log is copied: the signals under the old name that retention has left
are written again under the new one, with their time and their source position, and then the old
name is erased. The new profile is folded from the same signals in the same order, so it is the
same. A copy says where it was copied from, so that repeating it adds nothing.
"""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer

from streams.cloudevents import derive_id
from streams.deadletters import RecordError
from streams.events import EVENT_TYPES, UserSignal, encode
from streams.profile_schema import Position, Profile
from streams.profile_updates import signal_of
from streams.pseudonyms import is_pseudonym
from streams.records import Headers, SourceRecord
from workers.errors import ContractError, SettingsError
from workers.kafka import producer, running
from workers.profiles.own_signals import publish_erasure
from workers.profiles.topic_reading import extent, read_topic
from workers.sections import PREFIX
from workers.settings import Settings

CARRIED_FROM: Final = "intentstream_carried_from"
"""Header of a copied signal: the `partition:offset` on `users.signals` of the one it copies."""

ROTATION: Final = "key_rotation"
"""Why the old name is erased; such an erasure is nothing the user asked for."""

_MAX_ID_CHARS: Final = 256  # as the schema of queries and actions has it
_MAX_KEY_ID_CHARS: Final = 16
_SENT_AT_ONCE: Final = 500


def next_key_id(key_id: str) -> str:
    """The id after a key's: k1, k2 and so on."""
    found = re.fullmatch(r"(.*?)(\d*)", key_id)
    stem, number = (found[1], found[2]) if found else (key_id, "")
    following = str(int(number or 1) + 1)
    return stem[: _MAX_KEY_ID_CHARS - len(following)] + following


def new_key(settings: Settings) -> dict[str, str]:
    """The settings to roll out: a new random key of 32 bytes, with today's as the previous one.

    Raises `SettingsError` without a key, during a rotation, and in the embedded stack.
    """
    pseudonyms = settings.pseudonyms
    if settings.environment == "embedded":
        raise SettingsError(
            "the development key of `intentstream up` is not rotated",
            "it belongs to its run folder and goes with it; rotate the keys of your own system",
        )
    pseudonyms.pseudonymiser()
    if pseudonyms.previous_key_id is not None:
        raise SettingsError(
            f"a rotation is under way: from {pseudonyms.previous_key_id} to {pseudonyms.key_id}",
            f"finish it first: carry the users, then unset {PREFIX}PSEUDONYMS__PREVIOUS_KEY_ID "
            f"and {PREFIX}PSEUDONYMS__PREVIOUS_SECRET",
        )
    secret = pseudonyms.secret
    return {
        f"{PREFIX}PSEUDONYMS__KEY_ID": next_key_id(pseudonyms.key_id),
        f"{PREFIX}PSEUDONYMS__SECRET": secrets.token_hex(32),
        f"{PREFIX}PSEUDONYMS__PREVIOUS_KEY_ID": pseudonyms.key_id,
        f"{PREFIX}PSEUDONYMS__PREVIOUS_SECRET": secret.get_secret_value() if secret else "",
    }


def write_settings(path: Path, variables: Mapping[str, str]) -> None:
    """Writes settings as a `.env` file that its owner alone can read.

    Raises `ContractError` when the file exists or cannot be made: no key is ever overwritten.
    """
    text = "".join(f"{name}={value}\n" for name, value in variables.items())
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="utf-8") as file:
            os.fchmod(number, 0o600)  # whatever the umask says
            file.write(text)
            file.flush()
            os.fsync(number)
    except FileExistsError:
        raise ContractError(f"{path} exists already", "name a new file") from None
    except OSError as error:
        raise ContractError(
            f"{path} cannot be written: {error.strerror}", "name a file in a folder of yours"
        ) from error


def user_ids(lines: Iterable[bytes]) -> Iterator[str]:
    """The ids of a file, one a line, taken as they stand. Raises `ContractError`, quoting none."""
    for number, line in enumerate(lines, 1):
        try:
            user = line.rstrip(b"\r\n").decode()
        except UnicodeDecodeError:
            raise ContractError(f"line {number} is not UTF-8", "write the ids as UTF-8") from None
        if is_pseudonym(user) or len(user) > _MAX_ID_CHARS:
            kind = "a pseudonym" if is_pseudonym(user) else f"over {_MAX_ID_CHARS} characters"
            raise ContractError(
                f"line {number} is no user id: {kind}",
                "give the ids as your shop knows them, one a line",
            )
        if user:
            yield user


@dataclass(slots=True)
class Carried:
    """What was carried, or would be.

    Attributes:
        users: how many ids were given.
        known: of them, those with signals under the old name.
        signals: copied, or to copy.
        already: copied by an earlier run.
        erased: old names that were erased, or are to be.
        late: users with signals of their own under the new name already: of an older signal
            counts what the fold still can tell from a repeat.
        cut: whether retention has taken the beginning of the log.
    """

    users: int = 0
    known: int = 0
    signals: int = 0
    already: int = 0
    erased: int = 0
    late: int = 0
    cut: bool = False


@dataclass(slots=True)
class _Log:
    """What one reading of `users.signals` says about the users to carry."""

    names: dict[bytes, str]
    """Old name → new one."""
    carried: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """Origin of a copy → where the copy is: partition and offset."""
    erasure: dict[bytes, tuple[int, datetime]] = field(default_factory=dict)
    """Old name → offset and time of its last erasure that the user asked for."""
    ended: dict[bytes, int] = field(default_factory=dict)
    """Old name → offset of its last erasure by a rotation."""
    last: dict[bytes, int] = field(default_factory=dict)
    new_erasure: dict[bytes, datetime] = field(default_factory=dict)
    own: set[bytes] = field(default_factory=set)
    copied: dict[bytes, int] = field(default_factory=dict)
    """Old name → offset of the last signal that was copied, or is to be."""

    def note(self, record: SourceRecord, signal: UserSignal, *, is_new: bool) -> None:
        key = record.key or b""
        if is_new:
            origin = _header(record.headers, CARRIED_FROM)
            if origin is not None:
                self.carried[origin] = (record.partition, record.offset)
            if signal.erasure is not None:
                known = self.new_erasure.get(key, signal.occurred_at)
                self.new_erasure[key] = max(known, signal.occurred_at)
            elif origin is None:
                self.own.add(key)
            return
        self.last[key] = record.offset
        if signal.erasure is None:
            return
        if signal.erasure.reason == ROTATION:
            self.ended[key] = record.offset
        else:
            self.erasure[key] = (record.offset, signal.occurred_at)

    def is_to_copy(self, record: SourceRecord, signal: UserSignal) -> bool:
        """Whether a signal of an old name still says something about the user."""
        key = record.key or b""
        offset, at = self.erasure.get(key, (-1, None))
        if signal.restated is not None:  # it says nothing where it did not count
            place = (record.partition, self.copied.get(key))
            return place == (signal.restated.position.partition, signal.restated.position.offset)
        if signal.erasure is None:
            return record.offset > offset
        if signal.erasure.reason == ROTATION or at is None or record.offset != offset:
            return False
        known = self.new_erasure.get(self.names[key].encode())
        return known is None or known < at  # `forget` erases both names at the same time


async def carry(settings: Settings, users: Iterable[str], *, dry_run: bool) -> Carried:
    """Copies the logs of users from their old names to the new, then erases the old.

    Stop the enrichers first: what they publish under the new name meanwhile would come before what
    is older. May be repeated, also after it was cut off.

    Raises:
        SettingsError: there is no key, or no previous one.
        UnreachableError: Kafka cannot be reached.
    """
    pseudonyms = settings.pseudonyms.pseudonymiser()
    if settings.pseudonyms.previous_key_id is None:
        raise SettingsError(
            "no previous pseudonym key is set: there is nothing to carry from",
            "begin with `intentstream keys rotate`",
        )
    names: dict[bytes, str] = {}
    for user in users:
        new, old = pseudonyms.user_under_all_keys(user)
        names[old.encode()] = new
    done = Carried(
        users=len(names), cut=(await extent(settings, settings.topic_names.signals)).begins_late
    )
    log = _Log(names)
    new_names = {name.encode() for name in names.values()}
    async for record, signal in _signals_of(settings, names.keys() | new_names):
        log.note(record, signal, is_new=record.key in new_names)
    done.known = len(log.last)
    done.late = sum(names[key].encode() in log.own for key in log.last)
    async with running(producer(settings.kafka), settings.kafka) as publisher:
        copies = _Copies(settings, publisher)
        async for record, signal in _signals_of(settings, names.keys()):
            if not log.is_to_copy(record, signal):
                continue
            log.copied[record.key or b""] = record.offset
            name, copy = names[record.key or b""], log.carried.get(_origin(record))
            if copy is not None:
                done.already += 1
                copies.known(name, *copy)
                continue
            done.signals += 1
            if not dry_run:
                await copies.add(record, signal, name)
        await copies.arrived()  # all of them are there before anything is erased
        for key, offset in log.last.items():
            if log.ended.get(key, -1) < offset:
                done.erased += 1
                if not dry_run:
                    now = datetime.now(UTC)
                    await publish_erasure(publisher, settings, key.decode(), now, ROTATION)
    return done


async def _signals_of(
    settings: Settings, keys: Iterable[bytes]
) -> AsyncIterator[tuple[SourceRecord, UserSignal]]:
    """The valid signals of some users, each user's in order; others are dead letters' business."""
    wanted = frozenset(keys)
    async for record in read_topic(settings, settings.topic_names.signals):
        if record.key not in wanted:
            continue
        with suppress(RecordError):
            yield record, signal_of(record)


class _Copies:
    """Writes signals under new names, each user's in order."""

    def __init__(self, settings: Settings, publisher: AIOKafkaProducer) -> None:
        self._settings = settings
        self._publisher = publisher
        self._sent: list[asyncio.Future[Any]] = []
        self._last: dict[str, asyncio.Future[Any] | tuple[int, int]] = {}
        """New name → the last copy, or its partition and offset."""

    def known(self, name: str, partition: int, offset: int) -> None:
        """A signal was copied by an earlier run."""
        self._last[name] = (partition, offset)

    async def add(self, record: SourceRecord, signal: UserSignal, name: str) -> None:
        """Copies one signal."""
        renamed = msgspec.structs.replace(signal, user=name)
        if signal.restated is not None:
            restated = await self._restated(signal.restated, name)
            renamed = msgspec.structs.replace(renamed, restated=restated)
        kind, settings = EVENT_TYPES[UserSignal], self._settings
        own_id = derive_id(
            settings.cluster, settings.epoch, record.topic, record.partition, record.offset, kind
        )
        changed = {"ce_id": own_id.encode(), "ce_partitionkey": name.encode()}
        headers = [
            (key, changed.get(key, value)) for key, value in record.headers if key != CARRIED_FROM
        ]
        sent: asyncio.Future[Any] = await self._publisher.send(
            record.topic,
            encode(renamed),
            key=name.encode(),
            headers=[*headers, (CARRIED_FROM, _origin(record))],
            # its own time: it limits the event's clock in the fold, and retention goes by it
            timestamp_ms=record.timestamp_ms if record.timestamp_ms >= 0 else None,
        )
        self._sent.append(sent)
        self._last[name] = sent
        if len(self._sent) >= _SENT_AT_ONCE:
            await self.arrived()

    async def arrived(self) -> None:
        """Waits for all copies."""
        await asyncio.gather(*self._sent)
        self._sent.clear()

    async def _restated(self, restated: Profile, name: str) -> Profile:
        """A restated profile, of the position that the signal before it has under the new name."""
        last = self._last[name]
        if isinstance(last, asyncio.Future):
            sent = await last
            last = (sent.partition, sent.offset)
        position = Position(self._settings.epoch, *last)
        return msgspec.structs.replace(restated, user=name, position=position)


def _origin(record: SourceRecord) -> bytes:
    return f"{record.partition}:{record.offset}".encode()


def _header(headers: Headers, name: str) -> bytes | None:
    return next((value for key, value in headers if key == name), None)
