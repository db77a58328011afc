"""A data set without an official split: a random tenth of it is held out, the same one everywhere."""

import zlib
from collections.abc import Callable
from pathlib import Path

from training.data.examples import Example

Read = Callable[[Path], list[Example]]
PARTS = (("train", "nine tenths"), ("dev", "a random tenth"))
"""The names of the two parts, and what they are."""


def tenth(read: Read, part: str) -> Read:
    """A reader of nine tenths of a data set (`train`), or of the tenth that is left (`dev`).

    By a hash of the text, so that copies of a text stay together.
    """

    def read_part(folder: Path) -> list[Example]:
        held_out = part == "dev"
        return [e for e in read(folder) if (zlib.crc32(e.text.encode()) % 10 == 0) == held_out]

    return read_part
