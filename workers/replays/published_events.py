"""What was published for a range of records, by the position each event was derived from."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord

from streams.records import OutputRecord
from workers.erasures import note_erasures
from workers.replays.event_identity import (
    EventKey,
    Position,
    key_of_dead_letter,
    key_of_event,
)
from workers.replays.pace import Pace
from workers.replays.record_comparison import revision_of
from workers.replays.run_state import RunState
from workers.topic_range import (
    Bound,
    PartitionRange,
    ResolvedRange,
    published_since,
    read,
    resolve,
)

_BATCH: Final = 2_000
_ENDS: Final = "published_ranges"
_ERASED: Final = "erased"

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is in all."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events to keep: those of records in the range, and of some more positions."""

    source: ResolvedRange
    more: frozenset[Position]

    def __contains__(self, position: Position) -> bool:
        return position in self.more or any(
            part.partition == position.partition and part.start <= position.offset < part.end
            for part in self.source.partitions
        )


async def keep_published(
    consumer: AIOKafkaConsumer,
    state: RunState,
    topics: dict[str, int],
    names: tuple[str, str],
    wanted: Wanted,
    progress: Progress,
    pace: Pace,
) -> None:
    """Puts the events that the records became into the run's state; also who was erased since.

    It reads each topic to where it ends at the beginning of the run, for an event may come long
    after its record. What it has read already when a run is resumed it does not read again.

    Args:
        consumer: without a group.
        state: of the run.
        topics: those of the events and dead letters, with their counts of partitions.
        names: which of them has the dead letters, and which the users' signals.
        wanted: the records; the range's `since_ms` (if set) bounds how far back to look.
        progress: is told offsets.
        pace: leaves live workers their share.
    """
    ranges = await _ranges(consumer, state, topics, wanted.source.since_ms)
    total = sum(part.end - part.start for parts in ranges.values() for part in parts)
    dead, signals = names
    done = 0
    pace.begin()
    for topic, parts in ranges.items():
        size = sum(part.end - part.start for part in parts)
        reached = {part.partition: part.start for part in parts}
        async for records, left in read(consumer, topic, parts, batch=_BATCH):
            with state.saving():
                state.keep_published(_events(records, wanted, is_dead=topic == dead))
                if topic == signals:
                    _keep_erasures(state, records)
                reached |= {record.partition: record.offset + 1 for record in records}
                _save(state, ranges | {topic: _from(parts, reached)})
            progress(done + size - left, total)
            await pace.rest()
        done += size
        ranges = ranges | {topic: [PartitionRange(p.partition, p.end, p.end) for p in parts]}
        with state.saving():
            _save(state, ranges)


def erased_users(state: RunState) -> dict[str, int]:
    """Pseudonyms of users who were erased since the range began, and when (Unix, ms)."""
    found: dict[str, int] = state.get(_ERASED, {})
    return found


def _from(parts: list[PartitionRange], reached: dict[int, int]) -> list[PartitionRange]:
    return [PartitionRange(one.partition, reached[one.partition], one.end) for one in parts]


def _save(state: RunState, ranges: dict[str, list[PartitionRange]]) -> None:
    state.put(
        _ENDS,
        {
            topic: [[one.partition, one.start, one.end] for one in parts]
            for topic, parts in ranges.items()
        },
    )


async def _ranges(
    consumer: AIOKafkaConsumer, state: RunState, topics: dict[str, int], since_ms: int | None
) -> dict[str, list[PartitionRange]]:
    """What is to be read of each topic; of a resumed run what is left."""
    stored = state.get(_ENDS)
    if stored is not None:
        return {
            topic: [PartitionRange(*numbers) for numbers in parts]
            for topic, parts in stored.items()
        }
    since = published_since(since_ms)
    found = {}
    for topic, count in topics.items():
        found[topic] = list(
            (await resolve(consumer, topic, count, since, Bound("latest"), strict=False)).partitions
        )
    with state.saving():
        _save(state, found)
    return found


def _events(
    records: Iterable[ConsumerRecord], wanted: Wanted, *, is_dead: bool
) -> Iterator[tuple[EventKey, OutputRecord, int, int]]:
    for record in records:
        headers = tuple(record.headers)
        known = (
            key_of_dead_letter(record.topic, headers)
            if is_dead
            else key_of_event(record.topic, record.value, headers)
        )
        if known is None or known[0] != wanted.source.topic or known[1].position not in wanted:
            continue
        event = OutputRecord(record.topic, record.key, record.value, headers)
        yield known[1], event, revision_of(event), record.timestamp


def _keep_erasures(state: RunState, records: Iterable[ConsumerRecord]) -> None:
    known = erased_users(state)
    found = dict(known)
    note_erasures(found, records)
    if found != known:
        state.put(_ERASED, found)
