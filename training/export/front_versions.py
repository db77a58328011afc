"""Versions of the model in a repository, as an export finds them and adds one.

Version N is the folder `query_understanding/N`: the front's code and, in `config.pbtxt` and
`configs/cpu.pbtxt` beside it, what it is served with. The files of the same names one level up are
those that Triton reads; their version policy names the live version. Loading, promoting and rolling
back what is added here is `workers.models.repository`'s.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.export.serving_config import (
    Served,
    front_config,
    policy_versions,
    read_front,
    version_policy,
)

FRONT = "query_understanding"
_CPU = "configs/cpu.pbtxt"
_RUNTIMES = {_CPU: "local", "config.pbtxt": "bls"}
_CODE = Path(__file__).resolve().parents[2] / "model_repository" / FRONT / "1" / "model.py"


@contextmanager
def alone(repository: Path) -> Iterator[None]:
    """Holds off other exports, and `intentstream model`, which locks the same folder."""
    front = repository / FRONT
    front.mkdir(parents=True, exist_ok=True)
    handle = os.open(front, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """A folder that appears under its name when all is in it, or not at all."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def live_front(repository: Path) -> Served | None:
    """What is served; None where the repository has no front."""
    file = repository / FRONT / _CPU
    return read_front(file.read_text(encoding="utf-8")) if file.is_file() else None


def newest_front(repository: Path) -> Served | None:
    """What the newest version is served with, be it live or not; None where there is none."""
    numbers = _numbers(repository / FRONT)
    return _front(repository, numbers[-1]) if numbers else None


def front_with(repository: Path, language: str, encoder: str) -> Served | None:
    """What the newest version that has this version of an encoder is served with.

    Where no version has it, it is what is live.
    """
    for number in reversed(_numbers(repository / FRONT)):
        found = _front(repository, number)
        if found and str(found.encoder_versions.get(language)) == encoder:
            return found
    return live_front(repository)


def add_front(repository: Path, served: Served) -> tuple[int, bool]:
    """Adds the next version. What is live stays so; the first one is live at once.

    Args:
        repository: held alone.
        served: labels and encoders of the new version.

    Returns:
        Its number, and whether it is live.
    """
    front = repository / FRONT
    numbers = _numbers(front)
    live = not numbers or not all((front / name).is_file() for name in _RUNTIMES)
    if not live:
        _name_live(front, numbers)
    number = max(numbers, default=0) + 1
    with made_whole(front / str(number)) as folder:
        shutil.copyfile(_CODE, folder / "model.py")
        (folder / _CPU).parent.mkdir()
        for name, runtime in _RUNTIMES.items():
            text = front_config(served, runtime, number)
            (folder / name).write_text(text, encoding="utf-8")
    if live:
        for name in _RUNTIMES:
            (front / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(front / str(number) / name, front / name)
    return number, live


def _numbers(front: Path) -> list[int]:
    return sorted(int(path.name) for path in front.glob("[0-9]*") if path.name.isdigit())


def _front(repository: Path, number: int) -> Served | None:
    """What a version is served with: its own configuration; what is live, where it has none."""
    own = repository / FRONT / str(number) / _CPU
    return read_front(own.read_text("utf-8")) if own.is_file() else live_front(repository)


def _name_live(front: Path, numbers: list[int]) -> None:
    """Before there is another version, the live one gets its configuration, and Triton its number.

    Where no policy says so, Triton serves the newest.
    """
    for name in _RUNTIMES:
        text = (front / name).read_text(encoding="utf-8")
        live = (policy_versions(text) or numbers)[-1]
        own = front / str(live) / name
        if not own.is_file():
            own.parent.mkdir(parents=True, exist_ok=True)
            own.write_text(text, encoding="utf-8")
        if not policy_versions(text):
            partial = front / f"{name}.partial"
            pinned = text.rstrip("\n") + f"\n{version_policy(live)}\n"
            partial.write_text(pinned, encoding="utf-8")
            partial.replace(front / name)
