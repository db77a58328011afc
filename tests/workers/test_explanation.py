"""Why the model said so: the words' shares add up, every head is shown, text stays redacted."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streams.decoding import Decoder, ModelLabels
from streams.enrichment import PreparedQuery
from streams.events import RawQuery
from streams.records import SourceRecord
from streams.redaction import redact
from streams.tag_transitions import TagTransitions
from tests.streams.samples import MODEL, SMALL_LABELS, outputs_of, word_offsets
from tests.workers.replay_rig import deployment, send
from tests.workers.rig import Rig
from workers.cli import app
from workers.commands.explain import show
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.errors import IntentstreamError
from workers.kafka import consumer, producer, running, source_record
from workers.replays.event_identity import Position
from workers.replays.explain_event import Asked, explain_event
from workers.replays.explanation import MOST_WORDS, Explanation, explained, part_of, players
from workers.replays.explanation_page import shown
from workers.replays.record_lookup import parse_place
from workers.sections import TritonSettings
from workers.settings import Settings
from workers.topic_range import PartitionRange, RangeError, read
from workers.triton import Reading, TritonModel


def _prepared(text: str) -> PreparedQuery:
    redacted = redact(text)
    record = SourceRecord("queries.raw", 0, 0, 0, None, None)
    return PreparedQuery(record, RawQuery(text), redacted.text, redacted.spans, None, None)


async def _why(address: str, name: str, text: str) -> Explanation:
    settings = TritonSettings(address=address, model_name=name)
    async with TritonModel(settings) as model:
        return await explained(_prepared(text), model, "settings", "1")


# --- words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("red shoes", ["red", "shoes"]),
        ("where is [ORDER]?", ["where", "is", "[ORDER]", "?"]),
        ("红色 shoes", ["红", "色", "shoes"]),
        ("don't", ["don't"]),
    ],
)
def test_a_text_has_its_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in players(text)] == words


def test_a_long_text_is_taken_apart_into_groups() -> None:
    text = " ".join(f"w{n}" for n in range(100))
    found = players(text)
    assert len(found) <= MOST_WORDS
    assert "".join(text[start:end] for start, end in found).replace(" ", "") == text.replace(
        " ", ""
    )


def test_a_part_keeps_its_spaces() -> None:
    text = "red 鞋子 now"
    words = players(text)
    whole = (1 << len(words)) - 1
    assert part_of(text, words, whole) == text
    assert part_of(text, words, 0) == ""
    assert part_of(text, words, 0b0101) == "red子"
    assert part_of(text, words, 0b1001) == "red now"
    assert part_of(text, words, 0b1000) == "now"


class _Fake:
    """A model of random tensors, in one language."""

    rows_per_request = 64

    def __init__(self, labels: ModelLabels, language: str) -> None:
        self._decoder, self._language = Decoder(labels), language

    async def read(self, texts: Sequence[str]) -> Reading:
        outputs = outputs_of(self._decoder, [word_offsets(text) for text in texts])
        outputs = replace(outputs, languages=(self._language,) * len(texts))
        return Reading(outputs, self._decoder, MODEL)


async def test_transitions_are_named_where_there_are_some() -> None:
    types = len(SMALL_LABELS.tags) // 2
    kinds, ends = (0.5,) * (types + 1), ((0.5, 0.5),) * types
    said = TagTransitions(0.25, kinds, (kinds,) * (types + 1), ends, ends)
    labels = replace(SMALL_LABELS, transitions={"en": said})
    for language, named in (("en", True), ("zh", False)):
        why = await explained(_prepared("red shoes"), _Fake(labels, language), "settings", "1")
        (rule,) = (rule for rule in why.rules if "Viterbi" in rule)
        assert ("at a strength of 0.25" in rule) == named


# --- the served model


@pytest.mark.parametrize(
    "text", ["red cotton shoes for men", "鞋", "where is my order 114-1234567-1234567?"]
)
async def test_the_words_shares_add_up(triton: EmbeddedTriton, text: str) -> None:
    """Efficiency, by the shipped model."""
    why = await _why(triton.grpc_address, "query_understanding", text)
    assert sum(word.value for word in why.words) == pytest.approx(why.score - why.base, abs=1e-9)
    assert 0.0 < why.base < 1.0


async def test_every_head_is_shown(triton: EmbeddedTriton) -> None:
    why = await _why(triton.grpc_address, "query_understanding", "red cotton shoes for men")
    assert why.intent.label == why.target == why.intents[0].label
    assert why.score == pytest.approx(why.intent.score, abs=1e-4)
    assert [piece.text for piece in why.pieces] == ["red", "cotton", "shoes", "for", "men"]
    assert len(why.sentiments) == 3
    assert {entity.text for entity in why.entities} >= {"red", "shoes"}
    assert {pair.attribute for pair in why.relations if pair.kept} >= {"red"}
    assert any("threshold" in rule for rule in why.rules)
    assert why.model.digest.startswith("sha256:")
    document = json.loads(json.dumps(why.as_dict()))
    assert document["model"]["digest"] == why.model.digest
    assert document["words"][0]["text"] == "red"


async def test_personal_data_is_not_shown(triton: EmbeddedTriton) -> None:
    address = triton.grpc_address
    why = await _why(address, "query_understanding", "mail jane.doe@shop.example my red shoes")
    assert "jane" not in json.dumps(why.as_dict())
    assert why.redacted == ("EMAIL",)
    assert any("[EMAIL]" in rule for rule in why.rules)
    assert "contact" in {entity.type for entity in why.entities}


async def test_a_script_without_an_encoder_is_said(triton: EmbeddedTriton) -> None:
    why = await _why(triton.grpc_address, "query_understanding", "красные туфли")
    assert why.language == "und"
    assert why.intent.label == "unknown"
    assert any("no encoder" in rule for rule in why.rules)
    assert all(word.value == pytest.approx(0.0) for word in why.words)


async def test_a_page_of_it_is_escaped(rig: Rig) -> None:
    text = 'red <script>alert("x")</script> &amp;'
    page = shown(await _why(rig.server.grpc_address, "rigged", text))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


# --- by position and by id


@pytest.fixture
async def settings(kafka: EmbeddedKafka, rig: Rig) -> Settings:
    """A deployment with the rigged model, and some queries that it has answered."""
    triton = {"address": rig.server.grpc_address, "model_name": "rigged"}
    found = await deployment(kafka.bootstrap, triton=triton)
    values = [
        json.dumps({"text": f"red shoes {n}", "user_id": "u", "query_id": f"q{n}"}).encode()
        for n in range(5)
    ]
    names = found.topic_names
    async with running(producer(found.kafka), found.kafka) as client:
        for value in (*values, b"not json"):
            await client.send_and_wait(names.raw, value, key=b"u", partition=0)
        await client.send_and_wait(
            names.actions, b'{"user_id":"u","action":"view","product":{}}', partition=0
        )
    async with running(consumer(found.kafka), found.kafka) as reader:
        records = [
            source_record(one)
            async for some, _ in read(reader, names.raw, [PartitionRange(0, 0, 6)], batch=10)
            for one in some
        ]
    async with TritonModel(found.triton) as model:
        step = BatchEnrichment(enrichment_of(found), model, CircuitBreaker(model.canary))
        outputs = await step.enrich(records)
    await send(found, [one for some in outputs for one in some])
    return found


async def test_a_record_by_its_position(settings: Settings) -> None:
    found = await explain_event(settings, Asked(at="0:3"))
    assert found.why is not None
    assert found.why.text == "red shoes 3"
    assert found.published is not None
    assert found.published["query_id"] == "q3"
    assert found.place == f"{settings.topic_names.raw}[0]@3"
    assert found.why.intent.label == found.published["intent"]["label"]


async def test_a_query_by_its_id(settings: Settings) -> None:
    found = await explain_event(settings, Asked(query_id="q2"))
    assert found.why is not None
    assert found.why.text == "red shoes 2"
    assert found.place.endswith("[0]@2")
    with pytest.raises(RangeError, match=r"no event of .* has the query id 'q99'"):
        await explain_event(settings, Asked(query_id="q99"))


async def test_what_no_model_was_asked_about_is_said(settings: Settings) -> None:
    bad = await explain_event(settings, Asked(at="0:5"))
    assert bad.why is None
    assert any("dead letter (invalid_json)" in note for note in bad.notes)
    action = await explain_event(settings, Asked(at=f"{settings.topic_names.actions}[0]@0"))
    assert action.why is None
    assert any("it is an action" in note for note in action.notes)


async def test_a_text_needs_no_kafka(rig: Rig) -> None:
    settings = Settings(
        kafka={"bootstrap_servers": "127.0.0.1:1"},  # type: ignore[arg-type]  # pydantic converts
        triton={"address": rig.server.grpc_address, "model_name": "rigged"},  # type: ignore[arg-type]
    )
    found = await explain_event(settings, Asked("blue shoes"))
    assert found.why is not None
    for text, said in (("\u200b", "nothing is left"), ("x" * 9_000, "longer than")):
        with pytest.raises(IntentstreamError, match=said):
            await explain_event(settings, Asked(text))


@pytest.mark.parametrize(
    ("text", "topic", "at"),
    [
        ("0:120", "", (0, 120)),
        ("queries.raw:1:7", "queries.raw", (1, 7)),
        ("eu.queries.raw[3]@9", "eu.queries.raw", (3, 9)),
        ("2@5", "", (2, 5)),
    ],
)
def test_positions_as_people_write_them(text: str, topic: str, at: tuple[int, int]) -> None:
    found = parse_place(text)
    assert (found.topic, found.position) == (topic, Position(*at))


@pytest.mark.parametrize("text", ["", "x", "1", "0:-1", "0:1:2:3:x", "[0]@"])
def test_a_position_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RangeError, match="no position"):
        parse_place(text)


async def test_offsets_that_are_not_there_are_named(settings: Settings) -> None:
    with pytest.raises(RangeError, match="no partition 9"):
        await explain_event(settings, Asked(at="9:0"))
    with pytest.raises(RangeError, match="no offset"):
        await explain_event(settings, Asked(at="0:99"))
    with pytest.raises(RangeError, match="no topic"):
        await explain_event(settings, Asked(at="nowhere[0]@0"))


def test_the_command_wants_one_of_three(tmp_path: Path) -> None:
    runner = CliRunner()
    for arguments in ([], ["red shoes", "--at", "0:1"]):
        done = runner.invoke(app, ["explain", *arguments], env={"HOME": str(tmp_path)})
        assert done.exit_code == 2
        assert "give a text" in done.output


async def test_the_command_shows_words_and_heads(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(triton={"address": rig.server.grpc_address, "model_name": "rigged"})  # type: ignore[arg-type]
    show(await explain_event(settings, Asked("red [order] shoes")))
    shown_text = capsys.readouterr().out
    for part in ("“red [order] shoes”", "What each word adds", "sentiment:", "rule:", "rigged-1"):
        assert part in shown_text
