"""What will go wrong, and when: drawn from a seed, so that a run can be repeated from its number."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

Guarantee = Literal["at_least_once", "exactly_once"]

ENRICHERS: Final = ("enricher-1", "enricher-2", "enricher-3")
PERSONALIZERS: Final = ("personalizer-1",)
JOINERS: Final = ("enricher-4", "enricher-5")
SERVERS: Final = ("kafka", "triton", "valkey")


class FaultKind(Enum):
    """What happens to a target; after the fault's length it is undone."""

    KILL = "SIGKILL"  # then started again
    TERMINATE = "SIGTERM"  # likewise
    FREEZE = "SIGSTOP"  # then SIGCONT
    CUT = "connections cut"  # of all workers to a server; then they are taken again
    DELAY = "connections delayed"  # each piece of data, both ways
    RELOAD = "reload"  # of the model, unloaded for a while; where it can be, to another version
    CRASH = "SIGKILL process of"  # the model's own, in a server that lives on
    JOIN = "join, leave"  # one more worker, which then leaves


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Times are seconds: `at` since the schedule began, `length` until it is undone."""

    kind: FaultKind
    target: str
    at: float
    length: float

    @property
    def name(self) -> str:
        """What the table calls it: its kind, and what sort of process it hits."""
        return f"{self.kind.value} {self.target.split('-')[0]}"


_DRAWS: Final[Sequence[tuple[FaultKind, Sequence[str], int]]] = (
    (FaultKind.KILL, ENRICHERS, 7),
    (FaultKind.TERMINATE, ENRICHERS, 2),
    (FaultKind.FREEZE, ENRICHERS, 2),
    (FaultKind.JOIN, JOINERS, 2),
    (FaultKind.KILL, PERSONALIZERS, 3),
    (FaultKind.TERMINATE, PERSONALIZERS, 1),
    (FaultKind.FREEZE, PERSONALIZERS, 1),
    (FaultKind.KILL, ("kafka",), 2),
    (FaultKind.KILL, ("triton",), 2),
    (FaultKind.KILL, ("valkey",), 2),
    (FaultKind.CRASH, ("model",), 1),
    (FaultKind.FREEZE, ("triton",), 1),
    (FaultKind.FREEZE, ("kafka",), 1),
    (FaultKind.RELOAD, ("model",), 1),
    (FaultKind.CUT, ("kafka",), 1),
    (FaultKind.CUT, ("triton",), 1),
    (FaultKind.CUT, ("valkey",), 1),
    (FaultKind.DELAY, SERVERS, 1),
)
"""Kinds and targets, and how often they come: workers die more often than servers."""

_LENGTHS: Final = {
    FaultKind.KILL: (0.0, 3.0),  # the supervisor starts it again at once, or takes its time
    FaultKind.TERMINATE: (0.0, 2.0),
    FaultKind.FREEZE: (1.0, 6.0),  # past the session timeout and short of it
    FaultKind.JOIN: (4.0, 8.0),
    FaultKind.CUT: (0.0, 5.0),
    FaultKind.DELAY: (2.0, 6.0),
    FaultKind.RELOAD: (0.0, 2.0),
    FaultKind.CRASH: (0.0, 0.0),
}
KILLS: Final = frozenset({FaultKind.KILL, FaultKind.CRASH})


def draw_schedule(seed: int, *, kills: int, every_s: float) -> tuple[Fault, ...]:
    """Faults in order of time, with exactly so many kills among them.

    While there are ten faults and more to draw, each kind comes at least once: they are drawn
    from a shuffled round, and chances decide only what is left of it.

    Args:
        seed: decides all of it.
        kills: how many SIGKILLs.
        every_s: mean time between two faults.
    """
    rng = random.Random(seed)
    faults: list[Fault] = []
    round_: list[tuple[FaultKind, Sequence[str]]] = []
    at = 0.0
    while kills:
        if not round_:
            each = [(kind, targets) for kind, targets, _ in _DRAWS]
            more = [(kind, targets) for kind, targets, n in _DRAWS for _ in range(n - 1)]
            rng.shuffle(each)
            rng.shuffle(more)
            round_ = each + more
        kind, targets = round_.pop(0)
        at += rng.uniform(0.2, 1.8) * every_s
        length = round(rng.uniform(*_LENGTHS[kind]), 2)
        faults.append(Fault(kind, rng.choice(targets), round(at, 2), length))
        kills -= kind in KILLS
    return tuple(faults)


def counted(faults: Sequence[Fault]) -> Counter[str]:
    """How many there are of each name."""
    return Counter(fault.name for fault in faults)
