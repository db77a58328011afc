"""What a run proves: hashes of what went in and what came out, and a manifest of both.

SHA-256 (FIPS 180-4) throughout. The hash chain of a partition begins with 32 zero bytes; each
record's hash is appended and hashed again, so that no record can be added, left out, changed or
moved without changing the end of the chain.
"""

import hashlib
import json
import platform
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from streams.records import OutputRecord, SourceRecord

FORMAT: Final = "intentstream.replay/1"
MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
INPUTS: Final = "inputs.jsonl"
_SIZE: Final = 1 << 256
_PACKAGES: Final = ("streams", "workers")
_START: Final = bytes(32)


def record_digest(record: SourceRecord) -> bytes:
    """The hash of a record as it is in the log: offset, time stamp, key, value and headers."""
    found = hashlib.sha256(struct.pack(">qq", record.offset, record.timestamp_ms))
    for part in (record.key, record.value):
        _add(found, part)
    found.update(struct.pack(">q", len(record.headers)))
    for name, value in record.headers:
        _add(found, name.encode("utf-8", "surrogatepass"))
        _add(found, value)
    return found.digest()


def output_digest(event: OutputRecord) -> bytes:
    """The hash of an event: its topic, key, value and headers."""
    found = hashlib.sha256()
    for part in (event.topic.encode(), event.key, event.value):
        _add(found, part)
    found.update(struct.pack(">q", len(event.headers)))
    for name, value in event.headers:
        _add(found, name.encode("utf-8", "surrogatepass"))
        _add(found, value)
    return found.digest()


def _add(found: Any, part: bytes | None) -> None:
    """A part with its length in front; a missing one is not an empty one."""
    found.update(struct.pack(">q", -1 if part is None else len(part)))
    found.update(part or b"")


@dataclass(slots=True)
class PartitionEvidence:
    """What was read of one partition: `seen` offsets' records, of which `records` were replayed."""

    partition: int
    start: int
    end: int
    reached: int
    seen: int = 0
    records: int = 0
    chain: bytes = _START

    def add(self, digest: bytes) -> None:
        """Takes in the next record, by its hash."""
        self.records += 1
        self.chain = hashlib.sha256(self.chain + digest).digest()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON and for `from_dict`."""
        return {
            "partition": self.partition,
            "start": self.start,
            "end": self.end,
            "reached": self.reached,
            "seen": self.seen,
            "records": self.records,
            "chain": self.chain.hex(),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "PartitionEvidence":
        """What `as_dict` gave."""
        return cls(**stored | {"chain": bytes.fromhex(stored["chain"])})


@dataclass(slots=True)
class OutputEvidence:
    """What came out, whatever the order: the number of events, and the sum of their hashes.

    The sum is taken modulo 2^256, as in the additive multiset hash of Clarke et al. (Asiacrypt
    2003): partitions interleave as they like. It shows accidents and single changes; against who
    may forge many events at once stands the signature over the files.
    """

    events: int = 0
    total: int = 0

    def add(self, event: OutputRecord) -> None:
        """Takes in an event."""
        self.events += 1
        self.total = (self.total + int.from_bytes(output_digest(event), "big")) % _SIZE

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON and for `from_dict`."""
        return {"events": self.events, "digest": f"{self.total:064x}"}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "OutputEvidence":
        """What `as_dict` gave."""
        return cls(stored["events"], int(stored["digest"], 16))


@cache
def code_version() -> dict[str, str]:
    """The version of this package, and the hash over its sources as they are installed."""
    found = hashlib.sha256()
    root = Path(__file__).resolve().parents[2]
    for package in _PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            _add(found, name.encode())
            _add(found, path.read_bytes())
    return {
        "version": version("intentstream"),
        "sources": f"sha256:{found.hexdigest()}",
        "python": platform.python_version(),
        "machine": platform.machine(),
    }


@dataclass(frozen=True, slots=True)
class FileEvidence:
    """A file of a run: its size, and its hash."""

    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "FileEvidence":
        """The file as it is."""
        found = hashlib.sha256()
        size = 0
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                found.update(part)
                size += len(part)
        return cls(size, found.hexdigest())

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return {"bytes": self.size, "sha256": self.sha256}


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that a run states; the signature is over exactly the bytes of `text`."""

    run: str
    asked: dict[str, Any]
    cluster: dict[str, str]
    topic: str
    partitions: tuple[PartitionEvidence, ...]
    model: dict[str, Any]
    settings: dict[str, Any]
    counts: dict[str, Any]
    output: dict[str, Any] | None
    started: datetime
    ended: datetime
    files: dict[str, FileEvidence] = field(default_factory=dict)
    key: str | None = None

    def text(self) -> bytes:
        """The manifest as it is written and signed: JSON, sorted."""
        document = {
            "format": FORMAT,
            "run": self.run,
            "asked": self.asked,
            "code": code_version(),
            "cluster": self.cluster,
            "input": {
                "topic": self.topic,
                "partitions": [part.as_dict() for part in self.partitions],
            },
            "model": self.model,
            "settings": self.settings,
            "counts": self.counts,
            "output": self.output,
            "started": self.started.astimezone(UTC).isoformat(timespec="milliseconds"),
            "ended": self.ended.astimezone(UTC).isoformat(timespec="milliseconds"),
            "files": {name: file.as_dict() for name, file in sorted(self.files.items())},
            "signed_with": self.key,
        }
        return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
