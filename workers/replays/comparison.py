"""What a replay gives against what was published: pure, one event against another.

Equal digests and settings promise equal bytes, so then every byte counts. Under another digest
scores have a tolerance, and a label that flips is told apart from a score that drifts.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec
import numpy as np

from streams.records import Headers, OutputRecord
from workers.replays.event_identity import EventKey

ABSENT: Final = "(absent)"
_INDEX = re.compile(r"\[\d+\]")


class Verdict(StrEnum):
    """How a replayed event compares."""

    IDENTICAL = "identical"  # byte for byte: key, value and CloudEvents headers
    EQUIVALENT = "equivalent"  # by another model or other settings; no difference but small scores
    CHANGED = "changed"
    MISSING = "missing"  # the replay gives it, but it was not published
    EXTRA = "extra"  # it was published, but the replay does not give it
    DEGRADED = "degraded"  # it was published by rules, while the model was away


class Kind(StrEnum):
    """What a change of a field means."""

    INTENT = "intent flips"
    SENTIMENT = "sentiment flips"
    ENTITY = "entities"
    RELATION = "relations"
    LANGUAGE = "language"
    REDACTION = "redacted text"
    OTHER = "other fields"
    SCORE = "scores"
    ALTERNATIVES = "alternatives"
    VECTOR = "vectors"
    PROVENANCE = "model or settings"


DRIFT: Final = frozenset({Kind.SCORE, Kind.ALTERNATIVES, Kind.VECTOR})
"""Kinds that leave every label as it was."""

_KINDS: Final = (
    (re.compile(r"(?:^|\.)(?:model|pipeline)\.|(?:^|\.)vector_space$"), Kind.PROVENANCE),
    (re.compile(r"(?:^|\.)alternatives"), Kind.ALTERNATIVES),
    (re.compile(r"(?:^|\.)score$|^entity score$"), Kind.SCORE),
    (re.compile(r"(?:^|\.)intent\.label$"), Kind.INTENT),
    (re.compile(r"(?:^|\.)sentiment\.label$"), Kind.SENTIMENT),
    (re.compile(r"(?:^|\.)entit(?:y|ies)(?:$|[ .\[])"), Kind.ENTITY),
    (re.compile(r"(?:^|\.)relations?(?:$|[ .\[])"), Kind.RELATION),
    (re.compile(r"(?:^|\.)language$"), Kind.LANGUAGE),
    (re.compile(r"(?:^|\.)text$"), Kind.REDACTION),
    (re.compile(r"(?:^|\.)vector$"), Kind.VECTOR),
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of an event, as published and as replayed."""

    field: str
    published: Any
    replayed: Any

    @property
    def kind(self) -> Kind:
        """What it means, told by the field's name."""
        return next((kind for pattern, kind in _KINDS if pattern.search(self.field)), Kind.OTHER)

    def within(self, tolerance: float) -> bool:
        """Whether another model may differ so, and still count as saying the same.

        Args:
            tolerance: of a score, absolute; of a vector, of its cosine's distance from 1.
        """
        kind = self.kind
        if kind is Kind.PROVENANCE:
            return True
        if kind is Kind.VECTOR:
            return _cosine(self.published, self.replayed) >= 1.0 - tolerance
        if kind is Kind.SCORE and _is_number(self.published) and _is_number(self.replayed):
            # scores have 4 places: what is left of a subtraction must not decide
            return bool(abs(self.published - self.replayed) <= tolerance + 1e-9)
        return False


@dataclass(frozen=True, slots=True)
class Difference:
    """One event that is not identical, by the position of the record it comes from."""

    verdict: Verdict
    topic: str
    partition: int
    offset: int
    ce_id: str | None
    fields: tuple[FieldChange, ...] = ()

    @classmethod
    def of(
        cls, verdict: Verdict, key: EventKey, fields: tuple[FieldChange, ...] = ()
    ) -> "Difference":
        """The difference of the event with this key."""
        return cls(verdict, key.topic, key.partition, key.offset, key.ce_id, fields)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON; free of personal data, as events are."""
        return {
            "verdict": self.verdict.value,
            "topic": self.topic,
            "source": {"partition": self.partition, "offset": self.offset},
            "ce_id": self.ce_id,
            "fields": [
                {"field": one.field, "published": one.published, "replayed": one.replayed}
                for one in self.fields
            ],
        }


@dataclass(slots=True)
class Tally:
    """Counts of verdicts by topic, and of what changed: each once an event."""

    verdicts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)
    kinds: Counter[Kind] = field(default_factory=Counter)

    def add(self, topic: str, verdict: Verdict, changes: tuple[FieldChange, ...] = ()) -> None:
        """Counts one event."""
        self.verdicts.setdefault(topic, Counter())[verdict] += 1
        self.fields.update({_INDEX.sub("[]", change.field) for change in changes})
        self.kinds.update({change.kind for change in changes})

    def total(self, *verdicts: Verdict) -> int:
        """How many events have one of these verdicts."""
        return sum(counts[verdict] for counts in self.verdicts.values() for verdict in verdicts)

    @property
    def all_identical(self) -> bool:
        """Whether there is no difference at all."""
        return not self.total(*(verdict for verdict in Verdict if verdict is not Verdict.IDENTICAL))

    @property
    def agrees(self) -> bool:
        """Whether there is no difference that counts.

        Another model may say the same within the tolerance; what rules had to answer is no
        measure of a model.
        """
        return self.total(Verdict.CHANGED, Verdict.MISSING, Verdict.EXTRA) == 0

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON and for `from_dict`."""
        return {
            "verdicts": {
                topic: {verdict.value: count for verdict, count in counts.items()}
                for topic, counts in self.verdicts.items()
            },
            "fields": dict(self.fields),
            "kinds": {kind.value: count for kind, count in self.kinds.items()},
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Tally":
        """What `as_dict` gave."""
        return cls(
            {
                topic: Counter({Verdict(name): count for name, count in counts.items()})
                for topic, counts in stored["verdicts"].items()
            },
            Counter(stored["fields"]),
            Counter({Kind(name): count for name, count in stored["kinds"].items()}),
        )


def changes(published: OutputRecord, replayed: OutputRecord) -> tuple[FieldChange, ...]:
    """What differs between two versions of an event; empty when they are identical.

    Identical means byte for byte: key, value and CloudEvents headers. Headers that something on
    the way has added (tracing, mirroring) don't count.
    """
    found = [
        FieldChange(f"header {name}", before, after)
        for name, before, after in _differing(_ce(published.headers), _ce(replayed.headers))
    ]
    if published.key != replayed.key:
        found.append(FieldChange("key", _text(published.key), _text(replayed.key)))
    if published.value != replayed.value:
        fields = list(walk("", as_json(published.value), as_json(replayed.value)))
        found += fields or [FieldChange("value", "(other bytes)", "(of the same JSON)")]
    return tuple(found)


def dead_letter_changes(published: OutputRecord, replayed: OutputRecord) -> tuple[FieldChange, ...]:
    """What differs between two dead letters of one record; their content is never shown."""
    found = [
        FieldChange(name, "(other bytes)", "(withheld)")
        for name, before, after in (
            ("key", published.key, replayed.key),
            ("value", published.value, replayed.value),
        )
        if before != after
    ]
    found += [
        FieldChange(f"header {name}", before, after)
        for name, before, after in _differing(_errors(published.headers), _errors(replayed.headers))
    ]
    return tuple(found)


def verdict_of(fields: Iterable[FieldChange], *, exact: bool, tolerance: float) -> Verdict:
    """The verdict on an event that was published and replayed.

    Args:
        fields: what differs.
        exact: the same model and settings made both, so that any difference is a change.
        tolerance: of scores, where they did not.
    """
    found = tuple(fields)
    if not found:
        return Verdict.IDENTICAL
    if exact or not all(change.within(tolerance) for change in found):
        return Verdict.CHANGED
    return Verdict.EQUIVALENT


def _ce(headers: Headers) -> dict[str, str]:
    return {
        name: _text(value) or ""
        for name, value in headers
        if name.startswith("ce_") or name == "content-type"
    }


def _errors(headers: Headers) -> dict[str, str]:
    return {name: _text(value) or "" for name, value in headers if ".errors." in name}


def _differing(before: dict[str, str], after: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(before.keys() | after.keys()):
        pair = before.get(name, ABSENT), after.get(name, ABSENT)
        if pair[0] != pair[1]:
            yield name, *pair


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def as_json(value: bytes | None) -> Any:
    """A value's JSON, for showing: also of what was tampered with, or is another's."""
    try:
        return msgspec.json.decode(value or b"null")  # which refuses lone surrogates, unlike json
    except (ValueError, RecursionError):
        return "(not JSON)"


def walk(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """The fields in which two JSON values differ, by their path."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            yield from walk(inner, before.get(name, ABSENT), after.get(name, ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for n in range(max(len(before), len(after))):
            pair = [part[n] if n < len(part) else ABSENT for part in (before, after)]
            yield from walk(f"{path}[{n}]", *pair)
    elif before != after or type(before) is not type(after):
        yield FieldChange(path or "value", before, after)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cosine(before: Any, after: Any) -> float:
    """Of two vectors as base64 of little-endian float16; 0 when they cannot be compared."""
    try:
        first, second = (
            np.frombuffer(base64.b64decode(one), dtype="<f2").astype(np.float64)
            for one in (before, after)
        )
    except (TypeError, ValueError, binascii.Error):
        return 0.0
    lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
    if first.shape != second.shape or not lengths:
        return 0.0
    return float(first @ second) / lengths
