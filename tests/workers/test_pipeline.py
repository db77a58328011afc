"""The ordered pipeline: nothing is published or committed out of order, whatever happens."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.pipeline import OffsetRange, OrderedPipeline, Partition, Publication, Ticket

A, B = Partition("queries.raw", 0), Partition("queries.raw", 1)


def pipeline_of(*partitions: Partition, bound: int = 4) -> OrderedPipeline[str]:
    pipeline: OrderedPipeline[str] = OrderedPipeline(bound)
    for partition in partitions:
        pipeline.assign(partition, 0)
    return pipeline


def submit(pipeline: OrderedPipeline[str], **ranges: tuple[int, int]) -> Ticket:
    names = {"a": A, "b": B}
    ticket = pipeline.submit({names[name]: OffsetRange(*span) for name, span in ranges.items()})
    assert ticket is not None
    return ticket


def results_of(pipeline: OrderedPipeline[str]) -> list[tuple[str, ...]]:
    return [publication.results for publication in pipeline.publishable()]


def test_results_are_published_in_the_order_of_reading() -> None:
    pipeline = pipeline_of(A)
    first, second = submit(pipeline, a=(0, 10)), submit(pipeline, a=(10, 20))
    pipeline.complete(second, {A: "second"})
    assert pipeline.publishable() == []
    pipeline.complete(first, {A: "first"})
    [publication] = pipeline.publishable()
    assert publication.results == ("first", "second")
    assert publication.end == 20


def test_a_partition_has_one_open_publication_at_a_time() -> None:
    pipeline = pipeline_of(A)
    first, second = submit(pipeline, a=(0, 10)), submit(pipeline, a=(10, 20))
    pipeline.complete(first, {A: "first"})
    [publication] = pipeline.publishable()
    pipeline.complete(second, {A: "second"})
    assert pipeline.publishable() == []
    assert pipeline.published(publication)
    assert results_of(pipeline) == [("second",)]


def test_offsets_are_committable_only_after_the_publish() -> None:
    """CASES 59, 62."""
    pipeline = pipeline_of(A)
    ticket = submit(pipeline, a=(0, 10))
    pipeline.complete(ticket, {A: "first"})
    [publication] = pipeline.publishable()
    assert pipeline.committable() == {}
    pipeline.published(publication)
    assert pipeline.committable() == {A: 10}
    pipeline.committed({A: 10})
    assert pipeline.committable() == {}


def test_one_partition_waits_for_no_other() -> None:
    pipeline = pipeline_of(A, B)
    slow, fast = submit(pipeline, a=(0, 10)), submit(pipeline, b=(0, 5))
    pipeline.complete(fast, {B: "b"})
    [publication] = pipeline.publishable()
    pipeline.published(publication)
    assert pipeline.committable() == {B: 5}
    pipeline.complete(slow, {A: "a"})
    assert results_of(pipeline) == [("a",)]


def test_a_failed_publish_stops_the_later_sends_of_its_partition_only() -> None:
    """CASES 62."""
    pipeline = pipeline_of(A, B)
    first, second = submit(pipeline, a=(0, 10), b=(0, 10)), submit(pipeline, a=(10, 20))
    pipeline.complete(first, {A: "a", B: "b"})
    failing, fine = pipeline.publishable()
    assert pipeline.publish_failed(failing)
    pipeline.complete(second, {A: "later"})
    assert pipeline.publishable() == []
    assert pipeline.published(fine)
    assert pipeline.committable() == {B: 10}
    assert pipeline.in_flight == 0
    assert pipeline.submit({A: OffsetRange(20, 30)}) is None


def test_late_results_of_a_lost_partition_are_dropped() -> None:
    pipeline = pipeline_of(A, B)
    ticket = submit(pipeline, a=(0, 10), b=(0, 10))
    pipeline.revoke([A])
    pipeline.complete(ticket, {A: "late", B: "b"})
    assert results_of(pipeline) == [("b",)]


def test_late_results_are_dropped_also_when_the_partition_came_back() -> None:
    pipeline = pipeline_of(A)
    ticket = submit(pipeline, a=(0, 10))
    pipeline.complete(ticket, {A: "old"})
    [publication] = pipeline.publishable()
    pipeline.revoke([A])
    pipeline.assign(A, 0)
    pipeline.complete(ticket, {A: "late"})
    assert pipeline.publishable() == []
    assert not pipeline.published(publication)
    assert not pipeline.publish_failed(publication)
    assert pipeline.committable() == {}


def test_the_bound_counts_batches_until_they_are_published() -> None:
    pipeline = pipeline_of(A, bound=2)
    first = submit(pipeline, a=(0, 1))
    submit(pipeline, a=(1, 2))
    assert pipeline.full
    with pytest.raises(RuntimeError):
        submit(pipeline, a=(2, 3))
    pipeline.complete(first, {A: "first"})
    assert pipeline.full
    [publication] = pipeline.publishable()
    pipeline.published(publication)
    assert not pipeline.full


def test_a_sealed_partition_finishes_what_is_in_flight_and_takes_no_more() -> None:
    pipeline = pipeline_of(A, B)
    ticket = submit(pipeline, a=(0, 10))
    pipeline.seal([A])
    more = submit(pipeline, a=(10, 20), b=(0, 10))
    assert more.partitions == {B}
    assert not pipeline.drained([A])
    pipeline.complete(ticket, {A: "a"})
    [publication] = pipeline.publishable()
    pipeline.published(publication)
    assert pipeline.drained([A])
    assert pipeline.committable() == {A: 10}


def test_records_read_twice_are_an_error() -> None:
    pipeline = pipeline_of(A)
    submit(pipeline, a=(0, 10))
    with pytest.raises(ValueError, match="out of order"):
        submit(pipeline, a=(9, 12))


def test_the_end_of_a_log_of_transactions_can_be_committed() -> None:
    """CASES 20: markers take offsets, but are no records."""
    pipeline = pipeline_of(A)
    ticket = submit(pipeline, a=(0, 10))
    pipeline.skip_to(A, 12)
    assert pipeline.committable() == {}
    pipeline.complete(ticket, {A: "a"})
    [publication] = pipeline.publishable()
    pipeline.published(publication)
    pipeline.skip_to(A, 12)
    assert pipeline.committable() == {A: 12}


class Simulation:
    """Drives a pipeline by a list of numbers and checks every promise after each step."""

    PARTITIONS = (A, B, Partition("users.actions", 0))

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.pipeline: OrderedPipeline[tuple[int, int]] = OrderedPipeline(bound)
        self.working: list[tuple[Ticket, dict[Partition, tuple[int, int]]]] = []
        self.publishing: list[Publication[tuple[int, int]]] = []
        self.read: dict[Partition, int] = {}
        self.published: dict[Partition, int] = {}  # durable in the output, since the assignment
        self.sent_to: dict[Partition, int] = {}
        self.committed: dict[Partition, int] = defaultdict(int)
        self.failed: set[Partition] = set()

    def step(self, choice: int) -> None:
        action, number = choice % 7, choice // 7
        partition = self.PARTITIONS[number % len(self.PARTITIONS)]
        if action == 0:
            self.assign_or_revoke(partition)
        elif action in {1, 2}:
            self.submit(number)
        elif action == 3 and self.working:
            ticket, results = self.working.pop(number % len(self.working))
            self.pipeline.complete(ticket, results)
        elif action == 4:
            self.take()
        elif action == 5 and self.publishing:
            self.finish(number)
        elif action == 6:
            self.commit()
        assert self.pipeline.in_flight <= self.bound

    def assign_or_revoke(self, partition: Partition) -> None:
        if partition in self.pipeline.assigned:
            self.pipeline.seal([partition])
            self.pipeline.revoke([partition])
            self.failed.discard(partition)
        else:
            start = self.committed[partition]
            self.pipeline.assign(partition, start)
            self.read[partition] = self.published[partition] = self.sent_to[partition] = start

    def submit(self, number: int) -> None:
        if self.pipeline.full or not self.pipeline.assigned:
            return
        wanted = [p for n, p in enumerate(self.PARTITIONS) if (number + 1) >> n & 1]
        ranges = {
            p: OffsetRange(self.read[p], self.read[p] + 1 + number % 3)
            for p in wanted
            if p in self.pipeline.assigned
        }
        ticket = self.pipeline.submit(ranges)
        assert (ticket is None) == (not ranges.keys() - self.failed)
        if ticket is not None:
            assert ticket.partitions == ranges.keys() - self.failed
            self.read |= {p: ranges[p].end for p in ticket.partitions}
            self.working.append(
                (ticket, {p: (ranges[p].first, ranges[p].end) for p in ticket.partitions})
            )

    def take(self) -> None:
        for publication in self.pipeline.publishable():
            partition = publication.partition
            assert partition not in self.failed
            for first, end in publication.results:
                assert first == self.sent_to[partition], "sent out of order"
                self.sent_to[partition] = end
            assert publication.end == self.sent_to[partition]
            self.publishing.append(publication)

    def finish(self, number: int) -> None:
        publication = self.publishing.pop(number % len(self.publishing))
        partition = publication.partition
        if number % 5 == 0:
            if self.pipeline.publish_failed(publication):
                self.failed.add(partition)
        elif self.pipeline.published(publication):
            assert partition not in self.failed
            assert publication.results[0][0] == self.published[partition]
            self.published[partition] = publication.end

    def commit(self) -> None:
        offsets = self.pipeline.committable()
        for partition, offset in offsets.items():
            assert partition in self.pipeline.assigned
            assert self.committed[partition] < offset <= self.published[partition], "early commit"
            self.committed[partition] = offset
        self.pipeline.committed(offsets)
        assert self.pipeline.committable() == {}


@given(bound=st.integers(1, 5), choices=st.lists(st.integers(0, 20_000), max_size=120))
@settings(max_examples=400, deadline=None)
def test_no_interleaving_publishes_or_commits_out_of_order(bound: int, choices: list[int]) -> None:
    simulation = Simulation(bound)
    for partition in Simulation.PARTITIONS:
        simulation.assign_or_revoke(partition)
    for choice in choices:
        simulation.step(choice)


@given(bound=st.integers(1, 5), choices=st.lists(st.integers(0, 20_000), max_size=80))
@settings(max_examples=100, deadline=None)
def test_whatever_happened_a_quiet_end_publishes_and_commits_all(
    bound: int, choices: list[int]
) -> None:
    simulation = Simulation(bound)
    for partition in Simulation.PARTITIONS:
        simulation.assign_or_revoke(partition)
    for choice in choices:
        simulation.step(choice)
    for _ in range(200):
        for ticket, results in simulation.working:
            simulation.pipeline.complete(ticket, results)
        simulation.working.clear()
        simulation.take()
        while simulation.publishing:
            simulation.finish(1)
    simulation.commit()
    assert simulation.pipeline.in_flight == 0
    for partition in simulation.pipeline.assigned - simulation.failed:
        assert simulation.committed[partition] == simulation.read[partition]
