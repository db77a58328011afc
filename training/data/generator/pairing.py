"""Queries for two to four products, put together part by part, so that few are built alike.

What is said of a product may stand beside it, or anywhere else: told later by "the first … the other",
in a list of its own, in front of all products, after another product that the first one is for. Each
part has many phrasings, and all combine, so that a model has to read a query and cannot learn frames.
Every attribute has one product, and no query leaves a reader in doubt which. A product named a second
time ("shoes and a bag, the shoes in red") is a mention of its own, with what is said there. What goes
for several products at once ("both in black") is not written: the decoder gives an attribute to one.
"""

import random

from training.data.examples import Example
from training.data.generator.pairs.again import by_feature, his_and_hers, it_and_they, noun_again
from training.data.generator.pairs.beside import beside, gapped, in_turn, keywords, regular
from training.data.generator.pairs.clauses import compared, distant, fronted, of_kind, verbal
from training.data.generator.pairs.frames import framed
from training.data.generator.pairs.mixed import by_kind, counted, recalled, sentences
from training.data.generator.pairs.notes import asked, lettered, spoken, tabled
from training.data.generator.pairs.owned import (
    across,
    needing,
    owner_first,
    two_of_them,
    wish_first,
)
from training.data.generator.pairs.places import by_place
from training.data.generator.pairs.rows import rows
from training.data.generator.pairs.splits import around, grouped, grown, second_choice
from training.data.generator.pairs.turns import (
    ahead,
    backwards,
    denied,
    instead,
    nested,
    portions,
)
from training.data.generator.pairs.woven import aside, budgeted, chained, conditional
from training.data.generator.pairs.writer import Writer
from training.data.generator.searches.typed import in_a_row, listed
from training.data.generator.words import Words
from training.data.markup import parse

_WAYS = {
    by_place: 26, rows: 20, across: 16, beside: 9, owner_first: 7, in_turn: 5, wish_first: 5,
    two_of_them: 4, keywords: 3, regular: 4, gapped: 3, needing: 2, noun_again: 4, by_feature: 6,
    his_and_hers: 4, it_and_they: 5, counted: 5, sentences: 8, recalled: 12, by_kind: 4,
    listed: 5, in_a_row: 3, aside: 9, chained: 5, conditional: 5, budgeted: 4,
    verbal: 8, fronted: 7, of_kind: 5, distant: 5, compared: 5, instead: 4, denied: 7, nested: 7,
    ahead: 5, backwards: 5, portions: 2, tabled: 5, lettered: 4, asked: 4, spoken: 3,
    grouped: 5, grown: 4, around: 6, second_choice: 5,
}  # fmt: skip


def paired(words: Words, chance: random.Random) -> str:
    """A marked query for two to four products."""
    writer = Writer(words, chance)
    make = chance.choices(tuple(_WAYS), tuple(_WAYS.values()))[0]
    return framed(writer, make(writer))


def pair_query(words: Words, chance: random.Random) -> Example:
    """A search for two to four products."""
    text = paired(words, chance)
    return parse(text, "composed", intent="product_search", sentiment="neutral")
