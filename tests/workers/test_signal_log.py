"""Signals that Faust leaves out are read directly, on the real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from streams.records import SourceRecord
from tests.streams.profile_signals import query
from tests.workers.personalizer_rig import Rig, rig
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.profiles.faust_app import ProfileTable
from workers.profiles.outbox import Held, Outbox
from workers.profiles.personalizer import Personalizer, Progress
from workers.profiles.personalizer_stats import PersonalizerStats
from workers.profiles.profile_settings import folding_of
from workers.profiles.signal_log import SignalLog


class Table:
    """A table without Faust."""

    def __init__(self) -> None:
        self.data: dict[bytes, bytes] = {}

    def write(self, key: bytes, value: bytes, _partition: int) -> "asyncio.Future[None]":
        self.data[key] = value
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


class Taken:
    """An outbox that lists what it was given."""

    def __init__(self) -> None:
        self.positions: list[tuple[int, int]] = []

    async def put(self, held: Held) -> None:
        assert held.profile is not None
        at = held.profile.position
        self.positions.append((at.partition, at.offset))
        held.done()


class Stream:
    """A stream that delivers what Faust did not drop."""

    def __init__(self, records: list[SourceRecord]) -> None:
        self._records = records

    def noack(self) -> "Stream":
        return self

    async def events(self) -> AsyncIterator[Any]:
        for record in self._records:
            message = SimpleNamespace(
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                timestamp=record.timestamp_ms / 1000,
                key=record.key,
                value=record.value,
                headers=record.headers,
            )
            yield SimpleNamespace(message=message)


@pytest.fixture
async def bench(kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(kafka.bootstrap, valkey.url, tmp_path, partitions=1) as made:
        yield made


async def personalized(
    bench: Rig, offsets: list[int], *, then_idle: bool
) -> tuple[Taken, Progress]:
    signals = [query(user=bench.key.user(f"user {n % 3}")) for n in range(20)]
    await bench.feed(signals)
    records = await bench.read_all(bench.settings.topic_names.signals)
    taken, progress = Taken(), Progress()
    async with SignalLog.open(bench.settings, "nobody") as log:
        personalizer = Personalizer(
            folding_of(bench.settings),
            cast("ProfileTable", Table()),
            cast("Outbox", taken),
            log,
            PersonalizerStats(bench.settings),
            progress,
        )
        delivered = [records[offset] for offset in offsets]
        await personalizer.consume(cast("Any", Stream(delivered)))
        if then_idle:
            progress.taken_at.clear()
            await personalizer.catch_up({0})
    return taken, progress


async def test_a_gap_is_read_before_what_comes_after_it(bench: Rig) -> None:
    taken, progress = await personalized(bench, [0, 1, 7, 8, 19], then_idle=False)
    assert taken.positions == [(0, offset) for offset in range(20)]
    assert progress.done == {0: 20}


async def test_what_was_dropped_at_the_end_is_read_once_nothing_comes(bench: Rig) -> None:
    taken, progress = await personalized(bench, [0, 1, 2], then_idle=True)
    assert taken.positions == [(0, offset) for offset in range(20)]
    assert progress.taken == {0: 20}


async def test_what_comes_again_moves_nothing_back(bench: Rig) -> None:
    _, progress = await personalized(bench, [0, 5, 3, 4], then_idle=False)
    assert progress.done == progress.taken == {0: 6}
