"""Topics as they must be: what is planned, and that a real Kafka becomes so."""

from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.topics import TopicSpec
from workers.embedded.kafka import EmbeddedKafka
from workers.errors import ContractError
from workers.kafka import admin, cluster_id, running
from workers.settings import Settings, load_settings
from workers.topics_admin import Action, TopicState, apply, compare, plan, topic_states

SPEC = TopicSpec("t", 4, {"retention.ms": "1000"})


def settings_for(kafka: EmbeddedKafka, prefix: str, **topics: Any) -> Settings:
    return load_settings(
        None, prefix=prefix, kafka={"bootstrap_servers": kafka.bootstrap}, topics=topics
    )


def state(partitions: int = 4, retention: str = "1000") -> TopicState:
    return TopicState(partitions, {"retention.ms": retention, "segment.ms": "5"}, {})


def test_a_topic_as_it_must_be_needs_nothing() -> None:
    assert compare(SPEC, state()).action is Action.OK


def test_a_missing_topic_is_created() -> None:
    topic = compare(SPEC, None)
    assert topic.action is Action.CREATE
    assert topic.partitions == (0, 4)
    assert topic.configs == {"retention.ms": (None, "1000")}


def test_only_what_differs_is_changed() -> None:
    topic = compare(SPEC, state(retention="7"))
    assert topic.action is Action.CHANGE
    assert topic.partitions is None
    assert topic.configs == {"retention.ms": ("7", "1000")}


def test_more_partitions_are_added_with_a_warning() -> None:
    topic = compare(SPEC, state(partitions=2))
    assert topic.partitions == (2, 4)
    assert "order" in topic.warnings[0]


def test_fewer_partitions_are_a_warning_only() -> None:
    topic = compare(SPEC, state(partitions=9))
    assert topic.action is Action.OK
    assert "cannot take partitions away" in topic.warnings[0]


@pytest.mark.parametrize("found", [None, state(partitions=1, retention="7")])
def test_a_shops_own_topic_is_never_touched(found: TopicState | None) -> None:
    topic = compare(SPEC, found, theirs=True)
    assert topic.action in (Action.OK, Action.MISSING)
    assert topic.configs == {}
    assert topic.warnings


async def test_apply_makes_what_plan_shows_and_then_nothing_is_left(kafka: EmbeddedKafka) -> None:
    settings = settings_for(kafka, "made", partitions=2)
    assert {topic.action for topic in await plan(settings)} == {Action.CREATE}
    await apply(settings)
    assert {topic.action for topic in await plan(settings)} == {Action.OK}
    async with running(admin(settings.kafka), settings.kafka) as client:
        states = await topic_states(client, ["made.queries.raw", "made.users.features"])
    assert states["made.queries.raw"].partitions == 2
    assert states["made.queries.raw"].own["message.timestamp.type"] == "LogAppendTime"
    assert states["made.users.features"].own["cleanup.policy"] == "compact"


async def test_apply_twice_changes_nothing(kafka: EmbeddedKafka) -> None:
    settings = settings_for(kafka, "twice")
    await apply(settings)
    assert {topic.action for topic in await apply(settings)} == {Action.OK}


async def test_a_changed_topic_is_mended_and_keeps_what_we_say_nothing_about(
    kafka: EmbeddedKafka,
) -> None:
    settings = settings_for(kafka, "mended", partitions=1)
    await apply(settings)
    name = "mended.queries.raw"
    async with running(admin(settings.kafka), settings.kafka) as client:
        strange = {"retention.ms": "1000", "segment.ms": "777777"}
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, strange)])
        done = {topic.name: topic for topic in await apply(settings_for(kafka, "mended"))}
        (found,) = (await topic_states(client, [name])).values()
    assert done[name].partitions == (1, 4)
    assert found.partitions == 4
    assert found.own["message.timestamp.type"] == "LogAppendTime"
    assert found.own["segment.ms"] == "777777"


async def test_plan_creates_nothing(kafka: EmbeddedKafka) -> None:
    settings = settings_for(kafka, "looked-at")
    await plan(settings)
    async with running(admin(settings.kafka), settings.kafka) as client:
        assert not [name for name in await client.list_topics() if name.startswith("looked-at")]


async def test_a_shops_own_topic_is_found(kafka: EmbeddedKafka) -> None:
    settings = settings_for(kafka, "shop", raw="shop-search-log")
    assert (await plan(settings))[0].action is Action.MISSING
    async with running(admin(settings.kafka), settings.kafka) as client:
        await _create(client, "shop-search-log")
    await apply(settings)
    (raw, *others) = await plan(settings)
    assert raw.action is Action.OK
    assert "LogAppendTime" in raw.warnings[0]
    assert {topic.action for topic in others} == {Action.OK}


async def _create(client: AIOKafkaAdminClient, name: str) -> None:
    await client.create_topics([NewTopic(name, 3, 1)])


async def test_a_refusal_says_what_to_look_at(kafka: EmbeddedKafka) -> None:
    settings = settings_for(kafka, "refused", replication_factor=3)
    with pytest.raises(ContractError, match="the cluster refuses to create") as caught:
        await apply(settings)
    assert "INTENTSTREAM_TOPICS__" in caught.value.hint


async def test_the_cluster_has_an_id(kafka: EmbeddedKafka) -> None:
    settings = settings_for(kafka, "any")
    async with running(admin(settings.kafka), settings.kafka) as client:
        assert len(await cluster_id(client)) == 22
