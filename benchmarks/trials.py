"""`python -m benchmarks.trials`: what other settings, and uvloop, would save the worker.

Against the instant model, as in R7: the enricher as it is, and one with something changed, take turns
over the same backlog; what is compared is the worker's processor time a query, and its memory.
"""

import importlib.util
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.instant_runs import Cost, backlog, run, servers
from benchmarks.measured import Row, command
from benchmarks.ratios import ratio, spread
from benchmarks.rig import ENRICH

RESULTS: Final = Path(__file__).parent / "results" / "trials.csv"
COST: Final = "worker's CPU, changed / as it is"
MEMORY: Final = "memory at most, changed / as it is"
_UVLOOP: Final = (
    "-c",
    "import uvloop; uvloop.install(); from workers.cli import main; main()",
    *ENRICH[2:],
)
_AS_IT_IS: Final = "as it is"


@dataclass(frozen=True, slots=True)
class Trial:
    """What is changed: the program, or settings by their names in lower case."""

    settings: Mapping[str, Any]
    program: Sequence[str] = ENRICH


TRIALS: Final = {
    _AS_IT_IS: Trial({}),
    "uvloop": Trial({}, _UVLOOP),
    "2 batches in flight": Trial({"triton__batches_in_flight": 2}),
    "16 batches in flight": Trial({"triton__batches_in_flight": 16}),
    "128 rows a call": Trial({"triton__max_batch_rows": 128}),
    "512 rows a call": Trial({"triton__max_batch_rows": 512}),
    "no linger": Trial({"kafka__linger_ms": 0}),
    "linger of 20 ms": Trial({"kafka__linger_ms": 20}),
}


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All of it."""
    queries, rounds = (6_000, 1) if quick else (30_000, 3)
    costs: dict[str, list[Cost]] = defaultdict(list)
    async with servers(scratch) as on:
        for _ in range(rounds):
            for name, trial in TRIALS.items():
                if trial.program is _UVLOOP and importlib.util.find_spec("uvloop") is None:
                    continue  # it is no dependency
                async with run(on, trial.program, **trial.settings) as made:
                    costs[name].append(await made.work_off(backlog(queries)))
    plain = costs.pop(_AS_IT_IS)
    used, peaks = [c.us_a_query for c in plain], [float(c.peak_bytes) for c in plain]
    rows = spread(COST, _AS_IT_IS, used, "µs a query")
    for name, found in costs.items():
        rows += ratio(COST, name, [c.us_a_query for c in found], used)
        rows += ratio(MEMORY, name, [float(c.peak_bytes) for c in found], peaks)
    return rows


if __name__ == "__main__":
    command(RESULTS, __doc__, measure, quickly="two minutes")
