"""A TCP proxy between clients and one of several servers: switched, held up, delayed or cut."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(slots=True)
class Switchboard:
    """Passes bytes on to `target`. New connections go to the target of their moment.

    With `tls` the client's side is encrypted. Clearing `flowing` holds back all answers, as a
    network that hangs would. `delay_s` is how long each piece is on its way.
    """

    target: int
    port: int = 0
    tls: ssl.SSLContext | None = None
    flowing: asyncio.Event = field(default_factory=asyncio.Event)
    delay_s: float = 0.0
    _broken: bool = False
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def url(self) -> str:
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://127.0.0.1:{self.port}/0"

    async def __aenter__(self) -> Self:
        self.flowing.set()
        self._server = await asyncio.start_server(
            self._connected, "127.0.0.1", self.port, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def cut(self) -> None:
        """Resets all connections; new ones are reset too, until `mend`."""
        self._broken = True
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def mend(self) -> None:
        """Takes connections again."""
        self._broken = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._broken:
            writer.transport.abort()
            return
        try:
            theirs, to_them = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.close()
            return
        self._writers += (writer, to_them)
        for source, sink, back in ((reader, to_them, False), (theirs, writer, True)):
            task = asyncio.create_task(self._pass_on(source, sink, back=back))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, back: bool
    ) -> None:
        with suppress(OSError):
            while data := await source.read(65_536):
                if back:
                    await self.flowing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                sink.write(data)
                await sink.drain()
        sink.close()
