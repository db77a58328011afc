"""What style and slips of the finger cost: the same texts, written otherwise."""

import random
from collections.abc import Sequence

from streams.labels import OUT_OF_SCOPE
from training.data.examples import Example
from training.data.noise import Noise, noisy, with_typo

_EACH = 800
_SEED = "robustness"
_ASKING = ("product_question", "recommendation")


def with_one_typo(examples: Sequence[Example]) -> list[Example]:
    """Each text with one slip in one of its words, where it has a word of four letters or more."""
    chance = random.Random(_SEED)  # noqa: S311 - not a secret
    return [with_typo(example, chance) for example in examples]


def in_one_style(examples: Sequence[Example]) -> list[Example]:
    """As many of the texts as count, lower-cased, without punctuation, every other with a typo."""
    chance, noise = random.Random(_SEED), Noise(punctuation=1.0, typos=0.5)  # noqa: S311 - no secret
    return [
        noisy(Example(example.text.lower(), "styled"), chance, noise)
        for example in examples[:_EACH]
    ]


def kind_of(intent: str) -> str:
    """Search, question or service: what a text with this intent is."""
    if intent == "product_search":
        return "search"
    if intent in _ASKING:
        return "question"
    return "none" if intent == OUT_OF_SCOPE else "service"
