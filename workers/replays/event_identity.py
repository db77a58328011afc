"""Which event is which: by the position of the record that it was derived from. Pure."""

from dataclasses import dataclass

import msgspec
from msgspec import Struct

from streams.deadletters import REASON_HEADER, ROUND_HEADER
from streams.events import Source
from streams.records import Headers, OutputRecord
from workers.errors import ContractError


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a record stands in the topic that is replayed."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class EventKey:
    """An event by its topic and the position of the record it was derived from.

    `ce_id` tells the entities of a query apart; a dead letter has none, but its round where its
    record was redriven.
    """

    topic: str
    partition: int
    offset: int
    ce_id: str | None

    @property
    def position(self) -> Position:
        """Of the record."""
        return Position(self.partition, self.offset)


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
    except (ValueError, RecursionError):
        return None
    if source is None:
        return None
    name = ce_id.decode("utf-8", "replace")
    return source.topic, EventKey(topic, source.partition, source.offset, name)


def key_of_dead_letter(topic: str, headers: Headers) -> tuple[str, EventKey] | None:
    """Likewise for a dead letter; its last headers count, since a record may bring its own."""
    found = {name: value for name, value in headers if value is not None}
    if REASON_HEADER not in found:
        return None
    try:
        source, partition, offset = (
            found[f"__connect.errors.{part}"].decode() for part in ("topic", "partition", "offset")
        )
        rounds = int(found.get(ROUND_HEADER, b"0"))
        name = f"round {rounds}" if rounds else None
        return source, EventKey(topic, int(partition), int(offset), name)
    except (KeyError, ValueError):
        return None


def key_of(output: OutputRecord, dead: str) -> EventKey:
    """The key of what the enricher's step gave; `dead` is the topic of dead letters.

    Raises:
        ContractError: it does not name its source, which no output of ours leaves out.
    """
    known = (
        key_of_dead_letter(output.topic, output.headers)
        if output.topic == dead
        else key_of_event(output.topic, output.value, output.headers)
    )
    if known is None:
        raise ContractError(f"an event for {output.topic} does not name its source")
    return known[1]
