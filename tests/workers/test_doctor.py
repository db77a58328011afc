"""The doctor on real servers: what is well, what is ill, and what to do about it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.workers.rig import Rig
from workers.doctor import Finding, Status, examine
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.ports import free_ports
from workers.embedded.valkey import EmbeddedValkey
from workers.kafka import admin, running
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

SECRET = "00112233445566778899aabbccddeeff"


def settings_for(kafka: EmbeddedKafka, valkey: EmbeddedValkey, /, **more: Any) -> Settings:
    """Settings of the real servers, and of a Triton that is away."""
    given: dict[str, Any] = {
        "kafka": {"bootstrap_servers": kafka.bootstrap},
        "redis": {"url": valkey.url},
        "triton": {"address": f"127.0.0.1:{free_ports(1)[0]}"},
        "pseudonyms": {"secret": SECRET},
        "start": "earliest",
    }
    return load_settings(None, **given | more)


async def findings(settings: Settings, about: str) -> list[Finding]:
    return [finding async for finding in examine(settings) if finding.about == about]


async def test_a_well_system(kafka: EmbeddedKafka, valkey: EmbeddedValkey) -> None:
    settings = settings_for(kafka, valkey, prefix="well")
    await apply(settings)
    found = [finding async for finding in examine(settings)]
    well = {finding.about for finding in found if finding.status is Status.OK}
    assert well == {"settings", "kafka", "topics", "redis"}
    (triton,) = (finding for finding in found if finding.about == "triton")
    assert triton.status is Status.FAIL
    assert "INTENTSTREAM_TRITON__ADDRESS" in triton.fix


async def test_a_model_with_another_contract_or_none(
    kafka: EmbeddedKafka, valkey: EmbeddedValkey, rig: Rig
) -> None:
    address = {"address": rig.server.grpc_address}
    well = settings_for(kafka, valkey, triton=address | {"model_name": "rigged"})
    (model,) = await findings(well, "triton")
    assert model.status is Status.OK
    assert "digest" in model.said
    absent = settings_for(kafka, valkey, triton=address | {"model_name": "absent"})
    (model,) = await findings(absent, "triton")
    assert model.status is Status.FAIL
    assert model.fix


async def test_what_is_not_set(kafka: EmbeddedKafka, valkey: EmbeddedValkey) -> None:
    (key,) = await findings(settings_for(kafka, valkey, pseudonyms={}), "settings")
    assert key.status is Status.FAIL
    assert "PSEUDONYMS__SECRET" in key.said
    _, start = await findings(settings_for(kafka, valkey, start=None), "settings")
    assert start.status is Status.WARN
    assert "INTENTSTREAM_START" in start.fix


async def test_missing_topics(kafka: EmbeddedKafka, valkey: EmbeddedValkey) -> None:
    found = await findings(settings_for(kafka, valkey, prefix="none-yet"), "topics")
    assert [finding.status for finding in found] == [Status.FAIL] * 7
    assert "topics apply" in found[0].fix


async def test_a_raw_topic_without_the_brokers_clock(
    kafka: EmbeddedKafka, valkey: EmbeddedValkey
) -> None:
    settings = settings_for(kafka, valkey, prefix="clocks")
    await apply(settings)
    async with running(admin(settings.kafka), settings.kafka) as client:
        configs = {"message.timestamp.type": "CreateTime", "retention.ms": str(14 * 86_400_000)}
        resource = ConfigResource(ConfigResourceType.TOPIC, "clocks.queries.raw", configs)
        await client.alter_configs([resource])
    (raw,) = await findings(settings, "topics")
    assert raw.status is Status.WARN
    assert "producers' clocks" in raw.said


async def test_nothing_is_there(kafka: EmbeddedKafka, valkey: EmbeddedValkey) -> None:
    nobody = free_ports(2)
    settings = settings_for(
        kafka,
        valkey,
        kafka={"bootstrap_servers": f"127.0.0.1:{nobody[0]}"},
        redis={"url": f"redis://127.0.0.1:{nobody[1]}/0"},
    )
    found = [finding async for finding in examine(settings)]
    failed = {finding.about for finding in found if finding.status is Status.FAIL}
    assert failed == {"kafka", "topics", "triton", "redis"}
    assert all(finding.fix for finding in found if finding.status is Status.FAIL)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded_valkey(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[EmbeddedValkey]:
    """A server with users of different rights, and an eviction policy that loses profiles."""
    folder: Path = tmp_path_factory.mktemp("guarded")
    acl = folder / "users.acl"
    acl.write_text(
        "user default off\n"
        "user worker on >sesame ~ill:* +@hash +evalsha +script|load +pexpire +del +ping\n"
        "user reader on >sesame ~ill:* +@hash +ping +info\n"
        "user full on >sesame ~* +@all\n"
    )
    options = {"aclfile": str(acl), "maxmemory": "100mb", "maxmemory-policy": "allkeys-lru"}
    async with EmbeddedValkey(folder, options=options) as server:
        yield server


@pytest.mark.parametrize(
    ("user", "password", "status", "said"),
    [
        ("full", "sesame", Status.WARN, "allkeys-lru"),
        ("worker", "sesame", Status.WARN, "INFO is not allowed"),
        ("reader", "sesame", Status.FAIL, "permission"),
        ("full", "wrong", Status.FAIL, "cannot be used"),
        ("nobody", "sesame", Status.FAIL, "cannot be used"),
    ],
)
async def test_what_redis_allows(
    kafka: EmbeddedKafka,
    guarded_valkey: EmbeddedValkey,
    user: str,
    password: str,
    status: Status,
    said: str,
) -> None:
    redis = {"url": guarded_valkey.url, "username": user, "password": password}
    found = await findings(settings_for(kafka, guarded_valkey, prefix="ill", redis=redis), "redis")
    assert found[-1].status is status
    assert said in found[-1].said
    assert found[-1].fix


async def test_a_broker_that_sends_us_elsewhere(
    tmp_path: Path, kafka: EmbeddedKafka, valkey: EmbeddedValkey
) -> None:
    """CASES 23: bootstrap works, but the advertised listener leads nowhere from here."""
    plain, controller, nowhere = free_ports(3)
    advertised = {
        "advertised.listeners": (
            f"PLAINTEXT://127.0.0.1:{nowhere},CONTROLLER://127.0.0.1:{controller}"
        ),
        "listeners": f"PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller}",
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
    }
    async with EmbeddedKafka(tmp_path, port=plain, settings=advertised) as server:
        settings = settings_for(
            kafka, valkey, kafka={"bootstrap_servers": server.bootstrap, "request_timeout_ms": 3000}
        )
        found = await findings(settings, "kafka")
    assert found[-1].status is Status.FAIL
    assert f"127.0.0.1:{nowhere}" in found[-1].said
    assert "advertised.listeners" in found[-1].fix
