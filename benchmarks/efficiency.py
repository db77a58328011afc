"""R1 and R2: how much of the model's own speed is left at the end of the whole chain.

All queries are distinct, and the backlog is full: the enricher reads from Kafka, asks Triton,
publishes and commits. Against it, in turns over the same queries: ideal batches straight at ONNX
Runtime in process (`ideal_loop`), one process a core. R1 compares queries by the second of one
core that Triton's process tree uses, R2 by the clock, with Kafka, Triton and the worker sharing
the cores.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.accounting import thread_seconds
from benchmarks.ideal import Ideal, loops, parameter
from benchmarks.load import Load
from benchmarks.measured import Row
from benchmarks.ratios import ratio, spread
from benchmarks.rig import EnricherProcess, Use, enricher, line, servers

R1: Final = "R1 efficiency"
R2: Final = "R2 wall efficiency"
_SWEEP: Final = (1, 4, 8, 16, 32, 64, 128)
_MIXED: Final = (8, 32, 128, 512, 1_024)


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries a round, rounds, and queries for the sweep over batch sizes."""

    queries: int
    rounds: int
    sweep: int


FULL: Final = Sizes(8_000, 4, 1_500)
QUICK: Final = Sizes(5_000, 2, 0)  # fewer queries a round are mostly its beginning and end


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R1 and R2."""
    sizes, cores = QUICK if quick else FULL, len(os.sched_getaffinity(0))
    rows = await _sweep(sizes.sweep, cores) if sizes.sweep else []
    rounds: list[tuple[Ideal, Use, float]] = []
    async with servers(scratch) as up, line(up) as at, enricher(at) as workers:
        for number in range(sizes.rounds):
            load = Load(sizes.queries, skip=number * sizes.queries)
            rounds.append(await _round(workers, up.triton_pid, load, cores))
    ideal, whole, encoding = zip(*rounds, strict=True)
    thousand = sizes.queries / 1000
    return [
        *ratio(
            R1,
            "Triton at the end of the chain / ideal batches",
            [use.queries / use.triton for use in whole],
            [one.a_core_second for one in ideal],
        ),
        *ratio(
            R2,
            "the whole chain / ideal batches",
            [use.a_second for use in whole],
            [one.a_second for one in ideal],
        ),
        *spread(R1, "ideal batches, of one core", [one.cpu / thousand for one in ideal], _UNIT),
        *spread(R1, "Triton, of one core", [use.triton / thousand for use in whole], _UNIT),
        *spread(
            R1, "… its threads that run the encoder", [one / thousand for one in encoding], _UNIT
        ),
        *spread(R1, "worker, of one core", [use.worker / thousand for use in whole], _UNIT),
        *spread(R1, "broker, of one core", [use.broker / thousand for use in whole], _UNIT),
        *spread(R2, "ideal batches", [one.a_second for one in ideal], "1/s"),
        *spread(R2, "the whole chain", [use.a_second for use in whole], "1/s"),
        *rows,
    ]


_UNIT: Final = "s per 1,000"


async def _round(
    workers: EnricherProcess, triton: int, load: Load, cores: int
) -> tuple[Ideal, Use, float]:
    """A round of both, and what of Triton's time its busiest threads took, one a core."""
    async with loops(load.texts(), [int(parameter("sub_batch"))], processes=cores) as ready:
        ideal = await ready.next()
    before = thread_seconds(triton)
    use = await workers.work_off(load)
    used = [at - before.get(number, 0.0) for number, at in thread_seconds(triton).items()]
    return ideal, use, sum(sorted(used)[-cores:])


async def _sweep(queries: int, cores: int) -> list[Row]:
    """What ideal batches of other sizes take, batches of all lengths, and making word pieces."""
    texts, rows = Load(queries).texts(), []
    async with loops(texts, _SWEEP, processes=cores) as ready:
        for size in _SWEEP:
            found = await ready.next()
            rows.append(Row(R1, f"ideal batches of {size}", found.cpu / queries * 1000, _UNIT))
    async with loops(texts, _MIXED, processes=1, mixed=True) as ready:
        for size in _MIXED:
            found = await ready.next()
            case = f"{size} rows of all lengths together"
            rows.append(Row(R1, case, found.cpu / queries * 1000, _UNIT))
    size = int(parameter("sub_batch"))
    async with loops(texts, [size], processes=cores, tokenise=True) as ready:
        found = await ready.next()
    case = f"ideal batches of {size}, word pieces made too"
    return [*rows, Row(R1, case, found.cpu / queries * 1000, _UNIT)]
