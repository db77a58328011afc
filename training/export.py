"""From a run folder to the next version in a model repository, checked before it is written."""

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console

from streams.decoding import ModelLabels, ModelOutputs
from training.errors import TrainingError
from training.evaluation import validation_score
from training.examples import Example
from training.graph import build
from training.model_card import card
from training.onnx_predict import OnnxPredictor
from training.predict import Predictor, TorchPredictor
from training.run_folder import RunFolder, load_model
from training.serving_config import Served, encoder_config, front_config
from training.tokens import load_tokenizer

MAX_PIECES = 128
MAX_BYTES = 35_000_000
FRONT = "query_understanding"
_SHIPPED = Path(__file__).resolve().parent.parent / "model_repository"
_LANGUAGE = "en"


class ExportError(TrainingError):
    """The exported model is not what it must be; nothing was written."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and what compression cost."""

    version: int
    folder: Path
    bytes: int
    cost: dict[str, float]


def export_run(
    run_folder: Path, repository: Path, samples: dict[str, list[Example]] | None = None
) -> Exported:
    """Checks the trained model's graph and writes it as the repository's next version.

    Args:
        run_folder: a finished run.
        repository: model repository; its other languages' encoders stay as they are.
        samples: validation sets on which to measure what compression costs.

    Raises:
        ConfigError: no trained model.
        ExportError: too large, or its answers depend on the batch.
    """
    run = RunFolder(run_folder)
    model, calibration = load_model(run.model)
    tokenizer = load_tokenizer(run.model)
    graph = build(model, calibration, MAX_PIECES).SerializeToString()
    if len(graph) > MAX_BYTES:
        raise ExportError(
            f"the encoder takes {len(graph) / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.0f} MB",
            "train a smaller base",
        )
    whole = TorchPredictor(model, tokenizer, calibration)
    small = OnnxPredictor(graph, tokenizer, whole.labels)
    texts = [example.text for part in (samples or {}).values() for example in part] or _PROBES
    check_batch_invariance(small, texts[:2000])
    cost = _cost(whole, small, samples, texts[:500])
    version = _next_version(repository)
    folder = repository / f"encoder_{_LANGUAGE}" / str(version)
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(graph)
    shutil.copyfile(run.model / "tokenizer.json", folder / "tokenizer.json")
    manifest = run.manifest()
    text = json.dumps(manifest, indent=2, ensure_ascii=False, sort_keys=True)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card(manifest, version, len(graph), cost), encoding="utf-8")
    _write_configs(repository, whole.labels, version)
    exported = Exported(version, folder, len(graph), cost)
    Console(stderr=True).print(
        f"encoder_{_LANGUAGE} version {version}, {len(graph) / 1e6:.1f} MB: {json.dumps(cost)}"
    )
    return exported


_PROBES = [
    "shoes", "red shoes", "red shoes and a blue bag", "where is my order [ORDER]", "tv", "refund",
    "does the kettle switch itself off when it boils", "i love it", "501", "usb c charger 65w",
]  # fmt: skip


def check_batch_invariance(predictor: Predictor, texts: list[str]) -> None:
    """Every text alone and all together must give the same bytes.

    Raises:
        ExportError: naming the first text that does not.
    """
    together = predictor(texts)
    for row, text in enumerate(texts):
        alone = predictor([text])
        count = int(alone.token_count[0])
        if not _same(alone, together, row, count):
            raise ExportError(
                f"{text!r} gets other scores in a batch than alone",
                "this processor's kernels differ by shape: export on another machine",
            )


def _same(alone: ModelOutputs, together: ModelOutputs, row: int, count: int) -> bool:
    rows = (
        (alone.intent_logits[0], together.intent_logits[row]),
        (alone.sentiment_logits[0], together.sentiment_logits[row]),
        (alone.sentence_vector[0], together.sentence_vector[row]),
        (alone.tag_logits[0], together.tag_logits[row, :count]),
        (alone.relation_subject[0], together.relation_subject[row, :count]),
        (alone.relation_object[0], together.relation_object[row, :count]),
    )
    return all(np.array_equal(one, other) for one, other in rows)


def _cost(
    whole: Predictor, small: Predictor, samples: dict[str, list[Example]] | None, texts: list[str]
) -> dict[str, float]:
    """Queries a second of both, and every validation figure of both."""
    found: dict[str, float] = {}
    for name, predictor in (("fp32", whole), ("int8", small)):
        started = time.process_time()
        predictor(texts)
        found[f"{name}_queries_per_cpu_second"] = round(
            len(texts) / (time.process_time() - started), 1
        )
        if samples:
            scores = validation_score(predictor, samples)
            found |= {f"{name}_{key}": round(value, 4) for key, value in scores.items()}
    return found


def _next_version(repository: Path) -> int:
    versions = (repository / f"encoder_{_LANGUAGE}").glob("[0-9]*")
    return max((int(path.name) for path in versions if path.name.isdigit()), default=0) + 1


def _write_configs(repository: Path, labels: ModelLabels, version: int) -> None:
    classes = (len(labels.intents), len(labels.sentiments), len(labels.tags))
    encoder = repository / f"encoder_{_LANGUAGE}"
    (encoder / "config.pbtxt").write_text(
        encoder_config(_LANGUAGE, version, classes), encoding="utf-8"
    )
    front = repository / FRONT
    (front / "configs").mkdir(parents=True, exist_ok=True)
    (front / "1").mkdir(exist_ok=True)
    served = Served(labels, {_LANGUAGE: version})
    (front / "config.pbtxt").write_text(front_config(served, "bls"), encoding="utf-8")
    (front / "configs" / "cpu.pbtxt").write_text(front_config(served, "local"), encoding="utf-8")
    source, target = _SHIPPED / FRONT / "1" / "model.py", front / "1" / "model.py"
    if source != target.resolve():
        shutil.copyfile(source, target)
