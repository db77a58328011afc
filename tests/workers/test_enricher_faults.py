"""The enricher when something dies: nothing lost, nothing out of order, nothing given up."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.deadletters import DeadReason, reason_of
from tests.workers.rig import Rig, rigged_triton
from tests.workers.world import SECRET, World, lost, out_of_order, queries, world_of
from workers import kafka as clients
from workers.embedded.kafka import EmbeddedKafka
from workers.enrichment.checkpoint import Budgets
from workers.enrichment.circuit_breaker import BreakerState
from workers.enrichment.enricher import Enricher
from workers.errors import ContractError, SettingsError, UnreachableError
from workers.settings import Settings, load_settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    """A Triton that these tests may kill."""
    async with rigged_triton(tmp_path_factory.mktemp("own triton")) as rig:
        yield rig


async def world_on(server: EmbeddedKafka, rig: Rig, prefix: str, **more: object) -> World:
    rig.reset()
    triton = {"address": rig.server.grpc_address, "model_name": "rigged", "max_batch_rows": 16}
    return await world_of(server.bootstrap, prefix, triton=triton, **more)


async def configure(settings: Settings, topic: str, **configs: str) -> None:
    named = {name.replace("_", "."): value for name, value in configs.items()}
    async with clients.running(clients.admin(settings.kafka), settings.kafka) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, named)])


async def test_triton_killed_and_restarted_loses_nothing(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 34, 64: while it is away nothing is published as if scored, and nothing given up."""
    world = await world_on(kafka, own_rig, "triton-killed")
    async with world.enricher() as enricher:
        await world.produce(queries(100))
        await world.until_committed()
        await own_rig.server.kill()
        await world.produce(queries(400, first=100))
        await world.until(lambda: enricher._breaker.state is not BreakerState.CLOSED)
        await world.until(lambda: enricher._source.pauses > 0)
        assert len(await world.events()) == 100
        await own_rig.server.start()
        await world.until_committed()
    events = await world.events()
    assert not lost(events, 500)
    assert len(events) == 500
    assert out_of_order(events) == []
    assert await world.all_of(world.settings.topic_names.dead) == []
    assert enricher._source.rebalances == 1


async def test_a_failing_model_pauses_and_resumes(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    """CASES 22, 64."""
    world = await world_on(kafka, own_rig, "failing")
    async with world.enricher() as enricher:
        await world.until(lambda: enricher._source.rebalances > 0)
        own_rig.tell("garbage")
        await world.produce(queries(300))
        await world.until(lambda: enricher._source.pauses > 0)
        assert enricher._source.consumer.paused()
        own_rig.reset()
        await world.until_committed()
        assert not enricher._source.consumer.paused()
        assert enricher._source.pauses <= 3  # not at every bump
    events = await world.events()
    assert len(events) == 300
    assert not lost(events, 300)


async def test_degrade_answers_by_rules_until_the_model_is_back(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 64: what was not scored by the model says so, and is remembered by nobody."""
    more = {"on_outage": "degrade", "degrade_after_s": 0.5}
    world = await world_on(kafka, own_rig, "degrade", **more)
    texts = ["red hat", "where is my order"]

    def asked(number: int) -> list[dict[str, str]]:
        ids = (f"{number}-{n}" for n in range(len(texts)))
        return [
            {"text": text, "user_id": "u", "query_id": name}
            for text, name in zip(texts, ids, strict=True)
        ]

    async with world.enricher() as enricher:
        await world.until(lambda: not enricher.unready())
        await own_rig.server.kill()
        await world.produce(asked(0))
        await world.until_committed()
        assert any("does not answer" in reason for reason in enricher.unready())
        assert enricher._step.use.degraded == len(texts)
        await own_rig.server.start()
        await world.until(lambda: not enricher.unready())
        await world.produce(asked(1))
        await world.until_committed()
    events = {event["query_id"]: event for event in await world.events()}
    assert [events[f"0-{n}"].get("degraded") for n in range(2)] == [True, True]
    assert ["degraded" in events[f"1-{n}"] for n in range(2)] == [False, False]
    by_rules = [events[f"0-{n}"]["intent"] for n in range(2)]
    assert by_rules == [{"label": "unknown", "score": 0}, {"label": "track_order", "score": 0.5}]
    assert events["0-0"]["model"]["name"] == "rules"
    assert events["1-0"]["model"]["name"] == "rigged"
    signals = await world.events(world.settings.topic_names.signals)
    assert [one["query"]["intent"]["label"] for one in signals[:2]] == ["unknown", "unknown"]
    assert await world.all_of(world.settings.topic_names.dead) == []


async def test_degrade_works_from_the_start(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    more = {"on_outage": "degrade", "degrade_after_s": 0.1}
    world = await world_on(kafka, own_rig, "degrade-start", **more)
    await world.produce(queries(20))
    await own_rig.server.kill()
    try:
        async with world.enricher():
            await world.until_committed()
    finally:
        await own_rig.server.start()
    assert all(event["degraded"] for event in await world.events())


async def test_a_crashed_model_is_reloaded(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    """CASES 34: the server says that it is ready, while the model's process is dead."""
    world = await world_on(kafka, own_rig, "crashed")
    async with world.enricher() as enricher:
        await world.until(lambda: not enricher.unready())
        own_rig.tell("crash")
        await world.produce(queries(100))
        await world.until(lambda: enricher._revival.reloads > 0)
        own_rig.reset()
        await world.until_committed()
        await world.until(lambda: not enricher.unready())
    assert len(await world.events()) == 100
    assert await world.all_of(world.settings.topic_names.dead) == []


async def test_a_model_that_crashes_again_and_again_is_left_to_people(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    triton = {"address": own_rig.server.grpc_address, "model_name": "rigged", "reloads": 1}
    own_rig.reset()
    world = await world_of(kafka.bootstrap, "crashing", triton=triton)
    async with world.enricher() as enricher:
        await world.until(lambda: not enricher.unready())
        own_rig.tell("crash")
        await world.produce(queries(100))
        await world.until(lambda: "reloads is spent" in "".join(enricher.unready()))
        await asyncio.sleep(2)
        assert enricher._revival.reloads == 1
        assert enricher._breaker.state is not BreakerState.CLOSED
        own_rig.reset()
        await enricher._model.reload()
        await world.until_committed()
    assert len(await world.events()) == 100
    assert await world.all_of(world.settings.topic_names.dead) == []


async def test_pauses_survive_a_rebalance(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    """CASES 26: aiokafka forgets pauses at every assignment."""
    world = await world_on(kafka, own_rig, "pauses")
    async with world.enricher() as enricher:
        source = enricher._source
        await world.until(lambda: source.rebalances > 0)
        own_rig.tell("failing")
        await world.produce(queries(600))
        await world.until(lambda: source.pauses > 0)
        source.consumer._coordinator.request_rejoin()
        await world.until(lambda: source.rebalances > 1)
        await world.until(lambda: enricher._pipeline.full and source._holding)
        assert source.consumer.paused() == source.consumer.assignment()
        own_rig.reset()
        await world.until_committed()
    events = await world.events()
    assert len(events) == 600
    assert not lost(events, 600)
    assert out_of_order(events) == []


async def test_two_workers_share_and_a_leaver_repeats_nothing(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 1, 3: a rebalance in the middle of work."""
    world = await world_on(kafka, own_rig, "two-workers")
    own_rig.tell("slow", "0.05")
    async with world.enricher() as first:
        await world.produce(queries(600))
        await world.until(lambda: first.counters.records > 50)
        async with world.enricher() as second:
            await world.until(lambda: first._source.in_group and second._source.in_group)
            await world.produce(queries(600, first=600))
            await world.until(lambda: second.counters.records > 20)
        await world.until_committed()
    events = await world.events()
    assert not lost(events, 1200)
    assert len(events) == 1200
    assert out_of_order(events) == []
    assert first._source.rebalances == 3


async def test_a_lost_member_survives_its_failed_commit(
    kafka: EmbeddedKafka, own_rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    """CASES 3: the generation changes between publish and commit."""
    world = await world_on(kafka, own_rig, "lost-member")
    async with world.enricher() as enricher:
        await world.produce(queries(50))
        await world.until_committed()
        coordinator = enricher._source.consumer._coordinator
        coordinator.generation -= 1
        await world.produce(queries(50, first=50))
        await world.until_committed()
    assert "the group has changed" in caplog.text
    assert not lost(await world.events(), 100)


async def test_a_killed_worker_loses_nothing(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    """CASES 59: SIGKILL in the middle; what comes twice has the same id."""
    world = await world_on(kafka, own_rig, "killed")
    own_rig.tell("slow", "0.02")
    await world.produce(queries(1500))
    for _ in range(2):
        worker = await world.process()
        before = sum((await world.ends(world.settings.topic_names.intents)).values())
        async with asyncio.timeout(60):
            while (
                sum((await world.ends(world.settings.topic_names.intents)).values()) < before + 300
            ):
                await asyncio.sleep(0.05)
        worker.kill()
        await worker.wait()
    own_rig.reset()
    async with world.enricher():
        await world.until_committed()
    events = await world.events()
    assert not lost(events, 1500)
    assert out_of_order(events) == []
    records = await world.all_of(world.settings.topic_names.intents)
    assert len({dict(record.headers)["ce_id"] for record in records}) == 1500


async def test_sigterm_commits_what_is_done_and_redelivers_what_is_pending(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 10: the model call is pending when the signal comes."""
    world = await world_on(kafka, own_rig, "sigterm")
    worker = await world.process()
    await world.produce(queries(40))
    await world.until_committed()
    own_rig.tell("failing")
    await world.produce(queries(60, first=40))
    await asyncio.sleep(1)
    worker.send_signal(signal.SIGTERM)
    _, log = await asyncio.wait_for(worker.communicate(), 20)
    assert worker.returncode == 0, log.decode()
    assert b"red hat" not in log
    assert sum(offset or 0 for offset in (await world.committed(world.raw)).values()) == 40
    own_rig.reset()
    async with world.enricher():
        await world.until_committed()
    events = await world.events()
    assert len(events) == 100
    assert not lost(events, 100)


async def test_sigterm_finishes_what_is_in_flight(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    world = await world_on(kafka, own_rig, "sigterm-drains")
    own_rig.tell("slow", "0.3")
    await world.produce(queries(200))
    async with world.enricher() as enricher:
        await world.until(lambda: enricher._pipeline.in_flight > 1)
    published = len(await world.events())
    assert 0 < published < 200
    assert sum(offset or 0 for offset in (await world.committed(world.raw)).values()) == published


async def test_a_second_signal_ends_at_once(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    world = await world_on(kafka, own_rig, "second-signal")
    worker = await world.process()
    await world.produce(queries(10))
    await world.until_committed()
    own_rig.tell("slow", "8")
    await world.produce(queries(10, first=10))
    await asyncio.sleep(1)
    worker.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    worker.send_signal(signal.SIGTERM)
    await asyncio.wait_for(worker.communicate(), 2)
    assert worker.returncode == 128 + signal.SIGTERM
    own_rig.reset()


async def test_an_event_that_kafka_refuses_becomes_a_dead_letter(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """Never a crash, never a loop; and its neighbours are published."""
    world = await world_on(kafka, own_rig, "too-large", kafka={"compression": "none"})
    names = world.settings.topic_names
    await configure(world.settings, names.intents, max_message_bytes="3000")
    made = queries(60)
    made[30]["text"] = "red hat " + "long " * 600
    await world.produce(made)
    async with world.enricher() as enricher:
        await world.until_committed()
    assert (enricher.counters.enriched, enricher.counters.dead) == (59, {"event_too_large": 1})
    events = await world.events()
    assert lost(events, 60) == {"q30"}
    assert out_of_order(events) == []
    [letter] = await world.all_of(names.dead)
    assert reason_of(letter.headers) is DeadReason.EVENT_TOO_LARGE


async def test_a_refused_dead_letter_stops_the_worker_before_the_commit(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 62: the offset doesn't pass what is neither published nor dead-lettered."""
    await stopped_by_a_refused_letter(await world_on(kafka, own_rig, "refused-letter"))


async def stopped_by_a_refused_letter(world: World) -> None:
    """Kafka takes no dead letter of a bad record: the enricher ends, and has committed nothing."""
    await configure(world.settings, world.settings.topic_names.dead, max_message_bytes="100")
    await world.produce([b"{not json"])
    with pytest.raises(UnreachableError, match="refuses even a dead letter"):
        async with world.enricher(budgets=Budgets(drain=1, flush=1, commit=1)) as enricher:
            await world.until(lambda: enricher._failure is not None)
    assert sum(offset or 0 for offset in (await world.committed(world.raw)).values()) == 0


async def test_without_offsets_and_without_a_setting_it_does_not_guess(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 15."""
    world = await world_on(kafka, own_rig, "no-start", start=None)
    with pytest.raises(SettingsError, match="no setting says where to begin"):
        async with world.enricher() as enricher:
            await world.until(lambda: enricher._failure is not None)


async def test_latest_begins_at_the_end_and_stays_there(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    """CASES 15: what comes between the first start and the next one is not skipped."""
    world = await world_on(kafka, own_rig, "latest", start="latest")
    await world.produce(queries(10))
    async with world.enricher():
        await world.until_committed()
    await world.produce(queries(10, first=10))
    async with world.enricher():
        await world.until_committed()
    assert {event["query_id"] for event in await world.events()} == {f"q{n}" for n in range(10, 20)}


async def test_a_start_after_the_last_record_waits_for_the_next(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 13."""
    world = await world_on(kafka, own_rig, "future", start="time:2099-01-01T00:00:00Z")
    await world.produce(queries(10))
    async with world.enricher():
        await world.until_committed()
        await world.produce(queries(5, first=10))
        await world.until_committed()
    assert len(await world.events()) == 5


async def test_records_lost_to_retention_are_an_error_not_a_reset(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 15."""
    world = await world_on(kafka, own_rig, "expired", topics={"partitions": 1})
    await world.produce(queries(10))
    async with world.enricher():
        await world.until_committed()
    await world.produce(queries(20, first=10))
    async with clients.running(clients.admin(world.settings.kafka), world.settings.kafka) as admin:
        await admin.delete_records(
            {TopicPartition(world.raw, 0): RecordsToDelete(before_offset=15)}
        )
    with pytest.raises(ContractError, match="from 10 up to 15 were deleted"):
        async with world.enricher() as enricher:
            await world.until(lambda: enricher._failure is not None)
    async with world.enricher(skip_lost=True):
        await world.until_committed()
    assert len(await world.events()) == 25


async def test_missing_topics_are_named(kafka: EmbeddedKafka, own_rig: Rig) -> None:
    world = await world_on(kafka, own_rig, "missing")
    async with clients.running(clients.admin(world.settings.kafka), world.settings.kafka) as admin:
        await admin.delete_topics([world.settings.topic_names.dead])
        await asyncio.sleep(0.5)
    with pytest.raises(ContractError, match=r"missing: missing\.queries\.dead"):
        async with world.enricher() as enricher:
            await world.until(enricher._stopping.is_set, seconds=3)


async def test_no_kafka_at_the_start_is_a_clear_error(own_rig: Rig) -> None:
    own_rig.reset()
    settings = load_settings(
        None,
        kafka={"bootstrap_servers": "127.0.0.1:9"},
        triton={"address": own_rig.server.grpc_address, "model_name": "rigged"},
        pseudonyms={"secret": SECRET},
    )
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9 cannot be reached"):
        await Enricher(settings, kafka_patience_s=0).run()


@pytest.mark.slow
async def test_a_killed_broker_costs_nothing_and_a_lost_one_ends_the_worker(
    own_rig: Rig, tmp_path: Path
) -> None:
    """CASES 5, 21: the coordinator goes too; no partition stalls when it is back."""
    async with EmbeddedKafka(tmp_path) as server:
        world = await world_on(server, own_rig, "broker-killed")
        own_rig.tell("slow", "0.05")
        async with world.enricher() as enricher:
            await world.produce(queries(300))
            await world.until(lambda: enricher.counters.records > 50)
            await server.kill()
            await asyncio.sleep(1)
            await server.start()
            await world.produce(queries(100, first=300))
            await world.until_committed()
        events = await world.events()
        assert not lost(events, 400)
        assert out_of_order(events) == []
        budgets = Budgets(drain=1, flush=1, commit=1)
        enricher = Enricher(world.settings, kafka_patience_s=3, budgets=budgets)
        running = asyncio.create_task(enricher.run())
        await world.until(lambda: enricher._source.rebalances > 0)
        await server.kill()
        with pytest.raises(UnreachableError, match=r"cannot be reached"):
            await running


@pytest.mark.slow
async def test_an_outage_longer_than_the_poll_interval_costs_no_partition(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 1: polling goes on while partitions are paused."""
    world = await world_on(kafka, own_rig, "long-outage", kafka={"max_poll_interval_ms": 10_000})
    async with world.enricher() as enricher:
        await world.until(lambda: enricher._source.rebalances > 0)
        own_rig.tell("failing")
        await world.produce(queries(500))
        await asyncio.sleep(25)
        own_rig.reset()
        await world.until_committed()
        assert enricher._source.rebalances == 1
    events = await world.events()
    assert len(events) == 500
    assert not lost(events, 500)
    assert await world.all_of(world.settings.topic_names.dead) == []


@pytest.mark.slow
async def test_a_worker_stopped_past_its_session_does_no_harm(
    kafka: EmbeddedKafka, own_rig: Rig
) -> None:
    """CASES 1, 3: another has its partitions by the time it goes on."""
    world = await world_on(kafka, own_rig, "sigstop")
    own_rig.tell("slow", "0.02")
    worker = await world.process()
    await world.produce(queries(1000))
    async with asyncio.timeout(30):
        while sum((await world.ends(world.settings.topic_names.intents)).values()) < 100:
            await asyncio.sleep(0.05)
    worker.send_signal(signal.SIGSTOP)
    async with world.enricher():
        await world.until_committed()
        worker.send_signal(signal.SIGCONT)
        await world.produce(queries(500, first=1000))
        await world.until_committed()
        worker.send_signal(signal.SIGTERM)
        await asyncio.wait_for(worker.communicate(), 40)
    assert worker.returncode == 0
    events = await world.events()
    assert not lost(events, 1500)
    assert out_of_order(events) == []
