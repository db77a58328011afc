"""Readers of the public Chinese data sets. None states a licence: they measure, and train experiments."""

import csv
from collections.abc import Callable
from pathlib import Path

from streams.text import normalise
from training.data.examples import Example, same_text
from training.data.readers import from_words
from training.errors import DataError

ECOMMERCE = {"HC": "core_product_type", "HP": "creator"}
"""zh_ner_ecommerce: product and brand."""


def labelled_characters(
    file: str, source: str, types: dict[str, str], *, without: str | None = None
) -> Callable[[Path], list[Example]]:
    """A reader of one character and its BIO or BIOES tag a line, a blank line between sentences.

    Args:
        file: relative to the data folder.
        source: the name of its examples.
        types: the file's types and ours, "" for one to leave out.
        without: a file of the same kind whose sentences are left out.
    """

    def read(folder: Path) -> list[Example]:
        seen: set[str] = set()
        if without is not None:
            seen = {same_text(e.text) for e in _sentences(folder / without, source, types)}
        found = {e.text: e for e in _sentences(folder / file, source, types)}
        return [e for text, e in found.items() if same_text(text) not in seen]

    return read


def _sentences(path: Path, source: str, types: dict[str, str]) -> list[Example]:
    found: list[Example] = []
    characters: list[str] = []
    tags: list[str] = []
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        if not line.strip():
            if characters:
                found.append(from_words(characters, tags, source, blanks=False))
            characters, tags = [], []
            continue
        character, _, tag = line.rpartition("\t")
        characters.append(character or " ")
        tags.append(_tag(tag.strip(), source, types))
    return found


def _tag(tag: str, source: str, types: dict[str, str]) -> str:
    prefix, _, kind = tag.partition("-")
    if kind and kind not in types:
        raise DataError(
            f"{source}: unknown type {kind!r}", "map it in training/data/chinese_sources"
        )
    name = types.get(kind, "")
    return f"{prefix}-{name}" if name else "O"


def reviews(folder: Path) -> list[Example]:
    """Shop reviews in ten categories, positive or negative; each text once."""
    path = folder / "zh_reviews/online_shopping_10_cats.csv"
    found: dict[str, Example] = {}
    with path.open(encoding="utf-8-sig", newline="") as rows:
        for row in csv.DictReader(rows):
            text = normalise(row["review"] or "")
            if text:
                sentiment = "positive" if row["label"] == "1" else "negative"
                found[text] = Example(text, "zh_reviews", sentiment=sentiment)
    return list(found.values())


def queries(folder: Path) -> list[Example]:
    """Real search queries."""
    lines = (folder / "zh_queries/multicpr.txt").read_text(encoding="utf-8").splitlines()
    texts = dict.fromkeys(normalise(line) for line in lines)
    return [Example(t, "zh_queries", intent="product_search") for t in texts if t]
