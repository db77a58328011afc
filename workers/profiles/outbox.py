"""What the personalizer has folded but not acknowledged: published, written to Redis, then let go.

    handle ─▶ put ─▶ held ─▶ flush: the changelog and dead letters are written
                                    the profiles are published and written to Redis
                                    and only then the signals are acknowledged

One user's profile goes out once a flush, in its latest state. Nothing is acknowledged after a flush
that failed: the process ends, and another reads the same signals again.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaProducer

from streams.profile_schema import Profile
from streams.records import OutputRecord
from workers.errors import UnreachableError
from workers.pipeline import Partition
from workers.profiles.redis_store import ProfileStore, StoreUnavailableError

logger = logging.getLogger(__name__)

FLUSH_EVERY_S: Final = 0.05
FLUSH_AT: Final = 256
MAX_HELD: Final = 4_096
REDIS_PATIENCE_S: Final = 300.0
"""Shorter than Faust's longest time between two polls (1,000 s), so that waiting costs no
rebalance."""

KAFKA_PATIENCE_S: Final = 180.0
"""Longer than a client of Kafka's tries by itself, which then fails the write: only for a write of
which nothing more is heard."""

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Held:
    """One signal whose work is not done.

    Attributes:
        done: called when its work is done.
        writes: what must have been written before, such as the table's changelog.
        profile: the user's profile after the signal; None for a dead letter.
        output: the event to publish: the profile, its tombstone, or the dead letter.
        partition: where the signal came from.
        timestamp_ms: its time in Kafka; -1 when it has none.
    """

    done: Callable[[], object]
    writes: Sequence["asyncio.Future[Any]"]
    output: OutputRecord
    partition: Partition
    timestamp_ms: int
    profile: Profile | None = None


@dataclass(slots=True)
class Outbox:
    """Holds signals until their work is done; at most `max_held` of them.

    `done` is told of signals that were acknowledged, and how long their flush took, in seconds.
    """

    producer: AIOKafkaProducer
    store: ProfileStore
    redis_patience_s: float = REDIS_PATIENCE_S
    max_held: int = MAX_HELD
    kafka_patience_s: float = KAFKA_PATIENCE_S
    done: Callable[[Sequence[Held], float], None] | None = None
    redis_away: bool = field(default=False, init=False)
    acknowledged: int = field(default=0, init=False)
    _held: list[Held] = field(default_factory=list, init=False)
    _wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _room: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _flushing: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def __post_init__(self) -> None:
        self._room.set()

    async def put(self, held: Held) -> None:
        """Takes a signal in; waits while there is no room."""
        await self._room.wait()
        self._held.append(held)
        if len(self._held) >= FLUSH_AT:
            self._wake.set()
        if len(self._held) >= self.max_held:
            self._room.clear()

    async def run(self) -> None:
        """Flushes until cancelled.

        Raises whatever made a flush fail: `UnreachableError` when Redis stayed away for too long
        or refuses us, or a write to Kafka was never answered; errors of aiokafka when Kafka did
        not take a record in time.
        """
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), FLUSH_EVERY_S)
            self._wake.clear()
            await self.flush()

    async def flush(self) -> None:
        """Does the work of all that is held now, then acknowledges it.

        Cancelled or failed, it holds on to all of it. Raises as `run` does.
        """
        async with self._flushing:
            batch, self._held = self._held, []
            self._room.set()
            if not batch:
                return
            began = time.monotonic()
            try:
                await self._work(batch)
            except BaseException:
                self._held[:0] = batch  # cancelled or failed: still held, in order
                raise
            for held in batch:
                held.done()
            self.acknowledged += len(batch)
            if self.done is not None:
                self.done(batch, time.monotonic() - began)

    async def _work(self, batch: Sequence[Held]) -> None:
        sent = [await self._send(output) for output in _outputs(batch)]
        writes = [*sent, *(write for held in batch for write in held.writes)]
        # Not `gather`: its cancellation would cancel the sends themselves.
        _, unheard = await asyncio.wait(writes, timeout=self.kafka_patience_s)
        if unheard:
            raise UnreachableError(
                f"{len(unheard)} writes to Kafka were not answered in {self.kafka_patience_s:g} s",
                "is Kafka well? Nothing is lost: the signals are read again at the next start",
            )
        for write in writes:
            write.result()
        latest = {held.profile.user: held.profile for held in batch if held.profile}
        await self._write(list(latest.values()))

    async def _send(self, output: OutputRecord) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = await self.producer.send(
            output.topic, output.value, key=output.key, headers=list(output.headers)
        )
        return sent

    async def _write(self, profiles: Sequence[Profile]) -> None:
        """Writes to Redis, with patience.

        Meanwhile signals are read and folded until there is no room; nothing is acknowledged.
        """
        began = time.monotonic()
        pause = _FIRST_PAUSE_S
        while True:
            try:
                await self.store.write(profiles)
                self.redis_away = False
                break
            except StoreUnavailableError as error:
                self.redis_away = True
                waited = time.monotonic() - began
                if waited + pause > self.redis_patience_s:
                    error.hint += (
                        f". Gave up after {waited:.0f} s; nothing is lost: the signals are read "
                        "again at the next start"
                    )
                    raise
                if pause == _FIRST_PAUSE_S:
                    logger.warning("%s; trying again", error.message)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (jitter)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        if pause != _FIRST_PAUSE_S:
            logger.info("Redis takes writes again, after %.1f s", time.monotonic() - began)


def _outputs(batch: Sequence[Held]) -> list[OutputRecord]:
    """All dead letters, and the last event of each user, in order."""
    last = {held.profile.user: index for index, held in enumerate(batch) if held.profile}
    return [
        held.output
        for index, held in enumerate(batch)
        if held.profile is None or last[held.profile.user] == index
    ]
