"""The server that stands in for the model in benchmarks: the worker must not notice."""

from pathlib import Path

from benchmarks.instant_model import InstantModel
from workers.sections import TritonSettings
from workers.triton import TritonModel

TEXTS = ("red cotton shoes", "where is my order [ORDER]?", "茶几", "tent " * 200, "!")


async def test_it_keeps_the_contract_and_answers_by_the_text_alone(tmp_path: Path) -> None:
    async with (
        InstantModel(tmp_path) as server,
        TritonModel(TritonSettings(address=server.grpc_address)) as model,
    ):
        together = (await model.understand(TEXTS)).understandings
        alone = [(await model.understand([text])).understandings[0] for text in TEXTS]
    assert list(together) == alone
    assert any(answer.spans for answer in together)
    assert [answer.truncated for answer in together] == [False, False, False, True, False]
