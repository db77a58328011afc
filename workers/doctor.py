"""Looks at everything the workers need, and says what to mend.

Each check is one async function that yields findings; whatever goes wrong inside is a finding
too, so one broken part does not hide the others.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from aiokafka.errors import KafkaError as AIOKafkaError
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, RedisError

from workers.errors import IntentstreamError, UnreachableError
from workers.kafka import admin, advertised, cluster_id, refusal, running
from workers.profiles.redis_store import client as redis_client
from workers.settings import Settings
from workers.topics_admin import Action, TopicPlan, plan
from workers.triton import ModelUnavailableError, TritonModel

_CHECK_TIMEOUT_S: Final = 60.0
_OLDEST_REDIS: Final = (4, 0)
_PROBE: Final = """
redis.call('HSET', KEYS[1], 'probe', '1')
redis.call('PEXPIRE', KEYS[1], 1000)
redis.call('HMGET', KEYS[1], 'probe')
return redis.call('DEL', KEYS[1])
"""
"""The commands that a profile is written with, on a key that lives for one second at most."""


class Status(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `fix` is what to do; empty when nothing needs doing."""

    about: str
    status: Status
    said: str
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return asdict(self)


Findings = AsyncIterator[Finding]
Check = Callable[[Settings], Findings]


async def examine(settings: Settings) -> Findings:
    """All findings, part by part. The parts are looked at side by side, within a minute."""
    tasks = [
        asyncio.create_task(_collected(about, check, settings)) for about, check in _CHECKS.items()
    ]
    try:
        for task in tasks:
            for finding in await task:
                yield finding
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _collected(about: str, check: Check, settings: Settings) -> list[Finding]:
    found: list[Finding] = []
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S), aclosing(check(settings)) as findings:  # type: ignore[type-var]  # every check is an async generator
            async for finding in findings:
                found.append(finding)  # noqa: PERF401 (keeps what was found before a failure)
    except IntentstreamError as error:
        found.append(Finding(about, Status.FAIL, error.message, error.hint))
    except TimeoutError:
        said = f"no answer within {_CHECK_TIMEOUT_S:.0f} s"
        found.append(Finding(about, Status.FAIL, said, "is a firewall in between?"))
    return found


async def _check_settings(settings: Settings) -> Findings:
    about = "settings"
    settings.pseudonyms.pseudonymiser()
    yield Finding(about, Status.OK, f"pseudonyms are made with key {settings.pseudonyms.key_id}")
    if settings.start_position is None:
        yield Finding(
            about,
            Status.WARN,
            "nothing says where to begin without a committed offset: the first start will refuse",
            "set INTENTSTREAM_START to earliest, latest or time:<ISO 8601>",
        )


async def _check_kafka(settings: Settings) -> Findings:
    kafka = settings.kafka
    brokers = await advertised(kafka)
    # A broker says where to find it, and that need not lead there from here.
    reasons = await asyncio.gather(*(refusal(kafka, broker) for broker in brokers))
    astray = [(broker, reason) for broker, reason in zip(brokers, reasons, strict=True) if reason]
    for broker, reason in astray:
        yield Finding(
            "kafka",
            Status.FAIL,
            f"the cluster says that a broker is at {broker}, but from here: {reason}",
            "set that broker's advertised.listeners to an address that this machine reaches",
        )
    if len(astray) == len(brokers):
        return
    async with running(admin(kafka), kafka) as client:
        identity = await cluster_id(client)
    count = f"{len(brokers)} broker" + ("s" if brokers[1:] else "")
    yield Finding("kafka", Status.OK, f"cluster {identity} of {count} at {kafka.bootstrap_servers}")


async def _check_topics(settings: Settings) -> Findings:
    try:
        topics = await plan(settings)
    except UnreachableError:
        said = "not looked at, since Kafka cannot be reached"
        yield Finding("topics", Status.FAIL, said, "mend that first")
        return
    except (AIOKafkaError, TimeoutError) as error:
        yield Finding(
            "topics",
            Status.FAIL,
            f"the topics cannot be looked at: {_one_line(error)}",
            "mend what is wrong with Kafka; this principal needs Describe and DescribeConfigs on them",
        )
        return
    for topic in topics:
        for finding in _about_topic(topic):
            yield finding
    if all(topic.action is Action.OK for topic in topics):
        yield Finding("topics", Status.OK, f"all {len(topics)} are as they must be")


def _about_topic(topic: TopicPlan) -> list[Finding]:
    mend = "run `intentstream topics apply`"
    findings = []
    if topic.action is Action.CREATE:
        findings.append(Finding("topics", Status.FAIL, f"{topic.name} does not exist", mend))
    elif topic.action is Action.MISSING:
        findings.append(
            Finding("topics", Status.FAIL, f"{topic.name} does not exist", topic.warnings[0])
        )
    elif topic.action is Action.CHANGE:
        findings.append(Finding("topics", Status.WARN, f"{topic.name} {_differs(topic)}", mend))
    if topic.action is Action.OK:
        findings += [
            Finding("topics", Status.WARN, f"{topic.name} {warning}") for warning in topic.warnings
        ]
    return findings


def _differs(topic: TopicPlan) -> str:
    parts = [f"has {name}={have}, not {want}" for name, (have, want) in topic.configs.items()]
    if topic.partitions is not None:
        parts.append(f"has {topic.partitions[0]} partitions, not {topic.partitions[1]}")
    if "message.timestamp.type" in topic.configs:
        parts.append("so a replay by time is as good as the producers' clocks")
    return ", ".join(parts)


async def _check_triton(settings: Settings) -> Findings:
    try:
        async with TritonModel(settings.triton) as model:
            version = await model.canary()
            labels = model.labels
    except ModelUnavailableError as error:
        fix = "check INTENTSTREAM_TRITON__ADDRESS, and in Triton's log that the model is loaded"
        yield Finding("triton", Status.FAIL, error.message, fix)
        return
    about = f"{version.name} version {version.version}, digest {version.digest}"
    if labels is not None:
        about += (
            f": {len(labels.intents)} intents, {len(labels.tags)} tags, "
            f"vectors in {labels.vector_space}"
        )
    yield Finding("triton", Status.OK, f"{about}, at {settings.triton.address}")


async def _check_redis(settings: Settings) -> Findings:
    redis = redis_client(settings.redis)
    try:
        async for finding in _about_redis(redis, settings):
            yield finding
    except NoPermissionError as error:
        yield Finding(
            "redis",
            Status.FAIL,
            f"the user lacks a permission: {_one_line(error)}",
            f"the ACL needs ~{settings.namespace}:* +@hash +evalsha +script|load +pexpire +del +ping",
        )
    except (RedisError, OSError) as error:
        yield Finding(
            "redis",
            Status.FAIL,
            f"cannot be used: {_one_line(error)}",
            "check INTENTSTREAM_REDIS__URL, its user, password and certificates",
        )
    finally:
        await redis.aclose()


async def _about_redis(redis: Redis, settings: Settings) -> Findings:
    about = "redis"
    await redis.ping()
    digest = await redis.script_load(_PROBE)
    await redis.evalsha(digest, 1, f"{settings.namespace}:profile:{{doctor}}")
    try:
        info = await redis.info()
    except NoPermissionError:
        said = "takes profile writes; INFO is not allowed, so version and eviction are unknown"
        yield Finding(about, Status.WARN, said, "allow +info, or look at them yourself")
        return
    name = "Valkey" if "valkey_version" in info else "Redis"
    version = str(info.get("valkey_version") or info["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_REDIS:
        said, fix = f"{name} {version} is too old", "use Redis 4 or newer, or any Valkey"
        yield Finding(about, Status.FAIL, said, fix)
        return
    yield Finding(about, Status.OK, f"{name} {version} takes profile writes")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            about,
            Status.WARN,
            f"maxmemory-policy is {policy}: when memory is full, profiles vanish early",
            "set noeviction and give it memory; a write that fails is tried again, "
            "one that is evicted is lost",
        )
    if info.get("role") == "slave":
        said = "this server is a replica, which takes no writes for long"
        yield Finding(about, Status.FAIL, said, "name the primary in INTENTSTREAM_REDIS__URL")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


_CHECKS: Final[dict[str, Check]] = {
    "settings": _check_settings,
    "kafka": _check_kafka,
    "topics": _check_topics,
    "triton": _check_triton,
    "redis": _check_redis,
}
