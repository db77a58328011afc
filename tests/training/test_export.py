"""The exported graph: the trained model's answers, the same alone and in any batch."""

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from streams.decoding import ModelOutputs
from tests.training.conftest import Shipped, Trained
from training.export import ExportError, check_batch_invariance, export_run
from training.generator import compose
from training.graph import quantize
from training.model_card import SECTIONS
from training.onnx_predict import OnnxPredictor
from training.predict import Predictor, TorchPredictor
from training.run_folder import load_model
from training.serving_config import encoder_config, read_front
from training.session import predictor_of
from training.tokens import load_tokenizer

TEXTS = [example.text for example in compose("requests", 300, 12)]


def of(trained: Trained) -> TorchPredictor:
    model, calibration = load_model(trained.run / "model")
    return TorchPredictor(model, load_tokenizer(trained.run / "model"), calibration)


def test_the_graph_says_what_the_model_says(trained: Trained, shipped: Shipped) -> None:
    whole, small = of(trained)(TEXTS), predictor_of(shipped.repository)(TEXTS)
    assert np.array_equal(whole.token_offsets, small.token_offsets)
    assert np.abs(whole.intent_logits - small.intent_logits).max() < 0.5
    agree = whole.intent_logits.argmax(1) == small.intent_logits.argmax(1)
    assert agree.mean() > 0.97
    tags = whole.tag_logits.argmax(2) == small.tag_logits.argmax(2)
    assert tags.mean() > 0.97
    assert (whole.sentence_vector * small.sentence_vector).sum(1).min() > 0.99


def test_a_query_alone_and_in_a_batch_of_128_is_bit_equal(shipped: Shipped) -> None:
    texts = [e.text for kind in ("requests", "products") for e in compose(kind, 1000, 13)]
    random.Random(1).shuffle(texts)
    check_batch_invariance(predictor_of(shipped.repository), texts)


class _BatchDependent:
    """A model whose first score leans on the size of the batch."""

    def __init__(self, model: Predictor) -> None:
        self.labels, self._model = model.labels, model

    def __call__(self, texts: list[str]) -> ModelOutputs:
        outputs = self._model(texts)
        shifted = outputs.intent_logits + np.float32(1e-6) * len(texts)
        return replace(outputs, intent_logits=shifted)


def test_an_export_that_depends_on_the_batch_is_refused(shipped: Shipped) -> None:
    with pytest.raises(ExportError, match="other scores in a batch"):
        check_batch_invariance(_BatchDependent(predictor_of(shipped.repository)), TEXTS)  # type: ignore[arg-type] # a list is a sequence


def test_weights_are_int8_and_turn_back_within_half_a_step(shipped: Shipped) -> None:
    weights = np.random.default_rng(1).normal(size=(64, 32)).astype(np.float32)
    quantized, scale = quantize(weights, axis=0)
    assert scale.shape == (1, 32)
    assert np.abs(quantized * scale - weights).max() <= scale.max() / 2 + 1e-6
    model = onnx.load(shipped.exported.folder / "model.onnx")
    onnx.checker.check_model(model)
    kinds = {t.name: t.data_type for t in model.graph.initializer if t.name.endswith(".int8")}
    assert len(kinds) >= 9
    assert set(kinds.values()) == {onnx.TensorProto.INT8}


def test_the_next_export_is_the_next_version(trained: Trained, tmp_path: Path) -> None:
    first = export_run(trained.run, tmp_path)
    second = export_run(trained.run, tmp_path)
    assert (first.version, second.version) == (1, 2)
    served = read_front((tmp_path / "query_understanding/configs/cpu.pbtxt").read_text("utf-8"))
    assert served.encoder_versions == {"en": 2}
    assert (first.folder / "model.onnx").read_bytes() == (second.folder / "model.onnx").read_bytes()


def test_the_repository_has_all_that_triton_needs(shipped: Shipped) -> None:
    found = {
        str(p.relative_to(shipped.repository)) for p in shipped.repository.rglob("*") if p.is_file()
    }
    assert found == {
        "encoder_en/config.pbtxt",
        "encoder_en/1/model.onnx",
        "encoder_en/1/tokenizer.json",
        "encoder_en/1/README.md",
        "encoder_en/1/manifest.json",
        "query_understanding/config.pbtxt",
        "query_understanding/configs/cpu.pbtxt",
        "query_understanding/1/model.py",
    }


def test_the_encoders_configuration_reads_as_intended() -> None:
    assert encoder_config("en", 3, (22, 3, 45)).splitlines()[1:] == [
        'name: "encoder_en"',
        'backend: "onnxruntime"',
        "max_batch_size: 512",
        'input [ { name: "input_ids" data_type: TYPE_INT64 dims: [ -1 ] } ]',
        "output [",
        '  { name: "intent" data_type: TYPE_FP32 dims: [ 22 ] },',
        '  { name: "sentiment" data_type: TYPE_FP32 dims: [ 3 ] },',
        '  { name: "tags" data_type: TYPE_FP32 dims: [ -1, 45 ] },',
        '  { name: "subject" data_type: TYPE_FP32 dims: [ -1, 32 ] },',
        '  { name: "object" data_type: TYPE_FP32 dims: [ -1, 32 ] },',
        '  { name: "vector" data_type: TYPE_FP32 dims: [ 384 ] }',
        "]",
        "version_policy: { specific { versions: [ 3 ] } }",
        "instance_group [ { kind: KIND_GPU count: 1 } ]",
    ]


def test_the_card_has_its_shape(shipped: Shipped) -> None:
    text = (shipped.exported.folder / "README.md").read_text("utf-8")
    headings = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    assert tuple(headings) == SECTIONS
    assert "seed 3" in text


def test_a_run_without_a_model_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no trained model"):
        export_run(tmp_path / "run", tmp_path / "repository")


def test_the_graph_is_small_enough_to_ship() -> None:
    for path in (Path(__file__).resolve().parents[2] / "model_repository").glob("*/*/model.onnx"):
        assert path.stat().st_size <= 35_000_000


def test_onnx_predictor_takes_bytes_too(shipped: Shipped) -> None:
    folder = shipped.exported.folder
    labels = predictor_of(shipped.repository).labels
    predictor = OnnxPredictor((folder / "model.onnx").read_bytes(), load_tokenizer(folder), labels)
    assert predictor(["red"]).intent_logits.shape == (1, 22)
