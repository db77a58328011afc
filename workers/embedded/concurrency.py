"""Slow steps side by side, each of which can be called off."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, TypeVar

from workers.embedded.progress import Report

_First = TypeVar("_First")
_Second = TypeVar("_Second")
_Result = TypeVar("_Result")


async def side_by_side(
    first: Coroutine[Any, Any, _First], second: Coroutine[Any, Any, _Second]
) -> tuple[_First, _Second]:
    """Both results; at the first error the other is called off, and that error raised."""
    results: list[Any] = await all_or_none([first, second])
    return results[0], results[1]


async def all_or_none(steps: Iterable[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """Run all at once; at the first error call the others off, wait for them, and raise that error."""
    tasks = [asyncio.create_task(step) for step in steps]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


async def in_thread(install: Callable[[Report, threading.Event], Path], report: Report) -> Path:
    """Run a blocking installation in a thread, and call it off when this task is cancelled."""
    cancelled = threading.Event()
    try:
        return await asyncio.to_thread(install, report, cancelled)
    finally:
        cancelled.set()
