"""What style and slips of the finger cost: the same texts, written otherwise."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.labels import OUT_OF_SCOPE
from training.evaluation import entity_metrics, intent_metrics, predict
from training.examples import Example
from training.noise import Noise, noisy, with_typo
from training.predict import Predictor
from training.sources import load

_EACH = 800
_SEED = "robustness"
_ASKING = ("product_question", "recommendation")


def robustness_metrics(predictor: Predictor, folder: Path) -> dict[str, Any]:
    """Entities and intents with one typo a query, and whether style gives the kind of text away.

    Raises:
        DataError: the data folder lacks a file.
    """
    queryner = load("queryner_validation", folder)
    newer = load("bitext_newer", folder)[::25]
    questions = load("amazon_pqa_test", folder)
    kinds = (("search", queryner), ("question", questions), ("service", newer))
    right = {name: _kind_accuracy(predictor, name, in_one_style(found)) for name, found in kinds}
    return {
        "entities_queryner_one_typo": entity_metrics(predictor, with_one_typo(queryner)),
        "intents_bitext_newer_one_typo": intent_metrics(predictor, with_one_typo(newer)),
        "kinds_in_one_style": right | {"accuracy": float(np.mean(list(right.values())))},
    }


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


def _kind_accuracy(predictor: Predictor, kind: str, examples: Sequence[Example]) -> float:
    answers, _ = predict(predictor, [example.text for example in examples])
    return float(np.mean([kind_of(answer.intent.label) == kind for answer in answers]))
