"""A smaller base out of a larger one: fewer layers, and only those pieces that a shop's texts need."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information
from transformers import AutoModel

from training.bases.encoder_folder import is_whole, read_tokenizer, read_word_pieces, save
from training.errors import ConfigError
from training.network.freezing import layers_of


def with_layers(base: Path, count: int, folder: Path) -> Path:
    """Writes the base with so many of its layers, evenly spaced, the uppermost among them.

    Every other layer of a teacher is how DistilBERT begins (Sanh et al., 2019).

    Args:
        base: a Hugging Face folder.
        count: of layers.
        folder: where the new base goes.

    Raises:
        ConfigError: the base has fewer layers.
    """
    if is_whole(folder):
        return folder
    encoder: Any = AutoModel.from_pretrained(base, local_files_only=True)
    layers = layers_of(encoder)
    have = len(layers)
    if count > have:
        raise ConfigError(
            f"{count} layers are to stay and the base has {have}", "mend layers under [student]"
        )
    kept = [have - 1 - round(n * (have - 1) / max(count - 1, 1)) for n in range(count)][::-1]
    for number in reversed(range(have)):
        if number not in kept:
            del layers[number]
    encoder.config.num_hidden_layers = count
    save(encoder, base, read_tokenizer(base), folder)
    return folder


def with_pieces(base: Path, count: int, texts: Iterable[str], folder: Path) -> Path:
    """Writes the base with the most frequent word pieces of some texts only.

    Pieces of a single character all stay, so that every text can still be written; special ones too.
    An input that had a rarer piece is cut into smaller ones.

    Args:
        base: a Hugging Face folder with a WordPiece tokenizer.
        count: of pieces, at most.
        texts: of the shop.
        folder: where the new base goes.

    Raises:
        ConfigError: a tokenizer of another kind, or single characters alone are more than `count`.
    """
    if is_whole(folder):
        return folder
    file = read_word_pieces(
        base, "pieces cannot be taken out of", "set vocabulary = 0 under [student]"
    )
    vocabulary: dict[str, int] = file["model"]["vocab"]
    prefix = file["model"].get("continuing_subword_prefix", "##")
    special = {token["content"] for token in file["added_tokens"]}
    needed = {
        piece
        for piece in vocabulary
        if piece in special or len(piece.removeprefix(prefix)) == 1 or piece == "[PAD]"
    }
    if len(needed) > count:
        raise ConfigError(
            f"{len(needed)} pieces are single characters, more than vocabulary = {count}",
            "raise it under [student]",
        )
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    tokenizer.no_truncation()
    seen = Counter(
        piece for encoding in tokenizer.encode_batch(list(texts)) for piece in encoding.tokens
    )
    wanted = [piece for piece, _ in seen.most_common() if piece not in needed]
    kept = needed | set(wanted[: count - len(needed)])
    pieces = sorted((p for p in vocabulary if p in kept), key=vocabulary.__getitem__)
    new = {piece: number for number, piece in enumerate(pieces)}
    encoder: Any = AutoModel.from_pretrained(base, local_files_only=True)
    rows = torch.tensor([vocabulary[piece] for piece in pieces])
    table = encoder.get_input_embeddings().weight.detach()[rows].clone()
    encoder.resize_token_embeddings(len(pieces), mean_resizing=False)
    with torch.no_grad():
        encoder.get_input_embeddings().weight.copy_(table)
    encoder.config.pad_token_id = new.get("[PAD]", 0)
    file["model"]["vocab"] = new
    for token in file["added_tokens"]:
        token["id"] = new[token["content"]]
    _renumber(file.get("post_processor") or {}, new)
    save(encoder, base, file, folder)
    return folder


def _renumber(part: Any, new: dict[str, int]) -> None:
    """The ids of special tokens in a post-processor of any kind."""
    if isinstance(part, list):
        for inner in part:
            _renumber(inner, new)
        return
    if not isinstance(part, dict):
        return
    for name in ("sep", "cls"):  # BertProcessing: [token, id]
        if isinstance(part.get(name), list):
            part[name][1] = new[part[name][0]]
    for token in (part.get("special_tokens") or {}).values():  # TemplateProcessing
        token["ids"] = [new[name] for name in token["tokens"]]
    for inner in part.get("processors") or ():
        _renumber(inner, new)
