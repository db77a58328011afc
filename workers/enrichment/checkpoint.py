"""The one place that flushes and commits, in this order, and lets partitions go.

A committed offset says "all before it is published": it is that of the next record to read, and
it is committed only after Kafka has acknowledged every output of the records before it.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka.errors import KafkaError

from workers.enrichment.delivery import Delivery
from workers.pipeline import OrderedPipeline, Partition

logger = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Budgets:
    """How long each step of letting partitions go may take, in seconds.

    The members of the group wait for each other meanwhile, while heartbeats go on. The sum stays
    far below `max.poll.interval` (300 s), after which Kafka would go on without us; what is not
    finished by then is read again by the next owner and comes out with the same ids.
    """

    drain: float = 10.0
    """For batches in flight: a batch takes the model well under a second, K of them a few."""

    flush: float = 10.0
    """For acknowledgements of what was sent: a broker that takes longer is away."""

    commit: float = 5.0
    """For the commit: one request to the coordinator, tried again while it moves."""


class Checkpoint(Generic[ResultT]):
    """Commits what is published.

    Args:
        delivery: commits in the way of its guarantee.
        pipeline: knows what is published.
        publishing: the tasks that await acknowledgements, by partition.
        budgets: of the steps.
    """

    def __init__(
        self,
        delivery: Delivery,
        pipeline: OrderedPipeline[ResultT],
        publishing: Mapping[Partition, "asyncio.Task[None]"],
        budgets: Budgets | None = None,
    ) -> None:
        self.commits = 0
        self.failures = 0
        self.last_commit_s = time.monotonic()
        self._delivery = delivery
        self._pipeline = pipeline
        self._publishing = publishing
        self._budgets = Budgets() if budgets is None else budgets
        self._changed = asyncio.Event()

    def progressed(self) -> None:
        """To be called after each change of the pipeline: whoever waits for it looks again."""
        self._changed.set()

    async def commit(self, partitions: Collection[Partition] | None = None) -> bool:
        """Commits what is published of these partitions, or of all that are ours.

        Never what is not acknowledged: the pipeline counts a record as published only then. A
        commit that fails leaves the offsets for the next one; when the group has moved on, they
        are the next owner's to commit.

        Returns:
            Whether nothing is left to commit.

        Raises:
            KafkaError: Kafka refuses for a reason that no rebalance explains.
        """
        offsets = {
            partition: offset
            for partition, offset in self._pipeline.committable().items()
            if partitions is None or partition in partitions
        }
        if not offsets:
            self.last_commit_s = time.monotonic()
            return True
        try:
            async with asyncio.timeout(self._budgets.commit):
                done = await self._delivery.commit(offsets)
        except TimeoutError:
            self.failures += 1
            logger.warning("offsets not committed within %.0f s", self._budgets.commit)
            return False
        self._pipeline.committed(done)
        if done != offsets:
            self.failures += 1
            return False
        self.commits += 1
        self.last_commit_s = time.monotonic()
        return True

    async def release(self, partitions: Collection[Partition], *, drain: bool = True) -> None:
        """Lets partitions go: finish what is in flight, flush, commit, forget.

        Each step within its budget; after them what is left is dropped, and late results of it go
        nowhere. Never raises for what Kafka says: the partitions are gone in any case.

        Args:
            partitions: to let go.
            drain: False doesn't wait for the model: it is away.
        """
        self._pipeline.seal(partitions)
        if drain:
            await self._drained(partitions)
        await self._flushed(partitions)
        try:
            await self.commit(partitions)
        except KafkaError as error:
            self.failures += 1
            logger.warning("offsets not committed: %s", type(error).__name__)
        self._pipeline.revoke(partitions)
        await self._delivery.drop(partitions)
        self._changed.set()

    async def _drained(self, partitions: Collection[Partition]) -> None:
        try:
            async with asyncio.timeout(self._budgets.drain):
                while not self._pipeline.drained(partitions):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            logger.warning(
                "work in flight was not finished within %.0f s: it is read again",
                self._budgets.drain,
            )

    async def _flushed(self, partitions: Collection[Partition]) -> None:
        """Awaits the acknowledgements of what was sent."""
        sent = [task for name, task in self._publishing.items() if name in partitions]
        if not sent:
            return
        _, late = await asyncio.wait(sent, timeout=self._budgets.flush)
        if late:
            logger.warning("Kafka has not acknowledged within %.0f s", self._budgets.flush)
