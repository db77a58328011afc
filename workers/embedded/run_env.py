"""The environment of a running embedded stack, for commands in another terminal.

`intentstream up` writes `run.env` into its run folder and holds a lock on it for as long as it
runs. The file of a stack that has ended, or was killed, has no lock and is never used.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from dotenv import dotenv_values

from workers.errors import IntentstreamError

RUN_DIR = Path(".intentstream")
"""Where `intentstream up` keeps its run by default, below the working directory."""

_NAME = "run.env"
_PREFIX = "INTENTSTREAM_"
_SAYS_NOTHING_OF_A_SYSTEM = frozenset({"INTENTSTREAM_HOME", "INTENTSTREAM_DATA"})


@contextmanager
def published(run_dir: Path, environment: Mapping[str, str]) -> Iterator[Path]:
    """Writes the file and holds it; removes it at the end. Yields its path.

    It carries the development key, so only its owner may read it.

    Raises `IntentstreamError` when another stack runs in this folder.
    """
    path = run_dir / _NAME
    with path.open("a", encoding="utf-8") as file:
        path.chmod(0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise IntentstreamError(
                f"Another `intentstream up` runs in {run_dir}.",
                "Stop it first, or give this one a folder of its own with --run-dir.",
            ) from None
        file.truncate(0)
        file.writelines(f"{name}={_quoted(value)}\n" for name, value in environment.items())
        file.flush()
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)


def running(run_dir: Path) -> dict[str, str] | None:
    """The environment of the stack that runs in a run folder; None when none does."""
    path = run_dir / _NAME
    try:
        with path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                values = dotenv_values(path, interpolate=False)
                return {name: value or "" for name, value in values.items()}
    except OSError:
        pass
    return None


def adopt(run_dir: Path | None, *, env_file: Path = Path(".env")) -> bool:
    """Puts a running stack's environment into this process; says whether it did.

    With a `run_dir` that was asked for, always. Otherwise the default one, and only where
    nothing else says which system is meant: neither a variable nor a `.env` file of ours.
    """
    if run_dir is None and (_configured(os.environ) or _configured(dotenv_values(env_file))):
        return False
    environment = running(run_dir or RUN_DIR)
    if environment is None:
        return False
    os.environ.update({name: environment[name] for name in environment.keys() - os.environ.keys()})
    return True


def _configured(environment: Mapping[str, str | None]) -> bool:
    names = {name.upper() for name in environment} - _SAYS_NOTHING_OF_A_SYSTEM
    return any(name.startswith(_PREFIX) for name in names)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
