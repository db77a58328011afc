"""Consumers tell repeats by the derived id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cloudevents import binary_headers, derive_id
from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.deduplication import Repeats, event_id, original_position
from streams.records import Headers, SourceRecord


def headers_of(offset: int) -> Headers:
    record = SourceRecord("queries.raw", 2, offset, 0, b"k", b"v")
    return binary_headers(
        ce_id=derive_id("c", "1", "queries.raw", 2, offset, "intent"),
        ce_type="t",
        source_uri="/",
        record=record,
        partition_key=None,
    )


def test_a_consumer_that_drops_repeats_has_each_event_once_and_in_order() -> None:
    offsets = [0, 1, 2, 1, 2, 3, 4, 3, 4, 5]
    repeats = Repeats()
    ids = [(offset, event_id(headers_of(offset))) for offset in offsets]
    assert [n for n, one in ids if one is not None and not repeats.is_repeat(one)] == list(range(6))


def test_a_dead_letter_is_known_by_where_it_was_read_whatever_its_record_brings() -> None:
    error = RecordError(DeadReason.INVALID_JSON, Stage.DECODE, "no JSON")
    forged = (("__connect.errors.offset", b"7"), ("__connect.errors.topic", b"elsewhere"))
    record = SourceRecord("queries.raw", 3, 12, 0, None, b"", forged)
    letter = dead_letter("dead", record, error, cluster="main", epoch="1")
    assert original_position(letter.headers) == "queries.raw[3]@12"
    assert event_id(letter.headers) is None
    assert original_position(headers_of(1)) is None


def test_what_is_shown_again_is_remembered_longest() -> None:
    repeats = Repeats(remember=2)
    assert [repeats.is_repeat(one) for one in "abacb"] == [False, False, True, False, False]
    assert len(repeats) == 2


def test_nothing_remembered_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Repeats(0)


@given(st.lists(st.integers(0, 50)), st.integers(51, 99))
def test_within_what_it_remembers_it_is_exact(numbers: list[int], remember: int) -> None:
    repeats = Repeats(remember)
    kept = [number for number in numbers if not repeats.is_repeat(str(number))]
    assert kept == list(dict.fromkeys(numbers))
