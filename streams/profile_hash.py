"""A profile as the fields of a Redis hash: a public contract (docs/profiles.md), layout 1.

Numbers and texts are plain strings, lists are JSON, vectors are raw little-endian float16. Weights
are rounded to 4 places and stand in order, heaviest first. Fields are only added within a layout.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.cloudevents import rfc3339
from streams.decayed import PriceBand, Weights, unpack
from streams.profile_schema import (
    WEIGHT_FIELDS,
    LastIntent,
    Position,
    Profile,
    RecentQuery,
    epoch_order,
)

HASH_LAYOUT: Final = 1
COUNTS: Final = ("queries", "views", "clicks", "carts", "purchases")

_PLACES = 4
_VECTOR = "vector:"
_json = msgspec.json.Encoder()


class WeightedValues(Struct, frozen=True):
    """The heaviest values of one field, heaviest first, and the weight of all others."""

    top: dict[str, float] = {}
    rest: float = 0.0

    def shares(self) -> dict[str, float]:
        """Each value's part of the whole, heaviest first."""
        return Weights(self.top, self.rest).shares()


class Band(Struct, frozen=True):
    """A price band: the typical price, and one (multiplicative) standard deviation around it."""

    low: float
    typical: float
    high: float
    weight: float


class Bands(Struct, frozen=True, omit_defaults=True):
    """The price bands in one currency."""

    overall: Band
    by_type: dict[str, Band] = {}


class SentimentSummary(Struct, frozen=True):
    """Mean sentiment in [-1, 1], recently and over a longer time; `trend` is the difference."""

    recent: float = 0.0
    long_term: float = 0.0
    trend: float = 0.0


class UserFeatures(Struct, frozen=True, kw_only=True):
    """What a reader gets of one user. Weights are as of `as_of`, in queries' worth."""

    user: str
    position: Position
    as_of: datetime
    first_seen: datetime
    last_seen: datetime
    counts: dict[str, int]
    product_types: WeightedValues
    brands: WeightedValues
    colors: WeightedValues
    materials: WeightedValues
    sizes: WeightedValues
    occasions: WeightedValues
    attributes: WeightedValues
    intents: WeightedValues
    prices: dict[str, Bands]
    sentiment: SentimentSummary
    last_intent: LastIntent | None
    recent_queries: tuple[RecentQuery, ...]
    vector_space: str | None
    vectors: dict[str, bytes]

    def vector(self, space: str | None = None) -> NDArray[np.float32] | None:
        """The vector of interests in a space (the served one by default), normalised."""
        data = self.vectors.get(space or self.vector_space or "")
        return None if data is None else np.frombuffer(data, dtype="<f2").astype(np.float32)


def hash_fields(profile: Profile, *, serve_weight: float) -> dict[str, bytes]:
    """The fields of a profile's hash; of an erased one the marker's, which tell nothing.

    `serve_weight` is the weight from which a new vector space is served, in queries.
    """
    position = profile.position
    fields = {
        "layout": str(HASH_LAYOUT).encode(),
        "epoch": position.epoch.encode(),
        "epoch_order": epoch_order(position.epoch).encode(),
        "partition": str(position.partition).encode(),
        "offset": str(position.offset).encode(),
    }
    if profile.first_seen is None or profile.last_seen is None:
        erased_at = profile.erased_at or profile.as_of
        return fields | {"erased_at": rfc3339(erased_at).encode()}
    fields |= {
        "as_of": rfc3339(profile.as_of).encode(),
        "first_seen": rfc3339(profile.first_seen).encode(),
        "last_seen": rfc3339(profile.last_seen).encode(),
        **{name: str(profile.counts.get(name, 0)).encode() for name in COUNTS},
        **{name: _json.encode(_weights(getattr(profile, name))) for name in WEIGHT_FIELDS},
        "prices": _json.encode(
            {
                code: Bands(
                    _band(known.overall),
                    {name: _band(band) for name, band in sorted(known.by_type.items())},
                )
                for code, known in sorted(profile.prices.items())
            }
        ),
        "sentiment": _json.encode(_sentiment(profile)),
        "recent_queries": _json.encode(profile.recent_queries),
    }
    if profile.last_intent is not None:
        fields["last_intent"] = _json.encode(profile.last_intent)
    served = profile.served_space(serve_weight)
    if served is not None:
        fields["vector_space"] = served.encode("utf-8", "replace")
    for space, vector in sorted(profile.vectors.items()):
        raw = unpack(vector.vector).astype("<f2").tobytes()
        fields[_VECTOR + space] = raw
    return fields


def is_marker(fields: Mapping[str, bytes]) -> bool:
    """Whether a hash only says that its user was erased."""
    return "erased_at" in fields


def features_of(user: str, fields: Mapping[str, bytes]) -> UserFeatures:
    """What the fields of a hash say.

    Raises `ValueError` when they are of a later layout, or not what this module writes.
    """
    try:
        layout = int(fields["layout"])
        if layout > HASH_LAYOUT:
            raise ValueError(f"the hash has layout {layout}; this release reads {HASH_LAYOUT}")
        document: dict[str, Any] = {
            "user": user,
            "position": {
                "epoch": fields["epoch"].decode(),
                "partition": int(fields["partition"]),
                "offset": int(fields["offset"]),
            },
            "counts": {name: int(fields[name]) for name in COUNTS},
            "vector_space": fields["vector_space"].decode() if "vector_space" in fields else None,
            "last_intent": _parsed(fields.get("last_intent", b"null")),
            **{name: fields[name].decode() for name in ("as_of", "first_seen", "last_seen")},
            **{
                name: _parsed(fields[name])
                for name in (*WEIGHT_FIELDS, "prices", "sentiment", "recent_queries")
            },
            "vectors": {
                name.removeprefix(_VECTOR): value
                for name, value in fields.items()
                if name.startswith(_VECTOR)
            },
        }
    except KeyError as error:
        raise ValueError(f"the hash has no field {error}") from error
    return msgspec.convert(document, UserFeatures)


def _parsed(value: bytes) -> Any:
    return msgspec.json.decode(value)


def _weights(weights: Weights) -> WeightedValues:
    ordered = sorted(weights.values.items(), key=lambda item: (-item[1], item[0]))
    top = {name: round(weight, _PLACES) for name, weight in ordered}
    return WeightedValues(top, round(weights.rest, _PLACES))


def _band(band: PriceBand) -> Band:
    low, typical, high = (round(price, 2) for price in (band.low, band.typical, band.high))
    return Band(low, typical, high, round(band.weight, _PLACES))


def _sentiment(profile: Profile) -> SentimentSummary:
    trend = profile.sentiment
    return SentimentSummary(
        round(trend.recent.value, _PLACES),
        round(trend.long_term.value, _PLACES),
        round(trend.trend, _PLACES),
    )
