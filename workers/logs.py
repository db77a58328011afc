"""Where the workers' log lines go, and which of them.

No line carries a record's text, key or ids. That is why the client libraries are heard from
warnings on only: at DEBUG they log keys and values.
"""

import logging
import sys
import time
from collections.abc import Callable
from typing import Final

REPEAT_S: Final = 10.0
"""A client that has lost its broker says so many times a second; one line in ten will do."""

_HARMLESS: Final = ("mode.timers", "faust.transport.producer")
"""Under load a commit takes longer than its interval, and a buffer fills: no harm in either."""


class RepeatLimit(logging.Filter):
    """Lets the same line of a client library pass once in `every_s` seconds.

    Lines are the same when logger, level and unformatted message are. Ours always pass.
    """

    def __init__(
        self, every_s: float = REPEAT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._every_s = every_s
        self._clock = clock
        self._passed: dict[tuple[str, int, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is new, or its last one old enough."""
        if record.name.partition(".")[0] == "workers":
            return True
        line = (record.name, record.levelno, str(record.msg)[:200])
        now = self._clock()
        if now - self._passed.get(line, -self._every_s) < self._every_s:
            return False
        if len(self._passed) >= 1000:
            self._passed.clear()
        self._passed[line] = now
        return True


def log_to_stderr(level: str) -> None:
    """Our own lines at `level`; those of libraries from warnings on, without their repeats."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(RepeatLimit())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("workers").setLevel(level)
    for name in _HARMLESS:
        logging.getLogger(name).setLevel(logging.ERROR)
