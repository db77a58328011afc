"""int8 arithmetic whose answers do not depend on the batch.

Ordinary dynamic quantisation takes one scale for all that is multiplied at once, so a query's
answer leans on its neighbours in the batch. Here a product's input has either one scale that was
measured beforehand, over training queries, or (after GELU, whose rare values are huge) one scale
a row, computed from that row alone. Sums of int8 products are whole numbers: exact in any order.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.export.graph_builder import MICROSOFT, Array, GraphBuilder, quantize

WEIGHT_STEPS = 63
"""Weights take 7 bits: AVX2's 8-bit multiply-add saturates at 16 bits, and 255 · 63 · 2 fits."""

_GELU_SHIFT = 0.17  # GELU's least value is -0.16997: shifted, it is never negative
_SMOOTH = ("attention.self.query", "intermediate.dense")  # what layer normalisation feeds
STATIC = (*_SMOOTH, "attention.output.dense")
"""How the names of the linear layers end whose input has one measured scale."""


@dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value seen of each channel of a product's input."""

    least: NDArray[np.float32]  # [width]
    greatest: NDArray[np.float32]  # [width]

    def scaled(self, by: Array) -> "Range":
        """The range of the input divided by `by`, channel by channel."""
        return Range((self.least / by).astype(np.float32), (self.greatest / by).astype(np.float32))

    def step(self) -> tuple[np.float32, np.uint8]:
        """Scale and zero point of uint8 over all channels; 0.0 is represented exactly."""
        low, high = min(float(self.least.min()), 0.0), max(float(self.greatest.max()), 0.0)
        scale = np.float32((high - low) / 255.0 or 1.0)
        return scale, np.uint8(np.clip(np.round(-low / scale), 0, 255))


def smoothing(seen: Range, weight: Array) -> NDArray[np.float32]:
    """How much of a channel's spread moves from the input into the weights.

    SmoothQuant (Xiao et al., ICML 2023) with alpha = 1/2, channel by channel, but over the root
    mean square of a channel's weights where the paper takes their maximum: a tenth less error here.

    Args:
        seen: the input's range.
        weight: [in, out].
    """
    inputs = np.maximum(np.abs(seen.least), np.abs(seen.greatest))
    weights = np.sqrt((weight**2).mean(axis=1))
    factors: Array = np.sqrt(np.maximum(inputs, 1e-6) / np.maximum(weights, 1e-6))
    return factors.astype(np.float32)


class Int8Products:
    """Writes the encoder's products into a graph as int8 arithmetic.

    Args:
        made: the graph.
        ranges: from `observe`.
    """

    def __init__(self, made: GraphBuilder, ranges: Mapping[str, Range]) -> None:
        self._made, self._ranges = made, ranges

    def static(self, states: str, layer: str, name: str, weight: Array, bias: Array) -> str:
        """States · weight + bias with the scale that was measured.

        Args:
            states: a tensor [B, L, in].
            layer: the linear layer in the trained network whose input this is.
            name: of the weights in the graph.
            weight: [in, out].
            bias: [out].
        """
        made, seen = self._made, self._ranges[layer]
        if layer.endswith(_SMOOTH):
            factors = smoothing(seen, weight)
            seen, weight = seen.scaled(factors), weight * factors[:, None]
            states = made.add("Mul", states, made.constant(f"{name}.smooth", 1.0 / factors))
        scale, zero = seen.step()
        step = made.constant(f"{name}.step", np.array(scale, np.float32))
        middle = made.constant(f"{name}.middle", np.array(zero, np.uint8))
        coarse = made.add("QuantizeLinear", states, step, middle)
        return self._product(coarse, name, step, middle, weight, bias)

    def by_row(self, states: str, name: str, weight: Array, bias: Array) -> str:
        """What GELU gave · weight + bias with a scale a row, computed at run time.

        Args:
            states: what GELU gave [B, L, in].
            name: of the weights in the graph.
            weight: [in, out].
            bias: [out].
        """
        made = self._made
        shift = made.constant(f"{name}.shift", np.array(_GELU_SHIFT, np.float32))
        shifted = made.add("Add", states, shift)
        largest = made.add("ReduceMax", shifted, axes=[-1], keepdims=1)
        step = made.constant(f"{name}.step", np.array(1.0 / 255.0, np.float32))
        middle = made.constant(f"{name}.middle", np.array(0, np.uint8))
        coarse = made.add("QuantizeLinear", made.add("Div", shifted, largest), step, middle)
        product = self._product(coarse, name, step, middle, weight, None)
        quantized, scales = quantize(weight, 0, WEIGHT_STEPS)
        added = _GELU_SHIFT * (quantized * scales).sum(axis=0, dtype=np.float64)
        unshifted = made.constant(f"{name}.bias", (bias - added).astype(np.float32))
        return made.add("Add", made.add("Mul", product, largest), unshifted)

    def _product(
        self, coarse: str, name: str, step: str, middle: str, weight: Array, bias: Array | None
    ) -> str:
        made = self._made
        quantized, scales = quantize(weight, 0, WEIGHT_STEPS)
        inputs = [
            coarse,
            made.constant(f"{name}.int8", quantized),
            step,
            made.constant(f"{name}.scale", scales[0]),
            middle,
            made.constant(f"{name}.zero", np.zeros((), np.int8)),
        ]
        if bias is not None:
            inputs.append(made.constant(f"{name}.bias", bias))
        return made.add("MatMulIntegerToFloat", *inputs, domain=MICROSOFT)
