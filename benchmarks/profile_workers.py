"""Personalizers and bare loops as processes on topics of their own, and how fast they get on."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from streams.events import UserSignal, encode
from workers.errors import IntentstreamError
from workers.kafka import admin, producer, running
from workers.profiles.faust_app import ROLE
from workers.sections import KafkaSettings, PseudonymSettings, RedisSettings, TopicSettings
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

SECRET: Final = "5a" * 32
FAUST: Final = ("-m", "workers.cli", "personalize")
FAUST_UVLOOP: Final = (
    "-c",
    "import uvloop; uvloop.install(); from workers.cli import main; main()",
    "personalize",
)
BARE: Final = ("-m", "benchmarks.bare_loop")
_LONGEST_S: Final = 180.0
_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Rate:
    """Signals by all workers together."""

    a_second: float
    a_core_second: float
    """A second of one core's time: what a busy machine does not distort."""


@dataclass(slots=True)
class Bench:
    """Topics under a prefix of their own, and the workers on them."""

    settings: Settings
    folder: Path
    _processes: list[asyncio.subprocess.Process] = field(default_factory=list, init=False)

    async def start(self, program: Sequence[str]) -> None:
        """Starts one worker process."""
        settings = self.settings
        env = {name: value for name, value in os.environ.items() if "INTENTSTREAM" not in name}
        env |= {
            "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
            "INTENTSTREAM_REDIS__URL": settings.redis.url.get_secret_value(),
            "INTENTSTREAM_PREFIX": settings.prefix,
            "INTENTSTREAM_PSEUDONYMS__SECRET": SECRET,
        }
        with self._log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *program, env=env, stdout=file, stderr=file
            )
        self._processes.append(process)

    async def stop(self) -> None:
        """Kills the workers."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()
        self._processes.clear()

    async def feed(self, signals: Iterable[UserSignal]) -> int:
        """Appends signals to the log, and returns how many."""
        kafka, topic, fed = self.settings.kafka, self.settings.topic_names.signals, 0
        async with running(producer(kafka), kafka) as publisher:
            for one in signals:
                await publisher.send(topic, encode(one), key=one.user.encode())
                fed += 1
            await publisher.flush()
        return fed

    def pause(self) -> None:
        """Holds the workers still, for less than their session's time-out."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets them work again."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    async def settled(self, count: int) -> None:
        """Returns when all workers are in the group and that many signals are committed."""
        kafka, group = self.settings.kafka, self.settings.group_id(ROLE)
        async with running(admin(kafka), kafka) as client:
            await self._until(client, count)
            while True:
                (answer,) = await client.describe_consumer_groups([group])
                _, _, state, _, _, members, *_ = answer.groups[0]
                if state == "Stable" and len(members) == len(self._processes):
                    return
                self.check()
                await asyncio.sleep(_LOOK_EVERY_S)

    async def rate(self, count: int, *, since: int) -> Rate:
        """Lets the workers go on, and times them until `count` signals are committed.

        By the clock, to within a commit's half second; and by what they used of a core.
        """
        kafka = self.settings.kafka
        async with running(admin(kafka), kafka) as client:
            used, began = -self._cpu_seconds(), time.monotonic()
            self.go_on()
            ended = await self._until(client, count)
        used += self._cpu_seconds()
        return Rate((count - since) / (ended - began), (count - since) / used)

    def _cpu_seconds(self) -> float:
        times = [psutil.Process(process.pid).cpu_times() for process in self._processes]
        return float(sum(one.user + one.system for one in times))

    async def _until(self, client: AIOKafkaAdminClient, count: int) -> float:
        """When that many signals were committed."""
        began = time.monotonic()
        while (now := time.monotonic()) - began < _LONGEST_S:
            if await self._committed(client) >= count:
                return now
            self.check()
            await asyncio.sleep(_LOOK_EVERY_S)
        raise IntentstreamError("the workers are too slow", self.said())

    async def _committed(self, client: AIOKafkaAdminClient) -> int:
        try:
            offsets = await client.list_consumer_group_offsets(self.settings.group_id(ROLE))
        except KafkaError:  # the first group of a broker that has just started
            return 0
        topic = self.settings.topic_names.signals
        return sum(max(at.offset, 0) for place, at in offsets.items() if place.topic == topic)

    def check(self) -> None:
        """Raises `IntentstreamError` when a worker has ended."""
        if any(process.returncode is not None for process in self._processes):
            raise IntentstreamError("a worker ended", self.said())

    def said(self) -> str:
        """The end of the workers' log."""
        return self._log.read_text("utf-8", "replace")[-2000:]

    @property
    def _log(self) -> Path:
        return self.folder / f"{self.settings.prefix}.log"


@asynccontextmanager
async def bench(kafka: str, redis: str, folder: Path, *, partitions: int) -> AsyncIterator[Bench]:
    """A bench with topics just made; its workers end with it."""
    settings = load_settings(
        None,
        prefix=f"b{uuid4().hex[:8]}",
        kafka=KafkaSettings(bootstrap_servers=kafka),
        redis=RedisSettings(url=SecretStr(redis)),
        topics=TopicSettings(partitions=partitions),
        pseudonyms=PseudonymSettings(secret=SecretStr(SECRET)),
    )
    await apply(settings)
    made = Bench(settings, folder)
    try:
        yield made
    finally:
        await made.stop()
