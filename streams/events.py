"""The events, as msgspec structs: the single source of validation, encoding and schemas.

They are left out of garbage collection (`gc=False`): none can be part of a cycle.
Evolution is additive: unknown fields are ignored on decode, new fields get a default.
Offsets (`start`, `end`) count Unicode code points of the published `text`; `text[start:end]`
is the entity's text. Scores lie in [0, 1] and are rounded to 4 places. Times are UTC.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from streams.labels import UNKNOWN
from streams.profile_schema import Profile

Identifier = Annotated[str, Meta(max_length=256)]
Locale = Annotated[str, Meta(max_length=35, pattern=r"^[A-Za-z]{0,8}([-_][A-Za-z0-9]{1,8})*$")]
Instant = Annotated[datetime, Meta(tz=True)]
InstantOfAnyZone = (
    Annotated[
        datetime,
        Meta(
            description="RFC 3339; UTC where no offset is given.",
            extra_json_schema={"format": "date-time"},
        ),
    ]
    | Annotated[
        int,
        Meta(description="Since the epoch, in s, ms, µs or ns: told apart by magnitude.", ge=0),
    ]
)
Score = Annotated[float, Meta(ge=0.0, le=1.0)]
Money = Annotated[float, Meta(ge=0.0, le=1e9)]


class Channel(StrEnum):
    """Where the shopper said it."""

    SEARCH = "search"
    CHAT = "chat"
    VOICE = "voice"


class Attachment(Struct, frozen=True, omit_defaults=True):
    """Something that came with a query. Only its address is carried."""

    kind: Literal["image", "audio"]
    uri: Annotated[str, Meta(min_length=1, max_length=2048)]


class RawQuery(Struct, frozen=True, omit_defaults=True, gc=False):
    """`queries.raw`: what a shopper typed or said. `text` is the only required field."""

    text: str
    query_id: Identifier | None = None
    user_id: Identifier | int | None = None
    session_id: Identifier | int | None = None
    locale: Locale | None = None
    channel: Channel | None = None
    occurred_at: InstantOfAnyZone | None = None
    attachments: Annotated[tuple[Attachment, ...], Meta(max_length=16)] | None = None
    context: dict[str, Any] | None = None


class ActionKind(StrEnum):
    """What a shopper did with a product, in rising order of commitment."""

    VIEW = "view"
    CLICK = "click"
    CART = "cart"
    PURCHASE = "purchase"


class Product(Struct, frozen=True, omit_defaults=True):
    """A product's attributes, as far as the shop sends them."""

    product_id: Identifier | None = None
    product_type: str | None = None
    brand: str | None = None
    color: str | None = None
    material: str | None = None
    size: str | None = None
    occasion: str | None = None
    price: Money | None = None
    currency: Annotated[str, Meta(min_length=3, max_length=3)] | None = None
    attributes: dict[str, str] = {}


class UserAction(Struct, frozen=True, omit_defaults=True):
    """`users.actions`: a user viewed, clicked, put in the cart or bought a product."""

    user_id: Identifier | int
    action: ActionKind
    product: Product
    action_id: Identifier | None = None
    session_id: Identifier | int | None = None
    occurred_at: InstantOfAnyZone | None = None
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class Label(Struct, frozen=True, gc=False):
    """A class and its probability; `unknown` with score 0 where the model gave no answer."""

    label: str
    score: Score


UNKNOWN_LABEL = Label(UNKNOWN, 0.0)


class Entity(Struct, frozen=True, omit_defaults=True, gc=False):
    """A span of the published text. `value` is canonical: case-folded, single spaces."""

    type: str
    text: str
    value: str
    start: Annotated[int, Meta(ge=0)]
    end: Annotated[int, Meta(ge=0)]
    score: Score
    id: str | None = None


class Relation(Struct, frozen=True, gc=False):
    """An attribute of a product. `subject` and `object` are indices into `entities`."""

    subject: Annotated[int, Meta(ge=0)]
    predicate: str
    object: Annotated[int, Meta(ge=0)]
    score: Score


class ModelVersion(Struct, frozen=True, gc=False):
    """Which model answered. Equal digests promise equal bytes."""

    name: str
    version: str
    digest: str


class PipelineVersion(Struct, frozen=True, gc=False):
    """Which code and which settings built the event."""

    version: str
    settings_digest: str


class Source(Struct, frozen=True, gc=False):
    """The position an event was derived from; `timestamp` in milliseconds since the epoch."""

    cluster: str
    topic: str
    partition: int
    offset: int
    timestamp: int


class QueryUnderstood(Struct, frozen=True, omit_defaults=True, gc=False):
    """`queries.intents`: one per query, keyed by the user's pseudonym, else the session's."""

    query_id: str
    occurred_at: Instant
    text: str
    language: str
    intent: Label
    sentiment: Label
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    alternatives: tuple[Label, ...]
    model: ModelVersion
    pipeline: PipelineVersion
    source: Source
    user: str | None = None
    session: str | None = None
    channel: Channel | None = None
    locale: str | None = None
    context: dict[str, Any] = {}
    attachments: tuple[Attachment, ...] = ()
    revision: int = 0
    truncated: bool = False
    degraded: bool = False


class EntityMentioned(Struct, frozen=True, omit_defaults=True, gc=False):
    """`queries.entities`: one per entity, keyed by its canonical value, for counts and trends."""

    query_id: str
    occurred_at: Instant
    entity: Entity
    intent: Label
    language: str
    model: ModelVersion
    source: Source
    user: str | None = None
    channel: Channel | None = None
    revision: int = 0


class QuerySignal(Struct, frozen=True, omit_defaults=True, gc=False):
    """What one query says about its user. `vector` is base64 of little-endian float16."""

    query_id: str
    text: str
    language: str
    intent: Label
    sentiment: Label
    entities: tuple[Entity, ...]
    vector: str | None = None
    vector_space: str | None = None


class ActionSignal(Struct, frozen=True, omit_defaults=True):
    """What one action says about its user."""

    action: ActionKind
    product: Product
    action_id: str | None = None
    quantity: int = 1


class ErasureSignal(Struct, frozen=True, omit_defaults=True):
    """The user asked to be forgotten: all that stands before it in the user's log is void."""

    reason: str = "user_request"


class UserSignal(Struct, frozen=True, omit_defaults=True, gc=False):
    """`users.signals`: one ordered log per user of all that shapes a profile.

    Exactly one of `query`, `action`, `erasure` and `restated` is set. With a `revision` above 0 it
    corrects an earlier signal of the same source, and by itself changes no profile. `restated` is
    the profile as it should have been at its own `position`: it counts while nothing was said since.
    """

    user: str
    occurred_at: Instant
    source: Source | None = None
    query: QuerySignal | None = None
    action: ActionSignal | None = None
    erasure: ErasureSignal | None = None
    restated: Profile | None = None
    revision: int = 0

    def __post_init__(self) -> None:
        parts = (self.query, self.action, self.erasure, self.restated)
        if sum(part is not None for part in parts) != 1:
            raise ValueError("exactly one of query, action, erasure and restated must be set")


EVENT_TYPES: dict[type[Struct], str] = {
    QueryUnderstood: "intentstream.query.understood.v1",
    EntityMentioned: "intentstream.entity.mentioned.v1",
    UserSignal: "intentstream.user.signal.v1",
}
"""The CloudEvents `type` of each event that the enricher publishes."""

_encoder = msgspec.json.Encoder(order="deterministic")


def encode(event: Struct) -> bytes:
    """JSON bytes of an event: equal events give equal bytes (mappings are sorted by key)."""
    return _encoder.encode(event)
