"""What the benchmarks of the enricher share: servers, topics of their own, workers as processes.

    async with servers(folder) as up:
        async with line(up) as at:                    # topics under a prefix of their own
            async with worker(at) as enricher:        # a process, warmed up
                await at.fill(Load(10_000))           # held still meanwhile
                use = await enricher.work_off()       # its time, Triton's and the broker's

A worker is held still (SIGSTOP) while the backlog is filled, and what it, Triton and the broker
use is counted from the moment it goes on until all is published and committed.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

import aiohttp
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from benchmarks.accounting import cpu_seconds, resident_bytes
from benchmarks.load import Load, Sent, feed
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.ports import free_ports
from workers.embedded.triton import EmbeddedTriton
from workers.errors import IntentstreamError
from workers.kafka import consumer, running
from workers.sections import KafkaSettings, PseudonymSettings, TopicSettings, TritonSettings
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

MODELS: Final = Path(__file__).resolve().parents[1] / "model_repository"
SECRET: Final = "5a" * 32
ENRICH: Final = ("-m", "workers.cli", "enrich", "--stats-every", "0")
_LONGEST_S: Final = 600.0
_LOOK_EVERY_S: Final = 0.05
_SESSION_MS: Final = 60_000  # a worker that is held still stays in its group
_WARM_UP: Final = 600


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs: addresses, process ids and a folder for logs. `triton_pid` 0: not of ours."""

    kafka: str
    kafka_pid: int
    triton: str
    triton_pid: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Use:
    """What working off some queries took. Seconds of one core are of whole process trees."""

    queries: int
    seconds: float
    worker: float
    triton: float
    broker: float

    @property
    def a_second(self) -> float:
        """Queries by the wall clock."""
        return self.queries / self.seconds


@asynccontextmanager
async def servers(
    folder: Path,
    *,
    triton: str | None = None,
    triton_pid: int = 0,
    models: Path = MODELS,
    triton_env: Mapping[str, str] | None = None,
) -> AsyncIterator[Servers]:
    """Kafka and Triton on loopback, of our own.

    Args:
        folder: for data and logs.
        triton: the address of what stands in for Triton; None starts Triton.
        triton_pid: of what stands in for Triton.
        models: what Triton serves.
        triton_env: further environment of Triton.
    """
    async with EmbeddedKafka(folder) as kafka:
        broker = kafka.process.pid if kafka.process else 0
        if triton is not None:
            yield Servers(kafka.bootstrap, broker, triton, triton_pid, folder)
            return
        async with EmbeddedTriton(folder, models, env=dict(triton_env or {})) as server:
            pid = server.process.pid if server.process else 0
            yield Servers(kafka.bootstrap, broker, server.grpc_address, pid, folder)


@dataclass(slots=True)
class Line:
    """Topics under a prefix of their own, and how much was fed to them."""

    servers: Servers
    settings: Settings
    reader: AIOKafkaConsumer
    env: Mapping[str, str]
    fed: int = 0
    _queries: int = field(default=0, init=False)

    async def fill(self, load: Load) -> Sent:
        """Feeds a load to the raw queries, from a process of its own."""
        sent = await feed(self.servers.kafka, self.settings.topic_names.raw, load)
        self.fed += sent.count
        return sent

    async def committed(self) -> int:
        """How many raw queries the workers have committed."""
        places = self.places(self.settings.topic_names.raw)
        found = await asyncio.gather(*(self.reader.committed(place) for place in places))
        return sum(offset or 0 for offset in found)

    async def published(self) -> int:
        """How many events of queries there are."""
        ends = await self.reader.end_offsets(self.places(self.settings.topic_names.intents))
        return sum(ends.values())

    def places(self, topic: str) -> list[TopicPartition]:
        """The partitions of a topic."""
        return [TopicPartition(topic, number) for number in range(self.settings.topics.partitions)]


@asynccontextmanager
async def line(
    up: Servers,
    *,
    partitions: int = 4,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Line]:
    """Topics of a run, just made; `env` are further settings of its workers."""
    settings = await deployment(up.kafka, up.triton, partitions)
    reader = consumer(settings.kafka, group_id=settings.group_id("enricher"))
    async with running(reader, settings.kafka):
        yield Line(up, settings, reader, env or {})


async def deployment(kafka: str, triton: str, partitions: int) -> Settings:
    """The settings of workers on topics just made, under a prefix of their own.

    Args:
        kafka: the broker's address.
        triton: of the model, or of what stands in for it.
        partitions: of each topic.
    """
    settings = load_settings(
        None,
        prefix=f"b{uuid4().hex[:8]}",
        start="earliest",
        kafka=KafkaSettings(bootstrap_servers=kafka, session_timeout_ms=_SESSION_MS),
        triton=TritonSettings(address=triton),
        topics=TopicSettings(partitions=partitions),
        pseudonyms=PseudonymSettings(secret=SecretStr(SECRET)),
    )
    await apply(settings)
    return settings


def worker_env(settings: Settings, more: Mapping[str, str]) -> dict[str, str]:
    """The environment of a worker of a deployment; `more` is added to it as it is."""
    env = {name: value for name, value in os.environ.items() if "INTENTSTREAM" not in name}
    return env | {
        "INTENTSTREAM_PREFIX": settings.prefix,
        "INTENTSTREAM_START": "earliest",
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INTENTSTREAM_KAFKA__SESSION_TIMEOUT_MS": str(_SESSION_MS),
        "INTENTSTREAM_TRITON__ADDRESS": settings.triton.address,
        "INTENTSTREAM_PSEUDONYMS__SECRET": SECRET,
        **more,
    }


class EnricherProcess:
    """Worker processes of one line, and what they use."""

    def __init__(self, at: Line, folder: Path) -> None:
        self._at = at
        self.log = folder / f"{at.settings.prefix}.log"
        self._processes: list[asyncio.subprocess.Process] = []
        self._ports: list[int] = []

    async def start(self, program: Sequence[str] = ENRICH) -> None:
        """Starts one more worker."""
        (port,) = free_ports(1)
        health = {"INTENTSTREAM_HEALTH__ADDRESS": f"127.0.0.1:{port}"}
        env = worker_env(self._at.settings, health | dict(self._at.env))
        with self.log.open("ab") as file:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *program, env=env, stdout=file, stderr=file
            )
        self._processes.append(process)
        self._ports.append(port)

    async def stop(self) -> None:
        """Ends them in order."""
        for process in self._processes:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self._processes:
            await process.wait()
        self._processes.clear()

    @property
    def pids(self) -> list[int]:
        """Of the workers."""
        return [process.pid for process in self._processes]

    def hold(self) -> None:
        """Holds them still."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets them work again."""
        for process in self._processes:
            process.send_signal(signal.SIGCONT)

    async def caught_up(self) -> None:
        """Waits until all that was fed is published and committed.

        Raises:
            IntentstreamError: a worker has ended, or takes too long.
        """
        deadline = time.monotonic() + _LONGEST_S
        while await self._at.committed() < self._at.fed:
            self.check()
            if time.monotonic() > deadline:
                raise IntentstreamError("the workers do not get on", self._said())
            await asyncio.sleep(_LOOK_EVERY_S)

    async def work_off(self, load: Load) -> Use:
        """Fills a backlog while the workers are held still, and measures how they work it off.

        The clock stops when the last event is there; what they use counts until the commit.
        """
        published = await self._at.published()
        self.hold()
        sent = await self._at.fill(load)
        before, began = self.used(), time.monotonic()
        self.go_on()
        while await self._at.published() < published + sent.count:
            self.check()
            if time.monotonic() - began > _LONGEST_S:
                raise IntentstreamError("the workers do not get on", self._said())
            await asyncio.sleep(_LOOK_EVERY_S)
        seconds = time.monotonic() - began
        await self.caught_up()
        used = [after - start for after, start in zip(self.used(), before, strict=True)]
        return Use(sent.count, seconds, *used)

    def used(self) -> tuple[float, float, float]:
        """Seconds of one core until now: the workers', Triton's and the broker's."""
        up = self._at.servers
        return (
            sum(map(cpu_seconds, self.pids)),
            cpu_seconds(up.triton_pid) if up.triton_pid else 0.0,
            cpu_seconds(up.kafka_pid),
        )

    def memory(self) -> int:
        """Bytes that the workers have in memory."""
        return sum(map(resident_bytes, self.pids))

    async def metrics(self) -> dict[str, float]:
        """The sums of the workers' counters and gauges, by their names in Prometheus."""
        found: dict[str, float] = {}
        async with aiohttp.ClientSession() as session:
            for port in self._ports:
                async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    text = await answer.text()
                for family in text_string_to_metric_families(text):
                    for sample in family.samples:
                        found[sample.name] = found.get(sample.name, 0.0) + sample.value
        return found

    def check(self) -> None:
        """Raises `IntentstreamError` when a worker has ended."""
        if any(process.returncode is not None for process in self._processes):
            raise IntentstreamError("a worker has ended", self._said())

    def _said(self) -> str:
        return self.log.read_text("utf-8", "replace")[-2000:]


@asynccontextmanager
async def enricher(
    at: Line,
    program: Sequence[str] = ENRICH,
    *,
    workers: int = 1,
    warm_up: int = _WARM_UP,
) -> AsyncIterator[EnricherProcess]:
    """Enrichers on a line, warmed up; they end with the block.

    Args:
        at: the line.
        program: the arguments of Python that run one.
        workers: how many.
        warm_up: queries that they work off before.
    """
    made = EnricherProcess(at, at.servers.folder)
    try:
        for _ in range(workers):
            await made.start(program)
        await at.fill(Load(warm_up, seed=7_919))
        await made.caught_up()
        yield made
    finally:
        await made.stop()
