"""Publishing what records became: in order, each acknowledged, and nothing refused for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    RecordListTooLargeError,
    RecordTooLargeError,
    UnknownTopicOrPartitionError,
)

from streams.deadletters import DeadReason, RecordError, Stage
from streams.records import OutputRecord, SourceRecord
from workers.errors import IntentstreamError, UnreachableError

logger = logging.getLogger(__name__)

ACKNOWLEDGE_S: Final = 120.0
"""Kafka's own default for `delivery.timeout.ms`: a broker's restart or a new leader is over by
then. aiokafka itself retries an idempotent send for ever."""

STOP_S: Final = 10.0
"""For closing a producer: it waits for acknowledgements, which a dead broker never sends."""

VALUE_LEFT_OUT: Final = "intentstream.errors.value_left_out"
"""Header of a dead letter that Kafka refused with its value: the value stays at its source."""

_RESENT = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
    # what the neighbours of a refused record see
    OutOfOrderSequenceNumber,
)
"""Failures after which a new producer sends anew, one by one."""

DeadLetter = Callable[[SourceRecord, RecordError], OutputRecord]


@dataclass(frozen=True, slots=True)
class Enriched:
    """A record and all that is to be published for it."""

    record: SourceRecord
    outputs: tuple[OutputRecord, ...]


class PublishError(UnreachableError):
    """Something could not be published, and no other try will help: the worker has to stop."""


class Publisher:
    """Sends and awaits acknowledgements.

    Args:
        make_producer: of an idempotent producer with `acks=all`; called again when Kafka refused
            a record, for with it the producer's sequence of that partition is broken.
        dead_letter: what becomes of a record whose event Kafka refuses as too large.
        acknowledge_s: how long Kafka may take to acknowledge.
    """

    def __init__(
        self,
        make_producer: Callable[[], AIOKafkaProducer],
        dead_letter: DeadLetter,
        *,
        acknowledge_s: float = ACKNOWLEDGE_S,
    ) -> None:
        self._make_producer = make_producer
        self._dead_letter = dead_letter
        self._acknowledge_s = acknowledge_s
        self._producer: AIOKafkaProducer | None = None
        self._gate = _Gate()

    async def start(self) -> None:
        """Connects. Raises aiokafka's `KafkaConnectionError` when no broker is there."""
        producer = self._make_producer()
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Closes the producer."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stopped(producer)

    async def publish(self, items: Sequence[Enriched]) -> frozenset[int]:
        """Publishes all outputs of one partition's records, in order, and awaits all acknowledgements.

        An output that Kafka refuses as too large is replaced by its record's dead letter.

        Returns:
            The offsets of the records for which that happened.

        Raises:
            PublishError: Kafka doesn't acknowledge in time, or refuses for another reason.
        """
        outputs = [(item.record, output) for item in items for output in item.outputs]
        async with self._gate.shared():
            producer = self._running()
            async with self._in_time():
                left = await self._send_all(producer, outputs)
        if not left:
            return frozenset()
        async with self._gate.alone():
            return await self._publish_singly(producer, left)

    async def _send_all(
        self, producer: AIOKafkaProducer, outputs: list[tuple[SourceRecord, OutputRecord]]
    ) -> list[tuple[SourceRecord, OutputRecord]]:
        """Sends all; returns those that were not acknowledged, in order.

        Raises:
            PublishError: for an error that sending anew cannot mend.
        """
        pending = []
        for _, output in outputs:
            try:
                pending.append(await _sent(producer, output))
            except _RESENT:
                break  # found before it was sent; what follows must not overtake it
            except KafkaError as error:
                raise _fatal(error, output.topic) from error
        results = await asyncio.gather(*pending, return_exceptions=True)
        left = []
        for n, pair in enumerate(outputs):
            result = results[n] if n < len(results) else None
            if isinstance(result, BaseException) and not isinstance(result, _RESENT):
                raise _fatal(result, pair[1].topic) from result
            if n >= len(results) or isinstance(result, BaseException):
                left.append(pair)
        return left

    async def _publish_singly(
        self, broken: AIOKafkaProducer, outputs: list[tuple[SourceRecord, OutputRecord]]
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
        logger.error(
            "an output for %s is larger than the topic allows: its record becomes a dead letter",
            output.topic,
        )
        detail = "Kafka refuses the event as too large"
        error = RecordError(DeadReason.EVENT_TOO_LARGE, Stage.PUBLISH, detail)
        letter = self._dead_letter(record, error)
        if await self._acknowledged(letter):
            return
        logger.error("%s takes no record of this size: its value is left out", letter.topic)
        headers = (*letter.headers, (VALUE_LEFT_OUT, b"true"))
        if not await self._acknowledged(OutputRecord(letter.topic, letter.key, None, headers)):
            raise PublishError(
                f"{letter.topic} refuses even a dead letter without its value",
                "`intentstream topics apply` sets the sizes that the topics must take",
            )

    async def _acknowledged(self, output: OutputRecord) -> bool:
        """Whether Kafka took one output; when it is too large, a new producer goes on."""
        async with self._in_time():
            left = await self._send_all(self._running(), [(_NOWHERE, output)])
        if left:
            await self._replace()
        return not left

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._acknowledge_s):
                yield
        except TimeoutError as error:
            raise PublishError(
                f"Kafka has not acknowledged for {self._acknowledge_s:g} s",
                "are enough replicas of the output topics in sync? `intentstream doctor` looks",
            ) from error

    def _running(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise RuntimeError("the publisher is not started")
        return self._producer

    async def _replace(self) -> None:
        """Takes a producer with sequences of its own: those of the old one are broken."""
        broken = self._running()
        try:
            await self.start()
        except KafkaError as error:
            raise _fatal(error, "") from error
        await _stopped(broken)


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


_NOWHERE = SourceRecord("", 0, 0, 0, None, None)


async def _sent(producer: AIOKafkaProducer, output: OutputRecord) -> Awaitable[object]:
    """Hands a record over, with the wall clock as its time; awaiting the result acknowledges it."""
    headers = list(output.headers)
    if output.key is not None or output.value is not None:
        sent: Awaitable[object] = await producer.send(
            output.topic, output.value, key=output.key, headers=headers
        )
        return sent
    # `send` refuses a record without key and value, which a dead letter may well be
    partitions = sorted(await producer.partitions_for(output.topic))
    batch = producer.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=headers)
    batch.close()
    single: Awaitable[object] = await producer.send_batch(
        batch, output.topic, partition=partitions[0]
    )
    return single


async def _stopped(producer: AIOKafkaProducer) -> None:
    try:
        await asyncio.wait_for(producer.stop(), STOP_S)
    except (TimeoutError, KafkaError) as error:
        logger.warning("the producer did not close cleanly: %s", type(error).__name__)


def _fatal(error: BaseException, topic: str) -> IntentstreamError:
    if isinstance(error, UnknownTopicOrPartitionError):
        return PublishError(f"there is no topic {topic}", "`intentstream topics apply` makes it")
    reason = type(error).__name__
    return PublishError(
        f"Kafka refuses to take records for {topic or 'the outputs'} ({reason})",
        "`intentstream doctor` checks the connection, the topics and the rights",
    )
