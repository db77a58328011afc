"""Noise changes the text and never what is said of it: entities move along."""

import random
from dataclasses import replace

import pytest

from training.config import DataConfig
from training.data.corpus import noise_of
from training.data.examples import Example, TextSpan, checked, normalised
from training.data.generator import compose
from training.data.noise import (
    Noise,
    noisy,
    with_lookalikes,
    with_other_case,
    without_a_space,
    without_words,
)
from training.errors import DataError

_BAG = Example(
    "the red leather bag for my mum",
    "own",
    intent="product_search",
    spans=(
        TextSpan("color", 4, 7),
        TextSpan("material", 8, 15),
        TextSpan("core_product_type", 16, 19),
        TextSpan("department", 24, 30),
    ),
)


def _words(example: Example) -> list[tuple[str, str]]:
    return [(s.type, example.text[s.start : s.end]) for s in example.spans or ()]


def test_stop_words_go_and_entities_move() -> None:
    found = without_words(_BAG, frozenset({"the", "for", "my"}))
    assert found.text == "red leather bag mum"
    assert _words(found)[0] == ("color", "red")
    assert _words(found)[3] == ("department", "mum")


def test_an_entity_made_of_stop_words_keeps_its_text() -> None:
    example = Example("the who", "own", spans=(TextSpan("creator", 0, 7),))
    assert without_words(example, frozenset({"the", "who"})) is example


def test_a_space_is_lost_within_an_entity_or_outside_all() -> None:
    for seed in range(50):
        found = without_a_space(_BAG, random.Random(seed))
        assert found.text in {
            "the red leather bag for mymum",  # within "my mum"
            "the red leather bag formy mum",
        } - {"the red leather bag formy mum"}
        assert _words(found)[3] == ("department", "mymum")


def test_lookalikes_change_no_length_and_no_placeholder() -> None:
    example = Example("where is my [ORDER]", "own", intent="track_order", spans=())
    for seed in range(50):
        found = with_lookalikes(example, random.Random(seed))
        assert found.text != example.text
        assert len(found.text) == len(example.text)
        assert found.text.endswith(" [ORDER]")


def test_case_changes_but_not_that_of_placeholders() -> None:
    example = Example("mail Me at [EMAIL]", "own", intent="account", spans=())
    found = {with_other_case(example, random.Random(seed)).text for seed in range(30)}
    assert found == {"MAIL ME AT [EMAIL]", "mail me at [EMAIL]", "Mail Me At [EMAIL]"}


def test_case_that_would_change_lengths_is_left() -> None:
    example = Example("große tasche", "own", spans=(TextSpan("modifier", 0, 5),))
    assert all(
        len(with_other_case(example, random.Random(seed)).text) == len(example.text)
        for seed in range(20)
    )


@pytest.mark.parametrize("kind", ["typos", "punctuation", "casing", "spaces", "lookalikes"])
def test_noise_of_every_kind_keeps_examples_valid(kind: str) -> None:
    chance = random.Random(1)
    noise = replace(Noise(), **{kind: 1.0})  # type: ignore[arg-type] # by its field's name
    changed = 0
    for example in compose("products", 200, 3):
        found = checked(noisy(example, chance, noise))
        assert len(found.spans or ()) == len(example.spans or ())
        changed += found.text != example.text
        assert found.clean == (example.text if found.text != example.text else None)
    assert changed


def test_a_recipe_names_its_noise() -> None:
    config = DataConfig(stop_words=("The",), drop_stop_words=1.0, typos=0.0, punctuation=0.0)
    assert noisy(_BAG, random.Random(1), noise_of(config)).text == "red leather bag for my mum"


def test_texts_are_trained_on_as_the_worker_sees_them() -> None:
    example = Example(
        " ｒｅｄ   shoes\u200b ½ price ",
        "own",
        spans=(TextSpan("color", 1, 4), TextSpan("core_product_type", 7, 12)),
    )
    found = normalised(example)
    assert found.text == "red shoes 1⁄2 price"
    assert _words(found) == [("color", "red"), ("core_product_type", "shoes")]


def test_a_text_that_the_worker_would_refuse_is_an_error() -> None:
    with pytest.raises(DataError, match="too long"):
        normalised(Example("a" * 9000, "own"))
