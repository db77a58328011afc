"""CloudEvents 1.0 in binary mode, and ids that depend on the source position alone."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.cloudevents import binary_headers, derive_id, rfc3339, source_uri, timestamp
from tests.streams.samples import raw

Position = tuple[str, str, str, int, int, str, int]

_positions = st.tuples(
    st.text(max_size=4),
    st.text(max_size=4),
    st.text(max_size=4),
    st.integers(0, 99),
    st.integers(0, 99),
    st.text(max_size=4),
    st.integers(0, 99),
)


@pytest.mark.parametrize(
    ("position", "ce_id"),
    [
        (("c", "0", "queries.raw", 0, 0, "query", 0), "374f465a16b1a951faa3c01e1f12a181"),
        (("c", "0", "queries.raw", 0, 1, "query", 0), "2d3a5d6e268a54ba865399b89bc1f465"),
        (("c", "1", "queries.raw", 0, 0, "query", 0), "0dc23ddb9ec2b6f275e8cd9a51608855"),
        (
            ("c", "0", "queries.raw", 3, 9_007_199_254_740_993, "query", 7),
            "d1c40a5c4da158857a7578f8083f72eb",
        ),
        (("Köln", "0", "queries.raw", 0, 0, "query", 0), "b3f4555bf8e8ad8d4d980049c47296aa"),
    ],
)
def test_ids_never_change_from_one_release_to_the_next(position: Position, ce_id: str) -> None:
    assert derive_id(*position) == ce_id


@given(_positions, _positions)
def test_two_positions_share_an_id_only_when_they_are_the_same(a: Position, b: Position) -> None:
    assert (derive_id(*a) == derive_id(*b)) == (a == b)


@given(st.text(min_size=2, max_size=8), st.data())
def test_the_boundary_between_two_fields_counts(text: str, data: st.DataObject) -> None:
    cut, other = (data.draw(st.integers(0, len(text))) for _ in range(2))
    ids = {derive_id(text[:at], text[at:], "t", 0, 0, "k") for at in (cut, other)}
    assert len(ids) == (1 if cut == other else 2)


def test_each_entity_of_a_query_has_its_own_id() -> None:
    ids = {derive_id("c", "0", "t", 0, 0, "entity", ordinal) for ordinal in range(1_000)}
    assert len(ids) == 1_000


def test_headers_are_those_of_the_kafka_binding() -> None:
    headers = binary_headers(
        ce_id="id",
        ce_type="intentstream.query.understood.v1",
        source_uri="/intentstream/c/queries.raw",
        record=raw(b"", timestamp_ms=1_700_000_000_123),
        partition_key="k1.00",
    )
    assert headers == (
        ("ce_specversion", b"1.0"),
        ("ce_id", b"id"),
        ("ce_source", b"/intentstream/c/queries.raw"),
        ("ce_type", b"intentstream.query.understood.v1"),
        ("ce_time", b"2023-11-14T22:13:20.123Z"),
        ("content-type", b"application/json"),
        ("ce_partitionkey", b"k1.00"),
    )


def test_an_event_without_key_has_no_partition_key() -> None:
    headers = binary_headers(
        ce_id="id", ce_type="t", source_uri="/s", record=raw(b""), partition_key=None
    )
    assert "ce_partitionkey" not in dict(headers)


@pytest.mark.parametrize("cluster", ["prod", "with space", "50%", "Köln", "a/b?c#d", ""])
def test_the_source_is_a_uri_reference_of_two_segments(cluster: str) -> None:
    uri = source_uri(cluster, "queries.raw")
    assert uri.isascii()
    assert " " not in uri
    assert urlsplit(uri).path == uri
    assert uri.count("/") == 3


@pytest.mark.parametrize(
    ("ms", "written"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (-1, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000, "1970-01-20T16:13:20.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
        (1_700_000_000_000_000, "9999-12-31T23:59:59.999Z"),
        (2**63 - 1, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_any_record_timestamp_can_be_written(ms: int, written: str) -> None:
    """CASES 18: in seconds, in microseconds, missing or far in the future."""
    assert rfc3339(timestamp(ms)) == written


@given(st.integers(0, 253_402_300_799_999))
def test_timestamps_keep_their_milliseconds(ms: int) -> None:
    written = rfc3339(timestamp(ms))
    read = datetime.fromisoformat(written)
    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) // datetime.resolution == ms * 1_000
