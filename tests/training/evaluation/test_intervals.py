import numpy as np
import pytest

from training.evaluation.intervals import Tally, difference, interval, paired_difference, wilson


def share(right: int, count: int) -> Tally:
    above = np.array([1.0] * right + [0.0] * (count - right))
    return Tally(above, np.ones(count), share=True)


def f1_tally(seed: int, count: int = 200) -> Tally:
    chance = np.random.default_rng(seed)
    below = chance.integers(2, 9, count).astype(float)
    return Tally(2 * np.floor(below / 2 * chance.uniform(0.4, 1.0, count)), below, share=False)


def test_wilsons_interval_is_that_of_the_literature() -> None:
    """Newcombe (Statistics in Medicine, 1998), 81 of 263."""
    found = wilson(81, 263)
    assert found.low == pytest.approx(0.2553, abs=1e-4)
    assert found.high == pytest.approx(0.3662, abs=1e-4)
    assert wilson(0, 0).high == 1.0


def test_newcombes_interval_of_a_difference_is_that_of_the_literature() -> None:
    """Newcombe (Statistics in Medicine, 1998), 56 of 70 less 48 of 80, method 10."""
    found = difference(share(56, 70), share(48, 80))
    assert found.value == pytest.approx(0.2)
    assert found.low == pytest.approx(0.0524, abs=1e-4)
    assert found.high == pytest.approx(0.3339, abs=1e-4)


def test_the_interval_of_f1_covers_it_nearly_always() -> None:
    truth = f1_tally(1, 100_000).value
    hits = [interval(f1_tally(seed)) for seed in range(2, 62)]
    assert sum(one.low <= truth <= one.high for one in hits) >= 50


def test_the_same_twice_does_not_differ() -> None:
    for tally in (share(30, 40), f1_tally(3)):
        found = paired_difference(tally, tally)
        assert found.low <= 0.0 <= found.high


def test_one_text_more_or_less_is_no_difference_but_many_are() -> None:
    before = share(90, 100)
    for right, differs in ((91, False), (100, True)):
        found = paired_difference(share(right, 100), before)
        assert (found.low > 0) is differs
