"""The enricher publishes, then `intentstream replay` audits it: real Kafka, real Triton."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from tests.workers.rig import Rig
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.traffic import sample_traffic
from workers.embedded.triton import EmbeddedTriton
from workers.enrichment.enricher import Enricher
from workers.kafka import admin, consumer, producer, running
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

_BAD = [None, b"not json", b'{"text":""}', b'{"text":"poison for the model"}']


@pytest.fixture
def environment(kafka: EmbeddedKafka, rig: Rig) -> dict[str, str]:
    return {
        "INTENTSTREAM_PREFIX": "audited",
        "INTENTSTREAM_START": "earliest",
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap,
        "INTENTSTREAM_TRITON__ADDRESS": rig.server.grpc_address,
        "INTENTSTREAM_TRITON__MODEL_NAME": "rigged",
        "INTENTSTREAM_PSEUDONYMS__SECRET": "00" * 32,
        "INTENTSTREAM_TOPICS__PARTITIONS": "2",
    }


async def _enrich_all(settings: Settings, values: Sequence[bytes | None]) -> None:
    """Sends raw queries, and runs the enricher until all are committed."""
    await apply(settings)
    async with running(producer(settings.kafka), settings.kafka) as client:
        for n, value in enumerate(values):
            await client.send_and_wait(settings.topic_names.raw, value, key=f"u{n % 5}".encode())
    enricher = Enricher(settings)
    work = asyncio.create_task(enricher.run())
    try:
        async with asyncio.timeout(60):
            while not await _drained(settings):
                assert not work.done(), work.result()
                await asyncio.sleep(0.3)
    finally:
        enricher.stop()
        await work


async def _drained(settings: Settings) -> bool:
    partitions = [TopicPartition(settings.topic_names.raw, n) for n in range(2)]
    async with running(admin(settings.kafka), settings.kafka) as client:
        try:
            committed = await client.list_consumer_group_offsets(settings.group_id("enricher"))
        except GroupCoordinatorNotAvailableError:  # the cluster's first group is being set up
            return False
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        ends = await reader.end_offsets(partitions)
    return all(tp in committed and committed[tp].offset >= ends[tp] for tp in partitions)


async def _intentstream(
    environment: dict[str, str], folder: Path, *arguments: str
) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "workers.cli",
        *arguments,
        cwd=folder,
        env=os.environ | environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_an_audit_of_the_enricher_finds_every_byte_the_same(
    environment: dict[str, str], rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    queries = [
        json.dumps({"text": f"red shoes {n}", "user_id": f"u{n % 5}"}).encode() for n in range(300)
    ]
    await _enrich_all(load_settings(None), [*queries, *_BAD])

    code, out, err = await _intentstream(
        environment, tmp_path, "replay", "--from", "earliest", "--json", "--run", "audit"
    )
    assert code == 0, out + err
    report: dict[str, Any] = json.loads(out)
    assert report["records"] == 300 + len(_BAD)
    assert report["changed"] == report["missing"] == report["extra"] == 0
    assert report["topics"]["audited.queries.intents"]["identical"] == 300
    assert report["topics"]["audited.queries.dead"]["identical"] == len(_BAD)
    assert report["topics"]["audited.users.signals"]["identical"] == 300
    assert report["published_to"] == "audited.replays.audit"
    assert (tmp_path / ".intentstream/replays/audit/summary.json").is_file()

    rig.tell("digest", "sha256:another")
    code, out, err = await _intentstream(
        environment, tmp_path, "replay", "--from=-1h", "--to", "latest", "--no-publish"
    )
    assert code == 0, out + err  # another digest that says the same
    assert "model.digest" in out
    assert "sha256:another" in out
    assert "agree within the tolerance" in out


async def test_the_shipped_model_gives_the_same_bytes_in_other_batches(
    environment: dict[str, str],
    triton: EmbeddedTriton,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CASES 38: what one query is answered with must not depend on its neighbours."""
    served = {
        "INTENTSTREAM_PREFIX": "shipped",
        "INTENTSTREAM_TRITON__ADDRESS": triton.grpc_address,
        "INTENTSTREAM_TRITON__MODEL_NAME": "query_understanding",
        "INTENTSTREAM_TRITON__MAX_BATCH_ROWS": "7",
    }
    for name, value in (environment | served).items():
        monkeypatch.setenv(name, value)
    settings = load_settings(None)
    traffic = sample_traffic(settings.topic_names, seed=38)
    queries = (one.value for one in traffic if one.topic == settings.topic_names.raw)
    await _enrich_all(settings, list(islice(queries, 300)))

    served["INTENTSTREAM_TRITON__MAX_BATCH_ROWS"] = "128"
    code, out, err = await _intentstream(
        environment | served, tmp_path, "replay", "--from", "earliest", "--json", "--no-publish"
    )
    assert code == 0, out[-3_000:] + err
    report: dict[str, Any] = json.loads(out)
    assert report["records"] == 300
    assert report["identical"] > 600


async def test_an_error_says_what_to_do_and_has_exit_code_two(
    environment: dict[str, str], tmp_path: Path
) -> None:
    code, out, err = await _intentstream(environment, tmp_path, "replay", "--from", "yesterday")
    assert (code, out) == (2, "")
    assert "no bound of a range" in err
    assert "→" in err
    assert "Traceback" not in err
