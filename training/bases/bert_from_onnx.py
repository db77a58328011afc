"""An exported ONNX graph of BERT (Devlin et al., NAACL 2019) turned back into a Hugging Face folder.

`torch.onnx` keeps the names of all parameters but those of the matrix multiplications, whose weights
it transposes and numbers; their names are read from the path of the node that uses them.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from safetensors.torch import save_file
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from training.errors import TrainingError

TOLERANCE = 1e-4
"""Largest difference between PyTorch and ONNX Runtime on one state; reordered sums give about 1e-5."""

_SPECIAL = {
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "mask_token": "[MASK]",
}
_PROBES = ("red shoes", "case for iphone 15 pro max, clear", "手机壳", "where is my order 1234 ?")

Weights = dict[str, NDArray[np.float32]]


class ConversionError(TrainingError):
    """A graph is not a BERT that can be turned back."""


def convert(graph: bytes, tokenizer: bytes, heads: int, folder: Path) -> float:
    """Write `config.json`, `model.safetensors` and the tokenizer's files to a folder.

    Args:
        graph: the ONNX model; inputs `input_ids`, `attention_mask`, `token_type_ids` [B, T].
        tokenizer: its `tokenizer.json`.
        heads: attention heads, which no weight's shape tells.
        folder: an existing folder.

    Returns:
        The largest difference of a hidden state from ONNX Runtime's.

    Raises:
        ConversionError: parameters are missing, or the two runtimes disagree by more than `TOLERANCE`.
    """
    weights = _weights(graph)
    pooled = "pooler.dense.weight" in weights
    try:
        config = BertConfig.from_dict(_shape(weights, heads))
        make_model: Any = BertModel  # its constructor has no types
        model = make_model(config, add_pooling_layer=pooled)
        model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    except (KeyError, RuntimeError) as error:
        raise ConversionError(f"the graph is not a BERT: {error}", "report it as a bug") from error
    model.config.architectures = ["BertModel"]
    model.config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "tokenizer.json").write_bytes(cleaned_tokenizer(tokenizer))
    make_tokenizer: Any = PreTrainedTokenizerFast
    fast = make_tokenizer(tokenizer_file=str(folder / "tokenizer.json"), **_SPECIAL)
    fast.model_max_length = model.config.max_position_embeddings
    fast.save_pretrained(folder)
    gap = _largest_difference(graph, model.eval(), fast)
    if not gap <= TOLERANCE:
        raise ConversionError(
            f"PyTorch and ONNX Runtime differ by {gap:.1e} on the same weights",
            "check the number of attention heads",
        )
    return gap


def cleaned_tokenizer(content: bytes) -> bytes:
    """A `tokenizer.json` without a fixed length, and lower-casing where the vocabulary needs it.

    A vocabulary without a single capital letter maps every capitalised word to `[UNK]` unless the
    normaliser lower-cases first; some published files leave that to the code around them.
    """
    settings: dict[str, Any] = json.loads(content)
    settings["truncation"] = settings["padding"] = None
    normalizer = settings.get("normalizer") or {}
    vocabulary = settings.get("model", {}).get("vocab", {})
    special = {token["content"] for token in settings.get("added_tokens", ())}
    cased = any(
        any("A" <= letter <= "Z" for letter in piece)
        for piece in vocabulary
        if piece not in special and not re.fullmatch(r"[\[<].*[\]>]", piece)
    )
    if normalizer.get("type") == "BertNormalizer" and not cased:
        normalizer["lowercase"] = True
    return json.dumps(settings, ensure_ascii=False).encode()


def _weights(graph: bytes) -> Weights:
    model = onnx.load_from_string(graph)
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    weights = {
        name: np.ascontiguousarray(value)
        for name, value in held.items()
        if name.startswith(("embeddings.", "encoder.", "pooler.")) and "position_ids" not in name
    }
    for node in model.graph.node:
        if node.op_type in ("MatMul", "Gemm") and node.input[1] in held:
            path = node.name.strip("/").rpartition("/")[0].replace("/", ".")
            transposed = any(a.name == "transB" and a.i for a in node.attribute)
            value = held[node.input[1]]
            name = f"{path}.weight"
            if name not in weights:
                weights[name] = np.ascontiguousarray(value if transposed else value.T)
    return weights


def _shape(weights: Weights, heads: int) -> dict[str, Any]:
    vocabulary, width = weights["embeddings.word_embeddings.weight"].shape
    layers = {int(found[1]) for name in weights if (found := re.search(r"\.layer\.(\d+)\.", name))}
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "num_hidden_layers": len(layers),
        "num_attention_heads": heads,
        "intermediate_size": weights["encoder.layer.0.intermediate.dense.bias"].shape[0],
        "max_position_embeddings": weights["embeddings.position_embeddings.weight"].shape[0],
        "type_vocab_size": weights["embeddings.token_type_embeddings.weight"].shape[0],
    }


def _largest_difference(graph: bytes, model: Any, tokenizer: Any) -> float:
    """Over a few texts of different lengths and scripts, in one padded batch; padding left out."""
    batch = tokenizer(list(_PROBES), padding=True, return_tensors="pt")
    batch["token_type_ids"] = torch.zeros_like(batch["input_ids"])
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    wanted = {node.name for node in session.get_inputs()}
    fed = {name: value.numpy() for name, value in batch.items() if name in wanted}
    theirs = session.run(None, fed)[0]
    with torch.no_grad():
        ours = model(**batch).last_hidden_state.numpy()
    kept = batch["attention_mask"].numpy().astype(bool)
    return float(np.abs(ours - theirs)[kept].max())
