"""Two models on the same texts: what became better or worse, by figure and by kind of text."""

from dataclasses import dataclass

from training.evaluation.intervals import Interval, paired_difference
from training.evaluation.measuring import Measured, Study
from training.evaluation.slices import FEWEST, Slice
from training.terminal import rows

_WRONG_ONCE = 0.05
_FIGURE = {"entities": "f1", "intents": "accuracy", "sentiment": "accuracy"}


@dataclass(frozen=True, slots=True)
class Change:
    """A figure of two models.

    Attributes:
        measured: the set.
        kind: of texts; "" for all.
        name: of the figure.
        texts: how many.
        before: of the first model.
        after: of the second.
        difference: after less before, with an interval; None where none can be given.
    """

    measured: str
    kind: str
    name: str
    texts: int
    before: float
    after: float
    difference: Interval | None

    @property
    def verdict(self) -> str:
        """`better` or `worse` where chance does not explain it, else "" (all figures: more is better)."""
        if self.difference is None:
            return ""
        if self.difference.low > 0:
            return "better"
        return "worse" if self.difference.high < 0 else ""


def changed_figures(before: Measured, after: Measured) -> list[Change]:
    """Every headline figure that both models have, in the order of the table."""
    old = {(task, name): value for task, name, value in rows(before.figures)}
    found = []
    for task, name, value in rows(after.figures):
        if (task, name) not in old:
            continue
        one, other = after.studies.get(task), before.studies.get(task)
        known = one is not None and other is not None and _FIGURE[one.task] == name
        interval = paired_difference(one.tally, other.tally) if known and one and other else None
        texts = len(one.tally) if one else 0
        found.append(Change(task, "", name, texts, old[task, name], value, interval))
    return found


def changed_slices(before: Measured, after: Measured) -> list[Change]:
    """Every kind of text, the one that lost most first.

    The interval is wide enough for all kinds together (Bonferroni).
    """
    pairs = [
        (one, other.inside)
        for name, study in after.studies.items()
        for one, other in _same(study, before.studies.get(name))
        if len(one.inside) >= FEWEST
    ]
    level = 1 - _WRONG_ONCE / max(len(pairs), 1)
    found = [
        Change(
            one.measured,
            f"{one.dimension}: {one.name}",
            _FIGURE[after.studies[one.measured].task],
            len(one.inside),
            old.value,
            one.inside.value,
            paired_difference(one.inside, old, level),
        )
        for one, old in pairs
    ]
    return sorted(found, key=lambda one: one.after - one.before)


def _same(study: Study, other: Study | None) -> list[tuple[Slice, Slice]]:
    known = {(one.dimension, one.name): one for one in (other.slices if other else ())}
    return [
        (one, known[one.dimension, one.name])
        for one in study.slices
        if (one.dimension, one.name) in known
    ]
