"""Queries with one to three products whose attributes are known, in orders that cross."""

import random
from dataclasses import dataclass

from training.examples import Example
from training.generator.grammar import expand
from training.generator.words import Words
from training.markup import marked, parse

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
    " that matches the ", " for my ", " together with ", " & ", " or ", " next to a ", " on a ",
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


def _crossed(words: Words, chance: random.Random) -> str:
    """Products first, their attributes later: nearness says nothing, or the wrong thing."""
    names = [
        marked(words.of("core_product_type", chance), "core_product_type", product=n)
        for n in (1, 2)
    ]
    type_ = _attribute(chance, ("color", "material", "UoM", "creator", "price", "modifier"))
    first, second = (marked(words.of(type_, chance), type_, of=n) for n in (1, 2))
    other = marked(words.of("color", chance), "color", of=2)
    template = chance.choice(
        (
            "{0} and {1}, the first (in|) {2}, the second (in|) {3}",
            "{0} and {1}, {2} the (former|first|one) and {3} the (latter|second|other)",
            "{0} and {1} in {2} and {3} respectively",
            "(a|) {0} and (a|) {1}, {3} for the (second|latter) and {2} for the (first|former)",
            "{0} (and|plus) {1}: {2} for the first, {3} for the second",
            "(a|) {0} to (go with|match) (a|my|the) {4} {1}",
            "{2} {0} that (goes with|matches) (a|my|the) {1} in {4}",
            "{0} for (my|a) {3} {1}, (must be|preferably|ideally|in) {2}",
            "{0} for a {3} {1}, the {0s} (should be|in) {2}",
            "{0} like my {3} {1} but {2}",
            "{0}, {2}, and {1}, {3}",
            "(a|) {2} {0}, not {1}",
        )
    )
    plain_name = names[0].split("]")[0].removeprefix("[")
    for slot, text in (
        ("{0s}", plain_name), ("{0}", names[0]), ("{1}", names[1]), ("{2}", first),
        ("{3}", second), ("{4}", other),
    ):  # fmt: skip
        template = template.replace(slot, _hide(text))
    return _show(expand(template, chance, lambda slot: slot))


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
    if form < 0.25:
        body = _item(1, words, chance).words()
    elif form < 0.55:
        body = _listed([_item(n, words, chance) for n in (1, 2)], chance)
    elif form < 0.68:
        body = _listed([_item(n, words, chance, most=2) for n in (1, 2, 3)], chance)
    elif form < 0.9:
        body = _crossed(words, chance)
    else:
        body = _shared(words, chance)
    opening = expand(chance.choice(_OPENINGS), chance, lambda slot: slot)
    text = " ".join(f"{opening} {body}".split())
    return parse(text, "composed", intent="product_search", sentiment="neutral")
