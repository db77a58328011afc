import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from streams.decoding import ModelLabels, ModelOutputs
from streams.labels import INTENTS, SENTIMENTS, bio_tags
from training.data.examples import Example, TextSpan
from training.evaluation.label_errors import class_errors, entity_errors, first_of_each
from training.inference.answers import Answers

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


TYPES = {"red": "color", "blue": "color", "shoes": "core_product_type", "nike": "creator"}


class Sure:
    """A model that is rather sure of every word: each is of the type that it has here, or of none."""

    labels = LABELS

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        words = [list(re.finditer(r"\S+", text)) for text in texts]
        longest = max(map(len, words))
        tags = np.zeros((len(texts), longest, len(LABELS.tags)), np.float32)
        offsets = np.zeros((len(texts), longest, 2), np.int32)
        for row, found in enumerate(words):
            for place, word in enumerate(found):
                kind = TYPES.get(word[0])
                tags[row, place, LABELS.tags.index(f"B-{kind}" if kind else "O")] = 7.0
                offsets[row, place] = word.span()
        return ModelOutputs(
            intent_logits=np.zeros((len(texts), len(INTENTS)), np.float32),
            sentiment_logits=np.zeros((len(texts), 3), np.float32),
            tag_logits=tags,
            token_offsets=offsets,
            token_count=np.array(list(map(len, words)), np.int32),
            word_pieces=np.array(list(map(len, words)), np.int32),
            relation_subject=np.zeros((len(texts), longest, 32), np.float32),
            relation_object=np.zeros((len(texts), longest, 32), np.float32),
            sentence_vector=np.zeros((len(texts), 384), np.float32),
            languages=("en",) * len(texts),
            digest="",
        )


def marked(text: str) -> Example:
    spans = (
        TextSpan(TYPES[word[0]], *word.span())
        for word in re.finditer(r"\S+", text)
        if word[0] in TYPES
    )
    return Example(text, "test", spans=tuple(spans))


def test_a_word_with_a_wrong_entity_is_found() -> None:
    examples = [
        marked(f"{colour} {brand} shoes for {whom}")
        for colour in ("red", "blue")
        for brand in ("nike", "other")
        for whom in ("men", "women", "jane.doe@example.com")
        for _ in range(5)
    ]
    brand = examples[3].spans or ()
    examples[3] = replace(examples[3], spans=(replace(brand[0], type="creator"), *brand[1:]))
    (found,) = entity_errors("mine", examples, Sure())
    assert (found.number, found.part, found.given, found.suggested) == (
        4,
        "red",
        "creator",
        "color",
    )
    assert len(first_of_each([found, replace(found, number=5)], 1)) == 1


def test_a_text_without_word_pieces_has_no_labels_to_doubt() -> None:
    texts = ("red shoes", "\n", "blue shoes")  # of a blank, this tokenizer makes nothing
    examples = [marked(text) for text in texts for _ in range(10)]
    assert entity_errors("mine", examples, Sure()) == []


def test_words_of_one_type_say_nothing() -> None:
    for text in ("red", "hello there"):
        assert entity_errors("mine", [marked(text)] * 30, Sure()) == []


def test_a_word_that_is_redacted_is_not_shown() -> None:
    mail = "jane.doe@example.com"
    examples = [marked(f"red shoes for {mail}") for _ in range(40)]
    at = examples[0].text.index(mail)
    wrong = TextSpan("creator", at, at + len(mail))
    examples += [marked("nike shoes")] * 40
    examples[0] = replace(examples[0], spans=(*(examples[0].spans or ()), wrong))
    (found,) = entity_errors("mine", examples, Sure())
    assert (found.number, found.part) == (1, "…")
    assert "jane" not in str(found.facts())
