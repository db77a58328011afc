"""Shapley values: efficient, symmetric, and right where the answer is known."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.replays.shapley import EXACT, Attribution, attributions, plan

_WEIGHTS = (0.5, -0.2, 0.0, 0.3, 0.1, -0.4, 0.25, 0.05, 0.6, -0.1)


def _additive(part: int) -> float:
    return sum(weight for n, weight in enumerate(_WEIGHTS) if part >> n & 1)


def _pairs(part: int) -> float:
    """Words count only beside their neighbour."""
    return sum(1.0 for n in range(12) if part >> n & 1 and part >> (n + 1) & 1)


@given(st.integers(1, 14), st.randoms(use_true_random=False))
def test_the_values_add_up_to_what_is_to_be_explained(words: int, chance: object) -> None:
    """Efficiency: for any model whatever, exact and estimated."""
    answers = {part: chance.uniform(-1, 1) for part in plan(words, orders=6).parts}  # type: ignore[attr-defined]  # hypothesis's Random
    found = attributions(plan(words, orders=6), answers.__getitem__)
    total = sum(one.value for one in found)
    assert total == pytest.approx(answers[(1 << words) - 1] - answers[0], abs=1e-9)


@pytest.mark.parametrize("words", [3, EXACT, 10])
def test_words_that_only_add_get_what_they_add(words: int) -> None:
    found = attributions(plan(words), _additive)
    for one, weight in zip(found, _WEIGHTS, strict=False):
        assert one.value == pytest.approx(weight)
        assert one.error == pytest.approx(0.0, abs=1e-9)


def test_a_word_that_changes_nothing_gets_nothing() -> None:
    assert attributions(plan(5), _additive)[2].value == pytest.approx(0.0)


def test_words_in_the_same_place_get_the_same() -> None:
    found = [one.value for one in attributions(plan(6), _pairs)]
    assert found == pytest.approx(found[::-1])
    assert found[0] == pytest.approx(0.5)
    assert all(inner == pytest.approx(1.0) for inner in found[1:-1])


def test_an_estimate_is_near_and_knows_its_error() -> None:
    words = 12
    estimated = attributions(plan(words, orders=400), _pairs)
    for n, one in enumerate(estimated):
        exact = 0.5 if n in (0, words - 1) else 1.0
        assert abs(one.value - exact) <= max(5 * one.error, 1e-9)
        assert one.error < 0.05


def test_a_plan_is_the_same_each_time_and_asks_for_all_and_nothing() -> None:
    assert plan(20) == plan(20)
    for words in (1, EXACT, 20):
        parts = plan(words).parts
        assert (parts[0], parts[-1]) == (0, (1 << words) - 1)
        assert all(one < other for one, other in pairwise(parts))
    assert len(plan(EXACT).parts) == 256
    assert plan(EXACT).method == "exact"
    assert "orders" in plan(EXACT + 1).method
    assert len(plan(32).parts) < 1_000


def test_one_order_and_its_reverse_know_no_error() -> None:
    found = attributions(plan(9, orders=2), _additive)
    assert all(isinstance(one, Attribution) for one in found)
    assert found[0].error == float("inf")
