"""The state folder: what is downloaded once and shared by all checkouts of one user.

Everything in it is derived from the lock files, so it can be deleted at any time. An installed tree lives
under a name that contains the digest of its lock, is complete whenever it exists (it is filled under
another name, then renamed), and is never changed afterwards.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.progress import Phase, Progressed, Report
from workers.errors import InstallError

_STAMP = ".complete"


class Cancelled(Exception):  # noqa: N818 - a signal between our threads, not an error that anyone sees
    """The installation was called off (Ctrl-C, or a sibling failed)."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of a lock file.

    Attributes:
        name: ``group:artifact:version[:classifier]`` or ``name==version``.
        sha256: Hex digest of the file.
        size: Its size in bytes.
    """

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock file: pins, and a digest that changes when any of them does."""

    pins: tuple[Pin, ...]
    digest: str

    @property
    def size(self) -> int:
        """Bytes to download in all."""
        return sum(pin.size for pin in self.pins)


def read_lock(path: Path, recipe: str) -> Lock:
    """Read a lock file.

    Args:
        path: The lock file.
        recipe: A word for how the pins are laid out on disk; it enters the digest, so that a new recipe
            installs anew.
    """
    pins = []
    for line in path.read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            name, sha256, size = line.split()
            pins.append(Pin(name, sha256, int(size)))
    content = "\n".join(f"{pin.name} {pin.sha256}" for pin in pins)
    return Lock(tuple(pins), hashlib.sha256(f"{recipe}\n{content}".encode()).hexdigest()[:12])


def state_folder() -> Path:
    """``$INTENTSTREAM_HOME``, else ``$XDG_DATA_HOME/intentstream``, else ``~/.local/share/intentstream``.

    Raises:
        InstallError: The folder cannot be made or written.
    """
    if named := os.environ.get("INTENTSTREAM_HOME"):
        folder = Path(named)
    elif xdg := os.environ.get("XDG_DATA_HOME"):
        folder = Path(xdg) / "intentstream"
    else:
        folder = Path("~/.local/share/intentstream")
    try:
        folder = folder.expanduser().absolute()
        folder.mkdir(parents=True, exist_ok=True)
    except RuntimeError as error:  # a user id without a name, as containers have them
        raise InstallError(
            "this user has no home folder", "name a writable folder in INTENTSTREAM_HOME"
        ) from error
    except OSError as error:
        raise InstallError(
            f"cannot make the state folder {folder}: {error.strerror}",
            "name a writable folder in INTENTSTREAM_HOME",
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InstallError(
            f"the state folder {folder} is not writable",
            "name a writable folder in INTENTSTREAM_HOME",
        )
    return folder


def installed(name: str, lock: Lock) -> Path | None:
    """The installed tree for this lock, or None."""
    tree = state_folder() / f"{name}-{lock.digest}"
    return tree if (tree / _STAMP).exists() else None


def ensure_installed(
    name: str,
    lock: Lock,
    fill: Callable[[Path], None],
    *,
    report: Report,
    cancelled: threading.Event,
) -> Path:
    """The installed tree for this lock; fills it first where it is missing. Blocking: run in a thread.

    Two processes may call this at once: one fills, the other waits for it. What an interrupted run has
    left is handed to ``fill`` again, so finished downloads are kept.

    Args:
        name: The tree's name.
        lock: Its pins.
        fill: Lays out the tree in the folder it is given.
        report: Told what goes on.
        cancelled: Set by the caller to call it off.

    Raises:
        InstallError: ``fill`` failed, or the disk is full.
        Cancelled: It was called off.
    """
    if (tree := installed(name, lock)) is not None:
        return tree
    folder = state_folder()
    tree = folder / f"{name}-{lock.digest}"
    partial = folder / f"{name}-{lock.digest}.partial"
    with _only_one(folder / f"{name}.lock", name, report, cancelled):
        if (tree / _STAMP).exists():
            return tree
        try:
            partial.mkdir(exist_ok=True)
            fill(partial)
            (partial / _STAMP).write_text(lock.digest, "ascii")
            if tree.exists():  # its stamp is missing: someone has tampered with it
                shutil.rmtree(tree)
            partial.rename(tree)
        except OSError as error:
            raise InstallError(
                f"cannot install {name} in {folder}: {error.strerror or error}",
                f"make room ({lock.size * 4 // 1_000_000} MB) or name another folder in INTENTSTREAM_HOME",
            ) from error
    return tree


@contextmanager
def _only_one(path: Path, name: str, report: Report, cancelled: threading.Event) -> Iterator[None]:
    """Hold the file lock; it goes with the process, so a crash leaves none behind.

    pip inherits it: where we are killed while it works, the lock goes when pip has ended too.
    """
    with path.open("a") as file:
        os.set_inheritable(file.fileno(), True)
        told = False
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if not told:
                report(Progressed(name, Phase.WAITING, "for another process that is installing it"))
                told = True
            if cancelled.is_set():
                raise Cancelled
            time.sleep(0.1)
        yield


def has_digest(path: Path, pin: Pin) -> bool:
    """Whether the file is there and is what the lock says."""
    if not path.is_file() or path.stat().st_size != pin.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == pin.sha256
