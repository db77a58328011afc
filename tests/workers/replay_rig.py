"""What the tests of replay share: a deployment on a real Kafka, and a model that is arithmetic."""

import asyncio
import itertools
import json
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from streams.decoding import Decoder
from streams.events import ModelVersion
from streams.records import OutputRecord
from tests.streams.samples import LABELS, outputs_of, word_offsets
from workers import kafka
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.kafka import consumer, producer, running, source_record
from workers.replays.back_fill import Confirm, never
from workers.replays.batches import Enrich
from workers.replays.files import DIFFERENCES
from workers.replays.replay import replay
from workers.replays.report import ReplayReport
from workers.replays.request import ReplayRequest
from workers.settings import Settings, load_settings
from workers.topic_range import PartitionRange, parse_bound, read
from workers.topics_admin import apply
from workers.triton import Answer

_numbers = itertools.count()
BAD = [b"not json", b"{}", b'{"text":" "}', b"\xff", b'{"text":"a","channel":7}']


class ArithmeticModel:
    """Answers from a checksum of the text; `salt` makes it another model.

    With `salted` only texts that hold one of these words get another answer.
    """

    rows_per_request = 64

    def __init__(self, salt: int = 0, salted: Sequence[str] = ("",)) -> None:
        self.digest = f"sha256:{salt}"
        self._salt = salt
        self._salted = salted
        self._decoder = Decoder(LABELS)

    async def understand(self, texts: Sequence[str]) -> Answer:
        found = []
        for text in texts:
            salt = self._salt if any(word in text for word in self._salted) else 0
            seed = zlib.crc32(text.encode()) + salt
            outputs = outputs_of(self._decoder, [word_offsets(text)], seed=seed)
            found += self._decoder.decode(outputs, [text])
        return Answer(tuple(found), ModelVersion("m", "1", self.digest), "space")

    async def canary(self) -> None:
        """It is always well."""


def step(settings: Settings, salt: int = 0, salted: Sequence[str] = ("",)) -> BatchEnrichment:
    """The enricher's step around such a model."""
    model = ArithmeticModel(salt, salted)
    return BatchEnrichment(enrichment_of(settings), model, CircuitBreaker(model.canary))


async def deployment(bootstrap: str, **more: Any) -> Settings:
    """A deployment with topics of its own."""
    found = load_settings(
        None,
        prefix=f"replay{next(_numbers)}",
        kafka={"bootstrap_servers": bootstrap},
        pseudonyms={"secret": "00" * 32},
        topics={"partitions": 2},
        **more,
    )
    await apply(found)
    return found


async def send(settings: Settings, outputs: Sequence[OutputRecord]) -> None:
    """Publishes."""
    async with running(producer(settings.kafka), settings.kafka) as client:
        sent = [await kafka.send(client, one) for one in outputs]
        await asyncio.gather(*sent)


async def ask(settings: Settings, values: Sequence[bytes]) -> None:
    """Sends raw queries."""
    raw = settings.topic_names.raw
    await send(
        settings,
        [OutputRecord(raw, f"u{n % 7}".encode(), value) for n, value in enumerate(values)],
    )


def queries(count: int) -> list[bytes]:
    """Queries of seven users, each with a text of its own."""
    return [
        json.dumps({"text": f"red shoes size {n}", "user_id": f"u{n % 7}"}).encode()
        for n in range(count)
    ]


async def all_of(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """All records of a topic, as the replay itself reads them."""
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        partitions = [TopicPartition(topic, partition) for partition in range(2)]
        first = await reader.beginning_offsets(partitions)
        last = await reader.end_offsets(partitions)
        spans = [PartitionRange(tp.partition, first[tp], last[tp]) for tp in partitions]
        found = []
        async for records, _ in read(reader, topic, spans, batch=500):
            found += records
        return found


async def enriched(settings: Settings, salt: int = 0) -> list[OutputRecord]:
    """What the enricher makes of all that is in queries.raw."""
    records = [source_record(record) for record in await all_of(settings, settings.topic_names.raw)]
    outputs = await step(settings, salt).enrich(records)
    return [output for some in outputs for output in some]


async def asked_and_published(settings: Settings, count: int) -> list[OutputRecord]:
    """Queries, and what the enricher published for them."""
    await ask(settings, queries(count))
    published = await enriched(settings)
    await send(settings, published)
    return published


def request(
    runs: Path, since: str = "earliest", until: str = "latest", **more: Any
) -> ReplayRequest:
    """What to replay; a run of its own unless `run` names one."""
    now_ms = round(time.time() * 1_000)
    name = more.get("run", f"run{next(_numbers)}")
    asked: dict[str, Any] = {
        "run": name,
        "since": parse_bound(since, now_ms=now_ms),
        "until": parse_bound(until, now_ms=now_ms),
        "folder": runs / name,
        "publish": False,
    }
    return ReplayRequest(**asked | more)


async def replayed(
    settings: Settings,
    runs: Path,
    since: str = "earliest",
    until: str = "latest",
    *,
    salt: int = 0,
    enrich: Enrich | None = None,
    confirm: Confirm = never,
    **more: Any,
) -> ReplayReport:
    """The report of a replay."""
    return await replay(
        settings,
        request(runs, since, until, **more),
        step(settings, salt).enrich if enrich is None else enrich,
        lambda *_: None,
        confirm,
    )


def differences(report: ReplayReport) -> list[dict[str, Any]]:
    """The lines of differences.jsonl."""
    lines = (report.request.folder / DIFFERENCES).read_text().splitlines()
    return [json.loads(line) for line in lines]
