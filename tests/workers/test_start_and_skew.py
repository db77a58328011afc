"""Where partitions begin when the topic is not as it was, and what a burst costs."""

import asyncio

import psutil
import pytest
from aiokafka.admin import NewPartitions

from tests.workers.rig import Rig
from tests.workers.world import World, lost, out_of_order, queries, world_of
from workers import kafka as clients
from workers.embedded.kafka import EmbeddedKafka
from workers.errors import ContractError
from workers.topics_admin import apply

_MB = 1024 * 1024


async def test_a_recreated_topic_is_an_error_that_says_what_to_do(world: World) -> None:
    """CASES 15: offsets begin anew, so the group's positions and the ids of events are void."""
    await world.produce(queries(60))
    async with world.enricher():
        await world.until_committed()
    kafka = world.settings.kafka
    async with clients.running(clients.admin(kafka), kafka) as admin:
        await admin.delete_topics([world.raw])
        async with asyncio.timeout(30):
            while world.raw in await admin.list_topics():
                await asyncio.sleep(0.1)
    # Kafka forgets the group's offsets of a topic that it deletes; of a mirror it does not
    await apply(world.settings)
    group = world.settings.group_id("enricher")
    async with clients.running(clients.consumer(kafka, group_id=group), kafka) as client:
        names = world._partitions(world.raw)
        client.assign(names)
        await client.commit(dict.fromkeys(names, 20))
    await world.produce(queries(3))
    with pytest.raises(ContractError, match="before the position 20 that the group") as caught:
        async with world.enricher() as enricher:
            await world.until(lambda: enricher._failure is not None)
    assert "INTENTSTREAM_EPOCH" in caught.value.hint


async def test_a_partition_added_while_running_is_read_from_its_beginning(world: World) -> None:
    await world.produce(queries(30))
    kafka, count = world.settings.kafka, world.settings.topics.partitions
    async with world.enricher() as enricher:
        await world.until_committed()
        async with clients.running(clients.admin(kafka), kafka) as admin:
            await admin.create_partitions({world.raw: NewPartitions(count + 1)})
        await asyncio.sleep(0.5)
        await world.produce(queries(10, first=30), partition=count)
        # what aiokafka does every five minutes
        await enricher._source.consumer._client.force_metadata_update()
        await world.until(lambda: enricher.counters.records == 40)
    assert not lost(await world.events(), 40)


async def test_a_burst_fills_the_log_and_not_the_worker(kafka: EmbeddedKafka, rig: Rig) -> None:
    """A hundred times the rate: what waits, waits in Kafka, and the oldest goes first."""
    triton = {"address": rig.server.grpc_address, "model_name": "rigged", "max_batch_rows": 16}
    world = await world_of(kafka.bootstrap, "burst", triton=triton)
    worker = await world.process()
    try:
        await world.produce(queries(20))
        await world.until_committed()
        process = psutil.Process(worker.pid)
        before = process.memory_info().rss
        rig.tell("slow", "0.5")
        padding = {"context": {"padding": "x" * 50_000}}
        await world.produce([one | padding for one in queries(2_000, first=20)])  # 100 MB
        most = 0
        for _ in range(40):
            await asyncio.sleep(0.1)
            most = max(most, process.memory_info().rss)
        assert most - before < 60 * _MB, (most - before) / _MB
        rig.reset()
        await world.until_committed()
    finally:
        worker.terminate()
        await worker.communicate()
    events = await world.events()
    assert not lost(events, 2_020)
    assert out_of_order(events) == []
