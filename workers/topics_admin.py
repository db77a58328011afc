"""Makes the topics as they must be: compares the cluster with `streams.topics`, and mends it.

Nothing is deleted and no partition is taken away. Configurations that we say nothing about stay
as they are.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError as AIOKafkaError
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.topics import TopicSpec, topic_specs
from workers.errors import ContractError
from workers.kafka import admin, running
from workers.settings import Settings

_TOPIC_CONFIG_SOURCE: Final = 1
"""DescribeConfigs: the value was set on the topic itself, not on the broker, nor a default."""


class Action(StrEnum):
    """What a topic needs."""

    OK = "ok"
    CREATE = "create"
    CHANGE = "change"
    MISSING = "missing"  # a topic of the shop's own, which we never create


_TO_DO: Final = (Action.CREATE, Action.CHANGE)
_SETTLE_ATTEMPTS: Final = 15  # about 12 seconds in all


@dataclass(frozen=True, slots=True)
class TopicState:
    """A topic as it is in the cluster. `own` holds only what was set on the topic itself."""

    partitions: int
    configs: Mapping[str, str]
    own: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What one topic needs: configs as `name: (from, to)`; warnings are what `apply` cannot mend."""

    name: str
    action: Action
    partitions: tuple[int, int] | None = None
    configs: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return asdict(self)


def wanted(settings: Settings) -> tuple[TopicSpec, ...]:
    """The topics as they must be, with what the settings add."""
    specs = topic_specs(settings.topic_names, partitions=settings.topics.partitions)
    if settings.topics.min_insync_replicas is None:
        return specs
    more = {"min.insync.replicas": str(settings.topics.min_insync_replicas)}
    return tuple(replace(spec, configs=spec.configs | more) for spec in specs)


def compare(spec: TopicSpec, state: TopicState | None, *, theirs: bool = False) -> TopicPlan:
    """What a topic needs to become as it must be. `theirs`: the shop's own, only looked at."""
    if state is None:
        if theirs:
            note = "it is a topic of yours: create it, or correct its name in the settings"
            return TopicPlan(spec.name, Action.MISSING, warnings=(note,))
        configs = {name: (None, value) for name, value in sorted(spec.configs.items())}
        return TopicPlan(spec.name, Action.CREATE, (0, spec.partitions), configs)
    if theirs:
        return TopicPlan(spec.name, Action.OK, warnings=_about_theirs(state))
    changed = {
        name: (state.configs.get(name), value)
        for name, value in sorted(spec.configs.items())
        if state.configs.get(name) != value
    }
    more = (state.partitions, spec.partitions) if state.partitions < spec.partitions else None
    warnings = []
    if more is not None:
        warnings.append(
            "keys move to other partitions: let the workers catch up before, or the order of a "
            "user's records may break once"
        )
    if state.partitions > spec.partitions:
        warnings.append(
            f"has {state.partitions} partitions, more than the {spec.partitions} of the settings: "
            "Kafka cannot take partitions away"
        )
    action = Action.CHANGE if changed or more else Action.OK
    return TopicPlan(spec.name, action, more, changed, tuple(warnings))


def _about_theirs(state: TopicState) -> tuple[str, ...]:
    if state.configs.get("message.timestamp.type") == "LogAppendTime":
        return ()
    note = (
        "has no message.timestamp.type=LogAppendTime: a replay by time is as good as the "
        "producers' clocks"
    )
    return (note,)


async def plan(settings: Settings) -> list[TopicPlan]:
    """What each topic needs. Looks only; nothing is changed, nothing auto-created."""
    async with running(admin(settings.kafka), settings.kafka) as client:
        return await _plan(client, settings)


async def apply(settings: Settings) -> list[TopicPlan]:
    """Makes the topics as they must be, and returns what was done.

    Raises `ContractError` when the cluster refuses, or is still not as it must be in the end.
    """
    async with running(admin(settings.kafka), settings.kafka) as client:
        done = await _plan(client, settings)
        for topic in done:
            try:
                await _carry_out(client, topic, settings)
            except AIOKafkaError as error:
                raise ContractError(
                    f"the cluster refuses to {topic.action} {topic.name}: {error}",
                    "look at the permissions of this principal (Create, Alter, AlterConfigs and "
                    "DescribeConfigs on the topic) and at INTENTSTREAM_TOPICS__…",
                ) from error
        await _settled(client, settings)
        return done


async def _settled(client: AIOKafkaAdminClient, settings: Settings) -> None:
    """Waits until every broker that is asked shows what was done: metadata spread with a delay."""
    for attempt in range(_SETTLE_ATTEMPTS):
        open_ = [topic for topic in await _plan(client, settings) if topic.action in _TO_DO]
        if not open_:
            return
        await asyncio.sleep(0.1 * (attempt + 1))
    raise ContractError(
        f"the cluster took the changes, but does not show them: {open_[0].name}",
        "look at the health of its controllers, then run `intentstream topics apply` again",
    )


async def _plan(client: AIOKafkaAdminClient, settings: Settings) -> list[TopicPlan]:
    specs = wanted(settings)
    states = await topic_states(client, [spec.name for spec in specs])
    theirs = {settings.topics.raw, settings.topics.actions}
    return [compare(spec, states.get(spec.name), theirs=spec.name in theirs) for spec in specs]


async def topic_states(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, TopicState]:
    """The topics of these names that exist, as they are."""
    # All topics are asked for: to ask for one by name may create it.
    found = {topic["topic"]: topic for topic in await client.describe_topics()}
    present = [name for name in names if name in found]
    if not present:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in present]
    states = {}
    for response in await client.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            if code:
                raise ContractError(
                    f"the configuration of topic {name} cannot be read: {message or for_code(code)}",
                    "give this principal DescribeConfigs on the topic",
                )
            # each entry: name, value, read only, source, sensitive, synonyms
            states[name] = TopicState(
                partitions=len(found[name]["partitions"]),
                configs={entry[0]: entry[1] for entry in entries},
                own={entry[0]: entry[1] for entry in entries if entry[3] == _TOPIC_CONFIG_SOURCE},
            )
    return states


async def _carry_out(client: AIOKafkaAdminClient, topic: TopicPlan, settings: Settings) -> None:
    if topic.action is Action.CREATE:
        await _create(client, topic, settings)
    if topic.action is not Action.CHANGE:
        return
    if topic.partitions is not None:
        await client.create_partitions({topic.name: NewPartitions(topic.partitions[1])})
    if topic.configs:
        # AlterConfigs replaces all that was set on the topic, so what was there goes along.
        own = (await topic_states(client, [topic.name]))[topic.name].own
        configs = dict(own) | {name: value for name, (_, value) in topic.configs.items()}
        resource = ConfigResource(ConfigResourceType.TOPIC, topic.name, configs)
        for response in await client.alter_configs([resource]):
            for code, message, *_ in response.resources:
                _raise_for(code, message)


async def _create(client: AIOKafkaAdminClient, topic: TopicPlan, settings: Settings) -> None:
    copies = settings.topics.replication_factor
    new = NewTopic(
        topic.name,
        num_partitions=settings.topics.partitions,
        replication_factor=copies,
        # aiokafka wants an empty assignment where the broker's default is asked for
        replica_assignments={} if copies == -1 else None,
        topic_configs={name: value for name, (_, value) in topic.configs.items()},
    )
    response = await client.create_topics([new])
    for _, code, message in response.topic_errors:
        if for_code(code) is not TopicAlreadyExistsError:  # another one was faster: as good
            _raise_for(code, message)


def _raise_for(code: int, message: str | None) -> None:
    if code:
        raise for_code(code)(message or "")
