"""Draws words and choices for one query, and fills templates with marked text."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from training.data.generator.grammar import expand
from training.data.generator.words import Words
from training.data.markup import marked

_Name = TypeVar("_Name")

TYPES = {
    "color": 9, "material": 6, "creator": 5, "UoM": 5, "price": 5, "modifier": 4, "department": 3,
    "condition": 3, "occasion": 2, "shape": 2, "quantity": 2, "content": 2, "product_number": 1,
    "origin": 1, "time": 1,
}  # fmt: skip
"""What may be said of a product, and how often."""

BEFORE_NOUN = {
    "color": 8, "material": 6, "creator": 5, "modifier": 4, "condition": 3, "shape": 3, "UoM": 3,
    "department": 2, "occasion": 1, "origin": 1, "content": 1, "time": 1, "quantity": 1,
}  # fmt: skip
"""What stands well before a noun."""

LEADING = frozenset((
    "with", "without", "for", "in", "from", "by", "under", "below", "up", "between", "around", "over",
    "less", "of", "no", "to", "at", "on", "about", "made", "as",
))  # fmt: skip
"""Words at the head of an attribute that lead to it already."""

_DETERMINED = LEADING | {"a", "an", "the", "my", "our", "some", "any", "bulk", "dozen"}
_BRACKETS = str.maketrans("‹›", "()")  # round ones are choices in a template
_SLOT = re.compile(r"\{(\w+)\}")
_CLOSE = (",", ".", ";", ":", "!", "?")
_TRIES = 6


@dataclass(frozen=True, slots=True)
class Attribute:
    """What is said of a product: the words alone, and with their mark."""

    type: str
    words: str
    text: str


@dataclass(slots=True)
class Product:
    """A product: its words alone and with their mark, and the types of what is said of it."""

    number: int
    words: str
    name: str
    types: set[str] = field(default_factory=set)

    @property
    def plural(self) -> bool:
        """Whether its words look like several things."""
        return _plural(self.words)


class Body(NamedTuple):
    """The middle of a query; `phrase` says that words such as "show me" may go before it."""

    text: str
    phrase: bool = True


class Writer:
    """Writes one query: the same for the same state of `chance`.

    No two of its products have the same words, nor two attributes, unless the lists of words are
    too short for that.
    """

    def __init__(self, words: Words, chance: random.Random) -> None:
        self.chance = chance
        self._words = words
        self._used: set[str] = set()
        self._products = 0

    def often(self, share: float) -> bool:
        """True in this share of cases."""
        return self.chance.random() < share

    def pick(self, options: Sequence[str]) -> str:
        """One of the options, as it stands."""
        return self.chance.choice(options)

    def weighed(self, options: Mapping[_Name, int]) -> _Name:
        """A key, as often as its value says."""
        return self.chance.choices(tuple(options), tuple(options.values()))[0]

    def say(self, template: str, **slots: str) -> str:
        """A template with its choices made, ‹› turned to round brackets, and its slots filled."""
        text = expand(template, self.chance, lambda slot: f"{{{slot}}}").translate(_BRACKETS)
        return _SLOT.sub(lambda slot: slots[slot[1]], text)

    def say_one(self, templates: Sequence[str], **slots: str) -> str:
        """One of the templates, filled."""
        return self.say(self.chance.choice(templates), **slots)

    def product(
        self, named: float = 0.15, words: str | None = None, *, plural: bool | None = None
    ) -> Product:
        """The next product.

        Args:
            named: share of those called by the name of a model or title.
            words: to call it, instead of a draw.
            plural: whether it is to look like several things; None for either.
        """
        kind = "core_product_type"
        if words is None:
            kind = "product_name" if self.often(named) else kind
            words = self._fresh(kind)
            while plural is not None and _plural(words) != plural:
                words = self._fresh(kind)
        self._products += 1
        number = self._products
        return Product(number, words, marked(words, kind, product=number))

    def products(self, count: int) -> list[Product]:
        """So many products."""
        return [self.product() for _ in range(count)]

    def attribute(self, product: Product, type_: str | None = None) -> Attribute:
        """Something new to say of a product, of this type if nothing of it is said yet."""
        if type_ is None or type_ in product.types:
            type_ = self._untold(product, TYPES)
        return self.another(product, type_)

    def adjective(self, product: Product) -> Attribute:
        """Something new to say of a product before its noun."""
        return self.another(product, self._untold(product, BEFORE_NOUN))

    def another(self, product: Product, type_: str) -> Attribute:
        """Something of this type to say of a product, of which it may be said twice."""
        product.types.add(type_)
        words = self._fresh(type_)
        return Attribute(type_, words, marked(words, type_, of=product.number))

    def told(self, products: Sequence[Product], *, most: int = 2) -> list[list[Attribute]]:
        """One to `most` attributes for each product: often of the same types for all."""
        alike = self.often(0.55)
        shared = list(dict.fromkeys(self.weighed(TYPES) for _ in range(most)))
        count = 1 + sum(self.often(0.25) for _ in range(most - 1))
        found: list[list[Attribute]] = []
        for product in products:
            number = count if alike else 1 + sum(self.often(0.25) for _ in range(most - 1))
            types: Sequence[str | None] = shared[:number] if alike else [None] * number
            found.append([self.attribute(product, type_) for type_ in types])
        return found

    def noun(
        self, product: Product, before: Sequence[Attribute] = (), *, article: float = 0.3
    ) -> str:
        """The product with attributes before its name; with an article in this share of cases."""
        joint = ", " if self.often(0.08) else " and " if self.often(0.06) else " "
        text = " ".join((joint.join(one.text for one in before), product.name)).strip()
        first = (before[0].words if before else product.words).lower()
        if first.split()[0] in _DETERMINED or first[0].isdigit() or not self.often(article):
            return text
        return f"{self._article(first, plural=product.plural)} {text}"

    def _article(self, first: str, *, plural: bool) -> str:
        if plural:
            return self.pick(("some", "some", "the", "a few", "those"))
        one = "an" if first[0] in "aeiou" else "a"
        return self.pick((one, one, one, one, "the", "some"))

    def _untold(self, product: Product, types: Mapping[str, int]) -> str:
        return self.weighed({name: n for name, n in types.items() if name not in product.types})

    def _fresh(self, type_: str) -> str:
        for _ in range(_TRIES):
            words = self._words.of(type_, self.chance)
            if words.lower() not in self._used:
                break
        self._used.add(words.lower())
        return words


def _plural(words: str) -> bool:
    return words.lower().endswith("s") and not words.lower().endswith("ss")


def attached(text: str, tail: str) -> str:
    """The text and what follows it, which may begin with a comma or the like."""
    return f"{text}{tail}" if tail.startswith(_CLOSE) else f"{text} {tail}".rstrip()
