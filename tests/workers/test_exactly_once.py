"""`exactly_once`: to readers of what is committed nothing is there twice, whatever dies."""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import TopicPartition

from streams.deadletters import VALUE_LEFT_OUT, DeadReason, reason_of
from tests.workers.rig import Rig, rigged_triton
from tests.workers.test_enricher_faults import configure, stopped_by_a_refused_letter
from tests.workers.world import World, lost, out_of_order, queries, world_of
from workers import kafka as clients
from workers.embedded.kafka import EmbeddedKafka


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A Triton that these tests may kill."""
    async with rigged_triton(tmp_path_factory.mktemp("transactions")) as rig:
        yield rig


async def exact_world(server: EmbeddedKafka, rig: Rig, prefix: str, **more: object) -> World:
    rig.reset()
    triton = {"address": rig.server.grpc_address, "model_name": "rigged", "max_batch_rows": 16}
    return await world_of(server.bootstrap, prefix, triton=triton, guarantee="exactly_once", **more)


async def until_published(world: World, count: int) -> None:
    """Waits until so much stands in the log of intents, committed or not."""
    async with asyncio.timeout(60):
        while sum((await world.ends(world.settings.topic_names.intents)).values()) < count:
            await asyncio.sleep(0.05)


async def each_once(world: World, count: int) -> None:
    """Every query has one event, one entity and one signal, in order."""
    names = world.settings.topic_names
    events = await world.events()
    assert not lost(events, count)
    assert len(events) == count
    assert out_of_order(events) == []
    assert len(await world.events(names.entities)) == count
    assert len(await world.events(names.signals)) == count


async def test_outputs_and_offsets_are_committed_together(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 20: also of an idle group, whose outputs end in transaction markers."""
    world = await exact_world(kafka, own_rig, "transactions")
    await world.produce([*queries(300), b"{not json"])
    for _ in range(2):
        async with world.enricher() as enricher:
            await world.until_committed()
            await world.until(lambda: not enricher.unready())
    await each_once(world, 300)
    [letter] = await world.all_of(world.settings.topic_names.dead)
    assert letter.value == b"{not json"


async def test_a_killed_worker_leaves_nothing_twice(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    """CASES 59: its open transaction is undone when the next one takes the partition."""
    interval = {"transaction_interval_ms": 2_000}
    world = await exact_world(kafka, own_rig, "transactions-killed", kafka=interval)
    own_rig.tell("slow", "0.02")
    await world.produce(queries(1_000))
    for part in (200, 500):
        worker = await world.process()
        await until_published(world, part)
        worker.kill()
        await worker.wait()
    own_rig.reset()
    async with world.enricher():
        await world.until_committed()
    await each_once(world, 1_000)


async def test_a_worker_stopped_past_its_session_can_commit_no_more(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 1, 3: when it goes on another has its partitions, and it is fenced."""
    world = await exact_world(kafka, own_rig, "transactions-zombie")
    own_rig.tell("slow", "0.02")
    worker = await world.process()
    await world.produce(queries(600))
    await until_published(world, 100)
    worker.send_signal(signal.SIGSTOP)
    async with world.enricher():
        await world.until_committed()
        worker.send_signal(signal.SIGCONT)
        await world.produce(queries(300, first=600))
        await world.until_committed()
        if worker.returncode is None:
            worker.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(worker.communicate(), 40)
    assert worker.returncode == 0, log.decode()
    await each_once(world, 900)


async def test_a_fenced_partition_that_is_still_ours_is_taken_anew(
    kafka: EmbeddedKafka, own_rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """As when a transaction has expired while Kafka was away."""
    world = await exact_world(kafka, own_rig, "transactions-fenced")
    own_rig.tell("slow", "0.02")
    async with world.enricher() as enricher:
        await world.produce(queries(300))
        await world.until(lambda: enricher.counters.records > 60)
        for number in range(3):
            name = f"{world.settings.group_id('enricher')}.{world.raw}.{number}"
            intruder = clients.producer(world.settings.kafka, transactional_id=name)
            async with clients.running(intruder, world.settings.kafka):
                pass
        await world.until(lambda: "is read again" in caplog.text)
        await world.until_committed()
        assert enricher._source.rebalances == 1
    await each_once(world, 300)


async def test_what_kafka_refuses_becomes_a_dead_letter_and_its_neighbours_come_once(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    settings = {"compression": "none"}
    world = await exact_world(kafka, own_rig, "transactions-large", kafka=settings)
    names = world.settings.topic_names
    await configure(world.settings, names.intents, max_message_bytes="3000")
    await configure(world.settings, names.dead, max_message_bytes="6000")
    made = queries(60)
    made[30]["text"] = "red hat " + "long " * 600
    made[31]["text"] = "red hat " + "long " * 1_400
    await world.produce(made)
    async with world.enricher() as enricher:
        await world.until_committed()
    assert set(enricher.counters.dead) == {"event_too_large"}
    events = await world.events()
    assert lost(events, 60) == {"q30", "q31"}
    assert Counter(event["query_id"] for event in events).most_common(1)[0][1] == 1
    assert len(await world.events(names.signals)) == 58
    letters = await world.all_of(names.dead)
    assert [reason_of(letter.headers) for letter in letters] == [DeadReason.EVENT_TOO_LARGE] * 2
    left_out = [VALUE_LEFT_OUT in dict(letter.headers) for letter in letters]
    assert sorted(left_out) == [False, True]
    assert [letter.value is None for letter in letters] == left_out


async def test_a_refused_dead_letter_stops_the_worker_before_the_commit(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 62."""
    await stopped_by_a_refused_letter(await exact_world(kafka, own_rig, "transactions-refused"))


async def test_a_topic_written_in_transactions_is_read_as_if_it_were_not(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """What was aborted was never said, and markers are nobody's lag. CASES 20."""
    world = await exact_world(kafka, own_rig, "transactions-read")
    writer = clients.producer(world.settings.kafka, transactional_id="shop")
    async with clients.running(writer, world.settings.kafka):
        for value in (b'{"text": "red hat", "user_id": "u"}', b"aborted"):
            await writer.begin_transaction()
            for number in range(3):
                await writer.send(world.raw, value, key=b"u", partition=number)
            if value == b"aborted":
                await writer.abort_transaction()
            else:
                await writer.commit_transaction()
    async with world.enricher() as enricher:
        await world.until_committed()
        await world.until(lambda: not any(enricher._stats.watchdog.lag.values()))
    assert len(await world.events()) == 3
    assert await world.all_of(world.settings.topic_names.dead) == []
    ends = await world.ends(world.raw)
    assert ends[TopicPartition(world.raw, 0)] == 4  # two records and two markers


@pytest.mark.slow
async def test_a_killed_broker_costs_nothing(own_rig: Rig, tmp_path: Path) -> None:
    """CASES 4, 5: the coordinators of the group and of the transactions go too."""
    async with EmbeddedKafka(tmp_path) as server:
        world = await exact_world(server, own_rig, "transactions-broker")
        own_rig.tell("slow", "0.05")
        async with world.enricher() as enricher:
            await world.produce(queries(300))
            await world.until(lambda: enricher.counters.records > 50)
            for _ in range(2):
                await server.kill()
                await asyncio.sleep(1)
                await server.start()
                await asyncio.sleep(1)
            await world.produce(queries(100, first=300))
            await world.until_committed()
        await each_once(world, 400)
