"""The oracle of erasures: it accepts the real fold, and catches a user who comes back."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from streams import profiles
from streams.events import ActionKind, encode
from streams.profile_hash import hash_fields
from streams.profile_updates import Folding
from streams.records import SourceRecord
from streams.topics import TopicNames
from tests.faults.erasures import came_back
from tests.faults.unforgetting_personalizer import counts
from tests.streams.profile_signals import NOON, RULES, action, erasure, query, source

ANN, BOB = ("k1." + digit * 32 for digit in "ab")
_FOLDING = Folding(topics=TopicNames(), cluster="main", epoch="1", rules=RULES)


def log() -> list[SourceRecord]:
    """Ann is erased, then what she had said comes again; Bob says something new as well."""
    said = []
    for user, first in ((ANN, 0), (BOB, 10)):
        at = NOON
        old = [
            query(user=user, at=at, source=source(first, at=at), text="an old wish"),
            action(ActionKind.VIEW, user=user, at=at, source=source(first + 1, at=at)),
        ]
        late = NOON + timedelta(seconds=1)  # said before, first published after
        unseen = query(user=user, at=late, source=source(first + 2, at=late), text="on its way")
        forgotten = erasure(user=user, at=NOON + timedelta(minutes=1))
        said += [*old, forgotten, unseen, *old]
    new = NOON + timedelta(minutes=2)
    said.append(query(user=BOB, at=new, source=source(20, at=new), text="a new wish"))
    return [
        SourceRecord("users.signals", 0, n, _ms(one.occurred_at), one.user.encode(), encode(one))
        for n, one in enumerate(said)
    ]


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def served(
    records: list[SourceRecord],
) -> tuple[dict[str, bytes | None], dict[str, dict[str, bytes]]]:
    """What the personalizer publishes and writes of a log."""
    stored: dict[bytes, bytes] = {}
    features: dict[str, bytes | None] = {}
    hashes: dict[str, dict[str, bytes]] = {}
    for record in records:
        key = record.key or b""
        profile = _FOLDING.next_profile(stored.get(key), record)
        stored[key] = encode(profile)
        features[profile.user] = _FOLDING.event(profile, record, stored[key]).value
        hashes[profile.user] = hash_fields(profile, serve_weight=3.0)
    return features, hashes


def test_the_real_fold_lets_nobody_come_back() -> None:
    features, hashes = served(log())
    assert features[ANN] is None
    assert features[BOB] is not None
    assert came_back(log(), features, hashes) == []


def test_a_fold_that_counts_what_was_said_before_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The planted fault: without it the oracle would prove nothing."""
    monkeypatch.setattr(profiles, "_counts", counts)
    found = came_back(log(), *served(log()))
    assert {line.partition(":")[0] for line in found} == {ANN, BOB}


@pytest.fixture
def good() -> tuple[dict[str, bytes | None], dict[str, dict[str, bytes]]]:
    return served(log())


_Served = tuple[dict[str, bytes | None], dict[str, dict[str, bytes]]]


def test_a_profile_left_on_the_topic_is_caught(good: _Served) -> None:
    features, hashes = good
    before, _ = served(log()[:2])
    assert len(came_back(log(), features | before, hashes)) == 2


@pytest.mark.parametrize("user", [ANN, BOB])
def test_a_hash_left_in_redis_is_caught(good: _Served, user: str) -> None:
    features, hashes = good
    records = [replace(one, offset=n) for n, one in enumerate(log()) if one.key == user.encode()]
    _, before = served(records[:2])
    assert [line.partition(":")[0] for line in came_back(log(), features, hashes | before)] == [
        user
    ]


def test_a_marker_that_is_missing_is_caught(good: _Served) -> None:
    features, hashes = good
    del hashes[ANN]
    assert came_back(log(), features, hashes) == [f"{ANN}: Redis holds neither marker nor profile"]


def test_one_count_too_many_is_caught(good: _Served) -> None:
    features, hashes = good
    profile: Mapping[str, object] = json.loads(features[BOB] or b"")
    features[BOB] = json.dumps({**profile, "counts": {"queries": 2}}).encode()
    assert came_back(log(), features, hashes) == [
        f"{BOB}: users.features tells what was said before"
    ]


def test_a_later_life_that_was_lost_is_caught(good: _Served) -> None:
    features, hashes = good
    assert came_back(log(), features | {BOB: None}, hashes) == [
        f"{BOB}: users.features has forgotten what was said since"
    ]
