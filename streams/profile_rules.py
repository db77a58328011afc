"""How profiles are made: half-lives, weights and bounds, and which entity counts as what."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from streams.events import ActionKind
from streams.labels import INTENT_GROUPS

FIELD_OF_ENTITY: Final[Mapping[str, str]] = {
    "core_product_type": "product_types",
    "creator": "brands",
    "color": "colors",
    "material": "materials",
    "UoM": "sizes",
    "occasion": "occasions",
}
"""Entity type → the profile's field. Other attributes go into `attributes` as `type=value`."""

ATTRIBUTE_ENTITIES: Final = frozenset(
    {
        "product_name",
        "product_number",
        "modifier",
        "department",
        "shape",
        "condition",
        "content",
        "origin",
        "time",
    }
)

SERVICE_INTENTS: Final = frozenset(
    {
        *(
            intent
            for group in ("delivery", "after_sale", "account", "people", "other")
            for intent in INTENT_GROUPS[group]
        ),
        *(intent for intent in INTENT_GROUPS["order"] if intent != "place_order"),
        "payment",
        "invoice",
    }
)
"""What is asked of the shop rather than about its goods: says nothing about what a user likes."""


@dataclass(frozen=True, slots=True)
class ProfileRules:
    """How profiles are made. All durations of decay are half-lives, in days.

    Attributes:
        action_weights: what an action counts, against a query's 1.
        top_k: values kept by name in each field.
        sentiment_slow_factor: the long-term sentiment's half-life, in recent ones.
        vector_cap: the most weight that a vector of interests may have, in queries.
        vector_serve_weight: a new vector space is served once it has this weight, in queries.
        max_ahead: how far an event's clock may be ahead of the log's; beyond it is clamped.
        max_late: likewise behind it.
        least: values that weigh less go into the rest.
        source_window: source offsets remembered one by one, for each source partition.
    """

    half_life_days: float = 30.0
    vector_half_life_days: float = 14.0
    sentiment_half_life_days: float = 7.0
    sentiment_slow_factor: float = 4.0
    action_weights: Mapping[ActionKind, float] = field(
        default_factory=lambda: {
            ActionKind.VIEW: 1.0,
            ActionKind.CLICK: 1.5,
            ActionKind.CART: 4.0,
            ActionKind.PURCHASE: 8.0,
        }
    )
    top_k: int = 20
    price_types: int = 10
    currencies: int = 3
    recent_queries: int = 10
    vector_spaces: int = 2
    vector_cap: float = 512.0
    vector_serve_weight: float = 3.0
    max_ahead: timedelta = timedelta(minutes=5)
    max_late: timedelta = timedelta(days=730)
    least: float = 1e-4
    source_window: int = 32
    sources: int = 8
