"""Noise that keeps labels: what shoppers' texts lack or have too much of, with entities moved along.

Typing mistakes, missing punctuation, other casing (for bases that tell case apart), lost spaces,
letters that look like others, missing stop words. Placeholders of the redactor are left whole.
"""

import random
import re
from dataclasses import dataclass, replace

from streams.redaction import RedactedKind
from training.data.examples import Example, TextSpan

_PLACEHOLDER = re.compile("|".join(re.escape(kind.placeholder) for kind in RedactedKind))
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(i - 1, 0) : i] + row[i + 1 : i + 2]
    for row in _KEYBOARD
    for i, letter in enumerate(row)
}
_PUNCTUATION = frozenset("?!.,;:'’\"")


_LOOKALIKES = {
    "a": "а@", "c": "с", "e": "е3", "i": "і1", "l": "1|", "o": "о0", "p": "р", "s": "ѕ5", "x": "х",
    "y": "у",
}  # fmt: skip
"""Cyrillic letters that look like Latin ones (Unicode Technical Standard 39), and what keyboards offer."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How probable each kind of noise is for a text, from 0 to 1.

    Attributes:
        typos: one slip, or two.
        punctuation: none of it is left.
        casing: all upper case, all lower case, or each word capitalised.
        spaces: one is lost, within an entity or outside all.
        lookalikes: a letter or two become others that look like them.
        stop_words: lower-cased words that may go.
        drop_stop_words: all of them go.
    """

    typos: float = 0.0
    punctuation: float = 0.0
    casing: float = 0.0
    spaces: float = 0.0
    lookalikes: float = 0.0
    stop_words: frozenset[str] = frozenset()
    drop_stop_words: float = 0.0


def noisy(example: Example, chance: random.Random, noise: Noise) -> Example:
    """A variant of the example, which keeps its text as `clean` where that has changed."""
    found = example
    if chance.random() < noise.punctuation:
        found = _edited(found, [c for c in enumerate(found.text) if c[1] not in _PUNCTUATION])
    if noise.drop_stop_words and chance.random() < noise.drop_stop_words:
        found = without_words(found, noise.stop_words)
    if noise.spaces and chance.random() < noise.spaces:
        found = without_a_space(found, chance)
    if chance.random() < noise.typos:
        for _ in range(1 + (chance.random() < 0.3)):
            found = with_typo(found, chance)
    if noise.lookalikes and chance.random() < noise.lookalikes:
        found = with_lookalikes(found, chance)
    if noise.casing and chance.random() < noise.casing:
        found = with_other_case(found, chance)
    if found.text == example.text:
        return example
    return replace(found, clean=example.clean or example.text)


def without_words(example: Example, words: frozenset[str]) -> Example:
    """Without these words, but for the example whose entity would be lost with them."""
    gone = {
        position
        for match in re.finditer(r"\S+\s*", example.text)
        if match[0].strip().lower() in words
        for position in range(match.start(), match.end())
    }
    kept = [c for c in enumerate(example.text) if c[0] not in gone]
    while kept and kept[-1][1].isspace():
        kept.pop()
    return _edited(example, kept)


def without_a_space(example: Example, chance: random.Random) -> Example:
    """One space less: never one that parts an entity from what is beside it."""
    spans = example.spans or ()
    places = [
        match.start()
        for match in re.finditer(r"(?<=[^\W\d_]) (?=[^\W\d_])", example.text)
        if not any(match.start() in (span.start - 1, span.end) for span in spans)
    ]
    if not places:
        return example
    lost = chance.choice(places)
    return _edited(example, [c for c in enumerate(example.text) if c[0] != lost])


def with_lookalikes(example: Example, chance: random.Random) -> Example:
    """One or two letters become others that look like them."""
    whole = _kept_whole(example.text)
    places = [
        position
        for position, character in enumerate(example.text)
        if character.lower() in _LOOKALIKES and position not in whole
    ]
    characters = list(example.text)
    for position in chance.sample(places, min(len(places), 1 + (chance.random() < 0.3))):
        characters[position] = chance.choice(_LOOKALIKES[characters[position].lower()])
    return _edited(example, list(enumerate(characters)))


def with_other_case(example: Example, chance: random.Random) -> Example:
    """All upper case, all lower case, or each word capitalised, where that keeps lengths."""
    change = chance.choice((str.upper, str.lower, str.title))
    whole = _kept_whole(example.text)
    changed = change(example.text)
    if len(changed) != len(example.text):  # "ß" becomes "SS"
        return example
    return _edited(
        example,
        [
            (position, before if position in whole else after)
            for position, (before, after) in enumerate(zip(example.text, changed, strict=True))
        ],
    )


def _kept_whole(text: str) -> set[int]:
    """Positions within placeholders."""
    return {
        position
        for match in _PLACEHOLDER.finditer(text)
        for position in range(match.start(), match.end())
    }


def with_typo(example: Example, chance: random.Random) -> Example:
    """One slip in a word of four letters or more: swapped, lost, doubled or a neighbouring key."""
    kept_whole = _kept_whole(example.text)
    places = [
        match.start() + offset
        for match in re.finditer(r"[^\W\d_]{4,}", example.text)
        if match.start() not in kept_whole
        for offset in range(1, len(match[0]) - 1)
    ]
    if not places:
        return example
    at = chance.choice(places)
    characters = list(enumerate(example.text))
    kind = chance.randrange(4)
    if kind == 0:
        characters[at], characters[at + 1] = (
            (at, characters[at + 1][1]),
            (at + 1, characters[at][1]),
        )
    elif kind == 1:
        del characters[at]
    elif kind == 2:
        characters.insert(at, characters[at])
    else:
        letter = characters[at][1].lower()
        characters[at] = (at, chance.choice(_NEIGHBOURS.get(letter, letter)))
    return _edited(example, characters)


def _edited(example: Example, characters: list[tuple[int, str]]) -> Example:
    """The example with other characters, each with the position in the old text it stands for."""
    text = "".join(character for _, character in characters)
    if not text.strip():
        return example
    if example.spans is None:
        return replace(example, text=text)
    spans = []
    for span in example.spans:
        inside = [new for new, (old, _) in enumerate(characters) if span.start <= old < span.end]
        if not inside:
            return example
        spans.append(TextSpan(span.type, inside[0], inside[-1] + 1))
    return replace(example, text=text, spans=tuple(spans))
