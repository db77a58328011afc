"""Child processes that log to a file and cannot outlive us."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from workers.errors import ServerError

_GUARD = Path(__file__).with_name("guard.py")
_LOG_KEEP_BYTES = 16 * 1024 * 1024  # a log larger than this is moved aside at the next start
_TAIL_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessSpec:
    """What to run, and how it may end.

    Attributes:
        name: The word for it in messages and the name of its log.
        argv: The program and its arguments; no shell is involved.
        log: Where its output is appended.
        cwd: Its working directory.
        env: Its whole environment; None passes ours on.
        grace_s: Seconds from SIGTERM to SIGKILL when it is stopped.
        shm_prefix: Names in /dev/shm with this prefix are removed when it has ended.
        scratch: A folder of its own that is removed when it has ended.
        litter: Empty folders with this prefix that were made while it ran are removed when it has ended.
        noise: Lines of its log that say nothing about a failure; left out of log tails.
    """

    name: str
    argv: Sequence[str]
    log: Path
    cwd: Path
    env: Mapping[str, str] | None = None
    grace_s: float = 10.0
    shm_prefix: str = ""
    scratch: Path | None = None
    litter: str = ""
    noise: re.Pattern[str] | None = None


class GuardedProcess:
    """A running program under its guard (see ``guard.py``)."""

    def __init__(
        self,
        spec: ProcessSpec,
        guard: asyncio.subprocess.Process,
        lifeline: socket.socket,
        pid: int,
        log_start: int,
    ) -> None:
        self.spec = spec
        self.pid = pid
        self._guard = guard
        self._lifeline = lifeline
        self._log_start = log_start
        self.asked_to_end = False

    @classmethod
    async def start(cls, spec: ProcessSpec) -> Self:
        """Start the program.

        Raises:
            ServerError: The program cannot be run at all.
        """
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        log_start = _open_log_position(spec.log)
        ours, theirs = socket.socketpair()
        order = {
            "argv": list(spec.argv),
            "env": dict(os.environ if spec.env is None else spec.env),
            "grace_s": spec.grace_s,
            "shm_prefix": spec.shm_prefix,
            "scratch": str(spec.scratch or ""),
            "litter": spec.litter,
        }
        try:
            with theirs, spec.log.open("ab") as log:
                guard = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", str(_GUARD), str(theirs.fileno()), spec.name),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=spec.cwd,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # Ctrl-C is ours to handle, not the children's
                )
            ours.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(ours, json.dumps(order).encode() + b"\n")
            told = await loop.sock_recv(ours, 32)
        except BaseException:
            ours.close()
            raise
        if not told:
            await guard.wait()
            ours.close()
            raise ServerError(
                f"{spec.name} could not be started", log_tail=_tail(spec, log_start, 20)
            )
        return cls(spec, guard, ours, int(told), log_start)

    @property
    def returncode(self) -> int | None:
        """The exit code, 128 + n where signal n ended it, or None while it runs."""
        return self._guard.returncode

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._guard.returncode is None

    async def wait(self) -> int:
        """Wait until it has ended and all its descendants are gone. Returns the exit code."""
        code = await self._guard.wait()
        self._lifeline.close()
        return code

    async def stop(self) -> int:
        """Ask it to end, insist after the grace period, and wait. Returns the exit code."""
        self.asked_to_end = True
        with contextlib.suppress(ProcessLookupError):
            if self.running:
                self._guard.send_signal(signal.SIGTERM)
        return await self.wait()

    async def kill(self) -> int:
        """Kill it as a crash would, without warning, and wait. Returns the exit code."""
        self.asked_to_end = True
        with contextlib.suppress(ProcessLookupError):
            if self.running:
                os.kill(self.pid, signal.SIGKILL)
        return await self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself (SIGSTOP and SIGCONT for fault tests)."""
        with contextlib.suppress(ProcessLookupError):
            if self.running:
                os.kill(self.pid, number)

    def log_tail(self, lines: int = 20) -> str:
        """The last lines that this run wrote to its log."""
        return _tail(self.spec, self._log_start, lines)

    def log_since_start(self) -> str:
        """All that this run wrote to its log."""
        with self.spec.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode("utf-8", "replace")

    async def wait_until(
        self, ready: Callable[[], Awaitable[bool]], *, timeout_s: float, interval_s: float = 0.05
    ) -> None:
        """Wait until ``ready()`` says so.

        Raises:
            ServerError: It ended first, or was not ready in time (then it is killed).
        """
        deadline = time.monotonic() + timeout_s
        problem = ""
        try:
            while not problem and not await ready():
                if not self.running:
                    problem = f"ended while starting ({describe_exit(await self.wait())})"
                elif time.monotonic() > deadline:
                    problem = f"was not ready within {timeout_s:.0f} s"
                else:
                    await asyncio.sleep(interval_s)
        except BaseException:  # cancellation too: nobody else knows of this process yet
            await self.kill()
            raise
        if problem:
            await self.kill()
            raise self.failure(f"{self.spec.name} {problem}")

    def failure(self, message: str) -> ServerError:
        """An error about this process, with the tail of its log."""
        return ServerError(message, f"the whole log: {self.spec.log}", self.log_tail())


@dataclass(slots=True)
class EmbeddedServer(ABC):
    """The life of one embedded server: an async context manager that can be killed and restarted.

    Ports are chosen once, so that a restarted server is found where it was.

    Attributes:
        run_dir: The run folder: logs go to ``run_dir/logs``.
        process: The process that serves, or served last.
        on_launch: Told about each process that has come to serve.
    """

    run_dir: Path
    process: GuardedProcess | None = field(default=None, init=False)
    on_launch: Callable[[GuardedProcess], None] = field(default=lambda _: None, init=False)

    @abstractmethod
    async def _launch(self) -> GuardedProcess:
        """Start the process, wait until it serves, and return it."""

    async def start(self) -> None:
        """Start it, and return when it serves. Does nothing where it runs already.

        Raises:
            ServerError: It did not start; the error carries the tail of its log.
            InstallError: What it runs on is not installed and cannot be fetched.
        """
        if self.process is None or not self.process.running:
            self.process = await self._launch()
            self.on_launch(self.process)

    async def stop(self) -> None:
        """Stop it cleanly; returns when nothing of it is left."""
        if self.process is not None:
            await self.process.stop()

    async def kill(self) -> None:
        """Kill it as a crash would."""
        if self.process is not None:
            await self.process.kill()

    async def restart(self) -> None:
        """Stop it where it runs, and start it again on the same ports and data."""
        await self.stop()
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()


def describe_exit(code: int) -> str:
    """An exit code in words: ``exit code 3``, or ``killed by SIGKILL``."""
    if code > 128:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(code - 128).name}"
    return f"exit code {code}"


def _open_log_position(log: Path) -> int:
    """Where this run's part of the log begins; a log grown large is moved aside first."""
    size = log.stat().st_size if log.exists() else 0
    if size > _LOG_KEEP_BYTES:
        log.replace(log.with_suffix(log.suffix + ".1"))
        return 0
    return size


def _tail(spec: ProcessSpec, start: int, lines: int) -> str:
    with contextlib.suppress(OSError), spec.log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(start, end - _TAIL_BYTES))
        written = file.read().decode("utf-8", "replace").splitlines()
        telling = [line for line in written if not (spec.noise and spec.noise.match(line))]
        return "\n".join((telling or written)[-lines:])
    return ""
