"""The real chain under test: servers and workers as processes, each of which may be killed.

workers ─▶ proxies ─▶ Kafka, Triton, Valkey ◀─ load, observer, oracle
"""

import asyncio
import logging
import shutil
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.links import links, two_listeners
from tests.faults.schedule import ENRICHERS, PERSONALIZERS, Guarantee
from tests.workers.rig import MODELS
from tests.workers.switchboard import Switchboard
from tests.workers.world import SECRET, world_of
from workers.embedded.ports import LOOPBACK, free_ports
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
    """What Triton serves. `digests` are those of the versions that a reload alternates between."""

    repository: Path
    name: str
    digests: tuple[str, ...] = ()


SMALL = ServedModel(MODELS, "rigged", ("rigged-1", "rigged-2"))
"""The tests' own: it keeps the contract, loads in a moment and answers by the text alone."""


def shipped_model() -> ServedModel:
    """The model of the repository; the small one while that has not been trained."""
    trained = any((SHIPPED / "encoder_en").glob("*/model.onnx"))
    return ServedModel(SHIPPED, "query_understanding") if trained else SMALL


@dataclass(slots=True)
class Chain:
    """What can be broken, and is put right again.

    Attributes:
        stack: the servers, and the workers by name.
        settings: those of every worker, though workers reach the servers through the proxies.
        links: the proxies, by server.
        model: what is served.
        rigging: the folder whose files steer the tests' own model.
        enricher: the module that enrichers run; tests of the suite itself run a faulty one.
        personalizer: likewise.
        restarts: workers that ended though nobody asked them to, with the tail of their log.
        bad_ends: workers that did not end in order, and in time, when they were asked to.
        locks: two faults of one target come one after the other.
    """

    stack: EmbeddedStack
    settings: Settings
    links: dict[str, Switchboard]
    model: ServedModel
    rigging: Path
    enricher: str = "workers.cli"
    personalizer: str = "workers.cli"
    restarts: list[str] = field(default_factory=list)
    bad_ends: list[str] = field(default_factory=list)
    locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    _supervisors: set["asyncio.Task[None]"] = field(default_factory=set)

    def serve(self, version: int) -> None:
        """Which version the tests' own model is from now on."""
        if self.model.digests:
            digest = self.model.digests[version % len(self.model.digests)]
            (self.rigging / "digest").write_text(digest)

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
        async with self.locks[name]:
            if self.stack.workers.get(name) is process:
                await self.start_worker(name)

    async def end_worker(self, name: str) -> None:
        """One worker, in order."""
        process = self.stack.workers[name]
        code = await self.stack.stop_worker(name)
        if code not in {0, _WHILE_STARTING}:
            self.bad_ends.append(f"{name} ended with {code} at SIGTERM:\n{process.log_tail(8)}")

    async def stop_workers(self) -> None:
        """All of them, in order."""
        await asyncio.gather(*(self.end_worker(name) for name in list(self.stack.workers)))

    def _environment(self) -> dict[str, str]:
        settings = self.settings
        kafka, triton = settings.kafka, settings.triton
        values: dict[str, object] = {
            "PREFIX": settings.prefix,
            "START": settings.start,
            "GUARANTEE": settings.guarantee,
            "PSEUDONYMS__SECRET": SECRET,
            "KAFKA__BOOTSTRAP_SERVERS": f"{LOOPBACK}:{self.links['kafka'].port}",
            "KAFKA__SESSION_TIMEOUT_MS": kafka.session_timeout_ms,
            "KAFKA__HEARTBEAT_INTERVAL_MS": kafka.heartbeat_interval_ms,
            "KAFKA__REQUEST_TIMEOUT_MS": kafka.request_timeout_ms,
            "TRITON__ADDRESS": f"{LOOPBACK}:{self.links['triton'].port}",
            "TRITON__MODEL_NAME": triton.model_name,
            "TRITON__MAX_BATCH_ROWS": triton.max_batch_rows,
            "TRITON__TIMEOUT_S": triton.timeout_s,
            "TRITON__RELOADS": triton.reloads,
            "REDIS__URL": self.links["valkey"].url,
        }
        return {f"INTENTSTREAM_{name}": str(value) for name, value in values.items()}


@asynccontextmanager
async def chain(
    run_dir: Path, model: ServedModel, guarantee: Guarantee, *, enricher: str, personalizer: str
) -> AsyncIterator[Chain]:
    """Servers, topics and workers, all started; all stopped in the end."""
    rigging, models = run_dir / "rigging", run_dir / "models"
    rigging.mkdir(parents=True)
    shutil.copytree(model.repository, models)  # a release may come meanwhile
    kafka, proxied, valkey, triton = free_ports(4)
    async with links({"kafka": proxied, "valkey": valkey, "triton": triton}) as proxies:
        stack = EmbeddedStack(
            run_dir / "stack",
            models,
            kafka_port=kafka,
            redis_port=valkey,
            triton_port=triton,
            kafka_settings=two_listeners(kafka, proxied, proxies["kafka"].port),
            triton_env={"RIGGED": str(rigging)},
            triton_models=(model.name,),
        )
        async with stack:
            world = await world_of(
                stack.addresses.kafka,
                "faults",
                guarantee=guarantee,
                topics={"partitions": PARTITIONS},
                kafka={
                    "session_timeout_ms": 3_000,
                    "heartbeat_interval_ms": 500,
                    "request_timeout_ms": 5_000,
                },
                # many reloads: the suite crashes the model more often than a year does
                triton={
                    "address": stack.addresses.triton,
                    "model_name": model.name,
                    "max_batch_rows": 32,
                    "timeout_s": 10,
                    "reloads": 1_000,
                },
                redis={"url": stack.addresses.redis},
            )
            made = Chain(stack, world.settings, proxies, model, rigging, enricher, personalizer)
            made.serve(0)
            try:
                for name in (*ENRICHERS, *PERSONALIZERS):
                    await made.start_worker(name)
                yield made
            finally:
                for process in stack.workers.values():
                    process.signal(signal.SIGCONT)
