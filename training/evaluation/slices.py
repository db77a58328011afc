"""The same figure for each kind of text, and where a kind falls behind by more than chance."""

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from streams.text import is_ideograph
from training.data.examples import Example
from training.data.noise import with_typo
from training.evaluation.intervals import Interval, Tally, difference, interval, paired_difference
from training.inference.scripts import script_of

FEWEST: Final = 20
"""A slice of fewer texts is shown, but not tested."""

_WRONG_ONCE: Final = 0.05  # the chance that any gap of a whole evaluation is none
_VARIED: Final = 400  # texts of a set that are written otherwise
_LENGTHS: Final = ((2, "1 to 2 words"), (4, "3 to 4 words"), (8, "5 to 8 words"))
_LANGUAGES: Final = {"en": "Latin script", "zh": "Chinese", "und": "another script"}


@dataclass(frozen=True, slots=True)
class Slice:
    """Texts of one kind of a set, and the rest of it; or the same texts, written otherwise.

    Attributes:
        measured: the set.
        dimension: what the kinds differ in.
        name: of the kind.
        inside: the figure's tally over these texts.
        rest: over the others; where `paired`, over the same texts as they were.
    """

    measured: str
    dimension: str
    name: str
    inside: Tally
    rest: Tally
    paired: bool = False


@dataclass(frozen=True, slots=True)
class SliceFigures:
    """A slice's figure with its interval at 95 %, and how it differs from the rest.

    `difference` has the wider interval that all slices of the evaluation together need
    (Bonferroni), and only where that lies below 0 it is a `gap`. None: too few texts to tell.
    """

    measured: str
    dimension: str
    name: str
    texts: int
    figure: Interval
    rest: float
    difference: Interval | None
    paired: bool

    @property
    def gap(self) -> bool:
        """Whether it falls behind by more than chance explains."""
        return self.difference is not None and self.difference.high < 0


def dimensions(brands: Mapping[str, int]) -> dict[str, Callable[[Example], str | None]]:
    """What texts are told apart by; None leaves a text out.

    Args:
        brands: how often each, in lower case, stands in the training data.
    """
    return {
        "language": lambda example: _LANGUAGES[script_of(example.text)],
        "length": lambda example: length_of(example.text),
        "written style": lambda example: style_of(example.text),
        "brand": lambda example: brand_of(example, brands),
    }


def length_of(text: str) -> str:
    """In words; two Chinese characters count as one."""
    ideographs = sum(map(is_ideograph, text))
    words = len("".join(" " if is_ideograph(c) else c for c in text).split())
    count = words + (ideographs + 1) // 2
    return next((name for most, name in _LENGTHS if count <= most), "9 words or more")


def style_of(text: str) -> str:
    """How a text is written: what people who type alike have in common."""
    letters = [c for c in text if c.isalpha()]
    if len(letters) > 3 and all(c.isupper() for c in letters):
        return "all capitals"
    if any(c in ".?!,;。?!,;" for c in text):
        return "with punctuation"
    return "with capitals" if any(c.isupper() for c in letters) else "plain lower case"


def brand_of(example: Example, brands: Mapping[str, int]) -> str | None:
    """How well known its rarest brand is, by the training data; None where none is annotated."""
    named = [example.text[s.start : s.end] for s in example.spans or () if s.type == "creator"]
    if example.spans is None or not brands:
        return None
    if not named:
        return "no brand"
    count = min(brands.get(name.lower(), 0) for name in named)
    if count == 0:
        return "a brand not trained on"
    return "a rare brand (1 to 4 times)" if count < 5 else "a frequent brand (5 times or more)"


def brand_counts(examples: Iterable[Example]) -> dict[str, int]:
    """How often each brand is annotated."""
    return dict(
        Counter(
            example.text[span.start : span.end].lower()
            for example in examples
            for span in example.spans or ()
            if span.type == "creator"
        )
    )


def slices_of(
    measured: str,
    examples: Sequence[Example],
    tally: Tally,
    kinds: Mapping[str, Callable[[Example], str | None]],
) -> list[Slice]:
    """The slices of a set along each dimension that its texts differ in."""
    found = []
    for dimension, kind in kinds.items():
        named = np.array([kind(example) or "" for example in examples])
        names = sorted(set(named.tolist()) - {""})
        if len(names) < 2:
            continue
        for name in names:
            inside, rest = named == name, (named != name) & (named != "")
            found.append(
                Slice(
                    measured,
                    dimension,
                    name,
                    tally.of(np.flatnonzero(inside)),
                    tally.of(np.flatnonzero(rest)),
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Variant:
    """Some texts of a set, written otherwise: rows of the set, and the texts as they are now."""

    dimension: str
    name: str
    rows: list[int]
    examples: list[Example]


def variants_of(examples: Sequence[Example]) -> list[Variant]:
    """A draw of the texts with one slip of the finger, and in capitals; labels move along.

    Texts without a word of four letters, or without letters that have a case, do not change
    and are left out.
    """
    chance = random.Random("variants")  # noqa: S311 - not a secret
    rows = sorted(chance.sample(range(len(examples)), min(_VARIED, len(examples))))
    ways: tuple[tuple[str, str, Callable[[Example], Example]], ...] = (
        ("typing noise", "one typing mistake", lambda example: with_typo(example, chance)),
        ("casing", "the same in capitals", _in_capitals),
    )
    found = []
    for dimension, name, changed in ways:
        pairs = [(row, changed(examples[row])) for row in rows]
        kept = [(row, one) for row, one in pairs if one.text != examples[row].text]
        if kept:
            found.append(Variant(dimension, name, [r for r, _ in kept], [e for _, e in kept]))
    return found


def _in_capitals(example: Example) -> Example:
    text = example.text.upper()
    return replace(example, text=text) if len(text) == len(example.text) else example


def compared(slices: Sequence[Slice]) -> list[SliceFigures]:
    """Every slice's figure and difference, the furthest behind first."""
    tested = sum(map(_enough, slices))
    level = 1 - _WRONG_ONCE / max(tested, 1)
    found = [
        SliceFigures(
            one.measured,
            one.dimension,
            one.name,
            len(one.inside),
            interval(one.inside),
            one.rest.value,
            _difference(one, level) if _enough(one) else None,
            one.paired,
        )
        for one in slices
    ]
    return sorted(found, key=lambda one: one.figure.value - one.rest)


def _enough(one: Slice) -> bool:
    return min(len(one.inside), len(one.rest)) >= FEWEST


def _difference(one: Slice, level: float) -> Interval:
    return (paired_difference if one.paired else difference)(one.inside, one.rest, level)
