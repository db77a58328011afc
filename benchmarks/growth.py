"""R8: whether cost and memory stay flat as backlog, partitions and workers grow.

Against the instant model, so that a million queries take minutes. The smallest backlog is worked off
between the others, for the machine's other work comes and goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.instant_runs import Cost, Servers, backlog, run, servers
from benchmarks.measured import Row
from benchmarks.ratios import ratio, spread

R8: Final = "R8 growth"
_PARTITIONS: Final = 4
_MIB: Final = 2**20


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries of the backlogs, of those where something else grows, and what grows there."""

    backlogs: Sequence[int]
    other: int
    partitions: Sequence[int]
    workers: Sequence[int]
    repeats: int


FULL: Final = Sizes((10_000, 100_000, 1_000_000), 20_000, (1, 32), (1, 2, 4), 2)
QUICK: Final = Sizes((2_000, 8_000), 4_000, (), (), 1)


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R8."""
    sizes = QUICK if quick else FULL
    async with servers(scratch) as on:
        return [
            *await _backlogs(on, sizes),
            *await _grown(on, sizes, "partitions", sizes.partitions),
            *await _grown(on, sizes, "workers", sizes.workers),
        ]


async def _backlogs(on: Servers, sizes: Sizes) -> list[Row]:
    least, *more = sizes.backlogs
    small: list[Cost] = []
    large: dict[int, Cost] = {}
    for count in more:
        small += [await _cost(on, least) for _ in range(sizes.repeats)]
        large[count] = await _cost(on, count)
    base = [cost.us_a_query for cost in small]
    rows = spread(R8, f"{least:,} queries", base, "µs a query")
    for count, cost in large.items():
        rows += ratio(
            R8, f"cost, {count:,} / {least:,} queries", [cost.us_a_query] * len(base), base
        )
        rows.append(Row(R8, f"{count:,} queries", cost.us_a_query, "µs a query"))
        rows.append(Row(R8, f"{count:,} queries, by the clock", cost.queries / cost.seconds, "1/s"))
        rows.append(Row(R8, f"{count:,} queries, memory at most", cost.peak_bytes / _MIB, "MiB"))
    if len(more) > 1:
        before, last = more[-2:]
        peaks = large[last].peak_bytes, large[before].peak_bytes
        rows += ratio(R8, f"memory, {last:,} / {before:,} queries", peaks[:1], peaks[1:])
    return rows


async def _grown(on: Servers, sizes: Sizes, what: str, counts: Sequence[int]) -> list[Row]:
    found: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(sizes.repeats):
        for count in counts:
            cost = await _cost(on, sizes.other, **{what: count})
            found[count].append(cost.us_a_query)
    rows: list[Row] = []
    for count in counts[1:]:
        case = f"cost, {count} / {counts[0]} {what}"
        rows += ratio(R8, case, found[count], found[counts[0]])
    for count, costs in found.items():
        rows += spread(R8, f"{count} {what}", costs, "µs a query")
    return rows


async def _cost(
    on: Servers, queries: int, *, partitions: int = _PARTITIONS, workers: int = 1
) -> Cost:
    async with run(on, partitions=partitions, workers=workers) as made:
        return await made.work_off(backlog(queries))
