"""The personalizer: a Faust app that folds `users.signals` into profiles.

    users.signals ─▶ fold ─▶ table (changelog in Kafka) ─▶ users.features, Redis ─▶ acknowledge

Faust gives the table, its recovery and the sharing of partitions; the rest is ours, because Faust
commits what a failed handler left undone, and skips work at any concurrency above one. So: one
event at a time, every exception becomes a dead letter, and a signal is acknowledged by hand when its
profile is in the changelog, in `users.features` and in Redis. Delivery is at least once; the fold and
the compare-and-set in Redis are idempotent by position, so every signal counts once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, cast

import faust
import msgspec
from aiokafka.errors import KafkaError
from faust.types import EventT, StreamT

from streams.cloudevents import binary_headers, derive_id, source_uri, timestamp
from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.events import ActionKind, UserSignal, encode
from streams.profile_schema import LAYOUT
from streams.profiles import PROFILE_UPDATED, Position, Profile, ProfileRules, fold
from streams.pseudonyms import is_pseudonym
from streams.records import OutputRecord, SourceRecord
from streams.topics import TopicNames
from workers.faust_app import TABLE, RecordingTable, data_dir, make_app, prepare_topics
from workers.health import HealthServer
from workers.kafka import producer, running
from workers.personalizer_stats import PersonalizerStats
from workers.pipeline import Partition
from workers.profile_outbox import REDIS_PATIENCE_S, Held, Outbox
from workers.redis_store import StoreUnavailableError, open_store
from workers.settings import Settings

logger = logging.getLogger(__name__)

_REVOKE_FLUSH_S: Final = 2.0
_LAST_FLUSH_S: Final = 3.0
_STOP_S: Final = 5.0

_signals = msgspec.json.Decoder(UserSignal)
_profiles = msgspec.json.Decoder(Profile)


def profile_rules(settings: Settings) -> ProfileRules:
    """The rules of the fold that the settings ask for."""
    profile = settings.profile
    weights = profile.action_weights
    return ProfileRules(
        half_life_days=profile.half_life_days,
        vector_half_life_days=profile.vector_half_life_days,
        sentiment_half_life_days=profile.sentiment_half_life_days,
        action_weights={kind: getattr(weights, kind.value) for kind in ActionKind},
        top_k=profile.top_k,
        recent_queries=profile.recent_queries,
    )


def profile_ttl(settings: Settings) -> timedelta:
    """How long a profile without news stays in Redis."""
    return timedelta(days=settings.profile.ttl_days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """From a record of `users.signals` to the user's next profile and its event. Pure."""

    topics: TopicNames
    cluster: str
    epoch: str
    rules: ProfileRules

    def next_profile(self, stored: bytes | None, record: SourceRecord) -> Profile:
        """The profile after a record; `stored` is the one before, as the table has it.

        Raises `RecordError` when the record is no signal of the user in its key, or does not fit
        the profile.
        """
        signal = self._signal(record)
        profile = None if stored is None else _profiles.decode(stored)
        if profile is not None and profile.layout > LAYOUT:
            raise RecordError(
                DeadReason.PROFILE_UPDATE_FAILED,
                Stage.PROFILE,
                f"the profile was written by a later release (layout {profile.layout})",
            )
        logged = timestamp(record.timestamp_ms) if record.timestamp_ms >= 0 else None
        position = Position(self.epoch, record.partition, record.offset)
        return fold(profile, signal, position, self.rules, logged_at=logged)

    def event(self, profile: Profile, record: SourceRecord, value: bytes) -> OutputRecord:
        """What is published of a profile: itself (`value`), or a tombstone once it is erased."""
        at = profile.position
        headers = binary_headers(
            ce_id=derive_id(
                self.cluster, at.epoch, record.topic, at.partition, at.offset, PROFILE_UPDATED
            ),
            ce_type=PROFILE_UPDATED,
            source_uri=source_uri(self.cluster, record.topic),
            record=record,
            partition_key=profile.user,
        )
        published = None if profile.is_erased else value
        return OutputRecord(self.topics.features, profile.user.encode(), published, headers)

    def dead(self, record: SourceRecord, error: RecordError) -> OutputRecord:
        """The dead letter of a record."""
        return dead_letter(self.topics.dead, record, error)

    @staticmethod
    def _signal(record: SourceRecord) -> UserSignal:
        def refusal(reason: DeadReason, detail: str) -> RecordError:
            return RecordError(reason, Stage.PROFILE, detail)

        if record.value is None:
            raise refusal(DeadReason.NULL_VALUE, "the value is null (a tombstone)")
        try:
            signal = _signals.decode(record.value)
        except UnicodeDecodeError as error:
            raise refusal(DeadReason.INVALID_ENCODING, "the value is not UTF-8") from error
        except msgspec.ValidationError as error:
            raise refusal(DeadReason.INVALID_FIELD, "the value is no user signal") from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise refusal(DeadReason.INVALID_JSON, "the value is not JSON") from error
        if not is_pseudonym(signal.user):
            raise refusal(DeadReason.INVALID_FIELD, "the signal's user is no pseudonym")
        if record.key != signal.user.encode():
            raise refusal(DeadReason.INVALID_FIELD, "the record's key is not the signal's user")
        return signal


@dataclass(frozen=True, slots=True)
class Personalizer:
    """Handles one signal at a time; never raises for a bad one."""

    folding: Folding
    table: MutableMapping[bytes, bytes]
    outbox: Outbox
    stats: PersonalizerStats

    async def handle(self, event: EventT[Any]) -> None:
        """Folds a signal into its user's profile and hands both to the outbox."""
        record = source_record(event)
        self.stats.read += 1
        try:
            held = self._folded(record, event)
        except RecordError as error:
            held = self._dead(record, error, event)
        except Exception as error:  # noqa: BLE001 (whatever it is: a dead letter, or it is lost)
            # The class only: a message may quote the record.
            detail = f"an unexpected {type(error).__name__}"
            logger.error("a signal could not be folded: %s", detail)  # noqa: TRY400
            wrapped = RecordError(DeadReason.PROFILE_UPDATE_FAILED, Stage.PROFILE, detail)
            held = self._dead(record, wrapped, event)
        await self.outbox.put(held)

    def _folded(self, record: SourceRecord, event: EventT[Any]) -> Held:
        key = record.key or b""
        stored = self.table.get(key)
        profile = self.folding.next_profile(stored, record)
        value = encode(profile)
        writes: list[asyncio.Future[Any]] = []
        if value != stored:
            self.table[key] = value
            if isinstance(self.table, RecordingTable):
                writes.append(self.table.last_write)
        # A repeat goes out again: what was written before a crash may not have got everywhere.
        output = self.folding.event(profile, record, value)
        return Held(event.ack, writes, output, *_place(record), profile)

    def _dead(self, record: SourceRecord, error: RecordError, event: EventT[Any]) -> Held:
        return Held(event.ack, (), self.folding.dead(record, error), *_place(record))

    async def consume(self, stream: StreamT[Any]) -> None:
        """The agent: handles the stream's events in order, acknowledging none by itself."""
        async for event in cast("faust.Stream[Any]", stream).noack().events():
            await self.handle(event)


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


def attach(
    app: faust.App, folding: Folding, outbox: Outbox, stats: PersonalizerStats
) -> Personalizer:
    """Gives a Faust app its table and its agent over `users.signals`."""
    signals = app.topic(
        folding.topics.signals,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
    )
    table = app.Table(
        TABLE, key_type=bytes, value_type=bytes, help="The profile of each user, as JSON."
    )
    personalizer = Personalizer(folding, table, outbox, stats)
    app.agent(signals, name="personalizer")(personalizer.consume)
    return personalizer


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
    await prepare_topics(settings)
    async with (
        open_store(
            settings.redis,
            namespace=settings.namespace,
            ttl=profile_ttl(settings),
            serve_weight=profile_rules(settings).vector_serve_weight,
        ) as store,
        running(producer(settings.kafka), settings.kafka) as publisher,
    ):
        try:
            await store.check()
        except StoreUnavailableError as error:
            logger.warning("%s; it may come back while we start", error.message)
        outbox = Outbox(publisher, store, redis_patience_s, done=stats.finished)
        with data_dir() as folder:
            app = make_app(settings, Path(folder))
            attach(app, folding_of(settings), outbox, stats)
            stats.observe(app, outbox)
            watching = asyncio.create_task(stats.watch())
            try:
                await _run_app(app, outbox, stop)
            finally:
                watching.cancel()
                await asyncio.wait({watching})
        return outbox.acknowledged


def folding_of(settings: Settings) -> Folding:
    """How signals become profiles under the settings."""
    return Folding(
        topics=settings.topic_names,
        cluster=settings.cluster,
        epoch=settings.epoch,
        rules=profile_rules(settings),
    )


async def _run_app(app: faust.App, outbox: Outbox, stop: asyncio.Event) -> None:
    """Runs the app and the outbox beside it; the end of either ends both."""
    # What a revoked partition's signals made must be out before its next owner goes on.
    app.on_partitions_revoked.connect(_flushing(outbox), weak=False)
    flushing = asyncio.create_task(outbox.run())
    running_app = asyncio.create_task(_until_stopped(app))
    asked = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({flushing, running_app, asked}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        asked.cancel()
        failed = flushing.done() or running_app.done()
        flushing.cancel()
        await asyncio.wait({flushing})
        if not failed:
            with contextlib.suppress(TimeoutError, StoreUnavailableError, KafkaError):
                await asyncio.wait_for(outbox.flush(), _LAST_FLUSH_S)
        await _stop_app(app)
        running_app.cancel()
        await asyncio.wait({running_app})
    for task in (flushing, running_app):
        if not task.cancelled():
            task.result()


async def _until_stopped(app: faust.App) -> None:
    """Starts the app and waits for its end. Raises what it crashed of."""
    await app.start()
    logger.info("the personalizer is ready")
    await app.wait_until_stopped()
    if app.crash_reason is not None:
        raise app.crash_reason


async def _stop_app(app: faust.App) -> None:
    try:
        await asyncio.wait_for(app.stop(), _STOP_S)
    except TimeoutError:
        logger.warning("Faust did not stop within %s s; it is left behind", _STOP_S)


def _flushing(outbox: Outbox) -> Callable[..., Awaitable[None]]:
    async def flush(*_: Any, **__: Any) -> None:
        # Bounded: the group waits for us. What is not out by then stays held and is safe to
        # repeat: the next owner folds the same signals.
        with contextlib.suppress(TimeoutError, StoreUnavailableError, KafkaError):
            await asyncio.wait_for(outbox.flush(), _REVOKE_FLUSH_S)

    return flush
