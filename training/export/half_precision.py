"""The GPU's form of an exported encoder: fp16, from the very weights that the CPU's int8 form has.

Needs neither torch nor the run that made the model: the int8 graph holds all weights by name.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16

from training.errors import ConfigError, TrainingError
from training.export.graph import Weights, build
from training.export.graph_builder import Array
from training.inference.onnx_session import session

FILE = "model.fp16.onnx"
"""Beside `model.onnx` in a version folder; the encoder's configuration names it for the GPU."""

_CLOSE = 0.1  # logits, of the same weights in fp32
_ALIKE = 0.9  # cosine of vectors, of the int8 graph: 0.998 where only int8's steps lie between
_WORDS = "encoder.embeddings.word_embeddings.weight"
_POSITIONS = "encoder.embeddings.position_embeddings.weight"
_LOGITS = ("intent", "sentiment", "tags")
_ATTENTION = ("query", "key", "value")
_LAYER = "encoder.encoder.layer"


def restored(graph: onnx.ModelProto) -> Weights:
    """The weights of an encoder that was exported as int8, each turned back into fp32.

    Raises:
        ConfigError: the graph is not one that `graph.build` made with ranges.
    """
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.graph.initializer}
    layers = sum(name.startswith(_LAYER) and name.endswith(".qkv.int8") for name in held)
    if not layers or "words.int8" not in held:
        raise ConfigError("the graph is no int8 encoder of this project", "export it again")
    state: dict[str, Array] = {
        _WORDS: held["words.int8"] * held["words.scale"],
        _POSITIONS: held["positions.half"].astype(np.float32),
    }
    width = state[_WORDS].shape[1]
    state["encoder.embeddings.token_type_embeddings.weight"] = np.zeros((1, width), np.float32)
    _norm(state, held, "embeddings.norm", "encoder.embeddings.LayerNorm")
    for number in range(layers):
        _layer(state, held, f"{_LAYER}.{number}")
    for name in ("intent.inner", "intent.outer", "sentiment.inner", "sentiment.outer"):
        _head(state, held, name)
    for name in ("tags", "subject", "object", "vector"):
        _head(state, held, name)
    attributes = {  # of the last node of each kind
        (node.op_type, attribute.name): attribute
        for node in graph.graph.node
        for attribute in node.attribute
    }
    columns = held[f"{_LAYER}.{layers - 1}.qkv.int8"].shape[1] // 3
    head = columns // attributes["MultiHeadAttention", "num_heads"].i  # as wide as before pruning
    return Weights(state, layers, width // head, attributes["LayerNormalization", "epsilon"].f)


def halved(whole: onnx.ModelProto) -> onnx.ModelProto:
    """The graph with the same inputs and outputs, its weights and arithmetic in fp16."""
    made: onnx.ModelProto = convert_float_to_float16(whole, keep_io_types=True)
    return made


def write_half_precision(repository: Path) -> list[tuple[Path, float]]:
    """Writes the fp16 graph beside every int8 graph of a model repository's encoders.

    Returns:
        Each file, and how far its logits are from those of the same weights in fp32.

    Raises:
        ConfigError: there is no encoder, or one was not exported as int8.
        TrainingError: an fp16 graph says something else, or no number.
    """
    graphs = sorted(repository.glob("encoder_*/[0-9]*/model.onnx"))
    if not graphs:
        raise ConfigError(f"no exported encoder in {repository}", "run intentstream export first")
    written = []
    for path in graphs:
        weights = restored(onnx.load(path))
        whole = build(weights, {}, len(weights.state[_POSITIONS]))
        half = halved(whole)
        difference = _checked(path, whole, half, len(weights.state[_WORDS]))
        target = path.with_name(FILE)
        onnx.save(half, target)
        written.append((target, difference))
    return written


def _checked(path: Path, whole: onnx.ModelProto, half: onnx.ModelProto, vocabulary: int) -> float:
    """The greatest difference of a logit in fp16 from fp32, over random word pieces.

    Raises:
        TrainingError: it is too great, or the vectors are not those of the int8 graph.
    """
    chance = np.random.default_rng(1)
    texts = [chance.integers(0, vocabulary, (8, length)) for length in (3, 8, 20, 48)]
    (expected, _), (logits, vectors) = (
        _answers(graph.SerializeToString(), texts) for graph in (whole, half)
    )
    difference = float(np.abs(expected - logits).max())
    if not difference < _CLOSE:
        raise TrainingError(
            f"the logits of {path.parent} in fp16 are {difference:.3f} away from those in fp32",
            "its values leave fp16's range: serve the int8 graph",
        )
    cosine = float((_answers(path, texts)[1] * vectors).sum(axis=1).min())
    if not cosine > _ALIKE:
        raise TrainingError(
            f"the vectors of {path.parent} in fp16 are not those of {path.name}: cosine {cosine:.3f}",
            "export its run again, or serve the int8 graph",
        )
    return difference


def _answers(graph: bytes | Path, texts: list[NDArray[np.int64]]) -> tuple[Array, Array]:
    """All logits in a row, and the vectors [B, width]."""
    asked = session(graph)
    answers = [asked.run([*_LOGITS, "vector"], {"input_ids": ids}) for ids in texts]
    logits = np.concatenate([head.ravel() for *heads, _ in answers for head in heads])
    return logits, np.concatenate([vectors for *_, vectors in answers])


def _product(held: Mapping[str, Array], name: str) -> tuple[Array, Array]:
    """Weight [in, out] and bias of an int8 product, its smoothing undone."""
    weight = held[f"{name}.int8"].astype(np.float32) * held[f"{name}.scale"]
    if f"{name}.smooth" in held:
        weight = weight * held[f"{name}.smooth"][:, None]
    return weight, held[f"{name}.bias"]


def _layer(state: dict[str, Array], held: Mapping[str, Array], prefix: str) -> None:
    weight, bias = _product(held, f"{prefix}.qkv")
    for name, part, added in zip(
        _ATTENTION, np.split(weight, 3, axis=1), np.split(bias, 3), strict=True
    ):
        state[f"{prefix}.attention.self.{name}.weight"] = part.T
        state[f"{prefix}.attention.self.{name}.bias"] = added
    for ours, theirs in (("mixed", "attention.output.dense"), ("wide", "intermediate.dense")):
        weight, bias = _product(held, f"{prefix}.{ours}")
        state[f"{prefix}.{theirs}.weight"], state[f"{prefix}.{theirs}.bias"] = weight.T, bias
    weight, bias = _product(held, f"{prefix}.narrow")
    shift = held[f"{prefix}.narrow.shift"] * weight.sum(axis=0, dtype=np.float64)
    state[f"{prefix}.output.dense.weight"] = weight.T
    state[f"{prefix}.output.dense.bias"] = (bias + shift).astype(np.float32)
    _norm(state, held, f"{prefix}.norm1", f"{prefix}.attention.output.LayerNorm")
    _norm(state, held, f"{prefix}.norm2", f"{prefix}.output.LayerNorm")


def _norm(state: dict[str, Array], held: Mapping[str, Array], ours: str, theirs: str) -> None:
    state[f"{theirs}.weight"], state[f"{theirs}.bias"] = (
        held[f"{ours}.weight"],
        held[f"{ours}.bias"],
    )


def _head(state: dict[str, Array], held: Mapping[str, Array], name: str) -> None:
    if f"{name}.int8" in held:
        weight = held[f"{name}.int8"] * held[f"{name}.scale"]
    else:
        weight = held[f"{name}.weight.half"].astype(np.float32)
    state[f"{name}.weight"] = weight.T
    if f"{name}.bias" in held:
        state[f"{name}.bias"] = held[f"{name}.bias"]
