# ruff: noqa: E501 - templates read better one a line
"""A small shop's queries: few words in few forms, which a tiny model learns in seconds."""

import random

from training.data.examples import Example
from training.data.markup import parse

_WORDS = {
    "product": ("shoes", "jacket", "lamp", "backpack", "kettle", "phone case", "desk", "watch"),
    "color": ("red", "blue", "black", "green", "white"),
    "material": ("leather", "cotton", "wooden", "steel"),
    "creator": ("nike", "bosch", "ikea", "sony"),
    "department": ("men", "women", "kids"),
    "price": ("under $50", "below 90 dollars"),
}
_FORMS = (
    "[{color}](color)>1 [{product}](core_product_type)#1",
    "[{product}](core_product_type)#1 in [{color}](color)>1",
    "[{creator}](creator)>1 [{product}](core_product_type)#1 [{price}](price)>1",
    "show me a [{material}](material)>1 [{product}](core_product_type)#1",
    "[{color}](color)>1 [{material}](material)>1 [{product}](core_product_type)#1 for [{department}](department)>1",
    "[{creator}](creator)>1 [{product}](core_product_type)#1 and [{color}](color)>2 [{other}](core_product_type)#2",
    "[{product}](core_product_type)#1 [{price}](price)>1 and a [{other}](core_product_type)#2 for [{department}](department)>2",
)


def _queries(count: int) -> list[Example]:
    """So many that differ."""
    chance = random.Random("a small shop")
    found: dict[str, Example] = {}
    while len(found) < count:
        words = {slot: chance.choice(among) for slot, among in _WORDS.items()}
        words["other"] = chance.choice(
            [one for one in _WORDS["product"] if one != words["product"]]
        )
        markup = chance.choice(_FORMS).format(**words)
        example = parse(markup, "shop", intent="product_search", sentiment="neutral")
        found[example.text] = example
    return list(found.values())


_ALL = _queries(240)
TRAINING, HELD_OUT = _ALL[:160], _ALL[160:]
"""What a tiny run trains on, and what tells whether it has learnt; no query is in both."""
