"""The enricher on a real Kafka and a real Triton."""

import json
import time
from collections import Counter

from streams.deadletters import DeadReason, reason_of
from tests.workers.rig import Rig
from tests.workers.world import World, lost, out_of_order, queries, world_of
from workers.embedded.kafka import EmbeddedKafka


async def test_each_query_and_action_comes_out_once(world: World) -> None:
    """CASES 20, 65: and an idle group has committed the end of the log."""
    names = world.settings.topic_names
    await world.produce([*queries(200), b"{not json"])
    action = {"user_id": "u1", "action": "click", "product": {"color": "red"}}
    await world.produce([action] * 5, topic=names.actions)
    async with world.enricher() as enricher:
        await world.until_committed()
        await world.until_committed(names.actions)
    events = await world.events()
    assert len(events) == 200
    assert not lost(events, 200)
    assert len(await world.events(names.entities)) == 200  # each has its colour
    assert Counter("action" in signal for signal in await world.events(names.signals)) == {
        False: 200,
        True: 5,
    }
    [letter] = await world.all_of(names.dead)
    assert letter.value == b"{not json"
    assert enricher.counters.dead == {"invalid_json": 1}
    assert (enricher.counters.enriched, enricher.counters.actions) == (200, 5)
    await world.until_committed()


async def test_a_restart_repeats_nothing(world: World) -> None:
    """CASES 20."""
    await world.produce(queries(50))
    for _ in range(2):
        async with world.enricher():
            await world.until_committed()
    assert len(await world.events()) == 50


async def test_order_per_user_holds_with_batches_in_flight(world: World) -> None:
    await world.produce(queries(1000))
    async with world.enricher():
        await world.until_committed()
    events = await world.events()
    assert len(events) == 1000
    assert out_of_order(events) == []
    assert (
        out_of_order(
            [
                signal["query"] | {"user": signal["user"]}
                for signal in await world.events(world.settings.topic_names.signals)
            ]
        )
        == []
    )


async def test_odd_records_are_enriched_or_dead_lettered(world: World) -> None:
    """CASES 11, 12, 18: null keys, values and headers; the original bytes are kept."""
    good = json.dumps({"text": "red hat", "user_id": "u1"}).encode()
    await world.produce([None], key=b"tombstone")
    await world.produce_nothing(headers=[("n", None)])
    await world.produce([None, b"", b"\xff\xfe"], headers=[("h", b"\x00"), ("h", b"2")])
    await world.produce([good], key=None, headers=[("a", b"1"), ("é", b"\xff")])
    await world.produce([json.dumps({"text": "x " * 5_000}).encode()])
    async with world.enricher():
        await world.until_committed()
    assert len(await world.events()) == 1
    letters = await world.all_of(world.settings.topic_names.dead)
    assert sorted(str(reason_of(letter.headers)) for letter in letters) == [
        DeadReason.INVALID_ENCODING,
        DeadReason.INVALID_JSON,
        DeadReason.NULL_VALUE,
        DeadReason.NULL_VALUE,
        DeadReason.NULL_VALUE,
        DeadReason.TOO_LONG,
    ]
    assert {letter.value for letter in letters} >= {None, b"", b"\xff\xfe"}
    assert {letter.key for letter in letters} == {b"tombstone", b"key", None}
    for letter in letters:
        if letter.value in {b"", b"\xff\xfe"}:
            assert letter.headers[:2] == (("h", b"\x00"), ("h", b"2"))
        if letter.key is None:
            assert letter.headers[0] == ("n", None)


async def test_event_time_is_in_the_event_and_the_record_has_the_clocks(world: World) -> None:
    """CASES 18: or retention would delete what is late, and keep what is early for ever."""
    times = ["2001-02-03T04:05:06Z", "2150-01-01T00:00:00Z"]
    await world.produce([{"text": "red", "user_id": "u", "occurred_at": at} for at in times])
    before = time.time() * 1000
    async with world.enricher():
        await world.until_committed()
    records = await world.all_of(world.settings.topic_names.intents)
    assert [json.loads(record.value)["occurred_at"] for record in records] == times
    assert all(before <= record.timestamp <= time.time() * 1000 for record in records)


async def test_more_workers_than_partitions_leave_one_idle_and_none_stuck(
    kafka: EmbeddedKafka, rig: Rig
) -> None:
    """CASES 27."""
    triton = {"address": rig.server.grpc_address, "model_name": "rigged"}
    world = await world_of(kafka.bootstrap, "idle", triton=triton, topics={"partitions": 1})
    async with world.enricher() as a, world.enricher() as b, world.enricher() as c:
        await world.until(lambda: all(worker._source.in_group for worker in (a, b, c)))
        await world.produce(queries(30))
        await world.until_committed()
    assert len(await world.events()) == 30
    assert sorted(worker.counters.records > 0 for worker in (a, b, c)) == [False, False, True]


async def test_poison_becomes_a_dead_letter_and_nothing_else_suffers(world: World) -> None:
    made = queries(60)
    made[20]["text"] = "poison"
    await world.produce(made)
    async with world.enricher():
        await world.until_committed()
    assert lost(await world.events(), 60) == {"q20"}
    [letter] = await world.all_of(world.settings.topic_names.dead)
    assert reason_of(letter.headers) is DeadReason.MODEL_REJECTED
    assert json.loads(letter.value) == made[20]
