"""What counts as a stall, and for how long records have waited, by fake clocks (CASES 21)."""

import asyncio

import pytest

from workers.pipeline import Partition
from workers.watchdog import Standing, Watchdog, dump_tasks

A, B = Partition("queries.raw", 0), Partition("queries.raw", 1)


class Time:
    """Both clocks; the wall's is ahead by 5000 s."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + 5000


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def dog(clock: Time) -> Watchdog:
    return Watchdog(60, clock=clock.monotonic, wall=clock.wall)


def test_records_that_wait_without_progress_are_a_stall(clock: Time, dog: Watchdog) -> None:
    assert not dog.observe({A: Standing(10, 20)})
    clock.now += 59
    assert not dog.observe({A: Standing(10, 25)})
    assert dog.complaint() == ""
    clock.now += 1
    assert dog.observe({A: Standing(10, 25)})
    assert dog.complaint() == "queries.raw[0] has not moved for 60 s, 15 records wait"


def test_a_stall_is_told_once_and_ends_with_the_first_move(clock: Time, dog: Watchdog) -> None:
    dog.observe({A: Standing(10, 20)})
    clock.now += 60
    assert dog.observe({A: Standing(10, 20)})
    clock.now += 5
    assert not dog.observe({A: Standing(10, 20)})
    assert dog.stalled == {A: 65}
    assert not dog.observe({A: Standing(11, 20)})
    assert dog.stalled == {}


def test_one_partition_stalls_while_others_move(clock: Time, dog: Watchdog) -> None:
    for n in range(20):
        dog.observe({A: Standing(10, 20), B: Standing(n, 100)})
        clock.now += 5
    assert dog.stalled.keys() == {A}


def test_an_idle_partition_is_no_stall(clock: Time, dog: Watchdog) -> None:
    for _ in range(100):
        dog.observe({A: Standing(20, 20)})
        clock.now += 60
    assert dog.stalled == {}


def test_after_an_idle_night_the_first_record_has_its_full_time(clock: Time, dog: Watchdog) -> None:
    dog.observe({A: Standing(20, 20)})
    clock.now += 30_000
    dog.observe({A: Standing(20, 20)})
    clock.now += 5
    dog.observe({A: Standing(20, 21)})
    assert dog.stalled == {}


def test_an_outage_excuses(clock: Time, dog: Watchdog) -> None:
    for _ in range(100):
        dog.observe({A: Standing(10, 20)}, excused=True)
        clock.now += 30
    dog.observe({A: Standing(10, 20)})
    assert dog.stalled == {}
    clock.now += 60
    assert dog.observe({A: Standing(10, 20)}), "after it, it must move"


def test_a_lost_partition_is_nobodys_stall(clock: Time, dog: Watchdog) -> None:
    dog.observe({A: Standing(10, 20)})
    clock.now += 60
    dog.observe({A: Standing(10, 20)})
    dog.observe({})
    assert (dog.stalled, dog.lag) == ({}, {})
    clock.now += 100
    assert not dog.observe({A: Standing(10, 20)}), "its time begins anew"


def test_lag_in_seconds_is_the_age_of_what_waits(clock: Time, dog: Watchdog) -> None:
    dog.observe({A: Standing(0, 100)})
    dog.finished(A, clock.wall() - 3600)
    assert dog.lag == {A: 100}
    assert dog.lag_seconds() == {A: 3600}
    dog.finished(A, clock.wall() - 1800)
    assert dog.lag_seconds() == {A: 1800}
    dog.observe({A: Standing(100, 100)})
    assert dog.lag_seconds() == {A: 0}


def test_lag_in_seconds_knows_when_nothing_waited(clock: Time, dog: Watchdog) -> None:
    """The last record done is of last night; what waits came within the last look."""
    dog.observe({A: Standing(9, 10)})
    dog.finished(A, clock.wall())
    clock.now += 30_000
    dog.observe({A: Standing(10, 10)})
    clock.now += 5
    dog.observe({A: Standing(10, 12)})
    assert dog.lag_seconds() == {A: 5}


async def test_the_dump_shows_where_tasks_wait_and_no_values() -> None:
    gate = asyncio.Event()

    async def inner(secret: str) -> str:
        await gate.wait()
        return secret

    async def outer(secret: str) -> str:
        return await inner(secret)

    task = asyncio.create_task(outer("red hat"), name="stuck")
    await asyncio.sleep(0)
    dump = dump_tasks()
    gate.set()
    await task
    lines = [line.rpartition(" in ")[2] for line in dump.split("  stuck\n")[1].splitlines()[:3]]
    assert [line.rpartition(".")[2] for line in lines] == ["outer", "inner", "wait"]
    assert "red hat" not in dump
