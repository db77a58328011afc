"""Composed queries for several products, and the loss that learns whose attribute is whose."""

import math
import random

import pytest
import torch

from streams.labels import PREDICATES, PRODUCT_TYPES
from training.data.examples import Example, checked
from training.data.generator.pairing import paired
from training.data.generator.words import Words
from training.data.markup import owned_by_nearest, parse
from training.network.objective import collate, owner_loss
from training.network.query_model import Heads
from training.network.tokens import IGNORED, Encoded


def _queries(count: int) -> list[Example]:
    words, chance = Words(), random.Random(1)
    return [parse(" ".join(paired(words, chance).split()), "paired") for _ in range(count)]


def test_every_attribute_has_one_product_and_no_grammar_is_left() -> None:
    for example in _queries(500):
        checked(example)
        spans = example.spans or ()
        assert 2 <= sum(span.type in PRODUCT_TYPES for span in spans) <= 3, example.text
        attributes = [n for n, span in enumerate(spans) if span.type in PREDICATES]
        assert sorted(owned for _, owned in example.relations or ()) == attributes
        assert not set("{}|[]\x01\x02\x03") & set(example.text), example.text


def test_words_do_not_run_into_one_another() -> None:
    for example in _queries(500):
        for span in example.spans or ():
            around = example.text[max(span.start - 1, 0) : span.start] + example.text[
                span.end : span.end + 1
            ]  # fmt: skip
            assert not any(character.isalnum() for character in around), example.text


def test_few_queries_are_built_alike_and_nearness_often_misleads() -> None:
    queries = _queries(500)
    built = set()
    for example in queries:
        text = example.text
        for span in reversed(example.spans or ()):
            text = f"{text[: span.start]}{span.type}{text[span.end :]}"
        built.add(text)
    assert len(built) > 480
    wrong = sum(set(owned_by_nearest(e)) != set(e.relations or ()) for e in queries)
    assert wrong / len(queries) > 0.5


def test_the_loss_of_owners_falls_when_the_right_product_is_the_likeliest() -> None:
    item = Encoded((1, 2, 3, 4, 5), 0, 0, (IGNORED,) * 5, ((1, 3, 1.0), (2, 3, 0.0)), "")
    batch = collate([item])

    def loss(first: float, second: float) -> float:
        subject, owned = torch.zeros(1, 5, 32), torch.zeros(1, 5, 32)
        subject[0, 1, 0], subject[0, 2, 0], owned[0, 3, 0] = first, second, 1.0
        other = torch.zeros(1, 1)
        return owner_loss(Heads(other, other, other, subject, owned, other), batch).item()

    assert loss(3.0, -3.0) < 0.01
    assert loss(2.0, 1.0) < loss(1.0, 1.0) < loss(1.0, 2.0) < loss(-3.0, 3.0)
    assert loss(-1.0, -4.0) == pytest.approx(loss(4.0, 1.0))  # the likeliest, however likely
    assert loss(0.0, 0.0) == pytest.approx(math.log(2))
