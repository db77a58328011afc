"""Replay, and what bit others (CASES): codecs, nulls, clocks, stalls, outages, switches, tampering."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streams.records import OutputRecord, SourceRecord
from tests.workers.replay_rig import (
    all_of,
    ask,
    deployment,
    differences,
    enriched,
    queries,
    replayed,
    send,
)
from tests.workers.rig import Rig
from workers.embedded.kafka import EmbeddedKafka
from workers.errors import UnreachableError
from workers.kafka import admin, producer, running, source_record
from workers.replays.comparison import Verdict
from workers.replays.model_in_use import ModelInUse, model_in_use
from workers.settings import Settings
from workers.topic_range import PartitionRange, read


async def test_batches_of_every_codec_are_replayed(settings: Settings, tmp_path: Path) -> None:
    """CASES 8."""
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    for n, codec in enumerate(codecs):
        written = settings.kafka.model_copy(update={"compression": codec})
        async with running(producer(written), written) as client:
            for value in queries(20)[4 * n : 4 * n + 4]:
                await client.send_and_wait(settings.topic_names.raw, value, partition=0)
    await send(settings, await enriched(settings))
    report = await replayed(settings, tmp_path)
    assert report.records == 20
    assert report.tally.all_identical


async def test_nulls_and_strange_headers_are_replayed(settings: Settings, tmp_path: Path) -> None:
    """CASES 11, 12: null keys, values and headers, repeated names, bytes that are no text."""
    raw = settings.topic_names.raw
    headers: list[tuple[str, bytes | None]] = [("k", None), ("k", b"\xff"), ("k", b"2"), ("", b"")]
    async with running(producer(settings.kafka), settings.kafka) as client:
        for value in (None, b"", queries(1)[0]):
            for key in (None, b"", b"\xff"):
                batch = client.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
                batch.close()
                await (await client.send_batch(batch, raw, partition=0))
    published = await enriched(settings)
    await send(settings, published)
    report = await replayed(settings, tmp_path)
    assert report.records == 9
    assert report.tally.verdicts[settings.topic_names.dead] == {Verdict.IDENTICAL: 6}
    assert report.tally.all_identical


async def test_times_of_a_producer_in_the_wrong_unit_hide_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    """CASES 18: a topic without LogAppendTime, and records that are stamped in seconds."""
    raw = settings.topic_names.raw
    async with running(admin(settings.kafka), settings.kafka) as client:
        configs = {"message.timestamp.type": "CreateTime"}
        await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, raw, configs)])
    now = 1_790_000_000
    async with running(producer(settings.kafka), settings.kafka) as client:
        for n, value in enumerate(queries(12)):
            stamp = now if n % 3 else None  # ms where it is None
            await client.send_and_wait(raw, value, partition=0, timestamp_ms=stamp)
    await send(settings, await enriched(settings))
    whole = await replayed(settings, tmp_path)
    assert whole.records == 12
    assert whole.tally.all_identical
    lately = await replayed(settings, tmp_path, since="-1h")
    assert lately.records == 12  # from the first record that is as young
    assert lately.tally.all_identical


async def test_a_partition_that_stalls_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """CASES 21: nothing comes, nothing fails, and the range is not at its end."""

    class Stalled:
        def assign(self, _places: list[TopicPartition]) -> None: ...

        def seek(self, _place: TopicPartition, _offset: int) -> None: ...

        async def getmany(self, *_places: TopicPartition, **_: int) -> dict[Any, Any]:
            await asyncio.sleep(0.01)
            return {}

        async def position(self, _place: TopicPartition) -> int:
            return 5

    monkeypatch.setattr("workers.topic_range._STALL_S", 0.1)
    with pytest.raises(UnreachableError, match="not at its end"):
        async for _ in read(Stalled(), "raw", [PartitionRange(0, 5, 9)], batch=10):
            pass


async def _rigged(kafka: EmbeddedKafka, rig: Rig, count: int) -> Settings:
    """Queries, and what the rigged model was published with."""
    triton = {"address": rig.server.grpc_address, "model_name": "rigged", "max_batch_rows": 32}
    settings = await deployment(kafka.bootstrap, triton=triton)
    await ask(settings, queries(count))
    records = [source_record(one) for one in await all_of(settings, settings.topic_names.raw)]
    async with model_in_use(settings) as model:
        await send(settings, [one for some in await model.enrich(records) for one in some])
    return settings


class _Meddled:
    """The model's step; before its nth batch something happens."""

    def __init__(self, model: ModelInUse, batch: int, happens: Any) -> None:
        self._model = model
        self._before = batch
        self._happens = happens

    async def enrich(self, records: Sequence[SourceRecord]) -> Sequence[tuple[OutputRecord, ...]]:
        self._before -= 1
        if not self._before:
            self._happens()
        return await self._model.enrich(records)


async def test_an_outage_of_the_model_is_waited_out(
    kafka: EmbeddedKafka, rig: Rig, tmp_path: Path
) -> None:
    """CASES 34, 64: it is away in the middle; nothing is given up, nor answered as if scored."""
    settings = await _rigged(kafka, rig, 60)

    def away() -> None:
        rig.tell("failing")
        asyncio.get_running_loop().call_later(0.5, rig.reset)

    async with model_in_use(settings) as model:
        meddled = _Meddled(model, 1, away)
        report = await replayed(settings, tmp_path, enrich=meddled.enrich)
    assert report.records == 60
    assert report.tally.all_identical


async def test_each_event_carries_the_version_that_scored_it(
    kafka: EmbeddedKafka, rig: Rig, tmp_path: Path
) -> None:
    """CASES 35: the model is switched in the middle of a replay."""
    settings = await _rigged(kafka, rig, 300)
    async with model_in_use(settings) as model:
        meddled = _Meddled(model, 2, lambda: rig.tell("digest", "rigged-2"))
        report = await replayed(settings, tmp_path, enrich=meddled.enrich, share=0.99)
    by_first, by_second = (
        sum(count for name, count in report.replayed_by.items() if f"rigged-{version}" in name)
        for version in (1, 2)
    )
    assert by_first > 0
    assert by_second > 0
    assert report.tally.verdicts[settings.topic_names.intents] == {
        Verdict.IDENTICAL: by_first,
        Verdict.EQUIVALENT: by_second,
    }


@pytest.mark.parametrize(
    "body",
    [
        b'"text":"\\ud83d"',
        b'"text":' + b"[" * 5_000 + b"]" * 5_000,
        b'"text":NaN',
        b'"revision":{}',
        b'"revision":1e400',
        b"\xff",
    ],
)
async def test_what_no_enricher_would_publish_is_a_difference(
    settings: Settings, tmp_path: Path, body: bytes
) -> None:
    """CASES 44: a lone surrogate; and what else is no event (any more), in an event's place."""
    await ask(settings, queries(3))
    published = await enriched(settings)
    at = next(n for n, one in enumerate(published) if one.topic == settings.topic_names.intents)
    event, value = published[at], published[at].value or b""
    wrong = b"{" + body + b"," + value[value.index(b'"source":') :]
    published[at] = OutputRecord(event.topic, event.key, wrong, event.headers)
    await send(settings, published)
    report = await replayed(settings, tmp_path)
    verdicts = {one["verdict"] for one in differences(report)}
    assert verdicts <= {"changed", "missing"}
    assert len(differences(report)) == 1
