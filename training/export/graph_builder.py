"""Nodes and weights of an ONNX graph in the making."""

from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

MICROSOFT = "com.microsoft"
Array = NDArray[Any]


class GraphBuilder:
    """Collects nodes and weights; methods return the name of what they make."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node with one output."""
        return self.split(operator, *inputs, domain=domain, **attributes)[0]

    def split(
        self, operator: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any
    ) -> list[str]:
        """A node with several outputs."""
        name = f"{operator}_{len(self.nodes)}"
        names = [name, *(f"{name}_{n}" for n in range(1, outputs))]
        self.nodes.append(
            helper.make_node(operator, list(inputs), names, name, domain=domain, **attributes)
        )
        return names

    def constant(self, name: str, array: Array) -> str:
        """A weight."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def numbers(self, *values: int) -> str:
        """A list of integers, as shapes and axes are given."""
        return self.constant(f"numbers_{len(self.weights)}", np.array(values, np.int64))

    def stored(self, name: str, array: Array) -> str:
        """A weight [in, out], kept as int8 with a scale a column and computed with in fp32."""
        quantized, scale = quantize(array, axis=0)
        whole = self.add("Cast", self.constant(f"{name}.int8", quantized), to=TensorProto.FLOAT)
        return self.add("Mul", whole, self.constant(f"{name}.scale", scale))

    def half(self, name: str, array: Array) -> str:
        """A weight, kept as fp16 and computed with in fp32."""
        return self.add(
            "Cast", self.constant(f"{name}.half", array.astype(np.float16)), to=TensorProto.FLOAT
        )

    def product(self, states: str, weight: str, name: str, bias: Array | None) -> str:
        """States · weight + bias."""
        product = self.add("MatMul", states, weight)
        if bias is None:
            return product
        return self.add("Add", product, self.constant(f"{name}.bias", bias))

    def norm(self, states: str, name: str, weight: Array, bias: Array, epsilon: float) -> str:
        """Layer normalisation over the last axis (Ba et al., 2016)."""
        return self.add(
            "LayerNormalization",
            states,
            self.constant(f"{name}.weight", weight),
            self.constant(f"{name}.bias", bias),
            axis=-1,
            epsilon=epsilon,
        )


def quantize(
    array: Array, axis: int, steps: int = 127
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 values in ±steps and their symmetric scales, one for each slice along the other axis."""
    largest = np.abs(array).max(axis=axis, keepdims=True)
    scale = np.where(largest == 0.0, 1.0, largest / steps).astype(np.float32)
    return np.round(array / scale).clip(-steps, steps).astype(np.int8), scale
