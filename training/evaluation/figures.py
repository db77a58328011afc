"""How good a model is: every figure from public or hand-written texts it was not trained on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.decoding import UNDETERMINED, Decoder, ModelOutputs, Span, Understanding
from streams.labels import OUT_OF_SCOPE, PREDICATES, PRODUCT_TYPES
from training.data.examples import Example
from training.data.generator.unseen import unseen_queries
from training.data.markup import (
    hand_written_crossed,
    hand_written_near_misses,
    hand_written_paraphrases,
    hand_written_products,
    hand_written_requests,
    owned_by_nearest,
)
from training.data.sources import load
from training.data.weak_labels import lexicon_feelings
from training.evaluation.entity_scores import entity_scores
from training.evaluation.metrics import (
    accuracy,
    auroc,
    calibration_error,
    class_counts,
    count,
    macro_f1,
)
from training.evaluation.redaction_cost import redaction_metrics
from training.evaluation.robustness import in_one_style, kind_of, with_one_typo
from training.inference.answers import Asked, answers_of
from training.inference.predict import Predictor


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is measured.

    Attributes:
        name: under which its figures stand.
        texts: how many the model is asked about.
        figures: takes them of a model.
        task: `entities`, `intents` or `sentiment` where answers can be looked at one by one.
        examples: then, what they are answers to.
        sliced: whether kinds of texts are told apart.
    """

    name: str
    texts: int
    figures: Callable[[Predictor], dict[str, Any]]
    task: str = ""
    examples: Sequence[Example] = ()
    sliced: bool = False


def entity_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Micro precision, recall and F1 over entities, typed, untyped and by type."""
    texts = [example.text for example in examples]
    found = answers_of(predictor, texts).found
    pairs = [(one.spans, e.spans or ()) for one, e in zip(found, examples, strict=True)]
    return entity_scores(texts, pairs)


def intent_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Accuracy, macro-F1, figures by class and expected calibration error."""
    answers = answers_of(predictor, [example.text for example in examples])
    gold = [example.intent or "" for example in examples]
    confidence, right = sureness(answers.found, answers.intents, answers.labels.intents, gold)
    return class_metrics([one.intent.label for one in answers.found], gold) | {
        "calibration_error": calibration_error(confidence, right)
    }


def sureness(
    found: Sequence[Understanding],
    likely: NDArray[np.float64],
    names: Sequence[str],
    gold: Sequence[str],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How sure a model is of the likeliest class of N texts, and whether that is theirs.

    Texts in a script without encoder are left out: of these no class was said.

    Args:
        found: the answers to B texts, of which N were understood.
        likely: probabilities [B, classes].
        names: of the classes.
        gold: the class of each of the B texts.
    """
    said = np.array([one.language != UNDETERMINED for one in found], np.bool_)
    right = np.array(names)[likely.argmax(1)] == np.array(gold)
    return likely.max(1)[said], right[said]


def sentiment_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """Accuracy, macro-F1, figures by class and expected calibration error."""
    answers = answers_of(predictor, [example.text for example in examples])
    gold = [example.sentiment or "" for example in examples]
    confidence, right = sureness(answers.found, answers.sentiments, answers.labels.sentiments, gold)
    return class_metrics([one.sentiment.label for one in answers.found], gold) | {
        "calibration_error": calibration_error(confidence, right)
    }


def class_metrics(found: Sequence[str], gold: Sequence[str]) -> dict[str, Any]:
    """Accuracy, macro-F1, and precision, recall and F1 of each class of the gold labels."""
    by_class = class_counts(found, gold)
    return {
        "accuracy": accuracy(found, gold),
        "macro_f1": macro_f1(found, gold),
        "examples": len(gold),
        "f1_by_class": {name: one.f1 for name, one in by_class.items()},
        "precision_by_class": {name: one.precision for name, one in by_class.items()},
        "recall_by_class": {name: one.recall for name, one in by_class.items()},
        "examples_by_class": {name: one.there for name, one in by_class.items()},
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
    column = predictor.labels.intents.index(OUT_OF_SCOPE)
    scores = [
        answers_of(predictor, [example.text for example in part]).intents[:, column]
        for part in (outside, inside)
    ]
    return auroc(scores[0], scores[1])


def relation_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """F1 of pairs given the gold entities, of the nearest-product rule, and end to end.

    `f1_ceiling` is what end to end could reach with these entities, were every pair of them right.
    """
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
    reachable = [
        ({pair for pair in pairs if _places(pair) <= _entities(answer.spans)}, pairs)
        for (_, pairs), answer in zip(whole, answers, strict=True)
    ]
    return {
        "f1_given_entities": count(zip(given, gold, strict=True)).f1,
        "f1_nearest_product": count(zip(nearest, gold, strict=True)).f1,
        "f1_end_to_end": count(whole).f1,
        "f1_ceiling": count(reachable).f1,
        "pairs": sum(len(pairs) for pairs in gold),
    }


def _named(spans: Any, pairs: Any) -> set[tuple[object, ...]]:
    return {
        (spans[p].start, spans[p].end, spans[a].type, spans[a].start, spans[a].end)
        for p, a in pairs or ()
    }


def _places(pair: tuple[object, ...]) -> set[tuple[object, ...]]:
    """The product (of either type) and the attribute of a named pair."""
    return {("product", *pair[:2]), pair[2:]}


def _entities(spans: Sequence[Span]) -> set[tuple[object, ...]]:
    return {("product" if s.type in PRODUCT_TYPES else s.type, s.start, s.end) for s in spans}


def _owners(outputs: ModelOutputs, row: int, example: Example) -> set[tuple[int, ...]]:
    """The product of each attribute; of an entity without a piece, as in a text that is cut, nothing."""
    spans = example.spans or ()
    ends = outputs.token_offsets[row, : outputs.token_count[row], 1].tolist()
    pieces = {
        n: next(i for i, end in enumerate(ends) if end > span.start)
        for n, span in enumerate(spans)
        if max(ends, default=0) > span.start
    }
    products = [n for n in pieces if spans[n].type in PRODUCT_TYPES]
    found: set[tuple[int, ...]] = set()
    for n, piece in pieces.items():
        if spans[n].type not in PREDICATES or not products:
            continue
        attribute = outputs.relation_object[row, piece]
        scores = [float(outputs.relation_subject[row, pieces[p]] @ attribute) for p in products]
        if max(scores) >= 0.0:
            found.add((products[scores.index(max(scores))], n))
    return found


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
        answers = answers_of(predictor, [example.text for example in in_one_style(examples)])
        right[kind] = float(np.mean([kind_of(one.intent.label) == kind for one in answers.found]))
    return right | {"accuracy": float(np.mean(list(right.values())))}


def taken(steps: Iterable[Step], predictor: Predictor) -> dict[str, Any]:
    """The figures of a model; no text is asked twice."""
    asked = predictor if isinstance(predictor, Asked) else Asked(predictor)
    return {step.name: step.figures(asked) for step in steps}


def english_steps(folder: Path | None) -> list[Step]:
    """What is measured of an English model.

    Args:
        folder: of the public data sets; None for what needs none.

    Raises:
        DataError: the data folder lacks a file.
    """
    requests, products = hand_written_requests(), hand_written_products()
    paraphrases = hand_written_paraphrases()
    hand_written = [
        on("entities_hand_written", entity_metrics, products),
        on("intents_hand_written", intent_metrics, requests),
        on("relations_hand_written", relation_metrics, products),
        on("relations_crossed", relation_metrics, hand_written_crossed()),
        on("relations_unseen_grammar", relation_metrics, unseen_queries(600, 1)),
        on("sentiment_hand_written", sentiment_metrics, requests),
        Step(
            "vectors_paraphrases",
            2 * len(paraphrases),
            lambda model: vector_metrics(model, paraphrases),
        ),
    ]
    return hand_written if folder is None else [*_public_steps(folder, requests), *hand_written]


def _public_steps(folder: Path, requests: Sequence[Example]) -> list[Step]:
    queryner = load("queryner_validation", folder)
    newer = load("bitext_newer", folder)
    questions = load("amazon_pqa_test", folder)
    clinc = [e for e in load("clinc_validation", folder) if e.intent == OUT_OF_SCOPE]
    misses = hand_written_near_misses()
    inside = [*queryner, *questions, *newer[::20]]
    in_scope = [e for e in requests if e.intent != OUT_OF_SCOPE]
    kinds = {"search": queryner, "question": questions, "service": newer[::25]}

    def scope(predictor: Predictor) -> dict[str, Any]:
        return {
            "auroc_clinc": scope_auroc(predictor, clinc, inside),
            "auroc_near_misses": scope_auroc(predictor, misses, in_scope),
            "clinc_found": intent_metrics(predictor, clinc)["accuracy"],
        }

    return [
        on("entities_queryner_validation", entity_metrics, queryner, sliced=True),
        on("entities_queryner_one_typo", entity_metrics, with_one_typo(queryner)),
        on("intents_bitext_newer", intent_metrics, newer, sliced=True),
        on("intents_product_questions", intent_metrics, questions),
        on("intents_searches", intent_metrics, queryner),
        on("intents_one_typo", intent_metrics, with_one_typo(newer[::25])),
        Step("kinds_in_one_style", 2400, lambda model: kind_metrics(model, kinds)),
        on("sentiment_tweeteval", _beside_lexicon, load("tweeteval", folder), sliced=True),
        on(
            "sentiment_service_tweets", _beside_lexicon, load("airline_tweets", folder), sliced=True
        ),
        Step("out_of_scope", len(clinc) + len(inside) + len(misses), scope),
        on("redaction", redaction_metrics, queryner),
    ]


def on(
    name: str,
    figures: Callable[[Predictor, Sequence[Example]], dict[str, Any]],
    examples: Sequence[Example],
    *,
    sliced: bool = False,
) -> Step:
    """The step that takes figures over examples."""
    task = _TASK_OF.get(figures, "")
    return Step(
        name,
        len(examples),
        lambda model: figures(model, examples),
        task,
        examples if task else (),
        sliced,
    )


_TASK_OF: dict[Any, str] = {
    entity_metrics: "entities",
    intent_metrics: "intents",
    sentiment_metrics: "sentiment",
    _beside_lexicon: "sentiment",
}


def steps_on(name: str, examples: Sequence[Example]) -> list[Step]:
    """What can be measured on texts with these labels.

    Args:
        name: of the texts.
        examples: of which a task takes those that have its label.
    """
    tasks: tuple[tuple[str, Any, list[Example]], ...] = (
        ("entities", entity_metrics, [e for e in examples if e.spans is not None]),
        ("intents", intent_metrics, [e for e in examples if e.intent]),
        ("sentiment", sentiment_metrics, [e for e in examples if e.sentiment]),
        ("relations", relation_metrics, [e for e in examples if e.relations]),
    )
    return [
        on(f"{task}_{name}", figures, some, sliced=True) for task, figures, some in tasks if some
    ]
