"""Smaller students: heads and units pruned, fewer layers, fewer pieces; trained, exported, served."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from tests.training.conftest import Trained
from tests.training.shop import HELD_OUT
from tests.training.tiny_run import QUERIES, base_folder, recipe, validate_little
from training.compression.pruning import Importance, importance, prune
from training.compression.shrunk_encoder import with_layers, with_pieces
from training.config import LossConfig, StudentConfig, TrainConfig
from training.data.examples import Example
from training.data.generator import compose
from training.errors import ConfigError
from training.evaluation.figures import entity_metrics
from training.export.graph import build
from training.export.half_precision import restored
from training.export.next_version import MAX_PIECES, export_run
from training.export.saved_models import predictor_of
from training.fine_tuning.session import run_training
from training.inference.onnx_predict import OnnxPredictor
from training.inference.predict import TorchPredictor
from training.network.objective import Batch, collate
from training.network.query_model import QueryModel, fit
from training.network.run_folder import load_model
from training.network.tokens import encode, load_tokenizer
from training.recipes import changed, load_config

_TEXTS = ["red shoes", "where is my order [ORDER]", "red shoes and a blue bag for women"]


@pytest.fixture
def model(trained: Trained) -> QueryModel:
    return load_model(trained.run / "model")[0]


def _batches(trained: Trained) -> list[Batch]:
    tokenizer = load_tokenizer(trained.run / "model")
    items = encode(compose("products", 64, 9), tokenizer, 48)
    return [collate(items[start : start + 16]) for start in range(0, 64, 16)]


def _tags(model: QueryModel, batch: Batch) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.eval()(batch.ids, batch.mask).tags
    return found


def test_what_changes_nothing_is_the_least_important_and_goes_first(
    trained: Trained, model: QueryModel
) -> None:
    encoder: Any = model.encoder
    layer = encoder.encoder.layer[0]
    with torch.no_grad():  # the third head (12 wide) and the first eight units say nothing
        layer.attention.output.dense.weight[:, 24:36] = 0.0
        layer.output.dense.weight[:, :8] = 0.0
    batches = _batches(trained)
    found = importance(model, batches, LossConfig())
    assert found.heads[0].argmin() == 2
    assert found.heads[0][2] == 0.0
    assert set(found.units[0].topk(8, largest=False).indices.tolist()) == set(range(8))
    before = _tags(model, batches[0])
    parameters = sum(p.numel() for p in encoder.parameters())
    prune(model, found, heads=7 / 8, units=1.0)
    assert layer.attention.self.query.weight.shape == (36, 48)
    torch.testing.assert_close(_tags(model, batches[0]), before, atol=1e-5, rtol=1e-4)
    assert sum(p.numel() for p in encoder.parameters()) < parameters


def test_every_layer_keeps_a_head_and_its_share_of_units(
    trained: Trained, model: QueryModel
) -> None:
    found = importance(model, _batches(trained), LossConfig())
    prune(model, found, heads=0.01, units=0.25)
    encoder: Any = model.encoder
    for layer in encoder.encoder.layer:
        assert layer.attention.self.value.weight.shape == (12, 48)
        assert layer.attention.output.dense.weight.shape == (48, 12)
        assert layer.intermediate.dense.weight.shape == (24, 48)


def test_the_graph_of_a_pruned_model_says_the_same(trained: Trained, model: QueryModel) -> None:
    found = importance(model, _batches(trained), LossConfig())
    prune(model, found, heads=0.5, units=0.5)
    tokenizer = load_tokenizer(trained.run / "model")
    own = TorchPredictor(model.eval(), tokenizer)
    graph = build(model, {}, MAX_PIECES).SerializeToString()
    served = OnnxPredictor(graph, tokenizer, own.labels)(_TEXTS)
    expected = own(_TEXTS)
    np.testing.assert_allclose(served.intent_logits, expected.intent_logits, atol=1e-4)
    np.testing.assert_allclose(served.tag_logits, expected.tag_logits, atol=1e-4)


def test_a_pruned_models_graph_for_a_gpu_has_heads_as_wide_as_they_were(
    trained: Trained, model: QueryModel, tmp_path: Path
) -> None:
    """Each layer lost another number of them; the int8 graph holds only what stayed."""
    scores = torch.tensor([5.0, 5.0, 5.0, 5.0]), torch.tensor([9.0, 8.0, 0.1, 0.1])
    prune(model, Importance(scores, (torch.rand(96), torch.rand(96))), heads=0.75, units=1.0)
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    torch.save(model.state_dict(), run / "model/weights.pt")
    exported = export_run(run, tmp_path / "repository", QUERIES)
    found = restored(onnx.load(exported.folder / "model.onnx"))
    assert found.heads == 4
    layers = [f"encoder.encoder.layer.{number}" for number in range(2)]
    assert [found.heads_of(layer) for layer in layers] == [4, 2]


def test_a_pruned_models_weights_load_into_a_whole_one(trained: Trained, model: QueryModel) -> None:
    prune(model, importance(model, _batches(trained), LossConfig()), heads=0.5, units=0.5)
    fresh = QueryModel.from_config(trained.run / "model")
    fit(fresh, model.state_dict())
    fresh.load_state_dict(model.state_dict())
    batch = _batches(trained)[0]
    torch.testing.assert_close(_tags(fresh, batch), _tags(model, batch))


def test_a_smaller_student_is_trained_exported_and_loads(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pruned from a trained run, on its base: resumed and served as any other."""
    validate_little(monkeypatch)
    base = Path(load_config(trained.recipe).model.base)
    config = recipe(tmp_path, base, epochs=1, extra="[student]\nheads = 0.5\nunits = 0.5")
    start = f"base = {json.dumps(str(base))}\nstart = {json.dumps(str(trained.run))}"
    text = config.read_text("utf-8").replace(f"base = {json.dumps(str(base))}", start)
    config.write_text(text, "utf-8")
    manifest = run_training(config, tmp_path / "run", trained.nothing, measure=False)
    assert manifest["parameters"] < trained.manifest["parameters"]
    found = entity_metrics(predictor_of(tmp_path / "run"), HELD_OUT)
    assert found["f1"] > 0.5  # it goes on from what was learnt
    exported = export_run(tmp_path / "run", tmp_path / "repository", QUERIES)
    assert (exported.folder / "model.onnx").is_file()
    run_training(config, tmp_path / "run", trained.nothing, measure=False)  # from its checkpoint


def test_fewer_layers_and_pieces_make_a_student_of_a_shops_own_words(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    validate_little(monkeypatch)
    base = Path(load_config(trained.recipe).model.base)
    config = recipe(tmp_path, base, epochs=1, extra="[student]\nlayers = 1\nvocabulary = 250")
    manifest = run_training(config, tmp_path / "run", trained.nothing, measure=False)
    assert manifest["parameters"] < trained.manifest["parameters"]
    model, _ = load_model(tmp_path / "run" / "model")
    settings: Any = model.encoder.config
    assert (settings.num_hidden_layers, settings.vocab_size) == (1, 250)
    export_run(tmp_path / "run", tmp_path / "repository", QUERIES)


def test_layers_that_stay_are_evenly_spaced_and_end_at_the_top(tmp_path: Path) -> None:
    from transformers import AutoModel, BertConfig, BertModel  # noqa: PLC0415

    base = base_folder(tmp_path / "base")
    torch.manual_seed(2)
    config = BertConfig.from_pretrained(base)
    config.num_hidden_layers = 6
    make: Any = BertModel
    deep = make(config)
    deep.save_pretrained(base)
    shallow: Any = AutoModel.from_pretrained(with_layers(base, 3, tmp_path / "shallow"))
    kept = [
        next(
            number
            for number, layer in enumerate(deep.encoder.layer)
            if torch.equal(layer.output.dense.weight, own.output.dense.weight)
        )
        for own in shallow.encoder.layer
    ]
    assert len(kept) == 3
    assert kept[0] == 0
    assert kept[-1] == 5
    with pytest.raises(ConfigError, match="9 layers are to stay and the base has 6"):
        with_layers(base, 9, tmp_path / "other")


def test_frequent_pieces_stay_and_everything_can_still_be_written(tmp_path: Path) -> None:
    base = base_folder(tmp_path / "base")
    whole = load_tokenizer(base)
    texts = ["red shoes"] * 9 + ["blue shoes", "qzx"]
    small = with_pieces(base, 150, texts, tmp_path / "small")
    tokenizer = load_tokenizer(small)
    assert tokenizer.get_vocab_size() < 150 < whole.get_vocab_size()
    assert tokenizer.encode("red shoes").tokens == whole.encode("red shoes").tokens
    assert tokenizer.encode("shoes [x] 42!").ids.count(tokenizer.token_to_id("[UNK]")) == 0
    ends = tokenizer.encode("shoes").ids
    assert [ends[0], ends[-1]] == [tokenizer.token_to_id(t) for t in ("[CLS]", "[SEP]")]
    before, after = (
        QueryModel.from_base(folder).encoder.get_input_embeddings().weight  # type: ignore[operator] # torch
        for folder in (base, small)
    )
    assert len(after) == tokenizer.get_vocab_size()
    assert torch.equal(after[tokenizer.token_to_id("shoes")], before[whole.token_to_id("shoes")])
    with pytest.raises(ConfigError, match="more than vocabulary = 20"):
        with_pieces(base, 20, texts, tmp_path / "tiny")


@pytest.mark.parametrize(
    ("student", "message"),
    [
        (StudentConfig(heads=0.5), "name it under .model. as start"),
        (StudentConfig(heads=1.5), "are shares"),
        (StudentConfig(layers=-1), "0 or more"),
    ],
)
def test_a_student_that_makes_no_sense_is_said(student: StudentConfig, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        changed(TrainConfig(student=student), {"data.generated": {"requests": 10}})


def test_texts_without_a_label_of_what_is_trained_say_nothing_of_importance(
    trained: Trained, model: QueryModel
) -> None:
    tokenizer = load_tokenizer(trained.run / "model")
    silent = collate(encode([Example("red shoes", "own")], tokenizer, 48))
    batches = _batches(trained)
    whole = importance(model, batches, LossConfig())
    beside = importance(model, [silent, *batches], LossConfig())
    assert all(map(torch.equal, whole.heads, beside.heads))
    with pytest.raises(ConfigError, match="no text has a label"):
        importance(model, [silent], LossConfig())
