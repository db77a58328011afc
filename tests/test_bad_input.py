"""Whatever is written to `queries.raw` comes out: as an enriched event, or as a dead letter with
its reason and its original bytes; and what stands beside it is enriched.

Through the running chain: enricher and personalizer as processes, on real servers.
Cases 11, 12, 44, 45, 47, 48, 51 and 60 of the collected failure reports are among these.
"""

import asyncio
import json
import os
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer

from streams.deadletters import DeadReason, reason_of
from streams.events import QueryUnderstood
from streams.records import Headers, SourceRecord
from workers import topics_admin
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.process import GuardedProcess, ProcessSpec
from workers.embedded.tail import Lag, Tail
from workers.embedded.triton import EmbeddedTriton
from workers.embedded.valkey import EmbeddedValkey
from workers.kafka import producer, running
from workers.settings import Settings, load_settings

pytestmark = pytest.mark.timeout(120)

Place = tuple[int, int]
ENRICHED = None


@dataclass(frozen=True)
class Case:
    """One record, and what must become of it: a reason, or the text of its event."""

    name: str
    value: bytes | None
    reason: DeadReason | None = ENRICHED
    text: str | None = None
    key: bytes | None = b"u-1"
    headers: Headers = ()


def query(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


def said(text: str) -> bytes:
    return json.dumps({"text": text}, ensure_ascii=False).encode()


NOISE = random.Random(5).randbytes(700_000).hex().encode()[: 1024 * 1024]

CASES = (
    # not JSON
    Case("a word", b"shoes", DeadReason.INVALID_JSON),
    Case("cut off", b'{"text": "red sh', DeadReason.INVALID_JSON),
    Case("two documents", b'{"text": "a"}{"text": "b"}', DeadReason.INVALID_JSON),
    Case("no bytes", b"", DeadReason.INVALID_JSON),
    Case("spaces", b"   ", DeadReason.INVALID_JSON),
    Case("NaN", b'{"text": "a", "context": {"x": NaN}}', DeadReason.INVALID_JSON),
    Case("nested too deeply", b'{"x":' + b"[" * 20_000, DeadReason.INVALID_JSON),
    Case("binary", bytes(range(256)), DeadReason.INVALID_ENCODING),
    Case("Latin-1", b'{"text": "caf\xe9"}', DeadReason.INVALID_ENCODING),
    Case("UTF-16", '{"text": "a"}'.encode("utf-16"), DeadReason.INVALID_ENCODING),
    Case("a surrogate in UTF-8", b'{"text": "a\xed\xa0\xbd"}', DeadReason.INVALID_ENCODING),
    # wrong types
    Case("a list", b'["red shoes"]', DeadReason.INVALID_FIELD),
    Case("a string", b'"red shoes"', DeadReason.INVALID_FIELD),
    Case("null in JSON", b"null", DeadReason.INVALID_FIELD),
    Case("text is a number", query(text=42), DeadReason.MISSING_TEXT),
    Case("text is null", query(text=None), DeadReason.MISSING_TEXT),
    Case("text is a list", query(text=["a"]), DeadReason.MISSING_TEXT),
    Case("user is a list", query(text="a", user_id=["u"]), DeadReason.INVALID_FIELD),
    Case("unknown channel", query(text="a", channel="pigeon"), DeadReason.INVALID_FIELD),
    Case("impossible time", query(text="a", occurred_at="yesterday"), DeadReason.INVALID_FIELD),
    Case("context is a string", query(text="a", context="b"), DeadReason.INVALID_FIELD),
    # no text, empty, only spaces
    Case("no text", query(q="red shoes"), DeadReason.MISSING_TEXT),
    Case("an empty object", b"{}", DeadReason.MISSING_TEXT),
    Case("empty text", query(text=""), DeadReason.EMPTY_TEXT),
    Case("only spaces", query(text=" \t\n\u00a0\u3000 "), DeadReason.EMPTY_TEXT),
    Case("only zero-width", query(text="\u200b\u200d\ufeff"), DeadReason.EMPTY_TEXT),
    Case("only controls", query(text="\x00\x07\x1b"), DeadReason.EMPTY_TEXT),
    # long
    Case("8,001 characters", query(text="a" * 8_001), DeadReason.TOO_LONG),
    Case("8,000 characters", query(text="tea " * 2_000), text=("tea " * 2_000).strip()),
    Case("one word of 5,000", query(text="a" * 5_000), text="a" * 5_000),
    Case("1 MB of letters", said("shoes " * 174_000), DeadReason.TOO_LARGE),
    Case("1 MB of noise", b'{"text":"' + NOISE[:1_040_000] + b'"}', DeadReason.TOO_LARGE),
    Case("30 MB that compress", said("shoes " * 5_000_000), DeadReason.TOO_LARGE),
    Case("grows when normalised", said("\ufdfa" * 1_000), DeadReason.TOO_LONG),
    # odd characters
    Case("controls inside", query(text="red\x00 \x1b[31mshoes\x07"), text="red [31mshoes"),
    Case("zero-width inside", said("re\u200bd sho\u00ades"), text="red shoes"),
    Case("emoji", said("red 👗 for 👩‍👧 please 🙏🏽"), text="red 👗 for 👩👧 please 🙏🏽"),
    Case("right to left", said("\u202eשמלה אדומה\u202c 42"), text="שמלה אדומה 42"),
    Case("Arabic and English", said("حذاء nike أحمر"), text="حذاء nike أحمر"),
    Case("a lone surrogate", b'{"text": "red \\ud83d shoes"}', text="red \ufffd shoes"),
    Case("a low surrogate", b'{"text": "red \\udc4d shoes"}', text="red \ufffd shoes"),
    Case("a pair in two escapes", b'{"text": "good \\ud83d\\udc4d shoes"}', text="good 👍 shoes"),
    Case("a rare arrow", said("⥱ red žirafa shoes ⟿"), text="⥱ red žirafa shoes ⟿"),
    Case("accents, composed", said("naïve café red shoes"), text="naïve café red shoes"),
    Case("accents, combining", said("nai\u0308ve red shoes"), text="naïve red shoes"),
    Case("kana with marks", said("赤い バッグ が欲しい"), text="赤い バッグ が欲しい"),
    Case("half-width kana", said("ﾊﾞｯｸﾞ red"), text="バッグ red"),
    Case("Chinese", said("红色 连衣裙 200元以下"), text="红色 连衣裙 200元以下"),
    Case("a tokenizer's own words", said("[MASK] [CLS] red shoes [SEP]"),
         text="[MASK] [CLS] red shoes [SEP]"),
    Case("stacked marks", said("s" + "\u0301" * 400 + " red shoes")),
    Case("markup", said("[bold]red[/bold] <b>shoes</b> ${jndi:x}"),
         text="[bold]red[/bold] <b>shoes</b> ${jndi:x}"),
    Case("a byte order mark", b"\xef\xbb\xbf" + query(text="red shoes"), text="red shoes"),
    Case("unknown fields", query(text="red shoes", new_field={"a": [1]}), text="red shoes"),
    Case("text twice", b'{"text": "blue shoes", "text": "red shoes"}', text="red shoes"),
    Case("user is a number", query(text="red shoes", user_id=12), text="red shoes"),
    # null values, keys, headers
    Case("a null value", None, DeadReason.NULL_VALUE),
    Case("a null value without key", None, DeadReason.NULL_VALUE, key=None),
    Case("no key", query(text="red shoes"), text="red shoes", key=None),
    Case("an empty key", query(text="red shoes"), text="red shoes", key=b""),
    Case("a binary key", query(text="red shoes"), text="red shoes", key=b"\xff\x00\xfe"),
    Case("a long key", query(text="red shoes"), text="red shoes", key=b"k" * 20_000),
    Case("a bad record with a binary key", b"{", DeadReason.INVALID_JSON, key=b"\xff\x00"),
    Case("a header without value", query(text="red shoes"), text="red shoes",
         headers=(("trace", None),)),
    Case("odd headers", query(text="red shoes"), text="red shoes",
         headers=(("a", b"\xff\xfe"), ("a", b""), ("a", None), ("", b"x"), ("é", b"\x00"))),
    Case("odd headers on a bad record", b"{", DeadReason.INVALID_JSON,
         headers=(("a", b"\xff\xfe"), ("a", None), ("", b""), ("ce_id", b"theirs"))),
    Case("headers like ours", b"{", DeadReason.INVALID_JSON,
         headers=(("intentstream.errors.reason", b"null_value"),
                  ("__connect.errors.topic", b"elsewhere"))),
)  # fmt: skip


def neighbour(number: int) -> bytes:
    return query(text=f"blue jacket number {number}", user_id=f"n-{number % 7}")


class Chain:
    """The running workers on topics of their own, and what they published."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.events: dict[Place, QueryUnderstood] = {}
        self.dead: dict[Place, SourceRecord] = {}
        self.event_ids: set[bytes | None] = set()

    async def send(self, *cases: Case) -> list[Place]:
        kafka, raw = self.settings.kafka, self.settings.topic_names.raw
        async with running(producer(kafka, max_request_size=32 * 1024 * 1024), kafka) as sender:
            promises = [await _sent(sender, raw, case) for case in cases]
            sent = [await promise for promise in promises]
        return [(record.partition, record.offset) for record in sent]

    async def outcome(self, tail: Tail, places: list[Place], *, within_s: float = 60) -> None:
        """Reads until each place has an event or a dead letter."""
        names = self.settings.topic_names
        async with asyncio.timeout(within_s):
            while not all(place in self.events or place in self.dead for place in places):
                for record in await tail.batch():
                    headers = dict(record.headers)
                    if record.topic == names.intents:
                        event = msgspec.json.decode(record.value or b"", type=QueryUnderstood)
                        self.events[event.source.partition, event.source.offset] = event
                        self.event_ids.add(headers["ce_id"])
                    elif headers["__connect.errors.topic"] == names.raw.encode():
                        partition = headers["__connect.errors.partition"]
                        offset = headers["__connect.errors.offset"]
                        self.dead[int(partition or b""), int(offset or b"")] = record


async def _sent(sender: AIOKafkaProducer, topic: str, case: Case) -> "asyncio.Future[Any]":
    if case.key is None and case.value is None:
        batch = sender.create_batch()  # Java writes such records; `send` of aiokafka refuses to
        batch.append(key=None, value=None, timestamp=None)
        promise: asyncio.Future[Any] = await sender.send_batch(batch, topic, partition=0)
        return promise
    promise = sender.send(topic, case.value, case.key, headers=list(case.headers))
    return await promise  # type: ignore[no-any-return] # the client has no types


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chain(
    run_dir: Any, kafka: EmbeddedKafka, triton: EmbeddedTriton, valkey: EmbeddedValkey
) -> AsyncIterator[Chain]:
    environment = {
        "INTENTSTREAM_ENVIRONMENT": "embedded",
        "INTENTSTREAM_PREFIX": "bad-input",
        "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap,
        "INTENTSTREAM_TRITON__ADDRESS": triton.grpc_address,
        "INTENTSTREAM_REDIS__URL": valkey.url,
        "INTENTSTREAM_PSEUDONYMS__SECRET": "5a" * 32,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        settings = load_settings(None)
    await topics_admin.apply(settings)
    workers = [
        await GuardedProcess.start(
            ProcessSpec(
                name=command,
                argv=[sys.executable, "-m", "workers.cli", command],
                log=run_dir / "logs" / f"bad-input-{command}.log",
                cwd=run_dir,
                env=os.environ | environment,
            )
        )
        for command in ("enrich", "personalize")
    ]
    yield Chain(settings)
    for worker in workers:
        assert worker.running, worker.log_tail(50)
    for worker in workers:
        await worker.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def results(chain: Chain) -> dict[str, tuple[Case, Place]]:
    """Every case sent once, each between two good neighbours, and all of it waited for."""
    names = chain.settings.topic_names
    records: list[Case] = []
    for number, case in enumerate(CASES):
        records += (
            case,
            Case(f"neighbour {number}", neighbour(number), text=f"blue jacket number {number}"),
        )
    async with Tail.of(chain.settings.kafka, (names.intents, names.dead)) as tail:
        places = await chain.send(*records)
        await chain.outcome(tail, places)
    return {case.name: (case, place) for case, place in zip(records, places, strict=True)}


@pytest.mark.parametrize("name", [case.name for case in CASES])
async def test_each_record_comes_out_as_it_must(
    name: str, chain: Chain, results: dict[str, tuple[Case, Place]]
) -> None:
    case, place = results[name]
    if case.reason is ENRICHED:
        assert place in chain.events, reason_of(chain.dead[place].headers)
        assert place not in chain.dead
        event = chain.events[place]
        if case.text is not None:
            assert event.text == case.text
        for entity in event.entities:
            assert entity.text == event.text[entity.start : entity.end]
            assert entity.text == entity.text.strip() != ""
        return
    assert place in chain.dead
    assert place not in chain.events
    letter = chain.dead[place]
    assert reason_of(letter.headers) is case.reason
    assert (letter.key, letter.value) == (case.key, case.value)
    assert letter.headers[: len(case.headers)] == case.headers


async def test_the_neighbours_of_bad_records_are_enriched(
    chain: Chain, results: dict[str, tuple[Case, Place]]
) -> None:
    for name, (case, place) in results.items():
        if name.startswith("neighbour"):
            assert chain.events[place].text == case.text, name


async def test_error_headers_tell_nothing_of_the_record(chain: Chain) -> None:
    secret = b"sesame-4711"
    bad = Case("secret", b'{"text": ["' + secret + b'"], "user_id": {}}', DeadReason.MISSING_TEXT)
    names = chain.settings.topic_names
    async with Tail.of(chain.settings.kafka, (names.intents, names.dead)) as tail:
        (place,) = await chain.send(bad)
        await chain.outcome(tail, [place])
    letter = chain.dead[place]
    assert secret in (letter.value or b"")
    assert all(secret not in (value or b"") for _, value in letter.headers)


async def test_ten_thousand_duplicates_are_ten_thousand_events(chain: Chain) -> None:
    count, before = 10_000, len(chain.event_ids)
    duplicate = Case("again", query(text="red cotton shoes", query_id="q", user_id="u"))
    names = chain.settings.topic_names
    async with Tail.of(chain.settings.kafka, (names.intents, names.dead)) as tail:
        places = await chain.send(*[duplicate] * count)
        await chain.outcome(tail, places)
    events = [chain.events[place] for place in places]
    assert len(set(places)) == count
    assert len(chain.event_ids) - before == count
    assert len({msgspec.json.encode((e.intent, e.entities, e.sentiment)) for e in events}) == 1
    assert {event.text for event in events} == {"red cotton shoes"}


@pytest.mark.usefixtures("results")
async def test_partitions_are_committed_to_their_ends(chain: Chain) -> None:
    settings, names = chain.settings, chain.settings.topic_names
    groups = {"enricher": (settings.group_id("enricher"), (names.raw,))}
    async with Lag.of(settings.kafka, groups) as lag, asyncio.timeout(20):
        while await lag.behind("enricher", await lag.ends(names.raw)):
            await asyncio.sleep(0.2)
