"""Bases of the GPT family: their tokenizers get ends, and what they read last stands for a text.

Such a model reads from left to right, so only the last piece has seen the whole text: it is an end
put there for this purpose, as with sentence embeddings of GPT-like models (Neelakantan et al., 2022).
"""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, processors  # type: ignore[import-untyped] # has no type information
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

from training.errors import ConfigError


def reads_left_to_right(config: Any) -> bool:
    """Whether a base, by its configuration, is a decoder.

    Raises:
        ConfigError: it is both, an encoder and a decoder.
    """
    if getattr(config, "is_encoder_decoder", False):
        raise ConfigError(
            f"a {config.model_type} is an encoder and a decoder",
            "take an encoder such as BERT, or a decoder such as GPT-2",
        )
    kind = config.model_type
    return (
        kind in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and kind not in MODEL_FOR_MASKED_LM_MAPPING_NAMES
    )


def put_between_ends(tokenizer: Tokenizer, folder: Path) -> None:
    """Lets a tokenizer put every text between the base's first and last special token.

    Raises:
        ConfigError: the base has no such token, or its pieces begin with the blank before a word.
    """
    file = folder / "config.json"
    config = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    last = config.get("eos_token_id")
    last = last[0] if isinstance(last, list) else last
    first = config.get("bos_token_id")
    ends = [tokenizer.id_to_token(number) for number in (first, last) if number is not None]
    if not ends or None in ends:
        raise ConfigError(
            f"the tokenizer in {folder.name} puts no special tokens around a text, and its"
            " config.json names none",
            "set bos_token_id and eos_token_id in config.json",
        )
    begin, end = ends[0], ends[-1]
    tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(
                single=f"{begin} $A {end}",
                special_tokens=[(token, tokenizer.token_to_id(token)) for token in {begin, end}],
            ),
        ]
    )
    text = "a b"
    if any(text[a:b].startswith(" ") for a, b in tokenizer.encode(text).offsets):
        raise ConfigError(
            "pieces of this tokenizer begin with the blank before a word",
            "take a base with byte-level pieces, such as GPT-2, Llama 3 or Qwen",
        )
