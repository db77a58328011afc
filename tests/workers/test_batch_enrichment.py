"""The step that the enricher and replay share: known answers, poison, and nobody's neighbours."""

import asyncio
import json
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.deadletters import DeadReason, reason_of
from streams.events import EVENT_TYPES, ModelVersion
from streams.records import OutputRecord, SourceRecord
from tests.workers.rig import Rig
from workers.enrichment.answer_cache import AnswerCache, KnownAnswer
from workers.enrichment.batch_enrichment import (
    MAX_CALL_PIECES,
    BatchEnrichment,
    PoisonSearch,
    enrichment_of,
    in_calls,
)
from workers.enrichment.circuit_breaker import BreakerState, CircuitBreaker
from workers.settings import Settings, load_settings
from workers.triton import Answer, ModelRejectedError, ModelUnavailableError, TritonModel

ANSWER = KnownAnswer(None, ModelVersion("m", "1", "d"), "v")  # type: ignore[arg-type]


@pytest.fixture
def worker_settings(rig: Rig) -> Settings:
    return load_settings(None, triton=rig.settings(), pseudonyms={"secret": "ab" * 16})


def record(n: int, text: str, topic: str = "queries.raw") -> SourceRecord:
    value = json.dumps({"text": text, "user_id": f"u{n % 3}"}).encode()
    return SourceRecord(topic, 0, n, 1_700_000_000_000 + n, b"k", value)


def step_with(model: TritonModel, worker_settings: Settings) -> BatchEnrichment:
    return BatchEnrichment(enrichment_of(worker_settings), model, CircuitBreaker(model.canary))


def texts_of(outputs: Sequence[tuple[OutputRecord, ...]]) -> list[str | None]:
    """The text of each query's event; None where a record became something else."""
    return [
        json.loads(made[0].value or b"{}").get("text")
        if made[0].topic == "queries.intents"
        else None
        for made in outputs
    ]


async def test_every_record_comes_out_in_its_place(worker_settings: Settings) -> None:
    """CASES 60, 65: the neighbours of a bad record are enriched, and each comes out somewhere."""
    records = [record(n, f"red hat {n}") for n in range(5)]
    records[2] = SourceRecord("queries.raw", 0, 2, 0, None, b"{not json")
    action = {"user_id": "u1", "action": "click", "product": {"color": "red"}}
    records.append(SourceRecord("users.actions", 1, 9, 0, None, json.dumps(action).encode()))
    async with TritonModel(worker_settings.triton) as model:
        outputs = await step_with(model, worker_settings).enrich(records)
    assert texts_of(outputs) == ["red hat 0", "red hat 1", None, "red hat 3", "red hat 4", None]
    assert reason_of(outputs[2][0].headers) is DeadReason.INVALID_JSON
    assert outputs[5][0].topic == "users.signals"
    assert [made.topic for made in outputs[0]] == [
        "queries.intents",
        "queries.entities",
        "users.signals",
    ]
    assert dict(outputs[0][0].headers)["ce_type"] in {
        kind.encode() for kind in EVENT_TYPES.values()
    }


async def test_a_batch_comes_out_as_its_records_do_alone(worker_settings: Settings) -> None:
    """CASES 38."""
    records = [record(n, f"{'very ' * (n % 7)}red hat") for n in range(20)]
    async with TritonModel(worker_settings.triton) as model:
        together = await step_with(model, worker_settings).enrich(records)
        alone = [
            (await step_with(model, worker_settings).enrich([single]))[0] for single in records
        ]
    assert together == alone


async def test_equal_texts_are_asked_once(worker_settings: Settings) -> None:
    async with TritonModel(worker_settings.triton) as model:
        step = step_with(model, worker_settings)
        outputs = await step.enrich(
            [record(n, "Red  hat" if n % 2 else "Red hat") for n in range(50)]
        )
        assert (step.use.asked, step.use.duplicates) == (1, 49)
        again = await step.enrich([record(n, "Red hat") for n in range(50)])
        assert (step.use.asked, step.cache.hits) == (1, 1)
    assert texts_of(outputs) == texts_of(again) == ["Red hat"] * 50


async def test_a_new_model_forgets_what_the_old_one_said(
    rig: Rig, worker_settings: Settings
) -> None:
    """CASES 35."""
    async with TritonModel(worker_settings.triton) as model:
        step = step_with(model, worker_settings)
        await step.enrich([record(0, "red hat"), record(1, "blue hat")])
        rig.tell("digest", "rigged-2")
        await step.enrich([record(2, "green hat")])
        [[event, *_]] = await step.enrich([record(3, "red hat")])
    assert json.loads(event.value or b"")["model"]["digest"] == "rigged-2"
    assert step.use.asked == 4


async def test_poison_is_found_and_its_neighbours_are_enriched(worker_settings: Settings) -> None:
    records = [record(n, f"red hat {n}") for n in range(40)]
    records[7], records[31] = record(7, "my poison"), record(31, "poison again")
    async with TritonModel(worker_settings.triton) as model:
        outputs = await step_with(model, worker_settings).enrich(records)
    dead = [n for n, made in enumerate(outputs) if reason_of(made[0].headers)]
    assert dead == [7, 31]
    assert reason_of(outputs[7][0].headers) is DeadReason.MODEL_REJECTED
    assert outputs[7][0].value == records[7].value
    assert texts_of(outputs) == [None if n in dead else f"red hat {n}" for n in range(40)]


async def test_a_model_that_fails_at_everything_is_an_outage(
    rig: Rig, worker_settings: Settings
) -> None:
    """CASES 64: nothing is dead-lettered for it."""
    async with TritonModel(worker_settings.triton) as model:
        breaker = CircuitBreaker(model.canary, patience_s=0.5)
        step = BatchEnrichment(enrichment_of(worker_settings), model, breaker)
        rig.tell("failing")
        with pytest.raises(ModelUnavailableError):
            await step.enrich([record(0, "red hat")])
        rig.reset()
        while breaker.state is not BreakerState.CLOSED:
            await asyncio.sleep(0.05)
        outputs = await step.enrich([record(0, "red hat")])
        await breaker.close()
    assert texts_of(outputs) == ["red hat"]


async def test_a_fault_of_ours_costs_one_record(
    worker_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with TritonModel(worker_settings.triton) as model:
        step = step_with(model, worker_settings)
        prepare = step.enrichment.prepare

        def faulty(source: SourceRecord) -> object:
            if source.offset == 1:
                raise KeyError("red hat")
            return prepare(source)

        object.__setattr__(step, "enrichment", _With(step.enrichment, faulty))
        outputs = await step.enrich([record(n, "red hat") for n in range(3)])
    assert texts_of(outputs) == ["red hat", None, "red hat"]
    assert reason_of(outputs[1][0].headers) is DeadReason.PROCESSING_FAILED
    assert "red hat" not in caplog.text


class _With:
    """An enrichment with another `prepare`."""

    def __init__(self, enrichment: object, prepare: object) -> None:
        self._enrichment = enrichment
        self.prepare = prepare

    def __getattr__(self, name: str) -> object:
        return getattr(self._enrichment, name)


class _Poisoned:
    """A model in memory that fails on batches with certain texts, and counts its calls."""

    def __init__(self, bad: frozenset[str], *, well: bool = True) -> None:
        self.bad, self.well = bad, well
        self.calls: list[Sequence[str]] = []
        self.canaries = 0

    async def call(self, texts: Sequence[str]) -> dict[str, KnownAnswer | ModelRejectedError]:
        self.calls.append(texts)
        if self.bad & set(texts):
            raise ModelRejectedError("failed")
        return dict.fromkeys(texts, ANSWER)

    async def canary(self) -> None:
        self.canaries += 1
        if not self.well:
            raise ModelUnavailableError("the canary fails")


@given(size=st.integers(1, 128), culprits=st.sets(st.integers(0, 127), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
async def test_the_search_finds_exactly_the_culprits_within_its_bound(
    size: int, culprits: set[int]
) -> None:
    texts = [str(n) for n in range(size)]
    bad = frozenset(str(n % size) for n in culprits)
    model = _Poisoned(bad)
    found = await PoisonSearch(model.call, model.canary).search(texts, ModelRejectedError("failed"))
    assert found.keys() == set(texts)
    assert {text for text, answer in found.items() if isinstance(answer, ModelRejectedError)} == bad
    assert len(model.calls) <= len(bad) * (2 * math.ceil(math.log2(size)) + 1)
    assert model.canaries == 2
    for text in bad:
        alone = 1 if size == 1 else 2  # the batch of one has failed alone before the search
        assert sum(list(call) == [text] for call in model.calls) == alone


async def test_nobody_is_blamed_while_the_canary_fails() -> None:
    model = _Poisoned(frozenset({"a"}), well=False)
    with pytest.raises(ModelUnavailableError):
        await PoisonSearch(model.call, model.canary).search(
            ["a", "b"], ModelRejectedError("failed")
        )
    assert model.calls == []


def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    cache = AnswerCache(entries=2)
    for text in ("a", "b"):
        cache.put(text, ANSWER)
    assert cache.get("a", "d") is ANSWER
    cache.put("c", ANSWER)
    assert cache.get("b", "d") is None
    assert cache.get("a", "d") is ANSWER
    assert len(cache) == 2


def test_the_cache_knows_nothing_of_another_model() -> None:
    cache = AnswerCache()
    cache.put("a", ANSWER)
    assert cache.get("a", "other digest") is None
    assert len(cache) == 0


class _Scripted:
    """A model whose canary fails a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.probes = 0

    async def canary(self) -> None:
        self.probes += 1
        if self.probes <= self.failures:
            raise ModelUnavailableError("away")


async def test_the_breaker_repeats_what_an_outage_interrupted() -> None:
    model = _Scripted(2)
    breaker = CircuitBreaker(model.canary, jitter=lambda: 0.0)
    tries = []

    async def operation() -> Answer:
        tries.append(1)
        if len(tries) == 1:
            raise ModelUnavailableError("away")
        return Answer((), ANSWER.model, "v")

    assert (await breaker.run(operation)).vector_space == "v"
    assert (len(tries), model.probes, breaker.outages) == (2, 3, 1)
    await breaker.close()


@given(st.lists(st.integers(0, 9_000), max_size=600), st.integers(1, 512))
def test_calls_hold_every_text_once_and_neither_too_many_nor_too_long_ones(
    lengths: list[int], rows: int
) -> None:
    calls = in_calls(["x" * length for length in lengths], rows)
    assert [len(text) for call in calls for text in call] == sorted(lengths)
    for call in calls:
        assert 1 <= len(call) <= rows
        assert len(call) == 1 or len(call) * min(len(call[-1]), 128) <= MAX_CALL_PIECES
