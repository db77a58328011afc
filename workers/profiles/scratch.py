"""A folder for Faust that is gone with its process, whatever ended it.

Faust insists on a folder even when its tables are in memory. A process that is killed cannot remove
its own; the next one does. Who is alive is told by a lock on a file in the folder, which the kernel
releases with the process: process ids are used again, and mean nothing in another container.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

_PREFIX: Final = "intentstream-faust-"
_LOCK: Final = "in-use"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder under TMPDIR. Those that dead processes have left there are removed first."""
    _sweep(Path(tempfile.gettempdir()))
    with tempfile.TemporaryDirectory(prefix=_PREFIX) as name:
        folder = Path(name)
        with (folder / _LOCK).open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield folder


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        # without the file it is just being made, or another user's
        with suppress(OSError), (folder / _LOCK).open() as file:
            if _is_free(file):
                shutil.rmtree(folder, ignore_errors=True)


def _is_free(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
