"""How good a Chinese model is, from public and hand-written texts that it was not trained on."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.labels import OUT_OF_SCOPE
from streams.text import normalise
from training.data.chinese import (
    hand_written_near_misses,
    hand_written_pairs,
    hand_written_requests,
)
from training.data.examples import Example
from training.data.sources import load
from training.evaluation.figures import (
    Step,
    entity_metrics,
    intent_metrics,
    on,
    relation_metrics,
    scope_auroc,
    sentiment_metrics,
)
from training.inference.answers import answers_of
from training.inference.predict import Predictor

_QUERIES: Final = 5000  # so many real ones are read for their distribution
_REVIEWS: Final = 6000  # so many, drawn at random: reviews are long
_UNLABELLED: Final = "none"

EnglishVectors = Callable[[Predictor], NDArray[np.float32] | None]


def chinese_steps(folder: Path | None, english: EnglishVectors) -> list[Step]:
    """What is measured of a Chinese model.

    Args:
        folder: of the public data sets; None for what needs none.
        english: gives the vectors that the English of `hand_written_pairs` has, [100, 384]; None
            where nothing can.

    Raises:
        DataError: the data folder lacks a file.
    """
    requests = hand_written_requests()
    inside = [e for e in requests if e.intent != OUT_OF_SCOPE]
    related = [e for e in inside if e.relations]
    several = [e for e in related if len({p for p, _ in e.relations or ()}) > 1]
    misses, pairs = hand_written_near_misses(), hand_written_pairs()

    def vectors(predictor: Predictor) -> dict[str, Any]:
        found = english(predictor)
        if found is None:
            return {}
        chinese = predictor([pair[0] for pair in pairs]).sentence_vector
        return dict(nearest_metrics(chinese, found))

    hand_written = [
        on("zh_intents_hand_written", intent_metrics, requests, sliced=True),
        on("zh_entities_hand_written", entity_metrics, inside, sliced=True),
        on("zh_sentiment_hand_written", sentiment_metrics, requests, sliced=True),
        on("zh_relations_hand_written", relation_metrics, related),
        on("zh_relations_several_products", relation_metrics, several),
        Step(
            "zh_out_of_scope",
            len(misses) + len(inside),
            lambda model: {"auroc_near_misses": scope_auroc(model, misses, inside)},
        ),
        Step("zh_vectors", 2 * len(pairs), vectors),
    ]
    return hand_written if folder is None else [*hand_written, *_public_steps(folder)]


def _public_steps(folder: Path) -> list[Step]:
    reviews = _drawn(load("zh_reviews", folder), _REVIEWS)
    titles = load("zh_ner_ecommerce_dev", folder)
    queries = load("zh_queries", folder)[:_QUERIES]
    return [
        on("zh_sentiment_reviews", polarity_metrics, reviews),
        on("zh_entities_ecommerce", product_and_brand_metrics, titles),
        on("zh_searches", search_metrics, queries),
    ]


def _drawn(examples: Sequence[Example], count: int) -> list[Example]:
    """The same ones every time."""
    return random.Random(1).sample(list(examples), min(count, len(examples)))  # noqa: S311


def polarity_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Accuracy where a text is known to be positive or negative: the likelier of those two.

    `found_neutral` is the share that the model would call neutral.
    """
    answers = answers_of(predictor, [normalise(example.text) for example in examples])
    negative, neutral, positive = (
        answers.sentiments[:, answers.labels.sentiments.index(name)]
        for name in ("negative", "neutral", "positive")
    )
    gold = np.array([example.sentiment == "positive" for example in examples])
    right = (positive > negative) == gold
    return {
        "accuracy": float(right.mean()),
        "examples": len(examples),
        "found_neutral": float((neutral > np.maximum(negative, positive)).mean()),
        "recall_negative": float(right[~gold].mean()),
        "recall_positive": float(right[gold].mean()),
    }


def product_and_brand_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """F1 of products and brands where nothing else is annotated, and what they are taken for.

    Spans of other types are left out of precision: the data do not say whether they are right.
    """
    answers = answers_of(predictor, [example.text for example in examples]).found
    kinds = {
        "core_product_type": "product",
        "product_name": "product",
        "creator": "brand",
    }
    right: Counter[str] = Counter()
    found: Counter[str] = Counter()
    there: Counter[str] = Counter()
    taken: dict[str, Counter[str]] = {"product": Counter(), "brand": Counter()}
    for example, answer in zip(examples, answers, strict=True):
        gold = {(kinds[s.type], s.start, s.end) for s in example.spans or ()}
        spans = {(s.start, s.end): s.type for s in answer.spans}
        said = {(kinds[t], *place) for place, t in spans.items() if t in kinds}
        there.update(kind for kind, *_ in gold)
        found.update(kind for kind, *_ in said)
        right.update(kind for kind, *_ in gold & said)
        for kind, start, end in gold - said:
            taken[kind][_taken_for(spans, start, end, kinds)] += 1
    by_type = {kind: _f1(right[kind], found[kind], there[kind]) for kind in ("product", "brand")}
    return {
        "f1": _f1(right.total(), found.total(), there.total()),
        "entities": there.total(),
        "f1_by_type": by_type,
        "recall_by_type": {kind: right[kind] / max(there[kind], 1) for kind in by_type},
        "missed": {kind: dict(counts.most_common(8)) for kind, counts in taken.items()},
    }


def _taken_for(
    spans: dict[tuple[int, int], str], start: int, end: int, kinds: dict[str, str]
) -> str:
    """What the model says at a place whose entity it misses."""
    if (start, end) in spans:
        return f"as {spans[start, end]}"
    touching = [(place, t) for place, t in spans.items() if place[0] < end and start < place[1]]
    if not touching:
        return _UNLABELLED
    (first, last), type_ = touching[0]
    name = kinds.get(type_, type_)
    longer = first <= start and last >= end
    return f"within a longer {name}" if longer else f"in parts, first {name}"


def _f1(right: int, found: int, there: int) -> float:
    return 2 * right / (found + there) if found + there else 0.0


def search_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """What the model makes of real search queries: nearly all should be product searches."""
    texts = [normalise(example.text) for example in examples]
    answers = answers_of(predictor, texts)
    labels = Counter(one.intent.label for one in answers.found)
    outputs = predictor(texts[:2000])
    scope = answers.labels.intents.index(OUT_OF_SCOPE)
    return {
        "accuracy": labels["product_search"] / len(texts),
        "examples": len(texts),
        "taken_for": {name: n / len(texts) for name, n in labels.most_common(6)},
        "without_entity": sum(not one.spans for one in answers.found) / len(texts),
        "out_of_scope_probability": float(answers.intents[:, scope].mean()),
        "word_pieces": float(outputs.word_pieces.mean()),
    }


def nearest_metrics(
    chinese: NDArray[np.float32], english: NDArray[np.float32]
) -> dict[str, float | int]:
    """How often a text's own translation is nearest to it, among the translations of all.

    Args:
        chinese: [N, 384], L2-normalised.
        english: [N, 384], of the same N meanings.
    """
    similarity = chinese.astype(np.float64) @ english.astype(np.float64).T
    own = np.arange(len(similarity))
    others = (similarity.sum() - np.trace(similarity)) / max(similarity.size - len(own), 1)
    return {
        "nearest_english": float((similarity.argmax(axis=1) == own).mean()),
        "nearest_chinese": float((similarity.argmax(axis=0) == own).mean()),
        "cosine_own": float(np.diag(similarity).mean()),
        "cosine_others": float(others),
        "examples": len(own),
    }
