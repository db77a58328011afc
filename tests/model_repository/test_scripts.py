"""Which encoder a text goes to: by its letters alone."""

from types import ModuleType

import pytest

from tests.model_repository.conftest import FRONT
from training.inference import scripts


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("red shoes", "en"),
        ("501", "en"),
        ("naïve café", "en"),
        ("size 42 👍", "en"),
        ("٤٢", "en"),
        ("👍", "und"),
        ("?!", "und"),
        ("。。。", "und"),
        ("ｒｅｄ", "en"),
        ("", "und"),
        (" \t\n", "und"),
        ("\u3000", "und"),
        ("我想买一部手机", "zh"),
        ("苹果 iPhone 15 手机壳", "zh"),
        ("蘋果手機殼", "zh"),
        ("鞋42", "zh"),
        ("雪花秀 설화수 面霜套装", "zh"),
        ("バッグ", "und"),
        ("新しい靴", "und"),
        ("بحث عن حذاء", "und"),
        ("красные туфли", "und"),
        ("nike кроссовки", "und"),
        ("adidas superstar о", "en"),
        ("한국 신발", "und"),
    ],
)
def test_script(front: ModuleType, text: str, language: str) -> None:
    assert front.script_of(text) == language
    assert scripts.script_of(text) == language  # the copy that evaluation has


def test_it_imports_nothing_of_ours() -> None:
    source = FRONT.read_text(encoding="utf-8")
    assert not any(
        f"import {name}" in source or f"from {name}" in source
        for name in ("streams", "workers", "training")
    )
