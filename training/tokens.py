"""Word pieces, and which of them stand for a word."""

from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information

from streams.labels import INTENTS, SENTIMENTS, bio_tags
from training.examples import Example

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
        text: the example's text: whose sentence vector is to be kept.
    """

    ids: tuple[int, ...]
    intent: int
    sentiment: int
    tags: tuple[int, ...]
    pairs: tuple[tuple[int, int, float], ...]
    text: str


def load_tokenizer(folder: Path) -> Tokenizer:
    """The fast tokenizer of a model folder; a special token that a shopper types is plain text."""
    tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
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
        touches = start <= end and not (_ideograph(text[end - 1]) or _ideograph(text[start]))
        if not touches:
            firsts.append(position)
        end = stop
    return firsts


def _ideograph(character: str) -> bool:
    return "⺀" <= character <= "鿿" or "豈" <= character <= "﫿" or character >= "\U00020000"


def encode(examples: list[Example], tokenizer: Tokenizer, max_pieces: int) -> list[Encoded]:
    """Examples as numbers, texts cut to `max_pieces` word pieces, special ones included."""
    encodings = tokenizer.encode_batch([example.text for example in examples])
    return [
        _encoded(example, encoding.ids, encoding.offsets, max_pieces)
        for example, encoding in zip(examples, encodings, strict=True)
    ]


def _encoded(
    example: Example, ids: list[int], offsets: list[tuple[int, int]], max_pieces: int
) -> Encoded:
    if len(ids) > max_pieces:
        ids = [*ids[: max_pieces - 1], ids[-1]]
        offsets = [*offsets[: max_pieces - 1], offsets[-1]]
    tags = [IGNORED] * len(ids)
    first_of: dict[int, int] = {}
    if example.spans is not None:
        inner = [(0, 0), *offsets[1:-1], (0, 0)]
        for position in first_pieces(example.text, inner):
            start, stop = inner[position]
            tags[position] = _tag(example, start, stop, position, first_of)
    return Encoded(
        ids=tuple(ids),
        intent=_INTENT_IDS[example.intent] if example.intent else IGNORED,
        sentiment=_SENTIMENT_IDS[example.sentiment] if example.sentiment else IGNORED,
        tags=tuple(tags),
        pairs=_pairs(example, first_of),
        text=example.text,
    )


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
    products = {
        n for n, span in enumerate(spans) if span.type in ("core_product_type", "product_name")
    }
    true_pairs = set(example.relations)
    owned = {attribute for _, attribute in example.relations}
    return tuple(
        (first_of[product], first_of[attribute], float((product, attribute) in true_pairs))
        for product in sorted(products)
        for attribute in sorted(owned)
        if product in first_of and attribute in first_of
    )
