"""The Triton server as a child process."""

import asyncio
import contextlib
import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workers.embedded.concurrency import in_thread
from workers.embedded.guard import IN_USE
from workers.embedded.ports import LOOPBACK, free_ports
from workers.embedded.process import EmbeddedServer, GuardedProcess, ProcessSpec
from workers.embedded.progress import Phase, Progressed, Report, silent
from workers.embedded.triton_runtime import TritonRuntime, install_triton
from workers.errors import ServerError

_READY_TIMEOUT_S = 120.0  # a model's own self-test counts
_DRAIN_S = 10
_LITTER = "/tmp/python_env_"  # its Python backend makes one a start, and leaves it after a crash
_NOISE = re.compile(r"I\d{4} |[|+]|$")  # what it says at level INFO, and its tables
_LINKS = "intentstream-triton-"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


@dataclass(slots=True)
class EmbeddedTriton(EmbeddedServer):
    """Triton on loopback, serving a model repository on the CPU.

    Attributes:
        run_dir: The run folder.
        model_repository: The folder with one folder per model.
        load_models: Which to load at start; ``("*",)`` for all. Others can be loaded later.
        config_name: ``configs/NAME.pbtxt`` of a model overrides its ``config.pbtxt``.
        options: Further arguments of ``tritonserver``.
        env: Further environment of the server and its Python stubs.
        report: Told about downloads.
    """

    model_repository: Path
    load_models: Sequence[str] = ("query_understanding",)
    config_name: str = "cpu"
    options: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    report: Report = silent
    grpc_port: int | None = None
    http_port: int | None = None
    metrics_port: int | None = None
    _runtime: TritonRuntime | None = field(default=None, init=False)

    @property
    def grpc_address(self) -> str:
        """``127.0.0.1:PORT`` of the gRPC endpoint, which the workers use."""
        return f"{LOOPBACK}:{self.grpc_port}"

    @property
    def http_address(self) -> str:
        """``127.0.0.1:PORT`` of the HTTP endpoint."""
        return f"{LOOPBACK}:{self.http_port}"

    @property
    def metrics_address(self) -> str:
        """``127.0.0.1:PORT`` of the Prometheus metrics, under ``/metrics``."""
        return f"{LOOPBACK}:{self.metrics_port}"

    async def _launch(self) -> GuardedProcess:
        if self._runtime is None:
            self._runtime = TritonRuntime(await in_thread(install_triton, self.report))
        if not self.model_repository.is_dir():
            raise ServerError(
                f"there is no model repository at {self.model_repository}",
                "run from a checkout, or name the folder",
            )
        self.report(Progressed("triton", Phase.STARTING))
        spare = free_ports(3)
        self.grpc_port = self.grpc_port or spare[0]
        self.http_port = self.http_port or spare[1]
        self.metrics_port = self.metrics_port or spare[2]
        links = _make_links(self._runtime, self.model_repository.absolute())
        shm_prefix = f"intentstream_{os.getpid()}_{secrets.token_hex(4)}_"
        folder = self.run_dir.absolute() / "triton"
        folder.mkdir(parents=True, exist_ok=True)
        process = await GuardedProcess.start(
            ProcessSpec(
                name="triton",
                argv=self._command(links, shm_prefix),
                log=self.run_dir.absolute() / "logs" / "triton.log",
                cwd=folder,
                env=self._environment(links, folder),
                grace_s=_DRAIN_S + 5.0,
                shm_prefix=shm_prefix,
                scratch=links,
                litter=_LITTER,
                noise=_NOISE,
            )
        )
        await process.wait_until(self._is_ready, timeout_s=_READY_TIMEOUT_S)
        return process

    def _command(self, links: Path, shm_prefix: str) -> list[str]:
        return [
            str(TritonRuntime(links / "python").tritonserver / "bin" / "tritonserver"),
            f"--model-repository={links / 'models'}",
            f"--backend-directory={links / 'backends'}",
            f"--cache-directory={links / 'caches'}",
            f"--backend-config=python,shm-region-prefix-name={shm_prefix}",
            f"--model-config-name={self.config_name}",
            "--disable-auto-complete-config",
            "--model-control-mode=explicit",
            *(f"--load-model={name}" for name in self.load_models),
            f"--http-address={LOOPBACK}",
            f"--http-port={self.http_port}",
            f"--grpc-address={LOOPBACK}",
            f"--grpc-port={self.grpc_port}",
            f"--metrics-address={LOOPBACK}",
            f"--metrics-port={self.metrics_port}",
            f"--exit-timeout-secs={_DRAIN_S}",
            "--allow-gpu-metrics=false",
            *self.options,
        ]

    def _environment(self, links: Path, folder: Path) -> dict[str, str]:
        runtime = TritonRuntime(links / "python")
        return {
            # The stub runs the first python3 on PATH, and needs its libpython at load time.
            "PATH": f"{runtime.python / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": runtime.library_path,
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "PYTHONNOUSERSITE": "1",
            # The model repository may be read-only, and a checkout should stay clean.
            "PYTHONDONTWRITEBYTECODE": "1",
            **self.env,
        }

    async def _is_ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.http_port)
        except OSError:
            return False
        try:
            request = (
                f"GET /v2/health/ready HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n"
            )
            writer.write(request.encode())
            return b" 200 " in await reader.readline()
        except OSError:
            return False
        finally:
            writer.close()


def _make_links(runtime: TritonRuntime, models: Path) -> Path:
    """A folder of symbolic links to all that the server touches, under a plain path.

    Triton starts its Python stub through a shell line made of these paths without quoting, so a space
    (or anything else a shell reads) in the path of a checkout or a home folder would break it.
    """
    places = [tempfile.gettempdir(), "/tmp", "/dev/shm"]
    place = next(
        path for path in places if _PLAIN_PATH.fullmatch(path) and os.access(path, os.W_OK)
    )
    _sweep(Path(place))
    links = Path(tempfile.mkdtemp(prefix=f"{_LINKS}{os.getpid()}-", dir=place))
    (links / "python").symlink_to(runtime.python)
    (links / "models").symlink_to(models)
    server = TritonRuntime(links / "python").tritonserver
    (links / "caches").symlink_to(server / "caches")
    backend = links / "backends" / "python"
    backend.mkdir(parents=True)
    for name in ("libtriton_python.so", "triton_python_backend_utils.py"):
        (backend / name).symlink_to(server / "backends" / "python" / name)
    stub = "triton_python_backend_stub"
    (backend / stub).symlink_to(server / "python_backend_stubs" / "3.11" / stub)
    return links


def _sweep(place: Path) -> None:
    """Remove the links of servers whose guard was killed too, so that nobody else could."""
    for folder in place.glob(f"{_LINKS}*"):
        # without the file they are just being made, or another user's
        with contextlib.suppress(OSError), (folder / IN_USE).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
