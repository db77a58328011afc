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
from workers.replays.signing import make_pair
from workers.settings import Settings, load_settings
from workers.topics_admin import apply

_BAD = [None, b"not json", b'{"text":""}', b'{"text":"poison for the model"}']
_ODD = [
    b'{"text":"red \\ud83d shoes"}',
    b'{"text":"red \\ud83d\\udc5f shoes"}',
    *(
        json.dumps({"text": text}, ensure_ascii=False).encode()
        for text in (
            "\u27ff red \u017e shoes \u2933 nike",
            "na\u00efve red shoes",
            "nai\u0308ve red shoes",
            "[MASK] red shoes [SEP] nike",
            "\u30d0\u30c3\u30b0 red nike",
            "need a red nike ticket ?",
        )
    ),
]


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
        sent = [
            await client.send(settings.topic_names.raw, value, key=f"u{n % 5}".encode())
            for n, value in enumerate(values)
        ]
        await asyncio.gather(*sent)
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
    assert "differ in model or settings" in out
    assert "sha256:another" in out
    assert "agree within the tolerance" in out


async def test_the_shipped_model_gives_the_same_bytes_in_other_batches(
    environment: dict[str, str],
    triton: EmbeddedTriton,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """CASES 38: what one query is answered with must not depend on its neighbours.

    CASES 44, 45, 47, 48, 51: nor do the places of entities in texts where others' offsets went wrong.
    """
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
    await _enrich_all(settings, [*islice(queries, 300), *_ODD])

    served["INTENTSTREAM_TRITON__MAX_BATCH_ROWS"] = "128"
    code, out, err = await _intentstream(
        environment | served, tmp_path, "replay", "--from", "earliest", "--json", "--no-publish"
    )
    assert code == 0, out[-3_000:] + err
    report: dict[str, Any] = json.loads(out)
    assert report["records"] == 300 + len(_ODD)
    assert report["identical"] > 600


async def test_a_killed_audit_goes_on_is_signed_and_tampering_is_caught(
    environment: dict[str, str], rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, _ = make_pair(tmp_path / "keys")
    keyed = environment | {
        "INTENTSTREAM_PREFIX": "auditkill",
        "INTENTSTREAM_AUDIT__SIGNING_KEY": str(private),
    }
    for name, value in keyed.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(None)
    queries = [b'{"text":"red shoes %d","user_id":"u"}' % n for n in range(700)]
    await _enrich_all(settings, queries)

    rig.tell("slow", "0.05")
    asked = ("replay", "--from", "earliest", "--run", "cut", "--json", "--no-explain")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "workers.cli", *asked),
        cwd=tmp_path,
        env=os.environ | keyed | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await asyncio.wait_for(_some_in(settings, settings.topic_names.replay("cut")), 60)
    process.kill()
    await process.wait()
    rig.reset()
    folder = tmp_path / ".intentstream/replays/cut"
    assert {path.suffix for path in folder.iterdir()} <= {".partial", ".partial-wal"}
    code, out, err = await _intentstream(keyed, tmp_path, *asked, "--resume")
    assert code == 0, out + err
    report = json.loads(out)
    assert report["records"] == 700
    assert report["changed"] == report["missing"] == report["extra"] == 0

    code, out, err = await _intentstream(keyed, tmp_path, "replay", "verify", "cut")
    assert code == 0, out + err
    assert "700 records are as they were read" in out
    assert "as published" in out
    page = folder / "report.html"
    page.write_text(page.read_text().replace("100.00 %", "100.01 %", 1))
    code, out, _ = await _intentstream(keyed, tmp_path, "replay", "verify", "cut")
    assert code == 1
    assert "report.html was changed" in out


async def _some_in(settings: Settings, topic: str) -> None:
    """Waits until a topic is there and has records."""
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        while topic not in await reader.topics():
            await asyncio.sleep(0.1)
        partitions = [TopicPartition(topic, number) for number in range(2)]
        while not any((await reader.end_offsets(partitions)).values()):
            await asyncio.sleep(0.05)


async def test_an_error_says_what_to_do_and_has_exit_code_two(
    environment: dict[str, str], tmp_path: Path
) -> None:
    for options, said in (
        (("--from", "yesterday"), "no bound of a range"),
        (("--from", "2999-01-01"), "lies in the future"),
        (("--from", "-1h", "--dry-run"), "--dry-run is of a back-fill"),
    ):
        code, out, err = await _intentstream(environment, tmp_path, "replay", *options)
        assert (code, out) == (2, "")
        assert said in err
        assert "→" in err
        assert "Traceback" not in err
