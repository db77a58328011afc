# ruff: noqa: E501 - templates read better one a line
"""Queries with one to three products whose attributes are known, in orders that cross."""

import random
from dataclasses import dataclass

from training.data.examples import Example
from training.data.generator.grammar import expand
from training.data.generator.words import Words
from training.data.markup import marked, parse

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
_JOINTS = (
    " and ", " and ", " and a ", ", ", " plus ", " with ", " with a ", " and also ", " as well as ",
    " to go with ", " to go with my ", " to match ", " to match my ", " that goes with ",
    " that matches the ", " together with ", " & ", " or ",
)  # fmt: skip
_OPENINGS = (
    "", "", "", "", "", "i (need|want|am looking for|would like) (a|some|)", "looking for (a|)",
    "show me (a|some|)", "(do you have|have you got|got any) (a|any|)", "find me (a|)",
    "i want to (buy|get|find) (a|)", "(please|) search for (a|)", "where can i find (a|)",
    "i'm after (a|)", "need", "searching for", "can i see (some|your|)", "any",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Item:
    before: tuple[str, ...]
    name: str
    after: tuple[str, ...]

    def words(self) -> str:
        return " ".join((*self.before, self.name, *self.after))


def _attribute(chance: random.Random, types: tuple[str, ...]) -> str:
    return chance.choices(types, [_WEIGHTS.get(name, 1) for name in types])[0]


def _item(number: int, words: Words, chance: random.Random, *, most: int = 3) -> _Item:
    kind = "product_name" if chance.random() < 0.15 else "core_product_type"
    name = marked(words.of(kind, chance), kind, product=number)
    count = chance.choices((0, 1, 2, 3), (2, 5, 3, 1))[0]
    used: set[str] = set()
    before: list[str] = []
    after: list[str] = []
    for _ in range(min(count, most)):
        behind = chance.random() < 0.35
        options = tuple(n for n in (_AFTER if behind else _BEFORE) if n not in used)
        type_ = _attribute(chance, options)
        used.add(type_)
        text = marked(words.of(type_, chance), type_, of=number)
        if behind:
            after.append(chance.choice(_AFTER[type_]).replace("{a}", text))
        else:
            before.append(text)
    return _Item(tuple(before), name, tuple(after))


def _listed(items: list[_Item], chance: random.Random) -> str:
    text = items[0].words()
    for item in items[1:]:
        text += chance.choice(_JOINTS) + item.words()
    return text


# A, B, C: products; 1, 2, 3: an attribute of one type for each; x, y: attributes of A, of any type;
# X: the same as a phrase ("in red"); z: B with an attribute of its own before it, or without.
_DEPENDENT = (
    "(a|an|) {A} for (a|an|my|the|our|) {z}, {x}",
    "{A} for (my|a|) {z}, {x}, {y}",
    "{A} for (my|a|) {z} {X}",
    "{A} for (a|my|) {z} {x} {y}",
    "{x} {A} for (a|my|the|) {z}, {y}",
    "(replacement|extra|new|spare) {A} for (a|my|) {z}, {x}",
    "(a|) {A} (that fits|fitting|to fit|compatible with|suitable for|made for) (a|my|) {z}, {x}",
    "(a|) {A} (to go with|to match|matching|that goes with|that matches|that suits) (a|my|the) {z}, {x}(, {y}| and {y}|)",
    "{A} with (a|an|) {z}, {x}",
    "{A} with (a|an|) {z}, {x}, {y}",
    "{A} (to go|that goes|to put|) (under|on|behind|inside|in front of) (my|the) {z}, {x}",
    "{A} (like|similar to) (my|the) {z}, (but|only) {x}",
    "{A} for (my|the) {z}. (must be|has to be|should be|needs to be|make it|preferably) {x}",
    "{A} for (my|the) {z}, (must be|preferably|ideally|if possible|in|should be) {x}",
    "{A} (because|since) my {z} is old, {x}",
    "{A} to (use|wear|carry|keep|store) (with|in|on) (a|my) {z} {X}",
    "{A} and not (a|the) {z}, {x}",
    "(something|anything) {x} (as a|like a) {A} for my {z}",
)  # fmt: skip
_PARALLEL = (
    "{A} (and|plus|&) (a|) {B}, {1} and {2} (respectively|in that order|in this order|each)",
    "{A} (and|plus) {B} in {1} and {2} (respectively|)",
    "{1} and {2} {A} and {B} (respectively|in that order)",
    "in {1} and {2}: (a|) {A} and (a|) {B}",
    "(first in|first) {1}, (then in|then) {2}: {A}, {B}",
    "(a|) {A} and (a|) {B}, the first (one|) (in|) {1}, the second (one|) (in|) {2}",
    "{A} and {B}, {1} (for|) the (former|first|one) and {2} (for|) the (latter|second|other)",
    "{A} and {B}, {2} (for|) the (second|latter|last) and {1} (for|) the (first|former)",
    "{A} (and|plus|,) {B}: the (second|latter|last one) {2}, the (first|former) {1}",
    "{A} and {B}; the (first|former) (should be|must be|has to be|in) {1}",
    "{A} and {B}, (but|and|) the (first|former) one (should be|must be|in) {1}",
    "{A} or {B}, {1} if (it is|) the first, {2} if (it is|) the (second|other)",
    "{A}, {B}. {1}, {2}. (in that order|respectively)",
    "{1} the (first|one), {2} the (second|other): {A} and {B}",
    "{A} by {1} or {B} by {2}",
    "(a|) {2} {B} and with it a {A}, {1}",
    "{A}, {1}, and {B}, {2}",
    "(a|) {1} {A}, not (a|) {B}",
    "{A} of the (kind|sort) {1}, {B} of the (kind|sort) {2}",
)  # fmt: skip
_THREE = (
    "{A}, {B} (and|,) {C}, {1}, {2} and {3} (respectively|in that order|)",
    "{A}, {B} and {C} in {1}, {2} and {3}",
    "{A}, {B}, {C}: the first {1}, the second {2}, the third {3}",
    "{A}, {B}, {C}: the third {3}, the first {1}",
    "{1}, {2} and {3}: {A}, {B} and {C} (in that order|respectively)",
    "{A} {1}, {B} {2}, {C} {3}",
    "{A} for my {B} and {C}, {x}",
    "{A}, {B} and {C}, the (last|third) one {3}, the (second|middle) {2}",
    "{A} with {B} and {C}, {x}, {y}",
)  # fmt: skip
TEMPLATES = (*_DEPENDENT, *_PARALLEL, *_THREE)
_PARTS = [
    "case",
    "cover",
    "strap",
    "charger",
    "lid",
    "stand",
    "holder",
    "filter",
    "sleeve",
    "mount",
    "adapter",
    "battery",
    "blades",
    "refill",
    "box",
    "bag",
    "liner",
    "protector",
    "legs",
    "cushion",
    "hooks",
    "cable",
    "remote",
    "frame",
    "rack",
    "cleaner",
    "laces",
    "band",
    "chain",
    "wheels",
    "handle",
    "pump",
    "bulb",
    "shade",
    "lock",
    "tray",
    "mat",
    "bracket",
    "dock",
    "skin",
    "pad",
    "pedal",
    "rope",
    "cap",
    "hanger",
    "polish",
    "brush",
]


def _crossed(words: Words, chance: random.Random) -> str:
    """Products first, their attributes later: nearness says nothing, or the wrong thing."""
    templates = chance.choices((_DEPENDENT, _PARALLEL, _THREE), (5, 4, 2))[0]
    return filled(chance.choice(templates), words, chance, parts=templates is _DEPENDENT)


def filled(template: str, words: Words, chance: random.Random, *, parts: bool = False) -> str:
    """A template of `{A}`, `{1}` and the like as marked text.

    Args:
        template: see the comment at `_DEPENDENT`.
        words: for the slots.
        chance: decides.
        parts: whether A may be a part of B or something that goes with it.
    """
    kind = "product_name" if parts and chance.random() < 0.25 else "core_product_type"
    first = chance.choice(_PARTS) if parts and chance.random() < 0.5 else None
    first = first or words.of("core_product_type", chance)
    texts = {"A": marked(first, "core_product_type", product=1)}
    texts["B"] = marked(words.of(kind, chance), kind, product=2)
    texts["C"] = marked(words.of("core_product_type", chance), "core_product_type", product=3)
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


def _shared(words: Words, chance: random.Random) -> str:
    """One attribute at the end for one of two products, or two attributes for one."""
    one, two = _item(1, words, chance, most=1), _item(2, words, chance, most=1)
    extra_type = _attribute(chance, ("department", "occasion", "price", "UoM", "color"))
    extra = marked(words.of(extra_type, chance), extra_type, of=2)
    link = (
        "in" if extra_type == "color" else "for" if extra_type in ("department", "occasion") else ""
    )
    joint = chance.choice((" and ", " and a ", " plus a ", ", "))
    return f"{one.words()}{joint}{two.words()} {link} {extra}"


# The grammar's parentheses are choices, a mark's are types: marks wait behind other signs.
_HIDDEN = str.maketrans({"(": "\x01", ")": "\x02", "|": "\x03"})
_SHOWN = str.maketrans({"\x01": "(", "\x02": ")", "\x03": "|"})


def _hide(text: str) -> str:
    return text.translate(_HIDDEN)


def _show(text: str) -> str:
    return text.translate(_SHOWN)


def product_phrase(words: Words, chance: random.Random, number: int = 1) -> str:
    """One product with at most two attributes, marked, for a slot of a service request."""
    return _item(number, words, chance, most=2).words()


def product_query(words: Words, chance: random.Random) -> Example:
    """A search for one to three products."""
    form = chance.random()
    if form < 0.2:
        body = _item(1, words, chance).words()
    elif form < 0.45:
        body = _listed([_item(n, words, chance) for n in (1, 2)], chance)
    elif form < 0.53:
        body = _listed([_item(n, words, chance, most=2) for n in (1, 2, 3)], chance)
    elif form < 0.92:
        body = _crossed(words, chance)
    else:
        body = _shared(words, chance)
    return as_query(body, chance)


def as_query(body: str, chance: random.Random) -> Example:
    """A search for the marked products, often with the words that open a request."""
    opening = expand(chance.choice(_OPENINGS), chance, lambda slot: slot)
    text = " ".join(f"{opening} {body}".split())
    return parse(text, "composed", intent="product_search", sentiment="neutral")
