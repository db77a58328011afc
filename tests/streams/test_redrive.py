"""Redriving: what is signed is the record as it was read first, and nothing else can say so."""

import json
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from streams.deadletters import (
    REASON_HEADER,
    VALUE_LEFT_OUT,
    DeadReason,
    RecordError,
    Stage,
    dead_letter,
    failed_record,
    reason_of,
)
from streams.enrichment import PreparedQuery
from streams.pseudonyms import PseudonymKey
from streams.records import Headers, OutputRecord, Redriven, SourceRecord
from streams.redrive import REDRIVE_HEADER, RedriveSigner
from tests.streams.samples import MODEL, TOPICS, enrichment, raw, understanding

KEY = PseudonymKey("k1", b"0" * 32)
SIGNER = RedriveSigner(KEY)
FIRST = raw(b'{"text":"red hat","user_id":"u"}', partition=3, offset=41, key=b"u")
_headers = st.lists(
    st.tuples(st.text(max_size=8) | st.just(REDRIVE_HEADER), st.none() | st.binary(max_size=8)),
    max_size=4,
).map(tuple)


def back(record: SourceRecord, *, signer: RedriveSigner = SIGNER, offset: int = 90) -> SourceRecord:
    """The record once it is redriven, at its new place in the log."""
    sent = signer.redriven(record, cluster="test-cluster", epoch="0")
    assert sent.topic == record.topic
    return raw(
        sent.value,
        topic=sent.topic,
        partition=1,
        offset=offset,
        timestamp_ms=1_800_000_000_000,
        key=sent.key,
        headers=sent.headers,
    )


@given(
    st.none() | st.binary(max_size=64),
    st.none() | st.binary(max_size=64),
    _headers,
    st.integers(0, 99),
    st.integers(0, 2**62),
    st.integers(-1, 2**50),
)
def test_a_redriven_record_is_the_one_that_was_read_first(
    key: bytes | None,
    value: bytes | None,
    headers: Headers,
    partition: int,
    offset: int,
    timestamp_ms: int,
) -> None:
    first = SourceRecord(TOPICS.raw, partition, offset, timestamp_ms, key, value, headers)
    again = back(first)
    assert (again.key, again.value) == (key, value)
    assert again.headers[: len(headers)] == headers
    assert [name for name, _ in again.headers[len(headers) :]] == [REDRIVE_HEADER]
    found = SIGNER.original(again)
    assert found == replace(first, headers=again.headers, redriven=found.redriven)
    assert found.redriven == Redriven("test-cluster", "0", 1)


def test_rounds_are_counted_and_only_the_last_is_carried() -> None:
    once = SIGNER.original(back(FIRST))
    again = back(once)
    assert [name for name, _ in again.headers].count(REDRIVE_HEADER) == 1
    found = SIGNER.original(again)
    assert found.redriven == Redriven("test-cluster", "0", 2)
    assert (found.partition, found.offset) == (3, 41)


def test_where_it_was_first_stays_though_cluster_and_epoch_have_changed_since() -> None:
    once = SIGNER.original(back(FIRST))
    sent = SIGNER.redriven(once, cluster="another", epoch="9")
    moved = SIGNER.original(replace(once, headers=sent.headers, redriven=None))
    assert moved.redriven == Redriven("test-cluster", "0", 2)


def _signed(record: SourceRecord) -> bytes:
    value = dict(record.headers)[REDRIVE_HEADER]
    assert value is not None
    return value


def _forgeries() -> dict[str, SourceRecord]:
    good = back(FIRST)
    fields = msgspec.json.decode(_signed(good))
    changed = {
        f"another {name}": replace(
            good, headers=((REDRIVE_HEADER, msgspec.json.encode(fields | {name: value})),)
        )
        for name, value in {
            "cluster": "other",
            "epoch": "1",
            "partition": 4,
            "offset": 42,
            "timestamp": 7,
            "round": 0,
            "signature": "k1." + "0" * 64,
        }.items()
    }
    bare = {name: value for name, value in fields.items() if name != "signature"}
    values: dict[str, bytes | None] = {
        "no JSON": b"\xff\x00",
        "null": None,
        "empty": b"",
        "nested": b"[" * 50_000,
        "unsigned": msgspec.json.encode(bare),
        "a surrogate": json.dumps(fields | {"cluster": "\ud800"}).encode(),
        "unknown key": msgspec.json.encode(fields | {"signature": "k9." + "0" * 64}),
        "not ASCII": msgspec.json.encode(fields | {"signature": "k1.ä"}),
        "another shop's key": _signed(
            back(FIRST, signer=RedriveSigner(PseudonymKey("k1", b"1" * 32)))
        ),
        "a pseudonym for a signature": msgspec.json.encode(
            fields | {"signature": KEY.digest(b"intentstream.redrive\x00", "u")}
        ),
    }
    return (
        changed
        | {
            name: replace(good, headers=((REDRIVE_HEADER, value),))
            for name, value in values.items()
        }
        | {
            "of another key": replace(good, key=b"v"),
            "of no key": replace(good, key=None),
            "of another value": replace(good, value=b'{"text":"blue hat","user_id":"u"}'),
            "of another topic": replace(good, topic=TOPICS.actions),
        }
    )


@pytest.mark.parametrize("name", list(_forgeries()))
def test_a_header_that_is_not_ours_says_nothing_and_is_counted(name: str) -> None:
    signer = RedriveSigner(KEY)
    record = _forgeries()[name]
    assert signer.original(record) == record
    assert signer.ignored == 1


def test_a_forged_header_neither_hides_nor_replaces_ours() -> None:
    good = back(FIRST)
    forged = (REDRIVE_HEADER, b'{"offset":1}')
    for headers in ((forged, *good.headers), (*good.headers, forged)):
        found = SIGNER.original(replace(good, headers=headers))
        assert (found.partition, found.offset) == (3, 41)


def test_during_a_rotation_the_previous_key_still_counts() -> None:
    again = back(FIRST)
    new = PseudonymKey("k2", b"2" * 32)
    assert RedriveSigner(new, KEY).original(again).offset == 41
    assert RedriveSigner(new).original(again).offset == again.offset


# --- as a dead letter, and through the enrichment

ERROR = RecordError(DeadReason.MODEL_REJECTED, Stage.MODEL, "the model fails on this query")


def _as_read(output: OutputRecord) -> SourceRecord:
    return SourceRecord(
        output.topic, 0, 5, 1_900_000_000_000, output.key, output.value, output.headers
    )


@given(st.none() | st.binary(max_size=64), st.none() | st.binary(max_size=64), _headers)
def test_a_dead_letter_gives_its_record_back(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    headers = (*headers, (REASON_HEADER, b"its own"))
    record = raw(value, partition=2, offset=2**40, key=key, headers=headers)
    letter = dead_letter(TOPICS.dead, record, ERROR, cluster="shop", epoch="7")
    assert failed_record(_as_read(letter)) == replace(record, redriven=Redriven("shop", "7", 0))


def test_what_is_no_whole_dead_letter_gives_none() -> None:
    letter = dead_letter(TOPICS.dead, FIRST, ERROR, cluster="shop", epoch="7")
    without = structs.replace(
        letter, value=None, headers=(*letter.headers, (VALUE_LEFT_OUT, b"true"))
    )
    assert failed_record(_as_read(without)) is None
    assert failed_record(FIRST) is None
    for name in ("intentstream.errors.timestamp", "__connect.errors.offset"):
        for wrong in (b"x", None):
            odd = tuple((key, wrong if key == name else value) for key, value in letter.headers)
            assert failed_record(_as_read(structs.replace(letter, headers=odd))) is None


def test_events_of_a_redriven_record_are_those_of_its_first_reading() -> None:
    using = enrichment()
    made = []
    for record in (FIRST, back(FIRST)):
        prepared = using.prepare(record)
        assert isinstance(prepared, PreparedQuery)
        made.append(using.events(prepared, understanding(), MODEL, vector_space="v"))
    assert made[0] == made[1]  # bytes, keys and headers: ids, source and times


def test_an_action_keeps_its_identity_too() -> None:
    action = raw(b'{"user_id":"u","action":"view","product":{}}', topic=TOPICS.actions, offset=3)
    assert enrichment().prepare(back(action)) == enrichment().prepare(action)


def test_cluster_and_epoch_of_the_first_reading_stay() -> None:
    before = enrichment(cluster="old", epoch="1")
    letter = before.dead(FIRST, ERROR)
    failed = failed_record(_as_read(letter))
    assert failed is not None
    after = enrichment(cluster="new", epoch="2")
    outputs = []
    for using, record in ((before, FIRST), (after, back(failed))):
        prepared = using.prepare(record)
        assert isinstance(prepared, PreparedQuery)
        outputs.append(using.events(prepared, understanding(), MODEL, vector_space="v"))
    assert outputs[0] == outputs[1]


def test_a_redriven_record_that_fails_again_keeps_its_position_and_tells_its_round() -> None:
    letter = enrichment().dead(back(FIRST), ERROR)
    failed = failed_record(_as_read(letter))
    assert failed is not None
    assert (failed.partition, failed.offset) == (FIRST.partition, FIRST.offset)
    assert failed.timestamp_ms == FIRST.timestamp_ms
    assert failed.redriven == Redriven("test-cluster", "0", 1)
    bad = back(raw(b"{not json", offset=8))
    outcome = enrichment().prepare(bad)
    assert isinstance(outcome, OutputRecord)
    found = failed_record(_as_read(outcome))
    assert found is not None
    assert (found.offset, found.redriven) == (8, Redriven("test-cluster", "0", 1))


def test_past_the_limit_of_rounds_it_is_not_tried_again() -> None:
    record = FIRST
    for count in range(1, 4):
        record = SIGNER.original(back(record))
        outcome = enrichment(max_rounds=2).prepare(replace(record, redriven=None))
        if count <= 2:
            assert isinstance(outcome, PreparedQuery)
        else:
            assert isinstance(outcome, OutputRecord)
            assert reason_of(outcome.headers) is DeadReason.TOO_MANY_ROUNDS
            assert outcome.value == FIRST.value
