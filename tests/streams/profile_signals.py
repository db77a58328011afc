"""Signals for the tests of profiles: made by hand, or drawn at random."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from hypothesis import strategies as st

from streams.events import (
    ActionKind,
    ActionSignal,
    Entity,
    ErasureSignal,
    Label,
    Product,
    QuerySignal,
    Source,
    UserSignal,
)
from streams.profiles import Position, Profile, ProfileRules, fold

USER = "k1." + "0" * 32
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
RULES = ProfileRules()


def vector_of(*components: float) -> str:
    return base64.b64encode(np.array(components, dtype="<f2").tobytes()).decode()


def entity(kind: str, value: str, score: float = 1.0) -> Entity:
    return Entity(kind, value, value, 0, len(value), score)


def query(
    *entities: Entity,
    at: datetime = NOON,
    intent: str = "product_search",
    sentiment: str = "neutral",
    source: Source | None = None,
    vector: str | None = None,
    space: str = "space-1",
    user: str = USER,
    text: str = "red shoes",
) -> UserSignal:
    return UserSignal(
        user=user,
        occurred_at=at,
        source=source,
        query=QuerySignal(
            query_id="q",
            text=text,
            language="en",
            intent=Label(intent, 0.9),
            sentiment=Label(sentiment, 1.0),
            entities=entities,
            vector=vector,
            vector_space=space if vector is not None else None,
        ),
    )


def action(
    kind: ActionKind = ActionKind.VIEW,
    *,
    at: datetime = NOON,
    source: Source | None = None,
    user: str = USER,
    **product: Any,
) -> UserSignal:
    return UserSignal(
        user=user,
        occurred_at=at,
        source=source,
        action=ActionSignal(action=kind, product=Product(**product)),
    )


def erasure(*, at: datetime = NOON, user: str = USER) -> UserSignal:
    return UserSignal(user=user, occurred_at=at, erasure=ErasureSignal())


def source(offset: int, *, at: datetime = NOON, topic: str = "queries.raw") -> Source:
    return Source("main", topic, 0, offset, int(at.timestamp() * 1000))


def folded(
    *signals: UserSignal, rules: ProfileRules = RULES, start: Profile | None = None, first: int = 0
) -> Profile:
    """The fold of signals that lie one after the other in the log."""
    profile = start
    for offset, signal in enumerate(signals, first):
        profile = fold(profile, signal, Position("1", 0, offset), rules)
    assert profile is not None
    return profile


_WORDS = st.sampled_from(["shoes", "boots", "dress", "lamp", "sofa", "tent", "mug", "Hat", "scarf"])
_KINDS = st.sampled_from(["core_product_type", "creator", "color", "material", "UoM", "modifier"])
_ENTITIES = st.builds(entity, _KINDS, _WORDS, st.floats(0.1, 1.0).map(lambda x: round(x, 4)))
_TIMES = st.integers(0, 90 * 86_400).map(lambda seconds: NOON + timedelta(seconds=seconds))
_VECTORS = st.lists(st.floats(-1, 1).map(lambda x: round(x, 2)), min_size=4, max_size=4).map(
    lambda components: vector_of(*(components if any(components) else (1, 0, 0, 0)))
)

queries = st.builds(
    lambda entities, at, intent, sentiment, vector: query(
        *entities, at=at, intent=intent, sentiment=sentiment, vector=vector
    ),
    st.lists(_ENTITIES, max_size=4),
    _TIMES,
    st.sampled_from(["product_search", "recommendation", "track_order"]),
    st.sampled_from(["negative", "neutral", "positive"]),
    st.none() | _VECTORS,
)
actions = st.builds(
    lambda kind, at, product_type, brand, price: action(
        kind, at=at, product_type=product_type, brand=brand, price=price, currency="EUR"
    ),
    st.sampled_from(ActionKind),
    _TIMES,
    st.none() | _WORDS,
    st.none() | _WORDS,
    st.none() | st.floats(0.01, 1e6),
)
signals = queries | actions
