"""Accumulators whose content fades: each event counts half after one half-life.

All of them are frozen. `faded` gives what is left after some time, `with_…` adds an event.
The state at time T is Σ wᵢ · 2^(-(T - tᵢ) / half-life) over the events so far, in whatever order
they came: exponential decay, as in Cormode et al., "Forward Decay" (ICDE 2009), kept relative to
the newest event. Nothing is rounded, so that small steps are not lost.
"""

import base64
import binascii
import math
from collections.abc import Mapping
from datetime import datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

MAX_DIMENSIONS = 4096


def fading(seconds: float, half_life_days: float) -> float:
    """What is left of 1 after `seconds` (not negative), in [0, 1]."""
    return float(2.0 ** (-seconds / (half_life_days * 86_400.0)))


class Weights(Struct, frozen=True, omit_defaults=True):
    """How much each value weighs: the heaviest by name, and the sum of all others as `rest`."""

    values: dict[str, float] = {}
    rest: float = 0.0

    @property
    def total(self) -> float:
        """The weight of everything, named or not."""
        return math.fsum((*self.values.values(), self.rest))

    def shares(self) -> dict[str, float]:
        """Each named value's part of the total, heaviest first."""
        total = self.total
        ordered = sorted(self.values.items(), key=lambda item: (-item[1], item[0]))
        return {name: weight / total for name, weight in ordered} if total > 0 else {}

    def with_added(
        self, added: Mapping[str, float], *, fade: float, keep: int, least: float
    ) -> "Weights":
        """Fades by the factor `fade`, then adds; at most `keep` values stay named.

        Values below `least` and the lightest beyond `keep` go into the rest. A value that was
        just added goes last: it could never rise otherwise.
        """
        values = {name: weight * fade for name, weight in self.values.items()}
        for name, weight in added.items():
            values[name] = values.get(name, 0.0) + weight
        rest = self.rest * fade
        lightest_first = sorted(values, key=lambda name: (name in added, values[name], name))
        surplus = len(values) - keep
        for rank, name in enumerate(lightest_first):
            if rank < surplus or values[name] < least:
                rest += values.pop(name)
        return Weights(values, rest)


class Mean(Struct, frozen=True):
    """A fading mean: the sum of weights and the weighted sum."""

    weight: float = 0.0
    total: float = 0.0

    @property
    def value(self) -> float:
        """The mean; 0 when there is nothing left."""
        return self.total / self.weight if self.weight > 0 else 0.0

    def with_added(self, value: float, weight: float, *, fade: float) -> "Mean":
        """Fades, then adds one value."""
        return Mean(self.weight * fade + weight, self.total * fade + weight * value)


class PriceBand(Struct, frozen=True):
    """Fading mean and spread of the logarithm of prices: the band is multiplicative.

    `mean` is of ln(price); `scatter` is the weighted sum of squared deviations from it (West,
    "Updating mean and variance estimates", CACM 1979).
    """

    weight: float = 0.0
    mean: float = 0.0
    scatter: float = 0.0

    @property
    def spread(self) -> float:
        """The standard deviation of ln(price)."""
        return math.sqrt(self.scatter / self.weight) if self.weight > 0 else 0.0

    @property
    def typical(self) -> float:
        """The geometric mean price."""
        return math.exp(self.mean)

    @property
    def low(self) -> float:
        """One standard deviation below the typical price."""
        return math.exp(self.mean - self.spread)

    @property
    def high(self) -> float:
        """One standard deviation above the typical price."""
        return math.exp(self.mean + self.spread)

    def faded(self, fade: float) -> "PriceBand":
        """The same band with less weight."""
        return PriceBand(self.weight * fade, self.mean, self.scatter * fade)

    def with_price(self, price: float, weight: float) -> "PriceBand":
        """Adds one price, which must be above 0."""
        total = self.weight + weight
        if weight <= 0 or total <= 0:
            return self
        log = math.log(price)
        step = log - self.mean
        mean = self.mean + step * (weight / total)
        return PriceBand(total, mean, self.scatter + weight * step * (log - mean))


class Prices(Struct, frozen=True, omit_defaults=True):
    """The price bands in one currency: over everything, and by product type."""

    overall: PriceBand = PriceBand()
    by_type: dict[str, PriceBand] = {}

    def faded(self, fade: float) -> "Prices":
        """All bands with less weight."""
        bands = {name: band.faded(fade) for name, band in self.by_type.items()}
        return Prices(self.overall.faded(fade), bands)

    def with_price(
        self, price: float, weight: float, product_type: str | None, *, keep: int
    ) -> "Prices":
        """Adds one price; the bands of at most `keep` product types stay."""
        bands = dict(self.by_type)
        if product_type is not None:
            bands[product_type] = bands.get(product_type, PriceBand()).with_price(price, weight)
            if len(bands) > keep:
                others = (name for name in bands if name != product_type)
                del bands[min(others, key=lambda name: (bands[name].weight, name))]
        return Prices(self.overall.with_price(price, weight), bands)


class InterestVector(Struct, frozen=True):
    """A fading mean of unit vectors, for one vector space.

    `vector` is its direction: base64 of little-endian float16, length 1. `length` is that of the
    weighted sum before normalising; divided by `weight` it is 1 when all queries agree.
    """

    vector: str
    length: float
    weight: float
    since: datetime

    def faded(self, fade: float) -> "InterestVector":
        """The same direction with less weight."""
        return InterestVector(self.vector, self.length * fade, self.weight * fade, self.since)

    def with_vector(
        self, unit: NDArray[np.float64], weight: float, *, cap: float
    ) -> "InterestVector":
        """Adds one unit vector of the same dimension.

        The weight stays at most `cap`: beyond it a step would be smaller than float16 can hold,
        and a user with a million queries would have an interest that no longer moves.

        Raises `ValueError` when the dimensions differ.
        """
        known = unpack(self.vector)
        if known.shape != unit.shape:
            raise ValueError("the vector has another dimension than its space")
        summed = known * self.length + unit * weight
        total = self.weight + weight
        shrink = min(1.0, cap / total) if total > 0 else 1.0
        length = _length(summed)
        if length == 0.0:  # opposites cancel out exactly: keep the direction, without weight
            return InterestVector(self.vector, 0.0, total * shrink, self.since)
        return InterestVector(pack(summed / length), length * shrink, total * shrink, self.since)


def pack(vector: NDArray[np.float64]) -> str:
    """Base64 of little-endian float16."""
    return base64.b64encode(vector.astype("<f2").tobytes()).decode()


def unpack(encoded: str) -> NDArray[np.float64]:
    """The vector in `pack`'s form. Raises `ValueError` when it is not in that form."""
    try:
        data = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("the vector is not base64") from error
    return np.frombuffer(data, dtype="<f2").astype(np.float64)


def unit(encoded: str) -> NDArray[np.float64]:
    """The vector in `pack`'s form, normalised. Raises `ValueError` when it has no direction."""
    vector = unpack(encoded)
    length = _length(vector)
    if not 0.0 < length < math.inf or len(vector) > MAX_DIMENSIONS:
        raise ValueError("the vector has no direction, or too many dimensions")
    return vector / length


def _length(vector: NDArray[np.float64]) -> float:
    # fsum: exactly rounded, hence the same on every processor, whatever its vector width
    return math.sqrt(math.fsum((vector * vector).tolist()))
