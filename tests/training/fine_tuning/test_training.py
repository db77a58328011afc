"""A tiny model is trained, cut off and resumed, calibrated and loaded again: for real."""

import json
import math
import shutil
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from streams.labels import INTENTS, SENTIMENTS
from tests.training.conftest import Trained
from tests.training.shop import HELD_OUT, TRAINING
from tests.training.tiny_run import recipe, validate_little, write_jsonl
from training.cli import train_main
from training.errors import ConfigError, DataError, DivergedError, LeakError
from training.evaluation.figures import entity_metrics
from training.export.next_version import ExportError, export_run
from training.export.saved_models import predictor_of
from training.fine_tuning.session import run_training
from training.fine_tuning.stepping import Stepper
from training.fine_tuning.trainer import Trainer
from training.inference.predict import TorchPredictor
from training.network.run_folder import RunFolder, file_digest, load_model
from training.network.tokens import load_tokenizer
from training.recipes import load_config


def test_training_learns_something(trained: Trained) -> None:
    """Of 22 types and their extents, from random weights: those of queries that it never saw."""
    assert entity_metrics(predictor_of(trained.run), HELD_OUT)["f1"] > 0.5


def test_the_manifest_says_what_was_done_with_what(trained: Trained) -> None:
    manifest = json.loads((trained.run / "manifest.json").read_text("utf-8"))
    assert manifest["arguments"]["seed"] == 3
    assert manifest["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert manifest["versions"]["intentstream"] == version("intentstream")
    own = str(trained.recipe.with_name("own.jsonl"))
    assert manifest["data"] == {own: file_digest(Path(own))}
    assert manifest["processor"]
    assert manifest["examples_an_epoch"]["requests"] > 250
    labels = manifest["labels_an_epoch"]
    assert 0 < labels["relations"] < labels["tags"] <= labels["intent"]
    assert labels["vector"] == sum(manifest["examples_an_epoch"].values())
    assert set(manifest["learnt"]) == {"intent", "sentiment", "tags", "relations", "vector"}
    assert 0.2 <= manifest["calibration"]["temperature"] <= 5.0
    assert list((trained.run / "tensorboard").iterdir())


def test_the_saved_model_loads_without_its_base(trained: Trained) -> None:
    model, calibration = load_model(trained.run / "model")
    predictor = TorchPredictor(model, load_tokenizer(trained.run / "model"), calibration)
    outputs = predictor(["red shoes", "where is my order [ORDER]"])
    assert outputs.intent_logits.shape == (2, 22)
    assert outputs.token_count.tolist()[0] >= 2


@pytest.mark.parametrize("name", ["weights.pt", "config.json", "labels.json"])
def test_a_damaged_model_is_said(trained: Trained, tmp_path: Path, name: str) -> None:
    shutil.copytree(trained.run / "model", tmp_path / "model")
    whole = (tmp_path / "model" / name).read_bytes()
    (tmp_path / "model" / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ConfigError, match=r"the model in .* is damaged"):
        load_model(tmp_path / "model")


def test_a_run_that_is_cut_off_goes_on_to_the_same_weights(
    trained: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = 0
    train_on = Trainer._train_on

    def cut_off(self: Trainer, batch: Any) -> dict[str, float]:
        nonlocal steps
        steps += 1
        if steps == 50:
            raise KeyboardInterrupt
        return train_on(self, batch)

    monkeypatch.setattr("training.fine_tuning.trainer._CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(Trainer, "_train_on", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run_training(trained.recipe, tmp_path / "run", trained.nothing, measure=False)
    assert "the same command goes on from the last checkpoint" in capsys.readouterr().err
    monkeypatch.setattr(Trainer, "_train_on", train_on)
    _take_longer(tmp_path / "run", 5000.0)
    manifest = run_training(trained.recipe, tmp_path / "run", trained.nothing, measure=False)
    assert 5000 <= manifest["seconds"] < 6000  # with those before it was cut off
    said = " ".join(capsys.readouterr().err.split())
    assert f"next: intentstream evaluate {tmp_path / 'run'}" in said
    whole, _ = load_model(trained.run / "model")
    resumed, _ = load_model(tmp_path / "run" / "model")
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight)


def _take_longer(run: Path, seconds: float) -> None:
    """Makes a checkpoint one of a run that has taken so much longer."""
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    assert state["seconds"] > 0.0
    torch.save(state | {"seconds": state["seconds"] + seconds}, run / "checkpoint.pt")


def test_a_finished_run_that_is_started_again_keeps_its_time(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    run = shutil.copytree(trained.run, tmp_path / "run")
    _take_longer(run, 5000.0)
    manifest = run_training(trained.recipe, run, trained.nothing, measure=False)
    assert 5000 <= manifest["seconds"] < 6000


def test_a_run_does_not_go_on_with_a_file_that_has_changed(
    trained: Trained, tmp_path: Path
) -> None:
    run = shutil.copytree(trained.run, tmp_path / "run")
    manifest = json.loads((run / "manifest.json").read_text("utf-8"))
    manifest["data"] = dict.fromkeys(manifest["data"], "another sha256")
    (run / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(ConfigError, match=r"own\.jsonl changed since \(give a new --run folder"):
        train_main(trained.recipe, run, trained.nothing, evaluate=False)


def test_a_run_folder_holds_one_configuration(trained: Trained, tmp_path: Path) -> None:
    base = Path(
        json.loads((trained.run / "manifest.json").read_text("utf-8"))["arguments"]["model"]["base"]
    )
    other = recipe(tmp_path, base, epochs=1)
    with pytest.raises(ConfigError, match="another configuration"):
        train_main(other, trained.run, trained.nothing, evaluate=False)


def test_a_leak_is_an_error_before_the_first_step(trained: Trained, tmp_path: Path) -> None:
    base = Path(
        json.loads((trained.run / "manifest.json").read_text("utf-8"))["arguments"]["model"]["base"]
    )
    copies = write_jsonl(tmp_path / "validation.jsonl", TRAINING[:3])
    config = recipe(tmp_path, base)
    text = config.read_text("utf-8").replace('on_leak = "drop"', 'on_leak = "error"')
    config.write_text(f"{text}\n[[data.validation]]\npath = {json.dumps(str(copies))}\n", "utf-8")
    with pytest.raises(LeakError, match="training texts are evaluation texts too"):
        train_main(config, tmp_path / "run", trained.nothing, evaluate=False)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_recipe_without_some_class_is_an_error(trained: Trained, tmp_path: Path) -> None:
    base = Path(
        json.loads((trained.run / "manifest.json").read_text("utf-8"))["arguments"]["model"]["base"]
    )
    config = recipe(tmp_path, base)
    config.write_text(config.read_text("utf-8").replace("requests = 300", "requests = 0"), "utf-8")
    with pytest.raises(DataError, match="no training example of intent"):
        train_main(config, tmp_path / "run", trained.nothing, evaluate=False)


@pytest.fixture
def requests_alone(trained: Trained, tmp_path: Path) -> Path:
    """A recipe of a shop's CSV: every intent and sentiment, and no entity."""
    model = load_config(trained.recipe).model
    labels = product(INTENTS, SENTIMENTS)
    rows = [f"{intent} {feeling},{intent},{feeling}" for intent, feeling in labels]
    file = tmp_path / "requests.csv"
    file.write_text("\n".join(("text,intent,sentiment", *rows)), "utf-8")
    config = tmp_path / "requests.toml"
    said = f"[model]\nbase = {json.dumps(model.base)}\nvectors = {json.dumps(model.vectors)}\n"
    said += f"[[data.files]]\npath = {json.dumps(str(file))}\n[optimizer]\nepochs = 1\n"
    config.write_text(said, "utf-8")
    return config


def test_a_task_without_any_label_is_an_error_before_the_first_step(
    trained: Trained, requests_alone: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="has a label for tags, relations "):
        train_main(requests_alone, tmp_path / "run", trained.nothing, evaluate=False)
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_a_task_without_any_label_may_be_left_out(
    trained: Trained, requests_alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    text = requests_alone.read_text("utf-8")
    requests_alone.write_text(f"{text}\n[loss]\ntags = 0\nrelations = 0\n", "utf-8")
    run = tmp_path / "run"
    manifest = run_training(requests_alone, run, trained.nothing, measure=False)
    assert manifest["learnt"] == ["intent", "sentiment", "vector"]
    with pytest.raises(ExportError, match="has not learnt tags, relations"):
        export_run(run, tmp_path / "repository", [])


@pytest.mark.parametrize(
    ("scores", "measured", "best"),
    [((0.5, 0.6, 0.6, 0.1, 0.9, 0.9), 4, 2), ((0.1, 0.0, 0.2, 0.1, 0.3, 0.2), 6, 5)],
)
def test_training_stops_after_so_many_epochs_without_a_better_one(
    trained: Trained,
    requests_alone: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scores: tuple[float, ...],
    measured: int,
    best: int,
) -> None:
    """Of six; as good as the best is not better."""
    validate_little(monkeypatch)
    left = list(scores)
    monkeypatch.setattr(
        "training.fine_tuning.trainer.validation_score", lambda *_: {"score": left.pop(0)}
    )
    text = requests_alone.read_text("utf-8").replace("epochs = 1", "epochs = 6\npatience = 2")
    requests_alone.write_text(f"{text}\n[loss]\ntags = 0\nrelations = 0\nvector = 0\n", "utf-8")
    manifest = run_training(requests_alone, tmp_path / "run", trained.nothing, measure=False)
    assert len(scores) - len(left) == measured
    assert manifest["best_epoch"] == {"score": scores[best - 1], "epoch": best}


def test_a_model_to_begin_with_may_know_what_the_data_do_not_say(
    trained: Trained, requests_alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    start = shutil.copytree(trained.run, tmp_path / "start")
    text = requests_alone.read_text("utf-8").replace("[model]", f"[model]\nstart = '{start}'")
    requests_alone.write_text(text, "utf-8")
    manifest = run_training(requests_alone, tmp_path / "run", trained.nothing, measure=False)
    assert manifest["labels_an_epoch"]["tags"] == 0
    assert {"tags", "relations"} <= set(manifest["learnt"])
    RunFolder(start).record(learnt=["intent", "tags"])
    with pytest.raises(ConfigError, match="has a label for relations "):
        train_main(requests_alone, tmp_path / "other", trained.nothing, evaluate=False)


def test_a_loss_that_is_no_number_ends_the_run(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Path(
        json.loads((trained.run / "manifest.json").read_text("utf-8"))["arguments"]["model"]["base"]
    )
    losses = {"tags": math.nan, "intent": 1.0}
    monkeypatch.setattr(Stepper, "train_on", lambda *_args, **_options: losses)
    with pytest.raises(DivergedError, match="loss of tags is no number any more, in step 1 "):
        train_main(recipe(tmp_path, base), tmp_path / "run", trained.nothing, evaluate=False)
