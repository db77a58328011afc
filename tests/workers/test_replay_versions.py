"""Two versions against each other: flips apart from drift, by slice; and corrections of the past."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.deduplication import event_id
from streams.events import (
    Entity,
    Label,
    ModelVersion,
    PipelineVersion,
    QueryUnderstood,
    Source,
    encode,
)
from streams.profiles import Profile
from streams.records import OutputRecord
from streams.topics import TopicNames
from tests.workers.personalizer_rig import told
from tests.workers.replay_rig import (
    all_of,
    asked_and_published,
    differences,
    enriched,
    replayed,
    send,
    step,
)
from workers.kafka import source_record
from workers.profiles.profile_settings import folding_of
from workers.replays.agreement import SHIFT_EDGES, Agreement, telling
from workers.replays.back_fill import PROFILES
from workers.replays.comparison import FieldChange, Kind, Verdict
from workers.replays.event_identity import EventKey
from workers.replays.record_comparison import Comparer, query_changes
from workers.settings import Settings
from workers.topic_range import RangeError

_NAMES = TopicNames()
_KEY = EventKey(_NAMES.intents, 0, 7, "id")
_SHOES = Entity("core_product_type", "shoes", "shoes", 4, 9, 0.9)
_RED = Entity("color", "red", "red", 0, 3, 0.8)


def _query(**changes: Any) -> QueryUnderstood:
    event = QueryUnderstood(
        query_id="q",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
        text="red shoes",
        language="en",
        intent=Label("product_search", 0.9),
        sentiment=Label("neutral", 0.7),
        entities=(_RED, _SHOES),
        relations=(),
        alternatives=(Label("refund", 0.05),),
        model=ModelVersion("m", "1", "sha256:1"),
        pipeline=PipelineVersion("1", "s"),
        source=Source("main", "queries.raw", 0, 7, 1),
    )
    return msgspec.structs.replace(event, **changes)


def _event(event: QueryUnderstood) -> OutputRecord:
    return OutputRecord(_NAMES.intents, b"k", encode(event), (("ce_id", b"id"),))


_OTHER: Any = {"model": ModelVersion("m", "2", "sha256:2")}


def _verdict(after: QueryUnderstood, before: QueryUnderstood | None = None) -> Verdict:
    found = Comparer(_NAMES, 0.01).compare(
        {_KEY: _event(after)}, {_KEY: _event(before or _query())}
    )
    return found.events[0].verdict


# --- verdicts


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.EQUIVALENT),
        ({"intent": Label("product_search", 0.91)}, Verdict.EQUIVALENT),
        ({"intent": Label("product_search", 0.9101)}, Verdict.CHANGED),
        ({"intent": Label("refund", 0.9)}, Verdict.CHANGED),
        ({"sentiment": Label("neutral", 0.691)}, Verdict.EQUIVALENT),
        ({"entities": (_RED,)}, Verdict.CHANGED),
        ({"text": "red shoe"}, Verdict.CHANGED),
        ({"alternatives": (Label("review", 0.05),)}, Verdict.CHANGED),
    ],
)
def test_another_model_has_a_tolerance(change: dict[str, Any], verdict: Verdict) -> None:
    assert _verdict(_query(**_OTHER | change)) is verdict


def test_the_same_model_and_settings_have_none() -> None:
    assert _verdict(_query()) is Verdict.IDENTICAL
    assert _verdict(_query(intent=Label("product_search", 0.9001))) is Verdict.CHANGED


@pytest.mark.parametrize("which", ["before", "after"])
def test_what_rules_answered_is_counted_apart(which: str) -> None:
    degraded = _query(degraded=True, intent=Label("refund", 0.5))
    pair = (degraded, _query()) if which == "after" else (_query(), degraded)
    assert _verdict(*pair) is Verdict.DEGRADED


def test_all_of_a_degraded_record_is_apart() -> None:
    entity = EventKey(_NAMES.entities, 0, 7, "e")
    mention = OutputRecord(_NAMES.entities, b"red", b"{}", (("ce_id", b"e"),))
    found = Comparer(_NAMES, 0.01).compare(
        {_KEY: _event(_query()), entity: mention}, {_KEY: _event(_query(degraded=True))}
    )
    assert [one.verdict for one in found.events] == [Verdict.DEGRADED] * 2


def test_a_revision_is_not_a_difference() -> None:
    assert _verdict(_query(), _query(revision=3)) is Verdict.IDENTICAL
    changed = _query(intent=Label("refund", 0.9))
    assert _verdict(changed, _query(revision=3)) is Verdict.CHANGED


# --- what changed, in the words of the field


@pytest.mark.parametrize(
    ("entities", "fields"),
    [
        ((_SHOES,), ["entity lost"]),
        ((_RED, _SHOES, Entity("size", "9", "9", 10, 11, 0.5)), ["entity added"]),
        ((msgspec.structs.replace(_RED, type="modifier"), _SHOES), ["entity relabelled"]),
        ((_RED, msgspec.structs.replace(_SHOES, start=0)), ["entity moved"]),
        ((msgspec.structs.replace(_RED, score=0.5), _SHOES), ["entity score"]),
        ((Entity("color", "blue", "blue", 20, 24, 0.8),), ["entity lost", "entity lost", "entity added"]),
    ],
)  # fmt: skip
def test_entities_are_matched_by_their_place(
    entities: tuple[Entity, ...], fields: list[str]
) -> None:
    found = query_changes(_event(_query()), _event(_query(entities=entities)))
    assert [change.field for change in found] == fields


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("intent.label", Kind.INTENT),
        ("query.intent.label", Kind.INTENT),
        ("sentiment.label", Kind.SENTIMENT),
        ("intent.score", Kind.SCORE),
        ("entity score", Kind.SCORE),
        ("query.entities[0].score", Kind.SCORE),
        ("entity added", Kind.ENTITY),
        ("entity.type", Kind.ENTITY),
        ("relation lost", Kind.RELATION),
        ("relation.score", Kind.SCORE),
        ("alternatives[0].score", Kind.ALTERNATIVES),
        ("text", Kind.REDACTION),
        ("query.vector", Kind.VECTOR),
        ("query.vector_space", Kind.PROVENANCE),
        ("model.digest", Kind.PROVENANCE),
        ("pipeline.settings_digest", Kind.PROVENANCE),
        ("language", Kind.LANGUAGE),
        ("key", Kind.OTHER),
        ("header ce_time", Kind.OTHER),
    ],
)
def test_a_field_has_its_kind(field: str, kind: Kind) -> None:
    assert FieldChange(field, 1, 2).kind is kind


def test_vectors_are_compared_by_their_angle() -> None:
    one, near, far = "ADwAAA==", "ADwAJA==", "AAAAPA=="  # (1, 0), (1, 0.016), (0, 1)
    assert FieldChange("query.vector", one, near).within(0.01)
    assert not FieldChange("query.vector", one, far).within(0.01)
    for broken in (None, "", "!", "ADw="):
        assert not FieldChange("query.vector", one, broken).within(0.01)


# --- agreement


def test_agreement_counts_by_slice_and_survives_storage() -> None:
    found = Agreement()
    found.add(_query(), _query())
    found.add(_query(), _query(intent=Label("refund", 0.6)))
    found.add(_query(language="zh"), _query(language="zh", entities=(_RED,)))
    found.add(_query(), _query(intent=Label("product_search", 0.65)))
    assert (found.total.queries, found.total.intent, found.total.entities) == (4, 3, 3)
    assert found.by["language"]["zh"].entities == 0
    assert found.intents["product_search", "refund"] == 1
    assert found.entities["lost", "core_product_type"] == 1
    assert found.largest_shift == pytest.approx(0.25)
    assert Agreement.from_dict(json.loads(json.dumps(found.as_dict()))) == found


def test_every_shift_has_its_bin() -> None:
    found = Agreement()
    for score in (0.0, 0.4, 0.75, 0.895, 0.9, 0.9004, 0.905, 1.0):
        found.add(_query(), _query(intent=Label("product_search", score)))
    for place, count in found.shifts.items():
        assert count
        assert 0 <= place < len(SHIFT_EDGES) - 1
    middle = next(n for n, low in enumerate(SHIFT_EDGES) if low < 0 < SHIFT_EDGES[n + 1])
    assert found.shifts[middle] == 2


def test_what_tells_most_comes_first() -> None:
    order = [
        _query(text="red [EMAIL]"),
        _query(intent=Label("refund", 0.95)),
        _query(intent=Label("refund", 0.4)),
        _query(entities=(_SHOES,)),
        _query(intent=Label("product_search", 0.85)),
        _query(),
    ]
    weights = [telling(_query(), after) for after in order]
    assert weights == sorted(weights, reverse=True)
    assert len(set(weights)) == len(weights)


# --- two models, end to end


async def test_a_replay_finds_what_a_direct_comparison_finds(
    settings: Settings, tmp_path: Path
) -> None:
    """Two models that differ on texts with a 7: compared by hand, and by the replay."""
    first = await asked_and_published(settings, 120)
    model = step(settings, 1, salted=("7",))
    second = await _answers(settings, model)
    names = settings.topic_names
    old, new = ({event_id(one.headers): one for one in some} for some in (first, second))
    flips: Counter[tuple[str, str]] = Counter()
    changed = set()
    for name, before in old.items():
        after = new.get(name)
        if after is None or before.topic != names.intents:
            continue
        one, other = json.loads(before.value or b""), json.loads(after.value or b"")
        flips[one["intent"]["label"], other["intent"]["label"]] += 1
        if {**one, "model": 0} != {**other, "model": 0}:
            changed.add(name)
    assert changed

    report = await replayed(settings, tmp_path, enrich=model.enrich)
    assert report.agreement.intents == flips
    assert {
        one["ce_id"]
        for one in differences(report)
        if one["topic"] == names.intents and one["verdict"] == "changed"
    } == changed
    extra = {one["ce_id"] for one in differences(report) if one["verdict"] == "extra"}
    missing = {one["ce_id"] for one in differences(report) if one["verdict"] == "missing"}
    assert extra == {str(name) for name in old.keys() - new.keys()}
    assert missing == {str(name) for name in new.keys() - old.keys()}
    assert report.flips["intent"] == sum(
        count for (one, other), count in flips.items() if one != other
    )


async def _answers(settings: Settings, model: Any) -> list[OutputRecord]:
    records = [source_record(one) for one in await all_of(settings, settings.topic_names.raw)]
    return [one for some in await model.enrich(records) for one in some]


# --- back-fill


async def test_a_back_fill_publishes_what_changed_with_a_higher_revision(
    settings: Settings, tmp_path: Path
) -> None:
    """CASES 25, 56: the same ids; and nothing counts for profiles a second time."""
    names = settings.topic_names
    await asked_and_published(settings, 40)
    signals = await all_of(settings, names.signals)
    model = step(settings, 1, salted=("7",))
    asked: list[Mapping[str, int]] = []

    def confirm(counts: Mapping[str, int]) -> bool:
        asked.append(counts)
        return True

    topics = (names.intents, names.entities)
    report = await replayed(
        settings, tmp_path, enrich=model.enrich, confirm=confirm, correct=topics
    )
    changed = {
        topic: sum(report.tally.verdicts[topic][one] for one in (Verdict.CHANGED, Verdict.MISSING))
        for topic in sorted((*topics, names.signals))  # a query's signal goes with its event
    }
    assert asked == [changed]
    assert report.corrected == report.to_correct == sum(changed.values())
    assert all(changed.values())
    assert PROFILES in report.notes
    newest = (await all_of(settings, names.intents))[-changed[names.intents] :]
    corrected = [one for one in newest if b'"revision":1' in one.value]
    assert corrected
    known = {event_id(tuple(one.headers)) for one in await all_of(settings, names.intents)}
    assert {event_id(tuple(one.headers)) for one in corrected} <= known

    again = await replayed(settings, tmp_path, enrich=model.enrich, confirm=confirm, correct=topics)
    assert again.to_correct == 0  # what is right now is not published once more
    assert len(asked) == 1
    assert again.tally.total(Verdict.CHANGED, Verdict.MISSING) == 0
    third = await replayed(settings, tmp_path, confirm=confirm, correct=(names.intents,))
    assert third.corrected > 0
    for topic in (names.intents, names.signals):
        assert any(b'"revision":2' in one.value for one in await all_of(settings, topic))
    assert _profiles_of(settings, await all_of(settings, names.signals)) == _profiles_of(
        settings, signals
    )


def _profiles_of(settings: Settings, signals: Sequence[Any]) -> dict[bytes, bytes]:
    """All that the profiles say, folded from signals."""
    folding = folding_of(settings)
    found: dict[bytes, Profile] = {}
    for record in map(source_record, signals):
        known = found.get(record.key or b"")
        stored = None if known is None else encode(known)
        found[record.key or b""] = folding.next_profile(stored, record)
    assert found
    return {name: told(profile) for name, profile in found.items()}


async def test_a_dry_run_and_a_no_publish_nothing(settings: Settings, tmp_path: Path) -> None:
    names = settings.topic_names
    await asked_and_published(settings, 10)
    before = len(await all_of(settings, names.intents))
    report = await replayed(settings, tmp_path, salt=1, correct=(names.intents,))
    assert report.to_correct == 20  # the queries' events, and their users' signals
    assert report.corrected == 0
    assert len(await all_of(settings, names.intents)) == before


@pytest.mark.parametrize("name", ["signals", "dead", "raw"])
async def test_only_events_of_queries_take_corrections(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RangeError, match="takes no corrections"):
        await replayed(settings, tmp_path, correct=(getattr(settings.topic_names, name),))
    assert list(tmp_path.iterdir()) == []


async def test_degraded_events_are_corrected_and_counted_apart(
    settings: Settings, tmp_path: Path
) -> None:
    """CASES 64: what rules answered in the model's place is told from what it said."""
    names = settings.topic_names
    await asked_and_published(settings, 3)
    events = [one for one in await enriched(settings) if one.topic == names.intents]
    value = msgspec.json.decode(events[0].value or b"", type=QueryUnderstood)
    degraded = msgspec.structs.replace(value, degraded=True, intent=Label("unknown", 0.0))
    await send(
        settings, [OutputRecord(names.intents, events[0].key, encode(degraded), events[0].headers)]
    )
    report = await replayed(
        settings, tmp_path, confirm=lambda _count: True, correct=(names.intents,)
    )
    assert report.tally.total(Verdict.DEGRADED) == 1
    assert report.tally.agrees
    assert report.corrected == 1
    assert (await replayed(settings, tmp_path)).tally.all_identical
