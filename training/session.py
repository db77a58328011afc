"""A training run from configuration to calibrated model, and the evaluation of one."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from training import chinese, chinese_evaluation
from training.calibration import calibrate
from training.config import TrainConfig, load_config
from training.corpus import composition
from training.encoders import language_of, resolve
from training.errors import ConfigError
from training.evaluation import evaluate
from training.export import FRONT, MAX_PIECES
from training.graph import build
from training.network import QueryModel
from training.onnx_predict import OnnxPredictor
from training.predict import Predictor, TorchPredictor
from training.preparation import model_of, prepare, trainer_of
from training.processes import Processes
from training.report import print_figures
from training.run_folder import RunFolder, base_of, load_model
from training.sentence_space import SentenceSpace
from training.serving_config import Served, read_front
from training.tokens import load_tokenizer
from training.tuning import count_parameters, merge


def run_training(
    config_file: Path,
    folder: Path,
    data: Path,
    *,
    measure: bool,
    teachers: Sequence[Path] = (),
    answers: Path | None = None,
) -> dict[str, Any]:
    """Trains, calibrates and, if wanted, measures; returns the run's manifest.

    Args:
        config_file: the recipe.
        folder: of the run.
        data: of the public data sets.
        measure: whether to evaluate at the end.
        teachers: run folders of models to learn from, for a recipe with a [distillation].
        answers: the file of the teachers' answers; in the run's folder by default.

    Raises:
        TrainingError: before the first step, when anything is wrong.
    """
    processes = Processes()
    console = Console(stderr=True, quiet=not processes.main)
    config = load_config(config_file)
    run = RunFolder(folder, writes=processes.main)
    ready = prepare(config, run, data, console, teachers, answers)
    run.record(config_file=config_file.name)
    model = model_of(ready, config)
    parameters = count_parameters(model)
    console.print(
        f"{parameters.all / 1e6:.1f}M parameters, of which {parameters.learning / 1e6:.2f}M learn; "
        f"{composition(ready.corpus)}"
    )
    started = time.monotonic()
    best = trainer_of(ready, config, run, model).train()
    merge(model, config.tuning)
    if processes.main:
        _finish(run, model, ready.base, data, best, config)
    run.record(seconds=round(time.monotonic() - started), processes=processes.count)
    if measure and processes.main:
        print_figures(evaluate_model(folder, data))
    return run.manifest()


def _finish(
    run: RunFolder,
    model: QueryModel,
    base: Path,
    data: Path,
    best: dict[str, float],
    config: TrainConfig,
) -> None:
    predictor = TorchPredictor(model, load_tokenizer(base))
    labels = calibrate(predictor, data, language_of(config.model.base))
    run.save_model(model, base, labels, config.tuning)
    run.record(calibration=labels, best_epoch=best)


def evaluate_model(folder: Path, data: Path) -> dict[str, Any]:
    """The figures of a run folder's model, which its manifest keeps, or of a model repository's.

    Raises:
        TrainingError: no model there, or unusable data.
    """
    if (folder / FRONT).is_dir():
        return _served_figures(folder, data)
    figures = measure_of(folder, data)(predictor_of(folder))
    if (folder / "model").is_dir():
        RunFolder(folder).record(figures=figures)
    return figures


def measure_of(run: Path, data: Path) -> Callable[[Predictor], dict[str, Any]]:
    """What takes the figures of models in the language of a run's base."""
    manifest = RunFolder(run).manifest() if (run / "manifest.json").is_file() else {}
    if language_of(base_of(manifest)) == "zh":
        english = _english_vectors(manifest)
        return lambda predictor: chinese_evaluation.evaluate(predictor, data, english)
    return lambda predictor: evaluate(predictor, data)


def _served_figures(repository: Path, data: Path) -> dict[str, Any]:
    """Those of every language that the repository serves; Chinese vectors beside the English ones."""
    languages = served_languages(repository)
    figures: dict[str, Any] = {}
    english = None
    if "en" in languages:
        predictor = repository_predictor(repository)
        figures |= evaluate(predictor, data)
        pairs = chinese.hand_written_pairs()
        english = predictor([text for _, text in pairs]).sentence_vector
    if "zh" in languages:
        predictor = repository_predictor(repository, "zh")
        figures |= chinese_evaluation.evaluate(predictor, data, english)
    return figures


def _english_vectors(manifest: Mapping[str, Any]) -> NDArray[np.float32] | None:
    """The English of the hand-written pairs, in the space that a run's model learnt."""
    vectors = manifest.get("arguments", {}).get("model", {}).get("vectors", "")
    if not vectors:
        return None
    texts = [english for _, english in chinese.hand_written_pairs()]
    found = SentenceSpace(resolve(vectors)).vectors(texts)
    return np.array([found[text] for text in texts], np.float32)


def predictor_of(folder: Path) -> Predictor:
    """What would be served, or is: a run's model as its exported graph, or a repository's encoder.

    Raises:
        ConfigError: there is neither.
    """
    if (folder / FRONT).is_dir():
        return repository_predictor(folder)
    path = folder / "model" if (folder / "model").is_dir() else folder
    model, calibration = load_model(path)
    tokenizer = load_tokenizer(path)
    labels = TorchPredictor(model, tokenizer, calibration).labels
    graph = build(model, calibration, MAX_PIECES).SerializeToString()
    return OnnxPredictor(graph, tokenizer, labels)


def served_languages(repository: Path) -> tuple[str, ...]:
    """The languages of the encoders that a model repository serves.

    Raises:
        ConfigError: it serves none.
    """
    return tuple(_served(repository).encoder_versions)


def _served(repository: Path) -> Served:
    front = repository / FRONT / "configs" / "cpu.pbtxt"
    if not front.is_file():
        raise ConfigError(f"no {front.name} in {front.parent}", "run intentstream export")
    return read_front(front.read_text(encoding="utf-8"))


def repository_predictor(repository: Path, language: str = "en") -> Predictor:
    """The encoder of a language that a model repository serves.

    Raises:
        ConfigError: the repository serves none.
    """
    served = _served(repository)
    if language not in served.encoder_versions:
        raise ConfigError(f"{repository} serves no encoder for {language!r}", "export one")
    folder = repository / f"encoder_{language}" / str(served.encoder_versions[language])
    return OnnxPredictor(folder / "model.onnx", load_tokenizer(folder), served.labels)
