"""Readers of a shop's own data: CoNLL, JSONL and CSV, each with an optional label map."""

import csv
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from streams.labels import ENTITY_TYPES, INTENTS, PREDICATES, SENTIMENTS
from training.data.examples import Example, TextSpan, checked
from training.errors import DataError

_ENCODING = "utf-8-sig"  # spreadsheets put a mark before the first column's name


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a file keeps what, and what its labels are in the schema.

    `label_map` maps the file's labels to ours: intents, sentiments, types of entities. One of ours needs
    no entry. An intent or a sentiment that maps to "" leaves its row out, a type its entity.
    """

    text: str = "text"
    intent: str = "intent"
    sentiment: str = "sentiment"
    entities: str = "entities"
    relations: str = "relations"
    delimiter: str = ","
    label_map: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks what a recipe has said.

        Raises:
            DataError: a name that is no text, a delimiter of several characters, no map of labels.
        """
        for name in ("text", "intent", "sentiment", "entities", "relations", "delimiter"):
            if not isinstance(value := getattr(self, name), str):
                raise DataError(f"the column {name} = {value!r} is not a name", "put it in quotes")
        if len(self.delimiter) != 1:
            raise DataError(f"the delimiter {self.delimiter!r} is not one character", 'such as ";"')
        labels: object = self.label_map
        if not isinstance(labels, Mapping) or not all(isinstance(v, str) for v in labels.values()):
            raise DataError(f"label_map = {labels!r} maps no labels", 'write "theirs" = "ours"')


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
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "name a file") from error
    except csv.Error as error:
        raise DataError(f"{path.name} is not CSV: {error}", "check its quotes") from error
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
    with path.open(encoding=_ENCODING) as lines:
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
    mapped = _mapped(kind, columns, source, ENTITY_TYPES)
    return f"{prefix}-{mapped}" if mapped else "O"


def _jsonl(path: Path, columns: Columns) -> Iterator[Example]:
    with path.open(encoding=_ENCODING) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = _row(line)
                spans, relations = _annotated(row, columns, path.name)
            except (ValueError, KeyError, TypeError) as error:
                fault = f"no {error}" if isinstance(error, KeyError) else str(error)
                raise DataError(
                    f"{path.name}:{number}: {fault}",
                    'a line is {"text": …, "intent": …, "entities": [{"type", "start", "end"}], '
                    '"relations": [{"subject", "object"}]}',
                ) from error
            yield from _labelled(row, columns, path.name, spans, relations)


def _row(line: str) -> Mapping[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise TypeError("a line is one object")
    return row


_Spans = tuple[TextSpan, ...]
_Pairs = tuple[tuple[int, int], ...]


def _annotated(
    row: Mapping[str, Any], columns: Columns, source: str
) -> tuple[_Spans | None, _Pairs | None]:
    """Entities from left to right, and relations between them; a row's indices count as it lists them."""
    listed, related = row.get(columns.entities), row.get(columns.relations)
    if listed is None:
        if related:
            raise ValueError("relations of a text without entities")
        return None, None
    spans = [_span(span, columns, source) for span in listed]
    kept = [n for n, span in enumerate(spans) if span.type]
    kept.sort(key=lambda n: spans[n].start)
    if related is None:
        return tuple(spans[n] for n in kept), None
    place = {n: position for position, n in enumerate(kept)}
    pairs = [_pair(relation, spans) for relation in related]
    return (
        tuple(spans[n] for n in kept),
        tuple((place[p], place[a]) for p, a in pairs if p in place and a in place),
    )


def _span(span: Mapping[str, Any], columns: Columns, source: str) -> TextSpan:
    kind = str(span["type"])
    if columns.label_map:
        kind = _mapped(kind, columns, source, ENTITY_TYPES)
    return TextSpan(kind, _whole(span["start"]), _whole(span["end"]))


def _pair(relation: Mapping[str, Any], spans: list[TextSpan]) -> tuple[int, int]:
    """Product and attribute; a predicate, which follows from the attribute's type, has to fit it."""
    product, attribute = _whole(relation["subject"]), _whole(relation["object"])
    if not (0 <= product < len(spans) and 0 <= attribute < len(spans)):
        raise ValueError(
            f"a relation of {product} and {attribute}, with {len(spans)} entities, counted from 0"
        )
    kind = spans[attribute].type
    follows = PREDICATES.get(kind)
    said = relation.get("predicate", follows)
    if follows and said != follows:
        raise ValueError(f"{said!r} is not what a {kind} says of a product: {follows}")
    return product, attribute


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a whole number")
    return value


def _csv(path: Path, columns: Columns) -> Iterator[Example]:
    delimiter = "\t" if path.suffix == ".tsv" else columns.delimiter
    with path.open(encoding=_ENCODING, newline="") as lines:
        rows = csv.DictReader(lines, delimiter=delimiter)
        if columns.text not in (rows.fieldnames or ()):
            raise DataError(
                f"{path.name} has no column {columns.text!r}",
                f"its columns are {', '.join(rows.fieldnames or ())}; name others, or another "
                "delimiter, under columns",
            )
        for name, usual in ((columns.intent, "intent"), (columns.sentiment, "sentiment")):
            if name != usual and name not in (rows.fieldnames or ()):
                raise DataError(
                    f"{path.name} has no column {name!r}",
                    f"its columns are {', '.join(rows.fieldnames or ())}",
                )
        for row in rows:
            yield from _labelled(row, columns, path.name)


def _labelled(
    row: Mapping[str, Any],
    columns: Columns,
    source: str,
    spans: _Spans | None = None,
    relations: _Pairs | None = None,
) -> Iterator[Example]:
    intent = row.get(columns.intent) or None
    sentiment = row.get(columns.sentiment) or None
    if columns.label_map:
        intent = intent and _mapped(str(intent), columns, source, INTENTS)
        sentiment = sentiment and _mapped(str(sentiment), columns, source, SENTIMENTS)
        if "" in (intent, sentiment):
            return
    text = str(row.get(columns.text) or "")
    yield Example(text, source, intent, sentiment, spans, relations)


def _mapped(label: str, columns: Columns, source: str, ours: Collection[str]) -> str:
    if label in columns.label_map:
        return columns.label_map[label]
    if label in ours:
        return label
    raise DataError(
        f"{source}: label {label!r} is neither in the label map nor in the schema",
        'map it to a label of the schema, or to "" to leave it out',
    )


_READERS: dict[str, Callable[[Path, Columns], Iterator[Example]]] = {
    ".conll": _conll,
    ".bio": _conll,
    ".iob2": _conll,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
}
