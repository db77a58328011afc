"""Reading `queries.dead`: what was set aside, why, and where it came from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from streams.deadletters import STAGE_HEADER, reason_of
from workers.kafka import admin, consumer, running
from workers.settings import Settings
from workers.topic_range import Bound, PartitionRange, RangeError, read, resolve
from workers.topics_admin import topic_states

_BATCH = 1_000
_ERRORS = "__connect.errors."


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
        value_bytes=None if record.value is None else len(record.value),
        key=record.key,
        value=record.value,
    )


def _text(value: bytes | None) -> str:
    return "" if value is None else value.decode("utf-8", "backslashreplace")


async def dead_letters(settings: Settings, since: Bound, until: Bound) -> AsyncIterator[DeadLetter]:
    """The dead letters of a range, partition by partition in order. Reads without a group.

    Raises:
        RangeError: the range makes no sense, or there is no topic of dead letters.
    """
    topic = settings.topic_names.dead
    async with _reader(settings) as (reader, partitions):
        span = await resolve(reader, topic, partitions, since, until)
        async for records, _ in read(reader, topic, span.partitions, batch=_BATCH):
            for record in records:
                yield dead_letter_of(record)


async def dead_letter_at(settings: Settings, partition: int, offset: int) -> DeadLetter:
    """The dead letter at a position of `queries.dead`.

    Raises:
        RangeError: there is no such position any more, or not yet.
    """
    topic = settings.topic_names.dead
    async with _reader(settings) as (reader, partitions):
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
async def _reader(settings: Settings) -> AsyncIterator[tuple[AIOKafkaConsumer, int]]:
    """A consumer without a group, and how many partitions the topic of dead letters has."""
    topic, kafka = settings.topic_names.dead, settings.kafka
    async with running(admin(kafka), kafka) as client:
        states = await topic_states(client, [topic])
    if topic not in states:
        raise RangeError(f"there is no topic {topic}", "`intentstream topics apply` makes it")
    async with running(consumer(kafka), kafka) as reader:
        yield reader, states[topic].partitions
