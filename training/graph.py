"""The trained network as an ONNX graph, written node by node.

BERT is few operators, so the graph is built from the weights with ONNX Runtime's fused attention
already in place, instead of traced and pattern-matched. Weights are kept as int8 with a scale a
column (a scale a row in the embedding table) and turned back to fp32 by Cast and Mul, which ONNX
Runtime folds when it loads the graph: so all arithmetic is fp32.

No output depends on what else is in the batch. Rows have one exact length, so there is no mask;
and what is pooled is computed in two equal rows, because a product with a single row takes
another kernel, whose last digit differs.
"""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from training.errors import ConfigError
from training.network import QueryModel

_OPSET, _IR_VERSION = 17, 8
_MICROSOFT = "com.microsoft"
Array = NDArray[Any]


class _Builder:
    """Nodes and weights of a graph in the making; methods return the name of what they make."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = f"{operator}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, list(inputs), [name], name, domain=domain, **attributes)
        )
        return name

    def constant(self, name: str, array: Array) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def numbers(self, *values: int) -> str:
        return self.constant(f"numbers_{len(self.weights)}", np.array(values, np.int64))

    def matrix(self, name: str, array: Array) -> str:
        """A weight [in, out] of an affine map, kept as int8 with a scale a column."""
        quantized, scale = quantize(array, axis=0)
        whole = self.add("Cast", self.constant(f"{name}.int8", quantized), to=TensorProto.FLOAT)
        return self.add("Mul", whole, self.constant(f"{name}.scale", scale))

    def affine(self, states: str, name: str, weight: Array, bias: Array | None) -> str:
        """States · weightᵀ + bias, for a weight [out, in] as torch keeps it."""
        # A map near the identity would lose its small terms, and small heads gain nothing.
        kept_whole = name == "vector" or (weight.size < 100_000 and not name.startswith("encoder"))
        made = (
            self.constant(f"{name}.weight", weight.T) if kept_whole else self.matrix(name, weight.T)
        )
        product = self.add("MatMul", states, made)
        if bias is None:
            return product
        return self.add("Add", product, self.constant(f"{name}.bias", bias))

    def norm(self, states: str, name: str, weight: Array, bias: Array, epsilon: float) -> str:
        return self.add(
            "LayerNormalization",
            states,
            self.constant(f"{name}.weight", weight),
            self.constant(f"{name}.bias", bias),
            axis=-1,
            epsilon=epsilon,
        )


def quantize(array: Array, axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values and their symmetric scales, one for each slice along the other axis."""
    largest = np.abs(array).max(axis=axis, keepdims=True)
    scale = np.where(largest == 0.0, 1.0, largest / 127.0).astype(np.float32)
    return np.round(array / scale).clip(-127, 127).astype(np.int8), scale


def build(model: QueryModel, calibration: dict[str, Any], max_pieces: int) -> onnx.ModelProto:
    """The graph: `input_ids` [B, L] of one exact length to the six heads.

    Temperatures are folded into the classifiers.

    Raises:
        ConfigError: the encoder is not a BERT.
    """
    config: Any = model.encoder.config
    if config.model_type != "bert" or config.hidden_act != "gelu":
        raise ConfigError(
            f"no graph is known for a {config.model_type} with {config.hidden_act}",
            "export a model on a BERT encoder",
        )
    state = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    made = _Builder()
    states = _embeddings(made, state, config, max_pieces)
    for layer in range(config.num_hidden_layers):
        states = _layer(made, state, config, states, f"encoder.encoder.layer.{layer}")
    outputs = _heads(made, state, states, calibration)
    return _model(made, outputs)


def _embeddings(made: _Builder, state: dict[str, Array], config: Any, max_pieces: int) -> str:
    prefix = "encoder.embeddings"
    table, scale = quantize(state[f"{prefix}.word_embeddings.weight"], axis=1)
    rows = made.add("Gather", made.constant("words.int8", table), "input_ids")
    scales = made.add("Gather", made.constant("words.scale", scale), "input_ids")
    words = made.add("Mul", made.add("Cast", rows, to=TensorProto.FLOAT), scales)
    positions = state[f"{prefix}.position_embeddings.weight"][:max_pieces]
    positions = positions + state[f"{prefix}.token_type_embeddings.weight"][0]
    length = made.add("Shape", "input_ids", start=1, end=2)
    places = made.add(
        "Slice", made.constant("positions", positions), made.numbers(0), length, made.numbers(0)
    )
    return made.norm(
        made.add("Add", words, places),
        "embeddings.norm",
        state[f"{prefix}.LayerNorm.weight"],
        state[f"{prefix}.LayerNorm.bias"],
        config.layer_norm_eps,
    )


def _layer(made: _Builder, state: dict[str, Array], config: Any, states: str, prefix: str) -> str:
    def of(name: str) -> tuple[Array, Array]:
        return state[f"{prefix}.{name}.weight"], state[f"{prefix}.{name}.bias"]

    parts = [of(f"attention.self.{name}") for name in ("query", "key", "value")]
    attended = made.add(
        "Attention",
        states,
        made.matrix(f"{prefix}.qkv", np.concatenate([weight.T for weight, _ in parts], axis=1)),
        made.constant(f"{prefix}.qkv.bias", np.concatenate([bias for _, bias in parts])),
        domain=_MICROSOFT,
        num_heads=config.num_attention_heads,
    )
    mixed = made.affine(attended, f"{prefix}.mixed", *of("attention.output.dense"))
    states = made.norm(
        made.add("Add", mixed, states),
        f"{prefix}.norm1",
        *of("attention.output.LayerNorm"),
        config.layer_norm_eps,
    )
    wide = made.affine(states, f"{prefix}.wide", *of("intermediate.dense"))
    wide = made.add("Gelu", wide, domain=_MICROSOFT)
    narrow = made.affine(wide, f"{prefix}.narrow", *of("output.dense"))
    return made.norm(
        made.add("Add", narrow, states),
        f"{prefix}.norm2",
        *of("output.LayerNorm"),
        config.layer_norm_eps,
    )


def _heads(
    made: _Builder, state: dict[str, Array], states: str, calibration: dict[str, Any]
) -> dict[str, str]:
    first = made.add("Slice", states, made.numbers(0), made.numbers(1), made.numbers(1))
    shape = made.add("Shape", states)
    batch = made.add("Slice", shape, made.numbers(0), made.numbers(1), made.numbers(0))
    length = made.add("Slice", shape, made.numbers(1), made.numbers(2), made.numbers(0))
    share = made.add("Reciprocal", made.add("Cast", length, to=TensorProto.FLOAT))
    spread = made.add("Concat", batch, made.numbers(2), length, axis=0)
    mean = made.add("MatMul", made.add("Expand", share, spread), states)  # [B, 2, width]
    pooled = made.add("Concat", made.add("Concat", first, first, axis=1), mean, axis=2)
    subject = made.affine(states, "subject", state["subject.weight"], state["subject.bias"])
    one = made.add("Slice", states, made.numbers(0), made.numbers(1), made.numbers(2))
    ones = made.add("Add", made.add("Sub", one, one), made.constant("one", np.ones(1, np.float32)))
    vector = made.affine(mean, "vector", state["vector.weight"], None)
    return {
        "intent": _classifier(made, state, pooled, "intent", calibration.get("temperature", 1.0)),
        "sentiment": _classifier(
            made, state, pooled, "sentiment", calibration.get("sentiment_temperature", 1.0)
        ),
        "tags": made.affine(states, "tags", state["tags.weight"], state["tags.bias"]),
        "subject": made.add("Concat", subject, ones, axis=2),
        "object": made.affine(states, "object", state["object.weight"], state["object.bias"]),
        "vector": _one_row(made, made.add("LpNormalization", vector, axis=2, p=2)),
    }


def _classifier(
    made: _Builder, state: dict[str, Array], pooled: str, name: str, temperature: float
) -> str:
    inner = made.affine(
        pooled, f"{name}.inner", state[f"{name}.inner.weight"], state[f"{name}.inner.bias"]
    )
    outer = made.affine(
        made.add("Gelu", inner, domain=_MICROSOFT),
        f"{name}.outer",
        (state[f"{name}.outer.weight"] / temperature).astype(np.float32),
        (state[f"{name}.outer.bias"] / temperature).astype(np.float32),
    )
    return _one_row(made, outer)


def _one_row(made: _Builder, rows: str) -> str:
    first = made.add("Slice", rows, made.numbers(0), made.numbers(1), made.numbers(1))
    return made.add("Squeeze", first, made.numbers(1))


def _model(made: _Builder, outputs: dict[str, str]) -> onnx.ModelProto:
    values = []
    for name, source in outputs.items():
        made.nodes.append(helper.make_node("Identity", [source], [name], f"output_{name}"))
        sequence = name in ("tags", "subject", "object")
        shape = ["batch", "pieces", None] if sequence else ["batch", None]
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    graph = helper.make_graph(
        made.nodes,
        "query_encoder",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "pieces"])],
        values,
        made.weights,
    )
    return helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)],
        ir_version=_IR_VERSION,
        producer_name="intentstream",
    )
