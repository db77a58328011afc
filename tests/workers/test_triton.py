"""The model client against a real Triton: contract, canary, and outage told from poison."""

import asyncio
import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.events import ModelVersion
from tests.workers.rig import Rig, rigged_triton
from workers.embedded.triton import EmbeddedTriton
from workers.errors import ContractError, UnreachableError
from workers.model_contract import MalformedAnswerError, ModelContract, digest_of
from workers.sections import TritonSettings
from workers.triton import ModelRejectedError, ModelUnavailableError, TritonModel


async def test_it_understands_texts_in_their_order(rig: Rig) -> None:
    async with TritonModel(rig.settings()) as model:
        answer = await model.understand(["red shoes", "where is my order", "blue hat ünder 5"])
    assert [found.intent.label for found in answer.understandings] == [
        "product_search",
        "track_order",
        "product_search",
    ]
    assert answer.understandings[2].spans[0].start == 0
    assert answer.model == ModelVersion("rigged", "1", "rigged-1")
    assert answer.vector_space == "rigged"


async def test_many_requests_at_once_share_one_client(rig: Rig) -> None:
    """CASES 37, 41: texts of very different lengths, more requests than slots."""
    async with TritonModel(rig.settings(batches_in_flight=2)) as model:
        texts = [f"red {'very ' * (n % 60)}hat" for n in range(40)]
        answers = await asyncio.gather(*(model.understand(texts[: n + 1]) for n in range(40)))
    assert [len(answer.understandings) for answer in answers] == list(range(1, 41))
    assert all(
        answer.understandings == answers[-1].understandings[: n + 1]
        for n, answer in enumerate(answers)
    )


async def test_a_failing_batch_is_rejected_without_quoting_it(rig: Rig) -> None:
    async with TritonModel(rig.settings()) as model:
        with pytest.raises(ModelRejectedError) as caught:
            await model.understand(["my poison", "red hat"])
        assert "my poison" not in str(caught.value)
        await model.canary()


async def test_garbage_is_no_answer(rig: Rig) -> None:
    """CASES 64."""
    async with TritonModel(rig.settings()) as model:
        rig.tell("garbage")
        with pytest.raises(ModelRejectedError, match="not finite"):
            await model.understand(["red hat"])
        with pytest.raises(ModelUnavailableError, match="canary"):
            await model.canary()


async def test_nobody_there_is_an_outage() -> None:
    with pytest.raises(ModelUnavailableError, match="does not answer"):
        async with TritonModel(TritonSettings(address="127.0.0.1:9")):
            pass


async def test_a_missing_model_is_an_outage(rig: Rig) -> None:
    """CASES 34, 35: an unloaded or reloading model is no reason to give up a record."""
    with pytest.raises(ModelUnavailableError):
        async with TritonModel(rig.settings(model_name="other")):
            pass


async def test_a_missing_tls_file_says_so() -> None:
    settings = TritonSettings(tls=True, tls_cafile=Path("/nowhere/ca.pem"))
    with pytest.raises(UnreachableError, match=r"/nowhere/ca\.pem"):
        async with TritonModel(settings):
            pass


async def test_another_digest_has_the_contract_read_again(rig: Rig) -> None:
    """CASES 35: each answer carries the version that gave it."""
    async with TritonModel(rig.settings()) as model:
        assert model.digest == "rigged-1"
        rig.tell("digest", "rigged-2")
        answer = await model.understand(["red hat"])
        assert answer.model.digest == model.digest == "rigged-2"


async def test_it_finds_a_restarted_server_again(tmp_path: Path) -> None:
    async with rigged_triton(tmp_path) as own, TritonModel(own.settings()) as model:
        await own.server.kill()
        with pytest.raises(ModelUnavailableError):
            await model.understand(["red hat"])
        await own.server.start()
        async with asyncio.timeout(10):
            while True:
                try:
                    await model.understand(["red hat"])
                    break
                except ModelUnavailableError:
                    await asyncio.sleep(0.1)


async def test_the_shipped_model_keeps_the_contract(triton: EmbeddedTriton) -> None:
    settings = TritonSettings(address=triton.grpc_address)
    async with TritonModel(settings) as model:
        answer = await model.understand(["red leather shoes for women", "where is my order?"])
    found, order = answer.understandings
    assert found.language == order.language == "en"
    assert (found.intent.label, order.intent.label) == ("product_search", "track_order")
    assert found.spans
    assert found.vector
    assert answer.model.digest


@pytest.fixture(scope="module")
async def described(rigged: Rig) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and configuration as a real server sends them."""
    model = TritonModel(rigged.settings())
    model.open()
    metadata = await model._call("get_model_metadata", as_json=True)
    config = await model._call("get_model_config", as_json=True)
    await model.close()
    return metadata, config["config"]


def broken(
    described: tuple[dict[str, Any], dict[str, Any]], name: str, changes: dict[str, object]
) -> tuple[dict[str, Any], dict[str, Any]]:
    metadata, config = copy.deepcopy(described)
    for tensor in (*metadata["inputs"], *metadata["outputs"]):
        if tensor["name"] == name:
            tensor.update(changes)
    return metadata, config


def test_the_contract_is_found_kept(described: tuple[dict[str, Any], dict[str, Any]]) -> None:
    contract = ModelContract.of(*described)
    assert contract.max_rows == 512
    assert contract.labels.vector_space == "rigged"


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("TEXT", {"datatype": "INT64"}, "TEXT is INT64, not BYTES"),
        ("INTENT_LOGITS", {"shape": ["-1", "7"]}, r"INTENT_LOGITS has the shape \[-1, 7\]"),
        ("TOKEN_COUNT", {"datatype": "INT64"}, "TOKEN_COUNT is INT64, not INT32"),
        ("SENTENCE_VECTOR", {"shape": ["384"]}, "SENTENCE_VECTOR has the shape"),
        ("DIGEST", {"name": "DIGESTS"}, "DIGEST is missing"),
    ],
)
def test_a_broken_contract_is_one_clear_message(
    described: tuple[dict[str, Any], dict[str, Any]],
    name: str,
    changes: dict[str, object],
    said: str,
) -> None:
    """CASES 43."""
    with pytest.raises(ContractError, match=said):
        ModelContract.of(*broken(described, name, changes))


def test_unknown_labels_break_the_contract(
    described: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    metadata, config = copy.deepcopy(described)
    labels = config["parameters"]["labels"]
    labels["string_value"] = labels["string_value"].replace("track_order", "dance")
    with pytest.raises(ContractError, match="dance"):
        ModelContract.of(metadata, config)
    del config["parameters"]["labels"]
    with pytest.raises(ContractError, match="labels"):
        ModelContract.of(metadata, config)


def test_a_malformed_answer_names_its_tensor(
    described: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    contract = ModelContract.of(*described)
    tensors: dict[str, Any] = {
        "INTENT_LOGITS": np.zeros((1, 3), np.float32),
        "SENTIMENT_LOGITS": np.zeros((1, 3), np.float32),
        "TAG_LOGITS": np.zeros((1, 2, 5), np.float32),
        "TOKEN_OFFSETS": np.array([[[0, 3], [4, 7]]], np.int32),
        "TOKEN_COUNT": np.array([[2]], np.int32),
        "WORD_PIECES": np.array([[2]], np.int32),
        "RELATION_SUBJECT": np.zeros((1, 2, 32), np.float32),
        "RELATION_OBJECT": np.zeros((1, 2, 32), np.float32),
        "SENTENCE_VECTOR": np.zeros((1, 384), np.float32),
        "LANGUAGE": np.array([[b"en"]], object),
        "DIGEST": np.array([[b"d"]], object),
    }
    assert contract.read(["red hat"], tensors.get).digest == "d"
    wrong: dict[str, Any] = {
        "INTENT_LOGITS": np.zeros((1, 4), np.float32),
        "TAG_LOGITS": np.zeros((1, 3, 5), np.float32),
        "TOKEN_OFFSETS": np.array([[[0, 3], [4, 8]]], np.int32),
        "TOKEN_COUNT": np.array([[3]], np.int32),
        "SENTENCE_VECTOR": np.full((1, 384), np.inf, np.float32),
        "LANGUAGE": None,
    }
    for name, tensor in wrong.items():
        with pytest.raises(MalformedAnswerError):
            contract.read(["red hat"], (tensors | {name: tensor}).get)


def test_rows_of_two_models_in_one_answer_are_refused() -> None:
    with pytest.raises(MalformedAnswerError):
        digest_of(np.array([[b"a"], [b"b"]], object))
