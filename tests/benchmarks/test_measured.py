"""What benchmarks write down: numbers with their machine and versions."""

import csv
from pathlib import Path

import pytest

from benchmarks.measured import Row, machine, quantiles, write_csv
from benchmarks.profiles import RESULTS
from benchmarks.signals import signals, user_name


def test_a_row_tells_on_what_it_was_measured(tmp_path: Path) -> None:
    target = tmp_path / "new" / "some.csv"
    write_csv(target, [Row("updates", "bare, 1 process", 1234.5678, "1/s")], on=machine())
    with target.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["value"] == "1234.57"
    assert "cores" in row["machine"]
    assert "aiokafka" in row["versions"]


def test_quantiles_are_in_milliseconds() -> None:
    median, slow = quantiles("one read", "1 user", [n / 1000 for n in range(1, 102)])
    assert [median.value, slow.value] == pytest.approx([51.0, 100.0])


def test_the_sample_signals_are_of_the_users_asked_for() -> None:
    made = list(signals(200, users=3))
    assert {one.user for one in made} == {user_name(n) for n in range(3)}
    assert {one.query is None for one in made} == {True, False}


def test_the_committed_results_hold_every_measure() -> None:
    with RESULTS.open(newline="") as file:
        measures = {row["measure"] for row in csv.DictReader(file)}
    assert measures >= {
        "updates a second",
        "updates a second of one core",
        "the same, against bare",
        "query signal to readable profile",
        "start to first profile",
        "Redis a user",
        "one read",
    }
