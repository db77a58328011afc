"""The exported tiny model as the real Triton serves it, through the client of the workers."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from streams.decoding import ModelLabels, ModelOutputs
from tests.training.conftest import Shipped, Trained
from tests.training.tiny_run import QUERIES
from training.data.generator import compose
from training.evaluation.opened_models import opened
from training.export.next_version import export_run
from training.inference.routed import PER_TEXT
from training.network.run_folder import RunFolder
from workers.embedded.triton import EmbeddedTriton
from workers.models.control import ModelControl
from workers.sections import TritonSettings

TEXTS = [
    *(e.text for kind in ("requests", "products", "feelings") for e in compose(kind, 100, 31)),
    "shoe " * 200,  # more word pieces than a model reads
    "红色的鞋子",  # of a language that this repository has no encoder for
    " ",
]


def _asked(model: str) -> tuple[ModelOutputs, ModelLabels]:
    with opened(model) as found:
        return found.predictor(TEXTS), found.predictor.labels


@pytest.mark.timeout(240)
async def test_triton_serves_the_exported_model_bit_for_bit(
    shipped: Shipped, tmp_path: Path
) -> None:
    """Bit for bit, not nearly: Triton's Python has the version of ONNX Runtime that is pinned here.

    So both run the same kernels on the same processor, and no text's batch changes its bytes.
    """
    async with EmbeddedTriton(tmp_path / "run", shipped.repository) as server:
        served, labels = await asyncio.to_thread(_asked, f"grpc://{server.grpc_address}")
    files, own = await asyncio.to_thread(_asked, str(shipped.repository))
    assert labels == own
    assert served.digest.startswith("sha256:")
    assert served.languages == files.languages
    assert files.languages[-3:] == ("en", "und", "und")
    for name in PER_TEXT:
        assert np.array_equal(getattr(served, name), getattr(files, name)), name
    assert all(getattr(files, name).any() for name in PER_TEXT)


def _another_run(trained: Trained, folder: Path) -> Path:
    """The same model, but for one number."""
    shutil.copytree(trained.run, folder)
    state = torch.load(folder / "model/weights.pt", weights_only=True)
    state["intent.outer.bias"][0] += 0.25
    torch.save(state, folder / "model/weights.pt")
    return folder


@pytest.mark.timeout(240)
async def test_what_is_exported_under_a_running_server_is_loaded_promoted_and_rolled_back(
    trained: Trained, shipped: Shipped, tmp_path: Path
) -> None:
    """What is live stays so, byte for byte, until it is promoted; also when the server starts again."""
    repository, run = tmp_path / "repository", _another_run(trained, tmp_path / "run")
    shutil.copytree(shipped.repository, repository)
    settings = {"repository": repository, "archive": str(tmp_path / "archive")}
    async with (
        EmbeddedTriton(tmp_path / "server", repository) as server,
        ModelControl(
            TritonSettings.model_validate(settings | {"address": server.grpc_address})
        ) as control,
    ):
        first = await control.promote("1")
        made = await asyncio.to_thread(export_run, run, repository, QUERIES)
        assert (made.model_version, made.live) == (2, False)
        assert await control.promote("1") == first  # reloaded from what lies there now
        _, second = await control.load("2")
        assert second.version == "2"
        assert second.digest != first.digest
        assert await control.served() == first
        await control.unload("2")
        assert (await control.promote("2")).digest == second.digest
        assert await control.rollback() == first
        assert control.repository.served == 1
        contents = {control.archive.find(one.digest) for one in (first, second)}
        assert contents == {control.repository.version(n).content() for n in (1, 2)}
        RunFolder(run).record(language="zh")
        await asyncio.to_thread(export_run, run, repository, QUERIES)
        assert control.repository.version(3).encoders == {"en": 2, "zh": 1}
    async with (
        EmbeddedTriton(tmp_path / "server", repository) as server,
        ModelControl(
            TritonSettings.model_validate(settings | {"address": server.grpc_address})
        ) as control,
    ):
        assert await control.served() == first
        assert (await control.promote("3")).version == "3"
