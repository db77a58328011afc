"""A run begins with a trained model: another run's, or one that was exported as int8."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.conftest import Shipped, Trained
from tests.training.tiny_run import base_folder
from training.config import ModelConfig, StudentConfig, TrainConfig, TuningConfig
from training.errors import ConfigError
from training.export.saved_models import predictor_of
from training.fine_tuning.session import run_training
from training.fine_tuning.starting_point import begin_with, draw_back, located, start_facts
from training.inference.predict import TorchPredictor
from training.network.query_model import QueryModel
from training.network.run_folder import load_model, manifest_of
from training.network.tokens import load_tokenizer
from training.recipes import changed, load_config, recipe_at

_TEXTS = ["red shoes", "where is my order [ORDER]", "red shoes and a blue bag for women"]


@pytest.fixture
def base(trained: Trained) -> Path:
    return Path(load_config(trained.recipe).model.base)


def test_a_run_begins_where_another_ended(trained: Trained, base: Path) -> None:
    model = QueryModel.from_base(base)
    begin_with(model, trained.run, base)
    before, _ = load_model(trained.run / "model")
    assert all(
        torch.equal(value, before.state_dict()[name]) for name, value in model.state_dict().items()
    )


def test_a_share_of_the_start_is_kept(trained: Trained, base: Path) -> None:
    before, _ = load_model(trained.run / "model")
    model = QueryModel.from_base(base)
    after = copy.deepcopy(model)
    draw_back(model, trained.run, base, 0.25)
    for own, new, old in zip(
        model.parameters(), after.parameters(), before.parameters(), strict=True
    ):
        assert torch.allclose(own, 0.75 * new + 0.25 * old, atol=1e-6)


def test_a_run_keeps_a_share_of_its_start(trained: Trained, tmp_path: Path) -> None:
    """What a run leaves lies on the line between its start and what it was trained to."""
    text = trained.recipe.read_text()
    ends = {}
    for share in (0.0, 0.4):
        recipe = tmp_path / f"{share}.toml"
        recipe.write_text(
            text.replace("[model]", f"[model]\nstart = '{trained.run}'\nstart_share = {share}")
        )
        run_training(recipe, tmp_path / f"{share}", trained.nothing, measure=False)
        ends[share] = load_model(tmp_path / f"{share}" / "model")[0]
    before, _ = load_model(trained.run / "model")
    for whole, drawn, old in zip(
        ends[0.0].parameters(), ends[0.4].parameters(), before.parameters(), strict=True
    ):
        assert torch.allclose(drawn, 0.6 * whole + 0.4 * old, atol=1e-5)


def test_a_run_keeps_a_share_of_another(trained: Trained, tmp_path: Path) -> None:
    """Two runs from one base are averaged, and the manifest names both."""
    text = trained.recipe.read_text()
    ends: list[torch.nn.Module] = []
    for added in ("", f"start_share = 0.5\nshare_of = '{trained.run}'"):
        recipe = tmp_path / f"recipe {len(ends)}.toml"
        recipe.write_text(
            text.replace("seed = 1", "seed = 2").replace("[model]", f"[model]\n{added}")
        )
        facts = run_training(recipe, tmp_path / str(len(ends)), trained.nothing, measure=False)
        ends.append(load_model(tmp_path / str(len(ends)) / "model")[0])
    other, _ = load_model(trained.run / "model")
    for whole, averaged, theirs in zip(*(m.parameters() for m in (*ends, other)), strict=True):
        assert torch.allclose(averaged, (whole + theirs) / 2, atol=1e-5)
    assert facts["share_of"]["path"] == str(trained.run)
    assert facts["share_of"]["share"] == 0.5


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (TrainConfig(model=ModelConfig(start_share=0.3)), "needs a start"),
        (TrainConfig(model=ModelConfig(share_of="x")), "needs a start_share"),
        (
            TrainConfig(
                model=ModelConfig(start="x", start_share=0.3), student=StudentConfig(heads=0.5)
            ),
            "of its start's shape",
        ),
        (
            TrainConfig(
                model=ModelConfig(start="x", start_share=0.3), tuning=TuningConfig(method="prefix")
            ),
            "of its start's shape",
        ),
    ],
)
def test_a_share_of_what_cannot_be_mixed_is_said(config: TrainConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        changed(config, {"data.generated": {"requests": 10}})


def test_a_run_begins_with_what_is_served(shipped: Shipped, base: Path) -> None:
    """All weights are there, as int8 has kept them: the same answers but for its rounding."""
    folder = shipped.exported.folder
    model = QueryModel.from_base(base)
    begin_with(model, folder, base)
    served = predictor_of(folder)(_TEXTS)
    ours = TorchPredictor(model.eval(), load_tokenizer(base))(_TEXTS)
    for name in ("intent_logits", "sentiment_logits", "tag_logits", "sentence_vector"):
        one, other = getattr(served, name), getattr(ours, name)
        assert np.abs(one - other).max() < 0.1 * max(np.abs(one).max(), 1.0)
    assert (served.intent_logits.argmax(1) == ours.intent_logits.argmax(1)).all()
    facts = start_facts(folder)
    assert facts["path"] == folder.as_posix()
    assert facts["seconds"] == manifest_of(folder)["seconds"]


def test_the_projects_own_models_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = Path(load_config(recipe_at(Path("quick"))).model.start)
    assert not own.exists()
    assert (located(own) / "model.onnx").is_file()
    with pytest.raises(ConfigError, match="no trained model at nowhere"):
        located(Path("nowhere"))


def test_another_base_or_nothing_there_is_said(
    trained: Trained, base: Path, tmp_path: Path
) -> None:
    other = base_folder(tmp_path / "base", width=24)
    with pytest.raises(ConfigError, match="another base"):
        begin_with(QueryModel.from_base(other), trained.run, other)
    with pytest.raises(ConfigError, match="no trained model"):
        begin_with(QueryModel.from_base(base), tmp_path, base)
