"""Workers against the instant model: a backlog is worked off, and what that took is measured.

Workers join their group on empty topics and warm up; then they are held still while the backlog is
written, so that what is measured is nothing but work at full batches.
"""

import asyncio
import signal
import string
import sys
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count as numbers
from pathlib import Path
from typing import Any, Final

import msgspec
import psutil
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from benchmarks.accounting import cpu_seconds
from benchmarks.instant_model import InstantModel
from benchmarks.queries import distinct
from benchmarks.rig import ENRICH, deployment, worker_env
from workers.embedded.kafka import EmbeddedKafka
from workers.enrichment.enricher import ROLE
from workers.errors import IntentstreamError
from workers.kafka import admin, producer, running
from workers.settings import Settings

_USERS: Final = 1_000
_TEXTS: Final = 2_000
_WARM_UP: Final = 1_000
_WARM_UP_FROM: Final = 10**9
_SESSION_MS: Final = 120_000  # a worker that is held still for less stays in its group
_LOOK_EVERY_S: Final = 0.05
_JOIN_S: Final = 150.0
_WITHIN_S: Final = 400.0

Record = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs, and a folder for logs."""

    kafka: EmbeddedKafka
    model: InstantModel
    folder: Path


@asynccontextmanager
async def servers(folder: Path) -> AsyncIterator[Servers]:
    """A Kafka and an instant model of our own."""
    async with EmbeddedKafka(folder) as kafka, InstantModel(folder) as model:
        yield Servers(kafka, model, folder)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a backlog of so many queries, over all workers."""

    queries: int
    cpu_s: float
    seconds: float
    peak_bytes: int
    """Of the largest worker, since its start."""

    @property
    def us_a_query(self) -> float:
        """Microseconds of one core."""
        return self.cpu_s / self.queries * 1e6


def backlog(count: int, *, first: int = 0) -> Iterable[Record]:
    """Keys and values of queries, all distinct, of a thousand users; the same ones every time.

    `first` numbers the first one: two stretches of numbers share no text.
    """
    texts = _texts()
    for number in range(first, first + count):
        again, place = divmod(number, len(texts))
        text = f"{texts[place]} {_letters(again)}" if again else texts[place]
        user = f"u-{number % _USERS}"
        query = {
            "text": text,
            "query_id": f"q-{number:012x}",
            "user_id": user,
            "session_id": f"s-{number // 4:08x}",
            "locale": "en-GB",
            "channel": "search",
        }
        yield user.encode(), msgspec.json.encode(query)


@cache
def _texts() -> list[str]:
    return distinct(_TEXTS)


def _letters(number: int) -> str:
    """A word that no other number has: digits would look like personal data to the redactor."""
    word = ""
    while number:
        number, place = divmod(number, 26)
        word += string.ascii_lowercase[place]
    return word


@dataclass(slots=True)
class Run:
    """Topics under a prefix of their own, and the workers on them."""

    settings: Settings
    log: Path
    program: Sequence[str]
    env: dict[str, str]
    _fed: int = field(default=0, init=False)
    _processes: list[asyncio.subprocess.Process] = field(default_factory=list, init=False)

    async def start(self, workers: int) -> None:
        """Starts workers; returns when all are in the group."""
        with self.log.open("ab") as file:
            for _ in range(workers):
                self._processes.append(
                    await asyncio.create_subprocess_exec(
                        sys.executable, *self.program, env=self.env, stdout=file, stderr=file
                    )
                )
        kafka, group = self.settings.kafka, self.settings.group_id(ROLE)
        async with running(admin(kafka), kafka) as client:
            async for _ in self._looking(_JOIN_S):
                try:
                    (answer,) = await client.describe_consumer_groups([group])
                except KafkaError:  # the first group of a broker that has just started
                    continue
                _, _, state, _, _, members, *_ = answer.groups[0]
                if state == "Stable" and len(members) == workers:
                    return

    async def feed(self, records: Iterable[Record]) -> int:
        """Appends queries, and returns how many."""
        before = self._fed
        async with running(producer(self.settings.kafka), self.settings.kafka) as client:
            for key, value in records:
                await client.send(self.settings.topic_names.raw, value, key=key)
                self._fed += 1
            await client.flush()
        return self._fed - before

    async def work_off(self, records: Iterable[Record]) -> Cost:
        """Holds the workers still while the backlog is written, and measures how they work it off."""
        for process in self._processes:
            process.send_signal(signal.SIGSTOP)
        kafka = self.settings.kafka
        async with running(admin(kafka), kafka) as client:
            queries = await self.feed(records)
            used, began = -self._cpu_s(), time.monotonic()
            for process in self._processes:
                process.send_signal(signal.SIGCONT)
            await self._until_all_is_committed(client)
            seconds = time.monotonic() - began
        return Cost(queries, used + self._cpu_s(), seconds, self._peak_bytes())

    async def settled(self) -> None:
        """Waits until all that was fed is committed."""
        async with running(admin(self.settings.kafka), self.settings.kafka) as client:
            await self._until_all_is_committed(client)

    async def stop(self) -> None:
        """Ends the workers at once."""
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _until_all_is_committed(self, client: AIOKafkaAdminClient) -> None:
        group, raw = self.settings.group_id(ROLE), self.settings.topic_names.raw
        async for _ in self._looking(_WITHIN_S):
            try:
                offsets = await client.list_consumer_group_offsets(group)
            except KafkaError:  # its coordinator is loading
                continue
            done = (max(at.offset, 0) for place, at in offsets.items() if place.topic == raw)
            if sum(done) >= self._fed:
                return

    async def _looking(self, within_s: float) -> AsyncIterator[int]:
        """Turns to look at something, until time is up or a worker has ended: both raise."""
        deadline = time.monotonic() + within_s
        for turn in numbers():
            yield turn
            ended = any(process.returncode is not None for process in self._processes)
            if ended or time.monotonic() > deadline:
                said = self.log.read_text("utf-8", "replace")[-2000:]
                raise IntentstreamError("a worker ended, or is too slow", said)
            await asyncio.sleep(_LOOK_EVERY_S)

    def _cpu_s(self) -> float:
        return sum(cpu_seconds(process.pid) for process in self._processes)

    def _peak_bytes(self) -> int:
        return max(_peak_bytes(process.pid) for process in self._processes)


def _peak_bytes(pid: int) -> int:
    """The most memory that a process ever held: the kernel's high-water mark."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise psutil.NoSuchProcess(pid)


@asynccontextmanager
async def run(
    on: Servers,
    program: Sequence[str] = ENRICH,
    *,
    partitions: int = 4,
    workers: int = 1,
    warm_up: int = _WARM_UP,
    **more: Any,
) -> AsyncIterator[Run]:
    """Workers in their group, warmed up, on topics just made; they end with it.

    Args:
        on: where.
        program: arguments of Python; it finds all else in the environment.
        partitions: of each topic.
        workers: how many.
        warm_up: queries before anything is measured.
        more: environment of the workers: settings by their names without prefix, in lower case.
    """
    settings = await deployment(on.kafka.bootstrap, on.model.grpc_address, partitions)
    more = {"kafka__session_timeout_ms": _SESSION_MS} | more
    chosen = {f"INTENTSTREAM_{name.upper()}": str(value) for name, value in more.items()}
    env = worker_env(settings, chosen)
    made = Run(settings, on.folder / f"{settings.prefix}.log", program, env)
    try:
        await made.start(workers)
        if warm_up:
            await made.feed(backlog(warm_up, first=_WARM_UP_FROM))
            await made.settled()
        yield made
    finally:
        await made.stop()
