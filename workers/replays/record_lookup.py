"""Finds one query: by the position of its record, or by its id among the published events."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from streams.events import QueryUnderstood
from streams.records import OutputRecord, SourceRecord
from workers.kafka import source_record
from workers.replays.event_identity import Position
from workers.replays.record_comparison import understood
from workers.topic_range import Bound, RangeError, published_since, read, resolve
from workers.topics_admin import topic_states

_POSITION = re.compile(
    r"(?:(?P<topic>[A-Za-z0-9._-]+)[:\[])?(?P<partition>\d+)\]?[:@](?P<offset>\d+)"
)
_BATCH: Final = 2_000


@dataclass(frozen=True, slots=True)
class Place:
    """A record: `topic` is empty where none was named."""

    topic: str
    position: Position


def parse_place(text: str) -> Place:
    """A position as people write it. Raises `RangeError` that shows the forms."""
    found = _POSITION.fullmatch(text.strip())
    if found is None:
        raise RangeError(
            f"{text!r} is no position",
            "write partition:offset (0:120), or topic[partition]@offset (queries.raw[0]@120)",
        )
    position = Position(int(found["partition"]), int(found["offset"]))
    return Place(found["topic"] or "", position)


async def record_at(
    reader: AIOKafkaConsumer, client: AIOKafkaAdminClient, topic: str, position: Position
) -> SourceRecord:
    """The record at a position.

    Raises:
        RangeError: there is none, or none any more.
    """
    states = await topic_states(client, [topic])
    if topic not in states:
        raise RangeError(f"there is no topic {topic}", "`intentstream topics plan` shows topics")
    at = f"{position.partition}:{position.offset}"
    until = f"{position.partition}:{position.offset + 1}"
    bounds = (
        Bound(at, offsets={position.partition: position.offset}),
        Bound(until, offsets={position.partition: position.offset + 1}),
    )
    span = await resolve(reader, topic, states[topic].partitions, *bounds)
    async for records, _ in read(reader, topic, span.partitions, batch=1):
        for record in records:
            return source_record(record)
    raise RangeError(
        f"there is no record at {topic}[{position.partition}]@{position.offset}",
        "the offset is a transaction's marker, or the record was compacted away",
    )


async def published_query(
    reader: AIOKafkaConsumer,
    client: AIOKafkaAdminClient,
    topic: str,
    wanted: Callable[[QueryUnderstood], bool],
    hint: bytes,
    since_ms: int | None = None,
) -> QueryUnderstood | None:
    """The last published event of a query, of the highest revision; None when there is none.

    Args:
        reader: without a group.
        client: knows the topics.
        topic: of the enriched events.
        wanted: tells the query.
        hint: bytes that its value must hold: most events need not be decoded.
        since_ms: of its record, which bounds how far back to look.
    """
    states = await topic_states(client, [topic])
    if topic not in states:
        return None
    since, until = published_since(since_ms), Bound("latest")
    span = await resolve(reader, topic, states[topic].partitions, since, until, strict=False)
    best: QueryUnderstood | None = None
    async for records, _ in read(reader, topic, span.partitions, batch=_BATCH):
        for record in records:
            if record.value is None or hint not in record.value:
                continue
            event = understood(OutputRecord(topic, record.key, record.value))
            if event is not None and wanted(event):
                best = event if best is None or event.revision >= best.revision else best
    return best
