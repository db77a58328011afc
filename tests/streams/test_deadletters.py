"""Dead letters keep the original bytes and say why, without a word of the record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.deadletters import (
    REASON_HEADER,
    STAGE_HEADER,
    DeadReason,
    RecordError,
    Stage,
    dead_letter,
    reason_of,
)
from streams.records import Headers, OutputRecord, SourceRecord
from tests.streams.samples import TOPICS, raw

_headers: st.SearchStrategy[Headers] = st.lists(
    st.tuples(st.text(max_size=8), st.none() | st.binary(max_size=8)), max_size=4
).map(tuple)


def _letter(record: SourceRecord, error: RecordError) -> OutputRecord:
    return dead_letter(TOPICS.dead, record, error, cluster="shop", epoch="7")


@given(st.none() | st.binary(max_size=64), st.none() | st.binary(max_size=64), _headers)
def test_key_value_and_headers_are_kept_byte_for_byte(
    key: bytes | None, value: bytes | None, headers: Headers
) -> None:
    """CASES 11, 12, 60: null keys and values, null header values and repeated names too."""
    error = RecordError(DeadReason.INVALID_JSON, Stage.DECODE, "the value is not JSON")
    letter = _letter(raw(value, key=key, headers=headers), error)
    assert (letter.topic, letter.key, letter.value) == (TOPICS.dead, key, value)
    assert letter.headers[: len(headers)] == headers


@pytest.mark.parametrize("reason", DeadReason)
def test_every_reason_can_be_read_back(reason: DeadReason) -> None:
    letter = _letter(raw(b""), RecordError(reason, Stage.PREPARE, "detail"))
    assert reason_of(letter.headers) is reason


def test_headers_name_the_position_and_the_error_in_both_vocabularies() -> None:
    error = RecordError(DeadReason.EMPTY_TEXT, Stage.PREPARE, "nothing is left")
    record = raw(b"{}", topic="queries.raw", partition=3, offset=2**40)
    headers = dict(_letter(record, error).headers)
    for family in ("__connect.errors", "__streams.errors"):
        assert headers[f"{family}.topic"] == b"queries.raw"
        assert headers[f"{family}.partition"] == b"3"
        assert headers[f"{family}.offset"] == str(2**40).encode()
    assert headers["__connect.errors.exception.message"] == b"empty_text: nothing is left"
    assert headers["__streams.errors.message"] == b"empty_text: nothing is left"
    assert headers["__streams.errors.exception"] == b"streams.deadletters.RecordError"
    assert headers[STAGE_HEADER] == b"prepare"


def test_a_record_cannot_pass_off_a_reason_of_its_own() -> None:
    forged: Headers = ((REASON_HEADER, b"null_value"), ("__connect.errors.offset", b"9"))
    error = RecordError(DeadReason.TOO_LONG, Stage.PREPARE, "detail")
    letter = _letter(raw(b"", headers=forged), error)
    assert reason_of(letter.headers) is DeadReason.TOO_LONG
    assert dict(letter.headers)["__connect.errors.offset"] == b"0"


@pytest.mark.parametrize("value", [b"\xff\xfe", b"no such reason", b"", None])
def test_an_unreadable_reason_is_none(value: bytes | None) -> None:
    assert reason_of(((REASON_HEADER, value),)) is None
    assert reason_of(()) is None
