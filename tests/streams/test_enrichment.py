"""From raw records to enriched events, without a model: prepare, then build the outputs."""

import base64
import itertools
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cloudevents import derive_id
from streams.codec import RawFormat, RecordDecoder
from streams.deadletters import DeadReason, reason_of
from streams.decoding import Span, SpanRelation, Understanding
from streams.enrichment import Enrichment, PreparedQuery, canonical
from streams.events import (
    EVENT_TYPES,
    EntityMentioned,
    QueryUnderstood,
    RawQuery,
    Relation,
    UserSignal,
)
from streams.records import OutputRecord, SourceRecord
from tests.streams.samples import MODEL, TOPICS, enrichment, header, raw, understanding

_ENRICHMENT = enrichment()


def _prepared(record: SourceRecord, using: Enrichment = _ENRICHMENT) -> PreparedQuery:
    prepared = using.prepare(record)
    assert isinstance(prepared, PreparedQuery)
    return prepared


def _query(**fields: Any) -> SourceRecord:
    return raw(json.dumps(fields).encode())


def _published(
    record: SourceRecord, answer: Understanding, using: Enrichment = _ENRICHMENT
) -> tuple[OutputRecord, ...]:
    return using.events(_prepared(record, using), answer, MODEL, vector_space="test-space")


def _understood(
    record: SourceRecord, answer: Understanding | None = None, using: Enrichment = _ENRICHMENT
) -> QueryUnderstood:
    outputs = _published(record, answer or understanding(), using)
    assert outputs[0].topic == TOPICS.intents
    assert outputs[0].value is not None
    return msgspec.json.decode(outputs[0].value, type=QueryUnderstood)


def _reason(record: SourceRecord, using: Enrichment = _ENRICHMENT) -> DeadReason | None:
    outcome = using.prepare(record)
    assert isinstance(outcome, OutputRecord)
    assert outcome.topic == TOPICS.dead
    assert (outcome.key, outcome.value) == (record.key, record.value)
    assert outcome.headers[: len(record.headers)] == record.headers
    return reason_of(outcome.headers)


# --- what one query becomes


def test_a_query_becomes_an_event_one_event_per_entity_and_a_signal() -> None:
    record = _query(text="red running shoes", user_id="u1", session_id="s1", channel="chat")
    answer = understanding(Span("color", 0, 3, 0.9), Span("core_product_type", 4, 17, 0.8))
    outputs = _published(record, answer)
    assert [output.topic for output in outputs] == [
        TOPICS.intents,
        TOPICS.entities,
        TOPICS.entities,
        TOPICS.signals,
    ]
    event, red, shoes, signal = (msgspec.json.decode(output.value or b"") for output in outputs)
    assert event["text"] == "red running shoes"
    assert [entity["text"] for entity in event["entities"]] == ["red", "running shoes"]
    assert (red["entity"], shoes["entity"]) == tuple(event["entities"])
    assert signal["query"]["entities"] == event["entities"]
    assert event["source"] == {
        "cluster": "test-cluster",
        "topic": "queries.raw",
        "partition": 0,
        "offset": 0,
        "timestamp": 1_700_000_000_123,
    }


def test_keys_are_the_pseudonym_and_the_canonical_value() -> None:
    record = _query(text="RED  Shoes", user_id="u1", session_id="s1")
    outputs = _published(record, understanding(Span("color", 0, 3, 0.9)))
    user = _ENRICHMENT.pseudonyms.user("u1").encode()
    assert [output.key for output in outputs] == [user, b"red", user]
    assert [header(output, "ce_partitionkey") for output in outputs] == [user, b"red", user]


def test_a_query_without_user_is_keyed_by_its_session_and_gives_no_signal() -> None:
    (output,) = _published(_query(text="a", session_id=7), understanding())
    assert output.key == _ENRICHMENT.pseudonyms.session("7").encode()


def test_a_query_without_user_or_session_takes_the_records_key_for_its_session() -> None:
    for key in (b"s-1", "ключ".encode(), b"\xff\x00"):
        (output,) = _published(raw(b'{"text":"a"}', key=key), understanding())
        assert output.key is not None
        assert output.key != key
    for nameless in (None, b""):
        (output,) = _published(raw(b'{"text":"a"}', key=nameless), understanding())
        assert output.key is None


def test_the_user_wins_over_the_records_key_and_numbers_are_names() -> None:
    by_number = _understood(raw(b'{"text":"a","user_id":42}', key=b"other"))
    by_name = _understood(raw(b'{"text":"a","user_id":"42"}'))
    assert by_number.user == by_name.user == _ENRICHMENT.pseudonyms.user("42")


def test_no_output_carries_a_raw_identifier() -> None:
    record = raw(
        json.dumps({"text": "red", "user_id": "jane-7", "session_id": "sess-9"}).encode(),
        key=b"jane-7",
        headers=(("x-user", b"jane-7"),),
    )
    for output in _published(record, understanding(Span("color", 0, 3, 0.9))):
        everything = repr((output.key, output.value, output.headers))
        assert "jane-7" not in everything
        assert "sess-9" not in everything


def test_ids_are_derived_from_the_position_and_name_each_entity() -> None:
    record = _query(text="red red", user_id="u")
    answer = understanding(Span("color", 0, 3, 0.9), Span("color", 4, 7, 0.9))
    outputs = _published(record, answer)
    ids = [(header(output, "ce_id") or b"").decode() for output in outputs]
    assert len(set(ids)) == 4
    kind = EVENT_TYPES[EntityMentioned]
    assert ids[2] == derive_id("test-cluster", "0", "queries.raw", 0, 0, kind, 1)
    assert [header(output, "ce_type") for output in outputs] == [
        EVENT_TYPES[event].encode()
        for event in (QueryUnderstood, EntityMentioned, EntityMentioned, UserSignal)
    ]


def test_a_shops_query_id_is_kept_and_a_missing_one_is_derived() -> None:
    assert _understood(_query(text="a", query_id="q-1")).query_id == "q-1"
    derived = {_understood(raw(b'{"text":"a"}', offset=offset)).query_id for offset in range(3)}
    assert len(derived) == 3


def test_the_vector_goes_into_the_signal_alone_with_its_space() -> None:
    vector = np.arange(384, dtype="<f2").tobytes()
    *rest, output = _published(_query(text="a", user_id="u"), understanding(vector=vector))
    signal = msgspec.json.decode(output.value or b"", type=UserSignal)
    assert signal.query is not None
    assert signal.query.vector_space == "test-space"
    assert base64.b64decode(signal.query.vector or "") == vector
    assert all(b"vector" not in (output.value or b"") for output in rest)


# --- time


def test_event_time_is_the_querys_own_else_the_records() -> None:
    own = _understood(_query(text="a", occurred_at="2026-01-02T05:04:05+02:00"))
    naive = _understood(_query(text="a", occurred_at="2026-01-02T03:04:05"))
    assert own.occurred_at == naive.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    records = _understood(_query(text="a"))
    assert records.occurred_at == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)


@pytest.mark.parametrize("unit", [1, 1000, 10**6, 10**9])
def test_event_time_may_be_a_count_since_the_epoch_in_any_unit(unit: int) -> None:
    """CASES 18."""
    event = _understood(_query(text="a", occurred_at=1_767_323_045 * unit))
    assert event.occurred_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_null_stands_for_an_absent_optional_field() -> None:
    event = _understood(
        _query(text="a", context=None, attachments=None, occurred_at=None, user_id=None)
    )
    assert event.context == {}
    assert event.attachments == ()


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 1_700_000_000, 1_700_000_000_000_000, 2**63 - 1])
@pytest.mark.parametrize(
    "occurred_at", [None, "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)
def test_no_time_is_too_odd_to_publish(timestamp_ms: int, occurred_at: str | None) -> None:
    """CASES 18."""
    fields = {"text": "a"} if occurred_at is None else {"text": "a", "occurred_at": occurred_at}
    record = raw(json.dumps(fields).encode(), timestamp_ms=timestamp_ms)
    event = _understood(record)
    assert event.source.timestamp == timestamp_ms
    assert event.occurred_at.tzinfo is not None


# --- entities, relations and the redactor


def test_redacted_spans_win_over_the_models() -> None:
    record = _query(text="mail red@shop.example about red shoes")
    text = _prepared(record).text
    assert text == "mail [EMAIL] about red shoes"
    answer = understanding(
        Span("creator", 0, 9, 0.9),
        Span("color", text.index("red"), text.index("red") + 3, 0.8),
        Span("contact", 5, 12, 0.7),
    )
    event = _understood(record, answer)
    assert [(entity.type, entity.text, entity.score) for entity in event.entities] == [
        ("contact", "[EMAIL]", 1.0),
        ("color", "red", 0.8),
    ]
    assert event.entities[0].value == "[EMAIL]"


def test_a_placeholder_without_entity_hides_the_models_span_too() -> None:
    record = _query(text="pay with 4111 1111 1111 1111")
    text = _prepared(record).text
    event = _understood(record, understanding(Span("money", text.index("["), len(text), 0.9)))
    assert event.entities == ()


def test_relations_follow_their_entities_to_new_indices() -> None:
    record = _query(text="a@shop.example red shoes blue shirt")
    text = _prepared(record).text
    spans = [
        Span(kind, text.index(word), text.index(word) + len(word), 0.9)
        for kind, word in [
            ("creator", "EMAIL"),
            ("color", "red"),
            ("core_product_type", "shoes"),
            ("color", "blue"),
            ("core_product_type", "shirt"),
        ]
    ]
    relations = (
        SpanRelation(2, "has_brand", 0, 0.9),
        SpanRelation(2, "has_color", 1, 0.8),
        SpanRelation(4, "has_color", 3, 0.7),
    )
    event = _understood(record, understanding(*spans, relations=relations))
    assert [entity.text for entity in event.entities] == [
        "[EMAIL]",
        "red",
        "shoes",
        "blue",
        "shirt",
    ]
    assert event.relations == (Relation(2, "has_color", 1, 0.8), Relation(4, "has_color", 3, 0.7))


@given(
    st.lists(
        st.sampled_from(
            ["red", "Füße", "e\u0301", "ＦＵＬＬ", "👟", "a@b.example", "红色", "[MASK]", "'s?"]
        ),
        min_size=1,
        max_size=8,
    ),
    st.data(),
)
def test_an_entitys_text_is_the_slice_of_the_published_text(
    words: list[str], data: st.DataObject
) -> None:
    """CASES 47, 48, 51: accents, combining forms, full-width letters and placeholders before it."""
    record = _query(text=" ".join(words), user_id="u")
    text = _prepared(record).text
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [Span("color", a, b, 0.5) for a, b in itertools.pairwise(cuts)]
    event = _understood(record, understanding(*spans))
    assert "@" not in event.text
    for entity in event.entities:
        assert entity.text == event.text[entity.start : entity.end]
    for a, b in itertools.pairwise(event.entities):
        assert a.end <= b.start


@pytest.mark.parametrize(
    ("text", "value"), [("Red", "red"), ("STRASSE  x", "strasse x"), ("Straße", "strasse")]
)
def test_canonical_values_are_case_folded_with_single_spaces(text: str, value: str) -> None:
    assert canonical(text) == value


# --- bad input


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, DeadReason.NULL_VALUE),
        (b"", DeadReason.INVALID_JSON),
        (b"\xff\xfe", DeadReason.INVALID_ENCODING),
        (b"{}", DeadReason.MISSING_TEXT),
        (b'{"text":""}', DeadReason.EMPTY_TEXT),
        (b'{"text":"  \\u200b\\u0000\\t "}', DeadReason.EMPTY_TEXT),
        (b'{"text":"' + b"a" * 8_001 + b'"}', DeadReason.TOO_LONG),
        (b'{"text":"' + "ﷺ".encode() * 1_000 + b'"}', DeadReason.TOO_LONG),
        (b'{"text":"' + b"a" * 2_000_000 + b'"}', DeadReason.TOO_LARGE),
        (b'{"text":"a","channel":7}', DeadReason.INVALID_FIELD),
    ],
)
def test_each_bad_record_is_a_dead_letter_with_its_reason(
    value: bytes | None, reason: DeadReason
) -> None:
    record = raw(value, key=b"\xffkey", headers=(("h", None), ("h", b"\xff")))
    assert _reason(record) is reason


@pytest.mark.parametrize(
    "text", ["👟👠", "שלום עולם", "\u202eabc", "a\x00b", "e\u0301", "\ud83d", "[MASK]", "a" * 8_000]
)
def test_odd_texts_are_still_queries(text: str) -> None:
    """CASES 44, 47."""
    assert _prepared(_query(text=text)).text


@given(st.none() | st.binary(max_size=80), st.none() | st.binary(max_size=8))
def test_any_record_becomes_a_query_or_a_dead_letter(
    value: bytes | None, key: bytes | None
) -> None:
    for decoder in (RecordDecoder(RawQuery), RecordDecoder(RawQuery, raw_format=RawFormat.TEXT)):
        using = enrichment(queries=decoder)
        record = raw(value, key=key)
        outcome = using.prepare(record)
        if isinstance(outcome, OutputRecord):
            assert _reason(record, using) in set(DeadReason)
        else:
            assert _published(record, understanding(), using)[0].topic == TOPICS.intents


def test_an_event_too_large_for_kafka_is_a_dead_letter_instead() -> None:
    record = _query(text="red shoes", user_id="u")
    using = enrichment(max_event_bytes=300)
    (letter,) = _published(record, understanding(), using)
    assert letter.topic == TOPICS.dead
    assert letter.value == record.value
    assert reason_of(letter.headers) is DeadReason.EVENT_TOO_LARGE


# --- context


def test_only_the_scalars_on_the_allow_list_are_published() -> None:
    context = {"page": 3, "query": "mail a@shop.example", "user": "jane", "list": [1], "none": None}
    allowed = frozenset({"page", "query", "list", "none", "absent"})
    event = _understood(_query(text="a", context=context), using=enrichment(context_keys=allowed))
    assert event.context == {"page": 3, "query": "mail [EMAIL]"}
    assert _understood(_query(text="a", context=context)).context == {}


def test_a_long_context_is_redacted_before_it_is_cut() -> None:
    """Else half an address would be left at the end."""
    long = "x " * 120 + "jane.doe.of.somewhere@shop.example " + "y" * 400
    using = enrichment(context_keys=frozenset({"note"}))
    note = _understood(_query(text="a", context={"note": long}), using=using).context["note"]
    assert len(note) <= 256
    assert "jane" not in note


def test_a_context_may_be_longer_than_a_query() -> None:
    using = enrichment(context_keys=frozenset({"note"}), max_text_chars=10)
    event = _understood(_query(text="a", context={"note": "ﷺ" * 50}), using=using)
    assert len(event.context["note"]) == 256


# --- actions


def _action(**fields: Any) -> SourceRecord:
    document = {"user_id": "u1", "action": "cart", "product": {"brand": "acme"}} | fields
    return raw(json.dumps(document).encode(), topic=TOPICS.actions)


def test_an_action_becomes_a_signal_of_its_user_without_the_model() -> None:
    output = _ENRICHMENT.prepare(_action(action_id="a-1", quantity=2))
    assert isinstance(output, OutputRecord)
    assert output.topic == TOPICS.signals
    user = _ENRICHMENT.pseudonyms.user("u1")
    assert output.key == user.encode()
    signal = msgspec.json.decode(output.value or b"", type=UserSignal)
    assert signal.user == user
    assert signal.action is not None
    assert (signal.action.action_id, signal.action.quantity) == ("a-1", 2)
    assert signal.action.product.brand == "acme"


@pytest.mark.parametrize(
    "fields", [{"user_id": ""}, {"action": "steal"}, {"product": None}, {"quantity": 0}]
)
def test_an_invalid_action_is_a_dead_letter(fields: dict[str, Any]) -> None:
    assert _reason(_action(**fields)) is DeadReason.INVALID_FIELD


def test_a_signal_too_large_for_kafka_is_a_dead_letter_instead() -> None:
    assert _reason(_action(), enrichment(max_event_bytes=100)) is DeadReason.EVENT_TOO_LARGE


# --- determinism


@given(st.text(max_size=30), st.integers(0, 2**40), st.none() | st.text(max_size=5))
def test_the_same_record_gives_the_same_bytes_on_every_run(
    text: str, offset: int, user: str | None
) -> None:
    document = {"text": text, "context": {"b": 1, "a": 2}} | ({"user_id": user} if user else {})
    record = raw(json.dumps(document).encode(), offset=offset)
    runs = []
    for _ in range(2):
        using = enrichment(context_keys=frozenset({"a", "b"}))
        outcome = using.prepare(record)
        if isinstance(outcome, PreparedQuery):
            spans = (Span("color", 0, len(outcome.text), 0.5),)
            answer = understanding(*spans)
            runs.append(using.events(outcome, answer, MODEL, vector_space="test-space"))
        else:
            runs.append((outcome,))
    assert runs[0] == runs[1]
