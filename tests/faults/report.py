"""What came of some runs, for people and for machines."""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from tests.faults.run import Outcome
from tests.faults.schedule import KILLS, counted

_ROWS: Final[Sequence[tuple[str, Callable[[Outcome], object]]]] = (
    ("kills", lambda one: sum(fault.kind in KILLS for fault in one.plan.faults)),
    ("all faults", lambda one: len(one.plan.faults)),
    ("records read", lambda one: one.verdict.records),
    ("outputs expected", lambda one: one.verdict.outputs),
    ("lost", lambda one: len(one.verdict.lost)),
    ("repeats before de-duplication", lambda one: one.repeats),
    ("repeats after de-duplication", lambda one: len(one.verdict.repeats_after)),
    ("order breaks", lambda one: len(one.verdict.order_breaks)),
    ("byte differences", lambda one: len(one.verdict.differences)),
    ("strangers", lambda one: len(one.verdict.strangers)),
    (
        "events that a replay gives again, byte for byte",
        lambda one: f"{one.replayed.identical} of {one.replayed.events - one.replayed.degraded}",
    ),
    ("records of erased users, which it leaves alone", lambda one: one.replayed.erased),
    ("commits past unpublished records", lambda one: len(one.verdict.early_commits)),
    ("profiles equal to the offline fold", lambda one: f"{one.parity.equal} of {one.parity.users}"),
    ("users erased", lambda one: one.erasures),
    ("signals of theirs sent again behind that", lambda one: one.repeated),
    ("erased users who came back", lambda one: len(one.came_back)),
    ("workers that ended by themselves", lambda one: len(one.restarts)),
    ("workers busy for 10 s after SIGTERM, then killed", lambda one: len(one.bad_ends)),
    ("seconds", lambda one: round(one.seconds)),
)


def table(*outcomes: Outcome) -> str:
    """The results for humans, as Markdown: recovery by kind of fault, then a column for each run."""
    by_name: dict[str, list[float]] = defaultdict(list)
    for one in (recovery for outcome in outcomes for recovery in outcome.recoveries):
        by_name[one.fault.name].append(math.inf if one.seconds is None else one.seconds)
    lines = ["| fault | times | recovery median s | p95 s |", "|---|---:|---:|---:|"]
    rows = [*sorted(by_name.items()), ("all", [s for many in by_name.values() for s in many])]
    for name, seconds in rows:
        lines.append(f"| {name} | {len(seconds)} | {_quantiles(seconds)} |")
    heads = [
        f"{one.plan.guarantee} (seed {one.plan.seed}, {one.plan.rate:g}/s, {one.plan.model.name})"
        for one in outcomes
    ]
    lines += ["", f"| | {' | '.join(heads)} |", f"|---|{'---:|' * len(outcomes)}"]
    for name, read in _ROWS:
        lines.append(f"| {name} | {' | '.join(str(read(one)) for one in outcomes)} |")
    return "\n".join(lines)


def _quantiles(seconds: Sequence[float]) -> str:
    if not seconds:
        return "- | -"
    ordered = sorted(seconds)
    high = ordered[min(len(ordered) - 1, math.ceil(0.95 * len(ordered)) - 1)]
    return f"{statistics.median(ordered):.1f} | {high:.1f}"


def as_json(outcome: Outcome) -> str:
    """One run, for machines."""
    verdict = outcome.verdict
    return json.dumps(
        {
            "guarantee": outcome.plan.guarantee,
            "seed": outcome.plan.seed,
            "faults": counted(outcome.plan.faults),
            "records": verdict.records,
            "repeats": outcome.repeats,
            **{kind: len(lines) for kind, lines in verdict.findings.items()},
            "replayed": outcome.replayed.identical,
            "replayed otherwise": len(outcome.replayed.different),
            "problems": outcome.problems[:50],
            "seconds": round(outcome.seconds, 1),
        }
    )
