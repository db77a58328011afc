"""The checkpoint: commits what is published, never more, and lets partitions go in time."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, GroupAuthorizationFailedError, KafkaError

from streams.records import OutputRecord
from workers.enrichment.checkpoint import Budgets, Checkpoint
from workers.enrichment.publisher import IdempotentPublisher
from workers.pipeline import OffsetRange, OrderedPipeline, Partition, Ticket

A, B = Partition("queries.raw", 0), Partition("queries.raw", 1)
UNUSED = OutputRecord("queries.dead", None, None)
SHORT = Budgets(drain=0.1, flush=0.1, commit=0.1)


class Group:
    """Stands for the consumer: remembers commits, and fails as it is told."""

    def __init__(self) -> None:
        self.offsets: dict[TopicPartition, int] = {}
        self.error: KafkaError | None = None
        self.hangs = False

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        if self.hangs:
            await asyncio.sleep(60)
        if self.error is not None:
            raise self.error
        self.offsets |= offsets


class Case:
    """A checkpoint over two partitions."""

    def __init__(self) -> None:
        self.group = Group()
        self.pipeline: OrderedPipeline[str] = OrderedPipeline(4)
        self.publishing: dict[Partition, asyncio.Task[None]] = {}
        delivery = IdempotentPublisher(self.group, lambda: None, lambda *_: UNUSED)
        self.checkpoint = Checkpoint(delivery, self.pipeline, self.publishing, SHORT)
        for partition in (A, B):
            self.pipeline.assign(partition, 0)

    def submit(self, partition: Partition, first: int, end: int) -> Ticket:
        ticket = self.pipeline.submit({partition: OffsetRange(first, end)})
        assert ticket is not None
        return ticket

    def publish(self, ticket: Ticket) -> None:
        self.pipeline.complete(ticket, dict.fromkeys(ticket.partitions, "done"))
        for publication in self.pipeline.publishable():
            self.pipeline.published(publication)
        self.checkpoint.progressed()


@pytest.fixture
async def case() -> Case:
    return Case()


async def test_only_what_is_published_is_committed(case: Case) -> None:
    """CASES 20, 62: and it is the next offset, not the last."""
    first = case.submit(A, 0, 10)
    case.submit(A, 10, 20)
    assert await case.checkpoint.commit()
    assert case.group.offsets == {}
    case.publish(first)
    assert await case.checkpoint.commit()
    assert case.group.offsets == {A: 10}


async def test_a_failed_commit_is_made_up_for_by_the_next(case: Case) -> None:
    """CASES 3."""
    case.publish(case.submit(A, 0, 10))
    case.group.error = CommitFailedError()
    assert not await case.checkpoint.commit()
    case.group.error = None
    assert await case.checkpoint.commit()
    assert case.group.offsets == {A: 10}
    assert (case.checkpoint.commits, case.checkpoint.failures) == (1, 1)


async def test_a_commit_that_hangs_ends_with_its_budget(case: Case) -> None:
    case.publish(case.submit(A, 0, 10))
    case.group.hangs = True
    assert not await case.checkpoint.commit()
    assert case.pipeline.committable() == {A: 10}


async def test_a_refusal_that_no_rebalance_explains_is_raised(case: Case) -> None:
    case.publish(case.submit(A, 0, 10))
    case.group.error = GroupAuthorizationFailedError()
    with pytest.raises(GroupAuthorizationFailedError):
        await case.checkpoint.commit()


async def test_what_is_in_flight_is_finished_before_a_partition_goes(case: Case) -> None:
    ticket = case.submit(A, 0, 10)
    kept = case.submit(B, 0, 5)
    asyncio.get_running_loop().call_later(0.02, case.publish, ticket)
    await case.checkpoint.release([A])
    assert case.group.offsets == {A: 10}
    assert case.pipeline.assigned == {B}
    case.publish(kept)
    await case.checkpoint.commit()
    assert case.group.offsets == {A: 10, B: 5}


async def test_what_is_not_finished_in_time_is_dropped_uncommitted(case: Case) -> None:
    """CASES 10."""
    done, late = case.submit(A, 0, 10), case.submit(A, 10, 20)
    case.publish(done)
    await case.checkpoint.release([A])
    assert case.group.offsets == {A: 10}
    case.publish(late)
    assert case.group.offsets == {A: 10}
    assert case.pipeline.publishable() == []


async def test_acknowledgements_are_awaited_also_without_a_drain(case: Case) -> None:
    ticket = case.submit(A, 0, 10)
    case.pipeline.complete(ticket, {A: "done"})
    [publication] = case.pipeline.publishable()

    async def acknowledge() -> None:
        await asyncio.sleep(0.02)
        case.pipeline.published(publication)

    case.publishing[A] = asyncio.create_task(acknowledge())
    await case.checkpoint.release([A], drain=False)
    assert case.group.offsets == {A: 10}


async def test_partitions_go_even_if_kafka_fails(case: Case) -> None:
    case.publish(case.submit(A, 0, 10))
    case.group.error = GroupAuthorizationFailedError()
    await case.checkpoint.release([A, B])
    assert case.pipeline.assigned == frozenset()
    assert case.checkpoint.failures == 1
