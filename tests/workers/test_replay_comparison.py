"""One event against another: identical means byte for byte, and differences name their field."""

import json
from typing import Any

import pytest

from streams.records import Headers, OutputRecord
from workers.replays.comparison import (
    FieldChange,
    Tally,
    Verdict,
    changes,
    dead_letter_changes,
)

_HEADERS: Headers = (("ce_id", b"1"), ("ce_time", b"t"), ("content-type", b"application/json"))
_EVENT: dict[str, Any] = {
    "text": "red shoes",
    "intent": {"label": "product_search", "score": 0.9},
    "entities": [{"type": "color", "score": 0.8}, {"type": "x", "score": 0.1}],
}


def _event(document: Any = _EVENT, headers: Headers = _HEADERS) -> OutputRecord:
    return OutputRecord("queries.intents", b"k", json.dumps(document).encode(), headers)


def _fields(before: OutputRecord, after: OutputRecord) -> list[str]:
    return [change.field for change in changes(before, after)]


def test_equal_events_are_identical() -> None:
    assert changes(_event(), _event()) == ()


def test_headers_added_on_the_way_do_not_count() -> None:
    assert changes(_event(headers=(("traceparent", b"x"), *_HEADERS)), _event()) == ()


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"intent": {"label": "refund", "score": 0.9}}, ["intent.label"]),
        ({"intent": {"label": "refund", "score": 0.8}}, ["intent.label", "intent.score"]),
        ({"entities": [{"type": "color", "score": 0.7}]}, ["entities[0].score", "entities[1]"]),
        ({"degraded": True}, ["degraded"]),
        ({"text": None}, ["text"]),
        ({"entities": {}}, ["entities"]),
    ],
)
def test_a_changed_value_names_its_fields(changed: dict[str, Any], fields: list[str]) -> None:
    assert _fields(_event(), _event(_EVENT | changed)) == fields


def test_both_values_are_told() -> None:
    (change,) = changes(_event(), _event(_EVENT | {"text": "red"}))
    assert change == FieldChange("text", "red shoes", "red")


def test_one_and_true_are_not_the_same() -> None:
    assert _fields(_event({"a": 1}), _event({"a": True})) == ["a"]
    assert _fields(_event({"a": 1}), _event({"a": 1.0})) == ["a"]


def test_other_bytes_of_the_same_json_are_a_change() -> None:
    spaced = OutputRecord("queries.intents", b"k", json.dumps(_EVENT, indent=1).encode(), _HEADERS)
    assert _fields(_event(), spaced) == ["value"]


@pytest.mark.parametrize("name", ["ce_id", "ce_time", "content-type"])
def test_a_changed_header_is_a_change(name: str) -> None:
    without = tuple(pair for pair in _HEADERS if pair[0] != name)
    assert _fields(_event(), _event(headers=without)) == [f"header {name}"]


def test_a_changed_key_is_a_change() -> None:
    other = OutputRecord("queries.intents", None, _event().value, _HEADERS)
    assert _fields(_event(), other) == ["key"]


def test_dead_letters_are_compared_without_a_word_of_their_content() -> None:
    secret = b"jane.doe@shop.example"
    reason = "intentstream.errors.reason"
    before = OutputRecord("queries.dead", secret, secret, ((reason, b"too_long"), ("x", secret)))
    after = OutputRecord("queries.dead", b"k", b"v", ((reason, b"empty_text"), ("x", b"y")))
    found = dead_letter_changes(before, after)
    assert [change.field for change in found] == ["key", "value", f"header {reason}"]
    assert "jane" not in repr(found)
    assert dead_letter_changes(before, before) == ()


def test_a_tally_counts_each_field_once_an_event() -> None:
    tally = Tally()
    tally.add("t", Verdict.IDENTICAL)
    two = tuple(FieldChange(f"entities[{n}].score", 0, 1) for n in range(2))
    tally.add("t", Verdict.CHANGED, two)
    assert tally.fields == {"entities[].score": 1}
    assert tally.total(Verdict.IDENTICAL, Verdict.CHANGED) == 2


@pytest.mark.parametrize("verdict", Verdict)
def test_all_is_identical_until_there_is_a_difference(verdict: Verdict) -> None:
    tally = Tally()
    tally.add("t", verdict)
    assert tally.all_identical is (verdict is Verdict.IDENTICAL)
