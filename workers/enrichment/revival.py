"""Reloading a model whose process has died, within a budget.

Triton goes on and says that it is ready, while each call of the model fails until it is loaded anew
(server#8604). A model that dies again and again is nothing that reloading mends: past the budget it is
left to whoever looks after it.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from workers.triton import ModelCrashedError

logger = logging.getLogger(__name__)

WINDOW_S: Final = 3_600.0
"""What the budget is for: a model that crashes more often than that has a fault of its own."""

_LOOKS: Final = 4
"""Canaries at once: a model has several processes, and one of them may live. They also find out that
another worker has reloaded it by now."""


class Reloadable(Protocol):
    """What is needed of the model; `TritonModel` has it."""

    async def canary(self) -> object:
        """Raises when the model is not well."""

    async def reload(self) -> None:
        """Loads it anew."""


class Revival:
    """Reloads a crashed model.

    Args:
        model: which one.
        allowed: reloads within an hour; 0 never reloads.
        clock: seconds of a clock that only moves forward.
    """

    def __init__(
        self, model: Reloadable, allowed: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.reloads = 0
        self._model = model
        self._allowed = allowed
        self._clock = clock
        self._recent: deque[float] = deque()

    @property
    def spent(self) -> bool:
        """Whether the budget is spent."""
        while self._recent and self._clock() - self._recent[0] >= WINDOW_S:
            self._recent.popleft()
        return len(self._recent) >= self._allowed

    async def attempt(self) -> None:
        """Reloads the model if it has crashed, and the budget allows it.

        Raises:
            ModelUnavailableError: the server does not reload it.
        """
        looks = await asyncio.gather(
            *(self._model.canary() for _ in range(_LOOKS)), return_exceptions=True
        )
        if not any(isinstance(look, ModelCrashedError) for look in looks) or self.spent:
            return
        self._recent.append(self._clock())
        self.reloads += 1
        logger.warning(
            "the model has crashed: reloading it (%d of %d in an hour)",
            len(self._recent),
            self._allowed,
        )
        await self._model.reload()
