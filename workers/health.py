"""`/healthz`, `/readyz` and `/metrics`: a worker, seen from outside.

Answers come from the loop that does the work: one that is blocked answers nothing, and the
orchestrator's time-out finds it.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Final, Protocol, Self

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from workers.errors import SettingsError

logger = logging.getLogger(__name__)

_Handler = Callable[[web.Request], Awaitable[web.Response]]

_LAST_WORDS_S: Final = 1.0
"""For requests under way at the end; none takes more than milliseconds."""


class Observed(Protocol):
    """A worker that can be asked how it is. Both lists are empty when all is well."""

    def unhealthy(self) -> Sequence[str]:
        """Why a restart would help."""

    def unready(self) -> Sequence[str]:
        """Why it is not doing its work; a restart may not help."""


class HealthServer:
    """Answers while it is entered.

    Args:
        address: host and port; port 0 takes a free one. None: nothing is served.
        worker: who is asked.
        registry: of the metrics.

    Raises:
        SettingsError: on entry, the address cannot be listened on.
    """

    def __init__(
        self, address: tuple[str, int] | None, worker: Observed, registry: CollectorRegistry
    ) -> None:
        self.url = ""
        self._address = address
        self._worker = worker
        self._registry = registry
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        if self._address is not None:
            await self._listen(*self._address)
        return self

    async def _listen(self, host: str, port: int) -> None:
        app = web.Application()
        app.router.add_get("/healthz", self._verdict(self._worker.unhealthy))
        app.router.add_get("/readyz", self._verdict(self._worker.unready))
        app.router.add_get("/metrics", self._metrics)
        # no access log: it would be a line every few seconds
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_LAST_WORDS_S)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            raise SettingsError(
                f"INTENTSTREAM_HEALTH__ADDRESS: {host}:{port} cannot be listened on "
                f"({error.strerror or type(error).__name__})",
                "choose another port, or 0 for a free one",
            ) from error
        self._runner = runner
        bound = runner.addresses[0][1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{bound}"
        logger.info("health and metrics at %s", self.url)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @staticmethod
    def _verdict(ask: Callable[[], Sequence[str]]) -> _Handler:
        async def answer(_: web.Request) -> web.Response:
            reasons = list(ask())
            return web.json_response(
                {"ok": not reasons, "reasons": reasons}, status=503 if reasons else 200
            )

        return answer

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})
