"""The rotation of the pseudonym key: the file, the plan, and users carried on the real Kafka."""

import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from streams.events import UserSignal
from streams.pseudonyms import Pseudonymiser
from tests.streams.profile_signals import erasure, query
from tests.workers.personalizer_rig import BEGAN, SECRET, Rig, rig, told, traffic
from workers.cli import app
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import ContractError, SettingsError
from workers.profiles.erasure import forget
from workers.profiles.key_rotation import carry, new_key, next_key_id, user_ids, write_settings
from workers.profiles.reader import ProfileReader
from workers.sections import PseudonymSettings
from workers.settings import Settings, load_settings

NEW = "c3" * 32


def keyed(**more: object) -> Settings:
    return load_settings(None, pseudonyms=PseudonymSettings(secret=SecretStr(SECRET)), **more)


def rotated(settings: Settings) -> Settings:
    keys = PseudonymSettings(
        key_id="k2",
        secret=SecretStr(NEW),
        previous_key_id="k1",
        previous_secret=SecretStr(SECRET),
    )
    return settings.model_copy(update={"pseudonyms": keys})


@pytest.mark.parametrize(
    ("now", "then"),
    [("k1", "k2"), ("k9", "k10"), ("shop", "shop2"), ("a123456789012999", "a123456789013000")],
)
def test_the_next_key_has_the_next_number(now: str, then: str) -> None:
    assert next_key_id(now) == then
    PseudonymSettings(key_id=then, secret=SecretStr(SECRET))


def test_the_file_is_for_its_owner_alone_and_what_it_says_can_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new.env"
    variables = new_key(keyed())
    write_settings(path, variables)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    loaded = load_settings(path)
    old, new = (one.pseudonyms.pseudonymiser() for one in (keyed(), loaded))
    assert new.user_under_all_keys("ann") == (new.user("ann"), old.user("ann"))
    assert new.user("ann").startswith("k2.")
    with pytest.raises(ContractError, match="exists already"):
        write_settings(path, variables)
    with pytest.raises(ContractError, match="cannot be written"):
        write_settings(tmp_path / "no" / "file", variables)
    assert path.read_text().count(variables["INTENTSTREAM_PSEUDONYMS__SECRET"]) == 1


def test_no_rotation_without_a_key_during_another_or_of_the_development_key() -> None:
    with pytest.raises(SettingsError, match="SECRET is not set"):
        new_key(load_settings(None))
    with pytest.raises(SettingsError, match="under way: from k1 to k2"):
        new_key(rotated(keyed()))
    with pytest.raises(SettingsError, match="development key"):
        new_key(keyed(environment="embedded"))


def test_the_plan_is_printed_and_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTENTSTREAM_PSEUDONYMS__SECRET", SECRET)
    run = CliRunner()
    plan = run.invoke(app, ["keys", "rotate"])
    assert plan.exit_code == 0, plan.output
    assert "k1 to k2" in plan.output
    assert "nothing was changed" in plan.output
    assert list(tmp_path.iterdir()) == []
    begun = run.invoke(app, ["keys", "rotate", "--write", "new.env"])
    assert begun.exit_code == 0, begun.output
    assert "new.env" in begun.output
    secret = Path("new.env").read_text().split("__SECRET=")[1].split()[0]
    for output in (plan.output, begun.output):
        assert SECRET not in output
        assert secret not in output


def test_ids_are_taken_as_they_stand_and_a_wrong_file_is_refused() -> None:
    assert list(user_ids([b"u-1\r\n", b"\n", b" u 2\n", "ü".encode()])) == ["u-1", " u 2", "ü"]
    for wrong, why in (
        (b"\xff", "not UTF-8"),
        (b"k1." + b"0" * 32, "a pseudonym"),
        (b"x" * 300, "over 256 characters"),
    ):
        with pytest.raises(ContractError, match=f"line 2 .*{why}") as raised:
            list(user_ids([b"u-1", wrong]))
        assert wrong.decode("latin-1") not in str(raised.value)


@pytest.fixture
async def bench(kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(kafka.bootstrap, valkey.url, tmp_path) as made:
        yield made


@pytest.mark.timeout(120)
async def test_carried_users_have_the_same_profiles_under_their_new_names(bench: Rig) -> None:
    old, users = bench.key, [f"user {n}" for n in range(9)]
    later = BEGAN + timedelta(minutes=40)
    eve, ann, bob = old.user("user 8"), old.user("user 0"), old.user("bob")
    await bench.feed(
        [
            *traffic(old, 300, users=8),
            query(user=eve, at=BEGAN, text="gone"),
            query(user=ann, at=later),  # without a source: told from a repeat by the copy's header
            query(user=bob, at=later),
            erasure(user=eve, at=later),
            query(user=eve, at=datetime.now(UTC) + timedelta(minutes=1), text="anew"),
        ]
    )
    await _restated(bench, ann, old.user("user 1"))
    before = await bench.offline()
    assert before[ann].counts == {"queries": 1_000}
    bench.settings = settings = rotated(bench.settings)
    new = bench.key
    planned = await carry(settings, users, dry_run=True)
    assert (planned.users, planned.known, planned.erased) == (9, 9, 9)
    assert (await bench.offline()).keys() == before.keys()

    done = await carry(settings, users, dry_run=False)
    assert done == planned
    assert (done.already, done.late, done.cut) == (0, 0, False)
    again = await carry(settings, users, dry_run=False)
    assert (again.signals, again.erased) == (0, 0)
    assert again.already > 0

    await bench.start_worker()
    after = await bench.until_equal()
    for user in users:
        was, now = before[old.user(user)], after[new.user(user)]
        assert told(now) == told(was), user
        assert after[old.user(user)].is_erased
    assert [one.text for one in after[new.user("user 8")].recent_queries] == ["anew"]
    async with ProfileReader.connect(settings) as reader:
        found = (await reader.read([*users, "bob"])).found
    assert {name: one.user[:3] for name, one in found.items()} == {
        **dict.fromkeys(users, "k2."),
        "bob": "k1.",  # not carried: still found under the previous key
    }
    await _forgotten_under_both(bench, settings, new)


async def _restated(bench: Rig, ann: str, other: str) -> None:
    """One profile as it should have been, and one that did not count: something was said since."""
    known = await bench.offline()
    right = msgspec.structs.replace(known[ann], counts={"queries": 1_000})
    wrong = msgspec.structs.replace(
        known[other],
        counts={"queries": 2_000},
        position=msgspec.structs.replace(known[other].position, offset=0),
    )
    await bench.feed(
        [UserSignal(user=one.user, occurred_at=BEGAN, restated=one) for one in (right, wrong)]
    )


async def _forgotten_under_both(bench: Rig, settings: Settings, new: Pseudonymiser) -> None:
    for user in ("user 0", "bob"):
        proof = await forget(settings, user, wait_s=15)
        assert proof.complete
        assert proof.pseudonyms == new.user_under_all_keys(user)
    repeated = await carry(settings, ["user 0", "bob"], dry_run=False)
    assert repeated.signals == 0, "what was forgotten is not carried, nor its erasure twice"
    await bench.until_equal()
    async with ProfileReader.connect(settings) as reader:
        assert (await reader.read(["user 0", "bob"])).missing == ("user 0", "bob")


async def test_nothing_is_carried_without_a_previous_key() -> None:
    with pytest.raises(SettingsError, match="nothing to carry from"):
        await carry(keyed(), ["ann"], dry_run=True)
