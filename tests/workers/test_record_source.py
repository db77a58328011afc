"""What gathers while the model is busy becomes one batch, and nothing of it is lost or read twice."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.structs import ConsumerRecord

from workers.enrichment.record_source import RecordSource
from workers.enrichment.start_position import Position
from workers.pipeline import OrderedPipeline, Partition
from workers.settings import load_settings

FIRST, SECOND = TopicPartition("queries", 0), TopicPartition("queries", 1)
Found = Mapping[TopicPartition, list[Any]]


class Broker:
    """Stands in for the consumer: answers polls as told."""

    def __init__(self, *polls: Found | KafkaError) -> None:
        self._polls = list(polls)
        self.meanwhile: Callable[[], Awaitable[object]] | None = None
        self.rows: list[int] = []

    async def getmany(self, *, timeout_ms: int, max_records: int) -> Found:
        assert timeout_ms >= 0
        self.rows.append(max_records)
        if len(self.rows) == 2 and self.meanwhile is not None:
            await self.meanwhile()
        found = self._polls.pop(0)
        if isinstance(found, KafkaError):
            raise found
        return found

    def seek(self, _name: TopicPartition, _offset: int) -> None:
        pass

    def assignment(self) -> set[TopicPartition]:
        return {FIRST}

    async def end_offsets(self, names: set[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(names, 9)

    async def position(self, _name: TopicPartition) -> int:
        return 2


def records(name: TopicPartition, *offsets: int) -> list[Any]:
    return [
        ConsumerRecord(name.topic, name.partition, n, 0, 0, None, b"{}", None, 0, 2, ())
        for n in offsets
    ]


async def nothing(*_: object) -> None:
    return None


def source(broker: Broker) -> RecordSource:
    pipeline: OrderedPipeline[Any] = OrderedPipeline(8)
    for name in (FIRST, SECOND):
        pipeline.assign(Partition(*name), 0)
    settings = load_settings(None, prefix="t", start="earliest")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("workers.kafka.consumer", lambda *_, **__: broker)
        made = RecordSource(
            settings, ("queries",), pipeline, take=nothing, release=nothing, fail=print, role="r"
        )
    made._asking = 1  # the model is busy
    return made


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.enrichment.record_source.GATHER_S", 0.001)


@pytest.fixture
def at_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(
        _consumer: object, names: list[TopicPartition], *_: object, **__: object
    ) -> Any:
        return {name: Position(0, committed=True) for name in names}

    monkeypatch.setattr("workers.enrichment.record_source.start_positions", found)


async def offsets(made: RecordSource) -> list[tuple[int, int]]:
    _, batch = await made.next()
    return [(record.partition, record.offset) for record in batch]


async def test_what_came_in_meanwhile_is_part_of_the_batch() -> None:
    broker = Broker(
        {FIRST: records(FIRST, 0, 1)}, {FIRST: records(FIRST, 2), SECOND: records(SECOND, 0)}
    )
    assert await offsets(source(broker)) == [(0, 0), (0, 1), (0, 2), (1, 0)]
    assert broker.rows == [256, 254]


async def test_a_failure_of_the_second_poll_leaves_what_the_first_brought() -> None:
    broker = Broker({FIRST: records(FIRST, 0, 1)}, NodeNotReadyError())
    assert await offsets(source(broker)) == [(0, 0), (0, 1)]


@pytest.mark.usefixtures("at_the_beginning")
async def test_a_partition_that_begins_anew_meanwhile_is_read_again() -> None:
    broker = Broker({FIRST: records(FIRST, 0, 1), SECOND: records(SECOND, 0)}, {})
    made = source(broker)

    async def begun() -> None:
        made._pipeline.revoke([Partition(*FIRST)])
        await made.assigned([FIRST])

    broker.meanwhile = begun
    assert await offsets(made) == [(1, 0)]


async def test_what_is_held_is_not_taken_for_a_gap_in_the_log() -> None:
    broker = Broker({FIRST: records(FIRST, 0, 1)}, {})
    made = source(broker)
    broker.meanwhile = made.standings
    assert await offsets(made) == [(0, 0), (0, 1)]
    assert made._pipeline.committable() == {}
