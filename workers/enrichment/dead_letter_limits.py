"""Limits on dead letters: a bad deploy must not drain the topic into `queries.dead`.

When most of what a worker reads fails, the worker is the likelier culprit. Two limits, as in
Sentry's arroyo: the share over a window, which takes a number of records to mean anything, and the
length of a run. Past one the worker stops for good: only a restart, after someone has looked, begins
a new count.
"""

import time
from collections import deque
from collections.abc import Callable

from workers.sections import DeadLetterSettings

_SLICES = 60


class DeadLetterLimits:
    """Counts what became of records.

    Args:
        limits: the settings.
        clock: seconds of a clock that only moves forward.
    """

    def __init__(
        self, limits: DeadLetterSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.exceeded = ""
        self._limits = limits
        self._clock = clock
        self._in_a_row = 0
        self._slices: deque[list[float]] = deque()  # [since, records, dead] of each slice of time
        self._records = 0
        self._dead = 0

    def count(self, *, dead: bool) -> None:
        """A record is done; `dead` when it became a dead letter."""
        now = self._clock()
        self._forget(now)
        if not self._slices or now - self._slices[-1][0] >= self._limits.window_s / _SLICES:
            self._slices.append([now, 0, 0])
        self._slices[-1][1] += 1
        self._slices[-1][2] += dead
        self._records += 1
        self._dead += dead
        self._in_a_row = self._in_a_row + 1 if dead else 0
        if not self.exceeded:
            self.exceeded = self._found()

    def _forget(self, now: float) -> None:
        while self._slices and now - self._slices[0][0] > self._limits.window_s:
            _, records, dead = self._slices.popleft()
            self._records -= int(records)
            self._dead -= int(dead)

    def _found(self) -> str:
        """Why the worker has to stop; "" while all is well."""
        limits = self._limits
        if self._in_a_row >= limits.max_in_a_row:
            return f"the last {self._in_a_row} records all became dead letters"
        if self._records >= limits.min_records and self._dead > limits.max_ratio * self._records:
            return (
                f"{self._dead} of {self._records} records within {limits.window_s:g} s "
                "became dead letters"
            )
        return ""
