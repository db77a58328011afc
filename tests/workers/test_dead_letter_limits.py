"""When dead letters mean that the worker is wrong, by a fake clock."""

import pytest

from workers.enrichment.dead_letter_limits import DeadLetterLimits
from workers.sections import DeadLetterSettings
from workers.settings import load_settings

SECRET = "ab" * 16


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def limits(clock: Clock, **more: float) -> DeadLetterLimits:
    settings = {"max_ratio": 0.5, "window_s": 60, "min_records": 100, "max_in_a_row": 40} | more
    return DeadLetterLimits(DeadLetterSettings.model_validate(settings), clock)


def count(counted: DeadLetterLimits, pattern: str, times: int = 1) -> None:
    for letter in pattern * times:
        counted.count(dead=letter == "x")


def test_a_run_of_dead_letters_stops() -> None:
    counted = limits(Clock())
    count(counted, "x", 39)
    assert counted.exceeded == ""
    count(counted, "x")
    assert counted.exceeded == "the last 40 records all became dead letters"


def test_one_good_record_ends_a_run() -> None:
    counted = limits(Clock(), min_records=10_000)
    count(counted, "x" * 39 + ".", 20)
    assert counted.exceeded == ""


def test_a_run_counts_however_slow_it_is() -> None:
    clock = Clock()
    counted = limits(clock)
    for _ in range(40):
        clock.now += 3600
        count(counted, "x")
    assert counted.exceeded == "the last 40 records all became dead letters"


def test_most_of_a_window_stops() -> None:
    counted = limits(Clock())
    count(counted, "xx.", 33)
    assert counted.exceeded == "", "99 records say nothing yet"
    count(counted, "x")
    assert counted.exceeded == "67 of 100 records within 60 s became dead letters"


def test_half_is_not_more_than_half() -> None:
    counted = limits(Clock())
    count(counted, ".x", 1000)
    assert counted.exceeded == ""


def test_what_lies_before_the_window_does_not_count() -> None:
    clock = Clock()
    counted = limits(clock)
    count(counted, "x." * 30 + "x" * 30)
    clock.now += 62
    count(counted, "." * 40 + "x" * 39)
    assert counted.exceeded == ""


def test_good_records_of_long_ago_do_not_hide_a_bad_deploy() -> None:
    clock = Clock()
    counted = limits(clock, max_in_a_row=10_000)
    for _ in range(100):
        clock.now += 1
        count(counted, ".", 100)
    for _ in range(40):
        clock.now += 1
        count(counted, "x", 100)
    assert counted.exceeded.endswith("within 60 s became dead letters")


def test_once_exceeded_it_stays_so_with_the_first_reason() -> None:
    counted = limits(Clock())
    count(counted, "x", 40)
    first = counted.exceeded
    count(counted, ".", 1000)
    assert counted.exceeded == first


def test_the_window_needs_little_memory() -> None:
    clock = Clock()
    counted = limits(clock)
    for _ in range(20_000):
        clock.now += 0.01
        count(counted, ".")
    assert len(counted._slices) <= 61


@pytest.mark.parametrize(
    ("environment", "stop", "stops"),
    [
        ("production", None, True),
        ("embedded", None, False),
        ("embedded", True, True),
        ("production", False, False),
    ],
)
def test_in_the_embedded_stack_a_bad_file_is_worked_off(
    environment: str, stop: bool | None, stops: bool
) -> None:
    settings = load_settings(None, environment=environment, dead_letters={"stop": stop})
    assert settings.stops_on_dead_letters is stops


def test_the_defaults_bear_a_small_bad_file_and_a_tenth_of_malformed_traffic() -> None:
    clock = Clock()
    counted = DeadLetterLimits(DeadLetterSettings(), clock)
    count(counted, "x", 999)
    assert counted.exceeded == ""
    clock.now += 3600
    for _ in range(3600):
        clock.now += 1
        count(counted, "x.........", 10)
    assert counted.exceeded == ""
