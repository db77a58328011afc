"""Reading `queries.dead`: what was set aside, why, and where it came from."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from streams.deadletters import ROUND_HEADER, STAGE_HEADER, DeadReason, reason_of
from workers.kafka import admin, consumer, running
from workers.settings import Settings
from workers.topic_range import (
    Bound,
    PartitionRange,
    RangeError,
    ResolvedRange,
    read,
    resolve,
)
from workers.topics_admin import topic_states

_BATCH = 1_000
_ERRORS = "__connect.errors."
_EARLIEST, _LATEST = Bound("earliest"), Bound("latest")
_SOURCE = re.compile(r"([A-Za-z0-9._-]+)(?::(\d+)(?::(\d+)(?:-(\d+))?)?)?")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter. What the original record brought (`key`, `value`) may hold personal data."""

    partition: int
    offset: int
    at: str
    reason: str
    stage: str
    message: str
    source: str
    round: int
    value_bytes: int | None
    key: bytes | None = field(default=None, repr=False)
    value: bytes | None = field(default=None, repr=False)

    def as_dict(self, *, raw: bool = False) -> dict[str, Any]:
        """Plain values, fit for JSON; key and value only when `raw`, undecodable bytes escaped."""
        plain = asdict(self)
        for name in ("key", "value"):
            content = plain.pop(name)
            if raw:
                plain[name] = (
                    None if content is None else content.decode("utf-8", "backslashreplace")
                )
        return plain


def dead_letter_of(record: ConsumerRecord) -> DeadLetter:
    """A record of `queries.dead`, its own last headers read: the original may have brought some."""
    headers = {name: _text(value) for name, value in record.headers}
    reason = reason_of(tuple(record.headers))
    position = [headers.get(f"{_ERRORS}{part}", "?") for part in ("topic", "partition", "offset")]
    return DeadLetter(
        partition=record.partition,
        offset=record.offset,
        at=datetime.fromtimestamp(record.timestamp / 1_000, UTC).isoformat(timespec="seconds"),
        reason="unknown" if reason is None else reason.value,
        stage=headers.get(STAGE_HEADER, "?"),
        message=headers.get(f"{_ERRORS}exception.message", ""),
        source=":".join(position),
        round=int(rounds) if (rounds := headers.get(ROUND_HEADER, "0")).isdecimal() else 0,
        value_bytes=None if record.value is None else len(record.value),
        key=record.key,
        value=record.value,
    )


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class SourceFilter:
    """Records of a topic, of one of its partitions, or of some offsets there (`last` is in)."""

    topic: str
    partition: int | None = None
    first: int = 0
    last: int | None = None

    def takes(self, source: str) -> bool:
        """Whether a position, written `topic:partition:offset`, is among them."""
        match = _SOURCE.fullmatch(source)
        if match is None or match[1] != self.topic:
            return False
        if self.partition is None:
            return True
        if match[2] is None or match[3] is None or int(match[2]) != self.partition:
            return False
        return self.first <= int(match[3]) and (self.last is None or int(match[3]) <= self.last)


def parse_source(text: str) -> SourceFilter:
    """A filter from the command line. Raises `RangeError` that shows the forms."""
    match = _SOURCE.fullmatch(text.strip())
    if match is None:
        raise RangeError(
            f"{text!r} is no source",
            "write TOPIC, TOPIC:PARTITION, TOPIC:PARTITION:OFFSET or TOPIC:PARTITION:FIRST-LAST",
        )
    topic, partition, first, last = match.groups()
    if first is None:
        return SourceFilter(topic, None if partition is None else int(partition))
    return SourceFilter(topic, int(partition), int(first), int(last or first))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters: set aside between two bounds, for some reasons, from some sources.

    `reasons` empty: for any, known or not. `sources` empty: from anywhere.
    """

    since: Bound = _EARLIEST
    until: Bound = _LATEST
    reasons: frozenset[DeadReason] = frozenset()
    sources: tuple[SourceFilter, ...] = ()

    def takes(self, letter: DeadLetter) -> bool:
        """Whether reason and source are among those wanted; the bounds are for the reader."""
        if self.reasons and letter.reason not in self.reasons:
            return False
        return not self.sources or any(source.takes(letter.source) for source in self.sources)


async def dead_letters(settings: Settings, selection: Selection) -> AsyncIterator[DeadLetter]:
    """The dead letters selected, partition by partition in order. Reads without a group.

    Raises:
        RangeError: the range makes no sense, or there is no topic of dead letters.
    """
    async with opened_reader(settings) as (reader, partitions):
        span = await resolve(
            reader, settings.topic_names.dead, partitions, selection.since, selection.until
        )
        async for letter, _ in selected(reader, span, selection):
            yield letter


async def selected(
    reader: AIOKafkaConsumer, span: ResolvedRange, selection: Selection
) -> AsyncIterator[tuple[DeadLetter, ConsumerRecord]]:
    """The dead letters of a range that are selected, each with its record, in order."""
    async for records, _ in read(reader, span.topic, span.partitions, batch=_BATCH):
        for record in records:
            letter = dead_letter_of(record)
            if selection.takes(letter):
                yield letter, record


async def dead_letter_at(settings: Settings, partition: int, offset: int) -> DeadLetter:
    """The dead letter at a position of `queries.dead`.

    Raises:
        RangeError: there is no such position any more, or not yet.
    """
    topic = settings.topic_names.dead
    async with opened_reader(settings) as (reader, partitions):
        here, end = Bound("offset", offsets={partition: offset}), Bound("latest")
        (span,) = (await resolve(reader, topic, partitions, here, end)).partitions
        if span.start < span.end:
            only = [PartitionRange(partition, offset, offset + 1)]
            async for records, _ in read(reader, topic, only, batch=1):
                if records:
                    return dead_letter_of(records[0])
    raise RangeError(
        f"{topic}[{partition}] has no record at {offset}", "`intentstream dead list` shows them"
    )


@asynccontextmanager
async def opened_reader(settings: Settings) -> AsyncIterator[tuple[AIOKafkaConsumer, int]]:
    """A consumer without a group, and how many partitions the topic of dead letters has."""
    topic, kafka = settings.topic_names.dead, settings.kafka
    async with running(admin(kafka), kafka) as client:
        states = await topic_states(client, [topic])
    if topic not in states:
        raise RangeError(f"there is no topic {topic}", "`intentstream topics apply` makes it")
    async with running(consumer(kafka), kafka) as reader:
        yield reader, states[topic].partitions
