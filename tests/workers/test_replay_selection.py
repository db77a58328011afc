"""Which records a replay takes: of a user, with an intent, a sample; not the erased; redriven ones."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka.admin import NewPartitions

from streams.deadletters import failed_record
from streams.records import OutputRecord, SourceRecord
from tests.workers.replay_rig import (
    all_of,
    ask,
    asked_and_published,
    differences,
    enriched,
    queries,
    replayed,
    send,
    step,
)
from workers.kafka import admin, producer, running, source_record
from workers.profiles.key_rotation import ROTATION
from workers.profiles.own_signals import publish_erasure
from workers.replays.comparison import Verdict
from workers.replays.event_identity import Position
from workers.replays.selection import Sample
from workers.settings import Settings


@pytest.mark.parametrize("pseudonym", [False, True])
async def test_only_the_records_of_a_user(
    settings: Settings, tmp_path: Path, pseudonym: bool
) -> None:
    await asked_and_published(settings, 30)
    name = settings.pseudonyms.pseudonymiser().user("u3") if pseudonym else "u3"
    report = await replayed(settings, tmp_path, user=name)
    assert report.records == len(range(3, 30, 7))
    assert report.left_out == 30 - report.records
    assert report.tally.all_identical
    manifest = (report.request.folder / "manifest.json").read_text()
    assert '"u3"' not in manifest  # a raw id stays out of the evidence


async def test_only_queries_that_were_published_with_an_intent(
    settings: Settings, tmp_path: Path
) -> None:
    published = await asked_and_published(settings, 60)
    intents = [
        json.loads(one.value or b"")["intent"]["label"]
        for one in published
        if one.topic == settings.topic_names.intents
    ]
    wanted = max(set(intents), key=intents.count)
    report = await replayed(settings, tmp_path, intent=wanted)
    assert report.records == intents.count(wanted) > 1
    assert set(report.agreement.by["intent"]) == {wanted}
    assert report.tally.all_identical
    sampled = await replayed(settings, tmp_path, intent=wanted, sample=2)
    assert sampled.records == 2
    assert set(sampled.agreement.by["intent"]) == {wanted}


async def test_a_sample_is_the_same_each_time(settings: Settings, tmp_path: Path) -> None:
    await asked_and_published(settings, 80)
    first, second = [await replayed(settings, tmp_path, sample=9) for _ in range(2)]
    assert first.records == second.records == 9
    chains = [[part.chain for part in one.partitions.values()] for one in (first, second)]
    assert chains[0] == chains[1]
    assert first.left_out == 71
    whole = await replayed(settings, tmp_path, sample=10_000)
    assert whole.records == 80


def test_a_sample_does_not_depend_on_the_order_of_arrival() -> None:
    positions = [Position(n % 3, n) for n in range(500)]
    forwards, backwards = Sample("t", 20), Sample("t", 20)
    for one in positions:
        forwards.offer(one)
    for one in reversed(positions):
        backwards.offer(one)
    assert forwards.chosen() == backwards.chosen()
    assert len(forwards.chosen()) == 20
    other = Sample("other topic", 20)
    for one in positions:
        other.offer(one)
    assert other.chosen() != forwards.chosen()


async def test_records_of_erased_users_are_not_replayed(settings: Settings, tmp_path: Path) -> None:
    await asked_and_published(settings, 28)
    names = settings.pseudonyms.pseudonymiser()
    async with running(producer(settings.kafka), settings.kafka) as client:
        now = datetime.now(UTC)
        await publish_erasure(client, settings, names.user("u2"), now)
        await publish_erasure(client, settings, names.user("u4"), now, reason=ROTATION)
    await ask(settings, [b'{"text":"blue shoes","user_id":"u2"}'])  # came back after the erasure
    report = await replayed(settings, tmp_path)
    assert report.erased == 4
    assert report.records == 25
    assert report.tally.total(Verdict.EXTRA) == 0
    assert {one["verdict"] for one in differences(report)} == {"missing"}  # of the last query
    everything = "".join(path.read_text() for path in report.request.folder.iterdir())
    assert names.user("u2") in everything  # the query after the erasure
    assert "red shoes size 2”" not in everything


async def test_a_redriven_record_is_what_it_was_at_first(
    settings: Settings, tmp_path: Path
) -> None:
    """It stands elsewhere in the log, and keeps its identity: nothing is missing, extra or twice."""
    names = settings.topic_names
    await ask(settings, [*queries(6), b'{"text":"x","channel":7}'])
    made = step(settings)
    records = [source_record(one) for one in await all_of(settings, names.raw)]
    outputs = [one for some in await made.enrich(records) for one in some]
    await send(settings, outputs)
    letter = next(one for one in outputs if one.topic == names.dead)
    failed = failed_record(
        SourceRecord(names.dead, 0, 0, 0, letter.key, letter.value, letter.headers)
    )
    assert failed is not None
    signer = made.enrichment.redrives
    await send(settings, [signer.redriven(failed, cluster=settings.cluster, epoch=settings.epoch)])
    await ask(settings, queries(3))
    later = [source_record(one) for one in await all_of(settings, names.raw)]
    known = {(one.partition, one.offset) for one in records}
    fresh = [one for one in later if (one.partition, one.offset) not in known]
    await send(settings, [one for some in await made.enrich(fresh) for one in some])

    whole = await replayed(settings, tmp_path)
    assert whole.redriven == 1
    assert whole.records == 11
    assert whole.tally.all_identical, differences(whole)
    assert whole.tally.verdicts[names.dead][Verdict.IDENTICAL] == 2  # one of each round

    (moved,) = [one for one in fresh if signer.original(one) is not one]
    alone = await replayed(
        settings,
        tmp_path,
        since=f"{moved.partition}:{moved.offset}",
        until=f"{moved.partition}:{moved.offset + 1}",
    )
    assert (alone.records, alone.redriven) == (1, 1)
    assert alone.tally.all_identical, differences(alone)


async def test_a_redriven_query_accounts_for_what_was_published_for_it(
    settings: Settings, tmp_path: Path
) -> None:
    """The first reading failed, as of a model that could not answer; the second one succeeded."""
    names = settings.topic_names
    await ask(settings, queries(4))
    made = step(settings)
    records = [source_record(one) for one in await all_of(settings, names.raw)]
    original = records[0]
    signer = made.enrichment.redrives
    back = signer.redriven(original, cluster=settings.cluster, epoch=settings.epoch)
    await send(settings, [back])
    outputs = [one for some in await made.enrich(records) for one in some]
    await send(settings, outputs)  # those of the redriven record are the same, under the same ids
    report = await replayed(settings, tmp_path)
    assert (report.records, report.redriven) == (5, 1)
    assert report.tally.all_identical, differences(report)
    assert report.tally.total(Verdict.IDENTICAL) == len(outputs)


async def test_partitions_added_since_are_read_too(settings: Settings, tmp_path: Path) -> None:
    """Of the queries and of what was published: keys have moved to other partitions."""
    names = settings.topic_names
    await asked_and_published(settings, 20)
    async with running(admin(settings.kafka), settings.kafka) as client:
        for topic in (names.raw, names.intents, names.entities, names.signals):
            await client.create_partitions({topic: NewPartitions(4)})
    async with running(producer(settings.kafka), settings.kafka) as sender:
        placed = [
            await sender.send_and_wait(names.raw, value, key=b"k", partition=n % 4)
            for n, value in enumerate(queries(8))
        ]
    fresh = [
        SourceRecord(names.raw, at.partition, at.offset, at.timestamp, b"k", value)
        for at, value in zip(placed, queries(8), strict=True)
    ]
    outputs = [one for some in await step(settings).enrich(fresh) for one in some]
    await send(settings, outputs)
    report = await replayed(settings, tmp_path)
    assert sorted(report.partitions) == [0, 1, 2, 3]
    assert report.records == 28
    assert report.tally.all_identical, differences(report)[:3]


async def test_the_last_of_repeats_counts_and_a_higher_revision_wins(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, queries(3))
    published = await enriched(settings)
    intents = [one for one in published if one.topic == settings.topic_names.intents]
    event = json.loads(intents[0].value or b"")
    event["intent"]["label"] = "refund"
    event["revision"] = 2
    corrected = OutputRecord(
        intents[0].topic, intents[0].key, json.dumps(event).encode(), intents[0].headers
    )
    await send(settings, [*published, corrected, *published])
    report = await replayed(settings, tmp_path)
    assert report.tally.verdicts[settings.topic_names.intents][Verdict.CHANGED] == 1
    (found,) = differences(report)
    assert found["fields"][0]["published"] == "refund"
    assert all("revision" not in one["field"] for one in found["fields"])
