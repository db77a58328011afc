"""Which language a model is of: its base says it, or the recipe does."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.tiny_run import base_folder
from training.bases.languages import known_language, language_in, language_of
from training.bases.pretraining import Pretraining, pretrain
from training.data.generator import compose
from training.errors import ConfigError

_PLAN = Pretraining(batch=16, head_steps=1, threads=1)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """One that says nothing of its language."""
    folder = tmp_path / "bases" / "mine"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    return folder


def _say(file: Path, **facts: Any) -> None:
    file.write_text(json.dumps(facts), encoding="utf-8")


def test_a_base_of_the_recipes_has_its_own_and_the_recipe_cannot_contradict() -> None:
    assert language_of("all-MiniLM-L6-v2") == "en"
    assert language_of("bge-small-zh-v1.5") == language_of("bge-small-zh-v1.5", "zh") == "zh"
    with pytest.raises(
        ConfigError, match=r'language = "en", and the base bge-small-zh.* is of "zh"'
    ):
        language_of("bge-small-zh-v1.5", "en")


def test_of_a_base_that_does_not_say_the_recipe_says_it_and_english_is_the_default(
    base: Path,
) -> None:
    for silent in (str(base), "owner/on-the-hub"):
        assert known_language(silent) is None
        assert language_of(silent) == "en"
        assert language_of(silent, "zh") == "zh"


def test_a_base_that_was_trained_on_keeps_its_language(base: Path) -> None:
    said = base / "pretraining.json"
    _say(said, arguments={"base": "elsewhere"}, language="zh")
    assert language_of(str(base)) == "zh"
    with pytest.raises(ConfigError, match=r'is of "zh"'):
        language_of(str(base), "en")
    _say(said, arguments={"base": "bge-small-zh-v1.5"})  # written before the language was
    assert language_of(str(base)) == "zh"
    _say(said, arguments={"base": "owner/on-the-hub"}, language=None)
    assert language_of(str(base), "zh") == "zh"


def test_a_base_that_a_run_has_made_is_of_the_runs_language(base: Path) -> None:
    manifest = base.parent / "manifest.json"
    _say(manifest, arguments={"model": {"base": "owner/on-the-hub"}}, language="zh")
    assert language_of(str(base)) == "zh"
    _say(manifest, arguments={"model": {"base": "bge-small-zh-v1.5"}})
    assert language_of(str(base)) == "zh"


def test_a_base_of_a_language_that_there_is_not_or_that_is_damaged_is_said(base: Path) -> None:
    said = base / "pretraining.json"
    _say(said, language="fr")
    with pytest.raises(ConfigError, match=r"language is 'fr'.*en and zh"):
        language_of(str(base))
    said.write_text("{", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"pretraining\.json is damaged"):
        language_of(str(base))


def test_a_models_language_is_that_of_its_run_or_else_of_its_base() -> None:
    base = {"arguments": {"model": {"base": "bge-small-zh-v1.5"}}}  # of before runs kept it
    assert language_in(base) == "zh"
    assert language_in({"arguments": {"model": {"base": "owner/x", "language": "zh"}}}) == "zh"
    assert language_in({"language": "zh", "arguments": {"model": {"base": "owner/x"}}}) == "zh"
    assert language_in({}) == "en"
    assert language_in({}, "zh") == "zh"


def test_pre_training_hands_the_language_on(tmp_path: Path) -> None:
    queries = tmp_path / "queries.txt"
    queries.write_text("\n".join(e.text for e in compose("products", 40, 5)), encoding="utf-8")
    first = base_folder(tmp_path / "first")
    facts = pretrain(queries, tmp_path / "second", replace(_PLAN, base=str(first)))
    assert facts["language"] is None  # the recipe may still say it
    _say(first / "pretraining.json", language="zh")
    pretrain(queries, tmp_path / "third", replace(_PLAN, base=str(first)))
    assert language_of(str(tmp_path / "third")) == "zh"
