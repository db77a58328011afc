"""Checks a run again: its signature, its files, and what Kafka still has of what it read.

What retention or an erasure has taken since cannot be checked any more, and is told apart from
what was changed: only the latter makes a verification fail.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from streams.deduplication import event_id, original_position
from streams.records import OutputRecord, SourceRecord
from workers.erasures import Erasures, read_erasures
from workers.kafka import admin, cluster_id, consumer, running, source_record
from workers.replays.evidence import (
    FORMAT,
    INPUTS,
    MANIFEST,
    SIGNATURE,
    FileEvidence,
    OutputEvidence,
    PartitionEvidence,
    record_digest,
)
from workers.replays.output import ORIGINAL_TOPIC
from workers.replays.run_state import WORK, RunError
from workers.replays.signing import fingerprint, is_signed
from workers.settings import Settings
from workers.topic_range import PartitionRange, read
from workers.topics_admin import topic_states

_READ_AT_ONCE: Final = 1_000
_SHOWN: Final = 5


class Finding(StrEnum):
    """What a check found."""

    HOLDS = "holds"
    EXPIRED = "expired"  # retention has taken it
    ERASED = "erased"  # it went with its user
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its outcome, for people."""

    name: str
    finding: Finding
    detail: str


@dataclass(slots=True)
class Verification:
    """All checks of a run."""

    run: str
    checks: list[Check] = field(default_factory=list)

    def add(self, name: str, finding: Finding, detail: str) -> None:
        """Takes in a check."""
        self.checks.append(Check(name, finding, detail))

    @property
    def holds(self) -> bool:
        """Whether nothing was tampered with, as far as can be told today."""
        return all(check.finding is not Finding.TAMPERED for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return {
            "run": self.run,
            "holds": self.holds,
            "checks": [
                {"name": one.name, "finding": one.finding.value, "detail": one.detail}
                for one in self.checks
            ],
        }


def verify_files(folder: Path, key: Ed25519PublicKey) -> tuple[Verification, dict[str, Any] | None]:
    """Checks signature and files; the manifest too, where it can be believed.

    Raises:
        RunError: there is no such run, it is not finished, or it was never signed.
    """
    manifest, found = _manifest_of(folder), Verification(folder.name)
    try:
        line = (folder / SIGNATURE).read_bytes()
    except OSError:
        raise RunError(
            f"the run {folder} is not signed",
            "only what is signed can be verified: see INTENTSTREAM_AUDIT__SIGNING_KEY",
        ) from None
    if not is_signed(key, manifest, line):
        detail = f"{MANIFEST} is not what the key {fingerprint(key)} has signed"
        found.add("signature", Finding.TAMPERED, detail)
        return found, None
    found.add("signature", Finding.HOLDS, f"{MANIFEST} is signed with {fingerprint(key)}")
    document: dict[str, Any] = json.loads(manifest)
    if document.get("format") != FORMAT:
        raise RunError(f"the run has the format {document.get('format')}, not {FORMAT}")
    problems = list(_wrong_files(folder, document["files"]))
    for problem in problems:
        found.add("files", Finding.TAMPERED, problem)
    if problems:
        return found, document
    found.add("files", Finding.HOLDS, f"{len(document['files'])} files are as they were written")
    _chains(folder, document, found)
    return found, document


def _manifest_of(folder: Path) -> bytes:
    if not folder.is_dir():
        raise RunError(f"there is no run {folder}", "give the run's folder")
    if (folder / WORK).exists():
        raise RunError(f"the run {folder} is not finished", "go on with --resume")
    try:
        return (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise RunError(
            f"{folder / MANIFEST} cannot be read: {error.strerror}", "is it a run's folder?"
        ) from error


def _wrong_files(folder: Path, files: dict[str, Any]) -> Iterator[str]:
    for name, stated in files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif FileEvidence.of(path).as_dict() != stated:
            yield f"{name} was changed"
    for path in sorted(folder.iterdir()):
        if path.name not in (*files, MANIFEST, SIGNATURE):
            yield f"{path.name} is not of the run"


def _chains(folder: Path, document: dict[str, Any], found: Verification) -> None:
    """Whether the hash chains are those of the records that the run lists."""
    parts = {
        part["partition"]: PartitionEvidence(part["partition"], 0, 0, 0)
        for part in document["input"]["partitions"]
    }
    for partition, _, digest, _ in _inputs(folder):
        parts[partition].add(digest)
    wrong = [
        str(stated["partition"])
        for stated in document["input"]["partitions"]
        for part in [parts[stated["partition"]]]
        if (part.chain.hex(), part.records) != (stated["chain"], stated["records"])
    ]
    if wrong:
        found.add("hash chains", Finding.TAMPERED, f"of partition {', '.join(wrong)}")
    else:
        found.add("hash chains", Finding.HOLDS, f"of {len(parts)} partitions")


def _inputs(folder: Path) -> Iterator[tuple[int, int, bytes, str | None]]:
    with (folder / INPUTS).open(encoding="utf-8") as lines:
        for line in lines:
            partition, offset, digest, user = json.loads(line)
            yield partition, offset, bytes.fromhex(digest), user


async def verify(settings: Settings, folder: Path, key: Ed25519PublicKey) -> Verification:
    """Checks all of it, Kafka too.

    Raises:
        RunError: as `verify_files`.
        UnreachableError: Kafka is away.
    """
    found, document = verify_files(folder, key)
    if document is None or not found.holds:
        return found
    kafka = settings.kafka
    async with running(admin(kafka), kafka) as client, running(consumer(kafka), kafka) as reader:
        if await cluster_id(client) != document["cluster"]["id"]:
            raise RunError(
                "the run is of another Kafka cluster",
                "point INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS at the cluster it was made on",
            )
        await _InputCheck(settings, client, reader, found).run(folder, document)
        if document["output"] is not None:
            await _check_output(client, reader, document["output"], found)
    return found


@dataclass(slots=True)
class _Compared:
    """Records of the input, by what became of them."""

    same: int = 0
    expired: int = 0
    compacted: int = 0
    changed: list[str] = field(default_factory=list)
    gone: list[tuple[str, str | None]] = field(default_factory=list)


class _InputCheck:
    """Reads the range once more, against the hashes that the run lists."""

    def __init__(
        self,
        settings: Settings,
        client: AIOKafkaAdminClient,
        reader: AIOKafkaConsumer,
        found: Verification,
    ) -> None:
        self._settings = settings
        self._client = client
        self._reader = reader
        self._found = found

    async def run(self, folder: Path, document: dict[str, Any]) -> None:
        """Adds the checks of all partitions."""
        topic = document["input"]["topic"]
        states = await topic_states(self._client, [topic])
        if topic not in states:
            self._found.add("input", Finding.EXPIRED, f"the topic {topic} is gone")
            return
        compacted = "compact" in (states[topic].configs.get("cleanup.policy") or "")
        compared = _Compared()
        listed = _Ahead(_inputs(folder))
        for part in document["input"]["partitions"]:
            await self._partition(topic, part, listed, compared, compacted=compacted)
        await self._tell(compared)

    async def _partition(
        self,
        topic: str,
        part: dict[str, Any],
        listed: "_Ahead",
        compared: _Compared,
        *,
        compacted: bool,
    ) -> None:
        place = TopicPartition(topic, part["partition"])
        oldest = (await self._reader.beginning_offsets([place]))[place]
        start, end = max(part["start"], oldest), part["reached"]
        newest = (await self._reader.end_offsets([place]))[place]
        seen = 0

        def account(until: int) -> None:
            """Listed records before an offset have not turned up."""
            for offset, _, user in listed.before(part["partition"], until):
                if offset < oldest:
                    compared.expired += 1
                elif compacted:
                    compared.compacted += 1
                else:
                    compared.gone.append((f"{topic}[{place.partition}]@{offset}", user))

        async for record in self._records(topic, part["partition"], start, min(end, newest)):
            seen += 1
            account(record.offset)
            if (digest := listed.at(part["partition"], record.offset)) is None:
                continue  # the run's filters have left it out
            if digest == record_digest(record):
                compared.same += 1
            else:
                compared.changed.append(f"{topic}[{place.partition}]@{record.offset}")
        account(end)
        if seen > part["seen"]:
            detail = (
                f"partition {place.partition} has {seen} records where the run saw {part['seen']}"
            )
            self._found.add("input", Finding.TAMPERED, detail)

    async def _records(
        self, topic: str, partition: int, start: int, end: int
    ) -> AsyncIterator[SourceRecord]:
        if start >= end:
            return
        span = [PartitionRange(partition, start, end)]
        async for records, _ in read(self._reader, topic, span, batch=_READ_AT_ONCE):
            for record in records:
                yield source_record(record)

    async def _tell(self, compared: _Compared) -> None:
        erasures = await self._erasures() if compared.gone else Erasures({})
        missing = [name for name, user in compared.gone if user not in erasures.at]
        erased = len(compared.gone) - len(missing)
        for finding, count, what in (
            (Finding.HOLDS, compared.same, "records are as they were read"),
            (Finding.EXPIRED, compared.expired, "records were taken by retention since"),
            (Finding.EXPIRED, compared.compacted, "records were compacted away since"),
            (Finding.ERASED, erased, "records are gone, and their users were erased since"),
        ):
            if count:
                self._found.add("input", finding, f"{count:,} {what}")
        for names, what in ((compared.changed, "were changed"), (missing, "are missing")):
            if names:
                more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
                detail = f"{', '.join(names[:_SHOWN])}{more} {what}"
                self._found.add("input", Finding.TAMPERED, detail)

    async def _erasures(self) -> Erasures:
        topic = self._settings.topic_names.signals
        states = await topic_states(self._client, [topic])
        if topic not in states:
            return Erasures({})
        return await read_erasures(self._reader, topic, states[topic].partitions)


class _Ahead:
    """The listed records, in order, with one looked at ahead."""

    def __init__(self, lines: Iterator[tuple[int, int, bytes, str | None]]) -> None:
        self._lines = lines
        self._next = next(lines, None)

    def before(self, partition: int, offset: int) -> Iterator[tuple[int, bytes, str | None]]:
        """Takes those of a partition that stand before an offset."""
        while self._next is not None and (self._next[0], self._next[1]) < (partition, offset):
            _, at, digest, user = self._next
            self._next = next(self._lines, None)
            yield at, digest, user

    def at(self, partition: int, offset: int) -> bytes | None:
        """Takes the one at an offset, if it is listed."""
        if self._next is None or (self._next[0], self._next[1]) != (partition, offset):
            return None
        digest = self._next[2]
        self._next = next(self._lines, None)
        return digest


async def _check_output(
    client: AIOKafkaAdminClient,
    reader: AIOKafkaConsumer,
    stated: dict[str, Any],
    found: Verification,
) -> None:
    """Whether `replays.<run>` still holds what the run has published; repeats count once."""
    topic = stated["topic"]
    states = await topic_states(client, [topic])
    if topic not in states:
        found.add("output", Finding.EXPIRED, f"the topic {topic} is gone")
        return
    places = [TopicPartition(topic, number) for number in range(states[topic].partitions)]
    oldest = await reader.beginning_offsets(places)
    newest = await reader.end_offsets(places)
    if any(oldest.values()):
        found.add("output", Finding.EXPIRED, f"retention has taken records of {topic}")
        return
    spans = [PartitionRange(place.partition, 0, newest[place]) for place in places]
    seen = await _output_evidence(reader, topic, spans)
    if seen.as_dict() == {"events": stated["events"], "digest": stated["digest"]}:
        found.add("output", Finding.HOLDS, f"{seen.events:,} events of {topic} are as published")
    else:
        detail = f"{topic} holds {seen.events:,} events, not the {stated['events']:,} as published"
        found.add("output", Finding.TAMPERED, detail)


async def _output_evidence(
    reader: AIOKafkaConsumer, topic: str, spans: Sequence[PartitionRange]
) -> OutputEvidence:
    seen = OutputEvidence()
    with closing(sqlite3.connect("")) as known:  # a file of its own, gone when it is closed
        known.execute("create table seen (name text primary key) without rowid")
        async for records, _ in read(reader, topic, spans, batch=_READ_AT_ONCE):
            for record in records:
                event = OutputRecord(topic, record.key, record.value, tuple(record.headers))
                done = known.execute("insert or ignore into seen values (?)", (_name(event),))
                if done.rowcount:
                    seen.add(event)
    return seen


def _name(event: OutputRecord) -> str:
    """By what a repeat is told: a kill may leave a batch published twice."""
    origin = dict(event.headers).get(ORIGINAL_TOPIC) or b""
    name = original_position(event.headers) or event_id(event.headers) or "?"
    rounds = dict(event.headers).get("intentstream.errors.round") or b""
    return f"{origin.decode('utf-8', 'replace')} {name} {rounds.decode('utf-8', 'replace')}"
