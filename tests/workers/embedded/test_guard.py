"""No process of ours outlives the one that started it, whichever way that one ends."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workers.embedded.process import GuardedProcess, ProcessSpec, describe_exit
from workers.errors import ServerError

_STUBBORN = "trap '' TERM; sleep 600 & setsid sleep 600 & wait; sleep 600"


def _spec(folder: Path, script: str, **options: object) -> ProcessSpec:
    return ProcessSpec(
        name="probe",
        argv=["sh", "-c", script],
        log=folder / "probe.log",
        cwd=folder,
        **options,  # type: ignore[arg-type]  # a handful of options, checked where they are used
    )


def _descendants(pid: int) -> set[int]:
    """All descendants of a process, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _alive(pids: set[int]) -> set[int]:
    """Those that still run; one that waits to be reaped by whoever inherited it does not."""
    running = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
            if state != b"Z":
                running.add(pid)
    return running


def _until_gone(pids: set[int], seconds: float = 10) -> set[int]:
    deadline = time.monotonic() + seconds
    while _alive(pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    return _alive(pids)


async def _settled(process: GuardedProcess) -> set[int]:
    """The stubborn shell and its two children, once all are there."""
    while len(family := _descendants(process.pid)) < 2:
        await asyncio.sleep(0.01)
    return family | {process.pid}


async def _never() -> bool:
    return False


async def test_exit_codes_and_signals_are_told_apart(tmp_path: Path) -> None:
    process = await GuardedProcess.start(_spec(tmp_path, "exit 3"))
    assert describe_exit(await process.wait()) == "exit code 3"
    process = await GuardedProcess.start(_spec(tmp_path, "sleep 600"))
    assert describe_exit(await process.kill()) == "killed by SIGKILL"


async def test_a_process_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = await GuardedProcess.start(_spec(tmp_path, _STUBBORN, grace_s=0.3))
    family = await _settled(process)
    started = time.monotonic()
    assert describe_exit(await process.stop()) == "killed by SIGKILL"
    assert 0.3 <= time.monotonic() - started < 5
    assert not _alive(family)


async def test_a_crash_takes_the_orphans_along(tmp_path: Path) -> None:
    """Triton's Python stubs live on when the server crashes; some leave its process group."""
    process = await GuardedProcess.start(_spec(tmp_path, _STUBBORN))
    family = await _settled(process)
    await process.kill()
    assert not _alive(family)


async def test_only_empty_folders_made_meanwhile_count_as_litter(tmp_path: Path) -> None:
    for name in ("env_full", "other_empty", "env_old"):
        (tmp_path / name).mkdir()
    os.utime(tmp_path / "env_old", (1, 1))
    script = "mkdir env_new; touch env_full/file"
    await (await GuardedProcess.start(_spec(tmp_path, script, litter=f"{tmp_path}/env_"))).wait()
    assert not (tmp_path / "env_new").exists()
    assert {"env_full", "other_empty", "env_old"} <= {path.name for path in tmp_path.iterdir()}


async def test_shared_memory_and_scratch_folders_are_removed(tmp_path: Path) -> None:
    prefix = f"intentstream_test_{os.getpid()}_"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "link").symlink_to(tmp_path)
    script = f"touch /dev/shm/{prefix}region /dev/shm/not_{prefix}; exit 0"
    process = await GuardedProcess.start(
        _spec(tmp_path, script, shm_prefix=prefix, scratch=scratch)
    )
    await process.wait()
    try:
        assert not Path(f"/dev/shm/{prefix}region").exists()
        assert Path(f"/dev/shm/not_{prefix}").exists()
        assert not scratch.exists()
        assert tmp_path.exists()
    finally:
        Path(f"/dev/shm/not_{prefix}").unlink()


@pytest.mark.parametrize("victim", ["parent", "guard"])
def test_nothing_is_left_when_the_parent_or_the_guard_is_killed(
    tmp_path: Path, victim: str
) -> None:
    program = """
import asyncio, os, sys
from pathlib import Path
from workers.embedded.process import GuardedProcess, ProcessSpec

async def main() -> None:
    folder = Path(sys.argv[1])
    spec = ProcessSpec(name="probe", argv=["sleep", "600"], log=folder / "log", cwd=folder)
    process = await GuardedProcess.start(spec)
    print(process.pid, flush=True)
    await process.wait()

asyncio.run(main())
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        server = int(parent.stdout.readline())
        family = _descendants(parent.pid)
        assert server in family
        guard = next(iter(family - {server}))
        os.kill(parent.pid if victim == "parent" else guard, signal.SIGKILL)
        assert not _until_gone(family)


async def test_a_server_that_ends_while_starting_is_reported_with_its_exit_code(
    tmp_path: Path,
) -> None:
    process = await GuardedProcess.start(_spec(tmp_path, "echo out of luck; exit 3"))
    with pytest.raises(ServerError, match=r"probe ended while starting \(exit code 3\)") as caught:
        await process.wait_until(_never, timeout_s=10)
    assert caught.value.log_tail == "out of luck"


async def test_a_program_that_does_not_exist_is_reported_with_its_name(tmp_path: Path) -> None:
    spec = ProcessSpec(name="probe", argv=["no-such-server"], log=tmp_path / "log", cwd=tmp_path)
    with pytest.raises(ServerError, match="probe could not be started") as caught:
        await GuardedProcess.start(spec)
    assert "cannot run no-such-server" in caught.value.log_tail


async def test_a_server_that_never_gets_ready_is_ended_and_its_last_lines_shown(
    tmp_path: Path,
) -> None:
    process = await GuardedProcess.start(_spec(tmp_path, "echo still thinking; sleep 600"))
    with pytest.raises(ServerError, match="not ready within") as caught:
        await process.wait_until(_never, timeout_s=0.3)
    assert caught.value.log_tail == "still thinking"
    assert not process.running
