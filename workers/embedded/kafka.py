"""Apache Kafka, one node in KRaft mode, as a child process."""

import asyncio
import base64
import os
import re
import shutil
import tempfile
import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from workers.embedded.class_cache import ClassCache, class_cache
from workers.embedded.concurrency import in_thread
from workers.embedded.home import Lock, ensure_installed, installed, read_lock
from workers.embedded.java import find_java
from workers.embedded.ports import LOOPBACK, free_ports
from workers.embedded.process import EmbeddedServer, GuardedProcess, ProcessSpec, describe_exit
from workers.embedded.progress import Phase, Progressed, Report, silent
from workers.errors import InstallError

_RECIPE = "jars-1"
_NOISE = re.compile(r"\[[^]]*\] INFO |\t[\w.]+ = |$")
_LOCK_FILE = Path(__file__).with_name("kafka.lock")
_READY = "Kafka Server started"
_READY_TIMEOUT_S = 90.0
_FORMAT_TIMEOUT_S = 90.0
_TRAINING_GRACE_S = 120.0  # at its end a training run writes the cache of classes
_CLASSES = "classes"
_SCRATCH = "scratch"
_OLDEST_MAJOR = 4  # `format --standalone` and the KRaft settings below

# Small, and quick to start: interpreting and the first compiler do for a development node.
_JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

_LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
"""

# One broker: nothing can be replicated, internal topics are small, groups need not wait for more members.
_ONE_NODE = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": "data",
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "log.cleaner.dedupe.buffer.size": "8388608",
}


def kafka_lock() -> Lock:
    """What the embedded Kafka consists of."""
    return read_lock(_LOCK_FILE, _RECIPE)


def needs_download() -> int:
    """Bytes that the first start would download."""
    if os.environ.get("KAFKA_HOME") or installed("kafka", kafka_lock()):
        return 0
    return kafka_lock().size


def install_kafka(report: Report = silent, cancelled: threading.Event | None = None) -> Path:
    """The folder of Kafka's jars: ``$KAFKA_HOME/libs`` where set, else fetched once. Blocking.

    Raises:
        InstallError: A jar could not be fetched or checked, or KAFKA_HOME is not a Kafka 4 or newer.
    """
    if home := os.environ.get("KAFKA_HOME"):
        return _libs_of(Path(home).expanduser().absolute())
    lock = kafka_lock()
    stop = cancelled or threading.Event()

    def fill(folder: Path) -> None:
        from workers.embedded.maven import MavenFetcher  # noqa: PLC0415 - only an install needs jgo

        done = 0

        def advance(count: int, name: str) -> None:
            nonlocal done
            done += count
            report(Progressed("kafka", Phase.DOWNLOADING, name, done, lock.size))

        libs = folder / "libs"
        libs.mkdir(exist_ok=True)
        fetcher = MavenFetcher(folder / "m2", advance, stop)
        for pin in lock.pins:
            jar = fetcher.fetch(pin)
            link = libs / jar.name
            link.unlink(missing_ok=True)
            link.hardlink_to(jar)

    return ensure_installed("kafka", lock, fill, report=report, cancelled=stop) / "libs"


def _libs_of(home: Path) -> Path:
    libs = home / "libs"
    servers = sorted(libs.glob("kafka-clients-*.jar")) if libs.is_dir() else []
    if not servers:
        raise InstallError(
            f"KAFKA_HOME={home} holds no Kafka (no libs/kafka-clients-*.jar)",
            "point KAFKA_HOME at an unpacked Kafka 4, or unset it to have one fetched",
        )
    version = servers[-1].stem.removeprefix("kafka-clients-")
    if int(version.split(".", 1)[0]) < _OLDEST_MAJOR:
        raise InstallError(
            f"KAFKA_HOME={home} holds Kafka {version}; the embedded stack needs {_OLDEST_MAJOR}.0 or newer",
            "point KAFKA_HOME at a Kafka 4, or unset it to have one fetched",
        )
    return libs


@dataclass(frozen=True, slots=True)
class KafkaRuntime:
    """What a node runs on.

    Attributes:
        java: The launcher.
        libs: The folder of Kafka's jars.
        classes: The cache of their classes, where there is one.
        flags: Further arguments of the JVM.
        grace_s: Seconds from SIGTERM to SIGKILL.
    """

    java: Path
    libs: Path
    classes: Path | None = None
    flags: Sequence[str] = ()
    grace_s: float = 10.0


async def prepare_kafka(report: Report = silent) -> KafkaRuntime:
    """Install what is missing and find a Java; the first time also make the cache of classes.

    Raises:
        InstallError: A jar could not be fetched or checked, or there is no Java.
    """
    libs = await in_thread(install_kafka, report)
    java = await asyncio.to_thread(find_java)
    cache = await asyncio.to_thread(class_cache, java, libs)
    if not cache.path.exists():
        report(Progressed("kafka", Phase.INSTALLING, "cache of Java classes, for quick starts"))
        with tempfile.TemporaryDirectory(prefix="intentstream-kafka-") as folder:
            node = EmbeddedKafka(Path(folder))
            await cache.make(lambda: node.record_classes(KafkaRuntime(java, libs), cache))
    if not cache.usable:
        return KafkaRuntime(java, libs)
    return KafkaRuntime(java, libs, cache.path, cache.flags_to_use(_CLASSES))


@dataclass(slots=True)
class EmbeddedKafka(EmbeddedServer):
    """One Kafka node on loopback, without security. Data are kept in ``run_dir/kafka``.

    Attributes:
        run_dir: The run folder.
        port: The broker's port; None picks a free one.
        settings: Further settings of ``server.properties``, which win over ours.
        format_options: Further arguments of ``kafka-storage.sh format``, such as the first users.
        report: Told about downloads.
    """

    port: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    format_options: Sequence[str] = ()
    report: Report = silent
    _controller_port: int | None = field(default=None, init=False)
    _runtime: KafkaRuntime | None = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """``127.0.0.1:PORT``."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def _folder(self) -> Path:
        return self.run_dir.absolute() / "kafka"

    async def _launch(self) -> GuardedProcess:
        if self._runtime is None:
            self._runtime = await prepare_kafka(self.report)
        self.report(Progressed("kafka", Phase.STARTING))
        await self._lay_out(self._runtime)
        self._empty_scratch()
        process = await GuardedProcess.start(
            self._spec("kafka", self._runtime, "kafka.Kafka", "server.properties")
        )

        async def started() -> bool:
            return _READY in process.log_since_start()

        await process.wait_until(started, timeout_s=_READY_TIMEOUT_S)
        return process

    async def record_classes(self, runtime: KafkaRuntime, cache: ClassCache) -> Path:
        """Start and stop once, so that the JVM writes the cache of its classes. Returns the file.

        Raises:
            ServerError: It did not start.
        """
        await self._lay_out(runtime)
        self._runtime = replace(
            runtime, flags=cache.flags_to_train(_CLASSES), grace_s=_TRAINING_GRACE_S
        )
        async with self:
            pass
        return self._folder / _CLASSES

    async def _lay_out(self, runtime: KafkaRuntime) -> None:
        self._choose_ports()
        self._write_configuration(runtime)
        if not (self._folder / "data" / "meta.properties").exists():
            await self._format(runtime)

    def _choose_ports(self) -> None:
        if self.port is None:
            self.port, self._controller_port = free_ports(2)
        elif self._controller_port is None:
            (self._controller_port,) = free_ports(1)

    def _write_configuration(self, runtime: KafkaRuntime) -> None:
        """Write all that Kafka reads into its folder, so that every path can be relative.

        A path with a space, a comma, a colon or an umlaut would otherwise meet the rules of class
        paths, of lists in properties files and of their encoding.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        for name, target in (("libs", runtime.libs), (_CLASSES, runtime.classes)):
            link = self._folder / name
            link.unlink(missing_ok=True)
            if target is not None:
                link.symlink_to(target)
        client = f"PLAINTEXT://{LOOPBACK}:{self.port}"
        controller = f"{LOOPBACK}:{self._controller_port}"
        settings = {
            **_ONE_NODE,
            "listeners": f"{client},CONTROLLER://{controller}",
            "advertised.listeners": f"{client},CONTROLLER://{controller}",
            "controller.quorum.bootstrap.servers": controller,
            **self.settings,
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self._folder / "server.properties").write_text(lines, "ascii")
        (self._folder / "log4j2.properties").write_text(_LOGGING, "ascii")

    def _empty_scratch(self) -> None:
        """Its compression libraries are unpacked here, and stay when it is killed."""
        scratch = self._folder / _SCRATCH
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()

    async def _format(self, runtime: KafkaRuntime) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = [
            "format",
            f"--cluster-id={cluster}",  # with "=": an id may begin with a hyphen
            "-c",
            "server.properties",
            "--standalone",
            "--ignore-formatted",
            *self.format_options,
        ]
        process = await GuardedProcess.start(
            self._spec("kafka-format", runtime, "kafka.tools.StorageTool", *arguments)
        )
        try:
            code = await asyncio.wait_for(process.wait(), _FORMAT_TIMEOUT_S)
        except BaseException as error:
            await process.kill()
            if isinstance(error, TimeoutError):
                raise process.failure("formatting Kafka's data folder took too long") from None
            raise
        if code:
            raise process.failure(f"formatting Kafka's data folder failed ({describe_exit(code)})")

    def _spec(self, name: str, runtime: KafkaRuntime, main: str, *arguments: str) -> ProcessSpec:
        jvm = [str(runtime.java), *_JVM, *runtime.flags]
        jvm += ["-Dlog4j2.configurationFile=log4j2.properties", f"-Djava.io.tmpdir={_SCRATCH}"]
        # CLASSPATH, _JAVA_OPTIONS and the like of the user's shell must not leak into the server.
        environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(self._folder)}
        return ProcessSpec(
            name=name,
            argv=[*jvm, "-cp", "libs/*", main, *arguments],
            log=self.run_dir.absolute() / "logs" / f"{name}.log",
            cwd=self._folder,
            grace_s=runtime.grace_s,
            env=environment,
            noise=_NOISE,
        )
