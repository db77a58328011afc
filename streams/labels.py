"""The label schema: what the model may say about a query, and what belongs to what.

The order inside each tuple is the order of the classes in a trained model: append, never reorder.
"""

from typing import Final

UNKNOWN: Final = "unknown"
"""The label of a query in a language that no encoder serves. Never a class of the model."""

OUT_OF_SCOPE: Final = "out_of_scope"

INTENT_GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "shop": ("product_search", "product_question", "recommendation"),
    "order": ("place_order", "track_order", "change_order", "cancel_order"),
    "delivery": ("delivery_info", "change_address"),
    "after_sale": ("return_exchange", "refund", "complaint", "review"),
    "money": ("payment", "invoice", "promotion"),
    "account": ("account", "newsletter"),
    "people": ("contact_agent", "business"),
    "other": ("chitchat", OUT_OF_SCOPE),
}
"""Group of intents → its intents."""

INTENTS: Final[tuple[str, ...]] = tuple(
    intent for intents in INTENT_GROUPS.values() for intent in intents
)

SENTIMENTS: Final[tuple[str, ...]] = ("negative", "neutral", "positive")

PRODUCT_TYPES: Final[tuple[str, ...]] = ("core_product_type", "product_name")
"""Entity types that name a product: the subjects of relations."""

PREDICATES: Final[dict[str, str]] = {
    "creator": "has_brand",
    "color": "has_color",
    "material": "has_material",
    "UoM": "has_size",
    "price": "has_price",
    "money": "has_price",
    "quantity": "has_quantity",
    "condition": "has_condition",
    "shape": "has_shape",
    "department": "for_department",
    "occasion": "for_occasion",
    "content": "has_content",
    "modifier": "has_modifier",
    "origin": "from_origin",
    "time": "from_time",
    "product_number": "is_model",
}
"""Entity type of an attribute → what it says about the product it belongs to."""

PRODUCT_ENTITY_TYPES: Final[tuple[str, ...]] = (
    "core_product_type",
    "product_name",
    "product_number",
    "modifier",
    "creator",
    "department",
    "UoM",
    "color",
    "material",
    "shape",
    "quantity",
    "price",
    "condition",
    "content",
    "occasion",
    "origin",
    "time",
)
"""The types of QueryNER (Palen-Michel et al., LREC-COLING 2024), named as published."""

SERVICE_ENTITY_TYPES: Final[tuple[str, ...]] = ("order_id", "money", "date", "place", "contact")
"""What service requests mention besides products."""

ENTITY_TYPES: Final[tuple[str, ...]] = PRODUCT_ENTITY_TYPES + SERVICE_ENTITY_TYPES


def bio_tags(types: tuple[str, ...] = ENTITY_TYPES) -> tuple[str, ...]:
    """The tags of a BIO scheme over entity types: O, then B- and I- of each type in turn."""
    return ("O", *(f"{prefix}-{name}" for name in types for prefix in "BI"))
