"""A training run from configuration to calibrated model, and the evaluation of one."""

import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from transformers import AutoModel
from transformers.utils import logging as transformers_logging

from training.calibration import calibrate
from training.config import load_config
from training.corpus import composition, load_corpus
from training.encoders import resolve
from training.evaluation import evaluate
from training.examples import Example
from training.generator import compose
from training.network import VECTOR_WIDTH, QueryModel
from training.predict import Predictor, TorchPredictor
from training.report import print_figures
from training.run_folder import RunFolder, load_model
from training.sources import SOURCES, file_hashes, load
from training.tokens import load_tokenizer
from training.trainer import Trainer

_UNSEEN = 777_767  # a seed whose generated texts no epoch draws


def run_training(config_file: Path, folder: Path, data: Path, *, evaluate: bool) -> dict[str, Any]:
    """Trains, calibrates and, if wanted, evaluates; returns the run's manifest.

    Raises:
        TrainingError: before the first step, when anything is wrong.
    """
    console = Console(stderr=True)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call] # transformers
    config = load_config(config_file)
    run = RunFolder(folder)
    base = resolve(config.model.base)
    names = [name for name, count in config.data.sources.items() if count]
    corpus = load_corpus(config.data, data, config.seed)
    run.record_start(config, file_hashes([n for n in names if n in SOURCES], data))
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
        validation_sets(data),
        run,
        _teacher(base, model),
    )
    best = trainer.train()
    _finish(run, model, base, data, best)
    run.record(parameters=parameters, seconds=round(time.monotonic() - started))
    if evaluate:
        figures = evaluate_model(folder, data)
        run.record(figures=figures)
        print_figures(figures)
    return run.manifest()


def _finish(
    run: RunFolder, model: QueryModel, base: Path, data: Path, best: dict[str, float]
) -> None:
    labels = calibrate(TorchPredictor(model, load_tokenizer(base)), data)
    run.save_model(model, base, labels)
    run.record(calibration=labels, best_epoch=best)


def _teacher(base: Path, model: QueryModel) -> torch.nn.Module | None:
    if model.width != VECTOR_WIDTH:
        return None
    teacher: torch.nn.Module = AutoModel.from_pretrained(
        base, attn_implementation="eager", local_files_only=True
    )
    return teacher.float()


def validation_sets(data: Path) -> dict[str, list[Example]]:
    """The sets that decide which epoch is kept.

    Raises:
        DataError: the data folder lacks a file.
    """
    return {
        "entities": load("queryner_validation", data),
        "intents": [
            *load("amazon_pqa_test", data)[::3],
            *load("clinc_validation", data)[::4],
            *compose("requests", 1000, _UNSEEN),
        ],
        "relations": compose("products", 600, _UNSEEN),
    }


def evaluate_model(folder: Path, data: Path) -> dict[str, Any]:
    """The figures of a run folder's or a model folder's model.

    Raises:
        TrainingError: no model there, or unusable data.
    """
    return evaluate(predictor_of(folder), data)


def predictor_of(folder: Path) -> Predictor:
    """A predictor on the trained model of a run folder.

    Raises:
        ConfigError: there is none.
    """
    path = folder / "model" if (folder / "model").is_dir() else folder
    model, labels = load_model(path)
    return TorchPredictor(model, load_tokenizer(path), labels)
