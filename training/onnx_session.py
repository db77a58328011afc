"""ONNX Runtime as the server's CPU profile runs it."""

from pathlib import Path

import onnxruntime

SLOW_FUSIONS = ("SkipLayerNormFusion", "BiasSkipLayerNormFusion")
"""One-dimensional fused kernels that are slower than the plain ones on a CPU."""


def session(model: bytes | Path) -> onnxruntime.InferenceSession:
    """A session of one thread that does not spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        model if isinstance(model, bytes) else str(model),
        options,
        providers=["CPUExecutionProvider"],
        disabled_optimizers=list(SLOW_FUSIONS),
    )
