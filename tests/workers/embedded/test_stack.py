"""The stack starts what was not given, tells of what ends by itself, and stops all of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from workers.embedded.progress import Progressed
from workers.embedded.stack import EmbeddedStack, development_key, running_stack
from workers.errors import PreflightError, ServerError

_TINY = Path(__file__).parent / "tiny_repository"


def _without_servers(run_dir: Path) -> EmbeddedStack:
    return EmbeddedStack(
        run_dir, _TINY, kafka="127.0.0.1:1", redis="redis://127.0.0.1:2/0", triton="127.0.0.1:3"
    )


async def test_all_three_servers_start_and_stop(tmp_path: Path) -> None:
    told: list[Progressed] = []
    run_dir = tmp_path / "run dir"
    stack = EmbeddedStack(run_dir, _TINY, triton_models=["echo"], report=told.append)
    async with stack:
        pids = [server.process.pid for server in stack.servers.values() if server.process]
        assert len(pids) == 3
        assert running_stack(run_dir) == stack.addresses
    assert not any(map(psutil.pid_exists, pids))
    assert running_stack(run_dir) is None
    for part in ("kafka", "valkey", "triton"):
        phases = [fact.phase for fact in told if fact.part == part]
        assert phases[-3:] == ["ready", "stopping", "stopped"]


async def test_what_is_given_by_address_is_not_started(tmp_path: Path) -> None:
    async with _without_servers(tmp_path) as stack:
        assert stack.servers == {}
        assert stack.addresses.kafka == "127.0.0.1:1"
        assert stack.addresses.redis == "redis://127.0.0.1:2/0"
        assert stack.addresses.triton == "127.0.0.1:3"


async def test_one_run_folder_holds_one_stack(tmp_path: Path) -> None:
    async with _without_servers(tmp_path):
        with pytest.raises(PreflightError, match=f"process {os.getpid()}"):
            await _without_servers(tmp_path).__aenter__()
    async with _without_servers(tmp_path):
        pass


async def test_a_worker_that_ends_by_itself_is_reported_with_its_log(tmp_path: Path) -> None:
    async with _without_servers(tmp_path) as stack:
        script = "import os; print(os.environ['WHO'], 'fell'); raise SystemExit(3)"
        await stack.spawn_worker("enricher", [sys.executable, "-c", script], {"WHO": "I"})
        failure = await stack.failure()
    assert isinstance(failure, ServerError)
    assert "enricher" in failure.message
    assert "exit code 3" in failure.message
    assert failure.log_tail == "I fell"


async def test_a_worker_that_is_stopped_is_no_failure(tmp_path: Path) -> None:
    async with _without_servers(tmp_path) as stack:
        process = await stack.spawn_worker("enricher", ["sleep", "600"])
        assert await stack.stop_worker("enricher") == 128 + signal.SIGTERM
        assert not process.running
        await stack.spawn_worker("personalizer", ["sleep", "600"])
    assert stack._failures.empty()


async def test_a_failed_start_stops_what_had_started(tmp_path: Path) -> None:
    stack = EmbeddedStack(tmp_path, tmp_path / "no models")
    with pytest.raises(ServerError, match="no model repository"):
        await stack.__aenter__()
    assert not any(server.process and server.process.running for server in stack.servers.values())
    async with _without_servers(tmp_path):  # the run folder is free again
        pass


def test_a_killed_stack_leaves_no_process_and_the_next_one_starts(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from workers.embedded.stack import EmbeddedStack

async def main() -> None:
    async with EmbeddedStack(Path(sys.argv[1]), Path(sys.argv[2]), triton_models=["echo"]) as stack:
        await stack.spawn_worker("worker", ["sleep", "600"])
        print("up", flush=True)
        await asyncio.sleep(3600 if sys.argv[3] == "stay" else 0)

asyncio.run(main())
"""
    command = [sys.executable, "-c", program, str(tmp_path), str(_TINY)]
    with subprocess.Popen([*command, "stay"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 9  # four guards, four of theirs, and Triton's stub
        parent.kill()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and any(map(_runs, family)):
        time.sleep(0.1)
    assert not [process for process in family if _runs(process)]
    subprocess.run([*command, "go"], check=True, timeout=90, stdout=subprocess.PIPE)


def _runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_the_run_folder_is_its_owners_alone(tmp_path: Path) -> None:
    async with _without_servers(tmp_path / "run"):
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_the_development_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    key = development_key(tmp_path / "run")
    assert len(bytes.fromhex(key)) == 32
    assert development_key(tmp_path / "run") == key
    assert (tmp_path / "run" / "pseudonym.key").stat().st_mode & 0o777 == 0o600
