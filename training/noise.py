"""Noise that keeps labels: typing mistakes and missing punctuation, with entities moved along.

The tokenizer folds case, so case needs no noise. Placeholders of the redactor are left whole.
"""

import random
import re
from dataclasses import replace

from training.examples import Example, TextSpan

_PLACEHOLDER = re.compile(r"\[(?:EMAIL|PHONE|CARD|ORDER)\]")
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    letter: row[max(i - 1, 0) : i] + row[i + 1 : i + 2]
    for row in _KEYBOARD
    for i, letter in enumerate(row)
}
_PUNCTUATION = frozenset("?!.,;:'’\"")


def noisy(example: Example, chance: random.Random, *, typos: float, punctuation: float) -> Example:
    """A variant: with probability `typos` one or two slips, with `punctuation` none of it left."""
    found = example
    if chance.random() < punctuation:
        found = _edited(found, [c for c in enumerate(found.text) if c[1] not in _PUNCTUATION])
    if chance.random() < typos:
        for _ in range(1 + (chance.random() < 0.3)):
            found = with_typo(found, chance)
    if found.text == example.text:
        return example
    return replace(found, clean=example.clean or example.text)


def with_typo(example: Example, chance: random.Random) -> Example:
    """One slip in a word of four letters or more: swapped, lost, doubled or a neighbouring key."""
    kept_whole = {
        position
        for match in _PLACEHOLDER.finditer(example.text)
        for position in range(match.start(), match.end())
    }
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
