"""How well a tokenizer's word pieces fit a shop's texts, and words of the shop added to them."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information
from transformers import AutoModel

from training.bases.encoder_folder import is_whole, read_word_pieces, save
from training.data.examples import Example
from training.network.tokens import load_tokenizer

_SHOWN = 50
_RARE = 5
"""A word seen less often than this has no place of its own in a vocabulary."""


@dataclass(frozen=True, slots=True)
class SplitWord:
    """A word that the vocabulary does not have whole."""

    word: str
    count: int
    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VocabularyReport:
    """How a tokenizer cuts texts.

    Attributes:
        words: how many there are, counted each time.
        different: how many different ones.
        pieces_a_word: the mean.
        whole: the share of words that are one piece.
        unknown: the share of words with a piece that stands for anything unknown.
        split: the words that are cut, the most frequent first.
    """

    words: int
    different: int
    pieces_a_word: float
    whole: float
    unknown: float
    split: tuple[SplitWord, ...]

    def as_json(self) -> dict[str, Any]:
        """For a file: the figures, and the most frequent of the words that are cut."""
        return asdict(self) | {"split": [asdict(word) for word in self.split[:_SHOWN]]}

    def candidates(self, count: int) -> list[str]:
        """The most frequent words that are cut, fit to be added: of letters, and not rare."""
        return [
            word.word
            for word in self.split
            if word.count >= _RARE and len(word.word) > 2 and word.word.isalpha()
        ][:count]


def vocabulary_report(texts: Iterable[str], tokenizer: Tokenizer) -> VocabularyReport:
    """Counts words, as the tokenizer sees them, and the pieces that they are cut into."""
    counts: Counter[str] = Counter()
    for text in texts:
        normal = text if tokenizer.normalizer is None else tokenizer.normalizer.normalize_str(text)
        split = tokenizer.pre_tokenizer
        parts = [(normal, None)] if split is None else split.pre_tokenize_str(normal)
        counts.update(word for word, _ in parts)
    unknown = getattr(tokenizer.model, "unk_token", None)
    cut = {word: tuple(p.value for p in tokenizer.model.tokenize(word)) for word in counts}
    words = max(counts.total(), 1)
    return VocabularyReport(
        words=counts.total(),
        different=len(counts),
        pieces_a_word=sum(len(cut[word]) * n for word, n in counts.items()) / words,
        whole=sum(n for word, n in counts.items() if len(cut[word]) == 1) / words,
        unknown=sum(n for word, n in counts.items() if unknown in cut[word]) / words,
        split=tuple(
            SplitWord(word, n, cut[word]) for word, n in counts.most_common() if len(cut[word]) > 1
        ),
    )


def print_vocabulary(report: VocabularyReport, console: Console) -> None:
    """One line of figures, one of words."""
    words = ", ".join(f"{w.word} ({w.count})" for w in report.split[:12])
    console.print(
        f"vocabulary: {report.pieces_a_word:.2f} pieces a word, {report.whole:.1%} of words whole, "
        f"{report.unknown:.2%} unknown; cut most often: {words or 'none'}",
        highlight=False,
    )


def fitted_base(
    base: Path, examples: Iterable[Example], added_words: int, folder: Path, console: Console
) -> Path:
    """Reports how a base's vocabulary fits the training texts; the base, with words added if wanted.

    Args:
        base: a Hugging Face folder.
        examples: what is trained on.
        added_words: how many of the most frequent words that are cut to add.
        folder: of the run: `vocabulary.json` goes there, and the new base to `base/`.
        console: told the figures.

    Raises:
        ConfigError: the vocabulary cannot take words.
    """
    texts = [example.text for example in examples]
    report = vocabulary_report(texts, load_tokenizer(base))
    print_vocabulary(report, console)
    made = folder / "base"
    added = report.candidates(added_words)
    if not is_whole(made):
        text = json.dumps(report.as_json() | {"added": added}, indent=2, ensure_ascii=False)
        (folder / "vocabulary.json").write_text(text + "\n", encoding="utf-8")
    if not added:
        return base
    return made if is_whole(made) else with_words(base, added, made)


def with_words(base: Path, words: Sequence[str], folder: Path) -> Path:
    """Writes the base with whole words added to its vocabulary.

    A new word's embedding is the mean of those of the pieces it was cut into so far, which keeps
    the base's answers near what they were.

    Args:
        base: a Hugging Face folder with a WordPiece tokenizer.
        words: as the tokenizer sees them: lower-cased where it lower-cases.
        folder: where the new base goes.

    Raises:
        ConfigError: the tokenizer is of another kind, whose vocabulary cannot take single words.
    """
    file = read_word_pieces(base, "words cannot be added to", "set added_words = 0")
    vocabulary: dict[str, int] = file["model"]["vocab"]
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    new = [word for word in dict.fromkeys(words) if word not in vocabulary]
    pieces = [[piece.id for piece in tokenizer.model.tokenize(word)] for word in new]
    first = max(*vocabulary.values(), *(token["id"] for token in file["added_tokens"])) + 1
    vocabulary.update({word: first + number for number, word in enumerate(new)})
    encoder: Any = AutoModel.from_pretrained(base, local_files_only=True)
    table = encoder.resize_token_embeddings(
        max(first + len(new), encoder.config.vocab_size), mean_resizing=False
    )
    with torch.no_grad():
        for number, ids in enumerate(pieces):
            table.weight[first + number] = table.weight[ids].mean(dim=0)
    save(encoder, base, file, folder)
    return folder
