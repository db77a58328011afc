"""`python -m benchmarks.front_trials`: what other settings of the model's front would save.

The whole chain works off the same backlog of distinct queries with the front as it is, and with one
thing changed, in turns; compared are queries by the clock, and by the second of one core that
Triton uses.
"""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.accounting import thread_seconds
from benchmarks.load import Load
from benchmarks.measured import Row, command
from benchmarks.ratios import ratio
from benchmarks.rig import MODELS, Servers, Use, enricher, line, servers

RESULTS: Final = Path(__file__).parent / "results" / "front_trials.csv"
CLOCK: Final = "queries by the clock, changed / as it is"
CORE: Final = "queries by core second of Triton, changed / as it is"
_AS_IT_IS: Final = "as it is"
_FRONT: Final = Path("query_understanding", "configs", "cpu.pbtxt")


@dataclass(frozen=True, slots=True)
class Trial:
    """What is changed.

    Attributes:
        instances: processes of the front.
        parameters: of its configuration.
        pinned: whether each of the threads that run the encoder keeps to a core of its own.
    """

    instances: int = 1
    parameters: Mapping[str, str] = field(default_factory=dict)
    pinned: bool = False


TRIALS: Final = {
    _AS_IT_IS: Trial(),
    "2 instances of 1 thread": Trial(2, {"threads": "1"}),
    "2 instances of 2 threads": Trial(2),
    "threads pinned to cores": Trial(pinned=True),
    "sub-batches of 32": Trial(parameters={"sub_batch": "32"}),
    "sub-batches of 128": Trial(parameters={"sub_batch": "128"}),
}


def changed(config: str, trial: Trial) -> str:
    """The text of the front's configuration, with a trial's settings."""
    config, found = re.subn(r"count: \d+", f"count: {trial.instances}", config)
    if found != 1:
        raise ValueError("the configuration has not one group of instances")
    for name, value in trial.parameters.items():
        line_ = f'parameters {{ key: "{name}" value: {{ string_value: "{value}" }} }}\n'
        config = re.sub(rf'parameters {{ key: "{name}" .*\n', "", config) + line_
    return config


@asynccontextmanager
async def _served(scratch: Path, name: str) -> AsyncIterator[Servers]:
    folder = scratch / re.sub(r"\W", "-", name)
    models = folder / "models"
    shutil.copytree(MODELS, models, ignore=shutil.ignore_patterns("__pycache__"))
    front = models / _FRONT
    front.write_text(changed(front.read_text("utf-8"), TRIALS[name]), "utf-8")
    async with servers(folder, models=models) as up:
        yield up
    shutil.rmtree(folder)


def _pin(triton: int, cores: Sequence[int]) -> None:
    """Gives the busiest threads of Triton a core each."""
    used = thread_seconds(triton)
    for core, thread in zip(cores, sorted(used, key=lambda one: -used[one]), strict=False):
        os.sched_setaffinity(thread, {core})


async def _worked_off(up: Servers, name: str, queries: int, number: int) -> Use:
    async with line(up) as at, enricher(at) as workers:
        if TRIALS[name].pinned:
            _pin(up.triton_pid, sorted(os.sched_getaffinity(0)))
        return await workers.work_off(Load(queries, skip=number * queries))


async def measure(scratch: Path, quick: bool) -> Sequence[Row]:
    """All of it."""
    queries, rounds = (2_000, 1) if quick else (8_000, 3)
    found: dict[str, list[Use]] = defaultdict(list)
    for number in range(rounds):
        for name in TRIALS:
            async with _served(scratch, name) as up:
                found[name].append(await _worked_off(up, name, queries, number))
    plain, rows = found.pop(_AS_IT_IS), []
    for name, uses in found.items():
        rows += ratio(CLOCK, name, [one.a_second for one in uses], [one.a_second for one in plain])
        rows += ratio(
            CORE,
            name,
            [one.queries / one.triton for one in uses],
            [one.queries / one.triton for one in plain],
        )
    return rows


if __name__ == "__main__":
    command(RESULTS, __doc__, measure, quickly="two minutes")
