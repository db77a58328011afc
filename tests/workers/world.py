"""A deployment of its own on the session's servers: topics, records in, records out, offsets."""

import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from workers import kafka
from workers.enrichment.enricher import Enricher
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

SECRET = "ab" * 16


@dataclass(slots=True)
class World:
    """Topics under a prefix, and what a test does to them."""

    settings: Settings
    _clients: list[Any] = field(default_factory=list)

    @property
    def raw(self) -> str:
        return self.settings.topic_names.raw

    async def produce(self, values: Sequence[Any], *, topic: str = "", **more: Any) -> None:
        """Queries by value: bytes as they are, all else as JSON; keyed by `user_id`."""
        async with kafka.running(
            kafka.producer(self.settings.kafka), self.settings.kafka
        ) as client:
            sent = []
            for value in values:
                data = value if isinstance(value, bytes | None) else json.dumps(value).encode()
                key = str(value["user_id"]).encode() if isinstance(value, dict) else b"key"
                sent.append(
                    await client.send(topic or self.raw, **{"value": data, "key": key} | more)
                )
            await asyncio.gather(*sent)

    async def produce_nothing(self, headers: list[tuple[str, bytes | None]]) -> None:
        """A record with neither key nor value, which `send` refuses but a log may hold."""
        async with kafka.running(
            kafka.producer(self.settings.kafka), self.settings.kafka
        ) as client:
            batch = client.create_batch()
            batch.append(key=None, value=None, timestamp=None, headers=headers)
            batch.close()
            await (await client.send_batch(batch, self.raw, partition=0))

    async def all_of(self, topic: str) -> list[ConsumerRecord]:
        """Everything in a topic, by partition and offset."""
        async with self._consumer() as client:
            names = self._partitions(topic)
            client.assign(names)
            ends = await client.end_offsets(names)
            await client.seek_to_beginning(*names)
            found: list[ConsumerRecord] = []
            async with asyncio.timeout(30):
                while any([await client.position(name) < ends[name] for name in names]):
                    for records in (await client.getmany(timeout_ms=200)).values():
                        found += records
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def events(self, topic: str = "") -> list[Any]:
        """The values of a topic, decoded; by default of the intents."""
        records = await self.all_of(topic or self.settings.topic_names.intents)
        return [json.loads(record.value) for record in records]

    async def ends(self, topic: str) -> dict[TopicPartition, int]:
        async with self._consumer() as client:
            ends: dict[TopicPartition, int] = await client.end_offsets(self._partitions(topic))
            return ends

    async def committed(self, topic: str, group: str = "") -> dict[TopicPartition, int | None]:
        group = group or self.settings.group_id("enricher")
        async with self._consumer(group_id=group) as client:
            names = self._partitions(topic)
            client.assign(names)
            return {name: await client.committed(name) for name in names}

    async def until_committed(self, topic: str = "", seconds: float = 60) -> None:
        """Waits until the group has committed the ends of a topic: all is published."""
        topic = topic or self.raw
        async with asyncio.timeout(seconds):
            while await self.committed(topic) != await self.ends(topic):
                await asyncio.sleep(0.2)

    async def until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.02)

    @asynccontextmanager
    async def enricher(self, **more: Any) -> AsyncIterator[Enricher]:
        """An enricher in this process, stopped in order at the end."""
        enricher = Enricher(self.settings, stats_every_s=0, **more)
        running = asyncio.create_task(enricher.run())
        try:
            yield enricher
        finally:
            enricher.stop()
            await running

    async def process(self, *arguments: str) -> asyncio.subprocess.Process:
        """An enricher as a process of its own, as in production."""
        settings = self.settings
        environment = {
            "PATH": os.environ["PATH"],
            "INTENTSTREAM_KAFKA__SESSION_TIMEOUT_MS": str(settings.kafka.session_timeout_ms),
            "INTENTSTREAM_KAFKA__HEARTBEAT_INTERVAL_MS": str(settings.kafka.heartbeat_interval_ms),
            "INTENTSTREAM_PSEUDONYMS__SECRET": SECRET,
            "INTENTSTREAM_GUARANTEE": settings.guarantee,
            "INTENTSTREAM_KAFKA__TRANSACTION_INTERVAL_MS": str(
                settings.kafka.transaction_interval_ms
            ),
            "INTENTSTREAM_TRITON__MODEL_NAME": settings.triton.model_name,
            "INTENTSTREAM_TRITON__MAX_BATCH_ROWS": str(settings.triton.max_batch_rows),
        }
        command = (sys.executable, "-m", "workers.cli", "enrich")
        where = ("--kafka", settings.kafka.bootstrap_servers, "--triton", settings.triton.address)
        return await asyncio.create_subprocess_exec(
            *command,
            *where,
            "--prefix",
            settings.prefix,
            "--from",
            settings.start or "earliest",
            *arguments,
            env=environment,
            stderr=asyncio.subprocess.PIPE,
        )

    @asynccontextmanager
    async def _consumer(self, **more: Any) -> AsyncIterator[AIOKafkaConsumer]:
        client = kafka.consumer(self.settings.kafka, **more)
        async with kafka.running(client, self.settings.kafka):
            yield client

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for n in range(self.settings.topics.partitions)]


async def world_of(bootstrap: str, prefix: str, **more: Any) -> World:
    """A world with its topics made."""
    defaults: dict[str, Any] = {
        "prefix": prefix,
        "start": "earliest",
        "pseudonyms": {"secret": SECRET},
        "topics": {"partitions": 3},
    }
    kafka_settings = {
        "bootstrap_servers": bootstrap,
        "session_timeout_ms": 6_000,
        "heartbeat_interval_ms": 500,
    }
    settings = load_settings(
        None, **defaults | more | {"kafka": kafka_settings | more.get("kafka", {})}
    )
    await apply(settings)
    return World(settings)


def queries(count: int, *, users: int = 7, first: int = 0) -> list[dict[str, Any]]:
    """Queries of some users, numbered in their text."""
    return [
        {"text": f"red hat {n}", "user_id": f"u{n % users}", "query_id": f"q{n}"}
        for n in range(first, first + count)
    ]


def lost(events: Sequence[Any], count: int) -> set[str]:
    """Queries of `queries(count)` without an event."""
    return {f"q{n}" for n in range(count)} - {event["query_id"] for event in events}


def out_of_order(events: Sequence[Any]) -> list[str]:
    """Queries whose first event comes after that of a later query of their user."""
    seen: set[str] = set()
    last: dict[str, int] = defaultdict(lambda: -1)
    found = []
    for event in events:
        name = event["query_id"]
        if name in seen:
            continue
        seen.add(name)
        number = int(name[1:])
        if number < last[event["user"]]:
            found.append(name)
        last[event["user"]] = max(number, last[event["user"]])
    return found
