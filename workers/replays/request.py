"""What a replay is asked for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workers.replays.run_state import RunError
from workers.topic_range import Bound

TOLERANCE: Final = 0.01
"""How far a score may move between two models, two runtimes or two kinds of processor and still
count as the same: kernels that round otherwise move scores by some thousandths."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What to replay, and what to do with what comes out.

    Attributes:
        run: its name.
        since: the first moment or offset that is in.
        until: the first that is out.
        folder: where the run's files go.
        topic: of queries or of actions; that of queries where empty.
        publish: whether to publish the results to `replays.<run>`.
        limit: how many records at most, the first by partition and offset; 0 is all.
        user: only records of this user: a raw id or a pseudonym.
        intent: only queries whose published event has this intent.
        sample: only so many records, chosen by a hash of their positions; 0 is all.
        share: of the time that may go into work; below 1 it leaves the model to live workers.
        tolerance: of scores, where another model or other settings made the originals.
        model: another version or digest to replay with; the served one where empty.
        correct: topics on which to publish what changed, with a higher revision.
        resume: go on with an unfinished run.
    """

    run: str
    since: Bound
    until: Bound
    folder: Path
    topic: str = ""
    publish: bool = True
    limit: int = 0
    user: str = ""
    intent: str = ""
    sample: int = 0
    share: float = 1.0
    tolerance: float = TOLERANCE
    model: str = ""
    correct: tuple[str, ...] = ()
    resume: bool = False

    def asked(self) -> dict[str, Any]:
        """What was asked, in plain values: what a resumed run must have in common with its start.

        A raw user id is not in it: `selection` puts the pseudonyms in its place.
        """
        return {
            "from": self.since.text,
            "to": self.until.text,
            "topic": self.topic,
            "publish": self.publish,
            "limit": self.limit,
            "intent": self.intent,
            "sample": self.sample,
            "tolerance": self.tolerance,
            "model": self.model,
            "correct": list(self.correct),
        }


_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def checked_name(run: str) -> None:
    """Raises `RunError` for a name that cannot be part of a topic's name and a folder's."""
    if not _RUN.fullmatch(run):
        raise RunError(f"{run!r} is no name for a run", "use letters, digits, '.', '_' and '-'")


def refuse_other(asked: dict[str, Any], stored: dict[str, Any]) -> None:
    """Raises `RunError` when a run is to be resumed with other options than it began with."""
    other = [
        name for name in sorted(asked.keys() | stored.keys()) if asked.get(name) != stored.get(name)
    ]
    if other:
        raise RunError(
            f"the run began with other options: {', '.join(other)}",
            "resume it with the same, or begin another --run",
        )
