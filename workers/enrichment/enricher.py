"""The enricher: a consumer group that reads queries and actions, and publishes what they mean.

    record source ─▶ pipeline ─▶ batch enrichment ─▶ pipeline ─▶ publisher ─▶ checkpoint
     poll, pause     K batches                       in order      acks         commit

This module is the loop and its lifecycle; order is the pipeline's, waiting for the model the
circuit breaker's, acknowledgements the publisher's, and offsets the checkpoint's.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from aiokafka.errors import KafkaError

from streams.records import SourceRecord
from workers import kafka, metrics
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.checkpoint import Budgets, Checkpoint
from workers.enrichment.circuit_breaker import BreakerState, CircuitBreaker
from workers.enrichment.connections import Connections
from workers.enrichment.delivery import delivery_of
from workers.enrichment.enricher_stats import EnricherCounters, EnricherStats, StatsLine
from workers.enrichment.record_source import RecordSource, refused
from workers.enrichment.revival import Revival
from workers.enrichment.sending import Enriched
from workers.enrichment.transactional_publisher import TransactionLostError
from workers.errors import UnreachableError
from workers.health import HealthServer
from workers.metrics import Readings, Worker, WorkerMetrics
from workers.pipeline import OrderedPipeline, Partition, Publication, Ticket
from workers.settings import Settings
from workers.triton import TritonModel
from workers.watchdog import KAFKA_SILENT_S, WATCH_EVERY_S, dump_tasks

logger = logging.getLogger(__name__)

KAFKA_PATIENCE_S: Final = 120.0
"""A broker's restart is over by then; after it a supervisor should know, and start us anew."""

ROLE: Final = "enricher"

_Batch = list[Enriched]


class Enricher:
    """One worker. `run` it once; `stop` ends it in order.

    Args:
        settings: where everything is.
        skip_lost: begin at the oldest record where retention has deleted what comes next.
        stats_every_s: between two lines of statistics on the log; 0 writes none but the last.
        kafka_patience_s: how long Kafka may be away.
        budgets: of the steps of letting partitions go.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        skip_lost: bool = False,
        stats_every_s: float = 10.0,
        kafka_patience_s: float = KAFKA_PATIENCE_S,
        budgets: Budgets | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = WorkerMetrics(Worker.ENRICHER, self._readings)
        self._stats = EnricherStats(settings, self._metrics)
        self._health = HealthServer(settings.health_address, self, self._metrics.registry)
        self._line = StatsLine()
        self._topics = settings.topic_names
        self._stats_every_s = stats_every_s
        self._kafka_patience_s = kafka_patience_s
        self._kafka_seen = time.monotonic()
        self._stopping = asyncio.Event()
        self._failed = asyncio.Event()
        self._failure: BaseException | None = None
        self._working: dict[Ticket, asyncio.Task[None]] = {}
        self._publishing: dict[Partition, asyncio.Task[None]] = {}
        self._pipeline: OrderedPipeline[_Batch] = OrderedPipeline(settings.triton.batches_in_flight)
        self._model = TritonModel(settings.triton)
        self._revival = Revival(self._model, settings.triton.reloads)
        self._degrades = settings.on_outage == "degrade"
        self._breaker = CircuitBreaker(
            self._model.canary,
            revive=self._revival.attempt,
            patience_s=settings.degrade_after_s if self._degrades else None,
        )
        self._step = BatchEnrichment(
            enrichment_of(settings),
            self._model,
            self._breaker,
            observe=self._metrics.observe_stage,
            degrade=self._degrades,
        )
        self._source = RecordSource(
            settings,
            (self._topics.raw, self._topics.actions),
            self._pipeline,
            take=self._take,
            release=self._release,
            fail=self._fail,
            role=ROLE,
            skip_lost=skip_lost,
        )
        self._delivery = delivery_of(
            settings,
            self._source.consumer,
            settings.group_id(ROLE),
            self._step.enrichment.dead,
            on_lost=self._lost,
            acknowledge_s=kafka_patience_s,
        )
        self._checkpoint = Checkpoint(self._delivery, self._pipeline, self._publishing, budgets)
        self._connections = Connections(
            settings,
            self._model,
            self._breaker,
            self._source,
            self._delivery,
            kafka_patience_s=kafka_patience_s,
        )

    @property
    def counters(self) -> EnricherCounters:
        """What was done since the start."""
        return self._stats.counters

    @property
    def health_url(self) -> str:
        """Where health and metrics are served; "" when nowhere."""
        return self._health.url

    def unhealthy(self) -> list[str]:
        """Why a restart would help: partitions have stalled, in the watchdog's judgement."""
        complaint = self._stats.watchdog.complaint()
        return [complaint] if complaint else []

    def unready(self) -> list[str]:
        """Why it is not doing its work."""
        reasons = self.unhealthy()
        if self._stopping.is_set() or self._failure is not None:
            reasons.append("the worker is stopping")
        if not self._source.in_group:
            reasons.append("not in the consumer group: joining, or a rebalance is under way")
        if not self._model.digest or self._breaker.state is not BreakerState.CLOSED:
            spent = (
                "; the budget of reloads is spent"
                if self._revival.reloads and self._revival.spent
                else ""
            )
            reasons.append(f"the model does not answer{spent}")
        away = time.monotonic() - self._kafka_seen
        if away > KAFKA_SILENT_S:
            reasons.append(f"Kafka has not answered for {away:.0f} s")
        if self._stats.exceeded:
            reasons.append(f"reading has stopped: {self._stats.exceeded}")
        return reasons

    @property
    def _answers(self) -> bool:
        """Whether what is in flight will be answered soon."""
        return self._degrades or self._breaker.state is BreakerState.CLOSED

    def stop(self) -> None:
        """Asks for an orderly end: nothing more is read, what is in flight finishes."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until `stop`.

        Raises:
            UnreachableError: Kafka was away for too long, or refuses us.
            ContractError: a topic or the model is not what it must be, or offsets are lost.
            SettingsError: nothing says where to begin.
        """
        work = asyncio.create_task(self._work())
        ends = [
            asyncio.create_task(self._stopping.wait()),
            asyncio.create_task(self._failed.wait()),
        ]
        try:
            await asyncio.wait([work, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, *ends):
                task.cancel()
            results = await asyncio.gather(work, *ends, return_exceptions=True)
        if self._failure is not None:
            raise self._failure
        if isinstance(results[0], BaseException) and not isinstance(
            results[0], asyncio.CancelledError
        ):
            raise results[0]

    async def _work(self) -> None:
        async with self._health, self._connections:
            self._kafka_seen = time.monotonic()
            chores = [
                asyncio.create_task(self._commit_regularly()),
                asyncio.create_task(self._watch()),
                asyncio.create_task(self._report()),
            ]
            try:
                await self._read()
            finally:
                for task in chores:
                    task.cancel()
                await asyncio.gather(*chores, return_exceptions=True)
                await self._let_go()
        for task in self._publishing.values():
            task.cancel()
        logger.info("stopped %s", self._line.next(self._readings()))

    async def _let_go(self) -> None:
        """Finishes, flushes and commits what is in flight, unless there is no hope for it."""
        drain = self._failure is None and self._answers
        await self._checkpoint.release(self._pipeline.assigned, drain=drain)
        await self._abandon(self._working.values())

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error
            self._failed.set()

    # --- reading

    async def _read(self) -> None:
        while True:
            ticket, batch = await self._source.next()
            self._stats.took(batch)
            task = asyncio.create_task(self._enrich(ticket, batch))
            task.add_done_callback(lambda _: self._source.answered())
            self._working[ticket] = task

    async def _take(self, partitions: Collection[Partition]) -> None:
        await self._delivery.take(partitions)

    async def _release(self, partitions: frozenset[Partition]) -> None:
        """Lets partitions go, and what is left of their batches; the model may be away."""
        await self._checkpoint.release(partitions, drain=self._answers)
        await self._abandon(
            task
            for ticket, task in self._working.items()
            if not ticket.partitions & self._pipeline.assigned
        )

    # --- enriching and publishing

    async def _enrich(self, ticket: Ticket, batch: Sequence[SourceRecord]) -> None:
        try:
            outputs = await self._step.enrich(batch)
        except Exception as error:  # noqa: BLE001 (a batch must not vanish: the worker fails)
            self._fail(error)
            return
        finally:
            self._working.pop(ticket, None)
        results: dict[Partition, _Batch] = {name: [] for name in ticket.partitions}
        for record, made in zip(batch, outputs, strict=True):
            results[Partition(record.topic, record.partition)].append(Enriched(record, made))
        self._pipeline.complete(ticket, results)
        self._publish_ready()

    def _publish_ready(self) -> None:
        for publication in self._pipeline.publishable():
            task = asyncio.create_task(self._publish(publication))
            self._publishing[publication.partition] = task

    async def _publish(self, publication: Publication[_Batch]) -> None:
        items = [item for batch in publication.results for item in batch]
        began = time.monotonic()
        try:
            refused = await self._delivery.publish(publication.partition, items)
        except TransactionLostError:
            self._pipeline.publish_failed(publication)  # and `_lost` was told
        except Exception as error:  # noqa: BLE001 (whatever it was: nothing may follow it)
            if self._pipeline.publish_failed(publication):
                self._fail(error)
        else:
            seconds = time.monotonic() - began
            self._stats.finished(publication.partition, items, refused, seconds)
            self._pipeline.published(publication)
            self._heed_limits()
        if self._publishing.get(publication.partition) is asyncio.current_task():
            del self._publishing[publication.partition]
        self._source.made_room()
        self._checkpoint.progressed()
        self._publish_ready()

    def _lost(self, partition: Partition, error: UnreachableError) -> None:
        """The transaction of a partition is lost: what it held is read again."""
        self._pipeline.fail(partition)
        self._source.made_room()
        self._checkpoint.progressed()
        if isinstance(error, TransactionLostError):
            logger.warning("%s[%d] is read again: %s", *partition, error.message)
            self._source.take_anew(partition, at_once=error.blameless)
        else:
            self._fail(error)

    def _heed_limits(self) -> None:
        """Past the limits of dead letters nothing more is read; what is in flight is finished."""
        if self._stats.exceeded and not self._source.stopped:
            self._source.stop_reading()
            logger.error(
                "reading stops: %s. Is it this release, its settings or the producers? "
                "`intentstream dead list` shows them; a restart goes on",
                self._stats.exceeded,
            )

    async def _abandon(self, working: Iterable["asyncio.Task[None]"]) -> None:
        tasks = list(working)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- chores

    async def _commit_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._delivery.commit_every_s)
            try:
                await self._checkpoint.commit()
            except KafkaError as error:
                self._fail(refused(error))

    async def _watch(self) -> None:
        """Learns the lag, and whether Kafka is there at all."""
        while True:
            try:
                async with asyncio.timeout(WATCH_EVERY_S * 2):
                    standings = await self._source.standings()
                self._kafka_seen = time.monotonic()
            except (TimeoutError, KafkaError):
                away = time.monotonic() - self._kafka_seen
                logger.warning("Kafka has not answered for %.0f s", away)
                if away > self._kafka_patience_s:
                    self._fail(await kafka.unreachable(self._settings.kafka))
            else:
                excused = self._source.stopped or self._breaker.state is not BreakerState.CLOSED
                if self._stats.watchdog.observe(standings, excused=excused):
                    logger.error("stalled: %s. Tasks:\n%s", self.unhealthy()[0], dump_tasks())
            await asyncio.sleep(WATCH_EVERY_S)

    async def _report(self) -> None:
        while self._stats_every_s > 0:
            await asyncio.sleep(self._stats_every_s)
            logger.info("%s", self._line.next(self._readings()))

    def _readings(self) -> Readings:
        """The present values of all counters and gauges."""
        use, cache, breaker = self._step.use, self._step.cache, self._breaker
        return self._stats.readings() | {
            metrics.MODEL_CALLS: use.requests,
            metrics.MODEL_RETRIES: breaker.retries,
            metrics.MODEL_TEXTS: use.asked,
            metrics.MODEL_OUTAGES: breaker.outages,
            metrics.DEGRADED: use.degraded,
            metrics.MODEL_RELOADS: self._revival.reloads,
            metrics.BREAKER_STATE: {
                state.value: float(state is breaker.state) for state in BreakerState
            },
            metrics.REDRIVE_HEADERS_IGNORED: self._step.enrichment.redrives.ignored,
            metrics.CACHE_HITS: cache.hits,
            metrics.CACHE_MISSES: cache.misses,
            metrics.COMMITS: self._checkpoint.commits,
            metrics.COMMIT_FAILURES: self._checkpoint.failures,
            metrics.PARTITIONS: len(self._pipeline.assigned),
            metrics.IN_FLIGHT: self._pipeline.in_flight,
            metrics.PAUSES: self._source.pauses,
            metrics.REBALANCES: self._source.rebalances,
            metrics.READY: float(not self.unready()),
        }
