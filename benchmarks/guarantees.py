"""`python -m benchmarks.guarantees`: what `exactly_once` costs beside `at_least_once`.

One enricher on a Kafka and a Triton of its own, the guarantees in turns, so that both meet the same
neighbours. Throughput is bound by the model; what the guarantee costs shows in the time of one core
that enricher and broker take, and in how old an event is when a reader of what is committed has it.
"""

import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import psutil
from aiokafka import TopicPartition
from pydantic import SecretStr

from benchmarks.measured import Row, command, quantiles
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton
from workers.errors import IntentstreamError
from workers.kafka import consumer, producer, running
from workers.sections import KafkaSettings, PseudonymSettings, TopicSettings, TritonSettings
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

RESULTS: Final = Path(__file__).parent / "results" / "guarantees.csv"
GUARANTEES: Final = ("at_least_once", "exactly_once")
_MODELS: Final = Path(__file__).resolve().parents[1] / "model_repository"
_SECRET: Final = "5a" * 32
_USERS: Final = 50
_WARM_UP: Final = 100
_A_SECOND: Final = 40
_LONGEST_S: Final = 300.0
_THINGS: Final = ("running shoes", "coffee grinder", "tent for two", "desk lamp", "phone case")


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done: queries in a burst, queries at a steady rate, and how often."""

    burst: int
    steady: int
    rounds: int


FULL: Final = Sizes(6_000, 400, 3)
QUICK: Final = Sizes(1_000, 120, 1)


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs, and a folder for logs."""

    kafka: EmbeddedKafka
    triton: EmbeddedTriton
    folder: Path


async def run(folder: Path, sizes: Sizes) -> list[Row]:
    """Measures both, on servers in `folder`."""
    async with (
        EmbeddedKafka(folder) as kafka,
        EmbeddedTriton(folder, _MODELS) as triton,
    ):
        servers = Servers(kafka, triton, folder)
        found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        for _ in range(sizes.rounds):
            for guarantee in GUARANTEES:
                for row in await _measured(servers, guarantee, sizes):
                    found[row.measure, row.case, row.unit].append(row.value)
        rows = [
            Row(measure, case, statistics.median(values), unit)
            for (measure, case, unit), values in found.items()
        ]
        return sorted(rows + _ratios(rows), key=lambda row: row.measure)


def _ratios(rows: Sequence[Row]) -> list[Row]:
    """Exactly once as a multiple of at least once."""
    by_case = {(row.measure, row.case): row.value for row in rows}
    return [
        Row(measure, case.replace("exactly_once", "ratio"), value / base, "")
        for (measure, case), value in by_case.items()
        if "exactly_once" in case
        and (base := by_case[measure, case.replace("exactly_once", "at_least_once")])
    ]


async def _measured(servers: Servers, guarantee: str, sizes: Sizes) -> list[Row]:
    settings = _settings(servers, guarantee)
    await apply(settings)
    numbers = iter(range(10**9))
    async with _enricher(settings, servers.folder) as worker:
        await _produce(settings, [_query(next(numbers)) for _ in range(_WARM_UP)])
        await _committed(settings)
        broker = psutil.Process(servers.kafka.process.pid if servers.kafka.process else 0)
        before = _cpu(worker), _cpu(broker)
        began = time.monotonic()
        await _produce(settings, [_query(next(numbers)) for _ in range(sizes.burst)])
        await _committed(settings)
        seconds = time.monotonic() - began
        used = _cpu(worker) - before[0], _cpu(broker) - before[1]
        ages = await _ages(settings, [_query(next(numbers)) for _ in range(sizes.steady)])
    thousands = sizes.burst / 1000
    return [
        Row("queries", guarantee, sizes.burst / seconds, "1/s"),
        Row("enricher, of one core", guarantee, used[0] / thousands, "s per 1,000"),
        Row("broker, of one core", guarantee, used[1] / thousands, "s per 1,000"),
        *quantiles("age of an event when it is read", guarantee, ages),
    ]


def _settings(servers: Servers, guarantee: str) -> Settings:
    return load_settings(
        None,
        prefix=f"g{uuid4().hex[:8]}",
        start="earliest",
        guarantee=guarantee,
        kafka=KafkaSettings(bootstrap_servers=servers.kafka.bootstrap),
        triton=TritonSettings(address=servers.triton.grpc_address),
        topics=TopicSettings(partitions=4),
        pseudonyms=PseudonymSettings(secret=SecretStr(_SECRET)),
    )


@asynccontextmanager
async def _enricher(settings: Settings, folder: Path) -> AsyncIterator[psutil.Process]:
    env = {name: value for name, value in os.environ.items() if "INTENTSTREAM" not in name}
    env |= {
        "INTENTSTREAM_GUARANTEE": settings.guarantee,
        "INTENTSTREAM_PREFIX": settings.prefix,
        "INTENTSTREAM_START": "earliest",
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": settings.kafka.bootstrap_servers,
        "INTENTSTREAM_TRITON__ADDRESS": settings.triton.address,
        "INTENTSTREAM_PSEUDONYMS__SECRET": _SECRET,
    }
    with (folder / f"{settings.prefix}.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.cli", "enrich", "--stats-every", "0"),
            env=env,
            stdout=log,
            stderr=log,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        await process.wait()


def _query(number: int) -> tuple[bytes, bytes]:
    user = f"shopper {number % _USERS}"
    text = f"{_THINGS[number % len(_THINGS)]} number {number}"
    query = {"text": text, "user_id": user, "query_id": f"q{number}"}
    return user.encode(), json.dumps(query).encode()


async def _produce(settings: Settings, queries: Sequence[tuple[bytes, bytes]]) -> None:
    async with running(producer(settings.kafka), settings.kafka) as client:
        for key, value in queries:
            await client.send(settings.topic_names.raw, value, key=key)
        await client.flush()


def _places(settings: Settings, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for number in range(settings.topics.partitions)]


async def _committed(settings: Settings) -> None:
    """Waits until all is published and committed."""
    reader = consumer(settings.kafka, group_id=settings.group_id("enricher"))
    async with running(reader, settings.kafka):
        places = _places(settings, settings.topic_names.raw)
        ends = await reader.end_offsets(places)
        deadline = time.monotonic() + _LONGEST_S
        while any([await reader.committed(place) != ends[place] for place in places]):
            if time.monotonic() > deadline:
                raise IntentstreamError("the enricher does not get on", "see its log")
            await asyncio.sleep(0.05)


async def _ages(settings: Settings, queries: Sequence[tuple[bytes, bytes]]) -> list[float]:
    """Seconds from a query's time in Kafka until a reader of what is committed has its event."""
    ages: list[float] = []
    reader = consumer(settings.kafka, auto_offset_reset="latest")
    async with running(reader, settings.kafka):
        places = _places(settings, settings.topic_names.intents)
        reader.assign(places)
        await reader.seek_to_end(*places)
        feeding = asyncio.create_task(_feed_steadily(settings, queries))
        async with asyncio.timeout(_LONGEST_S):
            while len(ages) < len(queries):
                found = await reader.getmany(timeout_ms=1_000)
                now = time.time()
                for records in found.values():
                    ages += [
                        now - json.loads(record.value)["source"]["timestamp"] / 1000
                        for record in records
                    ]
        await feeding
    return ages


async def _feed_steadily(settings: Settings, queries: Sequence[tuple[bytes, bytes]]) -> None:
    async with running(producer(settings.kafka), settings.kafka) as client:
        began = time.monotonic()
        for number, (key, value) in enumerate(queries):
            await asyncio.sleep(max(began + number / _A_SECOND - time.monotonic(), 0))
            await client.send(settings.topic_names.raw, value, key=key)
        await client.flush()


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    command(
        RESULTS,
        __doc__,
        lambda scratch, quick: run(scratch, QUICK if quick else FULL),
        quickly="a minute",
    )
