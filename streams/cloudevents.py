"""CloudEvents 1.0 in binary mode on Kafka, with ids derived from the source position.

Spec: CloudEvents 1.0.2, Kafka protocol binding, section 3.2 (binary content mode).
"""

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote

from streams.records import Headers, SourceRecord

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, the last instant RFC 3339 can write


def derive_id(
    cluster: str, epoch: str, topic: str, partition: int, offset: int, kind: str, ordinal: int = 0
) -> str:
    """The `ce_id` of what is derived from one position: 32 hex digits, the same on every try.

    `kind` tells the outputs of a record apart, `ordinal` the entities of a query. `epoch` is a
    setting that changes when a topic is recreated. BLAKE2b (RFC 7693) over length-prefixed fields.
    """
    return _id_at(_of_position(cluster, epoch, topic, partition, offset), kind, ordinal)


def _id_at(position: "hashlib.blake2b", kind: str, ordinal: int) -> str:
    digest = position.copy()
    digest.update(_of_kind(kind, ordinal))
    return digest.hexdigest()


def _of_position(
    cluster: str, epoch: str, topic: str, partition: int, offset: int
) -> "hashlib.blake2b":
    digest = _of_partition(cluster, epoch, topic, partition).copy()
    number = b"%d" % offset
    digest.update(len(number).to_bytes(4, "big") + number)
    return digest


# Every output of every record asks; partitions, kinds and ordinals are few.
@lru_cache(maxsize=1024)
def _of_partition(cluster: str, epoch: str, topic: str, partition: int) -> "hashlib.blake2b":
    digest = hashlib.blake2b(digest_size=16, person=b"intentstream-id")
    digest.update(b"".join(map(_framed, (cluster, epoch, topic, str(partition)))))
    return digest


@lru_cache(maxsize=1024)
def _of_kind(kind: str, ordinal: int) -> bytes:
    return _framed(kind) + _framed(str(ordinal))


def _framed(field: str) -> bytes:
    data = field.encode("utf-8", "surrogatepass")
    return len(data).to_bytes(4, "big") + data


def timestamp(ms: int) -> datetime:
    """The UTC instant of a record timestamp, clamped to what RFC 3339 can write."""
    return _EPOCH + timedelta(milliseconds=min(max(ms, 0), _MAX_MS))


def epoch_ms(count: int) -> int:
    """A count since the epoch in s, ms, µs or ns, as ms.

    The units are told apart by magnitude: between 1973 and 5138 no two of them overlap.
    """
    if count < 10**11:
        return count * 1000
    while count >= 10**14:
        count //= 1000
    return count


def rfc3339(instant: datetime) -> str:
    """An instant as RFC 3339 with milliseconds and `Z`."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def binary_headers(
    *, ce_id: str, ce_type: str, source_uri: str, record: SourceRecord, partition_key: str | None
) -> Headers:
    """The headers of an event in binary mode; `ce_time` is the source record's time."""
    source, time = ("ce_source", source_uri.encode()), _time_header(record.timestamp_ms)
    key = None if partition_key is None else partition_key.encode()
    return _headers(ce_id, source, ce_type, time, key)


class Origin:
    """Ids and headers of the events of one record: what they have in common is made once.

    Args:
        record: that they come of.
        cluster: where it was read, or first read.
        epoch: of its topic there.
    """

    __slots__ = ("_position", "_source", "_time")

    def __init__(self, record: SourceRecord, cluster: str, epoch: str) -> None:
        self._position = _of_position(cluster, epoch, record.topic, record.partition, record.offset)
        self._source = _source_header(cluster, record.topic)
        self._time = _time_header(record.timestamp_ms)

    def id(self, kind: str, ordinal: int = 0) -> str:
        """As `derive_id`."""
        return _id_at(self._position, kind, ordinal)

    def headers(self, kind: str, key: bytes | None, ordinal: int = 0) -> Headers:
        """As `binary_headers`, with the id of this kind of event."""
        return _headers(self.id(kind, ordinal), self._source, kind, self._time, key)


_Header = tuple[str, bytes]
_VERSION = ("ce_specversion", b"1.0")
_JSON = ("content-type", b"application/json")


def _headers(ce_id: str, source: _Header, kind: str, time: _Header, key: bytes | None) -> Headers:
    own = (_VERSION, ("ce_id", ce_id.encode()), source, _type_header(kind), time, _JSON)
    return own if key is None else (*own, ("ce_partitionkey", key))


@lru_cache(maxsize=64)  # as those below: every event asks, and there are few
def _type_header(kind: str) -> _Header:
    return ("ce_type", kind.encode())


@lru_cache(maxsize=64)
def _source_header(cluster: str, topic: str) -> _Header:
    return ("ce_source", source_uri(cluster, topic).encode())


@lru_cache(maxsize=1024)  # the outputs of one record come one after the other
def _time_header(ms: int) -> _Header:
    return ("ce_time", rfc3339(timestamp(ms)).encode())


@lru_cache(maxsize=64)  # every event asks, and topics are few
def source_uri(cluster: str, topic: str) -> str:
    """The `ce_source` of all that is derived from a topic: a URI reference."""
    return f"/intentstream/{quote(cluster, safe='')}/{quote(topic, safe='')}"
