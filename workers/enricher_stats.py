"""What the enricher has done so far, and a line of it for humans."""

import json
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams.deadletters import DeadReason, reason_of
from streams.topics import TopicNames
from workers.publisher import Enriched


@dataclass(slots=True)
class EnricherCounters:
    """Counts since the start; `lag` is a gauge, in records."""

    records: int = 0
    enriched: int = 0
    entities: int = 0
    actions: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    lag: int | None = None

    def count(
        self,
        items: Sequence[Enriched],
        topics: TopicNames,
        refused: Collection[int] = frozenset(),
    ) -> None:
        """Counts what was published; `refused` are the offsets that Kafka found too large."""
        for item in items:
            self.records += 1
            if item.record.offset in refused:
                self.dead[DeadReason.EVENT_TOO_LARGE] += 1
                continue
            kinds = Counter(output.topic for output in item.outputs)
            self.enriched += kinds[topics.intents]
            self.entities += kinds[topics.entities]
            self.actions += item.record.topic == topics.actions and kinds[topics.signals]
            for output in item.outputs:
                if output.topic == topics.dead:
                    self.dead[reason_of(output.headers) or "unknown"] += 1


class StatsLine:
    """A line of JSON with the counts and the rate since the line before."""

    def __init__(self, counters: EnricherCounters) -> None:
        self._counters = counters
        self._before = 0
        self._at = time.monotonic()

    def next(self, **more: Any) -> str:
        """The line; `more` goes into it."""
        counters, now = self._counters, time.monotonic()
        rate = (counters.records - self._before) / max(now - self._at, 1e-6)
        self._before, self._at = counters.records, now
        line = {
            "records": counters.records,
            "per_second": round(rate, 1),
            "enriched": counters.enriched,
            "entities": counters.entities,
            "actions": counters.actions,
            "dead": dict(sorted(counters.dead.items())),
            "lag": counters.lag,
        }
        return json.dumps(line | more)
