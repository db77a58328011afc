"""Reading a file of raw queries: JSON per line, or plain text lines.

Every line counts as one record, also an empty one: nothing of the file is passed over. (The end
of the last line starts no further line.)

- *JSON lines*: each line becomes a record's value, byte for byte, so a line that is not JSON
  arrives as it is and becomes a dead letter. The record's key is the line's `user_id`, else its
  `session_id`, as a shop's own producer would choose it.
- *Plain text*: each line becomes the `text` of a query without a user. A line that is not UTF-8
  is passed on as it is.

Which of the two a file is follows from its first 1,000 lines: JSON lines when at least half of
those that are not blank are JSON objects, or when one is and the name ends in `.jsonl`,
`.ndjson` or `.json`. The file's format can also be said outright.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from workers.errors import IntentstreamError

MAX_LINE_BYTES = 8 * 1024 * 1024
_SAMPLE_LINES = 1_000
_BOM = b"\xef\xbb\xbf"
_JSON_NAMES = (".jsonl", ".ndjson", ".json")


class InputFormat(StrEnum):
    """How a file of queries is written."""

    AUTO = "auto"
    JSONL = "jsonl"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file, counted from 1; `value` is None when it is longer than the limit."""

    number: int
    key: bytes | None
    value: bytes | None


class _Ids(msgspec.Struct):
    user_id: Any = None
    session_id: Any = None


_ids = msgspec.json.Decoder(_Ids)
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()


class InputFile:
    """An open file of raw queries (`-` is standard input). Iterate over it once.

    Raises `IntentstreamError` when it cannot be opened. Memory is bounded by the longest line
    and the sample of the first 1,000 lines.
    """

    def __init__(self, path: str, input_format: InputFormat = InputFormat.AUTO) -> None:
        self.path = path
        self.size: int | None = None
        """Bytes in the file; None when it cannot be known."""
        self.read_bytes = 0
        """Bytes read so far, for a progress bar."""
        self._file = self._open()
        raw = self._raw_lines()
        sample = list(islice(raw, _SAMPLE_LINES))
        self.format = input_format
        if input_format is InputFormat.AUTO:
            self.format = _recognised(path, sample)
        self._raw = chain(sample, raw)

    def _open(self) -> BinaryIO:
        if self.path == "-":
            return sys.stdin.buffer
        try:
            file = Path(self.path).open("rb")  # noqa: SIM115 (closed by __exit__)
        except OSError as error:
            raise IntentstreamError(
                f"The input file {self.path} cannot be read: {error.strerror}.",
                "Give the path of a file with one query per line (JSON or plain text) to --input.",
            ) from error
        if Path(self.path).is_file():
            self.size = Path(self.path).stat().st_size
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.path != "-":
            self._file.close()

    def __iter__(self) -> Iterator[Line]:
        for number, line in enumerate(self._raw, start=1):
            if line is None:
                yield Line(number, None, None)
            elif self.format is InputFormat.TEXT:
                yield Line(number, None, _text_value(line.removeprefix(_BOM)))
            else:
                yield Line(number, _key(line), line)

    def _raw_lines(self) -> Iterator[bytes | None]:
        """The lines without their ends; None for one beyond the limit."""
        while data := self._file.readline(MAX_LINE_BYTES + 2):
            self.read_bytes += len(data)
            if data.endswith(b"\n") or len(data) < MAX_LINE_BYTES + 2:
                yield data.removesuffix(b"\n").removesuffix(b"\r")
                continue
            while (rest := self._file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                self.read_bytes += len(rest)
            yield None


def _recognised(path: str, sample: list[bytes | None]) -> InputFormat:
    lines = [line for line in sample if line and line.strip()]
    objects = sum(_is_object(line) for line in lines)
    named = path.lower().endswith(_JSON_NAMES)
    if objects and (named or 2 * objects >= len(lines)):
        return InputFormat.JSONL
    return InputFormat.TEXT


def _is_object(line: bytes) -> bool:
    try:
        _object.decode(line.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _text_value(line: bytes) -> bytes:
    try:
        return _encoder.encode({"text": line.decode()})
    except UnicodeDecodeError:
        return line


def _key(line: bytes) -> bytes | None:
    try:
        ids = _ids.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    for identifier in (ids.user_id, ids.session_id):
        if isinstance(identifier, str | int) and identifier != "":
            return str(identifier).encode("utf-8", "surrogatepass")
    return None
