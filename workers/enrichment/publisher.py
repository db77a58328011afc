"""At least once: publish with an idempotent producer, then commit with the consumer.

What is published and not yet committed when a worker dies is published again by the next one, with the
same ids.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from streams.records import OutputRecord, SourceRecord
from workers.enrichment import sending
from workers.enrichment.record_batches import RecordBatches
from workers.enrichment.sending import ACKNOWLEDGE_S, DeadLetter, Enriched
from workers.pipeline import Partition

logger = logging.getLogger(__name__)

COMMIT_EVERY_S: Final = 1.0
"""A crash repeats at most this much work; a commit costs one small request."""

_GENERATION_CHANGED = (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)


class IdempotentPublisher:
    """One producer for all partitions; offsets are committed by the group's consumer.

    Args:
        consumer: whose group's offsets are committed.
        make_producer: of an idempotent producer with `acks=all`; called again when Kafka refused
            a record, for with it the producer's sequence of that partition is broken.
        dead_letter: what becomes of a record whose event Kafka refuses as too large.
        acknowledge_s: how long Kafka may take to acknowledge.
        linger_s: how long records are collected before they are sent.
    """

    commit_every_s = COMMIT_EVERY_S

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        make_producer: Callable[[], AIOKafkaProducer],
        dead_letter: DeadLetter,
        *,
        acknowledge_s: float = ACKNOWLEDGE_S,
        linger_s: float = 0.0,
    ) -> None:
        self._consumer = consumer
        self._make_producer = make_producer
        self._dead_letter = dead_letter
        self._acknowledge_s = acknowledge_s
        self._linger_s = linger_s
        self._batches: RecordBatches | None = None
        self._gate = _Gate()

    async def start(self) -> None:
        """Connects. Raises aiokafka's `KafkaConnectionError` when no broker is there."""
        producer = await sending.started(self._make_producer)
        self._batches = RecordBatches(producer, self._linger_s)

    async def stop(self) -> None:
        """Closes the producer."""
        batches, self._batches = self._batches, None
        if batches is not None:
            await sending.stopped(batches.producer)

    async def take(self, partitions: Collection[Partition]) -> None:
        """Nothing: the group's generation alone keeps a worker that was cut off from committing."""

    async def drop(self, partitions: Collection[Partition]) -> None:
        """Nothing: what is published stays."""

    async def publish(self, partition: Partition, items: Sequence[Enriched]) -> frozenset[int]:  # noqa: ARG002 (the producer serves all)
        """Publishes all outputs of one partition's records, in order, and awaits all acknowledgements.

        An output that Kafka refuses as too large is replaced by its record's dead letter.

        Returns:
            The offsets of the records for which that happened.

        Raises:
            PublishError: Kafka doesn't acknowledge in time, or refuses for another reason.
        """
        outputs = [(item.record, output) for item in items for output in item.outputs]
        async with self._gate.shared():
            batches = self._running()
            left = await self._send(batches, [output for _, output in outputs])
        if not left:
            return frozenset()
        async with self._gate.alone():
            return await self._publish_singly(batches, [outputs[n] for n in left])

    async def commit(self, offsets: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Commits offsets; when the group has moved on they are the next owner's to commit.

        Returns:
            What was committed.

        Raises:
            KafkaError: Kafka refuses for a reason that no rebalance explains.
        """
        try:
            await self._consumer.commit(
                {TopicPartition(*name): offset for name, offset in offsets.items()}
            )
        except _GENERATION_CHANGED as error:
            logger.warning("offsets not committed, the group has changed: %s", type(error).__name__)
            return {}
        return offsets

    async def _send(self, batches: RecordBatches, outputs: Sequence[OutputRecord]) -> list[int]:
        try:
            async with sending.in_time(self._acknowledge_s):
                return await batches.send(outputs)
        except KafkaError as error:
            raise sending.no_use(error) or sending.refusal(error) from error

    async def _publish_singly(
        self, broken: RecordBatches, outputs: Sequence[tuple[SourceRecord, OutputRecord]]
    ) -> frozenset[int]:
        """Each output on its own, so that only the one to blame is refused. Returns their offsets.

        Nothing else is being sent meanwhile: it would share a batch with the culprit.
        """
        given_up: set[int] = set()
        if self._running() is broken:
            await self._replace()
        for record, output in outputs:
            if record.offset in given_up or await self._acknowledged(output):
                continue
            given_up.add(record.offset)
            await self._bury(record, output)
        return frozenset(given_up)

    async def _bury(self, record: SourceRecord, output: OutputRecord) -> None:
        """Publishes a record's dead letter in place of its refused output."""
        letter = sending.too_large(record, output, self._dead_letter)
        if await self._acknowledged(letter):
            return
        if not await self._acknowledged(sending.without_value(letter)):
            raise sending.even_without_value(letter)

    async def _acknowledged(self, output: OutputRecord) -> bool:
        """Whether Kafka took one output; when it is too large, a new producer goes on."""
        left = await self._send(self._running(), [output])
        if left:
            await self._replace()
        return not left

    def _running(self) -> RecordBatches:
        if self._batches is None:
            raise RuntimeError("the publisher is not started")
        return self._batches

    async def _replace(self) -> None:
        """Takes a producer with sequences of its own: those of the old one are broken."""
        broken = self._running()
        try:
            await self.start()
        except KafkaError as error:
            raise sending.refusal(error) from error
        await sending.stopped(broken.producer)


class _Gate:
    """Many may pass at once, or one alone, who waits until all others are through."""

    def __init__(self) -> None:
        self._changed = asyncio.Condition()
        self._passing = 0
        self._taken = False

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._taken)
            self._passing += 1
        try:
            yield
        finally:
            async with self._changed:
                self._passing -= 1
                self._changed.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._taken)
            self._taken = True
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: self._passing == 0)
            yield
        finally:
            async with self._changed:
                self._taken = False
                self._changed.notify_all()
