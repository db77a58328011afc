"""Bounds of a replay's range, as people write them."""

import pytest

from workers.topic_range import Bound, RangeError, parse_bound

_NOW = 1_700_000_000_000


@pytest.mark.parametrize(
    ("text", "time_ms"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000),
        ("2023-11-14T23:13:20.5+01:00", 1_700_000_000_500),
        ("2023-11-14", 1_699_920_000_000),
        ("1960-01-01", 0),
        ("-90s", _NOW - 90_000),
        ("-2h", _NOW - 7_200_000),
        ("-1d12h", _NOW - 129_600_000),
        ("-1h30m", _NOW - 5_400_000),
        ("-99999d", 0),
    ],
)
def test_times_and_durations_are_moments(text: str, time_ms: int) -> None:
    assert parse_bound(text, now_ms=_NOW).time_ms == time_ms


def test_offsets_name_partitions() -> None:
    assert parse_bound("0:120,1:80", now_ms=_NOW).offsets == {0: 120, 1: 80}


def test_the_ends_of_the_log_have_names() -> None:
    assert parse_bound("earliest", now_ms=_NOW) == Bound("earliest")
    assert parse_bound(" latest ", now_ms=_NOW).is_latest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "-",
        "-h",
        "-2",
        "2h",
        "-2x",
        "0:",
        "0:-1",
        "0:1;1:2",
        "2023-13-01",
        "0:1,0:2",
    ],
)
def test_nonsense_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(RangeError) as caught:
        parse_bound(text, now_ms=_NOW)
    assert "earliest" in caught.value.hint
