"""Reading what is published from now on, and how far behind the consumer groups are."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from streams.records import SourceRecord
from workers.errors import ContractError
from workers.kafka import admin, consumer, running, source_record
from workers.sections import KafkaSettings
from workers.topics_admin import topic_states

_MAX_RECORDS = 2_000


class Tail:
    """Records of some topics from where they ended when it was opened; joins no group."""

    def __init__(self, client: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> None:
        self._client = client
        self.start = dict(ends)
        """Where reading began: the end offsets then."""

    @classmethod
    @asynccontextmanager
    async def of(cls, kafka: KafkaSettings, topics: Collection[str]) -> AsyncIterator[Self]:
        """Opens a tail on all partitions of topics that exist.

        Raises `ContractError` for a topic that does not exist, `UnreachableError` without Kafka.
        """
        async with running(admin(kafka), kafka) as client:
            partitions = await partitions_of(client, topics)
        async with running(consumer(kafka, fetch_max_wait_ms=50), kafka) as client:
            client.assign(partitions)
            ends = await client.end_offsets(partitions)
            for partition, offset in ends.items():
                client.seek(partition, offset)
            yield cls(client, ends)

    async def batch(self, wait_ms: int = 200) -> list[SourceRecord]:
        """What has come since the last call, at most some thousand; empty after `wait_ms`."""
        batches = await self._client.getmany(timeout_ms=wait_ms, max_records=_MAX_RECORDS)
        return [source_record(record) for records in batches.values() for record in records]

    async def rest(self) -> AsyncIterator[list[SourceRecord]]:
        """Batches up to where the topics end at this moment."""
        ends = await self._client.end_offsets(list(self.start))
        while any([await self._client.position(part) < end for part, end in ends.items()]):
            if batch := await self.batch():
                yield batch


async def partitions_of(
    client: AIOKafkaAdminClient, topics: Collection[str]
) -> list[TopicPartition]:
    """All partitions of topics. Raises `ContractError` for one that does not exist."""
    states = await topic_states(client, list(topics))
    missing = sorted(set(topics) - states.keys())
    if missing:
        raise ContractError(
            f"These topics do not exist: {', '.join(missing)}.", "Run `intentstream topics apply`."
        )
    return [
        TopicPartition(topic, number)
        for topic, state in states.items()
        for number in range(state.partitions)
    ]


class Lag:
    """How many records each consumer group has yet to process.

    Args:
        groups: what to call each, its group id, and the topics that it reads.
    """

    def __init__(
        self,
        client: AIOKafkaAdminClient,
        reader: AIOKafkaConsumer,
        groups: Mapping[str, tuple[str, list[TopicPartition]]],
    ) -> None:
        self._client = client
        self._reader = reader
        self._groups = groups

    @classmethod
    @asynccontextmanager
    async def of(
        cls, kafka: KafkaSettings, groups: Mapping[str, tuple[str, Collection[str]]]
    ) -> AsyncIterator[Self]:
        """Connects. Raises like `Tail.of`."""
        async with (
            running(admin(kafka), kafka) as client,
            running(consumer(kafka), kafka) as reader,
        ):
            read = {
                name: (group, await partitions_of(client, topics))
                for name, (group, topics) in groups.items()
            }
            yield cls(client, reader, read)

    async def now(self) -> dict[str, int]:
        """Records behind, by group. What retention has removed does not count."""
        return {
            name: await self.behind(name, await self._reader.end_offsets(partitions))
            for name, (_, partitions) in self._groups.items()
        }

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        """Where a topic's partitions end at this moment. Raises `ContractError` without it."""
        partitions = await partitions_of(self._client, (topic,))
        ends: dict[TopicPartition, int] = await self._reader.end_offsets(partitions)
        return ends

    async def behind(self, name: str, ends: Mapping[TopicPartition, int]) -> int:
        """Records before `ends` that a group has yet to process."""
        committed = await self._committed(self._groups[name][0])
        first = await self._reader.beginning_offsets(list(ends))
        return sum(
            max(0, end - max(first[part], _offset(committed, part))) for part, end in ends.items()
        )

    async def _committed(self, group: str) -> Mapping[TopicPartition, object]:
        try:
            offsets: Mapping[TopicPartition, object]
            offsets = await self._client.list_consumer_group_offsets(group)
        except GroupCoordinatorNotAvailableError:
            return {}  # Kafka makes its offsets topic only when the first group comes
        return offsets


def _offset(committed: Mapping[TopicPartition, object], partition: TopicPartition) -> int:
    found = committed.get(partition)
    return int(getattr(found, "offset", -1))
