"""Reading: a consumer group's records, batch by batch, as fast as the pipeline takes them.

Back-pressure is the pipeline's bound. Partitions are paused only after sustained pressure,
because a pause throws away what was fetched, and polling goes on meanwhile, so that the group
keeps its member. aiokafka forgets pauses at every reassignment: they are set anew.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from streams.records import SourceRecord
from workers import kafka
from workers.enrichment.start_position import start_positions
from workers.errors import ContractError, IntentstreamError, UnreachableError
from workers.pipeline import OffsetRange, OrderedPipeline, Partition, Ticket
from workers.settings import Settings
from workers.watchdog import Standing

logger = logging.getLogger(__name__)

PRESSURE_S: Final = 2.0
"""On a busy day the pipeline is full most of the time; only when no batch has come out of it for
this long is it under pressure. A batch takes well under a second."""

POLL_MS: Final = 500
"""An empty poll returns after this."""

SMALL_BATCHES: Final = 1
"""So many batches that are not full wait for the model. Another would take records from the batch after
it, and small ones cost the model far more a query (Nagle, RFC 896)."""

GATHER_S: Final = 0.1
"""What comes in gathers for no longer than this."""

FRESH_MS: Final = 10
"""A request to the broker takes less. aiokafka fetches nothing more while anything that it has fetched
is left: what has gathered meanwhile is still with the broker."""

HOLD_POLL_S: Final = 1.0
"""How often a paused worker polls, to stay in the group: far below `max.poll.interval`."""

HEARTBEATS_BEFORE_RETAKE: Final = 2
"""A partition whose transaction was lost may belong to another worker by now; after so many
heartbeats the group has told us. Without that pause two workers would fence each other in turn."""

Release = Callable[[frozenset[Partition]], Awaitable[None]]
Take = Callable[[Collection[Partition]], Awaitable[None]]


class RecordSource:
    """The records of some topics that the group gives to this worker.

    Args:
        settings: where Kafka is, how large a batch may be, where to begin.
        topics: to read.
        pipeline: takes the batches; it learns of assignments here.
        take: takes partitions up, before their committed offsets are read.
        release: lets partitions go, before another worker gets them.
        fail: told what a rebalance ran into; the worker has to stop.
        role: names the consumer group.
        skip_lost: begin at the oldest record where retention has deleted what comes next.
    """

    def __init__(
        self,
        settings: Settings,
        topics: Sequence[str],
        pipeline: OrderedPipeline[Any],
        *,
        take: Take,
        release: Release,
        fail: Callable[[BaseException], None],
        role: str,
        skip_lost: bool = False,
    ) -> None:
        self.pauses = 0
        self.rebalances = 0
        self.in_group = False
        self.consumer = kafka.consumer(settings.kafka, group_id=settings.group_id(role))
        self._settings = settings
        self._topics = tuple(topics)
        self._pipeline = pipeline
        self._take = take
        self._release = release
        self._fail = fail
        self._skip_lost = skip_lost
        self._retaking: dict[Partition, asyncio.Task[None]] = {}
        self._room = asyncio.Event()
        self._asking = 0  # batches that wait for the model
        self._answered = asyncio.Event()
        self._held: dict[TopicPartition, Sequence[Any]] = {}  # polled, not in the pipeline yet
        self._holding = False
        self._behind = False
        self.stopped = False

    def subscribe(self) -> None:
        """Joins the group. The consumer must be started."""
        self.consumer.subscribe(list(self._topics), listener=_Listener(self))

    def made_room(self) -> None:
        """To be called when a batch has left the pipeline."""
        self._room.set()

    def answered(self) -> None:
        """To be called when a batch has all its answers, or never will."""
        self._asking -= 1
        self._answered.set()

    def stop_reading(self) -> None:
        """Reads no more, for good, but stays in the group: nobody else is to read on."""
        self.stopped = True

    async def next(self) -> tuple[Ticket, list[SourceRecord]]:
        """The next batch, registered with the pipeline; waits for records and for room.

        Raises:
            ContractError: retention has deleted what comes next.
            UnreachableError: Kafka refuses us.
        """
        while True:
            if self._pipeline.full:
                await self._await_room()
                continue
            gathers = not self._behind and self._asking >= SMALL_BATCHES
            if gathers:
                await _within(GATHER_S, self._answered)
            try:
                found = await self._poll()
                if gathers and found:
                    found = await self._with_what_gathered(found)
            except NoOffsetForPartitionError:
                # the fetcher was faster than the listener, which decides where to begin
                await asyncio.sleep(POLL_MS / 1000)
            except OffsetOutOfRangeError as error:
                self._check_range(error)
            except KafkaError as error:
                raise refused(error) from error
            else:
                count = sum(map(len, found.values()))
                self._behind = count >= self._settings.triton.max_batch_rows
                taken = self._submit(found)
                if taken is not None:
                    self._asking += 1
                    return taken

    async def _poll(self) -> Mapping[TopicPartition, Sequence[Any]]:
        found: Mapping[TopicPartition, Sequence[Any]]
        if self.stopped:
            self._holding = True
            self.consumer.pause(*self.consumer.assignment())
            await asyncio.sleep(HOLD_POLL_S)
            # nothing, of paused partitions; what is polled all the same is worked off as ever
            found = await self.consumer.getmany(timeout_ms=0)
        else:
            found = await self.consumer.getmany(
                timeout_ms=POLL_MS, max_records=self._settings.triton.max_batch_rows
            )
        return found

    async def _with_what_gathered(
        self, found: Mapping[TopicPartition, Sequence[Any]]
    ) -> Mapping[TopicPartition, Sequence[Any]]:
        """What was polled, and what has come in since aiokafka fetched it: together one batch.

        What is held meanwhile is neither skipped (`standings`) nor kept when its partition begins
        anew (`_begin`): then it is read again.
        """
        rows = self._settings.triton.max_batch_rows - sum(map(len, found.values()))
        if self.stopped or rows <= 0:
            return found
        self._held = dict(found)
        more: Mapping[TopicPartition, Sequence[Any]] = {}
        with suppress(KafkaError):  # the next poll meets it again
            more = await self.consumer.getmany(timeout_ms=FRESH_MS, max_records=rows)
        held, self._held = self._held, {}
        return held | {name: [*held.get(name, ()), *records] for name, records in more.items()}

    def _check_range(self, error: OffsetOutOfRangeError) -> None:
        """The fetcher may have asked before the listener has decided where to begin: not so ours."""
        lost = [
            name
            for name, offset in error.args[0].items()
            if (read := self._pipeline.read_to(Partition(*name))) is not None and offset >= read
        ]
        if lost:
            raise _out_of_range(lost) from error

    async def standings(self) -> dict[Partition, Standing]:
        """How far each of our partitions is published; also proves that Kafka is there."""
        assigned = self.consumer.assignment()
        names = assigned or [TopicPartition(self._topics[0], 0)]
        ends = await self.consumer.end_offsets(names)
        standings = {}
        for name in assigned:
            position = await self.consumer.position(name)
            if name not in self._held:
                self._pipeline.skip_to(Partition(*name), position)
            published = self._pipeline.published_to(Partition(*name))
            reached = position if published is None else published
            standings[Partition(*name)] = Standing(reached, ends[name])
        return standings

    async def _await_room(self) -> None:
        """Waits until a batch is through. After sustained pressure partitions pause meanwhile."""
        await _within(PRESSURE_S, self._room)
        if not self._pipeline.full:
            return
        self.pauses += 1
        self._holding = True
        self.consumer.pause(*self.consumer.assignment())
        try:
            while self._pipeline.full:
                # Nothing comes of paused partitions. What a rebalance lets slip through is not
                # ours yet: the pipeline refuses it, and it is read again from its position.
                self._submit(await self.consumer.getmany(timeout_ms=0))
                await _within(HOLD_POLL_S, self._room)
        finally:
            self._holding = False
            self.consumer.resume(*self.consumer.paused())

    def _submit(
        self, found: Mapping[TopicPartition, Sequence[Any]]
    ) -> tuple[Ticket, list[SourceRecord]] | None:
        """No await stands between the poll and this: what was polled is in the pipeline, or not ours."""
        ticket = self._pipeline.submit(
            {
                Partition(*name): OffsetRange(records[0].offset, records[-1].offset + 1)
                for name, records in found.items()
            }
        )
        if ticket is None:
            return None
        return ticket, [
            kafka.source_record(record)
            for name, records in found.items()
            if Partition(*name) in ticket.partitions
            for record in records
        ]

    def take_anew(self, partition: Partition, *, at_once: bool) -> None:
        """Begins a partition again at its committed offset, as after a rebalance.

        Args:
            partition: ours, and failed.
            at_once: False leaves the group time to say that it is not ours any more.
        """
        if not self.in_group:
            return  # a rebalance is under way, and with it all partitions are taken anew
        heartbeat_s = self._settings.kafka.heartbeat_interval_ms / 1000
        pause = 0.0 if at_once else HEARTBEATS_BEFORE_RETAKE * heartbeat_s
        self._retaking[partition] = asyncio.create_task(self._retake(partition, pause))

    async def _retake(self, partition: Partition, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._pipeline.revoke([partition])
        try:
            await self._begin([TopicPartition(*partition)])
        except Exception as error:  # noqa: BLE001 (a partition must not stand still for ever)
            self._fail(error)

    async def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """The group takes partitions away: they are let go first."""
        self.in_group = False
        await self.stop_retaking()
        if partitions:
            await self._release(frozenset(Partition(*name) for name in partitions))
        self._room.set()

    async def stop_retaking(self) -> None:
        """Leaves partitions that are being taken anew as they are."""
        retaking, self._retaking = self._retaking, {}
        for task in retaking.values():
            task.cancel()
        await asyncio.gather(*retaking.values(), return_exceptions=True)

    async def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """The group gives us partitions: they begin at what was committed, or where settings say."""
        self.rebalances += 1
        if await self._begin(partitions):
            self.in_group = True
            logger.info("assigned %d partitions", len(partitions))

    async def _begin(self, partitions: Collection[TopicPartition]) -> bool:
        try:
            await self._take([Partition(*name) for name in partitions])
            positions = await start_positions(
                self.consumer,
                partitions,
                self._settings.start_position,
                skip_lost=self._skip_lost,
            )
            # or a crash before the first commit would begin elsewhere
            fresh = {name: at.offset for name, at in positions.items() if not at.committed}
            if fresh:
                await self.consumer.commit(fresh)
        except IntentstreamError as error:
            self._fail(error)
            return False
        except KafkaError as error:
            self._fail(refused(error))
            return False
        for name, position in positions.items():
            # what was fetched meanwhile is thrown away, so that nothing slips past the pipeline
            self.consumer.seek(name, position.offset)
            self._held.pop(name, None)
            self._pipeline.assign(Partition(*name), position.offset)
        if self._holding and partitions:
            self.consumer.pause(*partitions)
        return True


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    def __init__(self, source: RecordSource) -> None:
        self._source = source

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self._source.revoked(revoked)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        await self._source.assigned(assigned)


async def _within(seconds: float, event: asyncio.Event) -> None:
    """Waits until something happens, or as long as that."""
    event.clear()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


def _out_of_range(partitions: Sequence[TopicPartition]) -> ContractError:
    names = ", ".join(f"{name.topic}[{name.partition}]" for name in partitions)
    return ContractError(
        f"the next records of {names} are no longer in the log: retention was faster",
        "lengthen the topic's retention; to go on with the oldest record there is: --skip-lost",
    )


def refused(error: KafkaError) -> UnreachableError:
    """Kafka's refusal, as an error that says where to look."""
    return UnreachableError(
        f"Kafka refuses the worker ({type(error).__name__})",
        "`intentstream doctor` checks the connection, the topics and the rights",
    )
