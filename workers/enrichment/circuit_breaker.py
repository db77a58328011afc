"""What the workers do while the model is away: wait, probe, and go on where they were.

The circuit breaker of Nygard (Release It!, 2nd ed., ch. 5) in its usual three states. While it
is open nobody calls the model but one probe, the canary inference, with exponential back-off
and equal jitter (Brooker, AWS Architecture Blog, 2015), so that a fleet of workers does not
knock a recovering server down again. However long an outage lasts, nothing is dead-lettered.

    CLOSED ── a call fails ──▶ OPEN ── pause ──▶ HALF_OPEN ── canary passes ──▶ CLOSED
                                ▲                    └── canary fails ──┐
                                └───────────────────────────────────────┘
"""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Final, TypeVar

from workers.errors import ContractError, IntentstreamError
from workers.triton import ModelCrashedError, ModelUnavailableError

logger = logging.getLogger(__name__)

FIRST_PAUSE_S: Final = 0.25
"""About what a reload of the model takes: shorter pauses would only probe in vain."""

LONGEST_PAUSE_S: Final = 10.0
"""After an outage, however long, work goes on within this time of the server's return."""


ResultT = TypeVar("ResultT")


class BreakerState(Enum):
    """Whether calls go through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Runs calls of the model, and keeps them waiting while it is away.

    Args:
        canary: asks the model something it can answer; raises when it is not well.
        revive: what may help a model that has crashed, tried before the canary.
        patience_s: how long an outage may last before waiting calls raise; None waits for ever.
        jitter: a number in [0, 1) at random.
    """

    def __init__(
        self,
        canary: Callable[[], Awaitable[object]],
        *,
        revive: Callable[[], Awaitable[None]] | None = None,
        patience_s: float | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.state = BreakerState.CLOSED
        self.outages = 0
        self.retries = 0
        self._canary = canary
        self._revive = revive
        self._patience_s = patience_s
        self._jitter = jitter
        self._closed = asyncio.Event()
        self._closed.set()
        self._failures = 0
        self._since = 0.0
        self._cause: IntentstreamError | None = None
        self._prober: asyncio.Task[None] | None = None

    async def run(self, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        """The result of an operation, repeated until no outage came between.

        Raises:
            ModelUnavailableError: the outage lasted longer than `patience_s`.
            Whatever else the operation raises.
        """
        while True:
            await self._wait()
            try:
                result = await operation()
            except (ModelUnavailableError, ContractError) as error:
                self._trip(error)
                self.retries += 1
            else:
                if self.state is BreakerState.CLOSED:
                    self._failures = 0
                return result

    async def close(self) -> None:
        """Stops probing. Calls that wait stay waiting: cancel them."""
        prober, self._prober = self._prober, None
        if prober is not None:
            prober.cancel()
            await asyncio.gather(prober, return_exceptions=True)

    async def _wait(self) -> None:
        if self._patience_s is None or self._closed.is_set():
            await self._closed.wait()
            return
        left = self._since + self._patience_s - time.monotonic()
        try:
            await asyncio.wait_for(self._closed.wait(), max(left, 0.0))
        except TimeoutError:
            cause = self._cause or ModelUnavailableError("the model does not answer")
            raise ModelUnavailableError(cause.message, cause.hint) from cause

    def _trip(self, cause: IntentstreamError) -> None:
        self._cause = cause
        if self.state is not BreakerState.CLOSED:
            return  # another call has seen the same outage
        if self._failures == 0:  # else the canary had passed, and the work failed again
            self.outages += 1
            self._since = time.monotonic()
        self.state = BreakerState.OPEN
        self._closed.clear()
        logger.warning("model unavailable, waiting: %s", cause.message)
        self._prober = asyncio.create_task(self._probe())

    async def _probe(self) -> None:
        while self.state is not BreakerState.CLOSED:
            self._failures += 1
            longest = min(FIRST_PAUSE_S * 2 ** min(self._failures - 1, 16), LONGEST_PAUSE_S)
            await asyncio.sleep(longest * (0.5 + self._jitter() / 2))
            self.state = BreakerState.HALF_OPEN
            try:
                if self._revive is not None and isinstance(self._cause, ModelCrashedError):
                    await self._revive()
                await self._canary()
            except Exception as problem:  # noqa: BLE001 (the probe must outlive any failure)
                error = (
                    problem
                    if isinstance(problem, IntentstreamError)
                    else ModelUnavailableError(f"the canary failed ({type(problem).__name__})")
                )
                if error.message != (self._cause.message if self._cause else ""):
                    logger.warning("model still unavailable: %s", error.message)
                self._cause = error
                self.state = BreakerState.OPEN
            else:
                self.state = BreakerState.CLOSED
                self._closed.set()
                lasted = time.monotonic() - self._since
                logger.warning("model answers again after %.1f s", lasted)
