"""`python -m benchmarks.replay`: what a replay needs, how fast it is, and whether it is in the way.

Its peak memory, and what its state takes on disk, over ranges of 10,000 to 1,000,000 records, against a
model that answers at once; its speed beside the live enricher's on the same queries, with the shipped
model, in turns; and how many queries a live enricher still answers a second while a replay with
`--share` runs.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from benchmarks.instant_model import InstantModel
from benchmarks.instant_runs import backlog
from benchmarks.load import Load
from benchmarks.measured import Row, command
from benchmarks.ratios import ratio
from benchmarks.rig import SECRET, Line, enricher, line, servers
from workers.errors import IntentstreamError
from workers.kafka import producer, running
from workers.replays.run_state import WORK
from workers.settings import Settings

RESULTS: Final = Path(__file__).parent / "results" / "replay.csv"
SHARE: Final = 0.3
_MB: Final = 1e6
_AT_ONCE: Final = 5_000
_LOOK_EVERY_S: Final = 0.1
_LONGEST_S: Final = 3_600.0
_PLENTY: Final = 3  # times what an enricher answers meanwhile, so that no backlog runs out
_SETTLE_S: Final = 3.0
"""A worker that has just begun, or has just been joined by a replay, is not what is measured."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: ranges for memory, queries for speed, seconds beside, and how often."""

    ranges: tuple[int, ...]
    queries: int
    window_s: float
    rounds: int


FULL: Final = Sizes((10_000, 100_000, 1_000_000), 8_000, 12.0, 3)
QUICK: Final = Sizes((2_000, 10_000), 2_000, 3.0, 1)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one replay was: its report, wall seconds of the whole command, and what it took at most."""

    report: dict[str, Any]
    seconds: float
    memory_bytes: int
    disk_bytes: int


async def run(folder: Path, sizes: Sizes) -> list[Row]:
    """Measures all of it, on servers in `folder`."""
    return [
        *await _memory(folder / "memory", sizes),
        *await _beside_the_enricher(folder / "speed", sizes),
    ]


async def _memory(folder: Path, sizes: Sizes) -> list[Row]:
    """The peak for each range; all is to be identical, or the numbers are of something else."""
    rows = []
    async with InstantModel(folder) as model, servers(folder, triton=model.grpc_address) as up:
        for count in sizes.ranges:
            async with line(up) as at:
                await _published(at, count)
                found = await _replay(at.settings, folder, "--from", "earliest")
            if found.report["identical"] < count or not _agrees(found.report):
                raise IntentstreamError("the replay is not identical", json.dumps(found.report))
            case = f"{count:,} records"
            rows.append(Row("peak memory", case, found.memory_bytes / _MB, "MB"))
            rows.append(Row("disk while it runs", case, found.disk_bytes / _MB, "MB"))
            rate = found.report["records"] / found.seconds
            rows.append(Row("records, instant model", case, rate, "1/s"))
    return rows


async def _published(at: Line, count: int) -> None:
    """Lets an enricher work off so many queries."""
    async with enricher(at) as worker:
        async with running(producer(at.settings.kafka, linger_ms=20), at.settings.kafka) as client:
            records = iter(backlog(count))
            while some := list(islice(records, _AT_ONCE)):
                for key, value in some:
                    await client.send(at.settings.topic_names.raw, value, key=key)
            await client.flush()
        at.fed += count
        deadline = time.monotonic() + _LONGEST_S
        while await at.committed() < at.fed:
            worker.check()
            if time.monotonic() > deadline:
                raise IntentstreamError("the enricher does not get on", "see its log")
            await asyncio.sleep(_LOOK_EVERY_S)


async def _beside_the_enricher(folder: Path, sizes: Sizes) -> list[Row]:
    """Speed and share, with the shipped model."""
    live, whole, phase = [], [], []
    alone, beside = [], []
    async with servers(folder) as up:
        for seed in range(1, sizes.rounds + 1):
            async with line(up) as at:
                async with enricher(at) as worker:
                    live.append((await worker.work_off(Load(sizes.queries, seed))).a_second)
                found = await _replay(at.settings, folder, "--from", "earliest")
                whole.append(found.report["records"] / found.seconds)
                phase.append(found.report["records"] / found.report["seconds"])
                rates = await _shared(at, folder, sizes.window_s, live[-1])
                alone.append(rates[0])
                beside.append(rates[1])
    kept = f"beside a replay with --share {SHARE:g}"
    rates_of = {
        ("queries", "enricher"): live,
        ("queries", "replay"): whole,
        ("queries", "replay, without start and page"): phase,
        ("queries of a live enricher", "alone"): alone,
        ("queries of a live enricher", kept): beside,
    }
    return [
        *(Row(*name, statistics.median(rates), "1/s") for name, rates in rates_of.items()),
        *ratio("against the enricher", "replay", whole, live),
        *ratio("against the enricher", "replay, without start and page", phase, live),
        *ratio("what the enricher keeps", kept, beside, alone),
    ]


async def _shared(at: Line, folder: Path, window_s: float, expected: float) -> tuple[float, float]:
    """Queries a second of an enricher under load: alone, and beside a replay of what was before.

    `expected` is about the first of them.
    """
    ends = await at.reader.end_offsets(at.places(at.settings.topic_names.raw))
    until = ",".join(f"{place.partition}:{end}" for place, end in ends.items())
    since = ",".join(f"{place.partition}:0" for place in ends)
    async with enricher(at, warm_up=100) as worker:
        worker.hold()
        await at.fill(Load(round(_PLENTY * expected * (window_s + _SETTLE_S)) * 2, seed=104_729))
        worker.go_on()
        await asyncio.sleep(_SETTLE_S)
        rate = await _rate(at, window_s)
        async with _replaying(at.settings, folder, "--from", since, "--to", until):
            await asyncio.sleep(_SETTLE_S)
            shared = await _rate(at, window_s)
        worker.check()
        if await at.committed() >= at.fed:
            raise IntentstreamError("the backlog ran out", "the rates are too low: make it larger")
    return rate, shared


async def _rate(at: Line, seconds: float) -> float:
    before, began = await at.published(), time.monotonic()
    await asyncio.sleep(seconds)
    return (await at.published() - before) / (time.monotonic() - began)


async def _replay(settings: Settings, folder: Path, *arguments: str) -> Replayed:
    """Runs the command, and watches what it takes.

    Raises:
        IntentstreamError: it failed.
    """
    began = time.monotonic()
    process = await _started(settings, folder, *arguments)
    memory, disk, watching = 0, 0, asyncio.create_task(process.communicate())
    while not watching.done():
        memory = max(memory, _peak_bytes(process.pid))
        disk = max(disk, _state_bytes(folder / "replays"))
        await asyncio.wait({watching}, timeout=_LOOK_EVERY_S)
    out, said = watching.result()
    if process.returncode not in (0, 1):
        raise IntentstreamError("the replay failed", said.decode()[-2_000:])
    return Replayed(json.loads(out), time.monotonic() - began, memory, disk)


@asynccontextmanager
async def _replaying(settings: Settings, folder: Path, *arguments: str) -> AsyncIterator[None]:
    """A replay with its share, as long as the block runs.

    Raises:
        IntentstreamError: it has ended before.
    """
    process = await _started(settings, folder, "--share", f"{SHARE:g}", *arguments)
    reading = asyncio.create_task(process.communicate())
    try:
        yield
        if process.returncode is not None:
            raise IntentstreamError("the replay was over too soon", reading.result()[1].decode())
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await reading


async def _started(settings: Settings, folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    env = {name: value for name, value in os.environ.items() if "INTENTSTREAM" not in name}
    env |= {
        "INTENTSTREAM_PREFIX": settings.prefix,
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INTENTSTREAM_TRITON__ADDRESS": settings.triton.address,
        "INTENTSTREAM_PSEUDONYMS__SECRET": SECRET,
    }
    options = ("--no-publish", "--no-explain", "--json", "--output", str(folder / "replays"))
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "replay", *options, *arguments),
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _agrees(report: dict[str, Any]) -> bool:
    return not any(report[name] for name in ("changed", "missing", "extra", "equivalent"))


def _peak_bytes(pid: int) -> int:
    """The most that a process has had in memory so far; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    found: Sequence[str] = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(found[0]) * 1024 if found else 0


def _state_bytes(runs: Path) -> int:
    """What unfinished runs have on disk."""
    found = 0
    for path in runs.glob(f"*/{WORK}*"):
        with suppress(FileNotFoundError):  # the run has ended
            found += path.stat().st_size
    return found


if __name__ == "__main__":
    command(
        RESULTS,
        __doc__,
        lambda scratch, quick: run(scratch, QUICK if quick else FULL),
        quickly="two minutes",
    )
