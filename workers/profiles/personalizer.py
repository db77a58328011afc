"""The personalizer: a Faust app that folds `users.signals` into profiles.

    users.signals ─▶ fold ─▶ table (changelog in Kafka) ─▶ users.features, Redis ─▶ commit

Faust gives the table, its recovery and the sharing of partitions; the rest is ours. Faust commits
what a failed handler left undone, skips work at any concurrency above one, and after a rebalance can
drop records without ever delivering them. So: one signal at a time, every exception becomes a dead
letter, gaps in the offsets are read directly, and the position is committed by hand when the
profiles up to it are in the changelog, in `users.features` and in Redis. Delivery is at least once;
the fold and the compare-and-set in Redis are idempotent by position, so every signal counts once.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, cast

import faust
from aiokafka.errors import KafkaError
from faust.types import TP, EventT, StreamT

from streams.deadletters import DeadReason, RecordError, Stage
from streams.events import encode
from streams.profile_updates import Folding
from streams.records import SourceRecord
from workers.errors import UnreachableError
from workers.health import HealthServer
from workers.kafka import producer, running
from workers.pipeline import Partition
from workers.profiles.faust_app import ROLE, TABLE, ProfileTable, make_app, prepare_topics
from workers.profiles.outbox import REDIS_PATIENCE_S, Held, Outbox
from workers.profiles.personalizer_stats import PersonalizerStats
from workers.profiles.profile_settings import folding_of, profile_rules, profile_ttl
from workers.profiles.redis_store import StoreUnavailableError, open_store
from workers.profiles.scratch import scratch_folder
from workers.profiles.signal_log import SignalLog
from workers.settings import Settings

logger = logging.getLogger(__name__)

_COMMIT_EVERY_S: Final = 0.5
_IDLE_S: Final = 3.0
_REVOKE_FLUSH_S: Final = 2.0
_LAST_FLUSH_S: Final = 3.0
_STOP_S: Final = 5.0
_RETRY_S: Final = 2.0
_KAFKA_PATIENCE_S: Final = 120.0  # the enricher's: a broker's restart is over by then


@dataclass(slots=True)
class Progress:
    """How far each assigned partition has come, since it was assigned."""

    taken: dict[int, int] = field(default_factory=dict)
    """The next offset to take."""
    ends: dict[int, int] = field(default_factory=dict)
    """The offset after the last record taken: from there to `taken` there are none, but perhaps
    the markers of transactions."""
    done: dict[int, int] = field(default_factory=dict)
    """The work on all before it is done."""
    committed: dict[int, int] = field(default_factory=dict)
    taken_at: dict[int, float] = field(default_factory=dict)

    def committable(self) -> dict[int, int]:
        """The offsets to commit, where that is news."""
        reached = {
            partition: taken
            if self.done.get(partition, 0) >= self.ends.get(partition, 0)
            else self.done.get(partition, 0)
            for partition, taken in self.taken.items()
        }
        return {n: at for n, at in reached.items() if at > self.committed.get(n, -1)}


@dataclass(slots=True)
class Personalizer:
    """Takes signals one at a time, in order and without gaps; never raises for a bad one."""

    folding: Folding
    table: ProfileTable
    outbox: Outbox
    log: SignalLog
    stats: PersonalizerStats
    progress: Progress | None = None
    """None while no partitions are assigned."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def consume(self, stream: StreamT[Any]) -> None:
        """The agent: takes the stream's events, acknowledging none by itself."""
        async for event in cast("faust.Stream[Any]", stream).noack().events():
            record = source_record(event)
            async with self._turn:
                progress = self.progress
                if progress is not None:
                    await self._catch_up(progress, record.partition, record.offset)
                if progress is not None and progress is self.progress:  # not revoked meanwhile
                    await self._take(progress, record)

    async def catch_up(self, partitions: set[int]) -> None:
        """Takes what lies ready in partitions from which nothing has come for a while."""
        async with self._turn:
            progress = self.progress
            if progress is None:
                return
            now = asyncio.get_running_loop().time()
            idle = {n for n in partitions if now - progress.taken_at.get(n, 0.0) > _IDLE_S}
            for partition, end in (await self.log.ends(idle)).items():
                await self._catch_up(progress, partition, end)

    async def _catch_up(self, progress: Progress, partition: int, end: int) -> None:
        start = progress.taken.get(partition)
        if start is None:
            start = progress.taken[partition] = await self.log.committed(partition)
            progress.committed[partition] = start
        if start >= end:
            return
        count = 0
        async for record in self.log.between(partition, start, end):
            if self.progress is not progress:
                return  # revoked meanwhile
            await self._take(progress, record)
            count += 1
        if count:
            logger.info("partition %d: %d signals were left out; taken now", partition, count)
        progress.taken[partition] = max(end, progress.taken[partition])

    async def _take(self, progress: Progress, record: SourceRecord) -> None:
        partition, after = record.partition, record.offset + 1
        self.stats.read += 1

        def done() -> None:
            progress.done[partition] = max(after, progress.done.get(partition, 0))

        try:
            held = self._folded(record, done)
        except RecordError as error:
            held = self._dead(record, error, done)
        except Exception as error:  # noqa: BLE001 (whatever it is: a dead letter, or it is lost)
            # The class only: a message may quote the record.
            detail = f"an unexpected {type(error).__name__}"
            logger.error("a signal could not be folded: %s", detail)  # noqa: TRY400
            wrapped = RecordError(DeadReason.PROFILE_UPDATE_FAILED, Stage.PROFILE, detail)
            held = self._dead(record, wrapped, done)
        progress.taken[partition] = max(after, progress.taken.get(partition, 0))
        progress.ends[partition] = max(after, progress.ends.get(partition, 0))
        progress.taken_at[partition] = asyncio.get_running_loop().time()
        await self.outbox.put(held)

    def _folded(self, record: SourceRecord, done: Callable[[], None]) -> Held:
        key = record.key or b""
        stored = self.table.data.get(key)
        profile = self.folding.next_profile(stored, record)
        value = encode(profile)
        writes = [] if value == stored else [self.table.write(key, value, record.partition)]
        # A repeat goes out again: what was written before a crash may not have got everywhere.
        output = self.folding.event(profile, record, value)
        return Held(done, writes, output, *_place(record), profile)

    def _dead(self, record: SourceRecord, error: RecordError, done: Callable[[], None]) -> Held:
        return Held(done, (), self.folding.dead(record, error), *_place(record))


def _place(record: SourceRecord) -> tuple[Partition, int]:
    return Partition(record.topic, record.partition), record.timestamp_ms


def source_record(event: EventT[Any]) -> SourceRecord:
    """A Faust event as the record that it is."""
    message = event.message
    stamp: float | None = message.timestamp
    # Kafka's headers are a list of pairs, in which a name may come twice and a value be null.
    headers: Any = message.headers or ()
    return SourceRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        timestamp_ms=-1 if stamp is None else round(stamp * 1000),
        key=message.key,
        value=message.value,
        headers=tuple((name, value) for name, value in headers),
    )


async def run(
    settings: Settings, stop: asyncio.Event, *, redis_patience_s: float = REDIS_PATIENCE_S
) -> int:
    """Personalizes until `stop` is set, then finishes what is held. Returns the signals handled.

    Raises:
        ContractError: topics are missing or do not fit.
        UnreachableError: Kafka or Redis stayed away for too long, or refuses us.
        SettingsError: the address for health and metrics cannot be listened on.
    """
    stats = PersonalizerStats(settings)
    async with HealthServer(settings.health_address, stats, stats.metrics.registry):
        return await _run(settings, stop, stats, redis_patience_s)


async def _run(
    settings: Settings, stop: asyncio.Event, stats: PersonalizerStats, redis_patience_s: float
) -> int:
    if not await _prepared(settings, stop):
        return 0
    async with (
        open_store(
            settings.redis,
            namespace=settings.namespace,
            ttl=profile_ttl(settings),
            serve_weight=profile_rules(settings).vector_serve_weight,
        ) as store,
        running(producer(settings.kafka), settings.kafka) as publisher,
        SignalLog.open(settings, settings.group_id(ROLE)) as log,
    ):
        try:
            await store.check()
        except StoreUnavailableError as error:
            logger.warning("%s; it may come back while we start", error.message)
        outbox = Outbox(publisher, store, redis_patience_s, done=stats.finished)
        with scratch_folder() as folder:
            app = make_app(settings, folder)
            signals, table = _declared(app, settings)
            personalizer = Personalizer(folding_of(settings), table, outbox, log, stats)
            app.agent(signals, name=ROLE)(personalizer.consume)
            stats.observe(app, outbox)
            await _Session(app, personalizer, settings.topic_names.signals).run(stop)
        return outbox.acknowledged


async def _prepared(settings: Settings, stop: asyncio.Event) -> bool:
    """Looks at the topics as soon as Kafka answers; False when told to stop before.

    A worker that starts while a broker restarts waits for it, instead of ending again and again.
    """
    since = time.monotonic()
    while not stop.is_set():
        try:
            await prepare_topics(settings)
        except UnreachableError as error:
            if time.monotonic() - since >= _KAFKA_PATIENCE_S:
                raise
            logger.warning("%s; trying again", error.message)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_S)
        else:
            return True
    return False


def _declared(app: faust.App, settings: Settings) -> tuple[Any, ProfileTable]:
    signals = app.topic(
        settings.topic_names.signals,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
    )
    table = app.Table(
        TABLE, key_type=bytes, value_type=bytes, help="The profile of each user, as JSON."
    )
    return signals, cast("ProfileTable", table)


@dataclass(slots=True)
class _Session:
    """One run of the app, with what goes on beside it: flushing, committing, catching up."""

    app: faust.App
    personalizer: Personalizer
    topic: str

    async def run(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set. The end of any part ends all; raises what it ended of."""
        self.app.on_partitions_revoked.connect(self._revoked, weak=False)
        self.app.on_rebalance_complete.connect(self._assigned, weak=False)
        outbox = self.personalizer.outbox
        parts = [
            asyncio.create_task(part)
            for part in (
                outbox.run(),
                self._committing(),
                self._catching_up(),
                self.personalizer.stats.watch(),
                self._app_runs(),
            )
        ]
        asked = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({*parts, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            failed = any(part.done() for part in parts)
            await _cancel(parts[:-1])
            if not failed:
                await _briefly(outbox.flush(), _LAST_FLUSH_S)
                await _briefly(self._commit(), _LAST_FLUSH_S)
            await self._stop_app()
            await _cancel(parts[-1:])
        for part in parts:
            if not part.cancelled():
                part.result()

    async def _app_runs(self) -> None:
        """Starts the app and waits for its end. Raises what it crashed of."""
        await self.app.start()
        logger.info("the personalizer is ready")
        await self.app.wait_until_stopped()
        if self.app.crash_reason is not None:
            raise self.app.crash_reason

    async def _stop_app(self) -> None:
        try:
            await asyncio.wait_for(self.app.stop(), _STOP_S)
        except TimeoutError:
            logger.warning("Faust did not stop within %s s; it is left behind", _STOP_S)

    async def _assigned(self, *_: Any, **__: Any) -> None:
        self.personalizer.progress = Progress()

    async def _revoked(self, *_: Any, **__: Any) -> None:
        # What these partitions' signals made must be out before their next owner goes on. Bounded:
        # the group waits for us. What is not out by then is safe to repeat.
        await _briefly(self.personalizer.outbox.flush(), _REVOKE_FLUSH_S)
        await _briefly(self._commit(), _REVOKE_FLUSH_S)
        self.personalizer.progress = None

    async def _committing(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_EVERY_S)
            await self._commit()

    async def _commit(self) -> None:
        progress = self.personalizer.progress
        if progress is None:
            return
        new = progress.committable()
        if not new:
            return
        offsets = {TP(self.topic, partition): at for partition, at in new.items()}
        # Not Faust's own commit: it counts acknowledgements, and stalls at what it has dropped.
        consumer: Any = self.app.consumer
        if await consumer._commit(offsets):  # noqa: SLF001
            progress.committed |= new

    async def _catching_up(self) -> None:
        while True:
            await asyncio.sleep(_IDLE_S)
            if self.app.rebalancing or not self.app.tables.actives_ready:
                continue
            assigned = self.app.consumer.assignment()
            partitions = {place.partition for place in assigned if place.topic == self.topic}
            await self.personalizer.catch_up(partitions)


async def _briefly(work: Awaitable[Any], seconds: float) -> None:
    """Waits for work that is safe to give up, and to fail."""
    with contextlib.suppress(TimeoutError, UnreachableError, KafkaError):
        await asyncio.wait_for(work, seconds)


async def _cancel(tasks: list["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
