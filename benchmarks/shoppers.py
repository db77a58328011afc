"""A made-up shop: its catalogue, and shoppers with hidden tastes who search, look and buy.

Nothing here knows how a profile is computed. A shopper draws a slate of products by their appeal and
chooses from it by a multinomial logit (McFadden, 1974) over hidden tastes for brands, colours and
materials and a price level of their own; one visit in six is for somebody else and says nothing of
these tastes. What the model reads out of a query is wrong or missing now and then.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streams.events import (
    ActionKind,
    ActionSignal,
    Entity,
    Label,
    Product,
    QuerySignal,
    UserSignal,
)

OPENED: Final = datetime(2026, 3, 1, tzinfo=UTC)
DAYS: Final = 60
SPLIT: Final = OPENED + timedelta(days=45)
"""What lies before it makes the profiles; what is bought after it is to be foretold."""

TYPES: Final = (
    *("running shoes", "boots", "jacket", "dress", "backpack", "tent"),
    *("lamp", "sofa", "mug", "watch", "headphones", "scarf"),
)
BRANDS: Final = (
    *("nordwind", "acme", "zeta", "lumen", "fjell", "pelago", "quercus", "ostro"),
    *("tarn", "vela", "birk", "corvo", "delmar", "essen", "fiora", "grana"),
)
COLORS: Final = ("black", "white", "red", "blue", "green", "grey", "brown", "yellow")
MATERIALS: Final = ("cotton", "leather", "wool", "steel", "plastic", "wood")
_TYPICAL_PRICES: Final = (90.0, 140, 120, 70, 60, 200, 45, 700, 12, 180, 110, 25)

_SLATE: Final = 40
_VISITS: Final = 16.0
_FOR_OTHERS: Final = 1 / 6
_NEWCOMERS: Final = 0.1
_MISSED: Final = 0.12
_MISREAD: Final = 0.06

Indices = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products as columns; types, brands, colours and materials are indices into their names."""

    types: Indices
    brands: Indices
    colors: Indices
    materials: Indices
    prices: Numbers
    levels: Numbers
    """Logarithm of the price over what is typical of the type."""
    appeal: Numbers
    """What makes a product popular with everybody, known to the generator alone."""

    def product(self, index: int) -> Product:
        """One product as a shop sends it."""
        return Product(
            product_id=f"p-{index}",
            product_type=TYPES[self.types[index]],
            brand=BRANDS[self.brands[index]],
            color=COLORS[self.colors[index]],
            material=MATERIALS[self.materials[index]],
            price=round(float(self.prices[index]), 2),
            currency="EUR",
        )


@dataclass(frozen=True, slots=True)
class Shopper:
    """One shopper: hidden tastes, the signals before the split and the purchases after it."""

    user_id: str
    types: Numbers
    utilities: Numbers
    """By product, without the chance that goes into every choice."""
    signals: tuple[UserSignal, ...]
    bought_before: frozenset[int]
    bought_after: frozenset[int]
    """Without what was bought before."""


def make_catalogue(draw: np.random.Generator, size: int) -> Catalogue:
    """A catalogue in which each brand has a price level, and few products most of the appeal."""
    brand_level = draw.normal(0, 0.45, len(BRANDS))
    types = draw.integers(len(TYPES), size=size)
    brands = draw.choice(len(BRANDS), size=size, p=draw.dirichlet(np.full(len(BRANDS), 2.0)))
    levels = brand_level[brands] + draw.normal(0, 0.25, size)
    return Catalogue(
        types=types,
        brands=brands,
        colors=draw.integers(len(COLORS), size=size),
        materials=draw.integers(len(MATERIALS), size=size),
        prices=np.array(_TYPICAL_PRICES)[types] * np.exp(levels),
        levels=levels,
        appeal=draw.gumbel(0, 1.0, size),
    )


def make_shoppers(
    draw: np.random.Generator, catalogue: Catalogue, count: int, pseudonyms: dict[str, str]
) -> list[Shopper]:
    """Shoppers with 16 visits each on average; a tenth of them come after the split only.

    `pseudonyms` names each shopper (`u-0`, `u-1` …) as the signals do.
    """
    return [
        _shopper(draw, catalogue, user_id, pseudonyms[user_id])
        for user_id in (f"u-{n}" for n in range(count))
    ]


def _shopper(
    draw: np.random.Generator, catalogue: Catalogue, user_id: str, pseudonym: str
) -> Shopper:
    types = draw.dirichlet(np.full(len(TYPES), 0.35))
    colors, materials = draw.normal(0, 0.9, len(COLORS)), draw.normal(0, 0.6, len(MATERIALS))
    brands = draw.normal(0, 1.2, len(BRANDS))
    utilities = (
        brands[catalogue.brands]
        + colors[catalogue.colors]
        + materials[catalogue.materials]
        - 2.0 * (catalogue.levels - draw.normal(0, 0.4)) ** 2
    )
    first = DAYS * 0.75 if draw.random() < _NEWCOMERS else 0.0
    days = np.sort(draw.uniform(first, DAYS, max(2, draw.poisson(_VISITS))))
    signals: list[UserSignal] = []
    before: set[int] = set()
    after: set[int] = set()
    for day in days:
        at = OPENED + timedelta(days=float(day))
        own = draw.random() >= _FOR_OTHERS
        kind = int(draw.choice(len(TYPES), p=types if own else None))
        liking = utilities if own else np.zeros_like(utilities)
        ranked = _chosen(draw, catalogue, kind, liking)
        bought = draw.random() < 0.5
        if at >= SPLIT:
            after.update(ranked[:1] if bought else ())
            continue
        before.update(ranked[:1] if bought else ())
        if draw.random() < 0.7:
            likes = (BRANDS[int(brands.argmax())], COLORS[int(colors.argmax())])
            signals.append(_query(draw, pseudonym, at, TYPES[kind], likes if own else None))
        signals += _actions(catalogue, pseudonym, at, ranked, bought=bought)
    return Shopper(
        user_id, types, utilities, tuple(signals), frozenset(before), frozenset(after - before)
    )


def _chosen(
    draw: np.random.Generator, catalogue: Catalogue, kind: int, liking: Numbers
) -> list[int]:
    """The three that please most in a slate of one type, drawn by appeal."""
    of_kind = np.flatnonzero(catalogue.types == kind)
    noticed = catalogue.appeal[of_kind] + draw.gumbel(size=len(of_kind))
    slate = of_kind[np.argsort(-noticed)[:_SLATE]]
    pleasing = liking[slate] + draw.gumbel(size=len(slate))
    return [int(index) for index in slate[np.argsort(-pleasing)[:3]]]


def _query(
    draw: np.random.Generator,
    user: str,
    at: datetime,
    kind: str,
    likes: tuple[str, str] | None,
) -> UserSignal:
    """A search, as an imperfect model understood it."""
    told: list[tuple[str, str, tuple[str, ...]]] = [("core_product_type", kind, TYPES)]
    if likes is not None and draw.random() < 0.25:
        told.append(("creator", likes[0], BRANDS))
    if likes is not None and draw.random() < 0.35:
        told.append(("color", likes[1], COLORS))
    entities = []
    for entity_type, meant, others in told:
        if draw.random() < _MISSED:
            continue
        read = str(draw.choice(others)) if draw.random() < _MISREAD else meant
        score = round(float(draw.uniform(0.6, 1.0)), 4)
        entities.append(Entity(entity_type, read, read, 0, len(read), score))
    text = " ".join(meant for _, meant, _ in reversed(told))
    return UserSignal(
        user=user,
        occurred_at=at,
        query=QuerySignal(
            query_id=f"q-{at.timestamp():.0f}",
            text=text,
            language="en",
            intent=Label("product_search", 0.95),
            sentiment=Label("neutral", 0.9),
            entities=tuple(entities),
        ),
    )


def _actions(
    catalogue: Catalogue, user: str, at: datetime, ranked: list[int], *, bought: bool
) -> list[UserSignal]:
    """Looks at all, clicks on the best, and buys it or not."""
    steps = [(ActionKind.VIEW, index) for index in reversed(ranked)]
    steps.append((ActionKind.CLICK, ranked[0]))
    if bought:
        steps += [(ActionKind.CART, ranked[0]), (ActionKind.PURCHASE, ranked[0])]
    return [
        UserSignal(
            user=user,
            occurred_at=at + timedelta(minutes=minute),
            action=ActionSignal(action=kind, product=catalogue.product(index)),
        )
        for minute, (kind, index) in enumerate(steps, 1)
    ]
