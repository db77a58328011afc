"""Every metric of the workers, declared once with its meaning, and how Prometheus gets them.

Counts live where things are counted; a scrape reads them there. Only distributions (histograms) are
kept here. Labels are partitions, stages, states and reasons from declared lists: never anything of a
record. docs/operations.md carries the table of all of them.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

PREFIX: Final = "intentstream_"

_STAGE_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_AGE_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)


class Kind(Enum):
    """Prometheus's word for how a metric behaves."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Worker(Enum):
    """Who exports a metric."""

    ENRICHER = "enricher"
    PERSONALIZER = "personalizer"


_BOTH: Final = (Worker.ENRICHER, Worker.PERSONALIZER)
_ENRICHER: Final = (Worker.ENRICHER,)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: `name` without the prefix, and without the suffix that its kind implies."""

    name: str
    kind: Kind
    meaning: str
    workers: tuple[Worker, ...] = _ENRICHER
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def exported(self) -> str:
        """The name as Prometheus sees it; of a histogram, what its three series begin with."""
        return f"{PREFIX}{self.name}{'_total' if self.kind is Kind.COUNTER else ''}"


def _counter(
    name: str, meaning: str, *labels: str, workers: tuple[Worker, ...] = _ENRICHER
) -> Metric:
    return Metric(name, Kind.COUNTER, meaning, workers, labels)


def _gauge(
    name: str, meaning: str, *labels: str, workers: tuple[Worker, ...] = _ENRICHER
) -> Metric:
    return Metric(name, Kind.GAUGE, meaning, workers, labels)


RECORDS_IN = _counter("records_in", "Records read.", workers=_BOTH)
BATCHES = _counter("batches", "Batches read; of the personalizer, flushes.", workers=_BOTH)
RECORDS_DONE = _counter(
    "records_done", "Records of which every output is acknowledged.", workers=_BOTH
)
EVENTS = _counter("events", "Events published: `intent`, `entity`, `action`.", "kind")
DEAD_LETTERS = _counter("dead_letters", "Dead letters published.", "reason", workers=_BOTH)
REDRIVE_HEADERS_IGNORED = _counter(
    "redrive_headers_ignored",
    "Headers `intentstream.redrive` on records that we did not sign for them: ignored.",
)
STAGE_SECONDS = Metric(
    "stage_seconds",
    Kind.HISTOGRAM,
    "Latency by stage: `decode` (a batch decoded, cleaned and checked), `model` (one call, with "
    "its wait for a free slot), `publish` (until Kafka, and of the personalizer Redis, has taken "
    "it).",
    _BOTH,
    ("stage",),
    _STAGE_BUCKETS,
)
END_TO_END_SECONDS = Metric(
    "end_to_end_seconds",
    Kind.HISTOGRAM,
    "From a record's time in Kafka until its outputs are acknowledged; a backlog counts.",
    _BOTH,
    (),
    _AGE_BUCKETS,
)
MODEL_CALLS = _counter("model_calls", "Calls of Triton for queries.")
MODEL_RETRIES = _counter("model_retries", "Calls made again because the model was away.")
MODEL_TEXTS = _counter("model_texts", "Texts sent to the model.")
MODEL_OUTAGES = _counter("model_outages", "Times that the model went away.")
DEGRADED = _counter("degraded", "Texts answered by rules because the model was away.")
MODEL_RELOADS = _counter("model_reloads", "Times that this worker reloaded a crashed model.")
BREAKER_STATE = _gauge(
    "breaker_state", "1 for the state of the circuit breaker: `closed` when all is well.", "state"
)
CACHE_HITS = _counter("cache_hits", "Texts whose answer was known already.")
CACHE_MISSES = _counter("cache_misses", "Texts whose answer was not.")
COMMITS = _counter("commits", "Commits of offsets.")
COMMIT_FAILURES = _counter("commit_failures", "Commits that failed; a later one makes up for it.")
LAG_RECORDS = _gauge(
    "lag_records", "Records of a partition of ours that wait.", "topic", "partition", workers=_BOTH
)
LAG_SECONDS = _gauge(
    "lag_seconds",
    "For how long the oldest of them has waited at most; 0 when none does.",
    "topic",
    "partition",
    workers=_BOTH,
)
PARTITIONS = _gauge("partitions_assigned", "Partitions that are ours.", workers=_BOTH)
STALLED = _gauge(
    "partitions_stalled", "Of these, stalled in the watchdog's judgement.", workers=_BOTH
)
IN_FLIGHT = _gauge("batches_in_flight", "Batches read and not yet published in whole.")
PAUSES = _counter("pauses", "Times that reading paused because the model could not keep up.")
REBALANCES = _counter("rebalances", "Assignments of partitions.")
CONSUMING = _gauge("consuming", "1; 0 once the limits on dead letters have stopped the worker.")
READY = _gauge("ready", "1 when `/readyz` says yes.", workers=_BOTH)

METRICS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""All of them, in the order of their declaration."""

Value = float | Mapping[str | tuple[str, ...], float]
"""A number; with labels, a number for each label's value (or values)."""

Readings = Mapping[Metric, Value]


class WorkerMetrics(Collector):
    """The metrics of one worker in this process.

    Args:
        worker: which one.
        read: the present values of all its counters and gauges; called at each scrape.
    """

    def __init__(self, worker: Worker, read: Callable[[], Readings]) -> None:
        self._read = read
        self._declared = [metric for metric in METRICS if worker in metric.workers]
        self._histograms: dict[tuple[Metric, str], Histogram] = {}

    @cached_property
    def registry(self) -> CollectorRegistry:
        """Where an exporter finds them, and those of the process (memory, processor, files)."""
        registry = CollectorRegistry()
        registry.register(self)
        ProcessCollector(registry=registry)
        return registry

    def observe(self, metric: Metric, value: float, label: str = "") -> None:
        """Adds to a distribution."""
        child = self._histograms.get((metric, label))
        if child is None:
            whole = self._histograms.get((metric, ""))
            if whole is None:
                whole = Histogram(
                    PREFIX + metric.name,
                    metric.meaning,
                    metric.labels,
                    buckets=metric.buckets,
                    registry=None,
                )
                self._histograms[metric, ""] = whole
            child = whole.labels(label) if metric.labels else whole
            self._histograms[metric, label] = child
        child.observe(value)

    def observe_stage(self, stage: str, seconds: float) -> None:
        """Adds to the latency of a stage."""
        self.observe(STAGE_SECONDS, seconds, stage)

    def collect(self) -> Iterator[Family]:
        """What a scrape gets. Raises `KeyError` for a declared metric that is not read."""
        readings = self._read()
        for metric in self._declared:
            if metric.kind is Kind.HISTOGRAM:
                whole = self._histograms.get((metric, ""))
                if whole is not None:
                    yield from whole.collect()
            else:
                yield _family(metric, readings[metric])


def _family(metric: Metric, value: Value) -> Family:
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(PREFIX + metric.name, metric.meaning, labels=metric.labels)
    for labels, number in value.items() if isinstance(value, Mapping) else [((), value)]:
        family.add_metric([labels] if isinstance(labels, str) else list(labels), number)
    return family


def table() -> str:
    """All metrics as a Markdown table, for docs/operations.md (`python -m workers.metrics`)."""
    lines = ["| metric | kind | labels | of | meaning |", "|---|---|---|---|---|"]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels)
        workers = ", ".join(worker.value for worker in metric.workers)
        lines.append(
            f"| `{metric.exported}` | {metric.kind.value} | {labels} | {workers} "
            f"| {metric.meaning} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
