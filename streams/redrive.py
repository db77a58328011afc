"""Redriving: a dead letter's record goes back to its topic and stays what it was.

It goes back with its key, its value, its headers and one header more, `intentstream.redrive`: the
position at which it was read first, and how often it has been redriven. That position is its
identity: the ids, the source and the times of all that comes of it are those of the first reading.

The header is signed, so that nobody who may write to a topic can take another record's identity.
The signature covers key and value, so that the header of one record is worth nothing on another.
"""

import hashlib
import hmac
from dataclasses import replace
from typing import Final

import msgspec
from msgspec import Struct

from streams.pseudonyms import PseudonymKey
from streams.records import OutputRecord, Redriven, SourceRecord

REDRIVE_HEADER: Final = "intentstream.redrive"
MAX_ROUNDS: Final = 3
"""What three tries have not mended, a fourth will not; a person has to look."""

_DOMAIN: Final = b"intentstream.redrive\x00"


class _Signed(Struct, frozen=True, forbid_unknown_fields=True):
    """The header's value, as JSON. `signature` is `<key id>.<64 hex digits>`."""

    cluster: str
    epoch: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    round: int
    signature: str = ""


_decoder = msgspec.json.Decoder(_Signed)


class RedriveSigner:
    """Signs and checks the header, with HMAC-SHA-256 (RFC 2104) under the pseudonyms' keys.

    The keys are used in a domain of their own: a pseudonym is never a signature. During a rotation
    the previous key still counts; after it, what it signed is as good as unsigned.

    Args:
        active: signs, and checks.
        previous: checks only.
    """

    def __init__(self, active: PseudonymKey, previous: PseudonymKey | None = None) -> None:
        self.ignored = 0
        """Headers of this name that `original` has found and that are not ours, or of another
        record: they say nothing."""
        self._active = active
        self._keys = {key.key_id: key for key in (active, previous) if key is not None}

    def redriven(self, record: SourceRecord, *, cluster: str, epoch: str) -> OutputRecord:
        """What goes back to a record's topic: itself, and the header for one round more.

        Args:
            record: as it was read first; of one that was redriven already, what `original` gave.
            cluster: where it was read, if `record.redriven` does not say it.
            epoch: likewise.
        """
        before = record.redriven or Redriven(cluster, epoch, 0)
        unsigned = _Signed(
            before.cluster,
            before.epoch,
            record.topic,
            record.partition,
            record.offset,
            record.timestamp_ms,
            before.round + 1,
        )
        signed = msgspec.structs.replace(
            unsigned, signature=_signature(self._active, unsigned, record)
        )
        kept = tuple(
            header
            for header in record.headers
            if header[0] != REDRIVE_HEADER or self._checked(header[1], record) is None
        )
        added = (REDRIVE_HEADER, msgspec.json.encode(signed))
        return OutputRecord(record.topic, record.key, record.value, (*kept, added))

    def original(self, record: SourceRecord, *, count: bool = True) -> SourceRecord:
        """The record as it was read first, `redriven` set; itself when it was not redriven.

        Headers stay as they are. One that we have not signed for this record is ignored, and counted
        unless it was before.
        """
        if not record.headers or record.redriven is not None:
            return record
        found = None
        for name, value in record.headers:
            if name == REDRIVE_HEADER:
                signed = self._checked(value, record)
                self.ignored += count and signed is None
                found = signed or found
        if found is None:
            return record
        return replace(
            record,
            partition=found.partition,
            offset=found.offset,
            timestamp_ms=found.timestamp,
            redriven=Redriven(found.cluster, found.epoch, found.round),
        )

    def _checked(self, value: bytes | None, record: SourceRecord) -> _Signed | None:
        """A header's content if it was signed for this record's topic, key and value."""
        try:
            signed = _decoder.decode(value or b"")
        except ValueError:  # also for bytes that are no UTF-8
            return None
        key = self._keys.get(signed.signature.partition(".")[0])
        if key is None or signed.topic != record.topic:
            return None
        good = hmac.compare_digest(
            _signature(key, signed, record).encode(), signed.signature.encode()
        )
        return signed if good else None


def _signature(key: PseudonymKey, signed: _Signed, record: SourceRecord) -> str:
    """HMAC over the fields, the key and the value, each with its length in front."""
    mac = hmac.new(key.secret, _DOMAIN, hashlib.sha256)
    numbers = (signed.partition, signed.offset, signed.timestamp, signed.round)
    texts = (signed.cluster, signed.epoch, signed.topic, *map(str, numbers))
    for part in (*(text.encode() for text in texts), record.key, record.value):
        # a missing key is not an empty one
        mac.update((b"-" if part is None else b"%d" % len(part)) + b"\x00" + (part or b""))
    return f"{key.key_id}.{mac.hexdigest()}"
