"""The exported graph: the trained model's answers, the same alone and in any batch."""

import hashlib
import json
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from streams.decoding import ModelOutputs, softmax
from streams.labels import ENTITY_TYPES, INTENTS
from streams.tag_transitions import TagTransitions
from tests.training.conftest import Shipped, Trained
from tests.training.shop import TRAINING
from tests.training.tiny_run import QUERIES
from training.config import TuningConfig
from training.data.generator import compose
from training.errors import ConfigError, TrainingError
from training.export.cost import Cost, worse_than
from training.export.front_versions import live_front, newest_front
from training.export.graph_builder import quantize
from training.export.half_precision import FILE, restored, write_half_precision
from training.export.model_card import SECTIONS, card
from training.export.next_version import (
    ExportError,
    check_batch_invariance,
    export_run,
    training_queries,
)
from training.export.saved_models import predictor_of
from training.export.serving_config import (
    Served,
    encoder_config,
    front_config,
    read_front,
    version_policy,
)
from training.inference.onnx_predict import OnnxPredictor
from training.inference.predict import Predictor, TorchPredictor
from training.network.run_folder import RunFolder, load_model
from training.network.tokens import load_tokenizer
from training.network.tuning import make_tunable
from workers.models.repository import ModelRepository

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
    """A model whose first score leans on the size of the batches that a text is in."""

    def __init__(self, model: Predictor, beside: str) -> None:
        self.labels, self._model, self._beside = model.labels, model, beside

    def __call__(self, texts: list[str]) -> ModelOutputs:
        outputs = self._model(texts)
        if self._beside not in texts:
            return outputs
        shifted = outputs.intent_logits + np.float32(1e-6) * len(texts)
        return replace(outputs, intent_logits=shifted)


@pytest.mark.parametrize("beside", [0, 299])
def test_an_export_that_depends_on_the_batch_is_refused(
    shipped: Shipped, monkeypatch: pytest.MonkeyPatch, beside: int
) -> None:
    """In the first batch that is checked, and in the last."""
    monkeypatch.setattr("training.export.next_version.MAX_BATCH", 128)
    model = _BatchDependent(predictor_of(shipped.repository), TEXTS[beside])
    with pytest.raises(ExportError, match="other scores in a batch"):
        check_batch_invariance(model, TEXTS)  # type: ignore[arg-type] # a list is a sequence


def test_texts_for_the_check_alone_leave_those_that_set_the_scales(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = training_queries(trained.run, trained.nothing)
    monkeypatch.setattr("training.export.next_version._CHECKED", 0)
    scales = training_queries(trained.run, trained.nothing)
    assert len(scales) == 512
    assert queries[:512] == scales
    others = queries[512:]
    assert len(others) == len(set(others) - set(scales)) > 50


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


def test_the_encoders_products_are_int8_arithmetic(shipped: Shipped) -> None:
    """Quantised weights alone would be turned back and multiplied in fp32."""
    model = onnx.load(shipped.exported.folder / "model.onnx")
    integers = [n for n in model.graph.node if n.op_type == "MatMulIntegerToFloat"]
    assert len(integers) == 2 * 4  # of two layers: QKV, attention-out, two of the feed-forward
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    assert all(np.abs(weights[node.input[1]].astype(int)).max() == 63 for node in integers)


def test_int8_is_told_from_fp32_side_by_side(trained: Trained, tmp_path: Path) -> None:
    figures = iter(
        ({"task": {"f1": 0.9, "examples": 5000}}, {"task": {"f1": 0.896, "examples": 5000}})
    )
    made = export_run(trained.run, tmp_path, TEXTS, measure=lambda _: next(figures))
    assert made.cost.figures == {"task: f1": (0.9, 0.896)}
    card = (made.folder / "README.md").read_text("utf-8")
    assert "| task: f1 | 0.9 | 0.896 |" in card
    assert "| queries a second |" in card


def test_an_export_that_lost_too_much_is_refused(trained: Trained, tmp_path: Path) -> None:
    figures = iter(
        ({"task": {"f1": 0.9, "examples": 5000}}, {"task": {"f1": 0.89, "examples": 5000}})
    )
    with pytest.raises(ExportError, match=r"task: f1 0\.0100"):
        export_run(trained.run, tmp_path, TEXTS, measure=lambda _: next(figures))
    assert not list(tmp_path.iterdir())


def test_a_set_of_a_hundred_cannot_tell_half_a_percent() -> None:
    pair = {"task": {"f1": 0.9, "entities": 97}}, {"task": {"f1": 0.885, "entities": 97}}
    cost = Cost.of(*pair, megabytes=(4, 1), queries_a_second=(1, 2), queries_a_second_alone=(1, 2))
    assert worse_than(cost, 0.005) == []
    assert worse_than(replace(cost, sizes={"task: f1": 4000}), 0.005) == ["task: f1 0.0150"]


def test_an_encoder_that_joins_others_keeps_their_threshold(
    trained: Trained, tmp_path: Path
) -> None:
    """Its own threshold moves into its logits, so that it still says the same."""
    first = export_run(trained.run, tmp_path, QUERIES)
    labels = predictor_of(tmp_path).labels
    column = INTENTS.index("out_of_scope")
    middle = float(np.median(softmax(of(trained)(TEXTS).intent_logits)[:, column]))
    run = tmp_path / "other run"
    shutil.copytree(trained.run, run)
    kept = json.loads((run / "model/labels.json").read_text("utf-8"))
    (run / "model/labels.json").write_text(json.dumps(kept | {"out_of_scope_threshold": middle}))
    RunFolder(run).record(language="zh")
    export_run(run, tmp_path, QUERIES)
    assert predictor_of(tmp_path).labels == labels
    ModelRepository(tmp_path).serve(2, [1])
    served = live_front(tmp_path)
    assert served is not None
    assert served.encoder_versions == {"en": first.version, "zh": 1}
    assert served.labels == labels
    alone = export_run(run, tmp_path / "alone", QUERIES)
    joined = predictor_of(tmp_path, "zh")
    own = softmax(predictor_of(alone.folder)(TEXTS).intent_logits)[:, column]
    shared = softmax(joined(TEXTS).intent_logits)[:, column]
    found = shared >= labels.out_of_scope_threshold
    assert 0 < found.sum() < len(TEXTS)
    assert ((own >= middle) == found).all()


def _said(strength: float) -> TagTransitions:
    types, row = len(ENTITY_TYPES), (0.125,) * (len(ENTITY_TYPES) + 1)
    ends = ((-0.5, 1.0),) * types
    return TagTransitions(strength, row, (row,) * (types + 1), ends, ends)


def _run_with(trained: Trained, folder: Path, said: TagTransitions, language: str = "en") -> Path:
    shutil.copytree(trained.run, folder)
    RunFolder(folder).record(language=language)
    kept = json.loads((folder / "model/labels.json").read_text("utf-8"))
    kept["transitions"] = said.as_json()
    (folder / "model/labels.json").write_text(json.dumps(kept), encoding="utf-8")
    return folder


def test_transitions_travel_with_their_version(trained: Trained, tmp_path: Path) -> None:
    """Run, folder and repository decode alike, whatever the repository serves besides."""
    english, chinese = _said(0.25), _said(0.5)
    repository = tmp_path / "r"
    run = _run_with(trained, tmp_path / "en", english)
    first = export_run(run, repository, QUERIES)
    for place in (run, run / "model", first.folder, repository):
        assert predictor_of(place).labels.transitions == {"en": english}
    manifest = json.loads((first.folder / "manifest.json").read_text("utf-8"))
    assert manifest["calibration"]["transitions"] == english.as_json()
    assert "at a strength of 0.25" in (first.folder / "README.md").read_text("utf-8")
    other = export_run(_run_with(trained, tmp_path / "zh", chinese, "zh"), repository, QUERIES)
    both = {"en": english, "zh": chinese}
    assert _newest(repository).labels.transitions == both
    assert predictor_of(other.folder).labels.transitions == {"zh": chinese}
    assert predictor_of(other.folder)(["red shoes"]).languages == ("zh",)
    second = export_run(trained.run, repository, QUERIES)  # which has none
    assert _newest(repository).labels.transitions == {"zh": chinese}
    assert predictor_of(second.folder).labels.transitions == {}
    assert predictor_of(repository).labels.transitions == {"en": english}  # which is live still
    ModelRepository(repository).serve(second.model_version, [1])
    assert predictor_of(repository, "zh").labels.transitions == {"zh": chinese}
    assert predictor_of(first.folder).labels.transitions == {"en": english}  # live no more


def _newest(repository: Path) -> Served:
    found = newest_front(repository)
    assert found is not None
    return found


def test_labels_without_transitions_are_written_as_ever(shipped: Shipped) -> None:
    text = (shipped.repository / "query_understanding/configs/cpu.pbtxt").read_text("utf-8")
    served = read_front(text)
    assert "transitions" not in text
    said = replace(served, labels=replace(served.labels, transitions={"en": _said(0.5)}))
    assert read_front(front_config(said, "local", 1)) == said
    assert front_config(read_front(text), "local", 1) == text
    damaged = front_config(said, "local", 1).replace("follows", "follow")
    with pytest.raises(ConfigError, match="en: the transitions lack follows"):
        read_front(damaged)


def test_damaged_transitions_of_a_run_are_said(trained: Trained, tmp_path: Path) -> None:
    run = _run_with(trained, tmp_path / "run", _said(0.5))
    file = run / "model/labels.json"
    text = file.read_text("utf-8").replace('"strength": 0.5', '"strength": NaN')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="calibration is damaged: en: "):
        predictor_of(run)


def test_the_gpus_graph_has_the_weights_of_the_cpus(shipped: Shipped, tmp_path: Path) -> None:
    """Derived without torch and without the run; its answers on ONNX Runtime's CPU."""
    repository = tmp_path / "repository"
    shutil.copytree(shipped.repository, repository)
    ((path, difference),) = write_half_precision(repository)
    assert path == repository / f"encoder_en/1/{FILE}"
    assert difference < 0.01
    graph = onnx.load(path)
    kinds = {tensor.data_type for tensor in graph.graph.initializer if len(tensor.dims) == 2}
    assert kinds == {onnx.TensorProto.FLOAT16}
    labels, tokenizer = predictor_of(repository).labels, load_tokenizer(path.parent)
    half = OnnxPredictor(path, tokenizer, labels)(TEXTS)
    small = predictor_of(repository)(TEXTS)
    assert (half.intent_logits.argmax(1) == small.intent_logits.argmax(1)).mean() > 0.97
    assert (half.sentence_vector * small.sentence_vector).sum(1).min() > 0.99


def _altered(folder: Path, factor: float, *endings: str) -> None:
    """Multiplies parts of an encoder's graph."""
    graph = onnx.load(folder / "model.onnx")
    for tensor in graph.graph.initializer:
        if tensor.name.endswith(endings):
            values = onnx.numpy_helper.to_array(tensor) * np.float32(factor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    onnx.save(graph, folder / "model.onnx")


def test_a_gpus_graph_that_says_no_number_is_refused(shipped: Shipped, tmp_path: Path) -> None:
    """What leaves fp16's range becomes infinite, and its difference no number."""
    repository = tmp_path / "repository"
    shutil.copytree(shipped.repository, repository)
    _altered(repository / "encoder_en/1", 1e6, ".narrow.scale", ".narrow.bias")
    with pytest.raises(TrainingError, match=r"fp16 are nan away.*leave fp16's range"):
        write_half_precision(repository)
    assert not (repository / f"encoder_en/1/{FILE}").exists()


def test_a_gpus_graph_with_other_vectors_is_refused(
    shipped: Shipped, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though fp16 and fp32 agree: both were rebuilt wrongly."""
    repository = tmp_path / "repository"
    shutil.copytree(shipped.repository, repository)
    found = restored(onnx.load(repository / "encoder_en/1/model.onnx"))
    state = {**found.state, "vector.weight": -found.state["vector.weight"]}
    monkeypatch.setattr(
        "training.export.half_precision.restored", lambda _: replace(found, state=state)
    )
    with pytest.raises(TrainingError, match=r"not those of model\.onnx: cosine -"):
        write_half_precision(repository)


def test_weights_come_back_from_the_graph(trained: Trained, shipped: Shipped) -> None:
    """Within the steps of int8: the smoothing undone, the shift of GELU taken out of the bias."""
    model, _ = load_model(trained.run / "model")
    found = restored(onnx.load(shipped.exported.folder / "model.onnx"))
    for name, value in model.state_dict().items():
        if name.startswith(("intent.outer", "sentiment.outer", "encoder.pooler")):
            continue  # temperatures are folded in; the pooler is not used
        if name.endswith(("position_embeddings.weight", "token_type_embeddings.weight")):
            continue  # their sum is kept
        whole, back = value.numpy(), found.state[name]
        assert np.abs(whole - back).max() <= max(np.abs(whole).max() / 60, 1e-5), name


def test_only_an_int8_encoder_has_a_gpu_form(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no exported encoder"):
        write_half_precision(tmp_path)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_next_export_is_the_next_version(trained: Trained, tmp_path: Path) -> None:
    """It lies beside the live one, of which nothing changes; the first one is live at once."""
    first = export_run(trained.run, tmp_path, QUERIES)
    assert (first.version, first.model_version, first.live) == (1, 1, True)
    before = _files(tmp_path)
    second = export_run(trained.run, tmp_path, QUERIES)
    assert (second.version, second.model_version, second.live) == (2, 2, False)
    after = _files(tmp_path)
    assert {name: after[name] for name in before} == before
    assert (first.folder / "model.onnx").read_bytes() == (second.folder / "model.onnx").read_bytes()
    kept = ModelRepository(tmp_path)
    assert [version.encoders for version in kept.versions()] == [{"en": 1}, {"en": 2}]
    assert kept.served == 1
    kept.serve(2, [1])
    assert kept.served == 2
    assert kept.version(1).encoders == {"en": 1}


def test_a_version_has_the_newest_encoders_of_the_other_languages(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """English and then Chinese make one version with both, whether English is live yet or not."""
    repository, chinese = tmp_path / "r", tmp_path / "zh"
    shutil.copytree(trained.run, chinese)
    RunFolder(chinese).record(language="zh")
    for run in (trained.run, trained.run, chinese):
        last = export_run(run, repository, QUERIES)
    assert (last.version, last.model_version) == (1, 3)
    assert _newest(repository).encoder_versions == {"en": 2, "zh": 1}
    assert "version 3 of the model has the encoders en 2, zh 1" in (said := capsys.readouterr().err)
    assert "intentstream model promote 3" in said


def test_a_live_version_without_a_configuration_of_its_own_stays_what_it_is(
    trained: Trained, shipped: Shipped, tmp_path: Path
) -> None:
    """As the first version was written once, and with no word on which version Triton is to serve."""
    repository = tmp_path / "r"
    shutil.copytree(shipped.repository, repository)
    front = repository / "query_understanding"
    for name in ("config.pbtxt", "configs/cpu.pbtxt"):
        (front / "1" / name).unlink()
        text = (front / name).read_text("utf-8")
        (front / name).write_text(text.replace(version_policy(1) + "\n", ""), encoding="utf-8")
    content = ModelRepository(repository).version(1).content()
    export_run(trained.run, repository, QUERIES)
    kept = ModelRepository(repository)
    assert kept.served == 1
    assert kept.version(1).encoders == {"en": 1}
    assert kept.version(1).content() == content


def test_an_encoder_is_measured_as_the_version_that_has_it(
    trained: Trained, tmp_path: Path
) -> None:
    """Live or not, with that version's threshold."""
    repository, run = tmp_path / "r", tmp_path / "run"
    shutil.copytree(trained.run, run)
    kept = json.loads((run / "model/labels.json").read_text("utf-8"))
    folders = []
    for threshold in (0.25, 0.75):
        kept["out_of_scope_threshold"] = threshold
        (run / "model/labels.json").write_text(json.dumps(kept), encoding="utf-8")
        folders.append(export_run(run, repository, QUERIES).folder)
    found = [predictor_of(folder).labels.out_of_scope_threshold for folder in folders]
    assert found == [0.25, 0.75]
    assert predictor_of(repository).labels.out_of_scope_threshold == 0.25


def test_what_a_gpu_serves_is_left_to_load_and_promote(trained: Trained, tmp_path: Path) -> None:
    """The new encoder has no fp16 graph yet, without which Triton would not come up again."""
    export_run(trained.run, tmp_path, QUERIES)
    second = export_run(trained.run, tmp_path, QUERIES)
    config = tmp_path / "encoder_en/config.pbtxt"
    assert version_policy(1) in config.read_text("utf-8")
    ModelRepository(tmp_path).add_candidate(second.model_version)
    assert "versions: [ 1, 2 ]" in config.read_text("utf-8")


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
        "query_understanding/1/config.pbtxt",
        "query_understanding/1/configs/cpu.pbtxt",
    }


def test_the_encoders_configuration_reads_as_intended() -> None:
    assert encoder_config("en", 3, (22, 3, 45)).splitlines()[1:] == [
        'name: "encoder_en"',
        'backend: "onnxruntime"',
        'default_model_filename: "model.fp16.onnx"',
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
    assert "`intentstream train --config recipe.toml`, seed 3" in text
    assert f"| own data: own.jsonl | the owner's | {len(TRAINING)} |" in text


def test_manifest_and_card_tell_the_digests_of_the_files(shipped: Shipped) -> None:
    folder = shipped.exported.folder
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    assert files.keys() == {"model.onnx", "tokenizer.json"}
    text = (folder / "README.md").read_text("utf-8")
    for name, digest in files.items():
        assert digest == hashlib.sha256((folder / name).read_bytes()).hexdigest()
        assert f"| `{name}` | `{digest}` |" in text


def test_the_card_names_the_command_of_several_processes(shipped: Shipped) -> None:
    """Their batches are larger than the recipe's own, so that one process makes another model."""
    manifest = json.loads((shipped.exported.folder / "manifest.json").read_text("utf-8"))
    facts = {"processes": 2, "config_file": "english_continued.toml"}
    teachers = [{"path": "runs/large"}, {"path": "model_repository/encoder_en/4"}]
    text = card(manifest | facts | {"teachers": teachers}, 1, 1000)
    assert (
        "`torchrun --standalone --nproc_per_node 2 -m -- workers.cli distill --config "
        "training/configs/english_continued.toml --teacher runs/large "
        "--teacher model_repository/encoder_en/4`, seed 3" in text
    )


def test_the_card_says_of_a_teacher_and_a_start_what_is_known(shipped: Shipped) -> None:
    manifest = json.loads((shipped.exported.folder / "manifest.json").read_text("utf-8"))
    teacher = {
        "path": "runs/large",
        "base": "all-MiniLM-L6-v2",
        "config_file": "large.toml",
        "parameters": 112e6,
        "seconds": 1680.0,
        "best_epoch": {"entities_f1": 0.715},
        "processor": "a processor",
    }
    unknown = {name: value if name == "path" else None for name, value in teacher.items()}
    start = {"path": "runs/first", "sha256": "0" * 64, "config_file": "first.toml"}
    facts = {"teachers": [teacher, unknown], "taught_texts": 9, "start": start}
    text = card(manifest | facts, 1, 1000)
    assert "in 28 minutes on a processor: 112.0M parameters, F1 0.715 on QueryNER's" in text
    assert "Its teacher, runs/large, was made elsewhere on an unnamed processor. The" in text
    assert "`first.toml` had made." in text


def test_a_card_that_cannot_be_made_leaves_nothing_behind(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_run(trained.run, tmp_path, QUERIES)
    before = _files(tmp_path)

    def fails(*_: object) -> str:
        raise KeyError("processor")

    monkeypatch.setattr("training.export.model_card.card", fails)
    with pytest.raises(KeyError):
        export_run(trained.run, tmp_path, QUERIES)
    assert _files(tmp_path) == before


def test_a_run_without_a_model_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no trained model"):
        export_run(tmp_path / "run", tmp_path / "repository", QUERIES)


def test_a_model_that_has_not_learnt_all_tasks_is_refused(tmp_path: Path) -> None:
    loss = {"intent": 0.0, "sentiment": 0.0, "tags": 1.0, "relations": 1.0}
    run, start = RunFolder(tmp_path), "model_repository/encoder_en/2"
    run.record(arguments={"loss": loss})
    with pytest.raises(ExportError, match="not learnt intent, sentiment"):
        export_run(tmp_path, tmp_path / "repository", QUERIES)
    run.record(arguments={"loss": loss, "model": {"start": start}})  # which knows them
    with pytest.raises(ConfigError, match="no trained model"):
        export_run(tmp_path, tmp_path / "repository", QUERIES)


def test_a_model_without_vectors_is_refused(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.record(vector_space=None)
    with pytest.raises(ExportError, match=r"learnt no sentence vectors.*vector a weight"):
        export_run(tmp_path, tmp_path / "repository", QUERIES)


def test_a_repository_has_one_vector_space_for_all_its_languages(
    trained: Trained, tmp_path: Path
) -> None:
    """A new version may bring another, where no other language is served."""
    repository = tmp_path / "r"
    first = export_run(trained.run, repository, QUERIES)
    name = str(RunFolder(trained.run).manifest()["vector_space"]["name"])
    assert name.startswith("vectors-")
    assert _newest(repository).labels.vector_space == name
    for place in (trained.run, trained.run / "model", first.folder, repository):
        assert predictor_of(place).labels.vector_space == name
    other = tmp_path / "other run"
    shutil.copytree(trained.run, other)
    RunFolder(other).record(language="zh", vector_space={"encoder": "x", "name": "x/1"})
    with pytest.raises(ExportError, match=rf"of en lie in the space {name}.*in x/1"):
        export_run(other, repository, QUERIES)
    assert not (repository / "encoder_zh").exists()
    RunFolder(other).record(language="en")
    export_run(other, repository, QUERIES)
    assert _newest(repository).labels.vector_space == "x/1"
    assert predictor_of(repository).labels.vector_space == name  # of the live version


def test_the_graph_is_small_enough_to_ship() -> None:
    for path in (Path(__file__).resolve().parents[3] / "model_repository").glob("*/*/model.onnx"):
        assert path.stat().st_size <= 35_000_000


def test_onnx_predictor_takes_bytes_too(shipped: Shipped) -> None:
    folder = shipped.exported.folder
    labels = predictor_of(shipped.repository).labels
    predictor = OnnxPredictor((folder / "model.onnx").read_bytes(), load_tokenizer(folder), labels)
    assert predictor(["red"]).intent_logits.shape == (1, 22)


@pytest.mark.parametrize("method", ["adapters", "prefix"])
def test_parts_that_a_graph_has_no_place_for_are_refused(
    trained: Trained, tmp_path: Path, method: str
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained.run, run)
    RunFolder(run).record(arguments={"tuning": {"method": method}})
    with pytest.raises(ExportError, match=rf"tuned with {method}.*intentstream distill"):
        export_run(run, tmp_path / "repository", QUERIES)
    model, tokenizer = load_model(trained.run / "model")[0], load_tokenizer(trained.run / "model")
    tuning = TuningConfig(method=method, bottleneck=4, prefix=2)
    make_tunable(model, tuning)
    RunFolder(run).save_model(model, trained.run / "model", {}, tuning)
    measured = predictor_of(run)  # though it has no graph
    assert isinstance(measured, TorchPredictor)
    assert measured(["red shoes"]).token_count[0] == len(tokenizer.encode("red shoes").ids) - 2
