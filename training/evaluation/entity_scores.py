"""Entities against annotated ones, word by word: precision, recall and F1 as `seqeval` counts them.

`seqeval` (Nakayama, 2018) is what the published figures on QueryNER are made with: an entity is right
when its type, its first and its last word are, and counts are summed over all texts (micro).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from seqeval.metrics.sequence_labeling import precision_recall_fscore_support

from streams.text import is_ideograph


class Marked(Protocol):
    """An entity: of a model or an annotation; code-point offsets, end exclusive."""

    @property
    def type(self) -> str:
        """Of the schema."""

    @property
    def start(self) -> int:
        """Of its first character."""

    @property
    def end(self) -> int:
        """Behind its last character."""


Pair = tuple[Sequence[Marked], Sequence[Marked]]
"""The entities that were found in a text, and those that are there."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Precision, recall, F1 and how many entities there are."""

    precision: float
    recall: float
    f1: float
    there: int


def words_of(text: str, start: int, end: int) -> tuple[int, int]:
    """The blank-separated words that characters start to end lie in: (first, last).

    A text with Chinese characters has no blanks between its words: there, characters count.
    """
    if any(map(is_ideograph, text)):
        return start, end - 1
    return text[: start + 1].count(" "), text[:end].count(" ")


def word_tags(text: str, spans: Sequence[Marked], *, typed: bool = True) -> list[str]:
    """A BIO tag a word (IOB2). Where two entities share a word, it is the first one's."""
    count = len(text) if any(map(is_ideograph, text)) else text.count(" ") + 1
    tags = ["O"] * count
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        first, last = words_of(text, span.start, span.end)
        free = [word for word in range(first, last + 1) if tags[word] == "O"]
        for place, word in enumerate(free):
            tags[word] = f"{'I' if place else 'B'}-{span.type if typed else 'ENTITY'}"
    return tags


def entity_scores(texts: Sequence[str], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Micro figures over texts, typed and untyped, and those of each type that is annotated.

    Args:
        texts: as they were sent.
        pairs: of each text, the entities that were found and those that are there.
    """
    gold, found = _tags(texts, pairs, typed=True)
    typed = _micro(gold, found)
    untyped = _micro(*_tags(texts, pairs, typed=False))
    by_type = _by_type(gold, found)
    return {
        "f1": typed.f1,
        "precision": typed.precision,
        "recall": typed.recall,
        "untyped_f1": untyped.f1,
        "untyped_precision": untyped.precision,
        "untyped_recall": untyped.recall,
        "entities": typed.there,
        "texts": len(texts),
        "f1_by_type": {name: one.f1 for name, one in by_type.items()},
        "precision_by_type": {name: one.precision for name, one in by_type.items()},
        "recall_by_type": {name: one.recall for name, one in by_type.items()},
        "entities_by_type": {name: one.there for name, one in by_type.items()},
    }


def _tags(
    texts: Sequence[str], pairs: Sequence[Pair], *, typed: bool
) -> tuple[list[list[str]], list[list[str]]]:
    gold = [word_tags(t, there, typed=typed) for t, (_, there) in zip(texts, pairs, strict=True)]
    found = [word_tags(t, said, typed=typed) for t, (said, _) in zip(texts, pairs, strict=True)]
    return gold, found


def _micro(gold: list[list[str]], found: list[list[str]]) -> Scores:
    there = sum(tag.startswith("B-") for tags in gold for tag in tags)
    if not there and not any(tag != "O" for tags in found for tag in tags):
        return Scores(0.0, 0.0, 0.0, 0)  # seqeval takes no empty lists
    precision, recall, f1, _ = precision_recall_fscore_support(
        gold, found, average="micro", zero_division=0
    )
    return Scores(float(precision), float(recall), float(f1), there)


def _by_type(gold: list[list[str]], found: list[list[str]]) -> dict[str, Scores]:
    """In alphabetical order, as `seqeval` gives them."""
    named = {tag[2:] for tags in (*gold, *found) for tag in tags if tag != "O"}
    if not named:
        return {}
    columns = precision_recall_fscore_support(gold, found, average=None, zero_division=0)
    rows = zip(sorted(named), *columns, strict=True)
    return {
        name: Scores(float(precision), float(recall), float(f1), int(there))
        for name, precision, recall, f1, there in rows
        if there
    }
