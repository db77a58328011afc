"""A personalizer as a process of its own on the real Kafka and Valkey, and the offline fold beside it."""

import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import msgspec
import numpy as np
from aiokafka.admin import RecordsToDelete
from aiokafka.structs import TopicPartition
from pydantic import SecretStr
from redis.asyncio import Redis

from streams.deadletters import RecordError
from streams.events import ActionKind, UserSignal, encode
from streams.profile_hash import hash_fields
from streams.profiles import Profile
from streams.pseudonyms import Pseudonymiser
from streams.records import SourceRecord
from tests.streams.profile_signals import action, entity, query, source, vector_of
from workers.kafka import admin, consumer, producer, running
from workers.profiles.profile_settings import folding_of
from workers.profiles.redis_store import profile_key
from workers.sections import KafkaSettings, PseudonymSettings, RedisSettings, TopicSettings
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

SECRET = "5a" * 32
BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


@dataclass(slots=True)
class Worker:
    """One personalizer process."""

    process: asyncio.subprocess.Process
    log: Path

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, within_s: float = 15.0) -> int:
        return await asyncio.wait_for(self.process.wait(), within_s)


@dataclass(slots=True)
class Rig:
    """Topics of its own, workers, and what they ought to have made."""

    settings: Settings
    folder: Path
    workers: list[Worker] = field(default_factory=list)
    redis: Redis = field(init=False)

    def __post_init__(self) -> None:
        self.redis = Redis.from_url(self.settings.redis.url.get_secret_value())

    @property
    def key(self) -> Pseudonymiser:
        return self.settings.pseudonyms.pseudonymiser()

    async def start_worker(
        self, *options: str, redis_url: str | None = None, **variables: str
    ) -> Worker:
        settings = self.settings
        env = {name: value for name, value in os.environ.items() if "INTENTSTREAM" not in name}
        env |= {
            "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
            "INTENTSTREAM_KAFKA__SESSION_TIMEOUT_MS": "1500",
            "INTENTSTREAM_KAFKA__HEARTBEAT_INTERVAL_MS": "300",
            "INTENTSTREAM_REDIS__URL": redis_url or settings.redis.url.get_secret_value(),
            "INTENTSTREAM_REDIS__TIMEOUT_S": "0.5",
            "INTENTSTREAM_PREFIX": settings.prefix,
            "INTENTSTREAM_PSEUDONYMS__SECRET": SECRET,
        }
        env |= {f"INTENTSTREAM_{name}": value for name, value in variables.items()}
        log = self.folder / f"personalizer-{len(self.workers)}.log"
        with log.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "workers.cli",
                "personalize",
                *options,
                env=env,
                stdout=file,
                stderr=file,
            )
        worker = Worker(process, log)
        self.workers.append(worker)
        return worker

    async def feed_in_a_transaction(self, signals: Sequence[UserSignal]) -> None:
        """Then each partition that got one ends in a marker, which is no record."""
        kafka, name = self.settings.kafka, f"{self.settings.prefix}-tx"
        topic = self.settings.topic_names.signals
        async with (
            running(producer(kafka, transactional_id=name), kafka) as publisher,
            publisher.transaction(),
        ):
            for one in signals:
                await publisher.send(topic, encode(one), key=one.user.encode())

    async def feed(self, signals: Sequence[UserSignal]) -> None:
        await self.feed_raw([(one.user.encode(), encode(one)) for one in signals])

    async def feed_raw(self, records: Sequence[tuple[bytes | None, bytes | None]]) -> None:
        kafka = self.settings.kafka
        async with running(producer(kafka), kafka) as publisher:
            for key, value in records:
                headers = [("x", b"1"), ("x", None)]
                await publisher.send(
                    self.settings.topic_names.signals, value, key=key, headers=headers
                )
            await publisher.flush()

    async def read_all(self, topic: str) -> list[SourceRecord]:
        """All of a topic, up to its present end."""
        kafka = self.settings.kafka
        reader = consumer(kafka, auto_offset_reset="earliest")
        found = []
        async with running(reader, kafka):
            numbers = range(self.settings.topics.partitions)
            places = [TopicPartition(topic, number) for number in numbers]
            reader.assign(places)
            ends = await reader.end_offsets(places)
            while any([await reader.position(place) < ends[place] for place in places]):
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += [
                        SourceRecord(
                            record.topic,
                            record.partition,
                            record.offset,
                            record.timestamp,
                            record.key,
                            record.value,
                            tuple(record.headers),
                        )
                        for record in records
                    ]
        return found

    async def offline(self) -> dict[str, Profile]:
        """Every user's profile, folded from the log without Faust, Redis or a table."""
        folding = folding_of(self.settings)
        stored: dict[bytes, bytes] = {}
        profiles: dict[str, Profile] = {}
        for record in await self.read_all(self.settings.topic_names.signals):
            key = record.key or b""
            try:
                profile = folding.next_profile(stored.get(key), record)
            except RecordError:
                continue
            stored[key] = encode(profile)
            profiles[profile.user] = profile
        return profiles

    async def in_redis(self) -> dict[str, dict[str, bytes]]:
        found = {}
        prefix = profile_key(self.settings.namespace, "").rstrip("}")
        async for key in self.redis.scan_iter(f"{prefix}*", count=1000):
            fields: dict[bytes, bytes] = await self.redis.hgetall(key)  # type: ignore[assignment]  # bytes: the client does not decode
            user = key.decode().removeprefix(prefix).rstrip("}")
            found[user] = {name.decode(): value for name, value in fields.items()}
        return found

    async def in_features(self) -> dict[str, bytes | None]:
        """The last event of each user, as compaction would leave it."""
        records = await self.read_all(self.settings.topic_names.features)
        return {(record.key or b"").decode(): record.value for record in records}

    async def until_equal(self, within_s: float = 30.0) -> dict[str, Profile]:
        """Waits until Redis reflects the whole log, then compares everything for every user."""
        profiles = await self.offline()
        expected = {
            user: hash_fields(profile, serve_weight=3.0) for user, profile in profiles.items()
        }
        deadline = time.monotonic() + within_s
        found: dict[str, dict[str, bytes]] = {}
        while time.monotonic() < deadline:
            found = await self.in_redis()
            if found == expected:
                break
            await asyncio.sleep(0.1)
        assert found.keys() == expected.keys()
        wrong = [user for user in expected if found[user] != expected[user]]
        assert wrong == [], self.logs()
        published = await self.in_features()
        assert published == {
            user: None if profile.is_erased else encode(profile)
            for user, profile in profiles.items()
        }
        return profiles

    async def until(self, condition: Callable[[], Awaitable[bool]], within_s: float = 20.0) -> None:
        deadline = time.monotonic() + within_s
        while not await condition():
            assert time.monotonic() < deadline, self.logs()
            await asyncio.sleep(0.05)

    async def lag(self) -> int:
        """Signals that the group has not committed."""
        kafka, topic = self.settings.kafka, self.settings.topic_names.signals
        reader = consumer(kafka, group_id=self.settings.group_id("personalizer"))
        async with running(reader, kafka):
            places = [TopicPartition(topic, n) for n in range(self.settings.topics.partitions)]
            ends = await reader.end_offsets(places)
            return sum([ends[place] - (await reader.committed(place) or 0) for place in places])

    def logs(self) -> str:
        return "\n".join(worker.log.read_text() for worker in self.workers)

    async def close(self) -> None:
        for worker in self.workers:
            if worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()
        await self.redis.aclose()


@asynccontextmanager
async def rig(kafka: str, redis: str, folder: Path, *, partitions: int = 2) -> AsyncIterator[Rig]:
    settings = load_settings(
        None,
        prefix=f"p{uuid4().hex[:8]}",
        kafka=KafkaSettings(bootstrap_servers=kafka),
        redis=RedisSettings(url=SecretStr(redis)),
        topics=TopicSettings(partitions=partitions),
        pseudonyms=PseudonymSettings(secret=SecretStr(SECRET)),
    )
    await apply(settings)
    made = Rig(settings, folder)
    try:
        yield made
    finally:
        await made.close()


async def cut(bench: Rig, ends: dict[int, int]) -> None:
    """As retention does: what lies before these offsets of `users.signals` is gone."""
    topic = bench.settings.topic_names.signals
    async with running(admin(bench.settings.kafka), bench.settings.kafka) as client:
        await client.delete_records(
            {TopicPartition(topic, n): RecordsToDelete(before_offset=at) for n, at in ends.items()}
        )


def told(profile: Profile) -> bytes:
    """All that a profile says, without where it stands in the log."""
    seen = {
        name: msgspec.structs.replace(offsets, touched=0) for name, offsets in profile.seen.items()
    }
    position = msgspec.structs.replace(profile.position, partition=0, offset=0)
    return encode(msgspec.structs.replace(profile, user="", position=position, seen=seen))


def traffic(key: Pseudonymiser, count: int, *, users: int = 40, seed: int = 7) -> list[UserSignal]:
    """Queries and actions of several users, some of them late, some published twice."""
    draw = random.Random(seed)
    made: list[UserSignal] = []
    for n in range(count):
        user = key.user(f"user {draw.randrange(users)}")
        at = BEGAN + timedelta(milliseconds=50 * n, days=-draw.choice((0, 0, 0, 0, 3)))
        if made and draw.random() < 0.05:
            made.append(draw.choice(made[-20:]))
        elif draw.random() < 0.6:
            vector = np.random.default_rng(n).normal(size=16)
            made.append(
                query(
                    entity("core_product_type", draw.choice(("tent", "lamp", "mug", "sofa"))),
                    entity("creator", draw.choice(("acme", "nordwind", "zeta")), 0.7311),
                    at=at,
                    user=user,
                    sentiment=draw.choice(("negative", "neutral", "positive")),
                    source=source(n, at=at),
                    vector=vector_of(*vector),
                )
            )
        else:
            made.append(
                action(
                    draw.choice(list(ActionKind)),
                    at=at,
                    user=user,
                    source=source(n, at=at, topic="users.actions"),
                    product_type=draw.choice(("tent", "lamp")),
                    brand="acme",
                    price=round(draw.uniform(5, 500), 2),
                    currency="EUR",
                )
            )
    return made
