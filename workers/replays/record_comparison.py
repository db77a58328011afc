"""All that one record became, against all that was published for it. Pure.

Entities are matched by where they stand in the text, not by their number, so that one entity
more does not make all that follow look changed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from streams.events import EntityMentioned, QueryUnderstood, UserSignal, encode
from streams.records import OutputRecord
from streams.topics import TopicNames
from workers.replays.comparison import (
    FieldChange,
    Verdict,
    as_json,
    changes,
    dead_letter_changes,
    verdict_of,
    walk,
)
from workers.replays.event_identity import EventKey

_queries = msgspec.json.Decoder(QueryUnderstood)
_mentions = msgspec.json.Decoder(EntityMentioned)
_signals = msgspec.json.Decoder(UserSignal)
_LISTS: Final = ("entities", "relations")


@dataclass(frozen=True, slots=True)
class Compared:
    """One event, as published and as replayed; one of them is None where there is none."""

    key: EventKey
    verdict: Verdict
    fields: tuple[FieldChange, ...]
    published: OutputRecord | None
    replayed: OutputRecord | None


@dataclass(frozen=True, slots=True)
class RecordComparison:
    """All events of one record. `before` and `after` are its events of `queries.intents`."""

    events: tuple[Compared, ...]
    before: QueryUnderstood | None
    after: QueryUnderstood | None


class Comparer:
    """Compares record by record.

    Args:
        names: of the topics.
        tolerance: of scores, where the model or the settings were others.
    """

    def __init__(self, names: TopicNames, tolerance: float) -> None:
        self._names = names
        self._tolerance = tolerance

    def compare(
        self, replayed: Mapping[EventKey, OutputRecord], published: Mapping[EventKey, OutputRecord]
    ) -> RecordComparison:
        """The verdict on each event of one record."""
        before, after = self._query(published), self._query(replayed)
        exact = before is None or after is None or _origin(before) == _origin(after)
        degraded = bool((before and before.degraded) or (after and after.degraded))
        found = []
        for key in [*replayed, *(key for key in published if key not in replayed)]:
            one = self._event(key, published.get(key), replayed.get(key), exact=exact)
            if degraded and one.verdict is not Verdict.IDENTICAL:
                one = Compared(key, Verdict.DEGRADED, one.fields, one.published, one.replayed)
            found.append(one)
        return RecordComparison(tuple(found), before, after)

    def _query(self, events: Mapping[EventKey, OutputRecord]) -> QueryUnderstood | None:
        for key, event in events.items():
            if key.topic == self._names.intents:
                return understood(event)
        return None

    def _event(
        self, key: EventKey, before: OutputRecord | None, after: OutputRecord | None, *, exact: bool
    ) -> Compared:
        if before is None:
            return Compared(key, Verdict.MISSING, (), before, after)
        if after is None:
            return Compared(key, Verdict.EXTRA, (), before, after)
        after = revised_as(before, after)
        if _same(before, after):  # nearly always: the fields need not be looked at
            return Compared(key, Verdict.IDENTICAL, (), before, after)
        if key.topic == self._names.dead:
            fields = dead_letter_changes(before, after)
        elif before.value == after.value or key.topic != self._names.intents:
            fields = changes(before, after)
        else:
            fields = query_changes(before, after)
        verdict = verdict_of(fields, exact=exact, tolerance=self._tolerance)
        return Compared(key, verdict, fields, before, after)


def understood(event: OutputRecord) -> QueryUnderstood | None:
    """An event of `queries.intents`, read; None when it is none (any more)."""
    try:
        return _queries.decode(event.value or b"")
    except (ValueError, RecursionError):
        return None


def _same(before: OutputRecord, after: OutputRecord) -> bool:
    return (before.value, before.key, before.headers) == (after.value, after.key, after.headers)


def _origin(event: QueryUnderstood) -> tuple[str, str, str]:
    return event.model.digest, event.pipeline.settings_digest, event.pipeline.version


def revised_as(before: OutputRecord, after: OutputRecord) -> OutputRecord:
    """The replayed event with the revision of the published one.

    A back-fill counts revisions up; what a revision says is to be compared, not its number.
    """
    revision = _revision(before.value)
    return after if not revision else with_revision(after, revision)


def _revision(value: bytes | None) -> int:
    if value is None or b'"revision":' not in value:
        return 0
    found = as_json(value)
    revision = found.get("revision", 0) if isinstance(found, dict) else 0
    return revision if isinstance(revision, int) else 0


def revision_of(event: OutputRecord) -> int:
    """The revision that an event carries; 0 where it says none."""
    return _revision(event.value)


def with_revision(event: OutputRecord, revision: int) -> OutputRecord:
    """The event with another revision: all else stays byte for byte."""
    decoder: msgspec.json.Decoder[Any]
    for decoder in (_queries, _mentions, _signals):
        try:
            value = decoder.decode(event.value or b"")
        except (ValueError, RecursionError):
            continue
        revised = msgspec.structs.replace(value, revision=revision)
        return OutputRecord(event.topic, event.key, encode(revised), event.headers)
    return event  # a dead letter has no revision


def query_changes(before: OutputRecord, after: OutputRecord) -> tuple[FieldChange, ...]:
    """What differs between two events of `queries.intents`, entities matched by their place."""
    found = [
        change
        for change in changes(before, after)
        if not change.field.startswith(tuple(f"{name}[" for name in _LISTS))
        and change.field not in _LISTS
    ]
    old, new = as_json(before.value), as_json(after.value)
    if isinstance(old, dict) and isinstance(new, dict):
        found += _entity_changes(_dicts(old, "entities"), _dicts(new, "entities"))
        found += _relation_changes(old, new)
        if not found:  # such as two entities that changed places
            found += [FieldChange("value", "(other bytes)", "(of the same content)")]
    return tuple(found)


def _dicts(event: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = event.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _entity_changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]]
) -> Iterator[FieldChange]:
    left = {_place(one): one for one in after}
    lost = []
    for old in before:
        new = left.pop(_place(old), None)
        if new is None:
            lost.append(old)
            continue
        if old.get("type") != new.get("type"):
            yield FieldChange("entity relabelled", old, new)
        elif old.get("score") != new.get("score"):
            yield FieldChange("entity score", old.get("score"), new.get("score"))
        yield from (
            FieldChange(f"entity.{change.field}", change.published, change.replayed)
            for change in walk("", _rest(old), _rest(new))
        )
    for old in lost:
        moved = next((at for at, new in left.items() if _overlap(old, new)), None)
        if moved is None:
            yield FieldChange("entity lost", old, None)
        else:
            yield FieldChange("entity moved", old, left.pop(moved))
    yield from (FieldChange("entity added", None, new) for new in left.values())


def _place(entity: dict[str, Any]) -> tuple[Any, Any]:
    return entity.get("start"), entity.get("end")


def _rest(entity: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entity.items() if name not in ("type", "score")}


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(
        one.get("type") == other.get("type")
        and one.get("start", 0) < other.get("end", 0)
        and other.get("start", 0) < one.get("end", 0)
    )


def _relation_changes(old: dict[str, Any], new: dict[str, Any]) -> Iterator[FieldChange]:
    before, after = _named_relations(old), _named_relations(new)
    for name in [*before, *(name for name in after if name not in before)]:
        pair = before.get(name), after.get(name)
        if pair[0] is None:
            yield FieldChange("relation added", None, " ".join(name))
        elif pair[1] is None:
            yield FieldChange("relation lost", " ".join(name), None)
        elif pair[0] != pair[1]:
            yield FieldChange("relation.score", *pair)


def _named_relations(event: dict[str, Any]) -> dict[tuple[str, str, str], Any]:
    entities = _dicts(event, "entities")
    found: dict[tuple[str, str, str], Any] = {}
    for one in _dicts(event, "relations"):
        try:
            ends = [entities[one[end]] for end in ("subject", "object")]
            names = [f"{end['text']}@{end['start']}" for end in ends]
            found[names[0], str(one["predicate"]), names[1]] = one["score"]
        except (KeyError, IndexError, TypeError):
            continue
    return found
