"""`python -m benchmarks.gpu_plan`: what the worker would need on a GPU Triton, by calculation.

No GPU is at hand, so this is a sum, not a measurement. What is measured, in the CSVs of the last full
run: the worker's and the broker's processor time a query, what the front spends beside the network
(Triton's time less that of ideal batches), and how many queries need no call. What is assumed, and can
be changed on the command line: how fast the GPU multiplies, and what launching one call of the encoder
costs. A group of rows of one length is one call, so its cost depends on how many lengths there are.
"""

import argparse
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.plots import read
from benchmarks.queries import distinct

BUSY: Final = 0.7
"""No worker and no server is planned to be busier: the rest is for peaks and restarts."""

LAYERS: Final = 12
WIDTH: Final = 384
_FRAME: Final = 2
_PIECES_A_WORD: Final = 1.35
"""Of these queries with the English encoder's tokenizer, near enough for counting lengths."""
_SAMPLE: Final = 8_192
_USERS: Final = ("worker", "broker", "Triton", "ideal batches")


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of one core for a query, and the share of queries that need no call."""

    worker: float
    broker: float
    front: float
    known: float


@dataclass(frozen=True, slots=True)
class Gpu:
    """What is assumed of a GPU: multiplications and additions a second in use, seconds a call."""

    flops: float
    call: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed at one size of batches."""

    rows: int
    calls: float
    seconds: float
    gpus: int
    in_flight: int
    workers: int
    partitions: int
    front_processes: int
    broker_cores: float


def lengths() -> list[int]:
    """Word pieces of a sample of queries, counted from their words."""
    return [_FRAME + round(_PIECES_A_WORD * len(text.split())) for text in distinct(_SAMPLE)]


def plan(rate: float, costs: Costs, gpu: Gpu, rows: int, sample: Sequence[int]) -> Plan:
    """What `rate` queries a second need when `rows` run together.

    Args:
        rate: queries a second, known ones included.
        costs: measured.
        gpu: assumed.
        rows: queries in one execution of the front.
        sample: lengths of queries in word pieces, at least `rows`.
    """
    batches = [sample[start : start + rows] for start in range(0, len(sample) - rows + 1, rows)]
    calls = sum(len(Counter(batch)) for batch in batches) / len(batches)
    pieces = sum(sample) / len(sample)
    # 12 width² weights a layer, a multiplication and an addition each, for every word piece
    work = 2 * 12 * WIDTH**2 * LAYERS * pieces / gpu.flops
    seconds = calls * gpu.call + rows * work
    asked = rate * (1 - costs.known)
    workers = math.ceil(rate * costs.worker / BUSY)
    return Plan(
        rows=rows,
        calls=calls,
        seconds=seconds,
        gpus=math.ceil(asked * seconds / rows / BUSY),
        # Little's law, twice: one batch runs while the next is put together
        in_flight=math.ceil(2 * max(rows, asked * seconds)),
        workers=workers,
        partitions=2 ** math.ceil(math.log2(max(2 * workers, 1))),
        front_processes=math.ceil(asked * costs.front / BUSY),
        broker_cores=rate * costs.broker,
    )


def measured(values: Mapping[tuple[str, str], float]) -> Costs:
    """The costs in the CSVs of the last full run.

    Raises:
        KeyError: there was none.
    """
    used = {name: values["R1 efficiency", f"{name}, of one core"] / 1000 for name in _USERS}
    return Costs(
        worker=used["worker"],
        broker=used["broker"],
        front=max(used["Triton"] - used["ideal batches"], 0.0),
        known=values["R3 known answers", "known before the model is asked"],
    )


def main() -> None:
    """Prints the plan for some sizes of batches, with and without known answers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_plan", description=__doc__)
    parser.add_argument("--rate", type=float, default=20_000, help="queries a second")
    parser.add_argument("--tflops", type=float, default=10.0, help="that the GPU reaches, fp16")
    parser.add_argument("--call-ms", type=float, default=2.5, help="of one call of the encoder")
    chosen = parser.parse_args()
    costs, sample = measured(read()), lengths()
    gpu = Gpu(chosen.tflops * 1e12, chosen.call_ms / 1000)
    made = Table(title=f"{chosen.rate:,.0f} queries a second on a GPU, calculated")
    for name in ("known", "rows", "calls", "ms", "GPUs", "in flight", "workers", "partitions"):
        made.add_column(name, justify="right")
    for name in ("front processes", "broker cores"):
        made.add_column(name, justify="right")
    for known in (0.0, costs.known):
        for rows in (128, 512, 1_024, 2_048):
            found = plan(
                chosen.rate,
                Costs(costs.worker, costs.broker, costs.front, known),
                gpu,
                rows,
                sample,
            )
            made.add_row(
                f"{known:.0%}",
                f"{rows:,}",
                f"{found.calls:.0f}",
                f"{found.seconds * 1000:.0f}",
                f"{found.gpus}",
                f"{found.in_flight:,}",
                f"{found.workers}",
                f"{found.partitions}",
                f"{found.front_processes}",
                f"{found.broker_cores:.1f}",
            )
    Console().print(made)


if __name__ == "__main__":
    main()
