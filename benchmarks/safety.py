"""R7: what safety costs: each part of it left out in turn, and the worker's time by query compared.

The model's place is taken by a server that answers at once, so what a part costs shows in full. The
enricher as it is, and one without each part (`unsafe_enricher`), take turns over the same backlog.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.instant_runs import backlog, run, servers
from benchmarks.measured import Row
from benchmarks.ratios import ratio, spread
from benchmarks.rig import ENRICH

R7: Final = "R7 cost of safety"
_PARTS: Final = ("idempotence", "redaction", "validation", "metrics", "dead_letters")
_AS_IT_IS: Final = "as it is"
_EXACTLY_ONCE: Final = "exactly_once"


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries of a backlog, how often each works one off, and which parts are left out."""

    queries: int
    rounds: int
    parts: Sequence[str]


FULL: Final = Sizes(12_000, 3, _PARTS)
QUICK: Final = Sizes(3_000, 2, ())


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R7; at 4 partitions."""
    sizes = QUICK if quick else FULL
    cases: dict[str, tuple[Sequence[str], str]] = {
        _AS_IT_IS: (ENRICH, "at_least_once"),
        _EXACTLY_ONCE: (ENRICH, "exactly_once"),
    }
    for part in sizes.parts:
        cases[part] = ("-m", "benchmarks.unsafe_enricher", part), "at_least_once"
    costs: dict[str, list[float]] = defaultdict(list)
    async with servers(scratch) as on:
        for _ in range(sizes.rounds):
            for case, (program, guarantee) in cases.items():
                async with run(on, program, guarantee=guarantee) as made:
                    cost = await made.work_off(backlog(sizes.queries))
                    costs[case].append(cost.us_a_query)
    rows = list(ratio(R7, "with / without exactly_once", costs[_EXACTLY_ONCE], costs[_AS_IT_IS]))
    for part in sizes.parts:
        rows += ratio(R7, f"with / without {part}", costs[_AS_IT_IS], costs[part])
    for case, found in costs.items():
        rows += spread(R7, case if case == _AS_IT_IS else f"{case} turned", found, "µs a query")
    return rows
