"""What the enricher asks of whoever publishes and commits; the two ways of doing it are two guarantees."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer

from workers import kafka
from workers.enrichment.publisher import IdempotentPublisher
from workers.enrichment.sending import DeadLetter, Enriched
from workers.enrichment.transactional_publisher import (
    TRANSACTION_TIMEOUT_MS,
    TransactionalPublisher,
)
from workers.errors import UnreachableError
from workers.pipeline import Partition
from workers.settings import Settings


class Delivery(Protocol):
    """Publishes what records became, and commits how far that has come."""

    @property
    def commit_every_s(self) -> float:
        """How often to commit what is published."""

    async def start(self) -> None:
        """Connects. Raises aiokafka's `KafkaConnectionError` when no broker is there."""

    async def stop(self) -> None:
        """Closes all connections."""

    async def take(self, partitions: Collection[Partition]) -> None:
        """Takes up partitions. To be called before their committed offsets are read."""

    async def publish(self, partition: Partition, items: Sequence[Enriched]) -> frozenset[int]:
        """Publishes records of one partition, in order; returns the offsets of those refused."""

    async def commit(self, offsets: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Commits offsets, all before which is published; returns what was committed."""

    async def drop(self, partitions: Collection[Partition]) -> None:
        """Lets partitions go."""


def delivery_of(
    settings: Settings,
    consumer: AIOKafkaConsumer,
    group_id: str,
    dead_letter: DeadLetter,
    *,
    on_lost: Callable[[Partition, UnreachableError], None],
    acknowledge_s: float,
) -> Delivery:
    """The way that the settings choose.

    Args:
        settings: the guarantee, and where Kafka is.
        consumer: of the group.
        group_id: of the group.
        dead_letter: what becomes of a record whose event Kafka refuses as too large.
        on_lost: told that a partition has to be taken anew (exactly once only).
        acknowledge_s: how long Kafka may take to acknowledge.
    """
    if settings.guarantee == "at_least_once":
        return IdempotentPublisher(
            consumer,
            lambda: kafka.producer(settings.kafka),
            dead_letter,
            acknowledge_s=acknowledge_s,
            linger_s=settings.kafka.linger_ms / 1000,
        )
    return TransactionalPublisher(
        group_id,
        lambda transactional_id: kafka.producer(
            settings.kafka,
            transactional_id=transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        ),
        dead_letter,
        on_lost=on_lost,
        commit_every_s=settings.kafka.transaction_interval_ms / 1000,
        acknowledge_s=acknowledge_s,
    )
