"""A tiny encoder and its tokenizer, made on the spot: real in all but size."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "shoes", "##s", "case", "手", "机")


def tokenizer_file(**normalizer: object) -> bytes:
    special = [
        {
            "id": n,
            "content": piece,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for n, piece in enumerate(PIECES[:5])
    ]
    return json.dumps(
        {
            "version": "1.0",
            "truncation": {
                "max_length": 8,
                "strategy": "LongestFirst",
                "stride": 0,
                "direction": "Right",
            },
            "padding": None,
            "added_tokens": special,
            "normalizer": {
                "type": "BertNormalizer",
                "clean_text": True,
                "handle_chinese_chars": True,
                "strip_accents": None,
                "lowercase": False,
                **normalizer,
            },
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
            "model": {
                "type": "WordPiece",
                "unk_token": "[UNK]",
                "continuing_subword_prefix": "##",
                "max_input_chars_per_word": 100,
                "vocab": {piece: n for n, piece in enumerate(PIECES)},
            },
        }
    ).encode()


def config() -> BertConfig:
    return BertConfig(
        vocab_size=len(PIECES),
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=48,
        max_position_embeddings=160,
    )


def shaken(model: Any) -> Any:
    """The model, in evaluation mode, with no two parameters alike."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2)
    return model.eval()


def encoder_folder(folder: Path, seed: int = 3) -> Path:
    """A Hugging Face folder of a tiny encoder."""
    torch.manual_seed(seed)
    make: Any = BertModel
    model = shaken(make(config(), add_pooling_layer=False))
    model.config.save_pretrained(folder)
    save_file(model.state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "tokenizer.json").write_bytes(tokenizer_file(lowercase=True))
    return folder
