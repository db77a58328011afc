"""`python -m benchmarks.race`: R6, the enricher beside other ways to do its work, on the same servers.

All read the same backlog from its beginning, in turns, round by round: a process is started, has a
moment to warm up once its first event is there, and is then watched for some seconds. An event counts
when the broker has it. What each says of the queries is compared with what the enricher says.

Twice: with queries that are all distinct, and with realistic traffic, Zipf-distributed. Nothing but
the enricher keeps answers, so of the realistic traffic the others are given a window like any other,
while the enricher starts cold and works off all of it.
"""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from aiokafka.errors import KafkaError
from rich.console import Console

from benchmarks.load import Load
from benchmarks.measured import Row, command
from benchmarks.peers.agreement import Agreement
from benchmarks.peers.contenders import ENRICHER, PEERS, Contender, Peer
from benchmarks.peers.course import Course, Pace, course
from benchmarks.ratios import ratio, spread
from benchmarks.rig import Servers, servers
from workers.errors import IntentstreamError

RESULTS: Final = Path(__file__).parent / "results" / "race.csv"
DISTINCT: Final = "all-distinct queries"
ZIPF: Final = "repeating queries"
FASTEST_ALONE: Final = "the fastest that asks one by one"
FASTEST_BATCH: Final = "the fastest that asks in batches"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        distinct: queries, no two alike.
        partitions: of their topic; with one, all are sure to meet the same queries at once.
        zipf: queries of realistic traffic; 0 leaves it out.
        of: different queries that these are drawn from.
        rounds: in which all take turns.
        windows: of a turn.
        seconds: of a window.
        peers: who takes part.
    """

    distinct: int
    partitions: int
    zipf: int
    of: int
    rounds: int
    windows: int
    seconds: float
    peers: tuple[Peer, ...]


FULL: Final = Sizes(60_000, 4, 200_000, 100_000, 3, 1, 5.0, PEERS)
QUICK: Final = Sizes(
    16_000,
    1,
    0,
    0,
    1,
    2,
    1.5,
    tuple(one for one in PEERS if one.module in {"aiokafka_one_by_one", "faststream_batch"}),
)

_ENOUGH: Final = 100
_FURTHER_TURNS: Final = 3
_FAILURES: Final = (IntentstreamError, KafkaError, OSError, psutil.Error)

Paces = dict[str, list[Pace]]
"""Of each contender by its name, one a window."""


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All of it, on servers in a scratch folder."""
    sizes = QUICK if quick else FULL
    async with servers(scratch) as up:
        rows = await _distinct(up, sizes)
        if sizes.zipf:
            try:
                rows += await _zipf(up, sizes)
            except _FAILURES as error:  # what is known already is kept
                _tell(f"{ZIPF}: {error}")
    return rows


async def _distinct(up: Servers, sizes: Sizes) -> list[Row]:
    async with course(up, Load(sizes.distinct), sizes.partitions) as track:
        paces = await _raced(track, (ENRICHER, *_present(sizes.peers)), sizes)
        rows = []
        for peer in [one for one in sizes.peers if one.name in paces]:
            said = await _compared(track, peer, sizes)
            rows.append(Row("R6 answers like the enricher's", peer.name, said.share, ""))
            if said.share < peer.least_agreement:
                _tell(f"{peer.name} is left out: {said}")
                del paces[peer.name]
    return _rows(DISTINCT, paces) + rows


async def _compared(track: Course, peer: Peer, sizes: Sizes) -> Agreement:
    """How far a peer agrees with the enricher, which works on until it has met the same queries.

    A client reads what it has fetched of one partition before it turns to the next, so two of them
    may have read from different ones for a while.
    """
    said = await track.compared(peer)
    for _ in range(_FURTHER_TURNS):
        if said.queries >= _ENOUGH:
            break
        await track.turn(ENRICHER, sizes.seconds)
        said = await track.compared(peer)
    return said


async def _zipf(up: Servers, sizes: Sizes) -> list[Row]:
    batching = [one for one in _present(sizes.peers) if one.batches]
    async with course(up, Load(sizes.zipf, of=sizes.of)) as track:
        before = await _raced(track, batching, sizes, rounds=1)
        ours = await track.run_through(ENRICHER)
        after = await _raced(track, batching, sizes, rounds=1)
    rounds = {name: before[name] + after[name] for name in before if name in after}
    return _rows(ZIPF, {ENRICHER.name: [ours] * (2 * sizes.windows)} | rounds)


async def _raced(
    track: Course, contenders: Sequence[Contender], sizes: Sizes, rounds: int | None = None
) -> Paces:
    """Turns in rounds; a contender that fails is told of, and out of the race."""
    paces: Paces = defaultdict(list)
    failed: set[str] = set()
    for _ in range(rounds or sizes.rounds):
        for one in contenders:
            if one.name in failed:
                continue
            try:
                paces[one.name] += await track.turn(one, sizes.seconds, sizes.windows)
            except _FAILURES as error:
                if one is ENRICHER:
                    raise
                failed.add(one.name)
                _tell(f"{one.name} has failed: {error}")
    return {name: found for name, found in paces.items() if name not in failed}


def _present(peers: Sequence[Peer]) -> list[Peer]:
    """Those whose packages are installed; the others are told of."""
    for one in peers:
        if one.missing():
            _tell(f"{one.name} does not run: install {', '.join(one.missing())} (`bench`, `train`)")
    return [one for one in peers if not one.missing()]


def _rows(load: str, paces: Paces) -> list[Row]:
    rows = [row for name, found in paces.items() for row in _figures(load, name, found)]
    ours = paces.pop(ENRICHER.name)
    rows += [
        Row(f"R6 committed without an event when stopped, {load}", name, most, "queries")
        for name, theirs in paces.items()
        if (most := max(one.lost for one in theirs))
    ]
    for name, theirs in paces.items():
        rows += _over(load, name, ours, theirs)
    for title, batches in ((FASTEST_ALONE, False), (FASTEST_BATCH, True)):
        names = {one.name for one in PEERS if one.batches == batches} & paces.keys()
        if names:
            best = paces[max(names, key=lambda name: statistics.median(_rates(paces[name])))]
            rows += _over(load, title, ours, best)
            rows += _cpu_over(load, title, ours, best)
    return rows


def _figures(load: str, name: str, paces: Sequence[Pace]) -> list[Row]:
    both = [one.worker_ms + one.model_ms for one in paces]
    return [
        *spread(f"R6 queries, {load}", name, _rates(paces), "1/s"),
        *spread(f"R6 worker's CPU, {load}", name, [one.worker_ms for one in paces], "ms a query"),
        *spread(f"R6 worker's and Triton's CPU, {load}", name, both, "ms a query"),
    ]


def _over(load: str, name: str, ours: Sequence[Pace], theirs: Sequence[Pace]) -> list[Row]:
    return ratio(f"R6 enricher / peer, {load}", name, _rates(ours), _rates(theirs))


def _cpu_over(load: str, name: str, ours: Sequence[Pace], theirs: Sequence[Pace]) -> list[Row]:
    used, needed = [one.worker_ms for one in ours], [one.worker_ms for one in theirs]
    return ratio(f"R6 worker's CPU, enricher / peer, {load}", name, used, needed)


def _rates(paces: Sequence[Pace]) -> list[float]:
    return [one.a_second for one in paces]


def _tell(message: str) -> None:
    Console(stderr=True).print(message, markup=False)


if __name__ == "__main__":
    command(RESULTS, __doc__, measure, quickly="half a minute")
