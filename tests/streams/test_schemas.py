"""The schemas people build on: made from the structs, committed, and only ever added to."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.decoding import Span
from streams.enrichment import PreparedQuery
from streams.events import Channel, QueryUnderstood
from streams.schema_evolution import breaking_changes
from streams.schemas import EVENTS, EventSchema, asyncapi, json_schema, json_schemas
from streams.topics import TopicNames, topic_specs
from tests.streams.samples import MODEL, TOPICS, enrichment, raw, understanding

_DOCS = Path(__file__).parents[2] / "docs"
_MEND = "run `intentstream schema --output docs` and commit what it writes"
_BY_NAME = {event.name: event for event in EVENTS}


def _published() -> dict[str, Any]:
    """One real value for each topic of the enricher."""
    using = enrichment(context_keys=frozenset({"page"}))
    query = {
        "text": "red shoes a@shop.example",
        "user_id": "u",
        "session_id": 7,
        "channel": "chat",
        "locale": "en-US",
        "context": {"page": 3},
        "attachments": [{"kind": "image", "uri": "s3://bucket/key"}],
    }
    prepared = using.prepare(raw(json.dumps(query).encode()))
    assert isinstance(prepared, PreparedQuery)
    spans = (Span("color", 0, 3, 0.9), Span("core_product_type", 4, 9, 0.9))
    outputs = using.events(prepared, understanding(*spans), MODEL, vector_space="v")
    values = {output.topic: json.loads(output.value or b"") for output in outputs}
    return values | {TOPICS.raw: query}


# --- JSON Schema


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_each_schema_is_a_valid_schema(event: EventSchema) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(event))


@pytest.mark.parametrize("topic", ["raw", "intents", "entities", "signals"])
def test_what_flows_fits_its_schema(topic: str) -> None:
    event = next(event for event in EVENTS if event.topic == topic)
    validator = jsonschema.Draft202012Validator(
        json_schema(event), format_checker=jsonschema.FormatChecker()
    )
    value = _published()[getattr(TOPICS, topic)]
    assert list(validator.iter_errors(value)) == []
    assert list(validator.iter_errors({})) != []


def test_one_document_defines_all_events() -> None:
    document = json_schemas()
    jsonschema.Draft202012Validator.check_schema(document)
    assert {event.struct.__name__ for event in EVENTS} <= document["$defs"].keys()


# --- AsyncAPI


def _references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for part in node for found in _references(part)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for part in node.values() for found in _references(part)]


def _at(document: Any, reference: str) -> Any:
    for part in reference.removeprefix("#/").split("/"):
        document = document[part]
    return document


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi()
    references = _references(document)
    assert len(references) > 30
    for reference in references:
        assert _at(document, reference)


def test_it_describes_every_topic_as_it_is_made() -> None:
    names = TopicNames("staging")
    channels = asyncapi(names)["channels"]
    for spec in topic_specs(names):
        (channel,) = (c for c in channels.values() if c["address"] == spec.name)
        binding = channel["bindings"]["kafka"]
        assert binding["partitions"] == spec.partitions
        for name, value in binding["topicConfiguration"].items():
            written = ",".join(value) if isinstance(value, list) else str(value)
            assert spec.configs[name] == written


def test_operations_use_the_messages_of_their_channel() -> None:
    document = asyncapi()
    assert {operation["action"] for operation in document["operations"].values()} == {
        "send",
        "receive",
    }
    used = set()
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"]
        used.add(channel)
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{channel}/messages/")
    assert used == {f"#/channels/{name}" for name in document["channels"]}


def test_headers_of_real_events_fit_the_documented_ones() -> None:
    document = asyncapi()
    using = enrichment()
    prepared = using.prepare(raw(b'{"text":"a","user_id":"u"}'))
    assert isinstance(prepared, PreparedQuery)
    event, _ = using.events(prepared, understanding(), MODEL, vector_space="v")
    error = RecordError(DeadReason.TOO_LONG, Stage.PREPARE, "detail")
    letter = dead_letter(TOPICS.dead, raw(b"\xff"), error, cluster="main", epoch="1")
    for name, output in (("QueryUnderstood", event), ("DeadLetter", letter)):
        message = document["components"]["messages"][name]
        schema = message["headers"] | {"components": document["components"]}
        headers = {key: (value or b"").decode() for key, value in output.headers}
        assert list(jsonschema.Draft202012Validator(schema).iter_errors(headers)) == []
        assert list(jsonschema.Draft202012Validator(schema).iter_errors({})) != []


# --- the committed copies


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_the_committed_schema_is_the_structs(event: EventSchema) -> None:
    committed = json.loads((_DOCS / "schemas" / f"{event.name}.json").read_text())
    assert breaking_changes(committed, json_schema(event)) == []
    assert committed == json_schema(event), _MEND


def test_the_committed_asyncapi_document_is_the_structs() -> None:
    assert json.loads((_DOCS / "asyncapi.json").read_text()) == asyncapi(), _MEND


def test_no_schema_of_an_event_that_is_gone_is_left() -> None:
    assert {path.stem for path in (_DOCS / "schemas").iterdir()} == set(_BY_NAME)


# --- what counts as breaking


class _Old(msgspec.Struct):
    a: int
    b: str | None = None
    c: list[QueryUnderstood] = []


def _schema(struct: Any) -> dict[str, Any]:
    return msgspec.json.schema(struct)


def _redefined(**fields: Any) -> dict[str, Any]:
    fields = {"a": int, "b": (str | None, None), "c": (list[QueryUnderstood], [])} | fields
    kept = [
        (name, *kind) if isinstance(kind, tuple) else (name, kind)
        for name, kind in fields.items()
        if kind is not None
    ]
    return _schema(msgspec.defstruct("_New", kept, kw_only=True))


def test_adding_an_optional_field_breaks_nothing() -> None:
    assert breaking_changes(_schema(_Old), _redefined()) == []
    assert breaking_changes(_schema(_Old), _redefined(d=(int, 0))) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"a": None}, "$.a: the field is gone"),
        ({"d": int}, "$.d: the field is required now"),
        ({"a": (int, 0)}, "$.a: the field is no longer always there"),
        ({"a": str}, "$.a: type changed from 'integer' to 'string'"),
        ({"b": (str, "")}, "$.b: the alternatives changed"),
        ({"b": (int | None, None)}, "$.b: the alternatives changed"),
        ({"c": (list[int], [])}, "$.c.items: type changed from 'object' to 'integer'"),
    ],
)
def test_taking_away_or_changing_a_field_breaks(change: dict[str, Any], said: str) -> None:
    assert said in breaking_changes(_schema(_Old), _redefined(**change))


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [
        ({"enum": ["a"]}, {"enum": ["a", "b"]}, False),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, True),
        ({"maxLength": 5}, {"maxLength": 6}, False),
        ({"maxLength": 5}, {"maxLength": 4}, True),
        ({"maxLength": 5}, {}, False),
        ({}, {"maxLength": 5}, True),
        ({"minimum": 1}, {"minimum": 0}, False),
        ({"minimum": 0}, {"minimum": 1}, True),
        ({"pattern": "a"}, {"pattern": "b"}, True),
        ({"description": "a"}, {"title": "b"}, False),
        ({"default": 1}, {"default": 2}, True),
    ],
)
def test_bounds_may_only_widen(old: dict[str, Any], new: dict[str, Any], breaks: bool) -> None:
    assert bool(breaking_changes(old, new)) is breaks


def test_a_change_deep_inside_is_found_with_its_path() -> None:
    before = json_schema(_BY_NAME["QueryUnderstood"])
    after = json.loads(json.dumps(before))
    after["$defs"]["Entity"]["properties"].pop("score")
    after["$defs"]["Channel"]["enum"].remove(Channel.VOICE)
    assert breaking_changes(before, before) == []
    assert set(breaking_changes(before, after)) == {
        "$.entities.items.score: the field is gone",
        "$.channel: the alternatives changed",
    }
