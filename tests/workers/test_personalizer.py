"""The personalizer as a process, on the real Kafka and Valkey, against the offline fold."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from streams.deadletters import DeadReason, reason_of
from streams.events import UserSignal, encode
from tests.streams.profile_signals import NOON, erasure, query
from tests.workers.personalizer_rig import BEGAN, Rig, rig, traffic
from tests.workers.switchboard import Switchboard
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.kafka import consumer, running
from workers.profiles.erasure import forget
from workers.profiles.parity import check
from workers.profiles.reader import ProfileReader
from workers.profiles.rebuild import rebuild_from_features, rebuild_from_signals

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def bench(kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(kafka.bootstrap, valkey.url, tmp_path) as made:
        yield made


async def test_profiles_equal_the_offline_fold_and_bad_signals_are_dead_letters(
    bench: Rig,
) -> None:
    key = bench.key
    ann, eve = key.user("ann"), key.user("eve")
    bad = [
        (ann.encode(), b"not json"),
        (ann.encode(), b'{"user": "\xff\xfe"}'),
        (ann.encode(), b'{"user": 1}'),
        (ann.encode(), None),
        (b"another", encode(query(user=ann))),
        (None, encode(query(user=ann))),
        (b"raw id", encode(query(user="raw id"))),
        (ann.encode(), encode(query(user=ann, vector="!!"))),
    ]
    signals = traffic(key, 600)
    await bench.feed(signals[:300])
    await bench.feed_raw(bad)
    await bench.feed([*signals[300:], query(user=eve, at=BEGAN), erasure(user=eve, at=BEGAN)])
    worker = await bench.start_worker()
    profiles = await bench.until_equal()
    assert profiles[eve].is_erased
    assert ann not in profiles
    letters = await bench.read_all(bench.settings.topic_names.dead)
    assert sorted((one.key or b"", one.value or b"") for one in letters) == sorted(
        (key or b"", value or b"") for key, value in bad
    )
    for letter in letters:
        assert letter.headers[:2] == (("x", b"1"), ("x", None))
        assert reason_of(letter.headers) is not None
    reasons = {reason_of(letter.headers) for letter in letters if letter.key == ann.encode()}
    assert reasons == {
        DeadReason.INVALID_JSON,
        DeadReason.INVALID_ENCODING,
        DeadReason.INVALID_FIELD,
        DeadReason.NULL_VALUE,
    }
    await _stops_cleanly(bench, worker_index=0)
    assert await bench.lag() == 0, "CASES 20: all is committed, the next start repeats nothing"
    log = worker.log.read_text()
    assert "k1." not in log
    assert "red shoes" not in log


async def _stops_cleanly(bench: Rig, worker_index: int) -> None:
    worker = bench.workers[worker_index]
    began = time.monotonic()
    worker.send(signal.SIGTERM)
    assert await worker.ended() == 0, worker.log.read_text()
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("store", ["memory", pytest.param("rocksdb", marks=pytest.mark.slow)])
async def test_a_kill_in_the_middle_changes_no_profile(bench: Rig, store: str) -> None:
    """CASES 25, 30: what runs again after a crash counts once; recovery ends at markers too."""
    signals = traffic(bench.key, 1500)
    feeding = asyncio.create_task(_feed_slowly(bench, signals[:1400]))
    worker = await bench.start_worker(PROFILE__STORE=store)
    await bench.until(lambda: _more_than(bench, 20))
    worker.send(signal.SIGKILL)
    await worker.ended()
    await feeding
    await bench.feed_in_a_transaction(signals[1400:])
    await bench.start_worker(PROFILE__STORE=store)
    profiles = await bench.until_equal()
    assert sum(sum(profile.counts.values()) for profile in profiles.values()) == len(
        {encode(one) for one in signals}
    )
    await bench.until(lambda: _all_committed(bench))


async def _all_committed(bench: Rig) -> bool:
    """Up to the logs' ends, which are markers. CASES 20."""
    topic, kafka = bench.settings.topic_names.signals, bench.settings.kafka
    async with running(
        consumer(kafka, group_id=bench.settings.group_id("personalizer")), kafka
    ) as reader:
        places = [TopicPartition(topic, n) for n in range(bench.settings.topics.partitions)]
        ends = await reader.end_offsets(places)
        return all([await reader.committed(place) == ends[place] for place in places])


async def _feed_slowly(bench: Rig, signals: list[UserSignal]) -> None:
    for start in range(0, len(signals), 500):
        await bench.feed(signals[start : start + 500])
        await asyncio.sleep(0.5)


async def _more_than(bench: Rig, count: int) -> bool:
    return len(await bench.in_redis()) > count


async def test_redis_away_delays_and_loses_nothing(bench: Rig, valkey: EmbeddedValkey) -> None:
    assert valkey.port is not None
    signals = traffic(bench.key, 400)
    async with Switchboard(valkey.port) as between:
        worker = await bench.start_worker(redis_url=between.url)
        await bench.feed(signals[:100])
        await bench.until(lambda: _more_than(bench, 10))
        between.flowing.clear()
        await bench.feed(signals[100:])
        await asyncio.sleep(2)
        between.flowing.set()
        await bench.until_equal()
        assert worker.process.returncode is None


async def test_a_redis_that_stays_away_ends_the_worker_and_acknowledges_nothing(
    bench: Rig,
) -> None:
    await bench.feed(traffic(bench.key, 50))
    worker = await bench.start_worker("--redis-patience", "1", redis_url="redis://127.0.0.1:1/0")
    assert await worker.ended(30) == 1
    assert "nothing is lost" in worker.log.read_text()
    assert await bench.lag() > 0
    await bench.start_worker()
    await bench.until_equal()


async def test_a_forgotten_user_is_gone_everywhere_and_never_comes_back(bench: Rig) -> None:
    ann = bench.key.user("ann")
    old = [query(user=ann, at=NOON, text="my secret wish")] * 3
    await bench.feed(old)
    worker = await bench.start_worker()
    await bench.until_equal()
    proof = await forget(bench.settings, "ann", wait_s=15)
    assert proof.complete
    assert proof.pseudonyms == (ann,)
    await bench.feed(old)
    await bench.until_equal()
    async with ProfileReader.connect(bench.settings) as reader:
        assert (await reader.read(["ann"])).missing == ("ann",)
    assert (await bench.in_features())[ann] is None
    assert "ann" not in worker.log.read_text()


async def test_missing_topics_are_named(
    kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    async with rig(kafka.bootstrap, valkey.url, tmp_path) as made:
        made.settings = made.settings.model_copy(update={"prefix": "nothing-here"})
        worker = await made.start_worker()
        assert await worker.ended(20) == 1
        assert "intentstream topics apply" in worker.log.read_text()


async def test_an_emptied_redis_is_filled_again_and_the_check_tells_the_difference(
    bench: Rig,
) -> None:
    eve = bench.key.user("eve")
    await bench.feed([*traffic(bench.key, 200), query(user=eve), erasure(user=eve)])
    await bench.start_worker()
    profiles = await bench.until_equal()
    parity = await check(bench.settings)
    assert (parity.users, parity.equal, parity.different) == (len(profiles), len(profiles), {})

    keys = [key async for key in bench.redis.scan_iter(f"{bench.settings.namespace}:*")]
    await bench.redis.delete(*keys)
    missing = await check(bench.settings)
    assert missing.different.keys() == profiles.keys()

    rebuilt = await rebuild_from_features(bench.settings)
    assert (rebuilt.written, rebuilt.superseded) == (len(profiles) - 1, 0)
    assert (await check(bench.settings)).different.keys() == {eve}
    await rebuild_from_signals(bench.settings)
    assert (await check(bench.settings)).different == {}


@pytest.mark.slow
async def test_taking_over_and_giving_back_change_no_profile(bench: Rig) -> None:
    """CASES 25, 26, 27: more workers than partitions, killed and replaced under load."""
    signals = traffic(bench.key, 12_000, users=200)
    feeding = asyncio.create_task(_feed_slowly(bench, signals))
    draw = random.Random(5)
    for _ in range(3):
        await bench.start_worker()
    for _ in range(5):
        await asyncio.sleep(draw.uniform(1, 4))
        alive = [worker for worker in bench.workers if worker.process.returncode is None]
        victim = draw.choice(alive)
        victim.send(draw.choice((signal.SIGKILL, signal.SIGTERM)))
        await victim.ended()
        await bench.start_worker()
    await feeding
    await bench.until_equal(90)
