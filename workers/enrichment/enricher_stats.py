"""What the enricher has done so far: counted, measured and judged, and a line of it for humans."""

import json
import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.deadletters import DeadReason, reason_of
from streams.records import SourceRecord
from streams.topics import TopicNames
from workers import metrics
from workers.enrichment.dead_letter_limits import DeadLetterLimits
from workers.enrichment.sending import Enriched
from workers.metrics import Readings, Value, WorkerMetrics
from workers.pipeline import Partition
from workers.settings import Settings
from workers.watchdog import Watchdog


@dataclass(slots=True)
class EnricherCounters:
    """Counts since the start. `read` is ahead of `records`, which are published."""

    batches: int = 0
    read: int = 0
    records: int = 0
    enriched: int = 0
    entities: int = 0
    actions: int = 0
    dead: Counter[str] = field(default_factory=Counter)

    def count(self, item: Enriched, topics: TopicNames, *, refused: bool) -> bool:
        """Counts what was published of a record, and says whether it became a dead letter.

        `refused`: Kafka found its outputs too large.
        """
        self.records += 1
        if refused:
            self.dead[DeadReason.EVENT_TOO_LARGE] += 1
            return True
        dead = False
        for output in item.outputs:
            topic = output.topic
            if topic == topics.entities:
                self.entities += 1
            elif topic == topics.intents:
                self.enriched += 1
            elif topic == topics.dead:
                self.dead[reason_of(output.headers) or "unknown"] += 1
                dead = True
            elif item.record.topic == topics.actions:
                self.actions += 1
        return dead


class EnricherStats:
    """Counts, and tells whoever judges by them.

    Args:
        settings: the topics, and the limits.
        measured: takes the latencies.
    """

    def __init__(self, settings: Settings, measured: WorkerMetrics) -> None:
        self.counters = EnricherCounters()
        self.watchdog = Watchdog(settings.health.stall_s)
        self._topics = settings.topic_names
        self._measured = measured
        self._limits = (
            DeadLetterLimits(settings.dead_letters) if settings.stops_on_dead_letters else None
        )

    @property
    def exceeded(self) -> str:
        """Which limit of dead letters is exceeded; "" while none is."""
        return "" if self._limits is None else self._limits.exceeded

    def took(self, batch: Sequence[SourceRecord]) -> None:
        """A batch was read."""
        self.counters.batches += 1
        self.counters.read += len(batch)

    def finished(
        self,
        partition: Partition,
        items: Sequence[Enriched],
        refused: Collection[int],
        seconds: float,
    ) -> None:
        """All outputs of these records of one partition are acknowledged.

        Args:
            partition: whose.
            items: in order.
            refused: the offsets of those that Kafka found too large.
            seconds: that publishing them took.
        """
        now, latest = time.time(), -1
        self._measured.observe_stage("publish", seconds)
        for item in items:
            record = item.record
            dead = self.counters.count(item, self._topics, refused=record.offset in refused)
            if self._limits is not None:
                self._limits.count(dead=dead)
            if record.timestamp_ms >= 0:
                age = now - record.timestamp_ms / 1000
                self._measured.observe(metrics.END_TO_END_SECONDS, max(age, 0.0))
                latest = max(latest, record.timestamp_ms)
        if latest >= 0:
            self.watchdog.finished(partition, latest / 1000)

    def readings(self) -> dict[metrics.Metric, Value]:
        """Of what is counted here."""
        counters = self.counters
        return {
            metrics.RECORDS_IN: counters.read,
            metrics.BATCHES: counters.batches,
            metrics.RECORDS_DONE: counters.records,
            metrics.EVENTS: {
                "intent": counters.enriched,
                "entity": counters.entities,
                "action": counters.actions,
            },
            metrics.DEAD_LETTERS: {reason.value: counters.dead[reason] for reason in DeadReason},
            metrics.CONSUMING: 0 if self.exceeded else 1,
            **self.watchdog.readings(),
        }


class StatsLine:
    """A line of JSON with the present values that are not 0, and the rate since the line before."""

    def __init__(self) -> None:
        self._before = 0.0
        self._at = time.monotonic()

    def next(self, readings: Readings) -> str:
        """The line."""
        now, records = time.monotonic(), readings[metrics.RECORDS_DONE]
        assert not isinstance(records, Mapping)  # noqa: S101 (narrows: it has no labels)
        rate = (records - self._before) / max(now - self._at, 1e-6)
        self._before, self._at = records, now
        line: dict[str, Any] = {"per_second": round(rate, 1)}
        for metric, value in readings.items():
            if shown := _shown(value):
                line[metric.name] = shown
        return json.dumps(line)


def _shown(value: Value) -> Any:
    if not isinstance(value, Mapping):
        return round(value, 3)
    return {
        labels if isinstance(labels, str) else ":".join(labels): round(number, 3)
        for labels, number in value.items()
        if number
    }
