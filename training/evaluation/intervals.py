"""How sure a figure is: intervals of shares, of F1, and of differences between two of either.

A figure is a ratio of two sums over texts. Of a share (accuracy) the interval is Wilson's (1927), and
that of a difference of two shares Newcombe's (1998, method 10). Of other ratios (F1 is twice what was
right over what was found and what is there) it is a bootstrap's over texts (Efron, 1979).
"""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
_RESAMPLES = 1000
_AT_ONCE = 2_000_000  # drawn numbers held in memory
_SEED = 20

Sums = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tally:
    """A figure over N texts, as what each text adds above and below the line.

    Attributes:
        above: [N], 1 for a right answer; for F1, twice the entities that are right.
        below: [N], 1; for F1, the entities found and those that are there.
        share: whether every text counts as one, right or wrong.
    """

    above: Sums
    below: Sums
    share: bool

    def __len__(self) -> int:
        return len(self.above)

    @property
    def value(self) -> float:
        """The figure; 0 where there is nothing to count."""
        return float(self.above.sum() / max(self.below.sum(), 1e-12))

    def of(self, rows: NDArray[np.intp]) -> "Tally":
        """The same of some of the texts."""
        return Tally(self.above[rows], self.below[rows], self.share)


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and what it may be, at a level of confidence."""

    value: float
    low: float
    high: float


def wilson(right: float, count: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a share."""
    if not count:
        return Interval(0.0, 0.0, 1.0)
    z, share = _z(level), right / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    half /= 1 + z * z / count
    return Interval(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def interval(tally: Tally, level: float = LEVEL) -> Interval:
    """Of a figure."""
    if tally.share:
        return wilson(float(tally.above.sum()), len(tally), level)
    if not len(tally):
        return Interval(0.0, 0.0, 1.0)
    drawn = _resampled(len(tally), lambda rows: _ratios(tally, rows))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Interval(tally.value, float(low), float(high))


def difference(one: Tally, other: Tally, level: float = LEVEL) -> Interval:
    """Of one figure less another, over different texts."""
    value = one.value - other.value
    if one.share and other.share:
        first, second = interval(one, level), interval(other, level)
        return Interval(
            value,
            value - float(np.hypot(first.value - first.low, second.high - second.value)),
            value + float(np.hypot(first.high - first.value, second.value - second.low)),
        )
    spread = float(np.hypot(_spread(one), _spread(other)))
    return _normal(value, spread, level)


def paired_difference(one: Tally, other: Tally, level: float = LEVEL) -> Interval:
    """Of one figure less another, over the same texts in the same order."""
    value = one.value - other.value
    if one.share and other.share:
        apart = one.above - other.above
        # One more text that changed either way: no interval is of no width (Agresti and Min, 2005).
        spread = float(np.sqrt(apart.var() + 1.0 / max(len(apart), 1)) / np.sqrt(max(len(one), 1)))
        return _normal(value, spread, level)
    drawn = _resampled(len(one), lambda rows: _ratios(one, rows) - _ratios(other, rows))
    return _normal(value, float(drawn.std()), level)


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _normal(value: float, spread: float, level: float) -> Interval:
    return Interval(value, value - _z(level) * spread, value + _z(level) * spread)


def _spread(tally: Tally) -> float:
    """The standard error."""
    if not len(tally):
        return 1.0
    if tally.share:
        return float(np.sqrt(tally.value * (1 - tally.value) / len(tally)))
    return float(_resampled(len(tally), lambda rows: _ratios(tally, rows)).std())


def _ratios(tally: Tally, rows: NDArray[np.intp]) -> Sums:
    found: Sums = tally.above[rows].sum(axis=1) / np.maximum(tally.below[rows].sum(axis=1), 1e-12)
    return found


def _resampled(count: int, figure: Callable[[NDArray[np.intp]], Sums]) -> Sums:
    """The figure over as many texts drawn with replacement, a thousand times."""
    chance = np.random.default_rng(_SEED)
    at_once = max(1, min(_RESAMPLES, _AT_ONCE // max(count, 1)))
    parts = [
        figure(chance.integers(0, count, (min(at_once, _RESAMPLES - start), count)))
        for start in range(0, _RESAMPLES, at_once)
    ]
    return np.concatenate(parts)
