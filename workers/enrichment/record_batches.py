"""Outputs in batches of our own making: a producer's `send` costs more for each than all else here.

`send` waits for metadata, measures the record, chooses the partition and makes a future, for every
single record. Here records go straight into a batch of their partition (aiokafka's `create_batch`),
partitions are remembered, and a future stands for all that was handed over at once.

    send ─▶ one open batch a partition ─ linger ─▶ send_batch ─▶ acknowledged, or refused
             ▲                                        │ one after the other
             └── grows while the one before waits ────┘

Order holds within a partition. A batch is acknowledged or refused as a whole, as it is with `send`.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    OutOfOrderSequenceNumber,
    RecordListTooLargeError,
    RecordTooLargeError,
)
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from streams.records import OutputRecord
from workers.kafka import MAX_REQUEST_BYTES, partition_for

REFUSED: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RecordTooLargeError,
    # what the neighbours of a refused record see
    OutOfOrderSequenceNumber,
)
"""Failures that blame a record, or come of blaming one: sent anew, one by one, most get through."""

_HEADERS_OF_EVENTS: Final = 7  # dead letters have more: their record's own
_SMALL: Final = 1024 * 1024


class _Call:
    """What was handed over at once: done when every batch that holds a part of it is."""

    __slots__ = ("done", "error", "left", "open")

    def __init__(self, done: "asyncio.Future[None]") -> None:
        self.done = done
        self.open = 0  # batches
        self.left: list[int] = []  # places of what was refused
        self.error: BaseException | None = None

    def settle(self, places: list[int], error: BaseException | None) -> None:
        """A batch with these places of it is acknowledged, or has failed."""
        if isinstance(error, REFUSED):
            self.left += places
        elif error is not None:
            self.error = self.error or error
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


@dataclass(slots=True)
class _Batch:
    builder: Any
    parts: dict[_Call, list[int]] = field(default_factory=dict)

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it."""
        return any(not call.done.done() for call in self.parts)

    def settle(self, error: BaseException | None) -> None:
        for call, places in self.parts.items():
            call.settle(places, error)

    def acknowledged(self, sent: "asyncio.Future[Any]") -> None:
        self.settle(asyncio.CancelledError() if sent.cancelled() else sent.exception())


class RecordBatches:
    """The batches of one producer.

    Args:
        producer: that is started.
        linger_s: how long a batch waits for more.
    """

    def __init__(self, producer: AIOKafkaProducer, linger_s: float = 0.0) -> None:
        self.producer = producer
        self._linger_s = linger_s
        self._waiting: dict[TopicPartition, deque[_Batch]] = {}  # the last one is open
        self._sending: dict[TopicPartition, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def send(self, outputs: Sequence[OutputRecord]) -> list[int]:
        """Sends outputs in order and awaits all acknowledgements.

        Returns:
            Which of them were refused as too large, or fell with such a one: their places, in order.

        Raises:
            KafkaError: a failure that blames no record.
        """
        partitions = {
            topic: sorted(await self.producer.partitions_for(topic))
            for topic in {output.topic for output in outputs}
        }
        loop = asyncio.get_running_loop()
        call = _Call(loop.create_future())
        parts: dict[tuple[str, int], tuple[Any, list[int]]] = {}  # a batch's `append`, our places
        end = len(outputs)
        for place, output in enumerate(outputs):
            headers = list(output.headers)
            if _too_large(output, headers):
                end = place  # found before it was sent; what follows must not overtake it
                break
            key, value = output.key, output.value
            to = output.topic, partition_for(key, partitions[output.topic])
            part = parts.get(to)
            # a batch that is full takes no more, and a new one always takes one
            while part is None or (
                part[0](timestamp=None, key=key, value=value, headers=headers) is None
            ):
                part = parts[to] = self._part(TopicPartition(*to), call, another=part is not None)
            part[1].append(place)
        if end:
            if self._timer is None:
                self._timer = loop.call_later(self._linger_s, self._go)
            await call.done
        if call.error is not None:
            raise call.error
        return sorted(call.left) + list(range(end, len(outputs)))

    def _part(self, to: TopicPartition, call: _Call, *, another: bool) -> tuple[Any, list[int]]:
        """The open batch of a partition, and the places of what the call has in it."""
        waiting = self._waiting.setdefault(to, deque())
        if another:
            self._start(to)  # it is full
        if another or not waiting:
            waiting.append(_Batch(self.producer.create_batch()))
        batch = waiting[-1]
        places = batch.parts.get(call)
        if places is None:
            places = batch.parts[call] = []
            call.open += 1
        return batch.builder.append, places

    def _go(self) -> None:
        self._timer = None
        for to in list(self._waiting):
            self._start(to)

    def _start(self, to: TopicPartition) -> None:
        if to not in self._sending:
            self._sending[to] = asyncio.create_task(self._send_waiting(to))

    async def _send_waiting(self, to: TopicPartition) -> None:
        """Sends the batches of one partition, one after the other, until none is left."""
        try:
            while waiting := self._waiting.get(to):
                batch = waiting.popleft()
                batch.builder.close()
                try:
                    sent = await self._handed_over(batch, to)
                except Exception as error:  # noqa: BLE001 (whatever it was: the callers judge it)
                    batch.settle(error)
                else:
                    sent.add_done_callback(batch.acknowledged)
        finally:
            del self._sending[to]
            self._waiting.pop(to, None)

    async def _handed_over(self, batch: _Batch, to: TopicPartition) -> "asyncio.Future[Any]":
        """Waits for as long as anybody does: how long that may be is the callers' to say."""
        while True:
            try:
                sent: asyncio.Future[Any] = await self.producer.send_batch(
                    batch.builder, to.topic, partition=to.partition
                )
            except KafkaTimeoutError:  # the batch before it still waits for its broker
                if not batch.wanted:
                    raise
            else:
                return sent


def _too_large(output: OutputRecord, headers: list[tuple[str, bytes | None]]) -> bool:
    """Larger than a request: the producer would try for ever. Few need more than a look."""
    if len(headers) <= _HEADERS_OF_EVENTS and len(output.value or b"") < _SMALL:
        return False
    size = DefaultRecordBatchBuilder.estimate_size_in_bytes(output.key, output.value, headers)
    return bool(size > MAX_REQUEST_BYTES)
