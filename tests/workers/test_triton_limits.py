"""What a real Triton says when it is too slow, too busy or too small, and what becomes of the queries."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from streams.records import SourceRecord
from tests.workers.rig import Rig, rigged_triton
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.settings import load_settings
from workers.triton import ModelUnavailableError, TritonModel

_QUEUE_OF_ONE = {
    "dynamic_batching": {
        "max_queue_delay_microseconds": 0,
        "default_queue_policy": {
            "timeout_action": "REJECT",
            "default_timeout_microseconds": 100_000,
            "max_queue_size": 1,
        },
    },
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_rig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with rigged_triton(tmp_path_factory.mktemp("limits")) as found:
        yield found


@pytest.fixture
def rig(own_rig: Rig) -> Rig:
    own_rig.reset()
    return own_rig


async def test_both_kinds_of_time_out_are_outages(rig: Rig) -> None:
    """CASES 32: the client's deadline, and the server's queue, whose refusal says UNAVAILABLE."""
    settings = rig.settings().model_copy(update={"timeout_s": 2.0})
    async with TritonModel(settings) as model:
        rig.tell("slow", "4")
        with pytest.raises(ModelUnavailableError, match="DEADLINE_EXCEEDED"):
            await model.understand(["red hat"])
        rig.reset()
        await asyncio.sleep(4.5)  # until its instances are free again
    async with TritonModel(rig.settings(batches_in_flight=64)) as model:
        config = await model._call("get_model_config", as_json=True)
        narrow = config["config"] | _QUEUE_OF_ONE
        narrow["instance_group"] = [{"kind": "KIND_CPU", "count": 1}]
        await model._client.load_model("rigged", config=json.dumps(narrow))
        rig.tell("slow", "0.5")
        outcomes = await asyncio.gather(
            *(model.understand([f"hat {n}"]) for n in range(12)), return_exceptions=True
        )
        rig.reset()
        refused = [one for one in outcomes if isinstance(one, BaseException)]
        assert refused
        assert all(isinstance(one, ModelUnavailableError) for one in refused)
        assert all("UNAVAILABLE" in str(one) for one in refused)
        await model._client.load_model("rigged", config=json.dumps(config["config"]))
        assert (await model.understand(["red hat"])).model.name == "rigged"


async def test_a_batch_that_does_not_fit_is_answered_in_parts(rig: Rig) -> None:
    """CASES 39: shared memory runs out for a large request; no query is to blame for it."""
    settings = load_settings(None, pseudonyms={"secret": "00" * 16}, triton=rig.settings())
    async with TritonModel(settings.triton) as model:
        rig.tell("rows", "20")
        step = BatchEnrichment(enrichment_of(settings), model, CircuitBreaker(model.canary))
        records = [
            SourceRecord("queries.raw", 0, n, 0, b"k", json.dumps({"text": f"hat {n}"}).encode())
            for n in range(64)
        ]
        outputs = await step.enrich(records)
    rig.reset()
    assert [made[0].topic for made in outputs] == ["queries.intents"] * 64


@pytest.mark.parametrize(
    "large", ["x" * 8_000, "長" * 8_000, "\N{PILE OF POO}" * 8_000, "a " * 4_000]
)
async def test_the_largest_queries_do_not_hold_up_their_batch(rig: Rig, large: str) -> None:
    """128 of the longest texts there may be take one call, and the short ones beside them come out."""
    settings = load_settings(
        None,
        pseudonyms={"secret": "00" * 16},
        triton=rig.settings(),
        limits={"max_value_bytes": 200_000},
    )
    async with TritonModel(settings.triton) as model:
        step = BatchEnrichment(enrichment_of(settings), model, CircuitBreaker(model.canary))
        texts = [f"{large[:7_990]}{n}" if n % 2 else f"hat {n}" for n in range(128)]
        records = [
            SourceRecord("queries.raw", 0, n, 0, b"k", json.dumps({"text": text}).encode())
            for n, text in enumerate(texts)
        ]
        async with asyncio.timeout(20):
            outputs = await step.enrich(records)
    assert {made[0].topic for made in outputs} == {"queries.intents"}
    assert step.use.requests == 1
