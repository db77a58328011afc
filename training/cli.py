"""The training commands: `intentstream train`, `evaluate` and `export` end here.

This module imports nothing of the training extra until a command runs.
"""

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from training.errors import MissingExtraError, TrainingError

DATA_VARIABLE = "INTENTSTREAM_DATA"
_NEEDED = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime", "tensorboard")

app = typer.Typer(help="Fine-tune, measure and ship the model.", no_args_is_help=True)


def require_extra() -> None:
    """Checks that the training extra is there.

    Raises:
        MissingExtraError: naming the first package that is not.
    """
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"training needs {name}",
                "install the training extra: pip install intentstream[train]",
            )
    # Spinning OpenMP threads cost ten times the CPU where cores are shared; torch reads this once.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def data_folder(data: Path | None) -> Path:
    """The data folder: the argument, else INTENTSTREAM_DATA, else ../shared/data."""
    return data or Path(os.environ.get(DATA_VARIABLE) or "../shared/data")


def train_main(config: Path, run: Path, data: Path | None = None, *, evaluate: bool = True) -> None:
    """Fine-tunes a model into a run folder, resuming what was cut off.

    Raises:
        TrainingError: a missing package, a wrong configuration, unusable data.
    """
    require_extra()
    from training.session import run_training  # noqa: PLC0415 - the training extra

    run_training(config, run, data_folder(data), measure=evaluate)


def evaluate_main(model: Path, data: Path | None = None, *, json_file: Path | None = None) -> None:
    """Prints the figures of a trained or exported model as a table; writes them as JSON.

    Raises:
        TrainingError: a missing package, no model, unusable data.
    """
    require_extra()
    from training.report import print_figures  # noqa: PLC0415 - the training extra
    from training.session import evaluate_model  # noqa: PLC0415

    figures = evaluate_model(model, data_folder(data))
    print_figures(figures)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n", "utf-8")


def export_main(run: Path, repository: Path, data: Path | None = None) -> None:
    """Writes the next version of a model repository from a run folder.

    Raises:
        TrainingError: a missing package, no trained model, a failed check.
    """
    require_extra()
    from training.config import DataConfig  # noqa: PLC0415 - the training extra
    from training.export import export_run  # noqa: PLC0415
    from training.session import validation_sets  # noqa: PLC0415

    export_run(run, repository, validation_sets(DataConfig(), data_folder(data)))


_Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", envvar=DATA_VARIABLE, help="The data folder. Default: ../shared/data"
    ),
]


@app.command()
def train(
    config: Annotated[
        Path, typer.Option(metavar="FILE", help="The recipe: training/configs/*.toml.")
    ],
    run: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the run goes; one that was cut off goes on.")
    ] = Path("runs/latest"),
    data: _Data = None,
    evaluate: Annotated[bool, typer.Option(help="Measure the model at the end.")] = True,
) -> None:
    """Fine-tune the query-understanding model on labelled queries."""
    _told(lambda: train_main(config, run, data, evaluate=evaluate))


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.")] = Path(
        "runs/latest"
    ),
    data: _Data = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all figures there.")
    ] = None,
) -> None:
    """Measure a trained model: entities, intents, relations, sentiment, calibration."""
    _told(lambda: evaluate_main(model, data, json_file=json_file))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")] = Path(
        "runs/latest"
    ),
    repository: Annotated[Path, typer.Option(metavar="DIR", help="The model repository.")] = Path(
        "model_repository"
    ),
    data: _Data = None,
) -> None:
    """Write a trained model as the next version in the model repository."""
    _told(lambda: export_main(run, repository, data))


def _told(command: Callable[[], None]) -> None:
    """Runs a command; an error of ours is one message on the terminal and exit status 1."""
    try:
        command()
    except TrainingError as error:
        typer.secho(f"error: {error.message}", fg="red", err=True)
        if error.hint:
            typer.echo(f"  {error.hint}", err=True)
        raise typer.Exit(1) from error
