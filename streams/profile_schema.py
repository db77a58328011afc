"""The shape of a user's profile, as it is kept, published on `users.features` and compared."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct, json

from streams.decayed import InterestVector, Mean, Prices, Weights

LAYOUT: Final = 1
"""Version of `Profile`'s shape. A larger one is written by a later release."""

WEIGHT_FIELDS: Final = (
    "product_types",
    "brands",
    "colors",
    "materials",
    "sizes",
    "occasions",
    "attributes",
    "intents",
)
"""The fields of a profile that are `Weights`."""


class Position(Struct, frozen=True):
    """A place in `users.signals`. A user's positions are ordered by (epoch, offset)."""

    epoch: str
    partition: int
    offset: int

    @property
    def order(self) -> tuple[str, int]:
        """A form that sorts: a user's later position is greater."""
        return epoch_order(self.epoch), self.offset


def epoch_order(epoch: str) -> str:
    """A string that sorts as the epochs do: runs of digits by their value, the rest as text."""
    return "".join(
        part.lstrip("0").rjust(20, "0") if part.isdigit() else part for part in _runs(epoch)
    )


def _runs(text: str) -> Iterator[str]:
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or text[end].isdigit() != text[start].isdigit():
            yield text[start:end]
            start = end


class _Positioned(Struct):
    position: Position


_positions = json.Decoder(_Positioned)


def position_of(profile: bytes) -> Position:
    """The position that an encoded profile reflects, without decoding the rest.

    Raises:
        msgspec.DecodeError: it is no profile.
    """
    return _positions.decode(profile).position


class SeenOffsets(Struct, frozen=True):
    """Which offsets of one source partition are counted: all up to `floor`, and those `recent`."""

    floor: int
    recent: tuple[int, ...]
    touched: int
    """The signal offset at which this was last added to."""

    def __contains__(self, offset: int) -> bool:
        return offset <= self.floor or offset in self.recent

    def with_offset(self, offset: int, *, touched: int, window: int) -> "SeenOffsets":
        """One more offset is counted; beyond `window` of them the floor rises."""
        recent = tuple(sorted((*self.recent, offset)))
        surplus = max(0, len(recent) - window)
        floor = recent[surplus - 1] if surplus else self.floor
        return SeenOffsets(floor, recent[surplus:], touched)

    def closed(self) -> "SeenOffsets":
        """The same with everything below the highest offset counted, seen or not."""
        return SeenOffsets(max((self.floor, *self.recent)), (), self.touched)


NOTHING_SEEN: Final = SeenOffsets(-1, (), -1)


class LastIntent(Struct, frozen=True):
    """The newest intent, by event time."""

    label: str
    score: float
    at: datetime


class RecentQuery(Struct, frozen=True):
    """One of the last queries; the text is redacted and cut."""

    text: str
    intent: str
    at: datetime


class SentimentTrend(Struct, frozen=True):
    """Fading means of the sentiment in [-1, 1], over a short and a long time."""

    recent: Mean = Mean()
    long_term: Mean = Mean()

    @property
    def trend(self) -> float:
        """Above 0: happier than usual."""
        return self.recent.value - self.long_term.value


class Profile(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`users.features`: all that is known of a user, as of `as_of`, the newest event's time.

    Weights are in queries' worth. With `erased_at` and without `first_seen` it is only a marker:
    nothing is known, and nothing from before may come back.
    """

    user: str
    position: Position
    as_of: datetime
    layout: int = LAYOUT
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    counts: dict[str, int] = {}
    product_types: Weights = Weights()
    brands: Weights = Weights()
    colors: Weights = Weights()
    materials: Weights = Weights()
    sizes: Weights = Weights()
    occasions: Weights = Weights()
    attributes: Weights = Weights()
    prices: dict[str, Prices] = {}
    intents: Weights = Weights()
    last_intent: LastIntent | None = None
    sentiment: SentimentTrend = SentimentTrend()
    vectors: dict[str, InterestVector] = {}
    recent_queries: tuple[RecentQuery, ...] = ()
    seen: dict[str, SeenOffsets] = {}
    erased_at: datetime | None = None

    @property
    def is_erased(self) -> bool:
        """Whether nothing is known: erased, and no news since."""
        return self.first_seen is None

    def served_space(self, enough: float) -> str | None:
        """The newest vector space that weighs enough (in queries), else the weightiest."""
        ready = [name for name, vector in self.vectors.items() if vector.weight >= enough]
        if ready:
            return max(ready, key=lambda name: (self.vectors[name].since, name))
        names = self.vectors.keys()
        return max(names, key=lambda name: (self.vectors[name].weight, name), default=None)


ProfileUpdated = Profile
"""The event on `users.features` is the profile itself."""

PROFILE_UPDATED: Final = "intentstream.profile.updated.v1"
"""The CloudEvents `type` of that event."""
