"""What the personalizer has done so far, whether it gets on, and what it says when asked."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import faust
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from faust.exceptions import NotReady

from streams.deadletters import DeadReason, reason_of
from workers import metrics
from workers.errors import UnreachableError
from workers.kafka import admin, consumer, running
from workers.metrics import Readings, Worker, WorkerMetrics
from workers.pipeline import Partition
from workers.profiles.faust_app import ROLE
from workers.profiles.outbox import Held, Outbox
from workers.settings import Settings
from workers.watchdog import KAFKA_SILENT_S, WATCH_EVERY_S, Standing, Watchdog, dump_tasks

logger = logging.getLogger(__name__)


class PersonalizerStats:
    """Counts, measures, watches.

    Faust may read on while its commits stand still, or the other way round. So the watch has
    connections of its own, and progress is what the group has committed.
    """

    def __init__(self, settings: Settings) -> None:
        self.metrics = WorkerMetrics(Worker.PERSONALIZER, self._readings)
        self.watchdog = Watchdog(settings.health.stall_s)
        self.read = 0
        self._settings = settings
        self._done = 0
        self._flushes = 0
        self._dead: Counter[DeadReason] = Counter()
        self._app: faust.App | None = None
        self._outbox: Outbox | None = None
        self._kafka_seen = time.monotonic()

    def observe(self, app: faust.App, outbox: Outbox) -> None:
        """Whose doings these are; until then it is not ready."""
        self._app, self._outbox = app, outbox
        self._kafka_seen = time.monotonic()

    def finished(self, batch: Sequence[Held], seconds: float) -> None:
        """These signals were acknowledged; their flush took so many seconds."""
        now = time.time()
        self._done += len(batch)
        self._flushes += 1
        self.metrics.observe_stage("publish", seconds)
        for held in batch:
            if held.profile is None:
                self._dead[reason_of(held.output.headers) or DeadReason.PROCESSING_FAILED] += 1
            if held.timestamp_ms >= 0:
                at = held.timestamp_ms / 1000
                self.metrics.observe(metrics.END_TO_END_SECONDS, max(now - at, 0.0))
                self.watchdog.finished(held.partition, at)

    def unhealthy(self) -> list[str]:
        """Why a restart would help: partitions have stalled, in the watchdog's judgement."""
        complaint = self.watchdog.complaint()
        return [complaint] if complaint else []

    def unready(self) -> list[str]:
        """Why it is not doing its work."""
        reasons = self.unhealthy()
        app, outbox = self._app, self._outbox
        if app is None or outbox is None or not app.started:
            return [*reasons, "it has not started yet"]
        if app.should_stop:
            reasons.append("the worker is stopping")
        if (
            not _assignment(app) and not app.unassigned
        ):  # the latter: there are more of us than work
            reasons.append("not in the consumer group yet")
        if app.rebalancing or app.in_recovery:
            reasons.append("the profiles of its partitions are being read")
        if outbox.redis_away:
            reasons.append("Redis takes no writes")
        away = time.monotonic() - self._kafka_seen
        if away > KAFKA_SILENT_S:
            reasons.append(f"Kafka has not answered for {away:.0f} s")
        return reasons

    async def watch(self) -> None:
        """Looks after the partitions until cancelled; never raises, whatever Kafka does."""
        kafka = self._settings.kafka
        while True:
            try:
                async with (
                    running(admin(kafka), kafka) as client,
                    running(consumer(kafka), kafka) as reader,
                ):
                    while True:
                        await self._look(client, reader)
                        await asyncio.sleep(WATCH_EVERY_S)
            except (KafkaError, TimeoutError, UnreachableError) as error:
                logger.warning("Kafka does not say how far we are: %s", type(error).__name__)
            await asyncio.sleep(WATCH_EVERY_S)

    async def _look(self, client: AIOKafkaAdminClient, reader: AIOKafkaConsumer) -> None:
        app, outbox = self._app, self._outbox
        assert app is not None and outbox is not None  # noqa: S101, PT018 (set before the watch)
        async with asyncio.timeout(2 * WATCH_EVERY_S):
            standings = await self._standings(app, client, reader)
        self._kafka_seen = time.monotonic()
        excused = outbox.redis_away or app.rebalancing or app.in_recovery
        if self.watchdog.observe(standings, excused=excused):
            logger.error("stalled: %s. Tasks:\n%s", self.watchdog.complaint(), dump_tasks())

    async def _standings(
        self, app: faust.App, client: AIOKafkaAdminClient, reader: AIOKafkaConsumer
    ) -> dict[Partition, Standing]:
        ours = [
            TopicPartition(*name)
            for name in _assignment(app)
            if name[0] == self._settings.topic_names.signals
        ]
        # also without partitions: it tells that Kafka is there
        committed: dict[TopicPartition, Any]
        committed = await client.list_consumer_group_offsets(self._settings.group_id(ROLE))
        if not ours:
            return {}
        ends = await reader.end_offsets(ours)
        firsts = await reader.beginning_offsets(ours)
        return {
            Partition(*name): Standing(
                max(getattr(committed.get(name), "offset", -1), firsts[name]), ends[name]
            )
            for name in ours
        }

    def _readings(self) -> Readings:
        return {
            metrics.RECORDS_IN: self.read,
            metrics.BATCHES: self._flushes,
            metrics.RECORDS_DONE: self._done,
            metrics.DEAD_LETTERS: {reason.value: self._dead[reason] for reason in DeadReason},
            metrics.PARTITIONS: len(self.watchdog.lag),
            metrics.READY: float(not self.unready()),
            **self.watchdog.readings(),
        }


def _assignment(app: faust.App) -> set[tuple[str, int]]:
    """What the group has given us; changelogs too."""
    if not app.started:
        return set()
    try:
        return {(name.topic, name.partition) for name in app.consumer.assignment()}
    except NotReady:  # the app counts as started before its consumer has been made
        return set()
