"""Every way to fine-tune trains a tiny model for real; what can be merged ends as plain weights."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.training.tiny_run import base_folder, recipe, validate_little
from training.config import OptimizerConfig, TrainConfig, TuningConfig
from training.data.examples import Example, TextSpan
from training.data.generator import compose
from training.errors import ConfigError
from training.fine_tuning.optimization import parameter_groups, rate_share
from training.fine_tuning.processes import Processes
from training.fine_tuning.session import run_training
from training.fine_tuning.stepping import Stepper
from training.network.objective import Batch, collate
from training.network.query_model import Heads, QueryModel
from training.network.run_folder import RunFolder, load_model
from training.network.tokens import encode, load_tokenizer
from training.network.tuning import count_parameters, make_tunable, merge

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
        heads: Heads = model(_IDS, torch.ones_like(_IDS))
        return heads.tags


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
    word_table = model.encoder.get_input_embeddings().weight  # type: ignore[operator] # torch
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


def _batches(base: Path, count: int) -> list[Batch]:
    items = encode(compose("products", 16 * count, 3), load_tokenizer(base), 32)
    return [collate(items[16 * n : 16 * n + 16]) for n in range(count)]


def _stepper(model: QueryModel, tuning: TuningConfig, **optimizer: Any) -> Stepper:
    settings = {"epochs": 1, "learning_rate": 5e-3} | optimizer
    config = TrainConfig(optimizer=OptimizerConfig(**settings), tuning=tuning)
    model.train()
    return Stepper(config, model, 12, Processes(), bf16=False)


@pytest.mark.parametrize("method", ["full", *_METHODS])
def test_each_method_learns_and_its_model_loads(base: Path, tmp_path: Path, method: str) -> None:
    config = TuningConfig(method=method, rank=4)
    model = _model(base, config)
    stepper = _stepper(model, config)
    parts = [stepper.train_on(batch, last=False) for batch in _batches(base, 12)]
    assert parts[-1]["tags"] < 0.9 * parts[0]["tags"]
    assert ("ranks" in parts[0]) is (method == "adalora")
    merge(model, config)
    expected = _tags(model.eval())
    run = RunFolder(tmp_path)
    run.save_model(model, base, {}, config)
    assert (run.model / "tuning.json").exists() is (method in ("adapters", "prefix"))
    loaded, _ = load_model(run.model)
    torch.testing.assert_close(_tags(loaded), expected)


@pytest.mark.parametrize(
    "optimizer",
    [
        {"kind": "sgd", "learning_rate": 0.05},
        {"adversarial": 0.5},
        {"accumulate": 2, "schedule": "cosine"},
        {"layer_decay": 0.8, "schedule": "constant"},
    ],
    ids=["sgd", "adversarial", "accumulate", "layer_decay"],
)
def test_steps_of_every_kind_learn(base: Path, optimizer: dict[str, Any]) -> None:
    stepper = _stepper(_model(base, TuningConfig()), TuningConfig(), **optimizer)
    parts = [stepper.train_on(batch, last=False) for batch in _batches(base, 12)]
    assert parts[-1]["tags"] < 0.9 * parts[0]["tags"]
    assert ("adversarial" in parts[0]) is ("adversarial" in optimizer)
    assert stepper.done == stepper.steps == 12 // optimizer.get("accumulate", 1)


def test_two_halves_of_a_batch_make_the_step_of_the_whole(base: Path) -> None:
    """Texts of one kind and one length, so that the means of the halves are those of the whole."""
    tokenizer = load_tokenizer(base)
    items = encode(
        [Example("red shoes", "own", spans=(TextSpan("color", 0, 3),))] * 4
        + [Example("blue shoes", "own", spans=(TextSpan("color", 0, 4),))] * 4,
        tokenizer,
        32,
    )
    found = []
    for halves, accumulate in (([items], 1), ([items[:4], items[4:]], 2)):
        model = _model(base, TuningConfig())
        stepper = _stepper(model, TuningConfig(), kind="sgd", accumulate=accumulate)
        model.eval()  # without dropout
        for half in halves:
            stepper.train_on(collate(half), last=False)
        found.append(_tags(model))
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("method", ["lora", "adalora"])
def test_a_checkpoint_in_between_changes_nothing(base: Path, method: str) -> None:
    config = TuningConfig(method=method, rank=4, dropout=0.0)
    batches = _batches(base, 12)
    torch.manual_seed(7)
    whole = _model(base, config)
    stepper = _stepper(whole, config)
    kept: dict[str, Any] = {}
    for number, batch in enumerate(batches):
        if number == 7:
            state = {"steps": stepper.state(), "model": whole.state_dict()}
            buffer = io.BytesIO()
            torch.save(state | {"random": torch.get_rng_state()}, buffer)
            kept = torch.load(io.BytesIO(buffer.getvalue()), weights_only=True)
        stepper.train_on(batch, last=False)
    resumed = _model(base, config)
    again = _stepper(resumed, config)
    resumed.load_state_dict(kept["model"])
    again.load_state(kept["steps"])
    torch.set_rng_state(kept["random"])
    for batch in batches[7:]:
        again.train_on(batch, last=False)
    for name, weight in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], weight)


def test_adalora_spends_rank_where_it_matters(base: Path) -> None:
    config = TuningConfig(method="adalora", rank=4)
    model = _model(base, config)
    stepper = _stepper(model, config)
    for batch in _batches(base, 12):
        stepper.train_on(batch, last=False)
    values = [p for n, p in model.encoder.named_parameters() if "lora_E" in n]
    left = sum(int((value != 0).sum()) for value in values)
    assert left < sum(value.numel() for value in values)  # it began with half as much again


def test_a_run_of_a_recipe_with_lora(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    extra = "accumulate = 2\naverage = 0.5\n[tuning]\nmethod = 'lora'\nrank = 4"
    config = recipe(tmp_path, base, epochs=1, extra=extra)
    manifest = run_training(config, tmp_path / "run", tmp_path / "no data", measure=False)
    assert manifest["learning_parameters"] < 0.6 * manifest["parameters"]
    assert manifest["best_epoch"]["score"] > 0.0
    report = json.loads((tmp_path / "run" / "vocabulary.json").read_text("utf-8"))
    assert report["pieces_a_word"] >= 1.0
    load_model(tmp_path / "run" / "model")


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
