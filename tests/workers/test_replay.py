"""Replay on a real Kafka: what was published, taken apart, gaps in the log, and bad ranges.

The model here is arithmetic on the text, so that these tests are about records; the test with
the served model is in test_replay_end_to_end.py.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from streams.records import OutputRecord, SourceRecord
from tests.workers.replay_rig import (
    BAD,
    all_of,
    ask,
    differences,
    enriched,
    queries,
    replayed,
    send,
    step,
)
from workers.embedded.kafka import EmbeddedKafka
from workers.errors import UnreachableError
from workers.kafka import admin, consumer, producer, running, source_record
from workers.replays.comparison import Verdict
from workers.replays.output import ORIGINAL_TOPIC
from workers.replays.replay import replay
from workers.replays.request import ReplayRequest
from workers.replays.run_state import RunError
from workers.settings import Settings, load_settings
from workers.topic_range import PartitionRange, RangeError, parse_bound
from workers.topics_admin import apply

# --- against what was published


async def test_a_replay_of_what_was_published_is_identical(
    settings: Settings, tmp_path: Path
) -> None:
    """CASES 60: also of records that cannot be read, among others that can."""
    await ask(settings, queries(150) + BAD)
    published = await enriched(settings)
    await send(settings, published)
    report = await replayed(settings, tmp_path)
    assert report.records == 155
    assert report.tally.all_identical
    assert report.tally.total(Verdict.IDENTICAL) == len(published)
    assert report.tally.verdicts[settings.topic_names.intents][Verdict.IDENTICAL] == 150
    assert report.tally.verdicts[settings.topic_names.dead][Verdict.IDENTICAL] == len(BAD)
    assert differences(report) == []
    assert json.loads((report.request.folder / "summary.json").read_text()) == report.as_dict()


async def test_a_repeated_event_is_still_one(settings: Settings, tmp_path: Path) -> None:
    await ask(settings, queries(10))
    published = await enriched(settings)
    await send(settings, published + published)
    report = await replayed(settings, tmp_path)
    assert report.tally.all_identical
    assert report.tally.total(Verdict.IDENTICAL) == len(published)


async def test_each_kind_of_difference_is_found(settings: Settings, tmp_path: Path) -> None:
    await ask(settings, queries(20))
    published = await enriched(settings)
    intents = [n for n, one in enumerate(published) if one.topic == settings.topic_names.intents]
    changed, missing = published[intents[3]], published[intents[7]]
    value = json.loads(changed.value or b"")
    value["intent"]["label"] = "tampered"
    tampered = json.dumps(value).encode()
    published[intents[3]] = OutputRecord(changed.topic, changed.key, tampered, changed.headers)
    published.remove(missing)
    stray = tuple(
        (name, b"0" * 32 if name == "ce_id" else content) for name, content in missing.headers
    )
    published.append(OutputRecord(missing.topic, missing.key, missing.value, stray))
    await send(settings, published)

    report = await replayed(settings, tmp_path)
    found = {one["verdict"]: one for one in differences(report)}
    assert len(differences(report)) == 3
    assert found["changed"]["fields"][0] == {
        "field": "intent.label",
        "published": "tampered",
        "replayed": json.loads(changed.value or b"")["intent"]["label"],
    }
    assert found["missing"]["ce_id"] == dict(missing.headers)["ce_id"].decode()  # type: ignore[union-attr]  # set above
    assert found["extra"]["ce_id"] == "0" * 32
    assert found["extra"]["source"] == found["missing"]["source"]
    assert report.tally.fields["intent.label"] == 1


async def test_another_model_changes_events_and_is_named(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, queries(10))
    await send(settings, await enriched(settings))
    report = await replayed(settings, tmp_path, salt=1)
    intents = report.tally.verdicts[settings.topic_names.intents]
    assert intents[Verdict.CHANGED] == 10
    assert report.tally.fields["model.digest"] >= 10
    assert [name.split(",")[0] for name in report.published_by] == ["model sha256:0"]
    assert [name.split(",")[0] for name in report.replayed_by] == ["model sha256:1"]
    assert any("--model-version sha256:0 " in note for note in report.notes)


async def test_what_the_enricher_has_not_reached_is_missing_and_said(
    settings: Settings, tmp_path: Path
) -> None:
    """CASES 65: delay is told from failure."""
    await ask(settings, queries(5))
    report = await replayed(settings, tmp_path)
    assert report.tally.total(Verdict.MISSING) >= 5
    assert "5 offsets" in report.notes[0]


async def test_actions_are_replayed_too(settings: Settings, tmp_path: Path) -> None:
    actions = settings.topic_names.actions
    value = b'{"user_id":"u","action":"view","product":{"brand":"acme"}}'
    await send(settings, [OutputRecord(actions, b"u", value)] * 3)
    records = [source_record(record) for record in await all_of(settings, actions)]
    outputs = [one for some in await step(settings).enrich(records) for one in some]
    await send(settings, outputs)
    report = await replayed(settings, tmp_path, topic=actions)
    assert report.tally.all_identical
    assert report.tally.verdicts[settings.topic_names.signals][Verdict.IDENTICAL] == 3


# --- what a run leaves


async def test_results_are_published_to_a_topic_of_the_run(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, [*queries(12), b'{"secret":"jane.doe"}'])
    published = await enriched(settings)
    await send(settings, published)
    report = await replayed(settings, tmp_path, publish=True)
    assert report.published_to == settings.topic_names.replay(report.request.run)
    records = await all_of(settings, report.published_to)
    names = [dict(record.headers)[ORIGINAL_TOPIC].decode() for record in records]
    assert sorted(names) == sorted(one.topic for one in published)
    values = {record.value for record in records}
    assert {one.value for one in published if one.topic != settings.topic_names.dead} <= values
    assert not any(b"jane" in (record.value or b"") for record in records)


async def test_no_group_is_joined_and_no_offset_moves(settings: Settings, tmp_path: Path) -> None:
    """CASES 3, 15: there is nothing to expire or to rebalance, and the workers' is left alone."""
    await ask(settings, queries(5))
    await replayed(settings, tmp_path)
    async with running(admin(settings.kafka), settings.kafka) as client:
        groups = {group[0] for group in await client.list_consumer_groups()}
        group = settings.group_id("enricher")
        assert not any(name.startswith(settings.prefix) for name in groups)
        assert await client.list_consumer_group_offsets(group) == {}


async def test_a_run_is_never_overwritten(settings: Settings, tmp_path: Path) -> None:
    await ask(settings, queries(2))
    report = await replayed(settings, tmp_path, publish=True)
    with pytest.raises(RunError, match="exists already"):
        await replayed(settings, tmp_path, folder=report.request.folder)
    with pytest.raises(RunError, match=r"topic .* exists already"):
        await replayed(
            settings, tmp_path, publish=True, run=report.request.run, folder=tmp_path / "other"
        )
    assert not (tmp_path / "other").exists()


async def test_a_run_that_fails_leaves_nothing_that_looks_whole(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, queries(2))

    async def broken(_: object) -> list[tuple[OutputRecord, ...]]:
        raise RangeError("no")

    latest, earliest = (parse_bound(text, now_ms=0) for text in ("latest", "earliest"))
    request = ReplayRequest(
        run="broken", since=earliest, until=latest, folder=tmp_path / "broken", publish=False
    )
    with pytest.raises(RangeError):
        await replay(settings, request, broken, lambda *_: None)
    assert {path.suffix for path in (tmp_path / "broken").iterdir()} == {".partial"}


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 101])
async def test_a_bad_name_is_refused(settings: Settings, tmp_path: Path, name: str) -> None:
    with pytest.raises(RunError, match="no name for a run"):
        await replayed(settings, tmp_path, run=name)


# --- ranges


async def test_a_limit_ends_the_range_early_and_leaves_the_rest_alone(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, queries(50))
    await send(settings, await enriched(settings))
    report = await replayed(settings, tmp_path, limit=7)
    assert report.records == 7
    assert report.tally.all_identical
    first, second = (report.partitions[number] for number in range(2))
    assert (first.records, second.records) == (7, 0)  # by partition and offset: the same each time


async def test_offsets_choose_partitions(settings: Settings, tmp_path: Path) -> None:
    await ask(settings, queries(50))
    await send(settings, await enriched(settings))
    report = await replayed(settings, tmp_path, since="1:2", until="1:6")
    assert report.source.partitions == (PartitionRange(1, 2, 6),)
    assert report.records == 4
    assert report.tally.all_identical


async def test_records_that_arrive_meanwhile_are_not_in_it(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, queries(10))
    made = step(settings)

    async def slow(records: Any) -> Any:
        await ask(settings, queries(5))
        return await made.enrich(records)

    latest, earliest = (parse_bound(text, now_ms=0) for text in ("latest", "earliest"))
    request = ReplayRequest(
        run="fixed", since=earliest, until=latest, folder=tmp_path / "fixed", publish=False
    )
    report = await replay(settings, request, slow, lambda *_: None)
    assert report.records == 10


async def test_a_range_after_the_last_record_is_empty(settings: Settings, tmp_path: Path) -> None:
    """CASES 13."""
    await ask(settings, queries(3))
    await asyncio.sleep(0.01)
    report = await replayed(settings, tmp_path, since="-0s")
    assert (report.records, report.tally.all_identical) == (0, True)
    report = await replayed(settings, tmp_path, since="2999-01-01", until="latest")
    assert (report.records, report.tally.all_identical) == (0, True)


async def test_a_range_by_time_takes_what_was_appended_in_it(
    settings: Settings, tmp_path: Path
) -> None:
    await ask(settings, queries(3))
    await asyncio.sleep(0.05)
    between = round(time.time() * 1_000)
    await asyncio.sleep(0.05)
    await ask(settings, queries(4))
    await send(settings, await enriched(settings))
    moment = datetime.fromtimestamp(between / 1_000, UTC).isoformat()
    before = await replayed(settings, tmp_path, until=moment)
    after = await replayed(settings, tmp_path, since=moment)
    assert (before.records, after.records) == (3, 4)
    assert before.tally.all_identical
    assert after.tally.all_identical


async def test_gaps_of_transactions_are_passed(settings: Settings, tmp_path: Path) -> None:
    """CASES 20: markers and aborted records take offsets, also at the end of the log."""
    raw = settings.topic_names.raw
    client = producer(settings.kafka, transactional_id=f"{settings.prefix}-tx")
    async with running(client, settings.kafka):
        for n, value in enumerate(queries(6)):
            await client.begin_transaction()
            await client.send_and_wait(raw, value, key=b"u", partition=n % 2)
            await (client.abort_transaction() if n % 3 == 2 else client.commit_transaction())
    report = await asyncio.wait_for(replayed(settings, tmp_path), 20)
    assert report.records == 4
    assert report.source.offsets == 12


async def test_deleted_records_are_an_error_that_names_what_is_left(
    settings: Settings, tmp_path: Path
) -> None:
    raw = settings.topic_names.raw
    async with running(producer(settings.kafka), settings.kafka) as client:
        for n, value in enumerate(queries(40)):
            await client.send_and_wait(raw, value, partition=n % 2)
    gone = await _deleted(settings, raw, 10)
    assert gone == {0: 10, 1: 10}
    with pytest.raises(RangeError) as caught:
        await replayed(settings, tmp_path, since="0:3", until="latest")
    assert "no offset 3" in caught.value.message
    assert "what is left goes from 10 to" in caught.value.hint
    report = await replayed(settings, tmp_path)
    assert report.records == 20
    report = await replayed(settings, tmp_path, since="-1h")
    assert report.records == 20
    assert "older records are deleted" in report.notes[0]
    with pytest.raises(RangeError, match="nothing of the range is retained"):
        await replayed(settings, tmp_path, since="-2h", until="-1h")


async def _deleted(settings: Settings, topic: str, before: int) -> dict[int, int]:
    async with running(admin(settings.kafka), settings.kafka) as client:
        partitions = [TopicPartition(topic, partition) for partition in range(2)]
        wanted = {tp: RecordsToDelete(before_offset=before) for tp in partitions}
        await client.delete_records(wanted)
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        found = await reader.beginning_offsets(partitions)
        return {tp.partition: offset for tp, offset in found.items()}


@pytest.mark.parametrize(
    ("since", "until", "said"),
    [
        ("0:1", "1:1", "different partitions"),
        ("7:0", "latest", "no partition 7"),
        ("0:99", "latest", "no offset 99"),
        ("earliest", "0:99", "no offset 99"),
        ("0:2", "0:1", "2 lies after 1"),
        ("-1h", "-2h", "lies after"),
    ],
)
async def test_ranges_that_make_no_sense_are_errors(
    settings: Settings, tmp_path: Path, since: str, until: str, said: str
) -> None:
    raw = settings.topic_names.raw
    async with running(producer(settings.kafka), settings.kafka) as client:
        for value in queries(3):
            await client.send_and_wait(raw, value, partition=0)
    with pytest.raises(RangeError, match=said):
        await replayed(settings, tmp_path, since=since, until=until)
    assert list(tmp_path.iterdir()) == []


async def test_a_topic_that_is_not_there_is_not_made(settings: Settings, tmp_path: Path) -> None:
    bare = load_settings(
        None,
        prefix=f"{settings.prefix}-none",
        kafka={"bootstrap_servers": settings.kafka.bootstrap_servers},
        pseudonyms={"secret": "00" * 32},
    )
    with pytest.raises(RangeError, match="there is no topic"):
        await replayed(bare, tmp_path)
    with pytest.raises(RangeError, match="not read by the enricher"):
        await replayed(settings, tmp_path, topic=settings.topic_names.intents)
    async with running(admin(settings.kafka), settings.kafka) as client:
        assert not any(name.startswith(bare.prefix) for name in await client.list_topics())


@pytest.mark.slow
@pytest.mark.parametrize("publish", [False, True])
async def test_a_broker_lost_in_the_middle_is_an_error_within_a_bounded_time(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    publish: bool,
) -> None:
    monkeypatch.setattr("workers.topic_range._STALL_S", 5.0)
    monkeypatch.setattr("workers.replays.output._ACKNOWLEDGE_S", 5.0)
    async with EmbeddedKafka(tmp_path / "kafka") as server:
        settings = load_settings(
            None,
            prefix="lost",
            kafka={"bootstrap_servers": server.bootstrap},
            pseudonyms={"secret": "00" * 32},
            topics={"partitions": 2},
        )
        await apply(settings)
        noise = (os.urandom(5_000).hex().encode() for _ in range(1_000))
        await ask(
            settings, [b'{"text":"a","x":"%s"}' % part for part in noise]
        )  # more than a consumer fetches ahead
        made = step(settings)
        batches = 0

        async def enrich(records: Sequence[SourceRecord]) -> list[tuple[OutputRecord, ...]]:
            nonlocal batches
            batches += 1
            if batches == 2 and server.process is not None:
                os.kill(server.process.pid, signal.SIGKILL)
            return await made.enrich(records)

        latest, earliest = (parse_bound(text, now_ms=0) for text in ("latest", "earliest"))
        request = ReplayRequest(
            run="lost", since=earliest, until=latest, folder=tmp_path / "run", publish=publish
        )
        async with asyncio.timeout(60):
            with pytest.raises(UnreachableError):
                await replay(settings, request, enrich, lambda *_: None)
    assert [path.suffix for path in (tmp_path / "run").iterdir()] == [".partial"]
