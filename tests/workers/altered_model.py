"""The shipped model and an altered one beside it: two versions that differ, both really served."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from workers.models.repository import FRONT, ModelRepository

_NOISE = {"intent.outer.weight": 6.0, "sentiment.outer.weight": 6.0, "tags.weight": 1.0}
"""Added to the last layers, in standard deviations of their weights. Sentences have wide margins."""


def altered_repository(shipped: Path, folder: Path, *, seed: int = 0) -> int:
    """Copies the served version's English half, and adds one with noise in its last layers.

    Args:
        shipped: a repository.
        folder: of the copy; made here.
        seed: of the noise.

    Returns:
        The number of the version that was added; the one before it is served.
    """
    source = ModelRepository(shipped)
    live = source.version(source.served)
    number, encoder = live.number, live.encoders["en"]
    shutil.copytree(live.folder, folder / FRONT / str(number))
    for name, text in zip(("config.pbtxt", "configs/cpu.pbtxt"), live.configs, strict=True):
        path = folder / FRONT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(_english_only(text), encoding="utf-8")
    graphs = folder / "encoder_en"
    shutil.copytree(shipped / "encoder_en" / str(encoder), graphs / str(encoder))
    shutil.copytree(graphs / str(encoder), graphs / str(encoder + 1))
    _alter(graphs / str(encoder + 1) / "model.onnx", np.random.default_rng(seed))
    added = folder / FRONT / str(number + 1)
    shutil.copytree(folder / FRONT / str(number), added)
    for name in ("config.pbtxt", "configs/cpu.pbtxt"):
        text = (folder / FRONT / name).read_text("utf-8")
        (added / name).parent.mkdir(exist_ok=True)
        (added / name).write_text(_serving(text, encoder, encoder + 1), encoding="utf-8")
    repository = ModelRepository(folder)
    repository.serve(number, [])
    return number + 1


def _alter(path: Path, chance: np.random.Generator) -> None:
    model: Any = onnx.load(str(path))
    for name, strength in _NOISE.items():
        (found,) = (one for one in model.graph.initializer if one.name.startswith(name))
        before = numpy_helper.to_array(found)
        noise = chance.normal(0.0, strength * before.std(dtype=np.float64), before.shape)
        found.CopyFrom(numpy_helper.from_array((before + noise).astype(before.dtype), found.name))
    onnx.save(model, str(path))


def _english_only(config: str) -> str:
    lines = config.splitlines(keepends=True)
    return "".join(line for line in lines if "encoder_zh_version" not in line)


def _serving(config: str, before: int, after: int) -> str:
    name = 'key: "encoder_en_version" value: { string_value: '
    return config.replace(f'{name}"{before}"', f'{name}"{after}"')
