"""Reads `users.signals` beside Faust: what Faust leaves out, and how far the group has come.

After a rebalance Faust can drop records that it fetched while it was seeking, and then neither
delivers nor acknowledges them until the next start. Whoever handles the signals notices the gap
in the offsets and reads it from here.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from streams.records import SourceRecord
from workers.kafka import consumer, running, source_record
from workers.settings import Settings
from workers.topic_range import PartitionRange, read

_READ_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class SignalLog:
    """A reader of one topic that joins no group, and knows what one has committed."""

    topic: str
    reader: AIOKafkaConsumer

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, group: str) -> AsyncIterator[Self]:
        """A reader, closed in the end. Raises `UnreachableError` without Kafka."""
        reader = consumer(settings.kafka, group_id=group, group_instance_id=None)
        async with running(reader, settings.kafka):
            yield cls(settings.topic_names.signals, reader)

    async def committed(self, partition: int) -> int:
        """The next offset for the group: what it has committed, else the log's beginning."""
        place = TopicPartition(self.topic, partition)
        offset = await self.reader.committed(place)
        begins = (await self.reader.beginning_offsets([place]))[place]
        return max(int(begins), int(offset or 0))

    async def ends(self, partitions: set[int]) -> dict[int, int]:
        """The offset that the next record of each partition will get."""
        places = [TopicPartition(self.topic, number) for number in partitions]
        found = await self.reader.end_offsets(places)
        return {place.partition: int(found[place]) for place in places}

    async def between(self, partition: int, start: int, end: int) -> AsyncIterator[SourceRecord]:
        """The records at offsets from `start` to before `end`, as far as they are still there."""
        place = TopicPartition(self.topic, partition)
        begins = int((await self.reader.beginning_offsets([place]))[place])
        span = [PartitionRange(partition, max(start, begins), end)]
        async for records, _ in read(self.reader, self.topic, span, batch=_READ_AT_ONCE):
            for record in records:
                yield source_record(record)
