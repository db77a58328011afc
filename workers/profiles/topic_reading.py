"""Reads a topic up to its end as it is now, beside the groups that work on it."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from aiokafka.structs import TopicPartition

from streams.records import SourceRecord
from workers.errors import ContractError
from workers.kafka import admin, consumer, running, source_record
from workers.settings import Settings
from workers.topic_range import PartitionRange, read
from workers.topics_admin import topic_states

Advance = Callable[[int, int], None]
"""Told how many records were read, of how many."""

_READ_AT_ONCE: Final = 1_000


def unheard(_read: int, _total: int) -> None:
    """An `Advance` that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What a topic held at a moment: the first offset of each partition, and the next one."""

    topic: str
    begins: Mapping[int, int]
    ends: Mapping[int, int]

    @property
    def begins_late(self) -> bool:
        """Whether retention has taken the beginning of any partition."""
        return any(self.begins.values())

    @property
    def partitions(self) -> Collection[int]:
        """Their numbers, in order."""
        return self.begins.keys()


async def extent(settings: Settings, topic: str) -> Extent:
    """What a topic holds now. Raises `ContractError` when there is no such topic."""
    async with running(admin(settings.kafka), settings.kafka) as client:
        state = (await topic_states(client, [topic])).get(topic)
    if state is None:
        raise ContractError(f"topic {topic} is missing", "make it: intentstream topics apply")
    places = [TopicPartition(topic, number) for number in range(state.partitions)]
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        begins, ends = await reader.beginning_offsets(places), await reader.end_offsets(places)
    return Extent(
        topic,
        {place.partition: int(begins[place]) for place in places},
        {place.partition: int(ends[place]) for place in places},
    )


async def read_batches(
    settings: Settings,
    span: Extent,
    advance: Advance = unheard,
    *,
    since: Mapping[int, int] | None = None,
    only: Collection[int] | None = None,
) -> AsyncIterator[list[SourceRecord]]:
    """The records of an extent, each partition's in order; joins no group.

    Args:
        settings: where Kafka is.
        span: what to read.
        advance: told of progress.
        since: where to begin, by partition; by default at what was the beginning.
        only: the partitions to read; by default all.
    """
    starts = {**span.begins, **(since or {})}
    chosen = span.partitions if only is None else only
    ranges = [PartitionRange(number, starts[number], span.ends[number]) for number in chosen]
    total = sum(max(part.end - part.start, 0) for part in ranges)
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        async for records, left in read(reader, span.topic, ranges, batch=_READ_AT_ONCE):
            yield [source_record(record) for record in records]
            advance(total - left, total)


async def read_topic(
    settings: Settings, topic: str, advance: Advance = unheard
) -> AsyncIterator[SourceRecord]:
    """All of a topic up to its end as it is now, each partition in order; joins no group."""
    async for records in read_batches(settings, await extent(settings, topic), advance):
        for record in records:
            yield record
