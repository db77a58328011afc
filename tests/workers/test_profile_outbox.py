"""What the personalizer holds: never acknowledged before it is done, and never held for ever."""

import asyncio
from typing import Any, cast

import pytest

from streams.profiles import Profile
from streams.records import OutputRecord
from tests.streams.profile_signals import folded, query
from workers.errors import UnreachableError
from workers.pipeline import Partition
from workers.profiles.outbox import Held, Outbox
from workers.profiles.redis_store import ProfileStore, StoreUnavailableError, Written


class Kafka:
    """Takes records; answers those to other topics than `silent`."""

    def __init__(self, silent: str = "") -> None:
        self.silent = silent

    async def send(self, topic: str, *_: Any, **__: Any) -> "asyncio.Future[Any]":
        sent: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if topic != self.silent:
            sent.set_result(None)
        return sent


class Redis:
    """Takes profiles, or never does."""

    def __init__(self, *, away: bool = False) -> None:
        self.away = away

    async def write(self, profiles: list[Profile]) -> Written:
        if self.away:
            raise StoreUnavailableError("Redis takes no writes now", "look")
        return Written(len(profiles), 0)


def outbox(kafka: Kafka, redis: Redis, **more: float) -> Outbox:
    return Outbox(cast("Any", kafka), cast("ProfileStore", redis), **cast("Any", more))


def held(done: list[int], *writes: "asyncio.Future[Any]", topic: str = "features") -> Held:
    output = OutputRecord(topic, b"k", b"v", ())
    return Held(lambda: done.append(1), writes, output, Partition("s", 0), 0, folded(query()))


async def test_an_update_that_never_returns_ends_the_process_and_acknowledges_nothing() -> None:
    """CASES 24: the changelog, the event or Redis stays silent; another process takes over."""
    never: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    for kafka, redis, writes in (
        (Kafka(), Redis(), (never,)),
        (Kafka(silent="features"), Redis(), ()),
        (Kafka(), Redis(away=True), ()),
    ):
        done: list[int] = []
        box = outbox(kafka, redis, kafka_patience_s=0.2, redis_patience_s=0.2)
        await box.put(held(done, *writes))
        with pytest.raises(UnreachableError) as raised:
            await asyncio.wait_for(box.run(), 5)
        assert "othing is lost" in raised.value.hint
        assert (done, box.acknowledged) == ([], 0)
    assert not never.cancelled()


async def test_a_rebalance_while_the_outbox_is_full_leaves_nobody_waiting() -> None:
    """CASES 26: who waits for room is cancelled with its task, and the next one gets in."""
    done: list[int] = []
    box = outbox(Kafka(), Redis(), max_held=2)
    await box.put(held(done))
    await box.put(held(done))
    waiting = asyncio.create_task(box.put(held(done)))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    await box.flush()  # as at a revocation
    assert (len(done), box.acknowledged) == (2, 2)
    await asyncio.wait_for(box.put(held(done)), 1)
    await box.flush()
    assert len(done) == 3
