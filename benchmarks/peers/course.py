"""How a turn of the race is measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count as numbers
from itertools import pairwise
from typing import Any, Final

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from benchmarks.accounting import cpu_seconds
from benchmarks.load import Load
from benchmarks.peers.agreement import Agreement, agreement, answers_in
from benchmarks.peers.contenders import ENRICHER, Contender, Peer
from benchmarks.peers.peer_process import PeerProcess
from benchmarks.peers.place import Place
from benchmarks.rig import MODELS, EnricherProcess, Line, Servers, line
from workers.errors import IntentstreamError
from workers.kafka import admin, running

_FIRST_EVENT_S: Final = 60.0
_LONGEST_S: Final = 300.0
_WARM_UP_S: Final = 1.5
_LEAST_EVENTS: Final = 300
"""On a machine that is too busy for the time of a window, it lasts longer."""
_SLOWEST_S: Final = 60.0
_ATTEMPTS: Final = 20
_LOOK_EVERY_S: Final = 0.1
_COMPARED: Final = 30_000
"""Events of each that are looked at for the same queries."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What was done in a window, and what that took of the processor, in seconds of one core."""

    queries: int
    seconds: float
    worker: float
    model: float
    lost: int = 0
    """Queries that were committed when it was told to stop, and have no event."""

    @property
    def a_second(self) -> float:
        """Events by the wall clock."""
        return self.queries / self.seconds

    @property
    def worker_ms(self) -> float:
        """The worker's milliseconds of one core a query."""
        return self.worker / self.queries * 1000

    @property
    def model_ms(self) -> float:
        """The model server's."""
        return self.model / self.queries * 1000


@dataclass(frozen=True, slots=True)
class _Mark:
    events: int
    at: float
    worker: float
    model: float

    def until(self, later: "_Mark") -> Pace:
        return Pace(
            later.events - self.events,
            later.at - self.at,
            later.worker - self.worker,
            later.model - self.model,
        )


@dataclass(slots=True)
class Course:
    """A backlog of queries, and topics for what each contender makes of them."""

    at: Line
    queries: int
    _targets: dict[str, str] = field(default_factory=dict, init=False)
    _turns: "numbers[int]" = field(default_factory=numbers, init=False)

    async def turn(self, one: Contender, seconds: float, windows: int = 1) -> list[Pace]:
        """Starts a contender, and once it is warm watches it in so many windows, one by one.

        Args:
            one: who is to run.
            seconds: of a window; it ends before when all is done.
            windows: how many.

        Raises:
            IntentstreamError: it ended, did not begin, or has committed nothing.
        """
        target = await self._target(one)
        before = await self._events(target)
        group = f"{self.at.settings.prefix}-turn-{next(self._turns)}"
        last = self._last(one, before)
        async with self._running(one, target, group) as process:
            await self._begun(process, target, before)
            await asyncio.sleep(_WARM_UP_S)
            marks = [await self._mark(process, target)]
            for _ in range(windows):
                done = marks[-1].events
                await self._until(process, target, last, seconds)
                enough = await self._until(
                    process, target, min(done + _LEAST_EVENTS, last), _SLOWEST_S
                )
                if done == last or not enough:
                    raise IntentstreamError("it got too little done")
                marks.append(await self._mark(process, target))
        lost = 0
        if isinstance(one, Peer):
            lost = await self._committed(group) - (await self._events(target) - before)
        return [replace(a.until(b), lost=max(lost, 0)) for a, b in pairwise(marks)]

    async def run_through(self, one: Contender) -> Pace:
        """From a contender's first event to its last, of all there is."""
        target = await self._target(one)
        before = await self._events(target)
        group = f"{self.at.settings.prefix}-turn-{next(self._turns)}"
        async with self._running(one, target, group) as process:
            began = await self._begun(process, target, before)
            if not await self._until(process, target, self._last(one, before), _LONGEST_S):
                raise IntentstreamError("it does not get through")
            return began.until(await self._mark(process, target))

    async def compared(self, peer: Peer) -> Agreement:
        """How far a peer says what the enricher says."""
        ours, theirs = [
            await answers_in(self.at.settings.kafka, self.at.places(await self._target(one)), count)
            for one, count in ((ENRICHER, self.queries), (peer, _COMPARED))
        ]
        return agreement(ours, theirs, scores=peer.scores)

    def _last(self, one: Contender, before: int) -> int:
        """Events when all is done: a peer's turn begins at the first query, ours where we were."""
        return self.queries + (before if isinstance(one, Peer) else 0)

    async def _begun(
        self, process: EnricherProcess | PeerProcess, target: str, before: int
    ) -> _Mark:
        if not await self._until(process, target, before + 1, _FIRST_EVENT_S):
            raise IntentstreamError("it does not begin")
        return await self._mark(process, target)

    async def _target(self, one: Contender) -> str:
        """The topic of a contender's events."""
        if not isinstance(one, Peer):
            return self.at.settings.topic_names.intents
        if one.name not in self._targets:
            name = f"{self.at.settings.prefix}.{one.module}"
            async with running(admin(self.at.settings.kafka), self.at.settings.kafka) as client:
                partitions = self.at.settings.topics.partitions
                await client.create_topics([NewTopic(name, partitions, 1)])
            self._targets[one.name] = name
        return self._targets[one.name]

    @asynccontextmanager
    async def _running(
        self, one: Contender, target: str, group: str
    ) -> AsyncIterator[EnricherProcess | PeerProcess]:
        up = self.at.servers
        process: EnricherProcess | PeerProcess = EnricherProcess(self.at, up.folder)
        if isinstance(one, Peer):
            source = self.at.settings.topic_names.raw
            place = Place(up.kafka, up.triton, source, target, group, str(MODELS))
            process = PeerProcess(one, place, up.folder)
        try:
            await process.start()
            yield process
        finally:
            await process.stop()

    async def _events(self, target: str) -> int:
        return sum((await self.at.reader.end_offsets(self.at.places(target))).values())

    async def _mark(self, process: EnricherProcess | PeerProcess, target: str) -> _Mark:
        worker = sum(map(cpu_seconds, process.pids))
        model = cpu_seconds(self.at.servers.triton_pid)
        return _Mark(await self._events(target), time.monotonic(), worker, model)

    async def _until(
        self, process: EnricherProcess | PeerProcess, target: str, events: int, within_s: float
    ) -> bool:
        """Waits for so many events, or until time is up: False. Raises when the process has ended."""
        deadline = time.monotonic() + within_s
        while await self._events(target) < events:
            process.check()
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            await asyncio.sleep(min(_LOOK_EVERY_S, left))
        return True

    async def _committed(self, group: str) -> int:
        kafka = self.at.settings.kafka
        async with running(admin(kafka), kafka) as client:
            found = await _asked_again(lambda: client.list_consumer_group_offsets(group))
        committed = sum(max(int(one.offset), 0) for one in found.values())
        if not committed:
            raise IntentstreamError("it has committed nothing")
        return committed


async def _asked_again(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer about a group, whose coordinator may be loading it just now."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(KafkaError):
            return await ask()
        await asyncio.sleep(_LOOK_EVERY_S)
    return await ask()


@asynccontextmanager
async def course(up: Servers, load: Load, partitions: int = 4) -> AsyncIterator[Course]:
    """Topics of their own, with a backlog."""
    async with line(up, partitions=partitions) as at:
        await at.fill(load)
        yield Course(at, load.count)
