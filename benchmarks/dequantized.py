"""The served encoder turned back into PyTorch: fp32 weights, each within half a step of the int8 graph.

The training run's own weights are not in the repository; these are what the graph multiplies by, with
its scales undone (see `training.export.quantization` for how they came about). The network computes what the
graph computes, but for the rounding of what is between its layers.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from transformers import BertConfig, BertModel

from training.network.query_model import QueryModel

_LAYER: Final = "encoder.encoder.layer"
_HEADS: Final = ("intent.inner", "intent.outer", "sentiment.inner", "sentiment.outer")
_MAPS: Final = ("tags", "subject", "object", "vector")

Array = np.ndarray[Any, np.dtype[np.float32]]


def torch_model(graph: Path, attention: str = "eager") -> QueryModel:
    """The network of an encoder's `model.onnx`, ready for inference.

    Args:
        graph: written by `intentstream export`, with int8 products.
        attention: which of PyTorch's implementations computes it.

    Raises:
        KeyError: the graph has no such weights: it is not int8.
    """
    model = onnx.load(graph)
    config = _config(model)
    config._attn_implementation = attention  # noqa: SLF001 (the documented way on a configuration)
    make_encoder: Any = BertModel  # its constructor has no types
    network = QueryModel(make_encoder(config, add_pooling_layer=False), config.hidden_size)
    state = {name: torch.tensor(value) for name, value in _state(_Weights(model), config).items()}
    network.load_state_dict(state)
    return network.eval()


def _config(model: onnx.ModelProto) -> Any:
    held = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    of_nodes = {
        (node.op_type, one.name): helper
        for node in model.graph.node
        for one in node.attribute
        if (helper := onnx.helper.get_attribute_value(one)) is not None
    }
    return BertConfig(
        vocab_size=held["words.int8"][0],
        hidden_size=held["words.int8"][1],
        num_hidden_layers=sum(name.endswith(".narrow.int8") for name in held),
        num_attention_heads=of_nodes["MultiHeadAttention", "num_heads"],
        intermediate_size=held[f"{_LAYER}.0.wide.int8"][1],
        max_position_embeddings=held["positions.half"][0],
        layer_norm_eps=of_nodes["LayerNormalization", "epsilon"],
        type_vocab_size=1,
    )


class _Weights:
    """The numbers in a graph, by name, in fp32."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._held = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}

    def __getitem__(self, name: str) -> Array:
        """As stored: a bias, a normalisation's weight."""
        return np.array(self._held[name], dtype=np.float32)

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def matrix(self, name: str) -> Array:
        """[in, out], whether it is stored in fp16 or int8, and with its smoothing undone."""
        if f"{name}.weight.half" in self._held:
            return self[f"{name}.weight.half"]
        found = self[f"{name}.int8"] * self[f"{name}.scale"]
        if f"{name}.smooth" in self._held:
            found *= self[f"{name}.smooth"][:, None]
        return found


def _state(held: _Weights, config: Any) -> dict[str, Array]:
    embeddings = "encoder.embeddings"
    state = {
        f"{embeddings}.word_embeddings.weight": held["words.int8"] * held["words.scale"],
        f"{embeddings}.position_embeddings.weight": held["positions.half"],  # with the segment's
        f"{embeddings}.token_type_embeddings.weight": np.zeros((1, config.hidden_size), np.float32),
        f"{embeddings}.LayerNorm.weight": held["embeddings.norm.weight"],
        f"{embeddings}.LayerNorm.bias": held["embeddings.norm.bias"],
    }
    for number in range(config.num_hidden_layers):
        state |= _layer(held, f"{_LAYER}.{number}")
    for name in (*_HEADS, *_MAPS):
        state[f"{name}.weight"] = held.matrix(name).T
        if f"{name}.bias" in held:
            state[f"{name}.bias"] = held[f"{name}.bias"]
    return {name: np.ascontiguousarray(value) for name, value in state.items()}


def _layer(held: _Weights, prefix: str) -> dict[str, Array]:
    found: dict[str, Array] = {}

    def keep(name: str, weight: Array, bias: Array) -> None:
        found[f"{prefix}.{name}.weight"], found[f"{prefix}.{name}.bias"] = weight, bias

    weights = np.split(held.matrix(f"{prefix}.qkv"), 3, axis=1)
    biases = np.split(held[f"{prefix}.qkv.bias"], 3)
    for name, weight, bias in zip(("query", "key", "value"), weights, biases, strict=True):
        keep(f"attention.self.{name}", weight.T, bias)
    for ours, name in (("mixed", "attention.output.dense"), ("wide", "intermediate.dense")):
        keep(name, held.matrix(f"{prefix}.{ours}").T, held[f"{prefix}.{ours}.bias"])
    narrow = held.matrix(f"{prefix}.narrow")
    # GELU's output is shifted above zero before it is quantised, and the bias shifted back for it
    shifted = held[f"{prefix}.narrow.bias"] + held[f"{prefix}.narrow.shift"] * narrow.sum(axis=0)
    keep("output.dense", narrow.T, shifted)
    for ours, name in (("norm1", "attention.output.LayerNorm"), ("norm2", "output.LayerNorm")):
        keep(name, held[f"{prefix}.{ours}.weight"], held[f"{prefix}.{ours}.bias"])
    return found
