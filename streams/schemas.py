"""JSON Schema of each event, and one AsyncAPI 3 document of the whole: made from the structs.

Specs: JSON Schema 2020-12 for the single schemas; AsyncAPI 3.0.0 with Kafka bindings 0.5.0.
"""

import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from streams.deadletters import (
    CLUSTER_HEADER,
    EPOCH_HEADER,
    REASON_HEADER,
    ROUND_HEADER,
    STAGE_HEADER,
    TIMESTAMP_HEADER,
    DeadReason,
    Stage,
)
from streams.events import (
    EVENT_TYPES,
    EntityMentioned,
    QueryUnderstood,
    RawQuery,
    UserAction,
    UserSignal,
)
from streams.profile_schema import PROFILE_UPDATED, Profile
from streams.topics import TopicNames, TopicSpec, topic_specs

JsonSchema = dict[str, Any]

API_VERSION: Final = "1.1.0"
"""Of the events, not of the program: the minor part rises with every addition."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class EventSchema:
    """An event, the property of `TopicNames` that names its topic, and what its key is."""

    name: str
    struct: type[Struct]
    topic: str
    key: str
    ce_type: str | None = None


EVENTS: Final[tuple[EventSchema, ...]] = (
    EventSchema("RawQuery", RawQuery, "raw", "the user's or the session's id"),
    EventSchema("UserAction", UserAction, "actions", "the user's id"),
    EventSchema(
        "QueryUnderstood",
        QueryUnderstood,
        "intents",
        "the user's pseudonym, else the session's",
        EVENT_TYPES[QueryUnderstood],
    ),
    EventSchema(
        "EntityMentioned",
        EntityMentioned,
        "entities",
        "the entity's canonical value",
        EVENT_TYPES[EntityMentioned],
    ),
    EventSchema(
        "UserSignal", UserSignal, "signals", "the user's pseudonym", EVENT_TYPES[UserSignal]
    ),
    EventSchema("ProfileUpdated", Profile, "features", "the user's pseudonym", PROFILE_UPDATED),
)
"""All events that have a schema, in the order in which they flow."""


def json_schema(event: EventSchema) -> JsonSchema:
    """The JSON Schema of one event, complete in itself."""
    return _plain(
        {
            "$schema": _DIALECT,
            "$id": f"urn:intentstream:schema:{event.name}:1",
            **msgspec.json.schema(event.struct),
        }
    )


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    """Defaults as JSON has them: msgspec leaves tuples and structs in its schemas."""
    plain: dict[str, Any] = json.loads(msgspec.json.encode(document), object_hook=_dedented)
    return plain


def _dedented(node: dict[str, Any]) -> dict[str, Any]:
    """Descriptions without indentation: Python 3.13 takes it off docstrings, 3.12 does not."""
    if isinstance(node.get("description"), str):
        node["description"] = inspect.cleandoc(node["description"])
    return node


def json_schemas() -> JsonSchema:
    """One JSON Schema document that defines all events."""
    _, definitions = msgspec.json.schema_components([event.struct for event in EVENTS])
    return _plain({"$schema": _DIALECT, "$id": "urn:intentstream:schemas:1", "$defs": definitions})


def asyncapi(names: TopicNames | None = None) -> dict[str, Any]:
    """The AsyncAPI document of the topics under the given names, and of all who use them."""
    names = names or TopicNames()
    _, schemas = msgspec.json.schema_components(
        [event.struct for event in EVENTS], ref_template="#/components/schemas/{name}"
    )
    specs = {spec.name: spec for spec in topic_specs(names)}
    messages = {event.name: _message(event) for event in EVENTS} | {"DeadLetter": _dead_letter()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Intentstream",
            "version": API_VERSION,
            "description": (
                "Raw shopper queries in; intents, entities, relations, sentiment and profiles out. "
                "Evolution is additive: ignore fields you do not know."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {
            topic: _channel(specs[getattr(names, topic)], message)
            for topic, message in _messages_by_topic()
        },
        "operations": dict(_operations()),
        "components": {
            "messages": messages,
            "schemas": _plain(schemas) | {"CloudEventHeaders": _cloud_event_headers()},
        },
    }


def _messages_by_topic() -> Iterator[tuple[str, str]]:
    yield from ((event.topic, event.name) for event in EVENTS)
    yield "dead", "DeadLetter"


def _channel(spec: TopicSpec, message: str) -> dict[str, Any]:
    configuration: dict[str, Any] = {
        "cleanup.policy": spec.configs["cleanup.policy"].split(","),
        **{
            name: int(spec.configs[name])
            for name in ("retention.ms", "max.message.bytes")
            if name in spec.configs
        },
    }
    return {
        "address": spec.name,
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": configuration,
                "bindingVersion": "0.5.0",
            }
        },
    }


_Action = Literal["send", "receive"]
_USES: Final[tuple[tuple[str, _Action, str, str], ...]] = (
    ("readQueries", "receive", "raw", "The enricher reads raw queries."),
    ("readActions", "receive", "actions", "The enricher reads what users did."),
    ("publishIntents", "send", "intents", "The enricher publishes one event per query."),
    ("publishEntities", "send", "entities", "The enricher publishes one event per entity."),
    ("publishSignals", "send", "signals", "The enricher writes each user's log."),
    ("readSignals", "receive", "signals", "The personalizer folds each user's log."),
    ("publishProfiles", "send", "features", "The personalizer publishes each changed profile."),
    ("publishDeadLetters", "send", "dead", "Either worker sets a bad record aside."),
)


def _operations() -> Iterator[tuple[str, dict[str, Any]]]:
    message = dict(_messages_by_topic())
    for name, action, topic, summary in _USES:
        yield (
            name,
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{topic}"},
                "summary": summary,
                "messages": [{"$ref": f"#/channels/{topic}/messages/{message[topic]}"}],
            },
        )


def _message(event: EventSchema) -> dict[str, Any]:
    summary, _, _ = (event.struct.__doc__ or event.name).strip().partition("\n")
    message: dict[str, Any] = {
        "name": event.ce_type or event.name,
        "title": event.name,
        "summary": summary,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{event.struct.__name__}"},
        "bindings": _key_binding({"type": "string", "description": event.key}),
    }
    if event.ce_type is not None:
        own = {"type": "object", "properties": {"ce_type": {"const": event.ce_type}}}
        message["headers"] = {"allOf": [{"$ref": "#/components/schemas/CloudEventHeaders"}, own]}
    return message


def _key_binding(key: JsonSchema) -> dict[str, Any]:
    return {"kafka": {"key": key, "bindingVersion": "0.5.0"}}


def _cloud_event_headers() -> JsonSchema:
    """CloudEvents 1.0 in binary mode, as in the Kafka protocol binding."""
    text = {"type": "string"}
    return {
        "type": "object",
        "required": [
            "ce_specversion",
            "ce_id",
            "ce_source",
            "ce_type",
            "ce_time",
            "content-type",
        ],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": {
                "type": "string",
                "pattern": "^[0-9a-f]{32}$",
                "description": "Derived from the source position: the same on every try.",
            },
            "ce_source": text | {"format": "uri-reference"},
            "ce_type": text,
            "ce_time": text
            | {"format": "date-time", "description": "The source record's timestamp."},
            "content-type": {"const": "application/json"},
            "ce_partitionkey": text | {"description": "The record's key."},
        },
    }


def _dead_letter() -> dict[str, Any]:
    text = {"type": "string"}
    position = {
        f"__{family}.errors.{name}": text
        for family in ("connect", "streams")
        for name in ("topic", "partition", "offset")
    }
    headers = {
        REASON_HEADER: {"type": "string", "enum": [reason.value for reason in DeadReason]},
        STAGE_HEADER: {"type": "string", "enum": [stage.value for stage in Stage]},
        CLUSTER_HEADER: text,
        EPOCH_HEADER: text,
        TIMESTAMP_HEADER: text | {"description": "Of the record, in ms since the epoch."},
        ROUND_HEADER: text | {"description": "How often the record had been redriven."},
        **position,
        "__connect.errors.exception.message": text,
        "__streams.errors.message": text,
    }
    return {
        "name": "DeadLetter",
        "title": "DeadLetter",
        "summary": "A record that could not be processed: key, value and headers byte for byte.",
        "contentType": "application/octet-stream",
        "headers": {"type": "object", "required": list(headers), "properties": headers},
        "payload": {"description": "The original value, whatever it is; may be null."},
        "bindings": _key_binding({"description": "the original key"}),
    }
