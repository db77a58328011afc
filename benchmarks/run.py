"""`python -m benchmarks.run`: all ratios that are promised, in one table.

Each module of `bounds.toml` runs in a process of its own, so that one that fails or hangs loses
nothing of the others. A full run writes `results/MODULE.csv` as each is through, and
`results/ratios.csv` and the plots of docs/performance.md in the end; a quick one only looks, and
fails where a ratio is broken by more than the noise that it measured.
"""

import argparse
import asyncio
import importlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.bounds import Judged, Verdict, bounds, modules
from benchmarks.measured import Row, machine, versions, write_csv
from benchmarks.plots import SUMMARY, draw, read
from benchmarks.ratios import NOISE

RESULTS: Final = Path(__file__).parent / "results"
_LONGEST_S: Final = {False: 900.0, True: 120.0}
"""How long one module may take; a quick look is given less."""
_STOP_S: Final = 20.0


async def measured(module: str, *, quick: bool, rows: Path) -> Sequence[Row]:
    """What a module measures, in a process of its own; no rows when it fails.

    Args:
        module: its name.
        quick: a look.
        rows: a file for the rows.
    """
    words = [sys.executable, "-m", "benchmarks.run", "--one", module, "--rows", str(rows)]
    process = await asyncio.create_subprocess_exec(
        *words, *(["--quick"] if quick else []), start_new_session=True
    )
    try:
        await asyncio.wait_for(process.wait(), _LONGEST_S[quick])
    except TimeoutError:
        await _ended(process)
        return []
    except BaseException:
        await _ended(process)
        raise
    return [] if process.returncode else await asyncio.to_thread(_read, rows)


def _read(rows: Path) -> list[Row]:
    return msgspec.json.decode(rows.read_bytes(), type=list[Row]) if rows.exists() else []


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Ends it and what it started; servers go with their guards, which see their parent end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            break
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            continue
    await process.wait()


def one(module: str, *, quick: bool, rows: Path) -> None:
    """Measures one module in this process."""
    made = importlib.import_module(module)
    with tempfile.TemporaryDirectory(prefix="intentstream-bench-") as scratch:
        found = asyncio.run(made.measure(Path(scratch), quick))
    rows.write_bytes(msgspec.json.encode(list(found)))


async def run(names: Sequence[str], *, quick: bool, results: Path | None) -> list[Judged]:
    """Measures modules one after the other, and judges the ratios that they have.

    Args:
        names: of modules.
        quick: a look.
        results: a folder for the CSVs; None writes none.
    """
    console, on = Console(), machine()
    wanted = [bound for bound in bounds() if bound.module in names]
    judged: list[Judged] = []
    with tempfile.TemporaryDirectory(prefix="intentstream-rows-") as folder:
        for name in names:
            began = time.monotonic()
            rows = await measured(name, quick=quick, rows=Path(folder) / f"{name}.json")
            judged += [
                bound.judged(rows)
                for bound in wanted
                if bound.module == name and not (quick and bound.full_only)
            ]
            if rows and results is not None:
                write_csv(results / f"{name.rpartition('.')[2]}.csv", rows, on=on)
            seconds = time.monotonic() - began
            console.print(f"{name}: {seconds:.0f} s" if rows else f"[red]{name} failed[/red]")
    console.print(ratios_table(judged))
    console.print(f"{on}; {versions()}")
    return judged


def ratios_table(judged: Sequence[Judged]) -> Table:
    """The one table: bar, value, noise, verdict."""
    made = Table("", "ratio", "bar")
    for name in ("value", "noise"):
        made.add_column(name, justify="right")
    made.add_column("verdict")
    for each in sorted(judged, key=lambda one: one.bound.name):
        value = "" if each.value is None else f"{each.value:.3g}"
        noise = "" if each.value is None else f"± {each.noise:.2g}"
        bound = each.bound
        made.add_row(bound.name, bound.title, bound.bar, value, noise, each.verdict.value)
    return made


def ratio_rows(judged: Sequence[Judged]) -> list[Row]:
    """The table as rows."""
    return [
        row
        for each in judged
        if each.value is not None
        for row in (
            Row(each.bound.name, f"{each.bound.title} ({each.bound.bar})", each.value, "×"),
            Row(each.bound.name, f"{each.bound.title}{NOISE}", each.noise, "×"),
        )
    ]


def recorded(results: Path = RESULTS) -> list[Judged]:
    """All ratios as the CSVs of the last full runs have them."""
    rows = [Row(measure, case, value, "") for (measure, case), value in read(results).items()]
    return [bound.judged(rows) for bound in bounds()]


def markdown(judged: Sequence[Judged]) -> str:
    """The table for a page of the documentation."""
    lines = ["| | ratio | bar | value | noise | |", "|---|---|---|---|---|---|"]
    for each in sorted(judged, key=lambda one: one.bound.name):
        bound = each.bound
        value = "" if each.value is None else f"{each.value:.3g}"
        noise = "" if each.value is None else f"± {each.noise:.2g}"
        words = (bound.name, bound.title, bound.bar, value, noise, each.verdict.value)
        lines.append(f"| {' | '.join(words)} |")
    return "\n".join(lines)


def main() -> int:
    """The command line; 1 where a ratio is broken or could not be measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", help="R1 … R9; all when left out")
    parser.add_argument("--quick", action="store_true", help="a look, of less than three minutes")
    parser.add_argument("--one", metavar="MODULE", help="measure this module in this process")
    parser.add_argument("--rows", type=Path, help="with --one: where its rows go, as JSON")
    parser.add_argument(
        "--table", action="store_true", help="measure nothing: the recorded table in Markdown"
    )
    chosen = parser.parse_args()
    if chosen.table:
        print(markdown(recorded()))
        return 0
    if chosen.one:
        one(chosen.one, quick=chosen.quick, rows=chosen.rows)
        return 0
    found = bounds()
    names = [
        bound
        for bound in found
        if (bound.name in chosen.names or not chosen.names)
        and not (chosen.quick and bound.full_only)
    ]
    results = None if chosen.quick else RESULTS
    judged = asyncio.run(run(modules(names), quick=chosen.quick, results=results))
    if results is not None:
        write_csv(results / SUMMARY, ratio_rows(recorded()), on=machine())
        draw()
    bad = (Verdict.BROKEN, Verdict.MISSING)
    return int(any(each.verdict in bad for each in judged))


if __name__ == "__main__":
    sys.exit(main())
