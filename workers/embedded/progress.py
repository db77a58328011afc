"""How slow steps report: small facts to one callback, and two ways to show them."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)


class Phase(StrEnum):
    """Where a part of the stack stands."""

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    INSTALLING = "installing"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Progressed:
    """One fact about one part.

    Attributes:
        part: ``kafka``, ``triton``, ``valkey`` or a worker's name.
        phase: What is going on.
        detail: A few words more: a file's name, an address.
        done: Bytes so far, while downloading.
        total: Bytes in all, while downloading; 0 where there is nothing to count.
    """

    part: str
    phase: Phase
    detail: str = ""
    done: int = 0
    total: int = 0


# Called from the event loop's thread and from threads that download.
Report = Callable[[Progressed], None]


def silent(_: Progressed) -> None:
    """Report to nobody."""


def megabytes(count: int) -> str:
    """A byte count as people read it, in units of 10^6: ``12.3 MB``."""
    return f"{count / 1e6:.1f} MB"


class _Lines:
    """Progress as plain lines, at most one every few seconds for the same download."""

    _EVERY_S = 3.0

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._last: dict[str, tuple[Phase, float]] = {}
        self._lock = threading.Lock()

    def __call__(self, fact: Progressed) -> None:
        with self._lock:
            phase, at = self._last.get(fact.part, (None, 0.0))
            now = time.monotonic()
            finished = fact.total and fact.done >= fact.total
            if fact.phase is phase and fact.total and not finished and now - at < self._EVERY_S:
                return
            self._last[fact.part] = (fact.phase, now)
            words = [f"{fact.part}: {fact.phase}"]
            if fact.total:
                words.append(f"{megabytes(fact.done)} of {megabytes(fact.total)}")
            if fact.detail:
                words.append(fact.detail)
            print(*words, file=self._out, flush=True)


class _Bars:
    """Progress as one live line a part."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()

    def __call__(self, fact: Progressed) -> None:
        with self._lock:
            task = self._tasks.get(fact.part)
            if task is None:
                task = self._progress.add_task(fact.part, total=None, note="")
                self._tasks[fact.part] = task
        note = f"{fact.phase} {fact.detail}"
        if fact.total:
            note = f"{fact.phase} {megabytes(fact.done)} of {megabytes(fact.total)} {fact.detail}"
        settled = fact.phase in (Phase.READY, Phase.STOPPED, Phase.FAILED)
        self._progress.update(
            task,
            total=fact.total or (1 if settled else None),
            completed=fact.done if fact.total else int(settled),
            note=note,
        )
        if settled:
            self._progress.stop_task(task)


@contextmanager
def shown(*, plain: bool | None = None, out: TextIO | None = None) -> Iterator[Report]:
    """Show progress on a terminal as bars, elsewhere as lines.

    Args:
        plain: True for lines in any case, None to look whether ``out`` is a terminal.
        out: Where to; stderr by default, so that stdout stays free for results.
    """
    out = out or sys.stderr
    if plain or (plain is None and not out.isatty()):
        yield _Lines(out)
        return
    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("[bold]{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=out), transient=False) as progress:
        yield _Bars(progress)
