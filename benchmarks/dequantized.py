"""The served encoder turned back into PyTorch: fp32 weights, each within half a step of the int8 graph.

The training run's own weights are not in the repository; these are what the graph multiplies by, with
its scales undone (`training.export.half_precision.restored`). The network computes what the graph
computes, but for the rounding of what is between its layers.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from transformers import BertConfig, BertModel

from training.export.graph import Weights
from training.export.half_precision import restored
from training.network.query_model import QueryModel

_EMBEDDINGS: Final = "encoder.embeddings"
_FIRST_LAYER: Final = "encoder.encoder.layer.0"


def torch_model(graph: Path, attention: str = "eager") -> QueryModel:
    """The network of an encoder's `model.onnx`, ready for inference.

    Args:
        graph: written by `intentstream export`, with int8 products.
        attention: which of PyTorch's implementations computes it.

    Raises:
        ConfigError: the graph is not int8.
    """
    weights = restored(onnx.load(graph))
    config = _config(weights)
    config._attn_implementation = attention  # noqa: SLF001 (the documented way on a configuration)
    make_encoder: Any = BertModel  # its constructor has no types
    network = QueryModel(make_encoder(config, add_pooling_layer=False), config.hidden_size)
    network.load_state_dict(
        {name: torch.tensor(np.ascontiguousarray(one)) for name, one in weights.state.items()}
    )
    return network.eval()


def _config(weights: Weights) -> Any:
    def rows(name: str) -> int:
        return len(weights.state[f"{name}.weight"])

    vocabulary, width = weights.state[f"{_EMBEDDINGS}.word_embeddings.weight"].shape
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=weights.layers,
        num_attention_heads=weights.heads,
        intermediate_size=rows(f"{_FIRST_LAYER}.intermediate.dense"),
        max_position_embeddings=rows(f"{_EMBEDDINGS}.position_embeddings"),
        layer_norm_eps=weights.epsilon,
        type_vocab_size=rows(f"{_EMBEDDINGS}.token_type_embeddings"),
    )
