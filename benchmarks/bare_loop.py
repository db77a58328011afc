"""`python -m benchmarks.bare_loop`: the personalizer's work in a plain aiokafka loop, without Faust.

The same fold, changelog, `users.features`, Redis and commits, with the settings of the environment.
It lacks what Faust and the personalizer give: recovery, take-over, dead letters. A yardstick only.
"""

import asyncio
import signal
import sys

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from streams.events import encode
from workers.kafka import consumer, producer, running, source_record
from workers.pipeline import Partition
from workers.profiles.faust_app import ROLE, changelog_topic, prepare_topics
from workers.profiles.outbox import Held, Outbox
from workers.profiles.profile_settings import folding_of, profile_rules, profile_ttl
from workers.profiles.redis_store import open_store
from workers.settings import Settings, load_settings

_COMMIT_EVERY_S = 0.5


async def run(settings: Settings) -> None:
    """Works until cancelled."""
    await prepare_topics(settings)
    kafka, rules = settings.kafka, profile_rules(settings)
    reader = consumer(
        kafka,
        settings.topic_names.signals,
        group_id=settings.group_id(ROLE),
        auto_offset_reset="earliest",
    )
    async with (
        open_store(
            settings.redis,
            namespace=settings.namespace,
            ttl=profile_ttl(settings),
            serve_weight=rules.vector_serve_weight,
        ) as store,
        running(producer(kafka), kafka) as publisher,
        running(reader, kafka),
    ):
        outbox = Outbox(publisher, store)
        reached: dict[TopicPartition, int] = {}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(outbox.run())
            tasks.create_task(_commit(reader, reached))
            tasks.create_task(_fold(settings, reader, outbox, reached))


async def _fold(
    settings: Settings,
    reader: AIOKafkaConsumer,
    outbox: Outbox,
    reached: dict[TopicPartition, int],
) -> None:
    folding, changelog = folding_of(settings), changelog_topic(settings)
    table: dict[bytes, bytes] = {}
    while True:
        for place, found in (await reader.getmany(timeout_ms=200, max_records=256)).items():
            for one in found:
                record = source_record(one)
                profile = folding.next_profile(table.get(one.key), record)
                value = table[one.key] = encode(profile)
                written = await outbox.producer.send(
                    changelog, value, key=one.key, partition=one.partition
                )
                output = folding.event(profile, record, value)

                def done(place: TopicPartition = place, after: int = one.offset + 1) -> None:
                    reached[place] = after

                where = Partition(one.topic, one.partition)
                await outbox.put(Held(done, [written], output, where, one.timestamp, profile))


async def _commit(reader: AIOKafkaConsumer, reached: dict[TopicPartition, int]) -> None:
    while True:
        await asyncio.sleep(_COMMIT_EVERY_S)
        if reached:
            offsets = dict(reached)
            reached.clear()
            await reader.commit(offsets)


async def _until_stopped() -> None:
    work = asyncio.create_task(run(load_settings(None)))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    await asyncio.wait({work})
    if not work.cancelled():
        work.result()


if __name__ == "__main__":
    sys.exit(asyncio.run(_until_stopped()))
