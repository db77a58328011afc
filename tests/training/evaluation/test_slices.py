from collections.abc import Mapping

import numpy as np
import pytest

from training.data.examples import Example, TextSpan
from training.data.generator import compose
from training.evaluation.intervals import Tally
from training.evaluation.slices import (
    brand_counts,
    brand_of,
    compared,
    dimensions,
    length_of,
    slices_of,
    style_of,
    variants_of,
)

NO_BRANDS: Mapping[str, int] = {}


@pytest.mark.parametrize(
    ("text", "length", "style"),
    [
        ("red shoes", "1 to 2 words", "plain lower case"),
        ("Red shoes for men", "3 to 4 words", "with capitals"),
        ("WHERE IS MY ORDER", "3 to 4 words", "all capitals"),
        ("where is my order?", "3 to 4 words", "with punctuation"),
        ("我想买一部手机", "3 to 4 words", "plain lower case"),
        ("the red shoes that i saw last week please", "9 words or more", "plain lower case"),
    ],
)
def test_texts_are_told_apart_by_length_and_style(text: str, length: str, style: str) -> None:
    assert (length_of(text), style_of(text)) == (length, style)


def test_brands_are_told_apart_by_how_often_they_were_trained_on() -> None:
    def of(brand: str) -> Example:
        return Example(f"{brand} shoes", "test", spans=(TextSpan("creator", 0, len(brand)),))

    counts = brand_counts([of("Nike")] * 6 + [of("puma")])
    assert brand_of(of("nike"), counts) == "a frequent brand (5 times or more)"
    assert brand_of(of("puma"), counts) == "a rare brand (1 to 4 times)"
    assert brand_of(of("zorp"), counts) == "a brand not trained on"
    assert brand_of(Example("red shoes", "test", spans=()), counts) == "no brand"
    assert brand_of(Example("red shoes", "test"), counts) is None


def gaps(right: np.ndarray, examples: list[Example]) -> list[str]:
    tally = Tally(right.astype(float), np.ones(len(right)), share=True)
    slices = slices_of("set", examples, tally, dimensions(NO_BRANDS))
    return [one.name for one in compared(slices) if one.gap]


def test_a_kind_that_is_served_worse_is_called_out_and_noise_is_not() -> None:
    examples = compose("requests", 600, 4)
    chance = np.random.default_rng(1)
    assert sum(bool(gaps(chance.random(600) < 0.9, examples)) for _ in range(20)) <= 2
    punctuated = np.array([style_of(e.text) == "with punctuation" for e in examples])
    right = chance.random(600) < np.where(punctuated, 0.6, 0.95)
    assert gaps(right, examples)[0] == "with punctuation"


def test_variants_change_the_text_and_keep_the_labels() -> None:
    examples = compose("products", 60, 5)
    variants = {one.dimension: one for one in variants_of(examples)}
    assert set(variants) == {"typing noise", "casing"}
    for one in variants.values():
        assert len(one.rows) > 40
        for row, example in zip(one.rows, one.examples, strict=True):
            assert example.text != examples[row].text
            assert [s.type for s in example.spans or ()] == [
                s.type for s in examples[row].spans or ()
            ]
    assert all(e.text == e.text.upper() for e in variants["casing"].examples)
