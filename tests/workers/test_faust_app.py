"""What Faust is told, and what its table is taught."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables import Table
from faust.types import TP
from pydantic import SecretStr

from streams.events import encode
from streams.profile_schema import position_of
from streams.profiles import Position, fold
from tests.streams.profile_signals import RULES, USER, query
from workers.errors import SettingsError
from workers.profiles.faust_app import (
    ProfileTable,
    changelog_topic,
    credentials,
    make_app,
)
from workers.sections import KafkaSettings, ProfileSettings
from workers.settings import Settings, load_settings


@pytest.fixture
def settings() -> Settings:
    kafka = KafkaSettings(bootstrap_servers="one:9092, two:9093")
    return load_settings(None, prefix="shop", kafka=kafka)


def profile_at(offset: int, epoch: str = "1") -> bytes:
    return encode(fold(None, query(), Position(epoch, 0, offset), RULES))


def changelog(*values: bytes | None) -> list[Any]:
    """Events of a changelog, as far as a table looks at them."""
    key = USER.encode()
    return [
        SimpleNamespace(
            key=key,
            value=value,
            message=SimpleNamespace(
                key=key, value=value, partition=0, offset=0, tp=TP("changelog", 0)
            ),
        )
        for value in values
    ]


async def test_a_table_that_recovers_never_goes_back(settings: Settings, tmp_path: Path) -> None:
    """CASES 25: a worker that was cut off wrote after its successor."""
    table = cast("ProfileTable", make_app(settings, tmp_path).Table("profiles", value_type=bytes))
    key = USER.encode()
    for batch, reached in (
        ([profile_at(5), profile_at(9), profile_at(7)], 9),
        ([profile_at(8), None], 9),
        ([profile_at(10)], 10),
    ):
        table.apply_changelog_batch(changelog(*batch))
        assert position_of(table.data[key]).offset == reached
    table.apply_changelog_batch(changelog(profile_at(0, epoch="2"), profile_at(99)))
    assert table.data[key] == profile_at(0, epoch="2")


async def test_a_table_on_disk_behaves_as_one_in_memory(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = settings.model_copy(update={"profile": ProfileSettings(store="rocksdb")})
    table: Any = make_app(disk, tmp_path).Table("profiles", key_type=bytes, value_type=bytes)
    sent = SimpleNamespace(message=SimpleNamespace(partition=3))
    monkeypatch.setattr(Table, "send_changelog", lambda *_, **__: sent)
    key, other = USER.encode(), b"k1." + b"1" * 32
    assert table.data.get(key) is None
    table.apply_changelog_batch(changelog(profile_at(5), profile_at(9), profile_at(7)))
    table.apply_changelog_batch(changelog(profile_at(8)))
    assert position_of(table.data[key]).offset == 9, "recovery never goes back"
    table.write(other, profile_at(1), partition=3)
    table.write(other, profile_at(2), partition=3)  # outside of any stream
    assert table.data.get(other) == profile_at(2)
    assert {path.name for path in tmp_path.rglob("*.db")} == {"profiles-0.db", "profiles-3.db"}
    place = TP(changelog_topic(disk), 3)
    table.data.set_persisted_offset(place, 7)
    assert table.data.persisted_offset(place) is None, "all of the changelog is read again"
    await table.data.stop()


def test_a_table_on_disk_without_its_package_is_a_clear_error(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = settings.model_copy(update={"profile": ProfileSettings(store="rocksdb")})
    monkeypatch.setattr("workers.profiles.faust_app.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="rocksdict is not installed") as raised:
        make_app(disk, tmp_path)
    assert "intentstream[rocksdb]" in raised.value.hint


async def test_names_carry_the_prefix_and_nothing_is_created_or_served(
    settings: Settings, tmp_path: Path
) -> None:
    app = make_app(settings, tmp_path)
    guarantee: Any = app.conf.processing_guarantee
    assert guarantee.value == "at_least_once", "CASES 30: no transactions"
    assert app.conf.id == "shop.personalizer"
    table: Any = app.Table("profiles")
    assert table.changelog_topic.get_topic_name() == changelog_topic(settings)
    assert changelog_topic(settings) == "shop.personalizer-profiles-changelog"
    assert [url.host for url in app.conf.broker_consumer] == ["one", "two"]
    assert not app.conf.topic_allow_declare
    assert not app.conf.web_enabled


def test_security_is_passed_through() -> None:
    secret: dict[str, Any] = {"sasl_username": "ann", "sasl_password": SecretStr("sesame")}
    plain = KafkaSettings(security_protocol="SASL_PLAINTEXT", **secret)
    both = KafkaSettings(security_protocol="SASL_SSL", sasl_mechanism="PLAIN", **secret)
    found = credentials(plain)
    assert isinstance(found, SASLCredentials)
    assert (found.username, found.password) == ("ann", "sesame")
    assert found.protocol.value == "SASL_PLAINTEXT"
    assert found.mechanism.value == "SCRAM-SHA-512"
    found = credentials(both)
    assert isinstance(found, SASLCredentials)
    assert (found.protocol.value, found.mechanism.value) == ("SASL_SSL", "PLAIN")
    assert isinstance(credentials(KafkaSettings(security_protocol="SSL")), SSLCredentials)
    assert credentials(KafkaSettings()) is None
