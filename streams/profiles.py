"""A user's profile: a pure fold of the user's signals.

    fold(profile, signal, position, rules) -> profile

The live personalizer, a rebuild and the tests call the same function, so they agree bit for bit.
Time is event time; how far an event may lie from the moment its signal was logged is limited, so
that one wrong clock cannot age a whole profile.

    repeated   a position at or before the profile's: the very same profile comes back
    counted    a source (topic, partition, offset) that is in already: only the position moves on
    late       counts as if it had come in time: less by 2^(-lateness / half-life)
    corrected  a signal with a revision: only the position moves on, the first one has counted
    restated   the profile as a rebuild has it takes the place of the one at the same position
    erased     clears all; what was said before the erasure never counts again
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from streams.cloudevents import timestamp
from streams.deadletters import DeadReason, RecordError, Stage
from streams.decayed import InterestVector, Prices, Weights, fading, pack, unit
from streams.events import (
    ActionKind,
    ActionSignal,
    Entity,
    Label,
    QuerySignal,
    Source,
    UserSignal,
)
from streams.labels import UNKNOWN
from streams.profile_rules import ATTRIBUTE_ENTITIES, FIELD_OF_ENTITY, SERVICE_INTENTS, ProfileRules
from streams.profile_schema import (
    LAYOUT,
    NOTHING_SEEN,
    PROFILE_UPDATED,
    WEIGHT_FIELDS,
    LastIntent,
    Position,
    Profile,
    ProfileUpdated,
    RecentQuery,
    SeenOffsets,
    SentimentTrend,
    epoch_order,
)
from streams.text import normalise

__all__ = [
    "NO_CURRENCY",
    "PROFILE_UPDATED",
    "WEIGHT_FIELDS",
    "Position",
    "Profile",
    "ProfileRules",
    "ProfileUpdated",
    "SeenOffsets",
    "epoch_order",
    "fold",
]

NO_CURRENCY: Final = "XXX"
"""ISO 4217's code where no currency is involved: here, where the shop sent none."""

_PRODUCT_FIELDS: Final = (
    ("product_types", "product_type"),
    ("brands", "brand"),
    ("colors", "color"),
    ("materials", "material"),
    ("sizes", "size"),
    ("occasions", "occasion"),
)

_COUNT_OF_ACTION: Final = {
    ActionKind.VIEW: "views",
    ActionKind.CLICK: "clicks",
    ActionKind.CART: "carts",
    ActionKind.PURCHASE: "purchases",
}
_SENTIMENT_VALUES: Final = {"positive": 1.0, "negative": -1.0}
_MAX_NAME_CHARS: Final = 80
_MAX_QUERY_CHARS: Final = 256
_MAX_PRODUCT_ATTRIBUTES: Final = 16


def fold(
    profile: Profile | None,
    signal: UserSignal,
    position: Position,
    rules: ProfileRules,
    *,
    logged_at: datetime | None = None,
) -> Profile:
    """The profile after one more signal. Neither argument is changed.

    Args:
        profile: what is known so far; None for a user never seen.
        signal: the next signal in the user's log.
        position: where the signal lies in `users.signals`.
        rules: half-lives, weights and bounds.
        logged_at: the signal record's own timestamp; limits how wrong `occurred_at` may be.

    Raises:
        RecordError: the signal is of another user, of an earlier epoch than the profile, of
            another partition in the same epoch, carries a vector that is none, or restates a
            profile that is not known.
    """
    if profile is not None and _is_repeat(profile, signal, position):
        return profile
    now = _event_time(signal.occurred_at, logged_at, rules)
    if signal.erasure is not None:
        return _erased(profile, signal.user, position, max(now, _utc(logged_at or now)))
    new_epoch = profile is not None and profile.position.epoch != position.epoch
    if signal.restated is not None:
        known = _restated(profile, signal.restated)
        seen = {} if new_epoch else known.seen
        return msgspec.structs.replace(known, position=position, seen=seen)
    seen = {} if profile is None or new_epoch else profile.seen
    if profile is not None and not _counts(profile, seen, signal, now):
        return msgspec.structs.replace(profile, position=position, seen=seen)
    before = profile or Profile(user=signal.user, position=position, as_of=now)
    if signal.source is not None:
        seen = _with_source(seen, signal.source, position, rules)
    step = _Step.between(before, now)
    if signal.query is not None:
        changed = _with_query(before, signal.query, step, rules)
    elif signal.action is not None:
        changed = _with_action(before, signal.action, step, rules)
    else:
        raise ValueError("a signal without query, action, erasure and restated profile")
    return msgspec.structs.replace(
        changed,
        position=position,
        as_of=step.as_of,
        first_seen=min(before.first_seen or now, now),
        last_seen=max(before.last_seen or now, now),
        seen=seen,
    )


@dataclass(frozen=True, slots=True)
class _Step:
    """How one event moves time: what is left of the old, and what the new one counts."""

    now: datetime
    as_of: datetime
    ahead_s: float
    late_s: float

    @classmethod
    def between(cls, before: Profile, now: datetime) -> "_Step":
        seconds = (now - before.as_of).total_seconds()
        return cls(now, max(now, before.as_of), max(seconds, 0.0), max(-seconds, 0.0))

    def fade(self, half_life_days: float) -> float:
        """What is left of all that was there."""
        return fading(self.ahead_s, half_life_days)

    def worth(self, half_life_days: float) -> float:
        """What the event counts: 1, or less when it is late."""
        return fading(self.late_s, half_life_days)


def _is_repeat(profile: Profile, signal: UserSignal, position: Position) -> bool:
    """Whether the profile reflects the position already."""
    if signal.user != profile.user:
        raise _refusal(DeadReason.INVALID_FIELD, "the signal is of another user than its log")
    reached = profile.position
    if position.epoch == reached.epoch:
        if position.partition != reached.partition:
            raise _refusal(
                DeadReason.PROFILE_UPDATE_FAILED,
                "the user's log moved to another partition in the same epoch: set a new one",
            )
        return position.offset <= reached.offset
    if epoch_order(position.epoch) < epoch_order(reached.epoch):
        raise _refusal(
            DeadReason.PROFILE_UPDATE_FAILED,
            "the profile reflects a later epoch than the one in the settings",
        )
    return False


def _counts(
    profile: Profile, seen: Mapping[str, SeenOffsets], signal: UserSignal, now: datetime
) -> bool:
    """Whether a signal is news: no correction, not counted before, not from before an erasure."""
    if signal.revision:
        return False
    source = signal.source
    if source is not None and source.offset in seen.get(_source_key(source), NOTHING_SEEN):
        return False
    if profile.erased_at is None:
        return True
    dated = source is not None and source.timestamp >= 0
    said = min(now, timestamp(source.timestamp)) if source and dated else now
    return said > profile.erased_at


def _event_time(occurred_at: datetime, logged_at: datetime | None, rules: ProfileRules) -> datetime:
    now = _utc(occurred_at)
    if logged_at is None:
        return now
    logged = _utc(logged_at)
    return min(max(now, _shifted(logged, -rules.max_late)), _shifted(logged, rules.max_ahead))


def _shifted(instant: datetime, by: timedelta) -> datetime:
    try:
        return instant + by
    except OverflowError:
        return instant


def _utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    try:
        return instant.astimezone(UTC)
    except OverflowError:  # at the edges of year 1 and year 9999
        return instant.replace(tzinfo=UTC)


def _erased(profile: Profile | None, user: str, position: Position, at: datetime) -> Profile:
    """Only a marker is left: when, up to where, and which sources must not count again."""
    seen = {}
    if profile is not None:
        if profile.erased_at is not None:
            at = max(at, profile.erased_at)
        if profile.position.epoch == position.epoch:
            seen = {name: offsets.closed() for name, offsets in profile.seen.items()}
    return Profile(user=user, position=position, as_of=at, erased_at=at, seen=seen)


def _restated(profile: Profile | None, restated: Profile) -> Profile:
    """The restated profile if it is of the same position; else the known one has moved on."""
    if profile is None or restated.user != profile.user or restated.layout > LAYOUT:
        raise _refusal(DeadReason.PROFILE_UPDATE_FAILED, "it restates a profile that is not known")
    return restated if restated.position == profile.position else profile


def _source_key(source: Source) -> str:
    return f"{source.cluster}/{source.topic}/{source.partition}"


def _with_source(
    seen: Mapping[str, SeenOffsets], source: Source, position: Position, rules: ProfileRules
) -> dict[str, SeenOffsets]:
    key = _source_key(source)
    marked = dict(seen)
    marked[key] = marked.get(key, NOTHING_SEEN).with_offset(
        source.offset, touched=position.offset, window=rules.source_window
    )
    if len(marked) > rules.sources:
        del marked[min(marked, key=lambda name: (marked[name].touched, name))]
    return marked


def _with_query(before: Profile, query: QuerySignal, step: _Step, rules: ProfileRules) -> Profile:
    liked: dict[str, dict[str, float]] = {}
    intent = query.intent.label
    about_goods = intent not in SERVICE_INTENTS
    if about_goods:
        worth = step.worth(rules.half_life_days)
        for entity in query.entities:
            _add_entity(liked, entity, worth * entity.score)
    if intent != UNKNOWN:
        liked["intents"] = {_name(intent): step.worth(rules.half_life_days)}
    changed = _with_weights(before, liked, step, rules)
    return msgspec.structs.replace(
        changed,
        counts=_counted(before, "queries"),
        last_intent=_last_intent(before.last_intent, query.intent, step.now),
        sentiment=_sentiment(before.sentiment, query.sentiment, step, rules),
        vectors=_vectors(before.vectors, query if about_goods else None, step, rules),
        recent_queries=_recent(before.recent_queries, query, step.now, rules),
    )


def _with_action(
    before: Profile, signal: ActionSignal, step: _Step, rules: ProfileRules
) -> Profile:
    """Quantities are counted once: ten pairs of socks are no ten times the liking."""
    weight = rules.action_weights.get(signal.action, 0.0) * step.worth(rules.half_life_days)
    product = signal.product
    liked: dict[str, dict[str, float]] = {}
    for field_name, attribute in _PRODUCT_FIELDS:
        name = _name(getattr(product, attribute) or "")
        if name:
            liked[field_name] = {name: weight}
    for attribute, value in sorted(product.attributes.items())[:_MAX_PRODUCT_ATTRIBUTES]:
        kind, name = _name(attribute), _name(value)
        if kind and name:
            liked.setdefault("attributes", {})[f"{kind}={name}"] = weight
    changed = _with_weights(before, liked, step, rules)
    prices = changed.prices
    if product.price is not None and product.price > 0 and weight > 0:
        currency = _currency(product.currency)
        types = liked.get("product_types", {})
        band = prices.get(currency, Prices()).with_price(
            product.price, weight, next(iter(types), None), keep=rules.price_types
        )
        prices = _bounded_prices(prices | {currency: band}, currency, rules)
    return msgspec.structs.replace(
        changed,
        counts=_counted(before, _COUNT_OF_ACTION[signal.action]),
        prices=prices,
        sentiment=_sentiment(before.sentiment, None, step, rules),
        vectors=_vectors(before.vectors, None, step, rules),
    )


def _with_weights(
    before: Profile, liked: Mapping[str, Mapping[str, float]], step: _Step, rules: ProfileRules
) -> Profile:
    fade = step.fade(rules.half_life_days)
    fields: dict[str, Weights] = {
        name: getattr(before, name).with_added(
            liked.get(name, {}), fade=fade, keep=rules.top_k, least=rules.least
        )
        for name in WEIGHT_FIELDS
    }
    prices = {currency: known.faded(fade) for currency, known in before.prices.items()}
    return msgspec.structs.replace(before, **fields, prices=prices)


def _add_entity(liked: dict[str, dict[str, float]], entity: Entity, weight: float) -> None:
    name = _name(entity.value)
    if not name:
        return
    field_name = FIELD_OF_ENTITY.get(entity.type)
    if field_name is None:
        if entity.type not in ATTRIBUTE_ENTITIES:
            return
        field_name, name = "attributes", f"{_name(entity.type)}={name}"
    values = liked.setdefault(field_name, {})
    values[name] = max(values.get(name, 0.0), weight)  # said twice in one query is said once


def _name(text: str) -> str:
    """A value as the profile names it: normalised, case-folded, cut."""
    clean = normalise(text[: 2 * _MAX_NAME_CHARS])
    return " ".join(clean.casefold().split())[:_MAX_NAME_CHARS].rstrip()


def _currency(code: str | None) -> str:
    return code.upper() if code and code.isascii() and code.isalpha() else NO_CURRENCY


def _bounded_prices(
    prices: dict[str, Prices], newest: str, rules: ProfileRules
) -> dict[str, Prices]:
    if len(prices) > rules.currencies:
        others = (code for code in prices if code != newest)
        del prices[min(others, key=lambda code: (prices[code].overall.weight, code))]
    return prices


def _counted(before: Profile, kind: str) -> dict[str, int]:
    return before.counts | {kind: before.counts.get(kind, 0) + 1}


def _last_intent(last: LastIntent | None, intent: Label, now: datetime) -> LastIntent | None:
    if intent.label == UNKNOWN or (last is not None and now < last.at):
        return last
    return LastIntent(_name(intent.label), intent.score, now)


def _sentiment(
    before: SentimentTrend, label: Label | None, step: _Step, rules: ProfileRules
) -> SentimentTrend:
    short = rules.sentiment_half_life_days
    means = []
    for mean, half_life in (
        (before.recent, short),
        (before.long_term, short * rules.sentiment_slow_factor),
    ):
        told = label is not None and label.label != UNKNOWN
        weight = step.worth(half_life) if told else 0.0
        value = _SENTIMENT_VALUES.get(label.label, 0.0) * label.score if label and told else 0.0
        means.append(mean.with_added(value, weight, fade=step.fade(half_life)))
    return SentimentTrend(*means)


def _vectors(
    before: Mapping[str, InterestVector],
    query: QuerySignal | None,
    step: _Step,
    rules: ProfileRules,
) -> dict[str, InterestVector]:
    fade = step.fade(rules.vector_half_life_days)
    vectors = {space: vector.faded(fade) for space, vector in before.items()}
    if query is None or query.vector is None or not query.vector_space:
        return vectors
    space = query.vector_space
    try:
        direction = unit(query.vector)
        known = vectors.get(space) or InterestVector(pack(direction * 0), 0.0, 0.0, step.now)
        weight = step.worth(rules.vector_half_life_days)
        vectors[space] = known.with_vector(direction, weight, cap=rules.vector_cap)
    except ValueError as error:
        detail = "the signal's vector is malformed, or has another dimension than its space"
        raise _refusal(DeadReason.INVALID_FIELD, detail) from error
    if len(vectors) > rules.vector_spaces:
        others = (name for name in vectors if name != space)
        del vectors[min(others, key=lambda name: (vectors[name].since, name))]
    return vectors


def _recent(
    before: tuple[RecentQuery, ...], query: QuerySignal, now: datetime, rules: ProfileRules
) -> tuple[RecentQuery, ...]:
    """Newest first, by event time; of equal times the one that came last is first."""
    entry = RecentQuery(query.text[:_MAX_QUERY_CHARS], _name(query.intent.label), now)
    place = next((n for n, other in enumerate(before) if other.at <= now), len(before))
    return (*before[:place], entry, *before[place:])[: rules.recent_queries]


def _refusal(reason: DeadReason, detail: str) -> RecordError:
    return RecordError(reason, Stage.PROFILE, detail)
