"""Normalising a query's text, before anything else looks at it."""

import re
import sys
import unicodedata

REPLACEMENT = "\ufffd"

_SURROGATE = re.compile("[\ud800-\udfff]")

_INVISIBLE_LETTERS = (0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0)
"""Fillers that are letters by category and draw nothing (Unicode: Default_Ignorable_Code_Point)."""

_INVISIBLE_MARKS = (
    0x034F,
    *range(0x180B, 0x1810),
    *range(0xFE00, 0xFE10),
    *range(0xE0100, 0xE01F0),
)
"""The grapheme joiner and the variation selectors: marks that draw nothing of their own."""


class TextTooLong(ValueError):  # noqa: N818 (it names the reason, as in the dead letter)
    """The text has more characters than the limit, before or after normalising."""

    def __init__(self, chars: int, max_chars: int) -> None:
        super().__init__(f"the text has {chars} characters; the limit is {max_chars}")
        self.chars = chars
        self.max_chars = max_chars


def _removed() -> dict[int, None]:
    """What is deleted: format and control characters (but for white space), fillers, selectors."""
    by_category = (
        code
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code)) in ("Cc", "Cf") and not chr(code).isspace()
    )
    return dict.fromkeys((*by_category, *_INVISIBLE_LETTERS, *_INVISIBLE_MARKS))


_REMOVED = _removed()


def normalise(text: str, *, max_chars: int = 8000) -> str:
    """The text as everything downstream sees it; "" when nothing is left of it.

    NFKC (Unicode Standard Annex 15); zero-width, bidi and other control characters removed;
    surrogate pairs joined and lone surrogates replaced by U+FFFD; runs of white space collapsed
    to one space, ends trimmed; case kept. The result is a fixed point: normalising it again
    changes nothing. Emoji joined by zero-width joiners fall apart into their parts.

    Raises `TextTooLong` beyond `max_chars` code points, counted before and after (NFKC can
    turn one character into eighteen).
    """
    if len(text) > max_chars:
        raise TextTooLong(len(text), max_chars)
    if text.isascii():
        return _spaced(text if text.isprintable() else text.translate(_REMOVED))
    text = whole_characters(text)
    text = _spaced(unicodedata.normalize("NFKC", text.translate(_REMOVED)))
    if len(text) > max_chars:
        raise TextTooLong(len(text), max_chars)
    return text


def whole_characters(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates, which are no text, replaced by U+FFFD."""
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _spaced(text: str) -> str:
    return " ".join(text.split())


def is_ideograph(character: str) -> bool:
    """Whether a character is Chinese or Japanese, a word of its own to tokenizers and the decoder."""
    return "⺀" <= character <= "鿿" or "豈" <= character <= "﫿" or character >= "\U00020000"
