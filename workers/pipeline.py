"""Ordered pipelining, without any I/O: what may be read, published and committed when.

Up to K batches are in flight and may finish in any order. Each batch holds one run of records of
each of several partitions. Within a partition runs are published one after the other in the order
they were read, and the offset that may be committed never passes a record that is unpublished.
Between partitions there is no order: one that fails or is lost holds up nothing but itself.

    submit ─▶ WORKING ─ complete ─▶ READY ─ publishable ─▶ PUBLISHING ─ published ─▶ committable
                │ revoke, publish_failed
                ▼
             dropped (late results of a lost partition go nowhere)
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

ResultT = TypeVar("ResultT")


class Partition(NamedTuple):
    """A partition of a topic; equal to aiokafka's `TopicPartition` of the same name."""

    topic: str
    partition: int


class OffsetRange(NamedTuple):
    """The records of one partition in one batch: from `first` up to, and without, `end`."""

    first: int
    end: int


class Admission(Enum):
    """Whether a partition takes part."""

    OPEN = "open"
    SEALED = "sealed"  # what is in flight may finish, nothing more is taken
    FAILED = "failed"  # a publish failed: nothing more is published until it is assigned anew


@dataclass(frozen=True, slots=True)
class Ticket:
    """A batch in flight, and of which partitions it holds records."""

    batch: int
    partitions: frozenset[Partition]


@dataclass(frozen=True, slots=True)
class Publication(Generic[ResultT]):
    """Results of one partition to publish now, in this order. The partition has no other open."""

    partition: Partition
    generation: int
    results: tuple[ResultT, ...]
    end: int


class _State(Enum):
    WORKING = "working"
    READY = "ready"
    PUBLISHING = "publishing"


@dataclass(slots=True)
class _Run(Generic[ResultT]):
    batch: int
    end: int
    state: _State = _State.WORKING
    result: ResultT | None = None


@dataclass(slots=True)
class _Lane(Generic[ResultT]):
    """One assigned partition: its runs in flight, oldest first."""

    generation: int
    read_to: int
    published_to: int
    committed_to: int
    admission: Admission = Admission.OPEN
    runs: deque[_Run[ResultT]] = field(default_factory=deque)


class OrderedPipeline(Generic[ResultT]):
    """The state machine. `max_in_flight` is K, the bound on batches that are not yet published."""

    def __init__(self, max_in_flight: int) -> None:
        if max_in_flight < 1:
            raise ValueError("at least one batch must be in flight")
        self._max_in_flight = max_in_flight
        self._lanes: dict[Partition, _Lane[ResultT]] = {}
        self._open_runs: dict[int, int] = {}  # batch → its runs that are not yet published
        self._batches = 0
        self._generation = 0

    @property
    def in_flight(self) -> int:
        """Batches that are not yet published in whole."""
        return len(self._open_runs)

    @property
    def full(self) -> bool:
        """Whether the bound is reached: `submit` would raise."""
        return len(self._open_runs) >= self._max_in_flight

    @property
    def assigned(self) -> frozenset[Partition]:
        """The partitions that are ours."""
        return frozenset(self._lanes)

    def assign(self, partition: Partition, position: int) -> None:
        """Takes up a partition, whose next record to be read is at `position`."""
        if partition in self._lanes:
            raise ValueError(f"{partition} is assigned already")
        self._generation += 1
        self._lanes[partition] = _Lane(self._generation, position, position, position)

    def seal(self, partitions: Iterable[Partition]) -> None:
        """Takes no more records of these partitions; what is in flight may finish."""
        for partition in partitions:
            lane = self._lanes.get(partition)
            if lane is not None and lane.admission is Admission.OPEN:
                lane.admission = Admission.SEALED

    def revoke(self, partitions: Iterable[Partition]) -> None:
        """Forgets partitions; what was in flight of them is dropped."""
        for partition in partitions:
            lane = self._lanes.pop(partition, None)
            if lane is not None:
                self._drop(lane)

    def submit(self, records: Mapping[Partition, OffsetRange]) -> Ticket | None:
        """Registers a batch that was read. Partitions that are not open are left out of it.

        Returns:
            The ticket; None when nothing of the batch was taken.

        Raises:
            RuntimeError: the pipeline is full.
            ValueError: records were read before, or the range is empty.
        """
        taken = {}
        for partition, (first, end) in records.items():
            lane = self._lanes.get(partition)
            if lane is None or lane.admission is not Admission.OPEN:
                continue
            if first < lane.read_to or end <= first:
                raise ValueError(f"{partition}: [{first}, {end}) was read out of order")
            taken[partition] = lane, end
        if not taken:
            return None
        if self.full:
            raise RuntimeError("the pipeline is full")
        self._batches += 1
        for lane, end in taken.values():
            lane.read_to = end
            lane.runs.append(_Run(self._batches, end))
        self._open_runs[self._batches] = len(taken)
        return Ticket(self._batches, frozenset(taken))

    def complete(self, ticket: Ticket, results: Mapping[Partition, ResultT]) -> None:
        """A batch has its results. Those of partitions lost meanwhile are dropped."""
        for partition in ticket.partitions:
            lane = self._lanes.get(partition)
            for run in lane.runs if lane is not None else ():
                if run.batch == ticket.batch:
                    run.state = _State.READY
                    run.result = results[partition]

    def publishable(self) -> list[Publication[ResultT]]:
        """What can be published now; it counts as being published from here on.

        Of each partition without an open publication: all results from the oldest on, up to the
        first that is missing.
        """
        found = []
        for partition, lane in self._lanes.items():
            if not lane.runs or lane.runs[0].state is not _State.READY:
                continue
            results: list[ResultT] = []
            end = lane.published_to
            for run in lane.runs:
                if run.state is not _State.READY or run.result is None:
                    break
                run.state = _State.PUBLISHING
                results.append(run.result)
                end = run.end
            found.append(Publication(partition, lane.generation, tuple(results), end))
        return found

    def published(self, publication: Publication[ResultT]) -> bool:
        """A publication was acknowledged in whole: its offsets may be committed.

        Returns:
            False when the partition was lost, or has failed, meanwhile.
        """
        lane = self._lane_of(publication)
        if lane is None:
            return False
        while lane.runs and lane.runs[0].state is _State.PUBLISHING:
            self._finish(lane.runs.popleft().batch)
        lane.published_to = publication.end
        return True

    def publish_failed(self, publication: Publication[ResultT]) -> bool:
        """A publication failed: nothing more of its partition is published or taken.

        Returns:
            False when the partition was lost meanwhile.
        """
        if self._lane_of(publication) is None:
            return False
        self.fail(publication.partition)
        return True

    def fail(self, partition: Partition) -> None:
        """Nothing more of a partition is published or taken until it is assigned anew."""
        lane = self._lanes.get(partition)
        if lane is not None:
            lane.admission = Admission.FAILED
            self._drop(lane)

    def skip_to(self, partition: Partition, position: int) -> None:
        """Nothing stands between what was read and `position`: transaction markers, or gaps.

        Without it a group that has read all would never commit the end of such a log.
        """
        lane = self._lanes.get(partition)
        if lane is None or lane.runs or lane.admission is not Admission.OPEN:
            return
        if position > lane.read_to:
            lane.read_to = lane.published_to = position

    def read_to(self, partition: Partition) -> int | None:
        """Up to where all was read; None when the partition is not ours."""
        lane = self._lanes.get(partition)
        return None if lane is None else lane.read_to

    def published_to(self, partition: Partition) -> int | None:
        """Up to where all is published; None when the partition is not ours."""
        lane = self._lanes.get(partition)
        return None if lane is None else lane.published_to

    def drained(self, partitions: Iterable[Partition]) -> bool:
        """Whether nothing of these partitions is in flight."""
        return not any(
            lane.runs for name in partitions if (lane := self._lanes.get(name)) is not None
        )

    def committable(self) -> dict[Partition, int]:
        """The offsets to commit: of each partition the next one to read, where that is news."""
        return {
            partition: lane.published_to
            for partition, lane in self._lanes.items()
            if lane.published_to > lane.committed_to
        }

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """Offsets were committed."""
        for partition, offset in offsets.items():
            lane = self._lanes.get(partition)
            if lane is not None and lane.committed_to < offset <= lane.published_to:
                lane.committed_to = offset

    def _lane_of(self, publication: Publication[ResultT]) -> _Lane[ResultT] | None:
        lane = self._lanes.get(publication.partition)
        if lane is None or lane.generation != publication.generation:
            return None
        return lane if lane.admission is not Admission.FAILED else None

    def _drop(self, lane: _Lane[ResultT]) -> None:
        for run in lane.runs:
            self._finish(run.batch)
        lane.runs.clear()

    def _finish(self, batch: int) -> None:
        self._open_runs[batch] -= 1
        if self._open_runs[batch] == 0:
            del self._open_runs[batch]
