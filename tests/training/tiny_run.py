"""A tiny base, a shop's own files and a recipe: all that a real training run needs, in seconds."""

import json
import string
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors  # type: ignore[import-untyped] # has no type information
from transformers import BertConfig, BertModel

from tests.training.shop import TRAINING
from training.data.examples import Example
from training.data.generator import compose
from training.network.query_model import VECTOR_WIDTH

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_KINDS = (compose(kind, 128, 1) for kind in ("requests", "products"))
QUERIES = [example.text for both in zip(*_KINDS, strict=True) for example in both]
"""What sets the scales of an export, and is checked alone and in batches."""


def base_folder(folder: Path, width: int = 48) -> Path:
    """A Hugging Face folder of a tiny random BERT whose pieces are words and letters."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = (*TRAINING, *compose("requests", 300, 5), *compose("products", 300, 5))
    words = {word for e in examples for word in e.text.lower().split() if word.isalpha()}
    letters = string.ascii_lowercase + string.digits + string.punctuation
    pieces = [*_SPECIAL, *letters, *(f"##{c}" for c in letters), *sorted(words - set(letters))]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(list(_SPECIAL))
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=2 * width,
        max_position_embeddings=160,
    )
    BertModel(config).save_pretrained(folder)  # type: ignore[no-untyped-call] # transformers
    return folder


def write_jsonl(path: Path, examples: list[Example]) -> Path:
    """A shop's own file."""
    rows = []
    for example in examples:
        row: dict[str, object] = {"text": example.text, "intent": example.intent}
        if example.sentiment:
            row["sentiment"] = example.sentiment
        if example.spans is not None:
            row["entities"] = [
                {"type": span.type, "start": span.start, "end": span.end} for span in example.spans
            ]
        if example.relations is not None:
            row["relations"] = [{"subject": p, "object": a} for p, a in example.relations]
        rows.append(json.dumps(row))
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def recipe(folder: Path, base: Path, *, epochs: int = 2, extra: str = "") -> Path:
    """A configuration that trains on a shop's own file and on generated texts.

    The sentence vectors that are learnt are those of another tiny BERT, which is as wide as they are.
    """
    own = write_jsonl(folder / "own.jsonl", TRAINING)
    vectors = base_folder(folder / "vectors", VECTOR_WIDTH)
    path = folder / "recipe.toml"
    path.write_text(
        f"""
seed = 3
threads = 1
[model]
base = {json.dumps(str(base))}
vectors = {json.dumps(str(vectors))}
max_pieces = 48
[data]
on_leak = "drop"
[[data.files]]
path = {json.dumps(str(own))}
[data.generated]
requests = 300
products = 150
feelings = 100
[optimizer]
epochs = {epochs}
batch = 16
learning_rate = 3e-3
{extra}
""",
        encoding="utf-8",
    )
    return path


def validate_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validates and calibrates on a tenth of the generated texts, for tests of something else."""

    def fewer(kind: str, count: int, seed: int) -> list[Example]:
        return compose(kind, count // 10, seed)

    monkeypatch.setattr("training.fine_tuning.validation.compose", fewer)
    monkeypatch.setattr("training.fine_tuning.calibration.compose", fewer)
