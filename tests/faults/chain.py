"""The real chain under test: servers and workers as processes, each of which may be killed."""

import asyncio
import logging
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.schedule import ENRICHERS, PERSONALIZERS, SERVERS, Fault, FaultKind
from tests.workers.rig import MODELS
from tests.workers.world import SECRET, world_of
from workers.embedded.process import GuardedProcess
from workers.embedded.stack import EmbeddedStack
from workers.settings import Settings

logger = logging.getLogger(__name__)

SHIPPED = Path(__file__).resolve().parents[2] / "model_repository"
PARTITIONS = 4
_WHILE_STARTING = (
    128 + signal.SIGTERM
)  # it was asked to end before it could listen, or hold anything


@dataclass(frozen=True, slots=True)
class ServedModel:
    """What Triton serves."""

    repository: Path
    name: str


SMALL = ServedModel(MODELS, "rigged")
"""The tests' own: it keeps the contract, loads in a moment and answers by the text alone."""


def shipped_model() -> ServedModel:
    """The model of the repository; the small one while that has not been trained."""
    trained = (SHIPPED / "encoder_en" / "1" / "model.onnx").exists()
    return ServedModel(SHIPPED, "query_understanding") if trained else SMALL


@dataclass(slots=True)
class Chain:
    """What can be broken, and is put right again.

    Attributes:
        stack: the servers, and the workers by name.
        settings: those of every worker.
        enricher: the module that enrichers run; tests of the suite itself run a faulty one.
        personalizer: likewise.
        restarts: workers that ended though nobody asked them to, with the tail of their log.
        bad_ends: workers that did not end in order, and in time, when they were asked to.
    """

    stack: EmbeddedStack
    settings: Settings
    enricher: str = "workers.cli"
    personalizer: str = "workers.cli"
    restarts: list[str] = field(default_factory=list)
    bad_ends: list[str] = field(default_factory=list)
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _supervisors: set["asyncio.Task[None]"] = field(default_factory=set)

    async def start_worker(self, name: str) -> None:
        """One worker, by a name that says what it is."""
        command = "enrich" if name.startswith("enricher") else "personalize"
        more = ("--stats-every", "0") if command == "enrich" else ()
        module = self.enricher if command == "enrich" else self.personalizer
        argv = (sys.executable, "-m", module, command, *more)
        process = await self.stack.spawn_worker(name, argv, self._environment())
        task = asyncio.create_task(self._supervise(name, process))
        self._supervisors.add(task)
        task.add_done_callback(self._supervisors.discard)

    async def _supervise(self, name: str, process: GuardedProcess) -> None:
        """As Docker's `restart: unless-stopped` would."""
        code = await process.wait()
        if process.asked_to_end:
            return
        self.restarts.append(f"{name} ended by itself ({code}):\n{process.log_tail(8)}")
        async with self._locks[name]:
            if self.stack.workers.get(name) is process:
                await self.start_worker(name)

    async def inject(self, fault: Fault) -> None:
        """Does it, and undoes it. Two faults of one target come one after the other."""
        async with self._locks[fault.target]:
            if fault.target in SERVERS:
                await self.stack.servers[fault.target].kill()
                await asyncio.sleep(fault.length)
                await self.stack.servers[fault.target].start()
            elif fault.kind is FaultKind.JOIN:
                await self.start_worker(fault.target)
                await asyncio.sleep(fault.length)
                await self._end(fault.target)
            elif fault.kind is FaultKind.FREEZE:
                process = self.stack.workers[fault.target]
                process.signal(signal.SIGSTOP)
                await asyncio.sleep(fault.length)
                process.signal(signal.SIGCONT)
            else:
                if fault.kind is FaultKind.KILL:
                    await self.stack.workers[fault.target].kill()
                else:
                    await self._end(fault.target)
                await asyncio.sleep(fault.length)
                await self.start_worker(fault.target)

    async def heal(self) -> None:
        """Whatever was interrupted: everything runs afterwards."""
        for process in self.stack.workers.values():
            process.signal(signal.SIGCONT)
        for server in self.stack.servers.values():
            await server.start()
        for name in (*ENRICHERS, *PERSONALIZERS):
            async with self._locks[name]:
                process_ = self.stack.workers.get(name)
                if process_ is None or not process_.running:
                    await self.start_worker(name)

    async def stop_workers(self) -> None:
        """All of them, in order."""
        await asyncio.gather(*(self._end(name) for name in list(self.stack.workers)))

    async def _end(self, name: str) -> None:
        process = self.stack.workers[name]
        code = await self.stack.stop_worker(name)
        if code not in {0, _WHILE_STARTING}:
            self.bad_ends.append(f"{name} ended with {code} at SIGTERM:\n{process.log_tail(8)}")

    def _environment(self) -> dict[str, str]:
        kafka, triton, redis = self.settings.kafka, self.settings.triton, self.settings.redis
        values: dict[str, object] = {
            "PREFIX": self.settings.prefix,
            "START": self.settings.start,
            "PSEUDONYMS__SECRET": SECRET,
            "KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "KAFKA__SESSION_TIMEOUT_MS": kafka.session_timeout_ms,
            "KAFKA__HEARTBEAT_INTERVAL_MS": kafka.heartbeat_interval_ms,
            "TRITON__ADDRESS": triton.address,
            "TRITON__MODEL_NAME": triton.model_name,
            "TRITON__MAX_BATCH_ROWS": triton.max_batch_rows,
            "REDIS__URL": redis.url.get_secret_value(),
        }
        return {f"INTENTSTREAM_{name}": str(value) for name, value in values.items()}


@asynccontextmanager
async def chain(
    run_dir: Path, model: ServedModel, enricher: str, personalizer: str = "workers.cli"
) -> AsyncIterator[Chain]:
    """Servers, topics and workers, all started; all stopped in the end."""
    stack = EmbeddedStack(run_dir, model.repository, triton_models=(model.name,))
    async with stack:
        where = stack.addresses
        world = await world_of(
            where.kafka,
            "faults",
            topics={"partitions": PARTITIONS},
            kafka={"session_timeout_ms": 3_000, "heartbeat_interval_ms": 500},
            triton={"address": where.triton, "model_name": model.name, "max_batch_rows": 32},
            redis={"url": where.redis},
        )
        made = Chain(stack, world.settings, enricher, personalizer)
        try:
            for name in (*ENRICHERS, *PERSONALIZERS):
                await made.start_worker(name)
            yield made
        finally:
            for process in stack.workers.values():
                process.signal(signal.SIGCONT)
