"""What was published for a range of records, by the position each event was derived from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from msgspec import Struct

from streams.deadletters import REASON_HEADER
from streams.events import Source
from streams.records import Headers, OutputRecord
from workers.topic_range import Bound, PartitionRange, ResolvedRange, read, resolve

_CLOCK_MARGIN_MS: Final = 10 * 60 * 1_000
"""How far the clock of whoever published may lag behind the broker's."""

_BATCH: Final = 2_000

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is in all."""


@dataclass(frozen=True, slots=True)
class EventKey:
    """An event by its topic and the position of the record it was derived from.

    `ce_id` tells the entities of a query apart; a dead letter has none.
    """

    topic: str
    partition: int
    offset: int
    ce_id: str | None


class _Sourced(Struct):
    source: Source | None = None


_decoder = msgspec.json.Decoder(_Sourced)


def key_of_event(topic: str, value: bytes | None, headers: Headers) -> tuple[str, EventKey] | None:
    """The source topic and the key of an event; None for what no record was the source of."""
    ce_id = dict(headers).get("ce_id")
    if value is None or ce_id is None:
        return None
    try:
        source = _decoder.decode(value).source
    except ValueError:
        return None
    if source is None:
        return None
    return source.topic, EventKey(topic, source.partition, source.offset, ce_id.decode())


def key_of_dead_letter(topic: str, headers: Headers) -> tuple[str, EventKey] | None:
    """Likewise for a dead letter; its last headers count, since a record may bring its own."""
    found = {name: value for name, value in headers if value is not None}
    if REASON_HEADER not in found:
        return None
    try:
        position = [
            found[f"__connect.errors.{part}"].decode() for part in ("topic", "partition", "offset")
        ]
        return position[0], EventKey(topic, int(position[1]), int(position[2]), None)
    except (KeyError, ValueError):
        return None


async def published_events(
    consumer: AIOKafkaConsumer,
    topics: dict[str, int],
    dead: str,
    source: ResolvedRange,
    progress: Progress,
) -> dict[EventKey, OutputRecord]:
    """The events that records of the range became; of repeats the last one. All in memory.

    Args:
        consumer: without a group.
        topics: those of the events and dead letters, with their counts of partitions.
        dead: which of them has the dead letters.
        source: the range that was the source; its `since_ms` (if set) bounds how far back to look.
        progress: is told offsets.
    """
    spans = {part.partition: part for part in source.partitions}
    since = Bound("earliest")
    if source.since_ms is not None:
        since = Bound("time", time_ms=max(0, source.since_ms - _CLOCK_MARGIN_MS))
    ranges = [
        await resolve(consumer, topic, count, since, Bound("latest"))
        for topic, count in topics.items()
    ]
    total = sum(part.offsets for part in ranges)
    found: dict[EventKey, OutputRecord] = {}
    done = 0
    for span in ranges:
        async for records, left in read(consumer, span.topic, span.partitions, batch=_BATCH):
            for record in records:
                _keep(found, record, source.topic, spans, is_dead=span.topic == dead)
            progress(done + span.offsets - left, total)
        done += span.offsets
    return found


def _keep(
    found: dict[EventKey, OutputRecord],
    record: ConsumerRecord,
    source_topic: str,
    spans: dict[int, PartitionRange],
    *,
    is_dead: bool,
) -> None:
    headers = tuple(record.headers)
    known = (
        key_of_dead_letter(record.topic, headers)
        if is_dead
        else key_of_event(record.topic, record.value, headers)
    )
    if known is None or known[0] != source_topic:
        return
    span = spans.get(known[1].partition)
    if span is not None and span.start <= known[1].offset < span.end:
        found[known[1]] = OutputRecord(record.topic, record.key, record.value, headers)
