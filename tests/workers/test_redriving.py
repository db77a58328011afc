"""Dead letters redriven through the running chain: real Kafka, real Triton, the enricher."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka.structs import ConsumerRecord
from typer.testing import CliRunner

from streams.cloudevents import derive_id
from streams.deadletters import DeadReason, failed_record, reason_of
from streams.events import EVENT_TYPES, QueryUnderstood
from streams.records import Redriven
from streams.redrive import REDRIVE_HEADER
from tests.workers.rig import Rig
from tests.workers.world import SECRET, World, queries
from workers import kafka, metrics
from workers.cli import app
from workers.commands.dead import _tell
from workers.dead_letters import Selection, SourceFilter, dead_letters
from workers.enrichment.enricher import Enricher
from workers.kafka import source_record
from workers.profiles.key_rotation import ROTATION
from workers.profiles.own_signals import publish_erasure
from workers.redriving import LeftOut, RedriveReport, redrive

KIND = EVENT_TYPES[QueryUnderstood]


async def redriven(world: World, selection: Selection | None = None, **more: Any) -> RedriveReport:
    arguments: dict[str, Any] = {"dry_run": False} | more
    return await redrive(
        world.settings, selection or Selection(), lambda _done, _total: None, **arguments
    )


async def worked_off(world: World) -> Enricher:
    """All that is in the input topics goes through an enricher."""
    async with world.enricher() as enricher:
        await world.until_committed(world.raw)
        await world.until_committed(world.settings.topic_names.actions)
    return enricher


async def letters(world: World) -> list[ConsumerRecord]:
    return await world.all_of(world.settings.topic_names.dead)


def positions(records: list[ConsumerRecord]) -> Counter[tuple[int, int]]:
    found = (failed_record(source_record(record)) for record in records)
    return Counter((one.partition, one.offset) for one in found if one is not None)


async def test_what_is_redriven_comes_out_as_if_nothing_had_gone_wrong(
    world: World, rig: Rig
) -> None:
    made = queries(20)
    for n in (3, 11):
        made[n]["text"] += " poison"
    await world.produce(made, headers=[("trace", b"\x00\xff"), ("trace", None)])
    enricher = await worked_off(world)
    assert enricher.counters.dead == {DeadReason.MODEL_REJECTED: 2}
    first = {record.value: record for record in await world.all_of(world.raw)}

    rig.tell("mended")
    look = await redriven(world, dry_run=True)
    assert (look.redriven, look.fails_again.total()) == ({world.raw: 2}, 0)
    assert len(await world.all_of(world.raw)) == 20  # nothing was sent
    assert (await redriven(world)).redriven == {world.raw: 2}
    back = (await world.all_of(world.raw))[:]
    again = [one for one in back if any(name == REDRIVE_HEADER for name, _ in one.headers)]
    assert len(again) == 2
    for record in again:
        original = first[record.value]
        assert (record.key, record.partition) == (original.key, original.partition)
        assert tuple(record.headers[:-1]) == tuple(original.headers)
        assert record.headers[-1][0] == REDRIVE_HEADER

    enricher = await worked_off(world)
    assert (enricher.counters.enriched, enricher.counters.dead) == (2, {})
    settings, names = world.settings, world.settings.topic_names
    records = {json.loads(one.value)["query_id"]: one for one in await world.all_of(names.intents)}
    assert records.keys() == {f"q{n}" for n in range(20)}
    for record in again:
        original = first[record.value]
        event = records[json.loads(record.value)["query_id"]]
        place = (names.raw, original.partition, original.offset)
        headers = dict(event.headers)
        assert (
            headers["ce_id"] == derive_id(settings.cluster, settings.epoch, *place, KIND).encode()
        )
        source = json.loads(event.value)["source"]
        assert (source["topic"], source["partition"], source["offset"]) == place
        assert source["timestamp"] == original.timestamp
        assert headers["ce_time"] is not None
    signals = [one["query"]["query_id"] for one in await world.events(names.signals)]
    assert sorted(signals) == sorted(records)


async def test_what_is_back_already_is_not_sent_twice(world: World) -> None:
    await world.produce([b"{not json", b"{nor this"])
    await worked_off(world)
    assert (await redriven(world, limit=1)).redriven == {world.raw: 1}  # broken off
    assert (await redriven(world)).redriven == {world.raw: 1}
    report = await redriven(world)
    assert (report.redriven, report.left_out) == ({}, {LeftOut.ALREADY: 2})
    assert len(await world.all_of(world.raw)) == 4


async def test_a_record_that_fails_again_stays_itself_up_to_the_limit_of_rounds(
    world: World,
) -> None:
    await world.produce([b"{not json"])
    actions = world.settings.topic_names.actions
    await world.produce([b"[]", b'{"user_id":"u"}'], topic=actions)
    for count in range(1, 4):
        await worked_off(world)
        report = await redriven(world)
        assert report.redriven == {world.raw: 1, actions: 2}
        assert report.fails_again == {"invalid_json": 1, "invalid_field": 2}
        assert report.left_out.get(LeftOut.ALREADY, 0) == 3 * (count - 1)
    await worked_off(world)
    report = await redriven(world)
    assert (report.redriven, report.left_out[LeftOut.ROUNDS]) == ({}, 3)
    found = await letters(world)
    rounds = Counter(
        one.redriven.round
        for record in found
        if (one := failed_record(source_record(record))) is not None and one.redriven is not None
    )
    assert rounds == {0: 3, 1: 3, 2: 3, 3: 3}
    assert set(positions(found).values()) <= {4, 8}  # each at its first position, four times
    shown = [letter async for letter in dead_letters(world.settings, Selection())]
    assert {letter.round for letter in shown} == {0, 1, 2, 3}


async def test_an_enricher_refuses_a_round_past_its_limit(world: World) -> None:
    await world.produce([b"{not json"])
    await worked_off(world)
    await redriven(world)
    limits = world.settings.dead_letters.model_copy(update={"max_rounds": 0})
    world.settings = world.settings.model_copy(update={"dead_letters": limits})
    enricher = await worked_off(world)
    assert enricher.counters.dead == {DeadReason.TOO_MANY_ROUNDS: 1}


async def test_a_header_that_nobody_of_us_signed_changes_nothing(world: World) -> None:
    forged = b'{"cluster":"main","epoch":"1","topic":"x","partition":9,"offset":9,"timestamp":1,"round":1}'
    await world.produce(queries(3), headers=[(REDRIVE_HEADER, forged)])
    await world.produce([b"{not json"], headers=[(REDRIVE_HEADER, forged)])
    enricher = await worked_off(world)
    first = await world.all_of(world.raw)
    sources = {
        (event["source"]["partition"], event["source"]["offset"]) for event in await world.events()
    }
    [letter] = await letters(world)
    sources |= set(positions([letter]))
    assert sources == {(record.partition, record.offset) for record in first}
    assert (REDRIVE_HEADER, forged) in letter.headers
    assert enricher._readings()[metrics.REDRIVE_HEADERS_IGNORED] == 4
    await redriven(world)
    newest = max(await world.all_of(world.raw), key=lambda one: one.timestamp)
    found = enricher._step.enrichment.redrives.original(source_record(newest))
    assert found.redriven == Redriven(world.settings.cluster, world.settings.epoch, 1)


async def test_who_was_erased_does_not_come_back(world: World, rig: Rig) -> None:
    settings, names = world.settings, world.settings.topic_names
    gone, kept, renamed = "jane", "joe", "rita"
    await world.produce([{"text": "poison", "user_id": user} for user in (gone, kept, renamed)])
    await world.produce([b'{"user_id":"jane"}', b'{"text":9}', b"{"], key=b"jane")
    await world.produce([b'{"user_id":"jane","action":7}'], topic=names.actions)
    await worked_off(world)
    pseudonyms = settings.pseudonyms.pseudonymiser()
    async with kafka.running(kafka.producer(settings.kafka), settings.kafka) as client:
        now = datetime.now(UTC)
        await publish_erasure(client, settings, pseudonyms.user(gone), now)
        # a rotation of keys erases an old name, which is nothing that the user asked for
        await publish_erasure(client, settings, pseudonyms.user(renamed), now, ROTATION)
    rig.tell("mended")
    report = await redriven(world)
    assert (report.redriven, report.left_out) == ({world.raw: 2}, {LeftOut.ERASED: 5})
    await worked_off(world)
    users = {event["user"] for event in await world.events()}
    assert users == {pseudonyms.user(kept), pseudonyms.user(renamed)}
    # what she says from now on is her own new beginning
    await world.produce([{"text": "poison once more", "user_id": gone}])
    rig.reset()
    await worked_off(world)
    rig.tell("mended")
    assert (await redriven(world)).redriven == {world.raw: 1}


async def test_reason_and_source_choose_what_is_redriven(world: World) -> None:
    await world.produce([b"{not json", b'{"text":7}', b'{"text":8}'])
    await worked_off(world)
    reason = Selection(reasons=frozenset({DeadReason.INVALID_JSON}))
    assert (await redriven(world, reason, dry_run=True)).selected == 1
    [one, *_] = [letter async for letter in dead_letters(world.settings, Selection())]
    topic, partition, offset = one.source.rsplit(":", 2)
    place = SourceFilter(topic, int(partition), int(offset), int(offset))
    assert (await redriven(world, Selection(sources=(place,)), dry_run=True)).selected == 1
    assert (await redriven(world, Selection(sources=(SourceFilter("x"),)))).selected == 0


async def test_a_record_without_key_and_value_goes_back_too(world: World) -> None:
    await world.produce_nothing([("x", None)])
    await worked_off(world)
    assert (await redriven(world)).redriven == {world.raw: 1}
    enricher = await worked_off(world)
    assert enricher.counters.dead == {DeadReason.NULL_VALUE: 1}
    first, again = await letters(world)
    assert reason_of(again.headers) is DeadReason.NULL_VALUE
    assert (again.key, again.value, again.headers[0]) == (None, None, ("x", None))
    assert positions([first]) == positions([again])


async def test_the_command_tells_what_it_does(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.produce([b"{not json"])
    await worked_off(world)
    for name, value in {
        "KAFKA__BOOTSTRAP_SERVERS": world.settings.kafka.bootstrap_servers,
        "PREFIX": world.settings.prefix,
        "PSEUDONYMS__SECRET": SECRET,
    }.items():
        monkeypatch.setenv(f"INTENTSTREAM_{name}", value)

    async def said(*arguments: str) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, app, ["dead", "redrive", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    assert "1 would be sent back to" in await said("--dry-run", "--reason", "invalid_json")
    report = json.loads(await said("--json", "--source", world.raw))
    assert report["redriven"] == {world.raw: 1}
    assert "they are back in their topic already" in await said()
    assert "no dead letter is selected" in await said("--reason", "too_long")


def test_every_reason_to_leave_one_out_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    report = RedriveReport(dry_run=True, selected=7)
    report.left_out.update(LeftOut)
    _tell(report)
    assert capsys.readouterr().out.count("left out: they") == len(LeftOut)
