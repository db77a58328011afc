"""The teachers of a distillation run: trained models whose answers a student learns from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from training.compression.distillation import SoftTags, Teacher, taught
from training.config import TrainConfig
from training.data.corpus import Corpus
from training.errors import ConfigError
from training.export.saved_models import predictor_of
from training.hardware import best_device, fast_bf16
from training.inference.predict import TorchPredictor
from training.network.run_folder import RunFolder, file_digest, load_model, manifest_of
from training.network.tokens import load_tokenizer
from training.terminal import progress_bar

_BATCH = 128
_TOLD = ("config_file", "parameters", "seconds", "best_epoch", "processor")


def soft_targets_of(
    runs: Sequence[Path], corpus: Corpus, config: TrainConfig, kept: Path
) -> SoftTags:
    """What the teachers think of the words of the corpus's texts.

    Args:
        runs: folders of the teachers' runs or of exported encoders; none where `kept` holds their answers
            already.
        corpus: already cut down to the texts that are asked about.
        config: of the student; its `distillation.texts` names the sources.
        kept: the file of the answers, made where it is missing or of other teachers or texts.

    Raises:
        ConfigError: no such run, or neither a teacher nor a file of answers.
        DataError: the file holds no answers.
    """
    if not runs:
        if not kept.is_file():
            raise ConfigError(
                "the recipe has a [distillation], but there is neither a teacher nor its answers",
                "name the teacher's run: intentstream distill --teacher DIR",
            )
        return SoftTags.load(kept)
    texts = [e.text for name in config.distillation.texts for e in corpus.pools[name]]
    console = Console(stderr=True)
    console.print(f"{len(runs)} teachers answer {len(texts)} texts")
    with progress_bar() as progress:
        task = progress.add_task("teaching", total=len(texts))
        teachers = [_teacher(run) for run in runs]
        return taught(teachers, texts, kept, lambda done: progress.advance(task, done))


def lineage(runs: Sequence[Path]) -> list[dict[str, Any]]:
    """What each teacher is, for the student's manifest."""
    manifests = [(run, manifest_of(run)) for run in runs]
    return [
        {
            "path": run.as_posix(),
            "base": manifest.get("arguments", {}).get("model", {}).get("base"),
            **{name: manifest.get(name) for name in _TOLD},
        }
        for run, manifest in manifests
    ]


def _teacher(run: Path) -> Teacher:
    if (run / "model.onnx").is_file():
        return Teacher(predictor_of(run), file_digest(run / "model.onnx"))
    folder = RunFolder(run).model
    model, calibration = load_model(folder)
    device = best_device()
    predictor = TorchPredictor(
        model.to(device), load_tokenizer(folder), calibration, _BATCH, bf16=fast_bf16(device)
    )
    return Teacher(predictor, file_digest(folder / "weights.pt"))
