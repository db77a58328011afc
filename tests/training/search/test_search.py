"""A search over a tiny model: proposals, early stops, going on, and what comes out of it."""

import json
import tomllib
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from tests.training.tiny_run import base_folder, recipe, validate_little
from training.cli import search_main
from training.config import SearchConfig, TrainConfig
from training.errors import ConfigError
from training.fine_tuning.trainer import Trainer
from training.recipes import changed, load_config
from training.search.report import write_best
from training.search.space import Axis, axes_of

_SPACE = """
[search]
figure = "entities_f1"
[search.space]
optimizer.learning_rate = { low = 1e-4, high = 1e-2, log = true }
optimizer.batch = [16, 32]
model.dropout = { low = 0.0, high = 0.3 }
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    path = recipe(folder, base_folder(folder / "base"), extra=_SPACE)
    path.write_text(f"# what a shop has noted\n{path.read_text('utf-8')}", "utf-8")
    return path


def test_a_search_that_is_cut_off_goes_on_and_reports(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    run, nothing = tmp_path / "run", tmp_path / "no data"
    train_on, steps = Trainer._train_on, 0

    def cut_off(self: Trainer, batch: Any) -> dict[str, float]:
        nonlocal steps
        steps += 1
        if steps == 100:  # in the second trial: the recipe itself takes 84
            raise KeyboardInterrupt
        return train_on(self, batch)

    monkeypatch.setattr(Trainer, "_train_on", cut_off)
    with pytest.raises(KeyboardInterrupt):
        search_main(config, run, 5, nothing)
    monkeypatch.setattr(Trainer, "_train_on", train_on)
    search_main(config, run, 5, nothing)

    facts = json.loads((run / "search.json").read_text("utf-8"))
    ended = [trial for trial in facts["trials"] if trial["state"] != "cut off"]
    (lost,) = (trial for trial in facts["trials"] if trial["state"] == "cut off")
    assert len(ended) == 5
    assert sum(trial["values"] == lost["values"] for trial in ended) == 1  # taken up again
    own = load_config(config)
    assert lost["number"] == 1
    assert ended[0]["values"]["optimizer.learning_rate"] == own.optimizer.learning_rate
    assert facts["best"]["value"] == max(trial["value"] or 0 for trial in ended)
    assert not list(run.glob("trials/*/checkpoint.pt"))

    best = run / "best.toml"
    assert best.read_text("utf-8").startswith("# what a shop has noted\n")
    found = load_config(best)
    assert found.optimizer.batch == facts["best"]["values"]["optimizer.batch"]
    assert found.model.dropout == pytest.approx(facts["best"]["values"]["model.dropout"], rel=1e-3)

    page = (run / "search.html").read_text("utf-8")
    assert page.count("<svg") >= 3
    assert "optimizer.learning_rate" in page
    assert "http://localhost" not in page

    own_file = config.with_name("own.jsonl")
    before = own_file.read_text("utf-8")
    own_file.write_text(before + before.splitlines()[0] + "\n", "utf-8")
    with pytest.raises(ConfigError, match=r"own\.jsonl changed since"):
        search_main(config, run, 6, nothing)
    own_file.write_text(before, "utf-8")

    other = tmp_path / "other.toml"
    other.write_text(config.read_text("utf-8").replace("seed = 3", "seed = 4"), "utf-8")
    with pytest.raises(ConfigError, match="holds a search of another recipe"):
        search_main(other, run, 6, nothing)


def test_a_trial_that_does_badly_is_stopped_early(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same trials again, scored by hand: only the pruner decides here."""
    validate_little(monkeypatch)
    marks = iter([0.5, 0.6, 0.5, 0.6, 0.5, 0.6, 0.5, 0.6, 0.1, 0.2])

    def train(_: Trainer, heard: Any) -> dict[str, float]:
        scores: dict[str, float] = {}
        for epoch in (1, 2):
            scores = {"entities_f1": next(marks), "score": 0.0}
            heard(epoch, scores)
        return scores

    monkeypatch.setattr(Trainer, "train", train)
    run = tmp_path / "run"
    search_main(config, run, 5, tmp_path / "no data")
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{run / 'search.sqlite3'}")
    assert [t.state for t in study.trials] == [TrialState.COMPLETE] * 4 + [TrialState.PRUNED]
    assert next(marks) == 0.2  # its second epoch never came


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"model": {"base": ["one", "other"]}}, "cannot vary model.base"),
        ({"optimizer": {"speed": {"low": 1.0, "high": 2.0}}}, "unknown name 'speed'"),
        ({"optimizer": {"batch": {"low": 8}}}, "is no range"),
        ({"optimizer": {"epochs": {"low": 5, "high": 5}}}, "range is empty"),
        ({"optimizer": {"learning_rate": {"low": 0.0, "high": 0.01, "log": True}}}, "is empty"),
        ({"optimizer": {"learning_rate": {"low": 1e-4, "high": 5.0}}}, "learning_rate must lie"),
        ({"optimizer": 3}, "optimizer = 3 is no range"),
        ({"tuning": {"method": ["lora", "magic"]}}, "method is one of"),
    ],
)
def test_a_space_that_makes_no_sense_is_said(space: dict[str, Any], message: str) -> None:
    config = TrainConfig(search=SearchConfig(space=space))
    config = changed(config, {"data.generated": {"requests": 10}})
    with pytest.raises(ConfigError, match=message):
        axes_of(config)


def test_without_a_space_the_usual_values_vary_about_the_recipes_own() -> None:
    config = changed(TrainConfig(), {"data.generated": {"requests": 10}, "loss.vector": 0.0})
    axes = {axis.name: axis for axis in axes_of(config)}
    own = config.optimizer
    assert axes["optimizer.learning_rate"].log
    assert all(
        axes[f"optimizer.{name}"].holds(getattr(own, name))
        for name in ("learning_rate", "batch", "epochs", "heads", "label_smoothing")
    )
    assert axes["optimizer.epochs"].whole
    assert not axes["optimizer.heads"].whole
    assert "loss.intent" in axes
    assert "loss.vector" not in axes  # it is not trained


def test_choices_hold_what_they_name() -> None:
    assert Axis("tuning.method", choices=("full", "lora")).holds("lora")
    assert not Axis("tuning.method", choices=("full", "lora")).holds("prefix")


def test_a_figure_that_validation_does_not_give_is_said(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    monkeypatch.setattr(Trainer, "train", lambda _, heard: heard(1, {"score": 0.5}))
    run = tmp_path / "run"
    for _ in range(2):  # what went wrong is not taken up again
        with pytest.raises(ConfigError, match="gives no figure 'entities_f1'"):
            search_main(config, run, 1, tmp_path / "no data")
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{run / 'search.sqlite3'}")
    assert [t.state for t in study.trials] == [TrialState.FAIL] * 2
    assert "taken_up" in study.user_attrs
    assert not study.user_attrs["taken_up"]


def test_the_best_values_go_into_tables_that_were_not_there(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("seed = 1 # as ever\n", "utf-8")
    write_best(
        tmp_path / "recipe.toml",
        {"optimizer.learning_rate": 0.000123456, "tuning.method": "lora"},
        tmp_path / "best.toml",
    )
    text = (tmp_path / "best.toml").read_text("utf-8")
    assert "# as ever" in text
    assert tomllib.loads(text) == {
        "seed": 1,
        "optimizer": {"learning_rate": 0.0001235},
        "tuning": {"method": "lora"},
    }
