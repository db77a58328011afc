"""R3: what knowing answers already is worth, on traffic whose queries repeat as real ones do.

Queries are drawn by Zipf's law with exponent 1 from 100,000 distinct ones. The worker has just
started, so its cache is cold; it holds at most 20,000 answers. Against it, on the same servers: as
many as time allows of queries that never repeat. By the clock.

What a hit rate allows: were a known answer free, the gain would be 1 / (1 - known), where known is
the share of queries that needed no call: found in the cache, or a duplicate within their batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.load import Load
from benchmarks.measured import Row
from benchmarks.ratios import ratio
from benchmarks.rig import Servers, Use, enricher, line, servers
from workers.enrichment.answer_cache import DEFAULT_ENTRIES
from workers.metrics import CACHE_HITS, CACHE_MISSES, MODEL_TEXTS

R3: Final = "R3 known answers"
_WARM_UP: Final = 600


@dataclass(frozen=True, slots=True)
class Sizes:
    """Queries that repeat and what they are drawn from, queries that do not, and rounds."""

    repeating: int
    of: int
    distinct: int
    rounds: int


FULL: Final = Sizes(200_000, 100_000, 15_000, 2)
QUICK: Final = Sizes(12_000, 3_000, 1_500, 2)


@dataclass(frozen=True, slots=True)
class Found:
    """One kind of traffic: what it took, texts sent to the model, and the cache's hit rate."""

    use: Use
    asked: float
    hit_rate: float


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All rows of R3."""
    sizes = QUICK if quick else FULL
    alone: list[Found] = []
    again: list[Found] = []
    async with servers(scratch) as up:
        for number in range(sizes.rounds):
            alone.append(await _run(up, Load(sizes.distinct, seed=number)))
            again.append(await _run(up, Load(sizes.repeating, seed=number, of=sizes.of)))
    gains = [one.use.a_second / other.use.a_second for one, other in zip(again, alone, strict=True)]
    allowed = [1 / max(one.asked / one.use.queries, 1e-9) for one in again]
    return [
        *ratio(R3, "repeating / distinct queries", gains, [1.0] * len(gains)),
        *ratio(R3, "of what the hit rate allows", gains, allowed),
        Row(R3, "known before the model is asked", 1 - again[-1].asked / sizes.repeating, ""),
        Row(R3, "hit rate of the cache", again[-1].hit_rate, ""),
        Row(R3, "entries of the cache, at most", DEFAULT_ENTRIES, ""),
        Row(R3, "distinct queries", alone[-1].use.a_second, "1/s"),
        Row(R3, "repeating queries", again[-1].use.a_second, "1/s"),
        Row(R3, "worker, distinct", _thousand(alone[-1].use), "s per 1,000"),
        Row(R3, "worker, repeating", _thousand(again[-1].use), "s per 1,000"),
    ]


def _thousand(use: Use) -> float:
    return use.worker / use.queries * 1000


async def _run(up: Servers, load: Load) -> Found:
    async with line(up) as at, enricher(at, warm_up=_WARM_UP) as workers:
        before = await workers.metrics()
        use = await workers.work_off(load)
        after = await workers.metrics()
    asked, hits, misses = (
        after[metric.exported] - before[metric.exported]
        for metric in (MODEL_TEXTS, CACHE_HITS, CACHE_MISSES)
    )
    return Found(use, asked, hits / (hits + misses))
