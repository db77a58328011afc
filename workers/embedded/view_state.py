"""What the live view shows, folded from the records it reads. Pure: the clock is passed in."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from streams.deadletters import reason_of
from streams.events import QueryUnderstood
from streams.profile_schema import Profile
from streams.records import SourceRecord
from streams.topics import TopicNames

_WINDOW_S = 10
UNNAMED_REASON = "unnamed"
"""For a dead letter that someone else wrote, without a reason of ours."""

_understood = msgspec.json.Decoder(QueryUnderstood)
_profile = msgspec.json.Decoder(Profile)


class Rate:
    """Events a second over the last ten seconds."""

    def __init__(self) -> None:
        self._counts: deque[tuple[int, int]] = deque(maxlen=_WINDOW_S + 1)
        self._since: float | None = None

    def add(self, now: float) -> None:
        """Counts one event; `now` in seconds of a monotonic clock."""
        if self._since is None:
            self._since = now
        second = int(now)
        if self._counts and self._counts[-1][0] == second:
            self._counts[-1] = (second, self._counts[-1][1] + 1)
        else:
            self._counts.append((second, 1))

    def per_second(self, now: float) -> float:
        """The mean rate over the window, or over the time since the first event if shorter."""
        if self._since is None:
            return 0.0
        recent = sum(count for second, count in self._counts if second > now - _WINDOW_S)
        return recent / min(_WINDOW_S, max(1.0, now - self._since))


@dataclass(frozen=True, slots=True)
class DeadSeen:
    """A dead letter as the view shows it: the reason and the record's place. Never its bytes."""

    reason: str
    position: str


Seen = QueryUnderstood | DeadSeen | Profile


@dataclass(slots=True)
class ViewState:
    """Everything on the screen."""

    topics: TopicNames
    kept: int = 50
    """How many of the last queries are remembered."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Pseudonym to name, for users who are nobody: those of the sample traffic."""
    queries: deque[QueryUnderstood] = field(init=False)
    enriched: int = 0
    entities: int = 0
    dead: Counter[str] = field(default_factory=Counter)
    rate: Rate = field(default_factory=Rate)
    lag: dict[str, int] = field(default_factory=dict)
    """Records that each consumer group has not processed yet."""
    followed: str | None = None
    """The pseudonym of the user whose profile is shown: the first that has one."""
    profile: Profile | None = None
    profile_updates: int = 0

    def __post_init__(self) -> None:
        self.queries = deque(maxlen=self.kept)

    def fold(self, record: SourceRecord, now: float) -> Seen | None:
        """Takes in one record of intents, dead letters or features; returns what it is.

        None for what the view does not show, such as the profiles of users it does not follow.
        `now` in seconds of a monotonic clock.
        """
        if record.topic == self.topics.intents and record.value is not None:
            event = _understood.decode(record.value)
            self.queries.append(event)
            self.enriched += 1
            self.entities += len(event.entities)
            self.rate.add(now)
            return event
        if record.topic == self.topics.dead:
            seen = _dead(record)
            self.dead[seen.reason] += 1
            return seen
        if record.topic == self.topics.features and record.key is not None:
            return self._profile(record.key.decode("utf-8", "replace"), record.value)
        return None

    def _profile(self, user: str, value: bytes | None) -> Profile | None:
        self.profile_updates += 1
        if self.followed is None and value is not None:
            self.followed = user
        if user != self.followed:
            return None
        self.profile = None if value is None else _profile.decode(value)
        if self.profile is None or self.profile.is_erased:
            self.followed = self.profile = None
        return self.profile


def _dead(record: SourceRecord) -> DeadSeen:
    reason = reason_of(record.headers)
    origin = {
        name: (value or b"").decode("utf-8", "replace")
        for name, value in record.headers
        if name.startswith("__connect.errors.")
    }
    topic, partition, offset = (
        origin.get(f"__connect.errors.{name}", "?") for name in ("topic", "partition", "offset")
    )
    return DeadSeen(reason.value if reason else UNNAMED_REASON, f"{topic}[{partition}]@{offset}")
