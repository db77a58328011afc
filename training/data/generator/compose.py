# ruff: noqa: E501 - lists of words and templates read better one a line
"""The generator itself: examples by kind, the same for the same seed."""

import random
from collections.abc import Callable, Sequence

from training.data.examples import Example
from training.data.generator import feelings
from training.data.generator.grammar import expand
from training.data.generator.more_words import MORE
from training.data.generator.pairing import pair_query
from training.data.generator.personal import PERSONAL
from training.data.generator.products import product_phrase, product_query
from training.data.generator.requests import FRUSTRATED, PLEASED, POLITE, TEMPLATES
from training.data.generator.words import Words
from training.data.generator.zh import MAKERS, chinese
from training.data.markup import marked, parse
from training.errors import ConfigError

VALIDATION_SEED = 777_767  # seeds whose generated texts no epoch draws
CALIBRATION_SEED = 999_983
_PERSONAL_SHARE = 0.1  # of requests of an intent that has such templates

_PLAIN = {
    "where": ["paris", "france", "mongolia", "chicago", "the moon", "new york", "egypt", "the city center", "spain", "tokyo"],
    "thing": ["shirt", "shoes", "sofa", "carpet", "bike", "phone screen", "leather jacket", "table", "laptop", "white dress", "watch", "oven", "silver ring", "rug", "milk", "bread"],
    "famous": ["the telephone", "penicillin", "america", "google", "the light bulb", "adidas", "the zipper", "electricity"],
    "cash": ["$20", "100 dollars", "50 euros"],
    "item": ["the item", "it", "my purchase", "the thing i bought"],
}  # fmt: skip


def compose(kind: str, count: int, seed: int, annotated: Sequence[Example] = ()) -> list[Example]:
    """Generated examples.

    Args:
        kind: `requests` (all intents), `products` (searches for one product, for one that has to
            fit another, or for several, with their attributes) or `feelings` (sentiment), the same
            in Chinese with `zh_` before it; `pairs`, two to four products, put together part by part.
        count: how many.
        seed: the same seed gives the same examples.
        annotated: examples whose entities widen the vocabulary of products.

    Raises:
        ConfigError: there is no such kind.
    """
    makers: dict[str, Callable[[Words, random.Random], Example]] = {
        "requests": _request,
        "products": product_query,
        "feelings": feelings.feeling,
        "pairs": pair_query,
    }
    if kind in MAKERS:
        return chinese(kind, count, seed)
    if kind not in makers:
        raise ConfigError(
            f"nothing generates {kind!r}", f"there are {', '.join((*makers, *MAKERS))}"
        )
    words, chance = Words(annotated, MORE), random.Random(f"{kind}-{seed}")  # noqa: S311 - not a secret
    return [makers[kind](words, chance) for _ in range(count)]


def _request(words: Words, chance: random.Random) -> Example:
    intent = chance.choice(tuple(TEMPLATES))
    personal = PERSONAL.get(intent) if chance.random() < _PERSONAL_SHARE else None
    template = chance.choice(personal or TEMPLATES[intent])
    sentiment = {"-": "negative", "+": "positive"}.get(template[0], "neutral")
    products = iter((1, 2, 3, 4, 5, 6))

    def fill(slot: str) -> str:
        if slot in ("product", "product2"):
            return product_phrase(words, chance, next(products))
        return _filled(slot, words, chance)

    text = expand(template.removeprefix("-").removeprefix("+").strip(), chance, fill)
    text, sentiment = _with_tone(text, sentiment, intent, chance)
    return parse(text, "requests", intent=intent, sentiment=sentiment)


def _filled(slot: str, words: Words, chance: random.Random) -> str:
    simple: dict[str, Callable[[], str]] = {
        "order": lambda: marked("[ORDER]", "order_id"),
        "email": lambda: marked("[EMAIL]", "contact"),
        "phone": lambda: marked("[PHONE]", "contact"),
        "home": lambda: marked("[ADDRESS]", "contact"),
        "card": lambda: "[CARD]",
        "account": lambda: "[ACCOUNT]",
        "id": lambda: "[ID]",
        "date": lambda: marked(words.date(chance), "date"),
        "money": lambda: marked(words.money(chance), "money"),
        "place": lambda: marked(words.plain("place", chance), "place"),
    }
    return simple[slot]() if slot in simple else chance.choice(_PLAIN[slot])


def _with_tone(text: str, sentiment: str, intent: str, chance: random.Random) -> tuple[str, str]:
    """Polite words leave a feeling as it is; an outburst or praise beside a request sets it."""
    if sentiment == "neutral" and intent not in ("chitchat", "out_of_scope", "product_search"):
        draw = chance.random()
        if draw < 0.12:
            return _beside(text, chance.choice(FRUSTRATED), chance), "negative"
        if draw < 0.18:
            return _beside(text, chance.choice(PLEASED), chance), "positive"
    if intent != "chitchat" and chance.random() < 0.15:
        text = _beside(text, chance.choice(POLITE), chance)
    return text, sentiment


def _beside(text: str, words: str, chance: random.Random) -> str:
    joint = chance.choice((", ", " ", ". ", "! "))
    return f"{words}{joint}{text}" if chance.random() < 0.5 else f"{text}{joint}{words}"
