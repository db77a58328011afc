"""Readers of a shop's own data: CoNLL, JSONL and CSV, each with an optional label map."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import DataError
from training.examples import Example, TextSpan, checked


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file keeps what, and what its labels are in the schema.

    `label_map` maps the file's label to ours; a label that maps to "" leaves its row out; with
    a map, a label that is not in it is an error.
    """

    text: str = "text"
    intent: str = "intent"
    sentiment: str = "sentiment"
    entities: str = "entities"
    delimiter: str = ","
    label_map: Mapping[str, str] = field(default_factory=dict)


def read(path: Path, columns: Columns = Columns()) -> list[Example]:
    """All examples of a file, by its suffix: .conll, .bio, .iob2; .jsonl; .csv, .tsv.

    Raises:
        DataError: no such file, an unknown suffix, a malformed line, a label outside the schema.
    """
    try:
        reader = _READERS[path.suffix]
    except KeyError:
        raise DataError(
            f"{path.name}: unknown kind of file {path.suffix!r}",
            f"name it {', '.join(sorted(_READERS))}",
        ) from None
    try:
        found = [checked(example) for example in reader(path, columns)]
    except FileNotFoundError:
        raise DataError(f"{path} is not there", "check the path") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8: {error.reason}", "convert it") from error
    if not found:
        raise DataError(f"{path.name} holds no example", "check its columns and its label map")
    return found


def from_words(
    words: list[str], tags: list[str], source: str, intent: str | None = None
) -> Example:
    """An example from words and their BIO tags; an I- that continues nothing begins an entity."""
    spans: list[TextSpan] = []
    position, open_type = 0, ""
    for word, tag in zip(words, tags, strict=True):
        prefix, _, kind = tag.partition("-")
        if tag == "O":
            open_type = ""
        elif prefix == "I" and kind == open_type:
            spans[-1] = TextSpan(kind, spans[-1].start, position + len(word))
        elif prefix in ("B", "I") and kind:
            spans.append(TextSpan(kind, position, position + len(word)))
            open_type = kind
        else:
            raise DataError(f"{source}: {tag!r} is not a BIO tag", "use O, B-type and I-type")
        position += len(word) + 1
    return Example(" ".join(words), source, intent=intent, spans=tuple(spans))


def _conll(path: Path, columns: Columns) -> Iterator[Example]:
    words: list[str] = []
    tags: list[str] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            parts = line.split()
            if not parts:
                if words:
                    yield from_words(words, tags, path.name)
                words, tags = [], []
                continue
            if len(parts) < 2:
                raise DataError(f"{path.name}:{number}: no tag after the word {parts[0]!r}")
            words.append(parts[0])
            tags.append(_mapped_tag(parts[-1], columns, path.name))
    if words:
        yield from_words(words, tags, path.name)


def _mapped_tag(tag: str, columns: Columns, source: str) -> str:
    if tag == "O" or not columns.label_map:
        return tag
    prefix, _, kind = tag.partition("-")
    mapped = _mapped(kind, columns, source)
    return f"{prefix}-{mapped}" if mapped else "O"


def _jsonl(path: Path, columns: Columns) -> Iterator[Example]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                spans = row.get(columns.entities)
                found = (
                    None if spans is None else tuple(_span(s, columns, path.name) for s in spans)
                )
            except (json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
                raise DataError(
                    f"{path.name}:{number}: {error!r}",
                    'a line is {"text": …, "intent": …, "entities": [{"type", "start", "end"}]}',
                ) from error
            yield from _labelled(row, columns, path.name, found)


def _span(span: dict[str, Any], columns: Columns, source: str) -> TextSpan:
    kind = _mapped(str(span["type"]), columns, source) if columns.label_map else str(span["type"])
    return TextSpan(kind, int(span["start"]), int(span["end"]))


def _csv(path: Path, columns: Columns) -> Iterator[Example]:
    delimiter = "\t" if path.suffix == ".tsv" else columns.delimiter
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter=delimiter)
        if columns.text not in (rows.fieldnames or ()):
            raise DataError(
                f"{path.name} has no column {columns.text!r}",
                f"its columns are {', '.join(rows.fieldnames or ())}",
            )
        for row in rows:
            yield from _labelled(row, columns, path.name, None)


def _labelled(
    row: Mapping[str, Any], columns: Columns, source: str, spans: tuple[TextSpan, ...] | None
) -> Iterator[Example]:
    intent = row.get(columns.intent) or None
    sentiment = row.get(columns.sentiment) or None
    if columns.label_map and intent is not None:
        intent = _mapped(intent, columns, source)
        if not intent:
            return
    yield Example(str(row.get(columns.text) or ""), source, intent, sentiment, spans)


def _mapped(label: str, columns: Columns, source: str) -> str:
    try:
        return columns.label_map[label]
    except KeyError:
        raise DataError(
            f"{source}: label {label!r} is not in the label map",
            'map it to a label of the schema, or to "" to leave it out',
        ) from None


_READERS: dict[str, Callable[[Path, Columns], Iterator[Example]]] = {
    ".conll": _conll,
    ".bio": _conll,
    ".iob2": _conll,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
}
