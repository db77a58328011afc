"""Word pieces, and which of them stand for a word."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information

from streams.labels import INTENTS, PRODUCT_TYPES, SENTIMENTS, bio_tags
from streams.text import is_ideograph
from training.data.examples import Example
from training.errors import ConfigError
from training.network.decoders import put_between_ends

IGNORED = -100
"""The target of a piece, or of a whole example, that takes no loss."""

_TAG_IDS = {tag: number for number, tag in enumerate(bio_tags())}
_INTENT_IDS = {name: number for number, name in enumerate(INTENTS)}
_SENTIMENT_IDS = {name: number for number, name in enumerate(SENTIMENTS)}


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as numbers.

    Attributes:
        ids: word pieces with the special ones around them.
        tags: one target a piece; only a word's first piece has one.
        pairs: (position of a product, position of an attribute, 1.0 if they belong together).
        meaning: the text whose sentence vector this one's is to equal; "" where there is none.
        soft: float16 [pieces, tags], what a teacher thinks of each word at its first piece, 0
            elsewhere; None where no teacher has been asked.
    """

    ids: tuple[int, ...]
    intent: int
    sentiment: int
    tags: tuple[int, ...]
    pairs: tuple[tuple[int, int, float], ...]
    meaning: str
    soft: NDArray[np.float16] | None = field(default=None, compare=False)


SoftTargets = Callable[[str], NDArray[np.float32] | None]
"""A teacher's probabilities [words, tags] of a text, or None for one that it has not seen."""


def load_tokenizer(folder: Path) -> Tokenizer:
    """The fast tokenizer of a model folder; a special token that a shopper types is plain text.

    Raises:
        ConfigError: there is none, it is damaged, or its pieces cannot be counted as words.
    """
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise ConfigError(
            f"{folder.name} has no tokenizer.json", "save the base with a fast tokenizer"
        )
    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the tokenizers library has no narrower one
        raise ConfigError(
            f"{file} is no tokenizer, or is damaged: {error}", "copy it again whole"
        ) from error
    if tokenizer.num_special_tokens_to_add(False) != 2:
        put_between_ends(tokenizer, folder)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def first_pieces(text: str, offsets: list[tuple[int, int]]) -> list[int]:
    """Positions of the pieces that begin a word, as the decoder sees words.

    Pieces that touch are one word, but an ideograph is a word of its own; a piece that covers no
    character beyond its predecessor's is none.
    """
    firsts: list[int] = []
    end = -1
    for position, (start, stop) in enumerate(offsets):
        if stop <= start or stop <= end:
            continue
        touches = start <= end and not (is_ideograph(text[end - 1]) or is_ideograph(text[start]))
        if not touches:
            firsts.append(position)
        end = stop
    return firsts


def pieces_of_words(text: str, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The pieces of each word, as `first_pieces` sees words: its first, and the one behind its last.

    A text that the tokenizer makes nothing of, such as U+FFFD alone, has none.
    """
    return list(pairwise([*first_pieces(text, offsets), len(offsets)]))


def encode(
    examples: list[Example],
    tokenizer: Tokenizer,
    max_pieces: int,
    soft_targets: SoftTargets | None = None,
) -> list[Encoded]:
    """Examples as numbers, texts cut to `max_pieces` word pieces, special ones included.

    Args:
        examples: with texts.
        tokenizer: of the model that is trained.
        max_pieces: 3 or more.
        soft_targets: of a teacher, for texts as they were before noise.
    """
    encodings = tokenizer.encode_batch([example.text for example in examples])
    return [
        _encoded(example, encoding.ids, encoding.offsets, max_pieces, soft_targets)
        for example, encoding in zip(examples, encodings, strict=True)
    ]


def _encoded(
    example: Example,
    ids: list[int],
    offsets: list[tuple[int, int]],
    max_pieces: int,
    soft_targets: SoftTargets | None,
) -> Encoded:
    if len(ids) > max_pieces:
        ids = [*ids[: max_pieces - 1], ids[-1]]
        offsets = [*offsets[: max_pieces - 1], offsets[-1]]
    tags = [IGNORED] * len(ids)
    first_of: dict[int, int] = {}
    inner = [(0, 0), *offsets[1:-1], (0, 0)]
    firsts = first_pieces(example.text, inner)
    if example.spans is not None:
        for position in firsts:
            start, stop = inner[position]
            tags[position] = _tag(example, start, stop, position, first_of)
    clean = example.text if example.clean is None else example.clean
    soft = soft_targets(clean) if soft_targets is not None else None
    return Encoded(
        ids=tuple(ids),
        intent=_INTENT_IDS[example.intent] if example.intent else IGNORED,
        sentiment=_SENTIMENT_IDS[example.sentiment] if example.sentiment else IGNORED,
        tags=tuple(tags),
        pairs=_pairs(example, first_of),
        meaning=clean if example.meaning is None else example.meaning,
        soft=None if soft is None else piece_targets(soft, firsts, len(ids)),
    )


def piece_targets(
    soft: NDArray[np.float32], firsts: Sequence[int], length: int
) -> NDArray[np.float16] | None:
    """Soft targets [length, tags] of a text's pieces, 0 where a piece begins no word.

    None when the words are not those the teacher saw: noise has split or joined some.
    """
    if len(firsts) != len(soft):
        return None
    found = np.zeros((length, soft.shape[1]), np.float16)
    found[list(firsts)] = soft
    return found


def _tag(example: Example, start: int, stop: int, position: int, first_of: dict[int, int]) -> int:
    for number, span in enumerate(example.spans or ()):
        if span.start < stop and start < span.end:
            prefix = "I" if number in first_of else "B"
            first_of.setdefault(number, position)
            return _TAG_IDS[f"{prefix}-{span.type}"]
    return _TAG_IDS["O"]


def _pairs(example: Example, first_of: dict[int, int]) -> tuple[tuple[int, int, float], ...]:
    """Every attribute that belongs to a product, with every product: its own and the others."""
    if not example.relations:
        return ()
    spans = example.spans or ()
    products = {n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES}
    true_pairs = set(example.relations)
    owned = {attribute for _, attribute in example.relations}
    return tuple(
        (first_of[product], first_of[attribute], float((product, attribute) in true_pairs))
        for product in sorted(products)
        for attribute in sorted(owned)
        if product in first_of and attribute in first_of
    )
