"""Every way to fine-tune trains a tiny model for real; what can be merged ends as plain weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.tiny_run import base_folder, recipe
from training.config import OptimizerConfig, TuningConfig, load_config
from training.errors import ConfigError
from training.network import QueryModel
from training.optimization import parameter_groups, rate_share
from training.predict import TorchPredictor
from training.run_folder import load_model
from training.session import run_training
from training.stepping import Stepper
from training.tokens import load_tokenizer
from training.tuning import count_parameters, make_tunable, merge

_IDS = torch.randint(5, 60, (3, 9), generator=torch.Generator().manual_seed(1))
_METHODS = ("lora", "adalora", "adapters", "prefix")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base_folder(tmp_path_factory.mktemp("tuning") / "base")


def _model(base: Path, config: TuningConfig) -> QueryModel:
    torch.manual_seed(5)
    model = QueryModel.from_base(base).eval()
    make_tunable(model, config)
    return model.eval()


def _tags(model: QueryModel) -> torch.Tensor:
    with torch.inference_mode():
        return model(_IDS, torch.ones_like(_IDS)).tags


@pytest.mark.parametrize("method", ["lora", "adalora", "adapters"])
def test_training_starts_from_the_base_as_it_is(base: Path, method: str) -> None:
    untouched = _model(base, TuningConfig())
    torch.testing.assert_close(_tags(_model(base, TuningConfig(method=method))), _tags(untouched))


@pytest.mark.parametrize("method", _METHODS)
def test_a_few_parameters_learn_and_the_base_does_not(base: Path, method: str) -> None:
    model = _model(base, TuningConfig(method=method, rank=2, bottleneck=4, prefix=3))
    counted = count_parameters(model)
    heads = sum(p.numel() for n, p in model.named_parameters() if not n.startswith("encoder."))
    assert heads < counted.learning < heads + 0.2 * (counted.all - heads)
    word_table = model.encoder.get_input_embeddings().weight  # type: ignore[operator, union-attr] # torch
    assert not word_table.requires_grad


@pytest.mark.parametrize(
    ("kind", "layers", "learning"),
    [
        ("none", 1, {"embeddings", "layer.0", "layer.1"}),
        ("embeddings", 1, {"layer.0", "layer.1"}),
        ("layers", 1, {"layer.1"}),
        ("encoder", 1, set()),
    ],
)
def test_freezing(base: Path, kind: str, layers: int, learning: set[str]) -> None:
    model = _model(base, TuningConfig(freeze=kind, layers=layers))
    found = {
        part
        for name, parameter in model.encoder.named_parameters()
        if parameter.requires_grad
        for part in ("embeddings", "layer.0", "layer.1")
        if part in name
    }
    assert found == learning
    assert all(p.requires_grad for n, p in model.named_parameters() if "encoder." not in n)


def test_more_layers_than_there_are_is_an_error(base: Path) -> None:
    with pytest.raises(ConfigError, match="9 layers are to learn and the base has 2"):
        _model(base, TuningConfig(freeze="layers", layers=9))


@pytest.mark.parametrize("method", ["lora", "adalora"])
def test_what_was_learnt_is_merged_into_plain_weights(base: Path, method: str) -> None:
    config = TuningConfig(method=method, rank=2)
    model = _model(base, config)
    with torch.no_grad():
        for name, parameter in model.encoder.named_parameters():
            if "lora_" in name:
                parameter.normal_(std=0.3)
    before = _tags(model)
    merge(model, config)
    torch.testing.assert_close(_tags(model), before, atol=1e-4, rtol=1e-4)
    plain = QueryModel.from_config(base)
    plain.load_state_dict(model.state_dict())


def _run(folder: Path, base: Path, tuning: str, extra: str = "") -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    config = recipe(folder, base, extra=f"{extra}\n[tuning]\n{tuning}")
    text = config.read_text("utf-8").replace("requests = 300", "requests = 150")
    config.write_text(text.replace("batch = 16", "batch = 32"), "utf-8")
    return run_training(config, folder / "run", folder / "no data", measure=False)


@pytest.mark.parametrize("method", _METHODS)
def test_each_method_trains_and_its_model_loads(base: Path, tmp_path: Path, method: str) -> None:
    manifest = _run(tmp_path, base, f'method = "{method}"\nrank = 4')
    assert manifest["learning_parameters"] < 0.6 * manifest["parameters"]
    assert manifest["best_epoch"]["score"] > 0.0
    model, calibration = load_model(tmp_path / "run" / "model")
    tokenizer = load_tokenizer(tmp_path / "run" / "model")
    outputs = TorchPredictor(model, tokenizer, calibration)(["red shoes"])
    assert outputs.tag_logits.shape[1] >= 2
    merged = method in ("lora", "adalora")
    assert (tmp_path / "run" / "model" / "tuning.json").exists() is not merged


class _CutOffError(Exception):
    pass


def test_adalora_cut_off_goes_on_to_the_same_weights(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuning, extra = (
        'method = "adalora"\nrank = 4',
        "accumulate = 2\naverage = 0.5\nschedule = 'cosine'",
    )
    _run(tmp_path / "whole", base, tuning, extra)
    train_on = Stepper.train_on
    passed = 0

    def cut_off(self: Stepper, batch: Any, *, last: bool) -> dict[str, float]:
        nonlocal passed
        passed += 1
        if passed == 18:
            raise _CutOffError
        return train_on(self, batch, last=last)

    monkeypatch.setattr("training.trainer._CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(Stepper, "train_on", cut_off)
    with pytest.raises(_CutOffError):
        _run(tmp_path / "cut", base, tuning, extra)
    monkeypatch.setattr(Stepper, "train_on", train_on)
    _run(tmp_path / "cut", base, tuning, extra)
    whole, _ = load_model(tmp_path / "whole" / "run" / "model")
    resumed, _ = load_model(tmp_path / "cut" / "run" / "model")
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight)


def test_sgd_and_adversarial_passes_train_too(base: Path, tmp_path: Path) -> None:
    extra = 'kind = "sgd"\nadversarial = 0.5\nlayer_decay = 0.8\nschedule = "constant"'
    manifest = _run(tmp_path, base, 'freeze = "none"', extra)
    assert manifest["best_epoch"]["score"] > 0.0


def test_lower_layers_learn_more_slowly(base: Path) -> None:
    model = _model(base, TuningConfig())
    config = OptimizerConfig(learning_rate=1.0, layer_decay=0.5, heads=2.0)
    groups = parameter_groups(model, config)
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    encoder: Any = model.encoder
    assert rates[id(encoder.encoder.layer[1].output.dense.weight)] == 1.0
    assert rates[id(encoder.encoder.layer[0].output.dense.weight)] == 0.5
    assert rates[id(encoder.get_input_embeddings().weight)] == 0.25
    assert rates[id(model.tags.weight)] == 2.0


@pytest.mark.parametrize(
    ("schedule", "shares"),
    [
        ("linear", [0.1, 1.0, 0.5, 0.0]),
        ("cosine", [0.1, 1.0, 0.5, 0.0]),
        ("constant", [0.1, 1.0, 1.0, 1.0]),
    ],
)
def test_schedules(schedule: str, shares: list[float]) -> None:
    config = OptimizerConfig(schedule=schedule, warmup=0.1)
    found = [rate_share(config, step, 100) for step in (0, 10, 55, 100)]
    assert found == pytest.approx(shares)


def test_a_recipe_may_name_its_tuning(base: Path, tmp_path: Path) -> None:
    config = load_config(recipe(tmp_path, base, extra='[tuning]\nmethod = "lora"\nrank = 3'))
    assert (config.tuning.method, config.tuning.rank) == ("lora", 3)
    assert json.dumps(str(base))
