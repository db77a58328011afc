"""A corpus of personal data, and records that try to forge, through the whole running chain.

Faker's values in the text, the ids, the keys, the headers and the context of queries and actions go in;
enricher, personalizer and replay run as processes on real servers. Then everything that they have
written anywhere is searched: topics (values, keys, headers), the changelog, Redis, metrics, logs and the
files of the replay. Only the restricted topic of dead letters may hold what went in.
"""

import asyncio
import json
import os
import re
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.structs import ConsumerRecord
from faker import Faker
from redis.asyncio import Redis

from benchmarks.personal_data import Sample, corpus
from benchmarks.redaction import ANNOUNCED, BARE, leaks, recall
from streams.deadletters import DeadReason, reason_of
from streams.pseudonyms import is_pseudonym
from streams.redrive import REDRIVE_HEADER
from streams.text import normalise
from tests.workers.rig import Rig, rigged_triton
from tests.workers.world import SECRET, World, world_of
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.valkey import EmbeddedValkey
from workers.kafka import admin, producer, running
from workers.profiles.faust_app import changelog_topic

pytestmark = pytest.mark.timeout(400)

PREFIX = "private"
MARK = "forged7f3a"  # in all that a record tries to pass off
ESCAPES = f"{MARK}\n\x1b[31m{MARK}\r\n2026-01-01 00:00:00,000 ERROR workers: {MARK}\u2028"
FORGED_HEADERS: list[tuple[str, bytes]] = [
    (name, MARK.encode())
    for name in (
        *("ce_id", "ce_type", "ce_source", "ce_time", "ce_partitionkey", "content-type"),
        *("__connect.errors.topic", "__connect.errors.offset", "__streams.errors.message"),
        *("intentstream.errors.reason", "intentstream.errors.stage", REDRIVE_HEADER),
        *("intentstream.replay.topic", f"{MARK}\n\x1b[31m"),
    )
]


@dataclass
class Chain:
    """What went in, and where all that came out can be looked at."""

    world: World
    samples: list[Sample]
    people: list[str]
    texts: dict[str, Sample] = field(default_factory=dict)
    logs: dict[str, bytes] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    redis: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    topics: dict[str, list[ConsumerRecord]] = field(default_factory=dict)

    def sinks(self) -> Iterator[tuple[str, bytes]]:
        """Everything that was written, but the inputs and the dead letters, by where it is."""
        names = self.world.settings.topic_names
        for topic, records in self.topics.items():
            for record in records if topic not in (names.raw, names.actions, names.dead) else ():
                where = f"{topic}[{record.partition}]@{record.offset}"
                yield f"{where} key", record.key or b""
                yield f"{where} value", record.value or b""
                for name, value in record.headers:
                    yield f"{where} header {name}", name.encode() + b"=" + (value or b"")
        for key, fields in self.redis.items():
            yield "redis key", key
            for name, value in fields.items():
                yield f"redis field {name.decode()}", name + b"=" + value
        for name, shown in self.metrics.items():
            yield f"metrics of the {name}", shown.encode()
        for name, written in (self.logs | self.files).items():
            yield name, written


async def _process(
    environment: dict[str, str], command: str, log: Path, *more: str
) -> asyncio.subprocess.Process:
    with log.open("wb") as file:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "workers.cli", command, *more),
            env=environment,
            stdout=file,
            stderr=file,
        )


async def _fed(chain: Chain, client: AIOKafkaProducer) -> None:
    """Sends the corpus in, as queries."""
    names, people, sent = chain.world.settings.topic_names, chain.people, []
    for n, sample in enumerate(chain.samples):
        query_id = f"q{n}"
        chain.texts[query_id] = sample
        person = people[n % len(people)]
        value = {
            "text": sample.text,
            "query_id": query_id,
            "user_id": person,
            "session_id": people[(n + 1) % len(people)],
            "context": {"page": sample.text, "name": person},
            "email": person,
        }
        if n % 7 == 0:
            del value["user_id"]
        headers = [("x-user", person.encode()), (person[:20], b"1")]
        data = json.dumps(value).encode()
        sent.append(await client.send(names.raw, data, key=person.encode(), headers=headers))
    await asyncio.gather(*sent)


async def _fed_badly(chain: Chain) -> None:
    """Sends in what becomes dead letters, actions, and what tries to forge."""
    world, names, people = chain.world, chain.world.settings.topic_names, chain.people
    bad: list[bytes] = []
    for person in people:
        bad += [
            f'{{"text": "{person}'.encode(),
            json.dumps({"text": 7, "user_id": person}).encode(),
            json.dumps({"text": f"poison {person}", "user_id": person}).encode(),
            json.dumps({"text": "a", "locale": person, "user_id": person}).encode(),
        ]
    await world.produce(bad, key=people[0].encode(), headers=[("x-user", people[0].encode())])
    actions = [
        {"user_id": person, "session_id": person, "action": "view", "product": {"brand": "Acme"}}
        for person in people
    ]
    await world.produce(
        [json.dumps(action).encode() for action in actions], topic=names.actions, key=b"k"
    )
    forged: list[dict[str, Any]] = [
        {"text": f"red hat {ESCAPES}", "user_id": f"x}}:{MARK}"},
        {"text": "red hat", "user_id": ESCAPES, "topic": f"{MARK}.topic", "ce_id": MARK},
        {"text": "red hat", "user_id": f"k1.{'0' * 32}", "session_id": f"../{MARK}\x00"},
        {"text": "red hat", "user_id": f"*{MARK}", "user": MARK, "source": {"topic": MARK}},
        {"text": ESCAPES * 200, "user_id": "u"},
        {"text": "poison", "user_id": ESCAPES},
    ]
    await world.produce(
        [json.dumps(value).encode() for value in forged] + [ESCAPES.encode(), b"\xff\x1b[31m"],
        key=ESCAPES.encode(),
        headers=FORGED_HEADERS,
    )


async def _worked_off(chain: Chain, environment: dict[str, str], folder: Path) -> None:
    """Runs the workers until all is in Redis, looks at their metrics, and stops them."""
    world = chain.world
    workers = {
        command: await _process(environment, command, folder / f"{command}.log")
        for command in ("enrich", "personalize")
    }
    try:
        await world.until_committed(seconds=100)
        await world.until_committed(world.settings.topic_names.actions)
        signals = world.settings.topic_names.signals
        group = world.settings.group_id("personalizer")
        async with asyncio.timeout(60):
            while await world.committed(signals, group) != await world.ends(signals):
                await asyncio.sleep(0.3)
        for command in workers:
            said = re.search(rb"metrics at (http://\S+)", (folder / f"{command}.log").read_bytes())
            assert said is not None
            url = f"{said[1].decode()}/metrics"
            chain.metrics[command] = await asyncio.to_thread(_fetched, url)
    finally:
        for worker in workers.values():
            worker.terminate()
        for worker in workers.values():
            await worker.wait()


def _fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (our own, on loopback)
        return str(answer.read().decode())


async def _collected(chain: Chain, valkey: EmbeddedValkey, folder: Path) -> None:
    settings = chain.world.settings
    async with running(admin(settings.kafka), settings.kafka) as client:
        topics = sorted(name for name in await client.list_topics() if name.startswith(PREFIX))
    assert changelog_topic(settings) in topics
    assert any("replays." in name for name in topics)
    for topic in topics:
        chain.topics[topic] = await chain.world.all_of(topic)
    redis = Redis.from_url(valkey.url)
    try:
        async for key in redis.scan_iter():
            if not key.startswith(PREFIX.encode()):
                continue
            chain.redis[key] = cast("dict[bytes, bytes]", await redis.hgetall(key))
    finally:
        await redis.aclose()
    for path in folder.rglob("*"):
        if path.is_file():
            chain.files[str(path.relative_to(folder))] = path.read_bytes()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(
    kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Chain]:
    folder = tmp_path_factory.mktemp("private")
    samples = [
        one
        for one in corpus(each=2)
        # what nobody can tell from a part number is not promised (docs/security.md)
        if one.announced or one.kind in ("email", "account", "address")
    ]
    fake = Faker(["en_US", "de_DE", "zh_CN"])
    fake.seed_instance(7)
    people = [*(fake.email() for _ in range(5)), *(fake.phone_number() for _ in range(3))]
    people += [fake.name() for _ in range(4)]
    async with rigged_triton(folder / "triton") as rig:
        world = await world_of(
            kafka.bootstrap,
            PREFIX,
            triton={"address": rig.server.grpc_address, "model_name": "rigged"},
            redis={"url": valkey.url},
            context_keys="page",
        )
        made = Chain(world, samples, people)
        environment = _environment(world, rig, valkey)
        async with running(producer(world.settings.kafka), world.settings.kafka) as one:
            await _fed(made, one)
        await _fed_badly(made)
        await _worked_off(made, environment, folder)
        runs = folder / "runs"
        replay = await _process(
            environment, "replay", folder / "replay.log", "--from", "earliest", "--json",
            "--output", str(runs), "--run", "audit",
        )  # fmt: skip
        assert await asyncio.wait_for(replay.wait(), 100) in (0, 1)
        await _collected(made, valkey, folder)
    yield made


def _environment(world: World, rig: Rig, valkey: EmbeddedValkey) -> dict[str, str]:
    given = {
        "KAFKA__BOOTSTRAP_SERVERS": world.settings.kafka.bootstrap_servers,
        "KAFKA__SESSION_TIMEOUT_MS": "6000",
        "KAFKA__HEARTBEAT_INTERVAL_MS": "500",
        "TRITON__ADDRESS": rig.server.grpc_address,
        "TRITON__MODEL_NAME": "rigged",
        "REDIS__URL": valkey.url,
        "PREFIX": PREFIX,
        "START": "earliest",
        "TOPICS__PARTITIONS": str(world.settings.topics.partitions),
        "PSEUDONYMS__SECRET": SECRET,
        "CONTEXT_KEYS": "page",
        "HEALTH__ADDRESS": "0",
        "LOG_LEVEL": "DEBUG",
    }
    return {"PATH": os.environ["PATH"]} | {f"INTENTSTREAM_{k}": v for k, v in given.items()}


# --- personal data


async def test_nothing_that_went_in_is_found_in_any_sink(chain: Chain) -> None:
    wanted = {
        form.encode()
        for value in [*(one.value for one in chain.samples), *chain.people]
        for form in {value, normalise(value), json.dumps(value)[1:-1]}
    }
    found = [
        f"{where}: {value.decode()}"
        for where, content in chain.sinks()
        if not where.startswith("triton/")  # the server's own log and cache
        for value in wanted
        if value in content
    ]
    assert found == []


async def test_nor_a_telling_part_of_a_number_in_any_text(chain: Chain) -> None:
    names = chain.world.settings.topic_names
    checked = 0
    for record in chain.topics[names.intents]:
        event = json.loads(record.value)
        sample = chain.texts.get(event["query_id"])
        if sample is not None:
            checked += 1
            assert not leaks(sample.value, event["text"]), sample.text
            assert not leaks(sample.value, event.get("context", {}).get("page", "")), sample.text
    assert checked == len(chain.samples)


async def test_every_sink_was_there_to_be_searched(chain: Chain) -> None:
    where = "\n".join(place for place, _ in chain.sinks())
    names = chain.world.settings.topic_names
    for sink in (
        *(names.intents, names.entities, names.signals, names.features),
        *(changelog_topic(chain.world.settings), names.replay("audit"), "redis key", "redis field"),
        *("metrics of the enrich", "metrics of the personalize"),
        *("enrich.log", "personalize.log", "replay.log", "runs/audit/"),
    ):
        assert sink in where, sink


async def test_only_the_dead_letters_keep_what_came_byte_for_byte(chain: Chain) -> None:
    names = chain.world.settings.topic_names
    came = {(record.key, record.value) for record in chain.topics[names.raw]}
    letters = chain.topics[names.dead]
    assert letters
    assert {(letter.key, letter.value) for letter in letters} <= came
    for letter in letters:  # what we add says nothing of it
        ours = [value or b"" for name, value in letter.headers if ".errors." in name]
        assert not any(person.encode() in value for value in ours for person in chain.people)


async def test_ids_become_pseudonyms_everywhere(chain: Chain) -> None:
    names = chain.world.settings.topic_names
    keyed = (names.intents, names.signals, names.features, changelog_topic(chain.world.settings))
    for topic in keyed:
        assert all(is_pseudonym(record.key.decode()) for record in chain.topics[topic]), topic
    shape = re.compile(rb"private:profile:\{[a-z][a-z0-9]*\.[0-9a-f]{32}\}")
    assert chain.redis
    assert all(shape.fullmatch(key) for key in chain.redis)


def test_recall_by_kind_is_printed(chain: Chain) -> None:
    for (kind, way), found in recall(chain.samples).items():
        print(f"{kind}, {way}: {found.share:.1%} of {found.seen}")
        assert way not in (ANNOUNCED, BARE) or found.share == 1


# --- forgery


async def test_no_record_sets_a_header_of_ours(chain: Chain) -> None:
    names = chain.world.settings.topic_names
    for topic in (names.intents, names.entities, names.signals, names.features):
        for record in chain.topics[topic]:
            headers = dict(record.headers)
            assert len(headers) == len(record.headers)  # each once
            assert not any(MARK.encode() in (value or b"") for value in headers.values())
            assert headers["ce_type"].startswith(b"intentstream.")


async def test_of_a_dead_letters_headers_ours_come_last_and_count(chain: Chain) -> None:
    names = chain.world.settings.topic_names
    forging = [
        letter for letter in chain.topics[names.dead] if ("ce_id", MARK.encode()) in letter.headers
    ]
    reasons = {reason_of(tuple(letter.headers)) for letter in forging}
    assert reasons >= {DeadReason.TOO_LONG, DeadReason.MODEL_REJECTED, DeadReason.INVALID_JSON}
    for letter in forging:
        last = dict(letter.headers)
        assert last["__connect.errors.topic"] == names.raw.encode()
        assert last["intentstream.errors.stage"] != MARK.encode()


async def test_no_record_makes_a_topic(chain: Chain) -> None:
    assert not any(MARK in topic for topic in chain.topics)


@pytest.mark.usefixtures("chain")
async def test_no_record_sets_a_key_outside_the_namespace(valkey: EmbeddedValkey) -> None:
    redis = Redis.from_url(valkey.url)
    try:
        assert not [key async for key in redis.scan_iter(match=f"*{MARK}*")]
        assert not [key async for key in redis.scan_iter(match="*k1.000000000000*")]
    finally:
        await redis.aclose()


async def test_no_record_writes_or_colours_a_line_of_a_log(chain: Chain) -> None:
    """Not a word of a record at any level, no escape sequence, no line that we did not begin."""
    begins = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+: ")
    for name in ("enrich.log", "personalize.log"):
        written = chain.files[name]
        assert MARK.encode() not in written
        assert b"\x1b" not in written
        lines = [line for line in written.splitlines() if line]
        assert lines
        assert [line for line in lines if not begins.match(line)] == []


async def test_metrics_have_no_label_that_a_record_chose(chain: Chain) -> None:
    for shown in chain.metrics.values():
        assert MARK not in shown
    forged = re.search(r"intentstream_redrive_headers_ignored_total (\d+)", chain.metrics["enrich"])
    assert forged is not None
    assert int(forged[1]) == 8
