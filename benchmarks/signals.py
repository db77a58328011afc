"""Signals of made-up users, as wide as real ones: with entities, prices and 384-wide vectors."""

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from benchmarks.shoppers import BRANDS, COLORS, TYPES
from streams.events import (
    ActionKind,
    ActionSignal,
    Entity,
    Label,
    Product,
    QuerySignal,
    Source,
    UserSignal,
)

_WIDTH: Final = 384
_STEP: Final = timedelta(milliseconds=200)


def user_name(number: int) -> str:
    """A pseudonym for the n-th user."""
    return f"k1.{number:032x}"


def signals(count: int, *, users: int, seed: int = 5) -> Iterator[UserSignal]:
    """Three queries to two actions, of users drawn at random, ending about now."""
    draw = random.Random(seed)
    vectors = np.random.default_rng(seed).normal(size=(64, _WIDTH)).astype("<f2")
    coded = [base64.b64encode(vector.tobytes()).decode() for vector in vectors]
    began = datetime.now(UTC) - count * _STEP
    for number in range(count):
        user, at = user_name(draw.randrange(users)), began + number * _STEP
        if draw.random() < 0.6:
            yield _query(draw, user, at, number, draw.choice(coded))
        else:
            yield _action(draw, user, at, number)


def query_of(user: str, number: int) -> UserSignal:
    """A query of one user, said now."""
    draw = random.Random(number)
    vector = base64.b64encode(np.full(_WIDTH, 0.05, dtype="<f2").tobytes()).decode()
    return _query(draw, user, datetime.now(UTC), number, vector)


def _query(draw: random.Random, user: str, at: datetime, number: int, vector: str) -> UserSignal:
    color, brand, kind = draw.choice(COLORS), draw.choice(BRANDS), draw.choice(TYPES)
    told = (("color", color), ("creator", brand), ("core_product_type", kind))
    return UserSignal(
        user=user,
        occurred_at=at,
        source=Source("main", "queries.raw", 0, number, int(at.timestamp() * 1000)),
        query=QuerySignal(
            query_id=f"q-{number}",
            text=f"{color} {brand} {kind}",
            language="en",
            intent=Label("product_search", 0.93),
            sentiment=Label("neutral", 0.88),
            entities=tuple(Entity(name, value, value, 0, len(value), 0.9) for name, value in told),
            vector=vector,
            vector_space="bench",
        ),
    )


def _action(draw: random.Random, user: str, at: datetime, number: int) -> UserSignal:
    return UserSignal(
        user=user,
        occurred_at=at,
        source=Source("main", "users.actions", 0, number, int(at.timestamp() * 1000)),
        action=ActionSignal(
            action=draw.choice(list(ActionKind)),
            product=Product(
                product_type=draw.choice(TYPES),
                brand=draw.choice(BRANDS),
                color=draw.choice(COLORS),
                price=round(draw.uniform(5, 500), 2),
                currency="EUR",
            ),
        ),
    )
