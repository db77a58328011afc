"""A model of workers around the pipeline: a durable log and committed offsets, and all that may
happen in between. It does what the enricher and the checkpoint do, without I/O.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from workers.pipeline import OffsetRange, OrderedPipeline, Partition, Publication, Ticket

PARTITIONS = (Partition("queries.raw", 0), Partition("queries.raw", 1), Partition("actions", 0))
RECORDS = 24  # of each partition
LONGEST = 3  # run of records that is read at once, while anything may happen

_Run = tuple[int, int]
Pipeline = OrderedPipeline[_Run]


@dataclass(slots=True)
class Durable:
    """What Kafka holds of one partition: what was published of it, and its committed offset."""

    log: list[int] = field(default_factory=list)
    published: int = 0  # all records before it are in the log
    committed: int = 0

    def append(self, offset: int) -> None:
        """A record's output; the first copies must come in order."""
        assert offset <= self.published, f"{offset} overtakes {self.published}"
        self.published = max(self.published, offset + 1)
        self.log.append(offset)

    def commit(self, offset: int) -> None:
        assert offset <= self.published, f"{offset} committed, {self.published} published"
        assert offset >= self.committed, f"{offset} committed after {self.committed}"
        self.committed = offset


class Interleaving:
    """One worker after another on the same partitions.

    Args:
        make: of the pipeline, of so many batches in flight.
        seed: of everything that happens.
    """

    def __init__(self, make: Callable[[int], Pipeline], seed: int) -> None:
        self.random = random.Random(seed)
        self.make = make
        self.durable = {partition: Durable() for partition in PARTITIONS}
        self.start()

    def start(self) -> None:
        """A new worker; the last one, with all that it had in flight, is gone."""
        self.pipeline = self.make(self.random.randint(1, 5))
        self.read: dict[Partition, int] = {}
        self.working: list[Ticket] = []
        self.ranges: dict[Ticket, dict[Partition, _Run]] = {}
        self.sending: list[tuple[Publication[_Run], list[int]]] = []
        for partition in PARTITIONS:
            self.assign(partition)

    def step(self) -> None:
        """Anything that may happen next, common things more often."""
        roll = self.random.random()
        for chance, happens in self._CHANCES:
            roll -= chance
            if roll < 0:
                happens(self)
                return

    def submit(self, longest: int = LONGEST) -> None:
        if self.pipeline.full:
            return
        ranges = {}
        for partition, at in self.read.items():
            if at < RECORDS and self.random.random() < 0.6:
                ranges[partition] = OffsetRange(
                    at, min(at + self.random.randint(1, longest), RECORDS)
                )
        ticket = self.pipeline.submit(ranges)
        if ticket is not None:
            self.read |= {name: ranges[name].end for name in ticket.partitions}
            self.working.append(ticket)
            self.ranges[ticket] = {
                name: (ranges[name].first, ranges[name].end) for name in ticket.partitions
            }

    def complete(self) -> None:
        """Of any batch, so also late ones of partitions that are lost, or back."""
        if self.working:
            ticket = self.working.pop(self.random.randrange(len(self.working)))
            self.pipeline.complete(ticket, self.ranges.pop(ticket))

    def take(self) -> None:
        for publication in self.pipeline.publishable():
            offsets = [n for first, end in publication.results for n in range(first, end)]
            self.sending.append((publication, offsets))

    def send(self) -> None:
        """Some of a publication reaches the log, which is no acknowledgement yet."""
        if self.sending:
            publication, offsets = self.random.choice(self.sending)
            for _ in range(min(len(offsets), self.random.randint(1, 3))):
                self.durable[publication.partition].append(offsets.pop(0))

    def acknowledge(self) -> None:
        if self.sending:
            publication, offsets = self._one_sent()
            for offset in offsets:
                self.durable[publication.partition].append(offset)
            self.pipeline.published(publication)

    def fail(self) -> None:
        if self.sending:
            self.pipeline.publish_failed(self._one_sent()[0])

    def commit(self) -> None:
        """It succeeds, fails, or is carried out though the answer is lost."""
        self._commit(self.random.choice((True, True, False)), self.random.random() < 0.8)

    def _commit(self, told: bool, done: bool) -> None:
        offsets = self.pipeline.committable()
        if done:
            for partition, offset in offsets.items():
                self.durable[partition].commit(offset)
        if done and told:
            self.pipeline.committed(offsets)

    def skip(self) -> None:
        """The position as the consumer has it, which is where we have read to."""
        for partition, at in self.read.items():
            self.pipeline.skip_to(partition, at)

    def assign(self, partition: Partition) -> None:
        if partition not in self.pipeline.assigned:
            self.read[partition] = self.durable[partition].committed
            self.pipeline.assign(partition, self.read[partition])

    def lose(self) -> None:
        """A rebalance: sealed first, revoked at once or after some more has happened."""
        partition = self.random.choice(PARTITIONS)
        self.pipeline.seal([partition])
        for _ in range(self.random.choice((0, 0, 3))):
            self.random.choice((Interleaving.complete, Interleaving.take, Interleaving.send))(self)
        if self.random.random() < 0.5:
            self._commit(told=True, done=True)
        self.pipeline.revoke([partition])
        self.read.pop(partition, None)

    def gain(self) -> None:
        self.assign(self.random.choice(PARTITIONS))

    def stop(self) -> None:
        """In order: sealed, drained, committed. The next worker has nothing to repeat."""
        self.pipeline.seal(PARTITIONS)
        self._drain()
        self._commit(told=True, done=True)
        self.start()

    def crash(self) -> None:
        self.start()

    def quiet_end(self) -> None:
        """Nothing goes wrong any more: everything is published and committed."""
        self.start()
        while any(one.committed < RECORDS for one in self.durable.values()):
            before = [one.committed for one in self.durable.values()]
            self.submit(RECORDS)
            self._drain()
            self._commit(told=True, done=True)
            assert self.pipeline.in_flight == 0
            if before == [one.committed for one in self.durable.values()]:
                waiting = [at for at in self.read.values() if at < RECORDS]
                assert waiting, "all was read, and some is not committed"
        for one in self.durable.values():
            assert sorted(set(one.log)) == list(range(RECORDS)), "lost"

    def _drain(self) -> None:
        while self.working or self.sending:
            while self.working:
                self.complete()
            self.take()
            while self.sending:
                self.acknowledge()
            self.take()

    def _one_sent(self) -> tuple[Publication[_Run], list[int]]:
        return self.sending.pop(self.random.randrange(len(self.sending)))

    _CHANCES = (
        (0.22, submit),
        (0.20, complete),
        (0.15, take),
        (0.12, send),
        (0.12, acknowledge),
        (0.09, commit),
        (0.02, fail),
        (0.02, skip),
        (0.02, lose),
        (0.025, gain),
        (0.005, stop),
        (0.01, crash),
    )


def interleave(make: Callable[[int], Pipeline], seed: int, *, steps: int = 60) -> None:
    """One interleaving, and a quiet end. Raises `AssertionError` when a promise is broken."""
    run = Interleaving(make, seed)
    for _ in range(steps):
        run.step()
    run.quiet_end()
