"""Readers of a shop's own data: CoNLL, JSONL and CSV, each with an optional label map."""

import csv
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from streams.labels import ENTITY_TYPES, INTENTS, PREDICATES, SENTIMENTS
from streams.text import is_ideograph, whole_characters
from training.data.examples import Example, TextSpan, checked
from training.errors import DataError

_SCHEMA = {"intent": INTENTS, "sentiment": SENTIMENTS, "entity type": ENTITY_TYPES}
_NAMED = 60  # unknown labels that an error names: a shop has some of its own, a column of texts has thousands
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

    Their source is the file; while they are read and checked, it is the line too.

    Raises:
        DataError: no such file, an unknown suffix, a malformed line, labels outside the schema.
    """
    try:
        reader = _READERS[path.suffix]
    except KeyError:
        raise DataError(
            f"{path.name}: unknown kind of file {path.suffix!r}",
            f"name it {', '.join(sorted(_READERS))}",
        ) from None
    try:
        placed = list(reader(path, columns))
    except FileNotFoundError:
        raise DataError(f"{path} is not there", "check the path") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "name a file") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not UTF-8: {error.reason}", "convert it") from error
    if not placed:
        raise DataError(f"{path.name} holds no example", "check its columns and its label map")
    _check_labels(placed, path.name)
    return [replace(checked(example), source=path.name) for example in placed]


def _check_labels(placed: Iterable[Example], name: str) -> None:
    """Whether all labels of a file are in the schema.

    Raises:
        DataError: naming all that are not, the most frequent first.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for example in placed:
        for kind, label in _labels_of(example):
            if label not in _SCHEMA[kind]:
                places.setdefault((kind, label), []).append(example.source.rpartition(":")[2])
    if not places:
        return
    ranked = sorted(places.items(), key=lambda item: -len(item[1]))
    named = [
        f"{kind} {label!r} ({len(lines)}x, first in the text of line {lines[0]})"
        for (kind, label), lines in ranked[:_NAMED]
    ]
    if len(ranked) > _NAMED:
        named.append(f"and {len(ranked) - _NAMED} others")
    kinds = dict.fromkeys(kind for (kind, _), _ in ranked)
    ours = "; ".join(f"{kind}: {', '.join(_SCHEMA[kind])}" for kind in kinds)
    (_, first), _ = ranked[0]
    raise DataError(
        f"{name}: the schema does not have {', '.join(named)}",
        f'write "{first}" = "…" and so on under [data.files.columns.label_map], or below '
        f'[[data.validation]], with one of the schema, or "" to leave it out; {ours}',
    )


def _labels_of(example: Example) -> Iterator[tuple[str, str]]:
    """What a text is labelled with, each with its key in `_SCHEMA`."""
    if example.intent is not None:
        yield "intent", example.intent
    if example.sentiment is not None:
        yield "sentiment", example.sentiment
    for span in example.spans or ():
        yield "entity type", span.type


def from_words(
    words: Sequence[str],
    tags: Sequence[str],
    source: str,
    intent: str | None = None,
    *,
    blanks: bool = True,
) -> Example:
    """An example from words and their BIO or BIOES tags; an I- that continues nothing begins an entity.

    Args:
        words: of one text.
        tags: one a word.
        source: of the example.
        intent: of the text, where it is known.
        blanks: whether a blank stands between two words; beside an ideograph there never is one.

    Raises:
        DataError: another tag.
    """
    spans: list[TextSpan] = []
    text, open_type = "", ""
    for word, tag in zip(words, tags, strict=True):
        if blanks and text and not (is_ideograph(text[-1]) or is_ideograph(word[:1])):
            text += " "
        start = len(text)
        text += word
        prefix, _, kind = tag.partition("-")
        if tag == "O":
            open_type = ""
            continue
        if prefix not in ("B", "I", "E", "S") or not kind:
            raise DataError(f"{source}: {tag!r} is not a BIO tag", "use O, B-type and I-type")
        if prefix in ("I", "E") and kind == open_type:
            spans[-1] = TextSpan(kind, spans[-1].start, len(text))
        else:
            spans.append(TextSpan(kind, start, len(text)))
        open_type = kind if prefix in ("B", "I") else ""
    return Example(text, source, intent=intent, spans=tuple(spans))


def _conll(path: Path, columns: Columns) -> Iterator[Example]:
    """A file of which each word is one character has the blanks of its texts as characters too."""
    texts: list[tuple[list[str], list[str], str]] = []
    ended = True
    with path.open(encoding=_ENCODING) as lines:
        for number, whole in enumerate(lines, 1):
            place, line = f"{path.name}:{number}", whole.rstrip()
            if not line or line.startswith("-DOCSTART-"):
                ended = True
                continue
            parts = line.split("\t") if "\t" in line else [p for p in line.split(" ") if p]
            word = parts[0].strip() or " "
            if len(parts) < 2:
                raise DataError(f"{place}: no tag after the word {word!r}")
            if ended:
                texts.append(([], [], place))
                ended = False
            texts[-1][0].append(word)
            texts[-1][1].append(_mapped_tag(parts[-1].strip(), columns))
    blanks = any(len(word) > 1 for words, _, _ in texts for word in words)
    for words, tags, place in texts:
        yield from_words(words, tags, place, blanks=blanks)


def _mapped_tag(tag: str, columns: Columns) -> str:
    prefix, _, kind = tag.partition("-")
    if not kind:  # O, or what is no tag
        return tag
    mapped = columns.label_map.get(kind, kind)
    return f"{prefix}-{mapped}" if mapped else "O"


def _jsonl(path: Path, columns: Columns) -> Iterator[Example]:
    with path.open(encoding=_ENCODING) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            place = f"{path.name}:{number}"
            try:
                row = _row(line)
                spans, relations = _annotated(row, columns)
            except (ValueError, KeyError, TypeError) as error:
                fault = f"no {error}" if isinstance(error, KeyError) else str(error)
                raise DataError(
                    f"{place}: {fault}",
                    'a line is {"text": …, "intent": …, "entities": [{"type", "start", "end"}], '
                    '"relations": [{"subject", "object"}]}',
                ) from error
            yield from _labelled(row, columns, place, spans, relations)


def _row(line: str) -> Mapping[str, Any]:
    row = json.loads(line)
    if not isinstance(row, dict):
        raise TypeError("a line is one object")
    return row


_Spans = tuple[TextSpan, ...]
_Pairs = tuple[tuple[int, int], ...]


def _annotated(row: Mapping[str, Any], columns: Columns) -> tuple[_Spans | None, _Pairs | None]:
    """Entities from left to right, and relations between them; a row's indices count as it lists them."""
    listed, related = row.get(columns.entities), row.get(columns.relations)
    if listed is None:
        if related:
            raise ValueError("relations of a text without entities")
        return None, None
    spans = [_span(span, columns) for span in listed]
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


def _span(span: Mapping[str, Any], columns: Columns) -> TextSpan:
    kind = str(span["type"])
    return TextSpan(columns.label_map.get(kind, kind), _whole(span["start"]), _whole(span["end"]))


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
        rows = _rows(lines, path.name, delimiter)
        _, head = next(rows, ("", []))
        names = [name.strip() for name in head]
        _check_names(names, columns, path.name)
        for place, cells in rows:
            if any(cells[len(names) :]):
                raise DataError(
                    f"{place}: {len(cells)} cells, and there are {len(names)} columns",
                    f"a text that has {delimiter!r} in it is put into quotes",
                )
            yield from _labelled(dict(zip(names, cells, strict=False)), columns, place)


def _rows(lines: Iterable[str], name: str, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """The rows that are not empty, and where each begins."""
    loose = delimiter != "\t"  # with tabs, what comes after a blank is no quoted cell
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=loose, strict=True)
    place = f"{name}:1"
    try:
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield place, cells
            place = f"{name}:{rows.line_num + 1}"
    except csv.Error as error:
        raise DataError(
            f"{place}: the row that begins here is not CSV: {error}",
            'a cell that begins with a quote ends with one, and a quote in it is written twice: "24"" wide"',
        ) from error


def _check_names(names: Collection[str], columns: Columns, source: str) -> None:
    there = f"its columns are {', '.join(names)}"
    if columns.text not in names:
        raise DataError(
            f"{source} has no column {columns.text!r}",
            f"{there}; name others, or another delimiter, under columns",
        )
    for name, usual in ((columns.intent, "intent"), (columns.sentiment, "sentiment")):
        if name != usual and name not in names:
            raise DataError(f"{source} has no column {name!r}", there)


def _labelled(
    row: Mapping[str, Any],
    columns: Columns,
    source: str,
    spans: _Spans | None = None,
    relations: _Pairs | None = None,
) -> Iterator[Example]:
    intent, sentiment = (
        _label(row, name, columns.label_map) for name in (columns.intent, columns.sentiment)
    )
    if "" in (intent, sentiment):
        return
    text = row.get(columns.text)
    text = "" if text is None else whole_characters(str(text))
    yield Example(text, source, intent, sentiment, spans, relations)


def _label(row: Mapping[str, Any], name: str, label_map: Mapping[str, str]) -> str | None:
    """What a row says of itself; a number, such as 0, is a label too."""
    value = row.get(name)
    label = None if value is None else str(value).strip() or None
    return None if label is None else label_map.get(label, label)


_READERS: dict[str, Callable[[Path, Columns], Iterator[Example]]] = {
    ".conll": _conll,
    ".bio": _conll,
    ".iob2": _conll,
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".tsv": _csv,
}
