"""What a run settles before its first step: its language, and the space of its sentence vectors."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from transformers import AutoConfig

from tests.training.conftest import Trained
from tests.training.tiny_run import base_folder, validate_little
from training.config import TrainConfig
from training.data import chinese
from training.errors import ConfigError
from training.fine_tuning.preparation import Ready, prepare
from training.network.run_folder import RunFolder
from training.recipes import changed, load_config

_BARE = {"model.vectors": "", "loss.sentiment": 0.0, "loss.tags": 0.0, "loss.relations": 0.0}


@pytest.fixture
def bare(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """The tiny recipe for intents, which names no vectors; its base is not 384 wide."""
    validate_little(monkeypatch)
    return changed(load_config(trained.recipe), _BARE)


def _prepared(config: TrainConfig, folder: Path) -> tuple[Ready, Mapping[str, Any]]:
    ready = prepare(config, RunFolder(folder), folder / "no data", Console(quiet=True))
    return ready, ready.run.manifest()


def test_vectors_that_nothing_gives_are_said_before_the_first_step(
    bare: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(
        ConfigError, match=r"384 wide.*base are not.*name.*vectors = .*vector = 0\.0"
    ):
        _prepared(bare, tmp_path / "run")


def test_texts_longer_than_the_base_takes_are_said_before_the_first_step(
    bare: TrainConfig, tmp_path: Path
) -> None:
    longest = changed(bare, {"loss.vector": 0.0, "model.max_pieces": 160})
    _prepared(longest, tmp_path / "longest")
    longer = changed(longest, {"model.max_pieces": 161})
    with pytest.raises(ConfigError, match="max_pieces = 161, and the base has positions for 160"):
        _prepared(longer, tmp_path / "longer")


def test_a_run_that_leaves_vectors_out_has_no_space(bare: TrainConfig, tmp_path: Path) -> None:
    ready, manifest = _prepared(changed(bare, {"loss.vector": 0.0}), tmp_path / "run")
    assert ready.space is None
    assert manifest["vector_space"] is None


def test_a_base_as_wide_as_the_vectors_is_a_space_itself(bare: TrainConfig, tmp_path: Path) -> None:
    wide = base_folder(tmp_path / "wide", 384)
    ready, manifest = _prepared(changed(bare, {"model.base": str(wide)}), tmp_path / "run")
    assert ready.space is not None
    assert manifest["vector_space"]["encoder"] == str(wide)


def test_a_run_stays_in_the_space_of_its_start(
    trained: Trained, bare: TrainConfig, tmp_path: Path
) -> None:
    """Whether it learns vectors or not; unless it names others."""
    space = RunFolder(trained.run).manifest()["vector_space"]
    begun = changed(bare, {"model.start": str(trained.run)})
    ready, manifest = _prepared(begun, tmp_path / "learns")
    assert ready.space is not None
    assert manifest["vector_space"] == space
    ready, manifest = _prepared(changed(begun, {"loss.vector": 0.0}), tmp_path / "leaves")
    assert ready.space is None
    assert manifest["vector_space"] == space
    other = base_folder(tmp_path / "other", 384)
    _, manifest = _prepared(changed(begun, {"model.vectors": str(other)}), tmp_path / "others")
    assert manifest["vector_space"]["encoder"] == str(other)


def test_a_run_made_anew_has_no_base_of_an_earlier_recipe(
    bare: TrainConfig, tmp_path: Path
) -> None:
    """It was cut off before its first checkpoint, and is started again with another recipe."""
    first = changed(bare, {"loss.vector": 0.0, "student.layers": 1, "model.added_words": 3})
    ready, _ = _prepared(first, tmp_path / "run")
    assert AutoConfig.from_pretrained(ready.base).num_hidden_layers == 1
    other = base_folder(tmp_path / "other", 64)
    ready, _ = _prepared(
        changed(first, {"model.base": str(other), "student.layers": 2}), tmp_path / "run"
    )
    found = AutoConfig.from_pretrained(ready.base)
    assert (found.hidden_size, found.num_hidden_layers) == (64, 2)


def test_a_run_does_not_go_on_from_another_model_or_with_other_teachers(
    trained: Trained, bare: TrainConfig, tmp_path: Path
) -> None:
    start = shutil.copytree(trained.run, tmp_path / "start")
    lessons = {str(trained.recipe.with_name("own.jsonl")): 5}
    other = shutil.copytree(trained.run, tmp_path / "other")
    values = {"model.start": str(start), "model.share_of": str(other), "model.start_share": 0.3}
    config = changed(bare, values | {"loss.vector": 0.0, "distillation.texts": lessons})
    run = RunFolder(tmp_path / "run")

    def begin() -> None:
        prepare(config, run, tmp_path / "no data", Console(quiet=True), [start])

    begin()
    run.checkpoint.touch()
    begin()
    answers = run.manifest()["answers_digest"]
    run.record(answers_digest="of another teacher")
    with pytest.raises(ConfigError, match="the teachers, or what they are asked, changed since"):
        begin()
    run.record(answers_digest=answers, start={"path": str(start), "sha256": "another"})
    with pytest.raises(ConfigError, match="start changed since"):
        begin()
    (other / "model" / "weights.pt").write_bytes(b"other weights")
    run.record(start={})
    with pytest.raises(ConfigError, match="other changed since"):
        begin()


def test_the_language_of_the_base_decides_what_validates(bare: TrainConfig, tmp_path: Path) -> None:
    texts = chinese.validation_sets()["intent"]
    silent = changed(bare, {"loss.vector": 0.0})
    ready, manifest = _prepared(silent, tmp_path / "en")
    assert ready.language == manifest["language"] == "en"
    assert ready.validation["intent"] != texts
    said = changed(silent, {"model.language": "zh"})
    ready, manifest = _prepared(said, tmp_path / "zh")
    assert ready.language == manifest["language"] == "zh"
    assert ready.validation["intent"] == texts
    base = base_folder(tmp_path / "chinese")
    (base / "pretraining.json").write_text(json.dumps({"language": "zh"}), "utf-8")
    ready, _ = _prepared(changed(silent, {"model.base": str(base)}), tmp_path / "pretrained")
    assert ready.language == "zh"
