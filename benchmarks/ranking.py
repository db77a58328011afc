"""Rankings of a catalogue, and the measures of how well and how fairly they recommend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.shoppers import BRANDS, COLORS, MATERIALS, TYPES, Catalogue, Indices, Numbers
from streams.profile_hash import Band, UserFeatures, WeightedValues

LIST: Final = 10
"""How many products are shown."""

_SMOOTH: Final = 0.02  # a share that nothing is known of counts as this much
_LEAST_SPREAD: Final = 0.2


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute of the products: the profile's field, the names and each product's index."""

    field: str
    names: Sequence[str]
    values: Indices


def columns(catalogue: Catalogue) -> tuple[Column, ...]:
    """The attributes that both the catalogue and a profile know."""
    return (
        Column("product_types", TYPES, catalogue.types),
        Column("brands", BRANDS, catalogue.brands),
        Column("colors", COLORS, catalogue.colors),
        Column("materials", MATERIALS, catalogue.materials),
    )


def usual_shares(catalogue: Catalogue, profiles: Iterable[UserFeatures]) -> Mapping[str, Numbers]:
    """What all profiles together prefer: only what a shopper likes more than that is a taste."""
    known = list(profiles)
    return {
        column.field: np.mean([_shares(column, profile) for profile in known], axis=0)
        for column in columns(catalogue)
    }


def type_affinity(
    catalogue: Catalogue, profile: UserFeatures, usual: Mapping[str, Numbers]
) -> Numbers:
    """How well each product's type fits a profile; all else is left aside."""
    return _log_ratio(columns(catalogue)[0], profile, usual)


def affinity(catalogue: Catalogue, profile: UserFeatures, usual: Mapping[str, Numbers]) -> Numbers:
    """How well each product fits a profile: log ratios of shares, and the distance in price.

    A naive Bayes over attributes, smoothed; a product whose type has no price band stays as it is.
    """
    score = np.zeros(len(catalogue.prices))
    for column in columns(catalogue):
        score += _log_ratio(column, profile, usual)
    bands = profile.prices["EUR"].by_type if "EUR" in profile.prices else {}
    for number, kind in enumerate(TYPES):
        if kind in bands:
            of_kind = catalogue.types == number
            score[of_kind] += _price_fit(catalogue.prices[of_kind], bands[kind])
    return score


def _log_ratio(column: Column, profile: UserFeatures, usual: Mapping[str, Numbers]) -> Numbers:
    ratio = (_shares(column, profile) + _SMOOTH) / (usual[column.field] + _SMOOTH)
    return np.asarray(np.log(ratio)[column.values])


def _shares(column: Column, profile: UserFeatures) -> Numbers:
    weighted: WeightedValues = getattr(profile, column.field)
    shares = weighted.shares()
    return np.array([shares.get(name, 0.0) for name in column.names])


def _price_fit(prices: Numbers, band: Band) -> Numbers:
    """Of the type's mean, so that knowing a type's prices makes the type no better or worse."""
    spread = max(np.log(band.typical / band.low), _LEAST_SPREAD) if band.low > 0 else 1.0
    fit = -0.5 * (np.log(prices / band.typical) / spread) ** 2
    fit = np.maximum(fit, -3.0)
    return np.asarray(fit - fit.mean())


def top(scores: Numbers, without: frozenset[int]) -> Indices:
    """The best products of a list, best first, without those that the shopper has."""
    allowed = scores.copy()
    allowed[list(without)] = -np.inf
    return np.argsort(-allowed, kind="stable")[:LIST]


def hit(shown: Indices, wanted: frozenset[int]) -> float:
    """Whether any wanted product is shown."""
    return float(any(int(index) in wanted for index in shown))


def ndcg(shown: Indices, wanted: frozenset[int]) -> float:
    """Normalised discounted cumulative gain, with gain 1 (Järvelin and Kekäläinen, 2002)."""
    gains = np.array([int(index) in wanted for index in shown], dtype=float)
    worth = attention()
    return float(gains @ worth / worth[: min(len(wanted), LIST)].sum())


def attention() -> Numbers:
    """What each place in a list is worth: 1/log2(1 + rank)."""
    return np.asarray(1 / np.log2(np.arange(2, LIST + 2)))


def exposure(lists: Sequence[Indices], groups: Indices, count: int) -> Numbers:
    """Each group's part of all attention (as in Singh and Joachims, 2018); the parts sum to 1."""
    seen = np.zeros(count)
    for shown in lists:
        np.add.at(seen, groups[shown], attention())
    return np.asarray(seen / seen.sum())


def gini(parts: Numbers) -> float:
    """How unequal the parts are: 0 when all are equal, near 1 when one has all."""
    ordered = np.sort(parts)
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


def price_levels(catalogue: Catalogue) -> Indices:
    """0, 1 or 2: the lower, middle or upper third of the prices of the product's type."""
    levels = np.zeros(len(catalogue.prices), dtype=np.int64)
    for kind in range(len(TYPES)):
        of_kind = catalogue.types == kind
        if of_kind.any():
            levels[of_kind] = np.searchsorted(
                np.quantile(catalogue.prices[of_kind], (1 / 3, 2 / 3)), catalogue.prices[of_kind]
            )
    return levels
