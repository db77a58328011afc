"""Exactly once: outputs and offsets in one Kafka transaction.

Each input partition has a producer and a transactional id of its own. It is initialised before the
partition's committed offset is read, which fences whoever had the partition before (KIP-98): a
worker that was cut off can neither commit nor write anything that counts. One producer for a whole
worker would need the group's generation in the commit of offsets (KIP-447), which aiokafka does not
send.

    take ─▶ initialise ─▶ (committed offset is read) ─▶ publish … publish ─▶ commit ─▶ publish …
              ▲                                            └─ begins a transaction where none is open
              └── whatever breaks a transaction: the partition is taken anew, and read again
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, UnknownTopicOrPartitionError

from streams.records import OutputRecord
from workers.enrichment import sending
from workers.enrichment.record_batches import RecordBatches
from workers.enrichment.sending import ACKNOWLEDGE_S, DeadLetter, Enriched
from workers.errors import UnreachableError
from workers.pipeline import Partition

logger = logging.getLogger(__name__)

TRANSACTION_TIMEOUT_MS: Final = 60_000
"""Kafka's own default. A worker that dies leaves its transaction to its successor, which ends it
at once; only when nobody comes do readers of what is committed wait for this."""

CLOSE_S: Final = 2.0
"""For aborting what is open and closing the producers of partitions that go, while the group waits:
a few requests. What is not done by then goes on beside, and is no longer of use to anybody."""

MAX_LOSSES: Final = 5
"""Of a partition in a row without a commit. A rebalance or an expired transaction costs one."""

_RECONNECT_S: Final = 0.5


class TransactionLostError(UnreachableError):
    """The transaction of a partition cannot be committed: it is to be taken anew.

    Args:
        message: what happened.
        blameless: Kafka refused a record, which only a new producer can get past: not a sign that
            another worker has the partition, so there is nothing to wait for.
    """

    def __init__(self, message: str, *, blameless: bool = False) -> None:
        super().__init__(message)
        self.blameless = blameless


@dataclass(slots=True)
class _Lane:
    """A partition that was taken: its producer, and the transaction that is open, if one is.

    `turn` lets a commit and a publication pass one after the other, for a transaction that holds
    part of a publication must not end.
    """

    partition: Partition
    batches: RecordBatches
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    open: bool = False
    published: int = 0  # the next offset after what is in the transaction
    committed: int = 0
    lost: bool = False
    committing: "asyncio.Task[None] | None" = None

    @property
    def producer(self) -> AIOKafkaProducer:
        """It alone publishes what comes of the partition."""
        producer: AIOKafkaProducer = self.batches.producer
        return producer


class TransactionalPublisher:
    """Publishes and commits in transactions, one at a time for each partition.

    Args:
        group_id: the consumer group whose offsets are committed; transactional ids begin with it.
        make_producer: of a producer with this transactional id.
        dead_letter: what becomes of a record whose event Kafka refuses as too large.
        on_lost: told that the transaction of a partition is lost: to be taken anew, if the error
            is a `TransactionLostError`; any other means that it would be no use.
        commit_every_s: how long a transaction is open.
        acknowledge_s: how long Kafka may take to acknowledge.
    """

    def __init__(
        self,
        group_id: str,
        make_producer: Callable[[str], AIOKafkaProducer],
        dead_letter: DeadLetter,
        *,
        on_lost: Callable[[Partition, UnreachableError], None],
        commit_every_s: float,
        acknowledge_s: float = ACKNOWLEDGE_S,
    ) -> None:
        self.commit_every_s = commit_every_s
        self._group_id = group_id
        self._make_producer = make_producer
        self._dead_letter = dead_letter
        self._on_lost = on_lost
        self._acknowledge_s = acknowledge_s
        self._lanes: dict[Partition, _Lane] = {}
        self._history: dict[Partition, _History] = defaultdict(_History)
        self._closing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Nothing: producers come with the partitions."""

    async def stop(self) -> None:
        """Closes the producers; what is not committed is undone."""
        await self.drop(list(self._lanes))
        await asyncio.gather(*self._closing, return_exceptions=True)

    async def take(self, partitions: Collection[Partition]) -> None:
        """Initialises the producers of partitions. To be called before their offsets are read.

        Raises:
            PublishError: Kafka doesn't answer in time, or allows no transactions.
        """
        results = await asyncio.gather(
            *(self._take(name) for name in partitions), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _take(self, partition: Partition) -> None:
        old = self._lanes.pop(partition, None)
        if old is not None:
            self._close_beside(old)
        transactional_id = f"{self._group_id}.{partition.topic}.{partition.partition}"
        async with sending.in_time(self._acknowledge_s):
            while True:
                try:
                    producer = await sending.started(lambda: self._make_producer(transactional_id))
                except KafkaError as error:
                    if not _passes(error):
                        raise sending.no_use(error) or sending.refusal(error) from error
                    await asyncio.sleep(_RECONNECT_S)
                else:
                    break
        self._lanes[partition] = _Lane(partition, RecordBatches(producer))

    async def drop(self, partitions: Collection[Partition]) -> None:
        """Lets partitions go. What is not committed of them is undone."""
        for partition in partitions:
            self._history.pop(partition, None)
            lane = self._lanes.pop(partition, None)
            if lane is not None:
                self._close_beside(lane)
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_S)

    def _close_beside(self, lane: _Lane) -> None:
        abort = lane.open and not lane.lost and not lane.turn.locked()
        lane.lost = True  # whatever it still says concerns nobody
        task = asyncio.create_task(_closed(lane, abort=abort))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def publish(self, partition: Partition, items: Sequence[Enriched]) -> frozenset[int]:
        """Publishes all outputs of one partition's records within its transaction, acknowledged.

        A record one of whose outputs Kafka refuses as too large becomes its dead letter.

        Returns:
            The offsets of the records for which that happened.

        Raises:
            TransactionLostError: all since the last commit is undone.
            PublishError: Kafka doesn't acknowledge in time, or refuses for another reason.
        """
        lane, history = self._lanes[partition], self._history[partition]
        async with lane.turn:
            try:
                async with sending.in_time(self._acknowledge_s):
                    await self._publish(lane, items, history)
            except Exception as error:
                raise self._lose(lane, error) from error
            except BaseException:
                lane.lost = True  # it holds a part of the records, and must not be committed
                raise
            lane.published = items[-1].record.offset + 1
        return frozenset(
            item.record.offset for item in items if history.refusals.get(item.record.offset)
        )

    async def _publish(self, lane: _Lane, items: Sequence[Enriched], history: "_History") -> None:
        if lane.lost:
            raise TransactionLostError("the transaction is lost")
        await _begun(lane)
        alone = [item for item in items if item.record.offset < history.one_by_one_until]
        for item in alone:
            if await lane.batches.send(self._chosen(item, history)):
                history.refusals[item.record.offset] += 1
                raise TransactionLostError("Kafka refuses a record", blameless=True)
        together = [output for item in items[len(alone) :] for output in item.outputs]
        if await lane.batches.send(together):
            history.one_by_one_until = items[-1].record.offset + 1
            raise TransactionLostError("Kafka refuses records", blameless=True)

    def _chosen(self, item: Enriched, history: "_History") -> Sequence[OutputRecord]:
        """What to publish of a record after so many refusals."""
        refusals = history.refusals[item.record.offset]
        if not refusals:
            return item.outputs
        letter = sending.too_large(item.record, item.outputs[0], self._dead_letter)
        if refusals == 1:
            return (letter,)
        if refusals > 2:
            raise sending.even_without_value(letter)
        return (sending.without_value(letter),)

    async def commit(self, offsets: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Ends the transactions of partitions, with these offsets in them.

        Cancelling it ends the waiting only: a commit that is under way goes on, for nobody could
        say what became of it.

        Returns:
            What was committed by now.

        Raises:
            KafkaError: never; a partition whose commit fails is lost.
        """
        lanes = {name: lane for name in offsets if (lane := self._lanes.get(name)) is not None}
        for name, lane in lanes.items():
            if lane.committing is None:
                lane.committing = asyncio.create_task(self._commit(lane, offsets[name]))
        if lanes:
            await asyncio.wait([lane.committing for lane in lanes.values() if lane.committing])
        return {
            name: min(lane.committed, offsets[name])
            for name, lane in lanes.items()
            if lane.committed
        }

    async def _commit(self, lane: _Lane, offset: int) -> None:
        try:
            async with lane.turn:
                end = max(offset, lane.published)
                if lane.lost or end <= lane.committed:
                    return
                at = {TopicPartition(*lane.partition): end}
                async with sending.in_time(self._acknowledge_s):
                    await _begun(lane)
                    await lane.producer.send_offsets_to_transaction(at, self._group_id)
                    await lane.producer.commit_transaction()
                lane.open = False
                lane.committed = end
                self._history[lane.partition].committed(end)
        except Exception as error:  # noqa: BLE001 (whatever it was: what is in it is read again)
            self._lose(lane, error)
        finally:
            lane.committing = None

    def _lose(self, lane: _Lane, error: BaseException) -> UnreachableError:
        """Gives a transaction up, once; returns the error that says so."""
        found = self._judged(error, self._history[lane.partition])
        if not lane.lost:
            lane.lost = True
            self._on_lost(lane.partition, found)
        return found

    @staticmethod
    def _judged(error: BaseException, history: "_History") -> UnreachableError:
        """Whether to try again: not for ever, for a broker that restarts knows no topic for a while."""
        if isinstance(error, TransactionLostError) and error.blameless:
            return error
        useless = sending.no_use(error)
        if useless is not None and not isinstance(error, UnknownTopicOrPartitionError):
            return useless
        history.losses += 1
        if history.losses > MAX_LOSSES:
            return useless or sending.refusal(error)
        # aiokafka raises what its states assert, beside its own errors
        return TransactionLostError(f"a transaction cannot go on ({type(error).__name__})")


@dataclass(slots=True)
class _History:
    """What went wrong with a partition since its last commit, over all of its producers.

    Records up to an offset are published one by one after one of them was refused, for only then
    does it show which.
    """

    losses: int = 0
    one_by_one_until: int = 0
    refusals: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))

    def committed(self, offset: int) -> None:
        """All before it is done."""
        self.losses = 0
        for done in [known for known in self.refusals if known < offset]:
            del self.refusals[done]


def _passes(error: KafkaError) -> bool:
    """Whether initialising a producer may succeed later, all else being the same.

    aiokafka wraps a connection that breaks while it looks for the coordinator in a bare KafkaError.
    """
    return isinstance(error, KafkaConnectionError) or error.retriable or type(error) is KafkaError


async def _begun(lane: _Lane) -> None:
    if not lane.open:
        await lane.producer.begin_transaction()
        lane.open = True


async def _closed(lane: _Lane, *, abort: bool) -> None:
    if abort:
        # aiokafka asserts its states, and the producer may have been fenced
        with suppress(KafkaError, AssertionError, TimeoutError):
            await asyncio.wait_for(lane.producer.abort_transaction(), CLOSE_S)
    await sending.stopped(lane.producer)
    _heard(lane.producer)


def _heard(producer: AIOKafkaProducer) -> None:
    """Takes note of what ended a transaction, or asyncio logs it as an error nobody has heard of."""
    ended = producer._txn_manager.wait_for_transaction_end()  # noqa: SLF001 (aiokafka shows it nowhere else)
    if ended is not None and ended.done() and not ended.cancelled():
        ended.exception()
