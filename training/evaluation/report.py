"""All of an evaluation as facts: what the JSON holds, what the page and the table show."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from training.evaluation.bars import Judged, judged
from training.evaluation.comparison import Change, changed_figures, changed_slices
from training.evaluation.intervals import Interval
from training.evaluation.label_errors import LabelError
from training.evaluation.measuring import Measured
from training.evaluation.slices import SliceFigures, compared

_KEPT = 12  # kinds of texts that a card tells of, or all gaps


@dataclass(frozen=True, slots=True)
class Report:
    """An evaluation.

    Attributes:
        measured: the model.
        before: the model that it is compared with.
        bars: of the figures that have one.
        slices: of all sets, the furthest behind first.
        changes: of figures, from `before`.
        slice_changes: of kinds of texts, from `before`, the greatest loss first.
        notes: what a reader has to know.
    """

    measured: Measured
    before: Measured | None
    bars: list[Judged]
    slices: list[SliceFigures]
    changes: list[Change] = field(default_factory=list)
    slice_changes: list[Change] = field(default_factory=list)
    notes: tuple[str, ...] = ()

    @property
    def gaps(self) -> list[SliceFigures]:
        """Kinds of texts that fall behind by more than chance explains."""
        return [one for one in self.slices if one.gap]

    @property
    def label_errors(self) -> list[LabelError]:
        """Labels to look at."""
        return self.measured.label_errors


def report(measured: Measured, before: Measured | None = None, notes: Sequence[str] = ()) -> Report:
    """The evaluation of a model, beside another where there is one."""
    slices = [one for study in measured.studies.values() for one in study.slices]
    return Report(
        measured,
        before,
        judged(measured.figures),
        compared(slices),
        changed_figures(before, measured) if before else [],
        changed_slices(before, measured) if before else [],
        tuple(notes),
    )


def figures_with_slices(found: Measured) -> dict[str, Any]:
    """For a manifest and its card: the figures, and the kinds of texts that are furthest behind."""
    slices = compared([one for study in found.studies.values() for one in study.slices])
    told = [one for one in slices if one.difference is not None]
    gaps = [one for one in told if one.gap]
    worst = [*gaps, *(one for one in told if not one.gap)][: max(_KEPT, len(gaps))]
    return found.figures | {
        "slices": {
            "tested": len(told),
            "gaps": len(gaps),
            "worst": [_slice(one) for one in worst],
        }
    }


def facts(found: Report) -> dict[str, Any]:
    """For machines: JSON without a text in it but the redacted ones of label errors."""
    model = found.measured.model
    told: dict[str, Any] = {
        "model": {"name": model.name, "kind": model.kind, "languages": list(model.languages)},
        "figures": found.measured.figures,
        "bars": [asdict(one) | {"reached": one.reached} for one in found.bars],
        "slices": [_slice(one) for one in found.slices],
        "calibration": {
            name: [asdict(one) for one in study.bins]
            for name, study in found.measured.studies.items()
            if study.bins
        },
        "confusion": {
            name: [[label, answer, n] for (label, answer), n in study.confusion.most_common()]
            for name, study in found.measured.studies.items()
            if study.confusion
        },
        "label_errors": len(found.label_errors),
        "notes": list(found.notes),
    }
    if found.before:
        told["before"] = {
            "name": found.before.model.name,
            "kind": found.before.model.kind,
            "figures": found.before.figures,
        }
        told["changes"] = [_change(one) for one in (*found.changes, *found.slice_changes)]
    return told


def _slice(one: SliceFigures) -> dict[str, Any]:
    return {
        "measured": one.measured,
        "dimension": one.dimension,
        "name": one.name,
        "texts": one.texts,
        "figure": _interval(one.figure),
        "rest": round(one.rest, 4),
        "paired": one.paired,
        "difference": _interval(one.difference),
        "gap": one.gap,
    }


def _change(one: Change) -> dict[str, Any]:
    return {
        "measured": one.measured,
        "kind": one.kind,
        "name": one.name,
        "texts": one.texts,
        "before": round(one.before, 4),
        "after": round(one.after, 4),
        "difference": _interval(one.difference),
        "verdict": one.verdict,
    }


def _interval(one: Interval | None) -> dict[str, float] | None:
    return None if one is None else {name: round(v, 4) for name, v in asdict(one).items()}
