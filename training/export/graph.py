"""The trained network as an ONNX graph, written node by node.

BERT is few operators, so the graph is built from the weights with ONNX Runtime's fused attention
already in place, instead of traced and pattern-matched. With measured ranges, the encoder's
products are int8 arithmetic (`training.export.quantization`) and the embedding table is int8 with a scale
a row; attention, GELU, layer normalisation, pooling and the heads are fp32. Without ranges, all is
fp32, weights and arithmetic.

No output depends on what else is in the batch. Rows have one exact length, so there is no mask;
and what is pooled is computed in two equal rows, because a product with a single row takes
another kernel, whose last digit differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from training.errors import ConfigError
from training.export.graph_builder import MICROSOFT, Array, GraphBuilder, quantize
from training.export.quantization import Int8Products, Range

if TYPE_CHECKING:  # torch is not needed to rebuild a graph
    from training.network.query_model import QueryModel

_OPSET, _IR_VERSION = 17, 8
_LAYER = "encoder.encoder.layer"


@dataclass(frozen=True, slots=True)
class Weights:
    """All numbers of a trained model.

    Attributes:
        state: arrays by the name of torch's parameters.
        layers: of the encoder.
        heads: attention heads in each layer, before any were pruned.
        epsilon: of layer normalisation.
    """

    state: Mapping[str, Array]
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def of(cls, model: "QueryModel") -> "Weights":
        """The numbers of a model in this process.

        Raises:
            ConfigError: the encoder is not a BERT, or has parts added to it.
        """
        config: Any = model.encoder.config
        activation = getattr(config, "hidden_act", "other activations")  # GPT-2 names it otherwise
        if config.model_type != "bert" or activation != "gelu":
            raise ConfigError(
                f"no graph is known for a {config.model_type} with {activation}",
                "export a model on a BERT encoder",
            )
        state = {
            name: value.detach().float().cpu().numpy() for name, value in model.state_dict().items()
        }
        if f"{_LAYER}.0.attention.output.dense.weight" not in state:
            raise ConfigError(
                "no graph is known for adapters or a prefix",
                "export a student of this model: intentstream distill --teacher RUN",
            )
        return cls(
            state, config.num_hidden_layers, config.num_attention_heads, config.layer_norm_eps
        )

    def linear(self, name: str) -> tuple[Array, Array]:
        """Weight [in, out] and bias [out] of a linear layer; no bias counts as zeros."""
        weight = self.state[f"{name}.weight"].T
        bias = self.state.get(f"{name}.bias")
        return weight, np.zeros(weight.shape[1], np.float32) if bias is None else bias

    def heads_of(self, layer: str) -> int:
        """How many attention heads a layer has: all, or those that pruning has left."""
        rows, width = self.state[f"{layer}.attention.self.query.weight"].shape
        return int(rows * self.heads // width)


def build(
    weights: "Weights | QueryModel",
    calibration: Mapping[str, Any],
    max_pieces: int,
    ranges: Mapping[str, Range] | None = None,
) -> onnx.ModelProto:
    """The graph: `input_ids` [B, L] of one exact length to the six heads.

    Args:
        weights: of the trained model.
        calibration: temperatures, which are folded into the classifiers.
        max_pieces: the longest input.
        ranges: of the products' inputs, from `quantization.observe`: int8; None: fp32.
    """
    weights = weights if isinstance(weights, Weights) else Weights.of(weights)
    made = GraphBuilder()
    trunk = _Trunk(made, weights, ranges)
    states = trunk.embeddings(max_pieces)
    for layer in range(weights.layers):
        states = trunk.layer(states, f"{_LAYER}.{layer}")
    outputs = _heads(made, weights.state, states, calibration, small=ranges is not None)
    return _model(made, outputs)


class _Trunk:
    """The encoder, in int8 or fp32."""

    def __init__(
        self, made: GraphBuilder, weights: Weights, ranges: Mapping[str, Range] | None
    ) -> None:
        self._made, self._weights = made, weights
        self._int8 = None if ranges is None else Int8Products(made, ranges)

    def embeddings(self, max_pieces: int) -> str:
        """Word pieces, positions and the one segment there is, normalised."""
        made, state, prefix = self._made, self._weights.state, "encoder.embeddings"
        table = state[f"{prefix}.word_embeddings.weight"]
        if self._int8:
            quantized, scale = quantize(table, axis=1)
            rows = made.add("Gather", made.constant("words.int8", quantized), "input_ids")
            scales = made.add("Gather", made.constant("words.scale", scale), "input_ids")
            words = made.add("Mul", made.add("Cast", rows, to=TensorProto.FLOAT), scales)
        else:
            words = made.add("Gather", made.constant("words", table), "input_ids")
        positions = state[f"{prefix}.position_embeddings.weight"][:max_pieces]
        positions = positions + state[f"{prefix}.token_type_embeddings.weight"][0]
        length = made.add("Shape", "input_ids", start=1, end=2)
        kept = made.half if self._int8 else made.constant
        places = made.add(
            "Slice", kept("positions", positions), made.numbers(0), length, made.numbers(0)
        )
        return self._norm(made.add("Add", words, places), "embeddings.norm", f"{prefix}.LayerNorm")

    def layer(self, states: str, prefix: str) -> str:
        """Self-attention and feed-forward, each with its residual and normalisation."""
        made = self._made
        attended = self._attention(states, prefix)
        mixed = self._static(attended, f"{prefix}.attention.output.dense", f"{prefix}.mixed")
        states = self._norm(
            made.add("Add", mixed, states),
            f"{prefix}.norm1",
            f"{prefix}.attention.output.LayerNorm",
        )
        wide = self._static(states, f"{prefix}.intermediate.dense", f"{prefix}.wide")
        wide = made.add("Gelu", wide, domain=MICROSOFT)
        narrow, (weight, bias) = f"{prefix}.narrow", self._weights.linear(f"{prefix}.output.dense")
        if self._int8:
            down = self._int8.by_row(wide, narrow, weight, bias)
        else:
            down = made.product(wide, made.constant(f"{narrow}.weight", weight), narrow, bias)
        return self._norm(
            made.add("Add", down, states), f"{prefix}.norm2", f"{prefix}.output.LayerNorm"
        )

    def _attention(self, states: str, prefix: str) -> str:
        made, heads = self._made, self._weights.heads_of(prefix)
        parts = [
            self._weights.linear(f"{prefix}.attention.self.{name}")
            for name in ("query", "key", "value")
        ]
        weight = np.concatenate([w for w, _ in parts], axis=1)
        bias = np.concatenate([b for _, b in parts])
        if not self._int8:
            return made.add(
                "Attention",
                states,
                made.constant(f"{prefix}.qkv.weight", weight),
                made.constant(f"{prefix}.qkv.bias", bias),
                domain=MICROSOFT,
                num_heads=heads,
            )
        layer = f"{prefix}.attention.self.query"
        joint = self._int8.static(states, layer, f"{prefix}.qkv", weight, bias)
        query, key, value = made.split("Split", joint, outputs=3, axis=2)
        return made.add("MultiHeadAttention", query, key, value, domain=MICROSOFT, num_heads=heads)

    def _static(self, states: str, layer: str, name: str) -> str:
        weight, bias = self._weights.linear(layer)
        if self._int8:
            return self._int8.static(states, layer, name, weight, bias)
        kept = self._made.constant(f"{name}.weight", weight)
        return self._made.product(states, kept, name, bias)

    def _norm(self, states: str, name: str, source: str) -> str:
        state = self._weights.state
        return self._made.norm(
            states,
            name,
            state[f"{source}.weight"],
            state[f"{source}.bias"],
            self._weights.epsilon,
        )


def _heads(
    made: GraphBuilder,
    state: Mapping[str, Array],
    states: str,
    calibration: Mapping[str, Any],
    *,
    small: bool,
) -> dict[str, str]:
    def affine(inputs: str, name: str, divided_by: float = 1.0) -> str:
        weight, bias = state[f"{name}.weight"].T, state.get(f"{name}.bias")
        weight = (weight / divided_by).astype(np.float32)
        if not small:
            kept = made.constant(f"{name}.weight", weight)
        elif name != "vector" and weight.size >= 100_000:
            kept = made.stored(name, weight)
        else:  # a map near the identity would lose its small terms in int8
            kept = made.half(f"{name}.weight", weight)
        return made.product(
            inputs, kept, name, None if bias is None else (bias / divided_by).astype(np.float32)
        )

    def classifier(name: str, temperature: float) -> str:
        inner = made.add("Gelu", affine(pooled, f"{name}.inner"), domain=MICROSOFT)
        return _one_row(made, affine(inner, f"{name}.outer", temperature))

    first = made.add("Slice", states, made.numbers(0), made.numbers(1), made.numbers(1))
    shape = made.add("Shape", states)
    batch = made.add("Slice", shape, made.numbers(0), made.numbers(1), made.numbers(0))
    length = made.add("Slice", shape, made.numbers(1), made.numbers(2), made.numbers(0))
    share = made.add("Reciprocal", made.add("Cast", length, to=TensorProto.FLOAT))
    spread = made.add("Concat", batch, made.numbers(2), length, axis=0)
    mean = made.add("MatMul", made.add("Expand", share, spread), states)  # [B, 2, width]
    pooled = made.add("Concat", made.add("Concat", first, first, axis=1), mean, axis=2)
    subject = affine(states, "subject")
    one = made.add("Slice", states, made.numbers(0), made.numbers(1), made.numbers(2))
    ones = made.add("Add", made.add("Sub", one, one), made.constant("one", np.ones(1, np.float32)))
    vector = affine(mean, "vector")
    return {
        "intent": classifier("intent", calibration.get("temperature", 1.0)),
        "sentiment": classifier("sentiment", calibration.get("sentiment_temperature", 1.0)),
        "tags": affine(states, "tags"),
        "subject": made.add("Concat", subject, ones, axis=2),
        "object": affine(states, "object"),
        "vector": _one_row(made, made.add("LpNormalization", vector, axis=2, p=2)),
    }


def _one_row(made: GraphBuilder, rows: str) -> str:
    first = made.add("Slice", rows, made.numbers(0), made.numbers(1), made.numbers(1))
    return made.add("Squeeze", first, made.numbers(1))


def _model(made: GraphBuilder, outputs: dict[str, str]) -> onnx.ModelProto:
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
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid(MICROSOFT, 1)],
        ir_version=_IR_VERSION,
        producer_name="intentstream",
    )
