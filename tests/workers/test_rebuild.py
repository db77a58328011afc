"""Rebuilds that are killed go on; the check starts from snapshots where the log is cut."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.structs import TopicPartition

from streams.events import encode
from tests.streams.profile_signals import NOON, erasure, query
from tests.workers.personalizer_rig import SECRET, Rig, cut, rig, traffic
from tests.workers.switchboard import Switchboard
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import ContractError
from workers.kafka import consumer, producer, running
from workers.profiles.features_repair import FeaturesRepair
from workers.profiles.offline_fold import OfflineFold, Snapshots, read_snapshots
from workers.profiles.parity import check
from workers.profiles.rebuild import rebuild_from_features, rebuild_from_signals
from workers.profiles.rebuild_progress import RebuildProgress, progress_key
from workers.profiles.topic_reading import extent

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def bench(kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(kafka.bootstrap, valkey.url, tmp_path, partitions=4) as made:
        yield made


async def emptied(bench: Rig) -> None:
    keys = [key async for key in bench.redis.scan_iter(f"{bench.settings.namespace}:*", count=1000)]
    if keys:
        await bench.redis.delete(*keys)


async def committed(bench: Rig) -> None:
    """As if the personalizer had taken all there is."""
    kafka, topic = bench.settings.kafka, bench.settings.topic_names.signals
    reader = consumer(kafka, group_id=bench.settings.group_id("personalizer"))
    async with running(reader, kafka):
        places = [TopicPartition(topic, n) for n in range(bench.settings.topics.partitions)]
        reader.assign(places)
        await reader.commit(await reader.end_offsets(places))


async def published(bench: Rig, *events: tuple[str, bytes | None]) -> None:
    """Events on `users.features`, from a worker."""
    async with running(producer(bench.settings.kafka), bench.settings.kafka) as client:
        for user, value in events:
            topic = bench.settings.topic_names.features
            await client.send_and_wait(topic, value, key=user.encode())


@pytest.mark.parametrize("source", ["features", "signals"])
async def test_a_rebuild_that_is_killed_goes_on_where_it_was(
    bench: Rig, valkey: EmbeddedValkey, source: str
) -> None:
    assert valkey.port is not None
    eve = bench.key.user("eve")
    users = [query(user=bench.key.user(f"user {n}"), at=NOON) for n in range(1_200)]
    await bench.feed([*users, query(user=eve), erasure(user=eve)])
    await rebuild_from_signals(bench.settings)
    await emptied(bench)
    key = progress_key(bench.settings.namespace, source)
    async with Switchboard(valkey.port) as between:
        process = await _rebuild(bench, source, between.url)
        while await bench.redis.hlen(key) < 2:  # the run's name, and a position
            assert process.returncode is None
            await asyncio.sleep(0.001)
        between.flowing.clear()
        process.send_signal(signal.SIGKILL)
        await process.wait()
    done = len(await bench.in_redis())
    assert 0 < done < len(users)
    again = {"features": rebuild_from_features, "signals": rebuild_from_signals}[source]
    rebuilt = await again(bench.settings)
    assert rebuilt.resumed > 0
    assert rebuilt.written < len(users) + 1
    assert await bench.redis.exists(key) == 0
    found = await bench.in_redis()
    assert len(found) == len(users) + (source == "signals")
    different = (await check(bench.settings)).different
    assert different == {}


async def _rebuild(bench: Rig, source: str, redis: str) -> asyncio.subprocess.Process:
    settings = bench.settings
    env = {name: value for name, value in os.environ.items() if "INTENTSTREAM" not in name}
    env |= {
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INTENTSTREAM_REDIS__URL": redis,
        "INTENTSTREAM_PREFIX": settings.prefix,
        "INTENTSTREAM_PSEUDONYMS__SECRET": SECRET,
    }
    command = (sys.executable, "-m", "workers.cli", "rebuild-profiles", "--from", source)
    return await asyncio.create_subprocess_exec(*command, env=env)


async def test_a_rebuild_of_an_emptied_redis_or_beside_another_one_stops(bench: Rig) -> None:
    async with RebuildProgress.open(bench.settings, "features") as progress:
        await progress.reach({0: 5})
        await emptied(bench)
        with pytest.raises(ContractError, match="emptied"):
            await progress.reach({0: 9})
    async with RebuildProgress.open(bench.settings, "features") as first:
        await first.reach({0: 5})
        async with RebuildProgress.open(bench.settings, "features") as second:
            assert second.positions == {0: 5}
            with pytest.raises(ContractError, match="another"):
                await first.reach({0: 7})
            await second.finish()


async def test_the_check_starts_from_snapshots_where_the_log_is_cut(bench: Rig) -> None:
    signals = traffic(bench.key, 600, users=30)
    gone = bench.key.user("gone")
    await bench.feed([*signals[:300], query(user=gone), erasure(user=gone)])
    await rebuild_from_signals(bench.settings)
    earlier = await extent(bench.settings, bench.settings.topic_names.signals)
    await bench.feed(signals[300:])
    await rebuild_from_signals(bench.settings)
    whole = await check(bench.settings)
    assert (whole.equal, whole.from_snapshot) == (whole.users, 0)

    await cut(bench, dict(earlier.ends))
    parity = await check(bench.settings)
    assert (parity.equal, parity.left_out, parity.different) == (parity.users, 0, {})
    assert parity.from_snapshot == parity.users == len({one.user for one in signals})

    await committed(bench)
    victim = signals[-1].user
    key = f"{bench.settings.namespace}:profile:{{{victim}}}"
    await bench.redis.hset(key, "queries", "1000")
    assert (await check(bench.settings)).different == {victim: "Redis"}
    assert gone not in (await rebuild_and_read(bench))


async def rebuild_and_read(bench: Rig) -> dict[str, dict[str, bytes]]:
    await emptied(bench)
    rebuilt = await rebuild_from_signals(bench.settings)
    assert (rebuilt.left_out, rebuilt.published) == (0, 0)
    return await bench.in_redis()


async def test_what_no_snapshot_covers_is_left_out_and_left_alone(bench: Rig) -> None:
    ann = bench.key.user("ann")
    await bench.feed([query(user=ann)])
    await rebuild_from_signals(bench.settings)
    await bench.feed([query(user=ann), query(user=ann)])
    log = await extent(bench.settings, bench.settings.topic_names.signals)
    (home,) = [number for number in log.partitions if log.ends[number]]
    await cut(bench, {home: log.ends[home] - 1})
    await committed(bench)
    parity = await check(bench.settings)
    assert (parity.left_out, parity.equal, parity.different) == (1, 0, {})
    before = await bench.in_redis()
    assert (await rebuild_from_signals(bench.settings)).left_out == 1
    assert await bench.in_redis() == before


async def test_what_the_personalizer_has_not_taken_yet_is_no_difference(bench: Rig) -> None:
    users = [query(user=bench.key.user(name)) for name in ("ann", "bob")]
    await bench.feed(users)
    parity = await check(bench.settings)
    assert (parity.behind, parity.different) == (2, {})
    await committed(bench)
    assert len((await check(bench.settings)).different) == 2


async def test_a_published_profile_that_the_log_does_not_know_is_a_difference(bench: Rig) -> None:
    ann, bob = bench.key.user("ann"), bench.key.user("bob")
    await bench.feed([query(user=ann)])
    await rebuild_from_signals(bench.settings)
    (value,) = [value for value in (await bench.in_features()).values() if value]
    await published(bench, (bob, value.replace(ann.encode(), bob.encode())))
    assert (await check(bench.settings)).different.keys() == {bob}


async def test_a_profile_without_news_for_its_time_to_live_need_not_be_in_redis(bench: Rig) -> None:
    await bench.feed([query(user=bench.key.user("ann"))])
    await rebuild_from_signals(bench.settings)
    await committed(bench)
    await emptied(bench)
    assert len((await check(bench.settings)).different) == 1
    short = bench.settings.profile.model_copy(update={"ttl_days": 1e-6})
    time.sleep(0.1)
    bench.settings = bench.settings.model_copy(update={"profile": short})
    parity = await check(bench.settings)
    assert (parity.expired, parity.different) == (1, {})


@pytest.mark.parametrize("last", ["a later profile", "a tombstone"])
async def test_a_repair_never_leaves_an_older_profile_last(bench: Rig, last: str) -> None:
    """CASES 57: the worker published while the rebuild was folding."""
    ann = bench.key.user("ann")
    await bench.feed([query(user=ann)])
    features = await extent(bench.settings, bench.settings.topic_names.features)
    log = await extent(bench.settings, bench.settings.topic_names.signals)
    async with FeaturesRepair.open(bench.settings, features) as repair:
        older = await OfflineFold(bench.settings, log, Snapshots()).fold(log.partitions)
        await bench.feed([query(user=ann)])
        later = None if last == "a tombstone" else encode((await bench.offline())[ann])
        await published(bench, (ann, b'{"position":{"epoch":"1","partition":0,"offset":-1}}'))
        await published(bench, (ann, later))
        assert await repair.publish(older) == 1
    assert (await bench.in_features())[ann] == later


async def test_an_erasure_drops_the_snapshots_that_may_lack_it(bench: Rig) -> None:
    ann = bench.key.user("ann")
    await bench.feed([query(user=ann)])
    await rebuild_from_signals(bench.settings)
    await published(bench, (ann, None))
    features = await extent(bench.settings, bench.settings.topic_names.features)
    cut_off = dict.fromkeys(range(4), 10)
    found = await read_snapshots(bench.settings, features, cut_off)
    assert (found.base, found.last, found.earlier) == ({}, {}, {})
