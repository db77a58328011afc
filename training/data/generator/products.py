# ruff: noqa: E501 - templates read better one a line
"""Searches for one product or several, each put together from parts: typed, said, asked, noted down."""

import random
from collections.abc import Callable

from training.data.examples import Example
from training.data.generator.grammar import expand
from training.data.generator.pairs.beside import beside
from training.data.generator.pairs.frames import framed, tidy
from training.data.generator.pairs.mixed import counted, sentences
from training.data.generator.pairs.woven import budgeted
from training.data.generator.pairs.writer import Body, Writer
from training.data.generator.searches.fitting import asked_to_fit, compound, fitting
from training.data.generator.searches.spoken import asked, headed, noted, spoken
from training.data.generator.searches.typed import form_filled, in_a_row, listed, typed
from training.data.generator.words import Words
from training.data.markup import marked, parse

_WAYS: dict[Callable[[Writer], Body], int] = {
    typed: 12, spoken: 12, asked: 7, noted: 8, headed: 4, form_filled: 3, fitting: 20, compound: 3,
    asked_to_fit: 7, listed: 8, in_a_row: 4, beside: 6, budgeted: 2, counted: 3, sentences: 3,
}  # fmt: skip
_BARE = (typed, form_filled, in_a_row)  # what is typed has no greeting around it

_BEFORE = (
    "color", "material", "creator", "modifier", "condition", "shape", "department", "UoM",
    "quantity", "occasion", "content", "origin", "time",
)  # fmt: skip
_AFTER = {
    "color": ("in {a}", "in {a}", "{a}"),
    "material": ("in {a}", "made of {a}", "of {a}"),
    "creator": ("from {a}", "by {a}", "{a}"),
    "department": ("for {a}", "{a}"),
    "UoM": ("{a}", "in {a}", "that is {a}"),
    "price": ("{a}", "{a}", "for {a}"),
    "occasion": ("for {a}", "for a {a}"),
    "content": ("with {a}", "with {a} on it"),
    "modifier": ("that is {a}", "{a}"),
    "quantity": ("{a}",),
    "condition": ("{a}",),
    "shape": ("that is {a}", "{a}"),
    "product_number": ("{a}", "model {a}"),
}
_WEIGHTS = {"color": 6, "material": 4, "creator": 4, "modifier": 3, "UoM": 3, "department": 3}


def _attribute(chance: random.Random, types: tuple[str, ...]) -> str:
    return chance.choices(types, [_WEIGHTS.get(name, 1) for name in types])[0]


def filled(template: str, words: Words, chance: random.Random) -> str:
    """A template of `{A}`, `{1}` and the like as marked text.

    Args:
        template: A, B, C are products; 1, 2, 3 an attribute of one type for each; x, y attributes of A, of any
            type; X the same as x in a phrase ("in red"); z is B with or without an attribute before it.
        words: for the slots.
        chance: decides.
    """
    texts = {
        slot: marked(words.of("core_product_type", chance), "core_product_type", product=number)
        for number, slot in enumerate("ABC", 1)
    }
    type_ = _attribute(chance, ("color", "material", "UoM", "creator", "price", "modifier"))
    for number in (1, 2, 3):
        texts[str(number)] = marked(words.of(type_, chance), type_, of=number)
    one, two = chance.sample(tuple(_AFTER), 2)
    texts["x"] = marked(words.of(one, chance), one, of=1)
    texts["y"] = marked(words.of(two, chance), two, of=1)
    texts["X"] = chance.choice(_AFTER[one]).replace("{a}", texts["x"])
    texts["z"] = texts["B"]
    if chance.random() < 0.4:
        own = _attribute(chance, _BEFORE)
        texts["z"] = f"{marked(words.of(own, chance), own, of=2)} {texts['B']}"
    hidden = {slot: _hide(text) for slot, text in texts.items()}
    return _show(expand(template, chance, lambda slot: hidden[slot]))


# The grammar's parentheses are choices, a mark's are types: marks wait behind other signs.
_HIDDEN = str.maketrans({"(": "\x01", ")": "\x02", "|": "\x03"})
_SHOWN = str.maketrans({"\x01": "(", "\x02": ")", "\x03": "|"})


def _hide(text: str) -> str:
    return text.translate(_HIDDEN)


def _show(text: str) -> str:
    return text.translate(_SHOWN)


def product_phrase(words: Words, chance: random.Random, number: int = 1) -> str:
    """One product with at most two attributes, marked, for a slot of a service request."""
    kind = "product_name" if chance.random() < 0.15 else "core_product_type"
    name = marked(words.of(kind, chance), kind, product=number)
    count = chance.choices((0, 1, 2), (2, 5, 4))[0]
    used: set[str] = set()
    before: list[str] = []
    after: list[str] = []
    for _ in range(count):
        behind = chance.random() < 0.35
        options = tuple(n for n in (_AFTER if behind else _BEFORE) if n not in used)
        type_ = _attribute(chance, options)
        used.add(type_)
        text = marked(words.of(type_, chance), type_, of=number)
        if behind:
            after.append(chance.choice(_AFTER[type_]).replace("{a}", text))
        else:
            before.append(text)
    return " ".join((*before, name, *after))


def product_query(words: Words, chance: random.Random) -> Example:
    """A search for one product, for one that has to fit another, or for several."""
    writer = Writer(words, chance)
    make = chance.choices(tuple(_WAYS), tuple(_WAYS.values()))[0]
    body = make(writer)
    text = tidy(body.text) if make in _BARE else framed(writer, body)
    return parse(text, "composed", intent="product_search", sentiment="neutral")
