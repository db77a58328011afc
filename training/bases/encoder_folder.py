"""A base as a Hugging Face folder that we write: its word pieces read, changed and saved again."""

import json
import shutil
from pathlib import Path
from typing import Any

from transformers import AutoConfig

from training.errors import ConfigError


def is_whole(folder: Path) -> bool:
    """Whether a base has been written there to the end."""
    return (folder / "tokenizer.json").is_file()


def read_tokenizer(base: Path) -> dict[str, Any]:
    """What `tokenizer.json` of a base says."""
    found: dict[str, Any] = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    return found


def read_word_pieces(base: Path, refused: str, setting: str) -> dict[str, Any]:
    """As `read_tokenizer`, of a base whose vocabulary is one of word pieces.

    Args:
        base: a Hugging Face folder.
        refused: what cannot be done otherwise, for the error.
        setting: what to set then.

    Raises:
        ConfigError: the tokenizer is of another kind.
    """
    file = read_tokenizer(base)
    if (kind := file["model"].get("type")) != "WordPiece":
        raise ConfigError(
            f"{refused} a vocabulary of kind {kind}",
            f"{setting}, or take a base with word pieces, such as a BERT",
        )
    return file


def check_length(base: Path, max_pieces: int) -> None:
    """Whether a base has a position for each word piece of a text.

    Args:
        base: a Hugging Face folder.
        max_pieces: of the longest text, special pieces included.

    Raises:
        ConfigError: it has fewer; one whose positions are relative has no limit.
    """
    config = AutoConfig.from_pretrained(base, local_files_only=True)
    positions = getattr(config, "max_position_embeddings", None)
    if positions is not None and max_pieces > positions:
        raise ConfigError(
            f"max_pieces = {max_pieces}, and the base has positions for {positions} word pieces",
            f"set max_pieces to {positions} or less, or take another base",
        )


def save(encoder: Any, base: Path, tokenizer: dict[str, Any], folder: Path) -> None:
    """Writes a base: an encoder of transformers, and what its tokenizer file says."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder.save_pretrained(folder)
    if (base / "tokenizer_config.json").is_file():
        shutil.copyfile(base / "tokenizer_config.json", folder / "tokenizer_config.json")
    text = json.dumps(tokenizer, ensure_ascii=False)
    (folder / "tokenizer.json").write_text(text, encoding="utf-8")  # last: a whole folder has it
