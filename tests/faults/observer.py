"""Looks at the logs and the groups from outside: samples during a run, everything at its end."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.records import SourceRecord
from tests.faults.schedule import Fault
from tests.faults.verifier import Place, Sample
from workers import kafka
from workers.errors import UnreachableError
from workers.kafka import source_record
from workers.settings import Settings

_EVERY_S: Final = 0.5
_ANSWER_S: Final = 5.0  # a killed broker's connections may hang


@dataclass(slots=True)
class Recovery:
    """From the moment a fault was undone until all that waited then was done.

    `marks`: the log ends at that moment, as soon as they are known.
    """

    fault: Fault
    since: float
    marks: dict[Place, int] = field(default_factory=dict)
    seconds: float | None = None


@dataclass(slots=True)
class Observer:
    """Takes samples.

    Attributes:
        samples: for the oracle.
        recoveries: of the faults that it was told of.
        caught_up: whether at the last look every group had done all there was.
    """

    settings: Settings
    samples: list[Sample] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    caught_up: bool = False

    def undone(self, fault: Fault) -> None:
        """A fault is over: measures how long it takes to recover."""
        self.recoveries.append(Recovery(fault, time.monotonic()))

    async def run(self) -> None:
        """Until cancelled; a broker that is away is looked for again."""
        while True:
            with suppress(KafkaError, TimeoutError, UnreachableError):
                async with self._clients() as clients:
                    while True:
                        async with asyncio.timeout(_ANSWER_S):
                            await self._look(*clients)
                        await asyncio.sleep(_EVERY_S)
            await asyncio.sleep(_EVERY_S)

    async def _look(self, enricher: AIOKafkaConsumer, personalizer: AIOKafkaConsumer) -> None:
        names = self.settings.topic_names
        inputs, signals = self._places(names.raw, names.actions), self._places(names.signals)
        waiting = [one for one in self.recoveries if one.seconds is None]
        committed = await _committed(enricher, inputs)
        folded = await _committed(personalizer, signals)
        outputs = self._places(names.intents, names.entities, names.signals, names.dead)
        found = await enricher.end_offsets([TopicPartition(*place) for place in outputs + inputs])
        ends = {Place(*name): offset for name, offset in found.items()}
        self.samples.append(Sample(committed, {place: ends[place] for place in outputs}))
        self.caught_up = all(
            (committed | folded)[place] >= ends[place] for place in inputs + signals
        )
        for one in waiting:
            reads_signals = one.fault.target.startswith(("personalizer", "valkey"))
            own = signals if reads_signals else inputs
            if not one.marks:
                one.marks = {place: ends[place] for place in own}
            if all((committed | folded)[place] >= end for place, end in one.marks.items()):
                one.seconds = time.monotonic() - one.since

    async def until_caught_up(self, within_s: float) -> None:
        """Waits until two looks in a row see nothing left to do.

        Raises `TimeoutError` when something is left for too long.
        """
        async with asyncio.timeout(within_s):
            looks = 0
            while looks < 2:
                before = len(self.samples)
                while len(self.samples) == before:
                    await asyncio.sleep(0.1)
                looks = looks + 1 if self.caught_up else 0

    async def all_of(self, *topics: str) -> list[SourceRecord]:
        """Everything in some topics, by partition and offset."""
        client = kafka.consumer(self.settings.kafka)
        async with kafka.running(client, self.settings.kafka):
            names = [TopicPartition(*place) for place in self._places(*topics)]
            client.assign(names)
            ends = await client.end_offsets(names)
            await client.seek_to_beginning(*names)
            found: list[SourceRecord] = []
            while any([await client.position(name) < ends[name] for name in names]):
                for records in (await client.getmany(timeout_ms=200, max_records=5_000)).values():
                    found += map(source_record, records)
        return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))

    @asynccontextmanager
    async def _clients(self) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaConsumer]]:
        """One of each group; they read nothing and join nothing."""

        def client(role: str) -> Any:
            return kafka.running(
                kafka.consumer(
                    self.settings.kafka,
                    group_id=self.settings.group_id(role),
                    isolation_level="read_uncommitted",  # the ends of the logs as they are
                ),
                self.settings.kafka,
            )

        async with client("enricher") as enricher, client("personalizer") as personalizer:
            yield enricher, personalizer

    def _places(self, *topics: str) -> list[Place]:
        count = self.settings.topics.partitions
        return [Place(topic, number) for topic in topics for number in range(count)]


async def _committed(client: AIOKafkaConsumer, places: Sequence[Place]) -> dict[Place, int]:
    found = {}
    for place in places:
        found[place] = await client.committed(TopicPartition(*place)) or 0
    return found
