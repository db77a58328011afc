"""The whole stack on one machine: starts what was not given by address, runs workers, stops it all."""

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from workers.embedded import kafka as embedded_kafka
from workers.embedded import preflight, triton_runtime
from workers.embedded.concurrency import all_or_none
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.process import EmbeddedServer, GuardedProcess, ProcessSpec, describe_exit
from workers.embedded.progress import Phase, Progressed, Report, silent
from workers.embedded.triton import EmbeddedTriton
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import IntentstreamError, PreflightError, ServerError

RUN_FOLDER = ".intentstream"
_LOCK_NAME = "stack.lock"
_WORKER_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three servers are, and who started the stack.

    Attributes:
        kafka: ``HOST:PORT``, comma-separated where there are several.
        redis: A ``redis://`` or ``rediss://`` URL.
        triton: ``HOST:PORT`` of the gRPC endpoint.
        pid: The process that runs the stack.
        triton_http: ``HOST:PORT``; empty where Triton was given by address.
        triton_metrics: Likewise.
    """

    kafka: str
    redis: str
    triton: str
    pid: int
    triton_http: str = ""
    triton_metrics: str = ""


@dataclass(slots=True)
class EmbeddedStack:
    """An async context manager around Kafka, Valkey, Triton and the workers that use them.

    Attributes:
        run_dir: Logs, data, addresses and the development key; made where it is missing.
        model_repository: What Triton serves.
        kafka: Bootstrap servers of a Kafka that runs already; None embeds one.
        redis: URL of a Redis that runs already; None embeds Valkey.
        triton: gRPC address of a Triton that runs already; None embeds one.
        report: Told about downloads, starts and stops.
        kafka_port: The embedded Kafka's port; None picks a free one.
        redis_port: Likewise for Valkey.
        triton_port: Likewise for Triton's gRPC.
        kafka_settings: Further settings of the embedded Kafka.
        triton_env: Further environment of the embedded Triton.
        triton_models: What it loads at start.
    """

    run_dir: Path
    model_repository: Path
    kafka: str | None = None
    redis: str | None = None
    triton: str | None = None
    report: Report = silent
    kafka_port: int | None = None
    redis_port: int | None = None
    triton_port: int | None = None
    kafka_settings: Mapping[str, str] = field(default_factory=dict)
    triton_env: Mapping[str, str] = field(default_factory=dict)
    triton_models: Sequence[str] = ("query_understanding",)
    servers: dict[str, EmbeddedServer] = field(default_factory=dict, init=False)
    workers: dict[str, GuardedProcess] = field(default_factory=dict, init=False)
    _addresses: Addresses | None = field(default=None, init=False)
    _failures: "asyncio.Queue[ServerError]" = field(default_factory=asyncio.Queue, init=False)
    _watchers: set["asyncio.Task[None]"] = field(default_factory=set, init=False)
    _lock: IO[str] | None = field(default=None, init=False)

    @property
    def addresses(self) -> Addresses:
        """Where the servers are. Known once the stack has been entered."""
        if self._addresses is None:
            raise RuntimeError("the stack has not been started")
        return self._addresses

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.run_dir.absolute() / "logs"

    async def __aenter__(self) -> Self:
        self._plan()
        self._check()
        self._lock = _claim(self.run_dir)
        try:
            await all_or_none(self._start(name, server) for name, server in self.servers.items())
        except BaseException:
            await self._stop_all()
            raise
        self._write_addresses()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop_all()

    async def spawn_worker(
        self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None
    ) -> GuardedProcess:
        """Start a worker as a child that logs to ``run_dir/logs/NAME.log`` and ends with us.

        Args:
            name: Its name in messages; unique in this stack.
            argv: The program and its arguments.
            env: Variables on top of ours.

        Raises:
            ServerError: It cannot be run at all. That it ends later is told by ``failure()``.
        """
        process = await GuardedProcess.start(
            ProcessSpec(
                name=name,
                argv=argv,
                log=self.logs / f"{name}.log",
                cwd=Path.cwd(),
                env={**os.environ, **(env or {})},
                grace_s=_WORKER_GRACE_S,
            )
        )
        self.workers[name] = process
        self._watch(process)
        self.report(Progressed(name, Phase.STARTING, f"pid {process.pid}"))
        return process

    async def stop_worker(self, name: str) -> int:
        """Stop one worker cleanly. Returns its exit code."""
        process = self.workers.pop(name)
        return await process.stop()

    def kill_all(self) -> None:
        """Kill servers and workers without waiting: for when someone is in a hurry to leave."""
        processes = [server.process for server in self.servers.values()]
        for process in (*processes, *self.workers.values()):
            if process is not None:
                process.signal(signal.SIGKILL)

    async def failure(self) -> ServerError:
        """Wait until a server or a worker ends that nobody asked to, and say so with its log's tail."""
        return await self._failures.get()

    def _plan(self) -> None:
        if self.kafka is None:
            self.servers["kafka"] = EmbeddedKafka(
                self.run_dir, port=self.kafka_port, settings=self.kafka_settings, report=self.report
            )
        if self.redis is None:
            self.servers["valkey"] = EmbeddedValkey(self.run_dir, port=self.redis_port)
        if self.triton is None:
            self.servers["triton"] = EmbeddedTriton(
                self.run_dir,
                self.model_repository,
                load_models=self.triton_models,
                grpc_port=self.triton_port,
                env=self.triton_env,
                report=self.report,
            )

    def _check(self) -> None:
        asked = (self.kafka_port, self.redis_port, self.triton_port)
        downloads = embedded_kafka.needs_download() if "kafka" in self.servers else 0
        downloads += triton_runtime.needs_download() if "triton" in self.servers else 0
        preflight.require(
            preflight.find_problems(
                self.run_dir,
                self.servers,
                ports=[port for port in asked if port is not None],
                download_bytes=downloads,
            )
        )

    async def _start(self, name: str, server: EmbeddedServer) -> None:
        server.on_launch = self._watch
        self.report(Progressed(name, Phase.STARTING))
        try:
            await server.start()
        except IntentstreamError:
            self.report(Progressed(name, Phase.FAILED))
            raise
        self.report(Progressed(name, Phase.READY, _address_of(server)))

    def _watch(self, process: GuardedProcess) -> None:
        async def until_it_ends() -> None:
            code = await process.wait()
            if not process.asked_to_end:
                name = process.spec.name
                self.report(Progressed(name, Phase.FAILED, describe_exit(code)))
                self._failures.put_nowait(
                    process.failure(f"{name} ended unexpectedly ({describe_exit(code)})")
                )

        task = asyncio.create_task(until_it_ends())
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _stop_all(self) -> None:
        """Stop the workers while their servers are there, then the servers."""
        await asyncio.gather(*(self._stop(name, worker) for name, worker in self.workers.items()))
        await asyncio.gather(*(self._stop(name, server) for name, server in self.servers.items()))
        with contextlib.suppress(OSError):
            _addresses_file(self.run_dir).unlink()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def _stop(self, name: str, what: EmbeddedServer | GuardedProcess) -> None:
        self.report(Progressed(name, Phase.STOPPING))
        await what.stop()
        self.report(Progressed(name, Phase.STOPPED))

    def _write_addresses(self) -> None:
        kafka, valkey, triton = map(self.servers.get, ("kafka", "valkey", "triton"))
        embedded = triton if isinstance(triton, EmbeddedTriton) else None
        self._addresses = Addresses(
            kafka=self.kafka or _address_of(kafka),
            redis=self.redis or _address_of(valkey),
            triton=self.triton or _address_of(triton),
            pid=os.getpid(),
            triton_http=embedded.http_address if embedded else "",
            triton_metrics=embedded.metrics_address if embedded else "",
        )
        target = _addresses_file(self.run_dir)
        scratch = target.with_suffix(".tmp")
        scratch.write_text(json.dumps(asdict(self._addresses), indent=2) + "\n", "utf-8")
        scratch.replace(target)


def running_stack(run_dir: Path) -> Addresses | None:
    """Where the servers of the stack are that runs in this folder now, or None where none does."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        addresses = Addresses(**json.loads(_addresses_file(run_dir).read_text("utf-8")))
        with (run_dir / _LOCK_NAME).open("r") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:  # held by the stack, so it is alive
                return addresses
    return None


def development_key(run_dir: Path) -> str:
    """The key for pseudonyms in the embedded stack: 64 hex digits, made at the first call and kept.

    It lives in the run folder, readable by its owner alone, so that pseudonyms stay the same between runs.
    """
    _make_run_folder(run_dir)
    path = run_dir / "pseudonym.key"
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    return path.read_text("ascii").strip()


def _make_run_folder(run_dir: Path) -> None:
    """Make it for its owner alone: Kafka's data hold raw queries and user ids."""
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def _addresses_file(run_dir: Path) -> Path:
    return run_dir / "stack.json"


def _claim(run_dir: Path) -> IO[str]:
    """Take the run folder for this process; the claim ends with it, however it ends.

    Raises:
        PreflightError: Another process has it.
    """
    try:
        _make_run_folder(run_dir)
        file = (run_dir / _LOCK_NAME).open("a+")
    except OSError as error:
        raise PreflightError(
            f"cannot write to the run folder {run_dir}: {error.strerror}",
            "start from a folder of your own, or name another run folder",
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise PreflightError(
            f"another stack is running in {run_dir} (process {holder})",
            f"stop it (kill {holder}), or start from another folder",
        ) from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def _address_of(server: EmbeddedServer | None) -> str:
    match server:
        case EmbeddedKafka():
            return server.bootstrap
        case EmbeddedValkey():
            return server.url
        case EmbeddedTriton():
            return server.grpc_address
        case _:
            return ""
