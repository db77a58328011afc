"""How good a model is: every figure from public or hand-written texts it was not trained on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.decoding import Decoder, ModelOutputs, Understanding, softmax
from streams.labels import INTENTS, OUT_OF_SCOPE, PREDICATES, PRODUCT_TYPES
from training.examples import Example, TextSpan
from training.generator.unseen import unseen_queries
from training.markup import (
    hand_written_crossed,
    hand_written_near_misses,
    hand_written_paraphrases,
    hand_written_products,
    hand_written_requests,
    owned_by_nearest,
)
from training.metrics import (
    accuracy,
    auroc,
    calibration_error,
    class_f1,
    count,
    macro_f1,
)
from training.predict import Predictor
from training.robustness import in_one_style, kind_of, with_one_typo
from training.sources import load
from training.tokens import is_ideograph
from training.weak_labels import lexicon_feelings

_CHUNK = 512


def predict(predictor: Predictor, texts: Sequence[str]) -> tuple[list[Understanding], np.ndarray]:
    """Decoded answers and intent probabilities [B, intents]."""
    decoder = Decoder(predictor.labels)
    found: list[Understanding] = []
    probabilities = []
    for start in range(0, len(texts), _CHUNK):
        chunk = list(texts[start : start + _CHUNK])
        outputs = predictor(chunk)
        found += decoder.decode(outputs, chunk)
        probabilities.append(softmax(outputs.intent_logits))
    return found, np.concatenate(probabilities)


def entity_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Micro precision, recall and F1 over entities, typed, untyped and by type."""
    answers, _ = predict(predictor, [example.text for example in examples])
    pairs = [
        (
            {(s.type, *_words_of(e.text, s.start, s.end)) for s in answer.spans},
            {(s.type, *_words_of(e.text, s.start, s.end)) for s in e.spans or ()},
        )
        for e, answer in zip(examples, answers, strict=True)
    ]
    typed = count(pairs)
    untyped = count(({s[1:] for s in found}, {s[1:] for s in gold}) for found, gold in pairs)
    types = sorted({str(s[0]) for _, gold in pairs for s in gold})
    by_type = {
        name: count(
            ({s for s in found if s[0] == name}, {s for s in gold if s[0] == name})
            for found, gold in pairs
        ).f1
        for name in types
    }
    return {
        "f1": typed.f1,
        "precision": typed.precision,
        "recall": typed.recall,
        "untyped_f1": untyped.f1,
        "entities": typed.there,
        "f1_by_type": by_type,
    }


def _words_of(text: str, start: int, end: int) -> tuple[int, int]:
    """The blank-separated words that characters start to end lie in: (first, last).

    A text with Chinese characters has no blanks between its words: there, characters count.
    """
    if any(map(is_ideograph, text)):
        return start, end
    return text[: start + 1].count(" "), text[:end].count(" ")


def intent_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Accuracy, macro-F1, F1 by class and expected calibration error."""
    answers, probabilities = predict(predictor, [example.text for example in examples])
    gold = [example.intent or "" for example in examples]
    found = [answer.intent.label for answer in answers]
    right = np.array([INTENTS[p] == g for p, g in zip(probabilities.argmax(1), gold, strict=True)])
    return {
        "accuracy": accuracy(found, gold),
        "macro_f1": macro_f1(found, gold),
        "calibration_error": calibration_error(probabilities.max(1), right),
        "examples": len(gold),
        "f1_by_class": class_f1(found, gold),
    }


def sentiment_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Accuracy, macro-F1 and F1 by class."""
    answers, _ = predict(predictor, [example.text for example in examples])
    gold = [example.sentiment or "" for example in examples]
    found = [answer.sentiment.label for answer in answers]
    return {
        "accuracy": accuracy(found, gold),
        "macro_f1": macro_f1(found, gold),
        "examples": len(gold),
        "f1_by_class": class_f1(found, gold),
    }


def _beside_lexicon(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """The model's figures, and VADER's macro-F1 on the same texts."""
    found = lexicon_feelings([example.text for example in examples])
    baseline = macro_f1(found, [example.sentiment or "" for example in examples])
    return sentiment_metrics(predictor, examples) | {"macro_f1_lexicon": baseline}


def scope_auroc(
    predictor: Predictor, outside: Sequence[Example], inside: Sequence[Example]
) -> float:
    """How well the probability of out_of_scope tells the two apart."""
    column = INTENTS.index(OUT_OF_SCOPE)
    scores = [
        predict(predictor, [example.text for example in part])[1][:, column]
        for part in (outside, inside)
    ]
    return auroc(scores[0], scores[1])


def relation_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """F1 of pairs given the gold entities, of the nearest-product rule, and end to end."""
    texts = [example.text for example in examples]
    outputs = predictor(texts)
    given = [_owners(outputs, row, example) for row, example in enumerate(examples)]
    gold = [{tuple(pair) for pair in example.relations or ()} for example in examples]
    nearest = [set(owned_by_nearest(example)) for example in examples]
    answers = Decoder(predictor.labels).decode(outputs, texts)
    whole = [
        (
            _named(a.spans, [(r.subject, r.object) for r in a.relations]),
            _named(e.spans, e.relations),
        )
        for a, e in zip(answers, examples, strict=True)
    ]
    return {
        "f1_given_entities": count(zip(given, gold, strict=True)).f1,
        "f1_nearest_product": count(zip(nearest, gold, strict=True)).f1,
        "f1_end_to_end": count(whole).f1,
        "pairs": sum(len(pairs) for pairs in gold),
    }


def _named(spans: Any, pairs: Any) -> set[tuple[object, ...]]:
    return {
        (spans[p].start, spans[p].end, spans[a].type, spans[a].start, spans[a].end)
        for p, a in pairs or ()
    }


def _owners(outputs: ModelOutputs, row: int, example: Example) -> set[tuple[int, ...]]:
    spans = example.spans or ()
    starts = outputs.token_offsets[row, : outputs.token_count[row]]
    products = [n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES]
    found: set[tuple[int, ...]] = set()
    for n, span in enumerate(spans):
        if span.type not in PREDICATES or not products:
            continue
        attribute = outputs.relation_object[row, _piece(starts, span)]
        scores = [
            float(outputs.relation_subject[row, _piece(starts, spans[p])] @ attribute)
            for p in products
        ]
        if max(scores) >= 0.0:
            found.add((products[scores.index(max(scores))], n))
    return found


def _piece(offsets: Any, span: TextSpan) -> int:
    return next((i for i, (_, end) in enumerate(offsets) if end > span.start), 0)


def vector_metrics(predictor: Predictor, pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """How much closer a paraphrase lies than the other texts: cosines, and how often it is nearest."""
    first, second = (
        predictor([pair[side] for pair in pairs]).sentence_vector.astype(np.float64)
        for side in (0, 1)
    )
    cosines = first @ second.T
    own = np.diag(cosines)
    others = cosines[~np.eye(len(pairs), dtype=bool)]
    return {
        "nearest": float((cosines.argmax(axis=1) == np.arange(len(pairs))).mean()),
        "cosine_paraphrase": float(own.mean()),
        "cosine_other": float(others.mean()),
        "pairs": len(pairs),
    }


def kind_metrics(predictor: Predictor, kinds: Mapping[str, Sequence[Example]]) -> dict[str, Any]:
    """Whether searches, questions and service requests are told apart when all are in one style."""
    right = {}
    for kind, examples in kinds.items():
        answers, _ = predict(predictor, [example.text for example in in_one_style(examples)])
        right[kind] = float(np.mean([kind_of(answer.intent.label) == kind for answer in answers]))
    return right | {"accuracy": float(np.mean(list(right.values())))}


def validation_score(predictor: Predictor, sets: dict[str, list[Example]]) -> dict[str, float]:
    """The few figures that decide which epoch is kept: none is a reported test."""
    found: dict[str, float] = {}
    if texts := sets.get("tags"):
        found["entities_f1"] = float(entity_metrics(predictor, texts)["f1"])
    if texts := sets.get("intent"):
        found["intent_accuracy"] = float(intent_metrics(predictor, texts)["accuracy"])
    if texts := sets.get("relations"):
        found["relations_f1"] = float(relation_metrics(predictor, texts)["f1_given_entities"])
    found["score"] = sum(found.values()) / max(len(found), 1)
    return found


def evaluate(predictor: Predictor, folder: Path) -> dict[str, Any]:
    """All figures, from the data folder and the hand-written sets.

    Raises:
        DataError: the data folder lacks a file.
    """
    queryner = load("queryner_validation", folder)
    newer = load("bitext_newer", folder)
    questions = load("amazon_pqa_test", folder)
    clinc = [e for e in load("clinc_validation", folder) if e.intent == OUT_OF_SCOPE]
    requests, products = hand_written_requests(), hand_written_products()
    inside = [*queryner, *questions, *newer[::20]]
    in_scope = [e for e in requests if e.intent != OUT_OF_SCOPE]
    return {
        "entities_queryner_validation": entity_metrics(predictor, queryner),
        "entities_queryner_one_typo": entity_metrics(predictor, with_one_typo(queryner)),
        "entities_hand_written": entity_metrics(predictor, products),
        "intents_bitext_newer": intent_metrics(predictor, newer),
        "intents_product_questions": intent_metrics(predictor, questions),
        "intents_searches": intent_metrics(predictor, queryner),
        "intents_hand_written": intent_metrics(predictor, requests),
        "intents_one_typo": intent_metrics(predictor, with_one_typo(newer[::25])),
        "kinds_in_one_style": kind_metrics(
            predictor, {"search": queryner, "question": questions, "service": newer[::25]}
        ),
        "relations_hand_written": relation_metrics(predictor, products),
        "relations_crossed": relation_metrics(predictor, hand_written_crossed()),
        "relations_unseen_grammar": relation_metrics(predictor, unseen_queries(600, 1)),
        "sentiment_tweeteval": _beside_lexicon(predictor, load("tweeteval", folder)),
        "sentiment_service_tweets": _beside_lexicon(predictor, load("airline_tweets", folder)),
        "sentiment_hand_written": sentiment_metrics(predictor, requests),
        "vectors_paraphrases": vector_metrics(predictor, hand_written_paraphrases()),
        "out_of_scope": {
            "auroc_clinc": scope_auroc(predictor, clinc, inside),
            "auroc_near_misses": scope_auroc(predictor, hand_written_near_misses(), in_scope),
            "clinc_found": intent_metrics(predictor, clinc)["accuracy"],
        },
    }
