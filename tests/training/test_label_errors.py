from collections import Counter
from dataclasses import replace

import numpy as np

from streams.decoding import ModelLabels
from streams.labels import INTENTS, SENTIMENTS, bio_tags
from tests.training.conftest import Shipped
from training.answers import Answers, answers_of
from training.examples import Example, TextSpan
from training.generator import compose
from training.label_errors import class_errors, entity_errors, first_of_each
from training.saved_models import predictor_of

LABELS = ModelLabels(INTENTS, bio_tags(), SENTIMENTS, 0.5, "test")
NAMES = ("refund", "review", "payment")


def answers(truth: list[str]) -> Answers:
    """A model that is nearly always right, and rather sure."""
    likely = np.full((len(truth), len(INTENTS)), 0.1 / (len(INTENTS) - 1))
    for row, name in enumerate(truth):
        likely[row, INTENTS.index(name)] = 0.9
    return Answers(LABELS, [], likely, np.full((len(truth), 3), 1 / 3))


def test_wrong_labels_are_found_and_no_others() -> None:
    truth = [NAMES[n % 3] for n in range(300)]
    given = list(truth)
    wrong = {5: "refund", 100: "refund", 200: "review"}
    for row, name in wrong.items():
        assert truth[row] != name
        given[row] = name
    examples = [Example(f"text {n}", "test", intent=name) for n, name in enumerate(given)]
    found = class_errors("mine", "intents", examples, answers(truth))
    assert {(e.number - 1, e.given) for e in found} == set(wrong.items())
    assert all(e.suggested == truth[e.number - 1] for e in found)


def test_their_texts_hold_no_personal_data() -> None:
    truth = [NAMES[n % 3] for n in range(60)]
    text = "write to jane.doe@example.com about it"
    examples = [
        Example(text if n == 7 else f"text {n}", "test", intent="payment" if n == 7 else name)
        for n, name in enumerate(truth)
    ]
    (found,) = class_errors("mine", "intents", examples, answers(truth))
    assert "jane" not in str(found.facts())
    assert "[EMAIL]" in found.text


def test_too_few_or_only_one_class_say_nothing() -> None:
    alone = [Example("text", "test", intent="refund")] * 50
    assert class_errors("mine", "intents", alone, answers(["refund"] * 50)) == []
    assert class_errors("mine", "intents", alone[:5], answers(["refund"] * 5)) == []


def test_a_word_with_a_wrong_entity_is_found(shipped: Shipped) -> None:
    """Given its own answers as labels, but for one, a model doubts that one."""
    model = predictor_of(shipped.repository)
    examples = compose("products", 120, 8)
    found = answers_of(model, [e.text for e in examples]).found
    labelled = [
        replace(e, relations=None, spans=tuple(TextSpan(s.type, s.start, s.end) for s in a.spans))
        for e, a in zip(examples, found, strict=True)
    ]
    row = max(
        (n for n, e in enumerate(labelled) if e.spans),
        key=lambda n: found[n].spans[0].score,
    )
    first, *rest = labelled[row].spans or ()
    kinds = Counter(s.type for e in labelled for s in e.spans or () if s.type != first.type)
    other = kinds.most_common(1)[0][0]  # of a type that nothing else has, nothing is learnt
    labelled[row] = replace(labelled[row], spans=(replace(first, type=other), *rest))
    errors = entity_errors("mine", labelled, model)
    assert (row + 1, other, first.type) in {(e.number, e.given, e.suggested) for e in errors}
    assert all(e.part in e.text for e in errors if e.part != "…")
    assert len(first_of_each(errors, 1)) == 1
