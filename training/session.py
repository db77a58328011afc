"""A training run from configuration to calibrated model, and the evaluation of one."""

import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from transformers.utils import logging as transformers_logging

from training.calibration import calibrate
from training.config import TASKS, DataConfig, TrainConfig, load_config
from training.corpus import composition, load_corpus, validation_files
from training.encoders import resolve
from training.errors import ConfigError
from training.evaluation import evaluate
from training.examples import Example
from training.export import FRONT, MAX_PIECES
from training.generator import compose
from training.graph import build
from training.hardware import best_device, fast_bf16
from training.network import QueryModel
from training.onnx_predict import OnnxPredictor
from training.predict import Predictor, TorchPredictor
from training.report import print_figures
from training.run_folder import RunFolder, load_model
from training.sentence_space import SentenceSpace
from training.serving_config import read_front
from training.sources import SOURCES, file_hashes, load_if_there
from training.teachers import answers_of
from training.tokens import load_tokenizer
from training.trainer import Trainer

_UNSEEN = 777_767  # a seed whose generated texts no epoch draws


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
    console = Console(stderr=True)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # transformers
    config = load_config(config_file)
    run = RunFolder(folder)
    base = resolve(config.model.base)
    names = [name for name, count in config.data.sources.items() if count]
    corpus = load_corpus(config.data, data, config.seed, config.loss.tasks)
    run.record_start(config, file_hashes([n for n in names if n in SOURCES], data))
    if teachers and not config.distillation.texts:
        raise ConfigError(
            f"{config_file.name} has no [distillation.texts]", "say what the teachers are asked"
        )
    soft = None
    if config.distillation.texts:
        corpus = corpus.lessons(config.distillation.texts)
        soft = answers_of(teachers, corpus, config, answers or run.answers)
        corpus = corpus.taught(config.distillation.texts, soft)
        run.record(teachers=soft.made_of, taught_texts=len(soft))
    run.record(examples_an_epoch=composition(corpus), config_file=config_file.name)
    torch.manual_seed(config.seed)
    model = QueryModel.from_base(base, config.model.dropout)
    parameters = sum(p.numel() for p in model.parameters())
    console.print(f"{parameters / 1e6:.1f}M parameters, {run.manifest()['examples_an_epoch']}")
    started = time.monotonic()
    trainer = Trainer(
        config,
        model,
        load_tokenizer(base),
        corpus,
        validation_sets(config.data, data, config.loss.tasks),
        run,
        _space(config, base),
        None if soft is None else soft.of,
    )
    best = trainer.train()
    _finish(run, model, base, data, best)
    run.record(parameters=parameters, seconds=round(time.monotonic() - started))
    if measure:
        print_figures(evaluate_model(folder, data))
    return run.manifest()


def _finish(
    run: RunFolder, model: QueryModel, base: Path, data: Path, best: dict[str, float]
) -> None:
    labels = calibrate(TorchPredictor(model, load_tokenizer(base)), data)
    run.save_model(model, base, labels)
    run.record(calibration=labels, best_epoch=best)


def _space(config: TrainConfig, base: Path) -> SentenceSpace | None:
    folder = resolve(config.model.vectors) if config.model.vectors else base
    if not SentenceSpace.fits(folder):
        return None
    return SentenceSpace(folder, bf16=fast_bf16(best_device()))


def validation_sets(
    config: DataConfig, data: Path, tasks: Collection[str] = TASKS
) -> dict[str, list[Example]]:
    """The sets that decide which epoch is kept: the shop's own, public and generated ones.

    Args:
        config: names the shop's own.
        data: folder of the public ones.
        tasks: those that are trained; the sets of others are left out.

    Raises:
        DataError: an unreadable file.
    """
    own = validation_files(config)
    products = compose("products", 600, _UNSEEN)
    entities = [e for e in own if e.spans] + load_if_there("queryner_validation", data)
    sets = {
        "tags": entities or products,
        "intent": [
            *(e for e in own if e.intent),
            *load_if_there("amazon_pqa_test", data)[::3],
            *load_if_there("clinc_validation", data)[::4],
            *compose("requests", 1000, _UNSEEN),
        ],
        "relations": products,
    }
    return {task: examples for task, examples in sets.items() if task in tasks}


def evaluate_model(folder: Path, data: Path) -> dict[str, Any]:
    """The figures of a run folder's model, which its manifest keeps, or of a model repository's.

    Raises:
        TrainingError: no model there, or unusable data.
    """
    figures = evaluate(predictor_of(folder), data)
    if (folder / "model").is_dir():
        RunFolder(folder).record(figures=figures)
    return figures


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


def repository_predictor(repository: Path, language: str = "en") -> Predictor:
    """The encoder of a language that a model repository serves.

    Raises:
        ConfigError: the repository serves none.
    """
    front = repository / FRONT / "configs" / "cpu.pbtxt"
    if not front.is_file():
        raise ConfigError(f"no {front.name} in {front.parent}", "run intentstream export")
    served = read_front(front.read_text(encoding="utf-8"))
    if language not in served.encoder_versions:
        raise ConfigError(f"{repository} serves no encoder for {language!r}", "export one")
    folder = repository / f"encoder_{language}" / str(served.encoder_versions[language])
    return OnnxPredictor(folder / "model.onnx", load_tokenizer(folder), served.labels)
