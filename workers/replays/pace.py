"""Leaves live workers their share of the machine and of the model: work, then rest."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_LONGEST_REST_S = 30.0


class Pace:
    """A duty cycle: of the time that passes, at most `share` goes into work.

    Args:
        share: in (0, 1]; 1 never rests.
        clock: seconds, monotonic.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        share: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not 0.0 < share <= 1.0:
            raise ValueError("a share lies above 0 and is at most 1")
        self.share = share
        self.worked_s = 0.0
        self.rested_s = 0.0
        self._clock = clock
        self._sleep = sleep
        self._since = clock()

    def begin(self) -> None:
        """Work begins; what was before is nobody's."""
        self._since = self._clock()

    async def rest(self) -> None:
        """Rests so long that the share holds for all since `begin`, or since the last rest."""
        worked = self._clock() - self._since
        self.worked_s += worked
        if self.share < 1.0:
            pause = min(worked * (1.0 - self.share) / self.share, _LONGEST_REST_S)
            self.rested_s += pause
            await self._sleep(pause)
        self._since = self._clock()
