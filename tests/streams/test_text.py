"""Normalising: what is removed, what is kept, and that it is a fixed point."""

import sys
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.text import TextTooLong, normalise

any_text = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("blue shoes", "blue shoes"),
        ("  blue \t\n shoes\r", "blue shoes"),
        ("Nike AIR Max", "Nike AIR Max"),
        ("ｎｉｋｅ　ａｉｒ", "nike air"),  # full-width letters and the ideographic space
        ("ﬁtted sheet", "fitted sheet"),
        ("cafe\u0301", "café"),
        ("shoes\u200b\u200d\ufeff for\u00ad men", "shoes for men"),
        ("\u202eseohs\u202c", "seohs"),  # bidi override
        ("\u2067حذاء\u2069", "حذاء"),
        ("nul\x00l bell\x07", "null bell"),
        ("\u3164\u115f\u1160", ""),  # Hangul fillers draw nothing
        ("❤\ufe0f", "❤"),
        ("\u00a0 \u2003 ", ""),
        ("", ""),
        ("\ud83d shoes", "\ufffd shoes"),  # a lone surrogate
        ("\udc4d\ud83d", "\ufffd\ufffd"),
        ("\ud83d\udc4d", "👍"),  # a pair that came as two
        ("1½ inch ™", "11⁄2 inch TM"),
    ],
)
def test_each_oddity_has_one_outcome(raw: str, expected: str) -> None:
    assert normalise(raw) == expected


@given(any_text)
@example("¨")
@example("a\u200b\u0301")
def test_is_a_fixed_point(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once


@given(any_text)
def test_result_is_clean(raw: str) -> None:
    result = normalise(raw)
    assert result == result.strip()
    assert "  " not in result
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs") for char in result)
    assert unicodedata.is_normalized("NFKC", result)
    result.encode()  # encodes: no surrogate is left


def test_no_single_character_brings_back_a_removed_one() -> None:
    for code in range(sys.maxunicode + 1):
        result = normalise(chr(code))
        assert normalise(result) == result, hex(code)


def test_length_is_counted_before() -> None:
    assert normalise("a" * 8000) == "a" * 8000
    with pytest.raises(TextTooLong) as caught:
        normalise(" " * 8001)
    assert (caught.value.chars, caught.value.max_chars) == (8001, 8000)


def test_length_is_counted_after() -> None:
    """U+FDFA becomes eighteen characters."""
    with pytest.raises(TextTooLong):
        normalise("\ufdfa" * 500)
    assert len(normalise("\ufdfa" * 400, max_chars=7300)) > 400


@pytest.mark.parametrize(
    "unit", ["\u0316\u0301", "\u0345\u0334", "a\u0301", "\u200b", " ", "\ud83d", "각"]
)
def test_hostile_text_takes_bounded_time(unit: str) -> None:
    began = time.perf_counter()
    normalise((unit * 8000)[:8000])
    assert time.perf_counter() - began < 2
