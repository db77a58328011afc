"""Rights on a real cluster with SCRAM over TLS and an authorizer: each role does its job, and no more.

The rights are granted by the command that users run, and each worker and command runs under a
principal of its own.
"""

import asyncio
import contextlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import trustme
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import TopicPartition
from pydantic import SecretStr
from redis.asyncio import Redis
from typer.testing import CliRunner

from streams.events import encode
from tests.streams.profile_signals import query, source
from tests.workers.rig import Rig
from tests.workers.test_kafka import _inline, _pkcs8
from tests.workers.world import SECRET, World, queries
from workers import access, kafka
from workers.access import Role
from workers.cli import app
from workers.dead_letters import Selection, dead_letters
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.ports import free_ports
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import ContractError, UnreachableError
from workers.profiles.corrections import Corrected, correct_profiles
from workers.redriving import redrive
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

pytestmark = [
    # aiokafka leaves connections that were refused to the garbage collector
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_ROLES = [role for role in Role if role is not Role.REDRIVER]  # the auditor's second part


@dataclass(frozen=True)
class Guarded:
    """A cluster that lets in who has a password, and lets do who has a right."""

    bootstrap: str
    authority: Path

    def settings(self, user: str, prefix: str = "guarded", **more: Any) -> Settings:
        given = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": user,
            "sasl_password": f"secret of {user}",
            "ssl_cafile": self.authority,
            "session_timeout_ms": 6_000,
            "heartbeat_interval_ms": 500,
            "request_timeout_ms": 4_000,
        }
        return load_settings(
            None,
            prefix=prefix,
            start="earliest",
            topics={"partitions": 1},
            pseudonyms={"secret": SECRET},
            kafka=given,
            **more,
        )

    def environment(self, user: str, **more: str) -> dict[str, str]:
        """The same as variables, for a process."""
        given = {
            "KAFKA__BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA__SASL_MECHANISM": "SCRAM-SHA-512",
            "KAFKA__SASL_USERNAME": user,
            "KAFKA__SASL_PASSWORD": f"secret of {user}",
            "KAFKA__SSL_CAFILE": str(self.authority),
            "KAFKA__SESSION_TIMEOUT_MS": "6000",
            "KAFKA__HEARTBEAT_INTERVAL_MS": "500",
            "PREFIX": "guarded",
            "START": "earliest",
            "TOPICS__PARTITIONS": "1",
            "PSEUDONYMS__SECRET": SECRET,
        }
        named = {f"INTENTSTREAM_{name}": value for name, value in (given | more).items()}
        return named | {"PATH": os.environ["PATH"]}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    plain, controller, sasl = free_ports(3)
    listeners = (
        f"PLAINTEXT://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller}"
    )
    settings = {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": _inline(_pkcs8(server.private_key_pem.bytes())),
        "ssl.keystore.certificate.chain": _inline(
            b"".join(blob.bytes() for blob in server.cert_chain_pems)
        ),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.sasl.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        # the node speaks to itself without a password, on listeners that no client here uses
        "super.users": "User:ANONYMOUS;User:admin",
    }
    users = ["admin", "stranger", *(role.value for role in _ROLES)]
    options = [
        word
        for user in users
        for word in ("--add-scram", f"SCRAM-SHA-512=[name={user},password=secret of {user}]")
    ]
    async with EmbeddedKafka(folder, port=plain, settings=settings, format_options=options):
        yield Guarded(f"127.0.0.1:{sasl}", folder / "ca.pem")


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def granted(guarded: Guarded) -> None:
    """The rights, granted by the command; then the operator makes the topics."""
    pairs = [f"{role.value}=User:{role.value}" for role in _ROLES]
    pairs.append("redriver=User:auditor")
    options = [word for pair in pairs for word in ("--principal", pair)]
    command = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "topics", "acls", "--grant", *options),
        env=guarded.environment("admin"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    said, _ = await command.communicate()
    assert command.returncode == 0, said.decode()
    assert "rights granted to" in said.decode()
    await apply(guarded.settings("operator"))


async def _read(settings: Settings, topic: str, within_s: float = 4) -> list[bytes | None]:
    """What is in a topic; nothing where it is not to be seen."""
    client = kafka.consumer(settings.kafka)
    async with kafka.running(client, settings.kafka):
        place = TopicPartition(topic, 0)
        client.assign([place])
        await client.seek_to_beginning(place)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not (found := await client.getmany(timeout_ms=500)):
                    pass
                return [record.value for records in found.values() for record in records]
    return []


async def _may_read(settings: Settings, topic: str) -> bool:
    try:
        return bool(await _read(settings, topic))
    except TopicAuthorizationFailedError:
        return False


async def _may_write(settings: Settings, topic: str) -> bool:
    with contextlib.suppress(*_NO):
        async with kafka.running(kafka.producer(settings.kafka), settings.kafka) as client:
            await client.send_and_wait(topic, b"{}", key=b"k", partition=0)
            return True
    return False


_NO = (
    TopicAuthorizationFailedError,
    ClusterAuthorizationFailedError,  # who may write nowhere gets no id as a producer
    UnknownTopicOrPartitionError,
    KafkaTimeoutError,  # what one may not describe one waits for
)

_TOPICS = (
    *("queries.raw", "users.actions", "queries.intents", "queries.entities"),
    *("users.signals", "users.features", "queries.dead"),
)
_READS: dict[str, set[str]] = {
    "enricher": {"queries.raw", "users.actions"},
    "personalizer": {"users.signals"},
    "auditor": set(_TOPICS),
    "corrector": set(),
    "operator": set(),
    "producer": set(),
    "consumer": {"queries.intents", "queries.entities", "users.features"},
    "stranger": set(),
}
_WRITES: dict[str, set[str]] = {
    "enricher": {"queries.intents", "queries.entities", "users.signals", "queries.dead"},
    "personalizer": {"users.features", "queries.dead"},
    "auditor": {"queries.raw", "users.actions"},  # as the redriver
    "corrector": {"queries.intents", "queries.entities", "users.signals", "users.features"},
    "operator": {"users.signals"},
    "producer": {"queries.raw", "users.actions"},
    "consumer": set(),
    "stranger": set(),
}


async def test_a_role_reads_and_writes_its_topics_and_no_other(guarded: Guarded) -> None:
    """Above all: only the auditor reads dead letters."""
    admin = guarded.settings("admin", "rights")
    await apply(admin)
    for role in _ROLES:
        await access.grant(admin, {role: f"User:{role.value}"})
    await access.grant(admin, {Role.REDRIVER: "User:auditor"})
    async with kafka.running(kafka.producer(admin.kafka), admin.kafka) as client:
        for topic in _TOPICS:
            await client.send_and_wait(f"rights.{topic}", b"{}", key=b"k", partition=0)
    for expected, may in ((_READS, _may_read), (_WRITES, _may_write)):
        asked = [(user, topic) for user in expected for topic in _TOPICS]
        answers = await asyncio.gather(
            *(may(guarded.settings(user, "rights"), f"rights.{topic}") for user, topic in asked)
        )
        found: dict[str, set[str]] = {user: set() for user in expected}
        for (user, topic), allowed in zip(asked, answers, strict=True):
            found[user] |= {topic} if allowed else set()
        assert found == expected


async def test_a_corrector_who_is_an_auditor_too_corrects_profiles(guarded: Guarded) -> None:
    admin, settings = guarded.settings("admin"), guarded.settings("corrector")
    await access.grant(admin, {Role.AUDITOR: "User:corrector"})
    said = query(user=settings.pseudonyms.pseudonymiser().user("ann"), source=source(1))
    topic = admin.topic_names.signals
    async with kafka.running(kafka.producer(admin.kafka), admin.kafka) as client:
        for signal in (said, msgspec.structs.replace(said, revision=1)):
            await client.send_and_wait(topic, encode(signal), key=signal.user.encode())
    assert await correct_profiles(settings) == Corrected(users=1, busy=1)  # nobody has folded them


async def test_a_stranger_sees_no_topic_and_joins_no_group(guarded: Guarded) -> None:
    settings = guarded.settings("stranger")
    reader = kafka.consumer(settings.kafka, "guarded.queries.raw", group_id="guarded.enricher")
    async with kafka.running(kafka.consumer(settings.kafka), settings.kafka) as client:
        assert await client.topics() == set()
    with pytest.raises((GroupAuthorizationFailedError, TopicAuthorizationFailedError)):
        async with asyncio.timeout(20), kafka.running(reader, settings.kafka):
            await reader.getone()


async def test_a_wrong_password_is_refused_without_being_told(guarded: Guarded) -> None:
    settings = guarded.settings("enricher")
    wrong = settings.kafka.model_copy(update={"sasl_password": SecretStr("not this one")})
    with pytest.raises(UnreachableError) as caught:
        async with kafka.running(kafka.admin(wrong), wrong):
            pass
    assert "not this one" not in str(caught.value)


async def test_who_may_not_grant_is_told_what_is_needed(guarded: Guarded) -> None:
    with pytest.raises(ContractError, match="does not grant") as caught:
        await access.grant(guarded.settings("operator"), {Role.CONSUMER: "User:me"})
    assert "Alter" in caught.value.hint


async def test_a_cluster_without_an_authorizer_says_so(kafka: EmbeddedKafka) -> None:
    settings = load_settings(None, kafka={"bootstrap_servers": kafka.bootstrap})
    with pytest.raises(ContractError) as caught:
        await access.grant(settings, {Role.CONSUMER: "User:me"})
    assert "authorizer" in caught.value.hint


# --- the work itself, each under its principal


@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
async def test_the_enricher_does_its_work(guarded: Guarded, rig: Rig, guarantee: str) -> None:
    triton = {"address": rig.server.grpc_address, "model_name": "rigged"}
    shop = World(guarded.settings("producer"))
    made = queries(5, first=0 if guarantee == "at_least_once" else 5)
    await shop.produce([*made, b"{not json"])
    await shop.produce(
        [{"user_id": "u", "action": "view", "product": {}}], topic="guarded.users.actions"
    )
    world = World(guarded.settings("enricher", triton=triton, guarantee=guarantee))
    async with world.enricher() as enricher:
        await world.until(lambda: enricher.counters.enriched >= len(made), 60)
    assert not enricher.unhealthy()
    seen = World(guarded.settings("consumer"))
    events = await seen.events("guarded.queries.intents")
    assert {query["query_id"] for query in made} <= {event["query_id"] for event in events}


async def test_the_auditor_reads_and_redrives_dead_letters(guarded: Guarded) -> None:
    shop = World(guarded.settings("producer"))
    await shop.produce([b"{not json"])
    auditor = guarded.settings("auditor")
    found = [one async for one in dead_letters(auditor, Selection())]
    assert found
    report = await redrive(auditor, Selection(), lambda _done, _total: None, dry_run=False)
    assert report.redriven


async def test_the_personalizer_does_its_work(
    guarded: Guarded, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    environment = guarded.environment("personalizer", REDIS__URL=valkey.url)
    log = (tmp_path / "log").open("wb")
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "workers.cli", "personalize", env=environment, stderr=log, stdout=log
    )
    redis = Redis.from_url(valkey.url)
    try:
        async with asyncio.timeout(60):
            while not [key async for key in redis.scan_iter(match="guarded:profile:*")]:
                assert worker.returncode is None, (tmp_path / "log").read_text()
                await asyncio.sleep(0.3)
    finally:
        await redis.aclose()
        with contextlib.suppress(ProcessLookupError):
            worker.terminate()
        await worker.wait()
        log.close()
    assert await _read(guarded.settings("consumer"), "guarded.users.features")


async def test_the_auditor_replays(guarded: Guarded, rig: Rig, tmp_path: Path) -> None:
    environment = guarded.environment(
        "auditor", TRITON__ADDRESS=rig.server.grpc_address, TRITON__MODEL_NAME="rigged"
    )
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "replay", "--from", "earliest", "--json"),
        *("--output", str(tmp_path)),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(worker.communicate(), 100)
    assert worker.returncode in (0, 1), err.decode()
    assert json.loads(out)["records"] > 0


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ("stranger", "there is no topic guarded.queries.intents, or this principal may not see it"),
        ("enricher", "cannot be read"),
    ],
)
async def test_a_replay_without_its_rights_says_what_is_needed(
    guarded: Guarded, rig: Rig, tmp_path: Path, user: str, said: str
) -> None:
    environment = guarded.environment(
        user, TRITON__ADDRESS=rig.server.grpc_address, TRITON__MODEL_NAME="rigged"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", "replay", "--from", "earliest"),
        env=environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode == 2, out.decode()
    assert said in err.decode()
    assert "→" in err.decode()
    assert "Traceback" not in err.decode()
    assert list(tmp_path.iterdir()) == []


# --- what the command prints


def test_the_lines_say_the_same_as_what_is_granted() -> None:
    settings = load_settings(None, prefix="eu", kafka={"bootstrap_servers": "broker:9092"})
    for role in Role:
        said = set()
        for line in access.commands(settings, {role: "User:x y"}):
            words = shlex.split(line)
            assert words[:3] == ["kafka-acls.sh", "--bootstrap-server", "broker:9092"]
            assert words[words.index("--allow-principal") + 1] == "User:x y"
            kind = next(w for w in words if w in ("--topic", "--group", "--transactional-id"))
            name = words[words.index(kind) + 1]
            operations = [words[n + 1] for n, word in enumerate(words) if word == "--operation"]
            said |= {(kind, name, one, "prefixed" in words) for one in operations}
        granted_ = {
            (
                f"--{right.resource.name.lower().replace('_', '-')}",
                right.name,
                right.operation.shown,
                right.pattern is access.Pattern.PREFIXED,
            )
            for right in access.rights(settings, role)
        }
        assert said == granted_


def test_a_topic_of_the_shops_own_is_not_the_operators_to_change() -> None:
    settings = load_settings(None, topics={"raw": "shop.searches"})
    changed = {
        right.name
        for right in access.rights(settings, Role.OPERATOR)
        if right.operation is access.Operation.ALTER
    }
    assert "shop.searches" not in changed
    assert "queries.dead" in changed


@pytest.mark.parametrize("pair", ["auditor", "king=User:x", "auditor=jane"])
def test_what_is_no_principal_is_an_error_that_names_the_roles(pair: str) -> None:
    result = CliRunner().invoke(app, ["topics", "acls", "--principal", pair])
    assert result.exit_code == 1
    assert "redriver" in str(result.exception)
    assert re.search("User:jane", str(result.exception))
