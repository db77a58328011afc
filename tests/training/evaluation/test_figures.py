"""Figures that bars are set on, of a model whose answers are written down: each was computed by hand."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from streams.decoding import ModelLabels, ModelOutputs
from streams.labels import INTENTS, OUT_OF_SCOPE, SENTIMENTS, bio_tags
from training.data.examples import Example, TextSpan
from training.evaluation.chinese import (
    polarity_metrics,
    product_and_brand_metrics,
    search_metrics,
)
from training.evaluation.figures import kind_metrics, scope_auroc, sentiment_metrics

LABELS = ModelLabels(INTENTS, bio_tags(), SENTIMENTS, 0.5, "test")


@dataclass(frozen=True)
class Said:
    """A model that gives its written answers; each character is a word piece.

    Attributes:
        intents: of each text, the probabilities of some intents; what is left is spread over the others.
        sentiments: likewise.
        spans: of each text, its entities.
    """

    intents: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    sentiments: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    spans: Mapping[str, Sequence[TextSpan]] = field(default_factory=dict)
    labels = LABELS

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        lengths = list(map(len, texts))
        longest = max(lengths)
        tags = np.zeros((len(texts), longest, len(LABELS.tags)), np.float32)
        tags[:, :, LABELS.tags.index("O")] = 5.0
        for row, text in enumerate(texts):
            for span in self.spans.get(text, ()):
                for place in range(span.start, span.end):
                    prefix = "B" if place == span.start else "I"
                    tags[row, place, LABELS.tags.index(f"{prefix}-{span.type}")] = 9.0
        places = np.arange(longest, dtype=np.int32)
        return ModelOutputs(
            intent_logits=_logits(INTENTS, [self.intents.get(text, {}) for text in texts]),
            sentiment_logits=_logits(SENTIMENTS, [self.sentiments.get(text, {}) for text in texts]),
            tag_logits=tags,
            token_offsets=np.tile(np.stack([places, places + 1], 1), (len(texts), 1, 1)),
            token_count=np.array(lengths, np.int32),
            word_pieces=np.array(lengths, np.int32),
            relation_subject=np.zeros((len(texts), longest, 32), np.float32),
            relation_object=np.zeros((len(texts), longest, 32), np.float32),
            sentence_vector=np.zeros((len(texts), 384), np.float32),
            languages=("zh",) * len(texts),
            digest="",
        )


def _logits(names: Sequence[str], said: Sequence[Mapping[str, float]]) -> np.ndarray:
    rows = []
    for known in said:
        rest = (1.0 - sum(known.values())) / max(len(names) - len(known), 1)
        rows.append([math.log(known.get(name, rest)) for name in names])
    return np.array(rows, np.float32)


def _examples(*texts: str) -> list[Example]:
    return [Example(text, "test") for text in texts]


def test_searches_questions_and_services_are_told_apart_in_one_style() -> None:
    """Words of three letters take no typing mistake; the model knows the texts in lower case alone."""
    said = {
        "red bag": "product_search",
        "is it red": "recommendation",
        "is it big": "product_search",
        "pay me": "refund",
        "say hi": "chitchat",
        "no pie": OUT_OF_SCOPE,
        "red pen": "product_search",
    }
    kinds = {
        "search": _examples("Red BAG!"),
        "question": _examples("Is it red?", "Is it big?"),
        "service": _examples("Pay me.", "Say hi!", "No pie.", "Red pen"),
    }
    found = kind_metrics(Said({text: {intent: 0.9} for text, intent in said.items()}), kinds)
    assert found == {
        "search": 1.0,
        "question": 0.5,
        "service": 0.5,
        "accuracy": pytest.approx(2 / 3),
    }


def test_scope_is_a_matter_of_which_texts_are_likelier_out_of_it() -> None:
    """Of four pairs, three are in order."""
    chances = {"pie": 0.8, "tax": 0.4, "bag": 0.6, "pen": 0.2}
    model = Said({text: {OUT_OF_SCOPE: chance} for text, chance in chances.items()})
    assert scope_auroc(model, _examples("pie", "tax"), _examples("bag", "pen")) == 0.75


def test_polarity_is_the_likelier_of_the_two_that_a_review_can_have() -> None:
    said = {
        "a": {"negative": 0.7, "neutral": 0.1},
        "b": {"negative": 0.1, "neutral": 0.7},  # right, and neutral
        "c": {"negative": 0.6, "neutral": 0.3},  # wrong
        "d": {"negative": 0.2, "neutral": 0.2},  # wrong
        "e": {"negative": 0.1, "neutral": 0.1},
    }
    moods = {"a": "negative", "b": "positive", "c": "positive", "d": "negative", "e": "positive"}
    examples = [Example(text, "test", sentiment=mood) for text, mood in moods.items()]
    assert polarity_metrics(Said(sentiments=said), examples) == {
        "accuracy": pytest.approx(3 / 5),
        "examples": 5,
        "found_neutral": pytest.approx(1 / 5),
        "recall_negative": pytest.approx(1 / 2),
        "recall_positive": pytest.approx(2 / 3),
    }


def test_products_and_brands_count_and_other_entities_do_not() -> None:
    product, name, brand = "core_product_type", "product_name", "creator"
    gold = {
        "耐克跑鞋": (TextSpan(brand, 0, 2), TextSpan(product, 2, 4)),
        "索尼耳机": (TextSpan(brand, 0, 2), TextSpan(product, 2, 4)),
        "木书桌": (TextSpan(product, 1, 3),),
        "手机壳": (TextSpan(product, 0, 3),),
    }
    said = {
        "耐克跑鞋": (TextSpan(brand, 0, 2), TextSpan(name, 2, 4)),  # a name is a product, too
        "索尼耳机": (TextSpan(brand, 0, 4),),  # one wrong brand, two missed entities
        "木书桌": (TextSpan("material", 0, 1), TextSpan("color", 1, 3)),  # neither counts as found
    }
    examples = [Example(text, "test", spans=spans) for text, spans in gold.items()]
    assert product_and_brand_metrics(Said(spans=said), examples) == {
        "f1": pytest.approx(2 * 2 / (3 + 6)),
        "entities": 6,
        "f1_by_type": {
            "product": pytest.approx(2 * 1 / (1 + 4)),
            "brand": pytest.approx(2 * 1 / (2 + 2)),
        },
        "recall_by_type": {"product": 0.25, "brand": 0.5},
        "missed": {
            "product": {"within a longer brand": 1, "as color": 1, "none": 1},
            "brand": {"within a longer brand": 1},
        },
    }


def test_real_searches_are_to_be_taken_for_searches() -> None:
    search = {"product_search": 0.9, OUT_OF_SCOPE: 0.0625}
    intents = {
        "跑鞋": search,
        "耳机": search,
        "书桌": search,
        "你好吗朋友": {"chitchat": 0.6, OUT_OF_SCOPE: 0.3125},
    }
    spans = {"跑鞋": (TextSpan("core_product_type", 0, 2),)}
    assert search_metrics(Said(intents, spans=spans), _examples(*intents)) == {
        "accuracy": 0.75,
        "examples": 4,
        "taken_for": {"product_search": 0.75, "chitchat": 0.25},
        "without_entity": 0.75,
        "out_of_scope_probability": pytest.approx(0.125),
        "word_pieces": pytest.approx((2 + 2 + 2 + 5) / 4),
    }


def test_how_sure_a_model_is_of_feelings_is_held_against_how_often_it_is_right() -> None:
    """Of two texts at 0.9 one is right: 0.4 too sure. That at 0.6 is right: 0.4 too little."""
    model = Said(
        sentiments={
            "great": {"positive": 0.9},
            "sick": {"negative": 0.9},
            "hm": {"neutral": 0.6},
        }
    )
    gold = {"great": "positive", "sick": "positive", "hm": "neutral"}
    figures = sentiment_metrics(model, [Example(t, "test", sentiment=g) for t, g in gold.items()])
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["calibration_error"] == pytest.approx(0.4, abs=1e-4)
