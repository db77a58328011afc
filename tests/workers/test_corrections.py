"""What back-fills corrected gets into profiles: restated by a rebuild, taken over by the worker."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest
from aiokafka.partitioner import murmur2
from typer.testing import CliRunner

from streams.events import UserSignal
from streams.profiles import Position, Profile, fold
from tests.streams.profile_signals import RULES, entity, erasure, query, source
from tests.workers.personalizer_rig import BEGAN, SECRET, Rig, cut, rig, told, traffic
from workers.cli import app
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.profiles.corrections import Corrected, correct_profiles
from workers.profiles.parity import check
from workers.profiles.rebuild import rebuild_from_signals
from workers.profiles.topic_reading import extent

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def bench(kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(kafka.bootstrap, valkey.url, tmp_path) as made:
        yield made


def corrected(signal: UserSignal, revision: int = 1) -> UserSignal:
    """As a back-fill has it: the same source, and something else understood."""
    assert signal.query is not None
    other = msgspec.structs.replace(
        signal.query, entities=(entity("core_product_type", f"kayak {revision}", 0.5),)
    )
    return msgspec.structs.replace(signal, query=other, revision=revision)


def right_from_the_start(
    signals: Sequence[UserSignal], corrections: Sequence[UserSignal]
) -> dict[str, Profile]:
    """What the profiles are when each correction stands where the original did."""
    better = {one.source: msgspec.structs.replace(one, revision=0) for one in corrections}
    found: dict[str, Profile] = {}
    for offset, signal in enumerate(signals):
        taken = better.get(signal.source, signal)
        position = Position("1", 0, offset)
        found[signal.user] = fold(found.get(signal.user), taken, position, RULES)
    return found


async def test_a_corrected_profile_is_as_if_it_had_been_right_from_the_start(bench: Rig) -> None:
    signals = traffic(bench.key, 400, users=12)
    await bench.feed(signals)
    await bench.start_worker()
    before = await bench.until_equal()
    queries = [one for one in signals if one.query is not None][::5]
    first = [corrected(one) for one in queries]
    await bench.feed(first)
    untouched = await bench.until_equal()  # a correction by itself changes nothing
    assert {user: told(one) for user, one in untouched.items()} == {
        user: told(one) for user, one in before.items()
    }
    done = await correct_profiles(bench.settings)
    assert (done.users, done.busy, done.left_out) == (len({one.user for one in queries}), 0, 0)
    assert done.restated == done.users
    await _right(bench, signals, first)

    again = await correct_profiles(bench.settings)
    assert (again.restated, again.unchanged) == (0, done.users)

    more = traffic(bench.key, 60, users=12, seed=11)
    moved = [
        msgspec.structs.replace(one, source=msgspec.structs.replace(one.source, partition=1))
        for one in more
        if one.source is not None
    ]
    second = [corrected(one, 2) for one in queries[:20]]
    await bench.feed([*moved, *second])  # life goes on, and a later model knows even better
    await bench.until_equal()
    await correct_profiles(bench.settings)
    best = {one.source: one for one in (*first, *second)}
    await _right(bench, [*signals, *moved], list(best.values()))
    assert (await check(bench.settings)).different == {}


async def _right(
    bench: Rig, signals: Sequence[UserSignal], corrections: Sequence[UserSignal]
) -> None:
    expected = right_from_the_start(signals, corrections)
    found = await bench.until_equal()  # Redis, users.features and the offline fold agree
    assert {user: told(one) for user, one in found.items()} == {
        user: told(one) for user, one in expected.items()
    }


async def test_who_cannot_be_corrected_is_left_as_it_is_and_counted(bench: Rig) -> None:
    """Erased, with news that the worker has not taken, or with a log that retention has cut."""
    homes: dict[int, list[str]] = {0: [], 1: []}
    for number in range(20):
        name = bench.key.user(f"user {number}")
        homes[(murmur2(name.encode()) & 0x7FFFFFFF) % len(homes)].append(name)
    dan, (ann, bob, eve) = homes[0][0], homes[1][:3]  # another partition is cut than theirs
    names = [ann, bob, eve, dan]
    said = {
        name: query(entity("color", "red"), user=name, at=BEGAN, source=source(n, at=BEGAN))
        for n, name in enumerate(names)
    }
    await bench.feed([said[dan]])
    await rebuild_from_signals(bench.settings)  # publishes what the worker would have
    log = await extent(bench.settings, bench.settings.topic_names.signals)
    await bench.feed([said[ann], said[bob], said[eve], erasure(user=eve)])
    await bench.feed([corrected(said[name]) for name in names])
    await cut(bench, {number: log.ends[number] for number in log.partitions})
    assert await correct_profiles(bench.settings) == Corrected(users=4, unchanged=1, busy=3)
    await rebuild_from_signals(bench.settings)
    served = await bench.in_features()
    done = await correct_profiles(bench.settings)
    assert done == Corrected(users=4, restated=2, unchanged=1, left_out=1)
    await rebuild_from_signals(bench.settings)
    after = await bench.in_features()
    changed = {name for name in names if after.get(name) != served.get(name)}
    assert changed == {ann, bob}


async def test_the_command_corrects_and_says_so(
    bench: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = bench.key.user("ann")
    said = query(entity("color", "red"), user=ann, at=BEGAN, source=source(1, at=BEGAN))
    await bench.feed([said, corrected(said)])
    await rebuild_from_signals(bench.settings)
    settings = bench.settings
    for name, value in {
        "KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "REDIS__URL": settings.redis.url.get_secret_value(),
        "PREFIX": settings.prefix,
        "PSEUDONYMS__SECRET": SECRET,
    }.items():
        monkeypatch.setenv(f"INTENTSTREAM_{name}", value)
    result = await asyncio.to_thread(
        CliRunner().invoke, app, ["rebuild-profiles", "--from", "corrections"]
    )
    assert result.exit_code == 0, result.output
    assert "1 users with corrected signals: 1 profiles published as they should be" in result.output
    (profile,) = (await bench.offline()).values()
    assert profile.product_types.values == {"kayak 1": 0.5}
    assert profile.colors.values == {}
