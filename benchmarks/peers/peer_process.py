"""A peer as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Final

from benchmarks.peers.contenders import Peer
from benchmarks.peers.place import Place
from workers.errors import IntentstreamError

_STOP_S: Final = 15.0


class PeerProcess:
    """Runs one peer; what it says goes to a log in the folder."""

    def __init__(self, peer: Peer, place: Place, folder: Path) -> None:
        self._peer = peer
        self._place = place
        self._log = folder / f"{peer.module}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Starts it."""
        # gRPC would send even loopback through the https_proxy that packages are fetched by
        env = dict(os.environ) | {"no_proxy": "127.0.0.1"} | self._place.environment()
        program = ("-m", f"benchmarks.peers.{self._peer.module}", *self._peer.arguments)
        with self._log.open("ab") as file:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *program, env=env, stdout=file, stderr=file
            )

    @property
    def pids(self) -> list[int]:
        """Of the process."""
        return [] if self._process is None else [self._process.pid]

    def check(self) -> None:
        """Raises `IntentstreamError` when it has ended."""
        if self._process is None or self._process.returncode is not None:
            said = self._log.read_text("utf-8", "replace")[-2000:]
            raise IntentstreamError(f"{self._peer.name} has ended", said)

    async def stop(self) -> None:
        """Ends it in order, or at once when that takes too long."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), _STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
