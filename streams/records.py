"""Kafka records as plain values, free of any client library."""

from dataclasses import dataclass

from msgspec import Struct

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Redriven:
    """That a record was a dead letter and came back: where it was read first, and which round."""

    cluster: str
    epoch: str
    round: int


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A record as it was read: the bytes exactly as they are in the log.

    `timestamp_ms` is the record's own timestamp in milliseconds since the epoch
    (LogAppendTime or CreateTime, as the topic is configured); -1 when it has none. With `redriven`
    set, position and timestamp are those of its first reading (see `streams.redrive`).
    """

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    redriven: Redriven | None = None


class OutputRecord(Struct, frozen=True, gc=False):
    """A record to publish. The partition follows from the key, as in Java's client (murmur2).

    It has no timestamp: records are stamped with the wall clock when they are sent, so that
    retention by time works; event time is in the value and in `ce_time`.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
