"""Which encoder a text goes to: by its letters alone."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from training.inference import scripts

FRONT = Path(__file__).resolve().parents[2] / "model_repository/query_understanding/1/model.py"


@pytest.fixture(scope="module")
def front() -> ModuleType:
    """The front's module; outside of Triton its bindings are an empty module."""
    pytest.importorskip("tokenizers", reason="needs the training extra")
    with pytest.MonkeyPatch.context() as patch:
        name = "triton_python_backend_utils"
        patch.setitem(sys.modules, name, ModuleType(name))
        spec = importlib.util.spec_from_file_location("front", FRONT)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


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
