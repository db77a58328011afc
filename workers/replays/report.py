"""What a replay found: counted while it runs, kept in its state, told at its end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from streams.events import QueryUnderstood
from workers.replays.agreement import Agreement
from workers.replays.comparison import Tally, Verdict
from workers.replays.evidence import OutputEvidence, PartitionEvidence
from workers.replays.request import ReplayRequest
from workers.topic_range import PartitionRange, ResolvedRange


@dataclass(slots=True)
class ReplayReport:
    """What came out. `as_dict` is what `--json` prints and `summary.json` holds.

    Attributes:
        request: what was asked.
        source: the range, its ends fixed.
        partitions: what was read of it.
        tally: the verdicts on events.
        agreement: how far pairs of events of `queries.intents` agree.
        records: how many were replayed.
        left_out: how many the filters left out.
        erased: how many are of users who were erased after them: they are not replayed.
        redriven: how many had been redriven, and count as what they were at first.
        drifted: queries that changed in scores alone, no label.
        published_by: which models and settings made the published events of `queries.intents`.
        replayed_by: and the replayed ones.
        notes: what else to know.
        seconds: how long it took, over all resumptions.
        published_to: the topic of the run, if any.
        output: what went there.
        to_correct: events to be published once more, with a higher revision.
        corrected: of these, those that were.
        signed: the fingerprint of the key that signed the run, if any.
    """

    request: ReplayRequest
    source: ResolvedRange
    partitions: dict[int, PartitionEvidence] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    agreement: Agreement = field(default_factory=Agreement)
    records: int = 0
    left_out: int = 0
    erased: int = 0
    redriven: int = 0
    drifted: int = 0
    published_by: Counter[str] = field(default_factory=Counter)
    replayed_by: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    published_to: str | None = None
    output: OutputEvidence = field(default_factory=OutputEvidence)
    to_correct: int = 0
    corrected: int = 0
    signed: str | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def flips(self) -> dict[str, int]:
        """Queries whose labels are others."""
        total = self.agreement.total
        return {
            "intent": total.queries - total.intent,
            "sentiment": total.queries - total.sentiment,
            "entities": total.queries - total.entities,
        }

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        verdicts = {verdict.value: self.tally.total(verdict) for verdict in Verdict}
        return {
            "run": self.request.run,
            "topic": self.source.topic,
            "range": {
                str(part.partition): [part.start, part.end] for part in self.source.partitions
            },
            "records": self.records,
            "left_out": self.left_out,
            "erased": self.erased,
            "redriven": self.redriven,
            "compared": self.tally.total(
                Verdict.IDENTICAL, Verdict.EQUIVALENT, Verdict.CHANGED, Verdict.DEGRADED
            ),
            **verdicts,
            "topics": {
                topic: {verdict.value: counts[verdict] for verdict in Verdict}
                for topic, counts in sorted(self.tally.verdicts.items())
            },
            "fields": dict(self.tally.fields.most_common()),
            "kinds": {kind.value: count for kind, count in self.tally.kinds.most_common()},
            "flips": self.flips,
            "drifted": self.drifted,
            "tolerance": self.request.tolerance,
            "published_by": dict(self.published_by),
            "replayed_by": dict(self.replayed_by),
            "published_to": self.published_to,
            "to_correct": self.to_correct,
            "corrected": self.corrected,
            "signed": self.signed,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }

    def stored(self) -> dict[str, Any]:
        """What a run that is resumed goes on with."""
        return {
            "partitions": [part.as_dict() for part in self.partitions.values()],
            "tally": self.tally.as_dict(),
            "agreement": self.agreement.as_dict(),
            "counts": {name: getattr(self, name) for name in _COUNTS},
            "published_by": dict(self.published_by),
            "replayed_by": dict(self.replayed_by),
            "output": self.output.as_dict(),
            "notes": self.notes,
            "seconds": self.seconds,
            "started": self.started.isoformat(),
        }

    def restore(self, stored: dict[str, Any]) -> None:
        """Takes in what `stored` gave."""
        found = (PartitionEvidence.from_dict(part) for part in stored["partitions"])
        self.partitions = {part.partition: part for part in found}
        self.tally = Tally.from_dict(stored["tally"])
        self.agreement = Agreement.from_dict(stored["agreement"])
        for name in _COUNTS:
            setattr(self, name, stored["counts"][name])
        self.published_by = Counter(stored["published_by"])
        self.replayed_by = Counter(stored["replayed_by"])
        self.output = OutputEvidence.from_dict(stored["output"])
        self.notes = stored["notes"]
        self.seconds = stored["seconds"]
        self.started = datetime.fromisoformat(stored["started"])


_COUNTS = ("records", "left_out", "erased", "redriven", "drifted", "to_correct", "corrected")


def origin(event: QueryUnderstood) -> str:
    """Which model, settings and code made an event of `queries.intents`."""
    made = event.pipeline
    return f"model {event.model.digest}, settings {made.settings_digest}, code {made.version}"


def digests_of(origins: Iterable[str]) -> set[str]:
    """The models' digests in what `origin` gave; rules have none."""
    names = {one.partition(",")[0].removeprefix("model ") for one in origins}
    return {name for name in names if name.startswith("sha256:")}


def range_as_dict(source: ResolvedRange) -> dict[str, Any]:
    """Plain values, fit for JSON and for `range_from_dict`."""
    return {
        "topic": source.topic,
        "partitions": [[one.partition, one.start, one.end] for one in source.partitions],
        "since_ms": source.since_ms,
        "warnings": list(source.warnings),
    }


def range_from_dict(stored: dict[str, Any]) -> ResolvedRange:
    """What `range_as_dict` gave."""
    return ResolvedRange(
        stored["topic"],
        tuple(PartitionRange(*numbers) for numbers in stored["partitions"]),
        stored["since_ms"],
        tuple(stored["warnings"]),
    )
