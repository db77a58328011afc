"""ONNX Runtime as the server's CPU profile runs it."""

from pathlib import Path
from typing import Final

import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as runtime

from training.errors import ConfigError

SLOW_FUSIONS = ("SkipLayerNormFusion", "BiasSkipLayerNormFusion")
"""One-dimensional fused kernels that are slower than the plain ones on a CPU."""

REFUSALS: Final[tuple[type[Exception], ...]] = tuple(
    kind
    for kind in vars(runtime).values()
    if isinstance(kind, type) and issubclass(kind, Exception)
)
"""All errors of ONNX Runtime, which have no root of their own."""


def session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """A session of one thread that does not spin.

    Raises:
        ConfigError: ONNX Runtime cannot read the model, or cannot run it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            model if isinstance(model, bytes) else str(model),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=list(SLOW_FUSIONS),
        )
    except REFUSALS as error:
        name = "the graph" if isinstance(model, bytes) else model
        raise ConfigError(
            f"{name} is no ONNX model, is cut off or damaged: {reason(error)}",
            "copy it again whole, or write it anew with intentstream export",
        ) from error


def reason(error: Exception) -> str:
    """What ONNX Runtime says, in one line, without its codes and its own places in the code."""
    return str(error).splitlines()[0].rpartition(" : ")[2].rpartition("failed:")[2].strip()
