"""The watchdog: partitions that silently stand still, and what every task is doing meanwhile.

After a change of leader or an outage a partition may stall while the group looks stable. Nothing
raises then, so progress itself is watched: records wait, nothing moves, and no outage explains it.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from workers import metrics
from workers.metrics import Readings
from workers.pipeline import Partition

WATCH_EVERY_S: Final = 5.0
"""How often workers ask Kafka how far they are: for the watchdog, and to know that it lives."""

KAFKA_SILENT_S: Final = 3 * WATCH_EVERY_S
"""After this without an answer Kafka counts as away; one try takes up to twice the pause."""


class Standing(NamedTuple):
    """How far a partition is worked off: next offset to finish, and that of the log's end."""

    reached: int
    end: int

    @property
    def lag(self) -> int:
        """Records that wait."""
        return max(self.end - self.reached, 0)


@dataclass(slots=True)
class _Watched:
    standing: Standing
    moved: float  # when it moved last, or had nothing to do, or was excused
    waiting_since: float  # wall clock: no record that waits is older than this
    guessed: bool = True  # that, until a record is finished or none waits


class Watchdog:
    """Judges from what it is told; asks nobody.

    Args:
        stall_s: how long a partition may stand still though records wait.
        clock: seconds of a clock that only moves forward.
        wall: Unix time, in seconds.
    """

    def __init__(
        self,
        stall_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.stalled: dict[Partition, float] = {}
        self._stall_s = stall_s
        self._clock = clock
        self._wall = wall
        self._watched: dict[Partition, _Watched] = {}

    @property
    def lag(self) -> dict[Partition, int]:
        """Records that wait, by partition, when last looked at."""
        return {name: watched.standing.lag for name, watched in self._watched.items()}

    def lag_seconds(self) -> dict[Partition, float]:
        """For how long the oldest record that waits has waited at most; 0 when none does."""
        now = self._wall()
        return {
            name: max(now - watched.waiting_since, 0.0) if watched.standing.lag else 0.0
            for name, watched in self._watched.items()
        }

    def finished(self, partition: Partition, timestamp_s: float) -> None:
        """A record of this time is done: what waits behind it is not older."""
        watched = self._watched.get(partition)
        if watched is None:
            return
        if watched.guessed or timestamp_s > watched.waiting_since:
            watched.waiting_since = timestamp_s
            watched.guessed = False

    def observe(self, standings: Mapping[Partition, Standing], *, excused: bool = False) -> bool:
        """Takes in where the partitions stand now; those that are not named are not ours.

        Args:
            standings: by partition.
            excused: something else explains that nothing moves, such as an outage of the model.

        Returns:
            Whether a partition has begun to count as stalled.
        """
        now, before = self._clock(), self.stalled
        self._watched = {
            name: self._judged(name, standing, now, excused=excused)
            for name, standing in standings.items()
        }
        self.stalled = {
            name: now - watched.moved
            for name, watched in self._watched.items()
            if now - watched.moved >= self._stall_s
        }
        return bool(self.stalled.keys() - before.keys())

    def _judged(
        self, name: Partition, standing: Standing, now: float, *, excused: bool
    ) -> _Watched:
        watched = self._watched.get(name)
        if watched is None:
            watched = _Watched(standing, now, self._wall())
        if excused or not standing.lag or standing.reached != watched.standing.reached:
            watched.moved = now
        if not standing.lag:
            watched.waiting_since, watched.guessed = self._wall(), False
        watched.standing = standing
        return watched

    def readings(self) -> Readings:
        """The metrics of what is watched."""
        return {
            metrics.STALLED: len(self.stalled),
            metrics.LAG_RECORDS: {_labels(name): lag for name, lag in self.lag.items()},
            metrics.LAG_SECONDS: {
                _labels(name): seconds for name, seconds in self.lag_seconds().items()
            },
        }

    def complaint(self) -> str:
        """What is wrong, in one line; "" when nothing is."""
        return "; ".join(
            f"{name.topic}[{name.partition}] has not moved for {seconds:.0f} s, "
            f"{self._watched[name].standing.lag} records wait"
            for name, seconds in sorted(self.stalled.items())
        )


def _labels(name: Partition) -> tuple[str, ...]:
    return name.topic, str(name.partition)


def dump_tasks() -> str:
    """Where every task of the running loop waits: functions and lines, no values."""
    return "\n".join(_described(task) for task in asyncio.all_tasks())


def _described(task: "asyncio.Task[Any]") -> str:
    places = [
        f"    {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
        for frame in _frames(task.get_coro())
    ]
    return "\n".join([f"  {task.get_name()}", *places])


def _frames(waiting: Any) -> Iterator[Any]:
    """The frames of a suspended coroutine and of all that it awaits, outermost first.

    `Task.get_stack` knows only the outermost one.
    """
    while waiting is not None:
        frame = next(
            (
                found
                for name in ("cr_frame", "gi_frame", "ag_frame")
                if (found := getattr(waiting, name, None)) is not None
            ),
            None,
        )
        if frame is None:
            return
        yield frame
        waiting = next(
            (
                found
                for name in ("cr_await", "gi_yieldfrom", "ag_await")
                if (found := getattr(waiting, name, None)) is not None
            ),
            None,
        )
