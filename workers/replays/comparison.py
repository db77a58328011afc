"""What a replay gives against what was published: pure, one event against another."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from streams.records import Headers, OutputRecord

_ABSENT: Final = "(absent)"
_INDEX = re.compile(r"\[\d+\]")


class Verdict(StrEnum):
    """How a replayed event compares."""

    IDENTICAL = "identical"  # byte for byte: key, value and CloudEvents headers
    CHANGED = "changed"
    MISSING = "missing"  # the replay gives it, but it was not published
    EXTRA = "extra"  # it was published, but the replay does not give it


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of an event, as published and as replayed."""

    field: str
    published: Any
    replayed: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One event that is not identical, by the position of the record it comes from."""

    verdict: Verdict
    topic: str
    partition: int
    offset: int
    ce_id: str | None
    fields: tuple[FieldChange, ...] = ()

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
    """Counts of verdicts by topic, and of the fields that changed."""

    verdicts: dict[str, Counter[Verdict]] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)

    def add(self, topic: str, verdict: Verdict, changes: tuple[FieldChange, ...] = ()) -> None:
        """Counts one event."""
        self.verdicts.setdefault(topic, Counter())[verdict] += 1
        self.fields.update({_INDEX.sub("[]", change.field) for change in changes})

    def total(self, *verdicts: Verdict) -> int:
        """How many events have one of these verdicts."""
        return sum(counts[verdict] for counts in self.verdicts.values() for verdict in verdicts)

    @property
    def all_identical(self) -> bool:
        """Whether there is no difference."""
        return self.total(Verdict.CHANGED, Verdict.MISSING, Verdict.EXTRA) == 0


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
        fields = list(_walk("", _json(published.value), _json(replayed.value)))
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
        pair = before.get(name, _ABSENT), after.get(name, _ABSENT)
        if pair[0] != pair[1]:
            yield name, *pair


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "backslashreplace")


def _json(value: bytes | None) -> Any:
    try:
        return json.loads(value or b"null")
    except ValueError:
        return "(not JSON)"


def _walk(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            yield from _walk(inner, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for n in range(max(len(before), len(after))):
            pair = [part[n] if n < len(part) else _ABSENT for part in (before, after)]
            yield from _walk(f"{path}[{n}]", *pair)
    elif before != after or type(before) is not type(after):
        yield FieldChange(path, before, after)
