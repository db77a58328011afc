"""What decides and what calibrates: the tasks that a recipe trains, and a shop's own texts."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from streams.decoding import ModelOutputs
from tests.training.conftest import Trained
from tests.training.tiny_run import write_jsonl
from training.config import DataConfig, FileConfig
from training.data.examples import Example
from training.data.generator import compose
from training.errors import DataError
from training.export.saved_models import predictor_of
from training.fine_tuning.calibration import calibrate
from training.fine_tuning.validation import validation_sets
from training.inference.predict import Predictor


class Silent:
    """A model that must not be asked."""

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        raise AssertionError(texts)


def test_a_model_of_entities_alone_is_not_calibrated(tmp_path: Path) -> None:
    assert calibrate(Silent(), tmp_path, tasks={"tags"}) == {}  # type: ignore[arg-type] # no labels


def test_a_shops_own_texts_count_in_calibration(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "training.fine_tuning.calibration.calibration_texts", lambda _: compose("feelings", 9, 1)
    )
    model: Predictor = predictor_of(trained.run)
    own = [Example("where is it", "own", intent="track_order"), Example("hi", "own", "chitchat")]
    found = calibrate(model, trained.nothing, own=own)
    assert set(found) == {"temperature", "sentiment_temperature", "out_of_scope_threshold"}


def test_a_shops_own_validation_texts_decide(tmp_path: Path) -> None:
    texts = [
        Example("super", "own", sentiment="positive"),
        *(e for e in compose("products", 40, 3) if e.relations),
    ]
    file = FileConfig(str(write_jsonl(tmp_path / "own.jsonl", texts)))
    found = validation_sets(DataConfig(validation=(file,)), tmp_path)
    assert [e.text for e in found["sentiment"] if e.sentiment == "positive"] == ["super"]
    assert {e.source for e in found["relations"]} == {"own.jsonl"}


def test_a_run_that_no_text_decides_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="for what is trained: sentiment"):
        validation_sets(DataConfig(), tmp_path, {"sentiment"})
