"""A training run, from configuration to calibrated model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from training.config import TrainConfig
from training.data.corpus import validation_files
from training.evaluation.run_figures import record_run_figures
from training.fine_tuning.calibration import calibrate
from training.fine_tuning.preparation import Ready, model_of, prepare, trainer_of
from training.fine_tuning.processes import Processes
from training.fine_tuning.starting_point import draw_back, located
from training.inference.predict import TorchPredictor
from training.network.query_model import QueryModel
from training.network.run_folder import RunFolder, learnt_by
from training.network.tokens import load_tokenizer
from training.network.tuning import count_parameters, merge
from training.recipes import load_config, recipe_at
from training.terminal import print_figures


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
        KeyboardInterrupt: from the terminal, where it has been said how to go on.
    """
    processes = Processes()
    console = Console(stderr=True, quiet=not processes.main)
    config_file = recipe_at(config_file)
    config = load_config(config_file)
    run = RunFolder(folder, writes=processes.main)
    ready = prepare(config, run, data, console, teachers, answers)
    run.record(config_file=config_file.name)
    model = model_of(ready, config)
    parameters = count_parameters(model)
    console.print(
        f"{parameters.all / 1e6:.1f}M parameters, of which {parameters.learning / 1e6:.2f}M learn"
    )
    trainer = trainer_of(ready, config, run, model)
    try:
        best = trainer.train()
    except KeyboardInterrupt:
        console.print(_stopped(run, trainer.unkept), markup=False)
        raise
    merge(model, config.tuning)
    if processes.main:
        _finish(ready, model, data, best, config)
    run.record(seconds=round(trainer.seconds), processes=processes.count)
    if measure and processes.main:
        print_figures(record_run_figures(folder, data))
    console.print(
        f"the model is in {run.model}; next: intentstream evaluate {folder}, intentstream export {folder}",
        markup=False,
        soft_wrap=True,
    )
    return run.manifest()


def _stopped(run: RunFolder, unkept: float) -> str:
    if not run.checkpoint.is_file():
        return "stopped before the first checkpoint: the same command begins anew"
    return (
        f"stopped: the same command goes on from the last checkpoint; {unkept:.0f} seconds are lost"
    )


def _finish(
    ready: Ready,
    model: QueryModel,
    data: Path,
    best: dict[str, float],
    config: TrainConfig,
) -> None:
    if share := config.model.start_share:
        draw_back(model, located(Path(config.model.shared)), ready.base, share)
    predictor = TorchPredictor(model, load_tokenizer(ready.base))
    labels = calibrate(
        predictor,
        data,
        ready.language,
        tasks=learnt_by(ready.run.manifest()),
        own=validation_files(config.data),
        drawn=ready.corpus.epoch(0),
    )
    ready.run.save_model(model, ready.base, labels, config.tuning)
    ready.run.record(calibration=labels, best_epoch=best)
