"""Ideal batches, measured: `ideal_loop` as processes in the Python of Triton's models."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.rig import MODELS
from workers.embedded.triton_runtime import TritonRuntime, install_triton
from workers.errors import IntentstreamError

_LOOP: Final = Path(__file__).with_name("ideal_loop.py")
_FRONT: Final = MODELS / "query_understanding" / "1" / "model.py"
_CONFIG: Final = MODELS / "query_understanding" / "configs" / "cpu.pbtxt"
_LONGEST_S: Final = 600.0
LANGUAGE: Final = "en"


@dataclass(frozen=True, slots=True)
class Ideal:
    """What ideal batches of one size took."""

    queries: int
    cpu: float
    """Seconds of one core, of all processes."""
    seconds: float
    """By the clock, until the last process was through."""

    @property
    def a_core_second(self) -> float:
        """Queries in a second of one core."""
        return self.queries / self.cpu

    @property
    def a_second(self) -> float:
        """Queries by the clock."""
        return self.queries / self.seconds


def parameter(name: str) -> str:
    """A parameter of the served model's configuration on a CPU.

    Raises:
        IntentstreamError: it has none of that name.
    """
    found = re.search(
        rf'key: "{name}" value: {{ string_value: "([^"]*)" }}', _CONFIG.read_text("utf-8")
    )
    if found is None:
        raise IntentstreamError(f"the model's configuration has no {name}", str(_CONFIG))
    return found[1]


def encoder_version() -> str:
    """Which version of the encoder is served."""
    return parameter(f"encoder_{LANGUAGE}_version")


def encoder_folder() -> Path:
    """Where the served encoder's graph and tokenizer are."""
    return MODELS / f"encoder_{LANGUAGE}" / encoder_version()


class Loops:
    """Loops that are ready, one a core."""

    def __init__(self, processes: Sequence[asyncio.subprocess.Process], queries: int) -> None:
        self._processes = processes
        self._queries = queries

    async def next(self) -> Ideal:
        """Lets all begin at once with the next batch size, and waits for the last."""
        for process in self._processes:
            _stdin(process).write(b"go\n")
        found = [json.loads(await _line(process)) for process in self._processes]
        return Ideal(
            self._queries,
            sum(each["cpu"] for each in found),
            max(each["wall"] for each in found),
        )


@asynccontextmanager
async def loops(
    texts: Sequence[str],
    sizes: Sequence[int],
    *,
    processes: int,
    tokenise: bool = False,
    mixed: bool = False,
) -> AsyncIterator[Loops]:
    """Loops over shares of the texts, one core's each, that wait for their `next`.

    Args:
        texts: the queries.
        sizes: of batches, one for each `next` in their order.
        processes: how many loops share the texts.
        tokenise: whether making the word pieces counts.
        mixed: batches hold what comes one after the other, of all lengths.

    Raises:
        IntentstreamError: a loop could not be started.
    """
    task = {
        "front": str(_FRONT),
        "language": LANGUAGE,
        "version": encoder_version(),
        "sizes": list(sizes),
        "sub_batch": int(parameter("sub_batch")),
        "tokenise": tokenise,
        "mixed": mixed,
    }
    runtime = TritonRuntime(await asyncio.to_thread(install_triton))
    async with AsyncExitStack() as stack:
        started = []
        for number in range(processes):
            share = task | {"texts": list(texts[number::processes])}
            started.append(await stack.enter_async_context(_loop(runtime, share)))
        for process in started:
            if await _line(process) != b"ready\n":
                raise IntentstreamError("the loop of ideal batches does not start", "see above")
        yield Loops(started, len(texts))


@asynccontextmanager
async def _loop(
    runtime: TritonRuntime, task: dict[str, Any]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        str(runtime.python / "bin" / "python3"),
        str(_LOOP),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={
            "PATH": f"{runtime.python / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": runtime.library_path,
            "LANG": "C.UTF-8",
            "HOME": os.environ.get("HOME", "/"),
            "PYTHONNOUSERSITE": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
    )
    try:
        _stdin(process).write(json.dumps(task).encode() + b"\n")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _stdin(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    assert process.stdin is not None  # noqa: S101 (it is a pipe)
    return process.stdin


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101
    line = await asyncio.wait_for(process.stdout.readline(), _LONGEST_S)
    if not line:
        raise IntentstreamError("the loop of ideal batches has ended", "it has said why above")
    return line
