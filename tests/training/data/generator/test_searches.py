"""Searches put together from parts, and products spoken of a second time: right labels, much variety."""

import random
import re
from collections.abc import Callable, Iterator
from functools import cache

from streams.labels import PREDICATES, PRODUCT_TYPES
from training.data.examples import Example, checked
from training.data.generator import compose
from training.data.generator.more_words import MORE
from training.data.generator.pairs.again import (
    HERS,
    HIS,
    by_feature,
    his_and_hers,
    it_and_they,
    noun_again,
)
from training.data.generator.pairs.mixed import by_kind, counted, recalled
from training.data.generator.pairs.woven import aside, budgeted, chained
from training.data.generator.pairs.writer import Body, Writer
from training.data.generator.searches.fitting import fitting
from training.data.generator.searches.typed import in_a_row, typed
from training.data.generator.words import Words
from training.data.markup import parse

_PLACES = {"first": 0, "former": 0, "second": 1, "latter": 1, "third": 2}


@cache
def _queries() -> list[Example]:
    return compose("products", 5000, 1)


def _made(make: Callable[[Writer], Body], count: int) -> Iterator[tuple[Example, str]]:
    """Queries of one way to put them together, and the same with their spans as <p0>, <a1>."""
    words, chance = Words((), MORE), random.Random(9)
    for _ in range(count):
        example = checked(parse(make(Writer(words, chance)).text, "own"))
        text = example.text
        for n, span in reversed(list(enumerate(example.spans or ()))):
            kind = "p" if span.type in PRODUCT_TYPES else "a"
            text = f"{text[: span.start]}<{kind}{n}>{text[span.end :]}"
        yield example, text


def _owners(example: Example) -> dict[int, int]:
    return {attribute: product for product, attribute in example.relations or ()}


def _products(example: Example) -> list[int]:
    return [n for n, span in enumerate(example.spans or ()) if span.type in PRODUCT_TYPES]


def _skeleton(example: Example) -> str:
    """The text with entities replaced by their types."""
    text = example.text
    for span in reversed(example.spans or ()):
        text = f"{text[: span.start]}<{span.type}>{text[span.end :]}"
    return text


def test_every_attribute_has_one_product_and_spaces_are_in_order() -> None:
    for example in _queries():
        checked(example)
        spans = example.spans or ()
        attributes = [n for n, span in enumerate(spans) if span.type in PREDICATES]
        assert (
            sorted(_owners(example)) == attributes == sorted(o for _, o in example.relations or ())
        )
        assert _products(example), example.text
        assert example.text == " ".join(example.text.split())
        for span in spans:
            around = example.text[max(span.start - 1, 0) : span.start]
            around += example.text[span.end : span.end + 1]
            assert not any(character.isalnum() for character in around), example.text


def test_few_searches_are_built_alike() -> None:
    skeletons = [_skeleton(example) for example in _queries()]
    assert len(set(skeletons)) > 0.93 * len(skeletons)
    orders = {tuple(span.type for span in example.spans or ()) for example in _queries()}
    assert len(orders) > 0.7 * len(skeletons)
    words = {word for skeleton in skeletons for word in re.findall(r"(?<!<)\b[a-z']+", skeleton)}
    assert len(words) > 400


def test_searches_are_for_one_product_for_one_that_fits_another_and_for_several() -> None:
    counts = [len(_products(example)) for example in _queries()]
    assert all(counts.count(number) > 0.05 * len(counts) for number in (1, 2, 3))
    assert counts.count(1) < 0.6 * len(counts)


def test_typed_words_stand_in_any_order() -> None:
    before = [_products(example)[0] for example, _ in _made(typed, 500)]
    assert {0, 1, 2, 3} <= set(before)
    for _, text in _made(in_a_row, 300):
        assert text.startswith("<p0>") or (text.endswith(">") and "<p" in text.split()[-1]), text


def test_what_stands_before_the_fitted_product_is_its_own_and_what_follows_is_not() -> None:
    for example, text in _made(fitting, 500):
        owners, (thing, other) = _owners(example), _products(example)
        for attribute, owner in owners.items():
            if attribute > other:
                assert owner == thing, text
        if re.search(rf"<a{other - 1}> <p{other}>", text):
            assert owners[other - 1] == other, text


def test_what_is_said_later_of_the_first_or_second_belongs_to_it() -> None:
    found = 0
    for make in (recalled, by_kind):
        for example, text in _made(make, 500):
            owners, products = _owners(example), _products(example)
            pattern = (
                r"the (first|second|third|former|latter)(?: one)? (?:should be |must be )?<a(\d+)>"
            )
            for match in re.finditer(pattern, text):
                assert owners[int(match[2])] == products[_PLACES[match[1]]], text
                found += 1
    assert found > 200


def test_a_feature_spoken_of_again_has_the_same_product() -> None:
    for example, text in _made(by_feature, 300):
        spans, owners = example.spans or (), _owners(example)
        owner_of: dict[str, int] = {}
        for attribute, owner in owners.items():
            words = example.text[spans[attribute].start : spans[attribute].end]
            assert owner_of.setdefault(words, owner) == owner, text
        assert len(owner_of) < len(owners), text


def test_a_noun_spoken_of_again_has_what_is_said_with_it() -> None:
    for example, text in _made(noun_again, 300):
        owners, products = _owners(example), _products(example)
        assert 3 <= len(products) <= 4
        behind = [owner for attribute, owner in owners.items() if attribute > products[1]]
        assert behind, text
        assert all(owner >= products[2] for owner in behind), text


def test_his_and_hers_go_to_whom_they_are_for() -> None:
    found = 0
    for example, text in _made(his_and_hers, 400):
        owners, spans = _owners(example), example.spans or ()
        people = {example.text[spans[n].start : spans[n].end]: owners[n] for n in owners}
        his = next(owner for words, owner in people.items() if words in HIS)
        hers = next(owner for words, owner in people.items() if words in HERS)
        for match in re.finditer(r"\b(his|hers|for him|for her) <a(\d+)>", text):
            assert owners[int(match[2])] == (his if match[1].endswith(("his", "him")) else hers), (
                text
            )
            found += 1
    assert found > 50


def test_they_are_several_and_it_is_one() -> None:
    for example, text in _made(it_and_they, 300):
        spans, owners = example.spans or (), _owners(example)
        for match in re.finditer(r"\b(it|they) [a-z ]+ be <a(\d+)>", text):
            span = spans[owners[int(match[2])]]
            words = example.text[span.start : span.end]
            assert (words.endswith("s") and not words.endswith("ss")) == (match[1] == "they"), text


def test_numbers_and_sums_belong_to_what_they_stand_with() -> None:
    for example, text in _made(counted, 300):
        owners, products = _owners(example), _products(example)
        spans = example.spans or ()
        numbers = [n for n in owners if spans[n].type == "quantity"]
        assert [owners[n] for n in numbers] == products, text
    for example, text in _made(budgeted, 300):
        owners = _owners(example)
        for match in re.finditer(r"<a(\d+)> (?:on|for) the (?:<a\d+> )?<p(\d+)>", text):
            assert owners[int(match[1])] == int(match[2]), text


def test_what_stands_behind_three_products_goes_for_the_first() -> None:
    for example, text in _made(chained, 300):
        products = _products(example)
        behind = [o for attribute, o in _owners(example).items() if attribute > products[2]]
        assert set(behind) == {products[0]}, text


def test_what_is_wished_goes_past_the_other_product() -> None:
    crossed = sum(
        any(
            owner < _products(example)[1] < attribute
            for attribute, owner in _owners(example).items()
        )
        for example, _ in _made(aside, 300)
    )
    assert crossed > 150
