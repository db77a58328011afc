"""Back-fill: events that would be others today are published once more, with a higher revision.

They keep their `ce_id`, so consumers that know the id take them for the correction they are; an
event that was never published comes as revision 0. With the events of `queries.intents` go the
signals of `users.signals` that say the same of their users. The personalizer counts each signal
once and leaves corrections of it alone; `workers.profiles.corrections` folds them.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from streams.events import QueryUnderstood
from streams.records import OutputRecord
from streams.topics import TopicNames
from workers.kafka import producer, running
from workers.replays.comparison import Verdict
from workers.replays.output import send_all
from workers.replays.record_comparison import Compared, revision_of, with_revision
from workers.replays.report import ReplayReport
from workers.replays.run_state import RunState
from workers.settings import Settings
from workers.topic_range import RangeError

Confirm = Callable[[Mapping[str, int]], bool]
"""Asked before corrections are published: how many there are, by topic; whether to go on."""

PROFILES: Final = (
    "corrections change events, not yet profiles: `intentstream rebuild-profiles --from "
    "corrections` folds the profiles of these users anew"
)
_AT_ONCE: Final = 500


def never(_counts: Mapping[str, int]) -> bool:
    """A dry run: counts, and publishes nothing."""
    return False


def corrected_topics(topics: tuple[str, ...], names: TopicNames) -> tuple[str, ...]:
    """The topics that corrections go to: those asked for, and with a query's event its signal.

    Raises `RangeError` for a topic that takes no corrections.
    """
    allowed = (names.intents, names.entities)
    for topic in topics:
        if topic not in allowed:
            raise RangeError(
                f"{topic} takes no corrections",
                f"--publish-to takes {' and '.join(allowed)}",
            )
    return (*topics, names.signals) if names.intents in topics else topics


def corrections_of(one: Compared, after: QueryUnderstood | None) -> Iterator[OutputRecord]:
    """What is to be published for an event that differs: none for what rules had to answer again.

    `after` is what the query is understood as now.
    """
    if one.replayed is None or one.verdict not in (
        Verdict.CHANGED,
        Verdict.MISSING,
        Verdict.DEGRADED,
    ):
        return
    if after is not None and after.degraded:
        return
    if one.published is None:
        yield one.replayed
    else:
        yield with_revision(one.replayed, revision_of(one.published) + 1)


async def back_fill(
    settings: Settings, state: RunState, report: ReplayReport, confirm: Confirm
) -> None:
    """Publishes the corrections that the replay has found, if that is confirmed.

    Killed in the middle and resumed, it may publish some twice: repeats of one id and revision.
    """
    left = state.corrections_left()
    if settings.topic_names.signals in left:
        report.notes.append(PROFILES)
    if not left or not confirm(left):
        return
    async with running(producer(settings.kafka), settings.kafka) as client:
        while batch := state.corrections(_AT_ONCE):
            await send_all(client, [event for _, event in batch])
            with state.saving():
                state.corrected([number for number, _ in batch])
                report.corrected += len(batch)
                state.put("report", report.stored())
