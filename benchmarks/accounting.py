"""The processor's time that processes have used, with all that they have started."""

from contextlib import suppress

import psutil


def cpu_seconds(pid: int) -> float:
    """Seconds of one core, in user and system mode, by a process and all its descendants.

    What descendants used that have ended counts, if their parents have waited for them.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    root = psutil.Process(pid)
    used = _used(root)
    for child in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has just ended
            used += _used(child)
    return used


def thread_seconds(pid: int) -> dict[int, float]:
    """Seconds of one core by thread id, of a process and all its descendants.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    root = psutil.Process(pid)
    used: dict[int, float] = {}
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            used |= {one.id: one.user_time + one.system_time for one in process.threads()}
    return used


def resident_bytes(pid: int) -> int:
    """Memory of a process and all its descendants, shared pages counted once for each.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    root = psutil.Process(pid)
    total = int(root.memory_info().rss)
    for child in root.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            total += int(child.memory_info().rss)
    return total


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)
