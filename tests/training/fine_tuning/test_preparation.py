"""What a run settles before its first step: its language."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.training.conftest import Trained
from tests.training.tiny_run import base_folder, validate_little
from training.config import TrainConfig, changed, load_config
from training.data import chinese
from training.fine_tuning.preparation import Ready, prepare
from training.network.run_folder import RunFolder

_BARE = {"model.vectors": "", "loss.sentiment": 0.0, "loss.tags": 0.0, "loss.relations": 0.0}


@pytest.fixture
def bare(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """The tiny recipe for intents, which names no vectors; its base is not 384 wide."""
    validate_little(monkeypatch)
    return changed(load_config(trained.recipe), _BARE)


def _prepared(config: TrainConfig, folder: Path) -> tuple[Ready, Mapping[str, Any]]:
    ready = prepare(config, RunFolder(folder), folder / "no data", Console(quiet=True))
    return ready, ready.run.manifest()


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
