"""The exported tiny model as the real Triton serves it, through the client of the workers."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from streams.decoding import ModelLabels, ModelOutputs
from tests.training.conftest import Shipped
from training.data.generator import compose
from training.evaluation.opened_models import opened
from training.inference.routed import PER_TEXT
from workers.embedded.triton import EmbeddedTriton

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
