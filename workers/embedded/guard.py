"""A guard between us and a server: it makes sure that nothing outlives the process that started it.

Run as a script (``python -I -S guard.py FD NAME``), with the standard library alone, so that it starts in
milliseconds. FD is an inherited socket over which it is told what to run (NAME is for the eyes of whoever
looks at a process list). It starts the server in a session of its own and then waits for the first of:

* the server ends: what is left of its family is killed;
* SIGTERM, or the *lifeline* (a socket whose other end our parent holds) closes, which the kernel does
  however the parent dies, SIGKILL included: the server gets SIGTERM, a grace period, then SIGKILL.

As the subreaper of its descendants it inherits every orphan, also those that left the process group
(Triton's Python stubs outlive a crashed server), so it can end them all before it ends itself. If the
guard is killed, the kernel sends the server SIGKILL (PR_SET_PDEATHSIG). The guard is single-threaded,
which that signal needs: it fires when the *thread* that forked goes away.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_SHM = "/dev/shm"
_NOT_EXECUTABLE = 127
IN_USE = "in-use"
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE)


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def _spawn(argv: list[str], environment: dict[str, str]) -> int:
    """Fork and exec the server in its own session, tied to this process's life.

    Returns its pid once it has become the server, so that a signal sent to it from then on means the
    server; or 0 where it cannot be run (it has said why on stderr).
    """
    guard = os.getpid()
    became, become = os.pipe()  # closed by a successful exec
    # No signal may reach the child while it still has our handlers: they would swallow it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _HANDLED)
    pid = os.fork()
    if not pid:
        try:
            os.setsid()
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != guard:  # the guard died before the line above took effect
                os._exit(_NOT_EXECUTABLE)
            signal.set_wakeup_fd(-1)
            for number in _HANDLED:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            os.execvpe(argv[0], argv, environment)  # noqa: S606 - a list, and no shell is wanted
        except BaseException as error:  # noqa: BLE001 - past the fork nothing may return
            os.write(2, f"cannot run {argv[0]}: {error}\n".encode())
            os.write(become, b"!")
        os._exit(_NOT_EXECUTABLE)
    os.close(become)
    failed = os.read(became, 1)
    os.close(became)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _HANDLED)
    return 0 if failed else pid


def _children() -> Iterator[int]:
    """The pids whose parent is this process, read from /proc."""
    me = os.getpid()
    for name in os.listdir("/proc"):  # noqa: PTH208 - pathlib costs start-up time here
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - likewise
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == me:
            yield int(name)


def _kill_family(leader: int) -> None:
    """Kill the leader's process group and all inherited orphans, and reap them."""
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
        for pid in _children():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def _clean_shared_memory(prefix: str) -> None:
    for name in os.listdir(_SHM):  # noqa: PTH208 - as above
        if name.startswith(prefix):
            with contextlib.suppress(OSError):
                os.unlink(f"{_SHM}/{name}")  # noqa: PTH108 - as above


def _remove_litter(prefix: str, since: float) -> None:
    """Remove empty folders of ours with this prefix that were made since then (wall clock, s)."""
    folder, _, start = prefix.rpartition("/")
    for name in os.listdir(folder):  # noqa: PTH208 - as above
        path = f"{folder}/{name}"
        if name.startswith(start):
            with contextlib.suppress(OSError):
                facts = os.lstat(path)
                if facts.st_uid == os.getuid() and facts.st_mtime >= since:
                    os.rmdir(path)  # noqa: PTH106 - as above; refuses what is not empty


def _claim(scratch: str) -> None:
    """Hold a lock on a file in the folder as long as we live: it tells others that it is in use."""
    number = os.open(f"{scratch}/{IN_USE}", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(number, fcntl.LOCK_EX)


def _watch(leader: int, lifeline: socket.socket, wakeup: socket.socket, grace_s: float) -> int:
    """Wait for the leader to end, passing on the order to stop. Returns its wait status."""
    deadline: float | None = None
    while True:
        # Reap orphans as they come, but leave the leader's status for the return value.
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == leader:
                return status
            if not pid:
                break
        watched = [wakeup] if deadline is not None else [wakeup, lifeline]
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        readable, _, _ = select.select(watched, [], [], timeout)
        stop = lifeline in readable and not _still_held(lifeline)
        if wakeup in readable:
            stop = signal.SIGTERM in wakeup.recv(4096) or stop
        if stop and deadline is None:
            deadline = time.monotonic() + grace_s
            with contextlib.suppress(ProcessLookupError):
                os.kill(leader, signal.SIGTERM)
        elif deadline is not None and time.monotonic() >= deadline:
            with contextlib.suppress(ProcessLookupError):
                os.kill(leader, signal.SIGKILL)
            deadline = time.monotonic() + grace_s


def _still_held(lifeline: socket.socket) -> bool:
    try:
        return bool(lifeline.recv(16))
    except OSError:
        return False


def _read_order(lifeline: socket.socket) -> dict[str, Any]:
    """The one line of JSON that our parent sends: see ``process.GuardedProcess.start``."""
    received = b""
    while not received.endswith(b"\n"):
        chunk = lifeline.recv(65536)
        if not chunk:
            sys.exit(_NOT_EXECUTABLE)  # the parent died before it could say what to run
        received += chunk
    order: dict[str, Any] = json.loads(received)
    return order


def main() -> int:
    """Guard one server until it has ended. Returns its exit code, 128 + n where signal n ended it."""
    lifeline = socket.socket(fileno=int(sys.argv[1]))
    lifeline.set_inheritable(False)
    order = _read_order(lifeline)
    wakeup, wakeup_writer = socket.socketpair()
    wakeup.setblocking(False)
    wakeup_writer.setblocking(False)
    signal.set_wakeup_fd(wakeup_writer.fileno())
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)

    since = time.time() - 1  # file systems keep time more coarsely than clocks
    if order["scratch"]:
        _claim(order["scratch"])
    leader = _spawn(order["argv"], order["env"])
    if not leader:
        return _NOT_EXECUTABLE
    with contextlib.suppress(OSError):
        lifeline.sendall(f"{leader}\n".encode())
    try:
        status = _watch(leader, lifeline, wakeup, order["grace_s"])
    finally:
        _kill_family(leader)
        if order["shm_prefix"]:
            _clean_shared_memory(order["shm_prefix"])
        if order["litter"]:
            _remove_litter(order["litter"], since)
        if order["scratch"]:
            import shutil  # noqa: PLC0415 - rarely needed, and start-up time counts here

            shutil.rmtree(order["scratch"], ignore_errors=True)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
