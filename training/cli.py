"""The training commands: `intentstream train`, `distill`, `pretrain`, `evaluate` and `export` end here.

This module imports nothing of the training extra until a command runs.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from training import command_examples
from training.environment import DATA_VARIABLE, PACKAGES, data_folder, require_extra
from training.errors import TrainingError
from training.evaluation import command as evaluate_command
from training.evaluation.command import Wanted

app = typer.Typer(
    help="Fine-tune, measure and ship the model.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def train_main(config: Path, run: Path, data: Path | None = None, *, evaluate: bool = True) -> None:
    """Fine-tunes a model into a run folder, resuming what was cut off.

    Raises:
        TrainingError: a missing package, a wrong configuration, unusable data.
    """
    require_extra()
    from training.fine_tuning.session import run_training  # noqa: PLC0415 - the training extra

    run_training(config, run, data_folder(data), measure=evaluate)


def search_main(config: Path, run: Path, trials: int, data: Path | None = None) -> None:
    """Tries sets of hyperparameters, and reports which did best.

    Raises:
        TrainingError: a missing package, a wrong configuration, unusable data.
    """
    require_extra((*PACKAGES, "optuna", "matplotlib", "tomlkit"))
    from training.search.trials import run_search  # noqa: PLC0415 - the training extra

    run_search(config, run, data_folder(data), trials)


def distill_main(
    config: Path,
    teachers: list[Path],
    run: Path,
    data: Path | None = None,
    *,
    answers: Path | None = None,
    evaluate: bool = True,
) -> None:
    """Fine-tunes a student that learns from labels and from teachers.

    Raises:
        TrainingError: a missing package, no such teacher, a wrong configuration, unusable data.
    """
    require_extra()
    from training.fine_tuning.session import run_training  # noqa: PLC0415 - the training extra

    run_training(
        config, run, data_folder(data), measure=evaluate, teachers=teachers, answers=answers
    )


def evaluate_main(wanted: Wanted) -> None:
    """Measures a model, prints tables and writes what is wanted.

    Raises:
        TrainingError: a missing package, no model, unusable data.
    """
    require_extra((*PACKAGES, "seqeval", "cleanlab"))
    evaluate_command.run(wanted)


def export_main(
    run: Path,
    repository: Path,
    data: Path | None = None,
    *,
    tolerance: float | None = None,
) -> None:
    """Writes the next version of a model repository from a run folder.

    Raises:
        TrainingError: a missing package, no trained model, a failed check.
    """
    require_extra()
    from training.evaluation.run_figures import measure_of  # noqa: PLC0415
    from training.export.next_version import TOLERANCE, export_run, training_queries  # noqa: PLC0415

    folder = data_folder(data)
    export_run(
        run,
        repository,
        training_queries(run, folder),
        measure=measure_of(run, folder),
        tolerance=TOLERANCE if tolerance is None else tolerance,
    )


def card_main(version: Path, data: Path | None = None) -> None:
    """Measures an exported version again, and writes its manifest's figures and its card anew.

    Raises:
        TrainingError: a missing package, no exported version, unusable data.
    """
    require_extra()
    from training.evaluation.run_figures import measure_of  # noqa: PLC0415
    from training.export.measured_again import measure_again  # noqa: PLC0415 - the training extra

    folder = data_folder(data)
    measure_again(version, lambda: measure_of(version, folder), complete=folder.is_dir())


def export_gpu_main(repository: Path) -> None:
    """Writes the fp16 graphs of a model repository's encoders beside their int8 ones.

    Raises:
        TrainingError: a missing package, no exported encoder, a graph that says something else.
    """
    require_extra(("onnx", "onnxruntime"))
    from training.export.half_precision import write_half_precision  # noqa: PLC0415 - the training extra

    for path, difference in write_half_precision(repository):
        typer.echo(
            f"{path}: {path.stat().st_size / 1e6:.1f} MB, "
            f"logits within {difference:.4f} of the same weights in fp32"
        )


def pretrain_main(queries: Path, output: Path, **options: Any) -> None:
    """Trains a base on with unlabelled queries; the options are `training.bases.pretraining.Pretraining`'s.

    Raises:
        TrainingError: a missing package, nonsense values, unusable queries.
    """
    require_extra()
    from training.bases.pretraining import Pretraining, pretrain  # noqa: PLC0415 - the training extra

    pretrain(queries, output, Pretraining(**options))


_Data = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", envvar=DATA_VARIABLE, help="The data folder. Default: ../shared/data"
    ),
]


@app.command(epilog=command_examples.TRAIN)
def train(
    config: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="The recipe: your own, or one of training/configs/ by name, such as quick. "
            "Wrong values and labels are said before the first step.",
        ),
    ],
    run: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the run goes; one that was cut off goes on.")
    ] = Path("runs/latest"),
    data: _Data = None,
    evaluate: Annotated[bool, typer.Option(help="Measure the model at the end.")] = True,
    search: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="Try N sets of hyperparameters instead, as the recipe's \\[search] says; the run's "
            "folder gets search.html and best.toml.",
        ),
    ] = 0,
) -> None:
    """Fine-tune the query-understanding model on labelled queries.

    The recipe names the base, the data and how to train. The same command
    goes on with a run that was cut off. The run's folder gets the model, its
    figures, its curves and a manifest.
    """
    if search:
        _told(lambda: search_main(config, run, search, data))
        return
    _told(lambda: train_main(config, run, data, evaluate=evaluate))


@app.command(epilog=command_examples.DISTILL)
def distill(
    config: Annotated[
        Path,
        typer.Option(metavar="FILE", help="The student's recipe, with a \\[distillation.texts]."),
    ],
    teacher: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR", help="A teacher's run, or an exported encoder; several are averaged."
        ),
    ] = None,
    run: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the student goes; a run cut off goes on.")
    ] = Path("runs/student"),
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where the teachers' answers are kept, to be used again. Default: in the run.",
        ),
    ] = None,
    data: _Data = None,
    evaluate: Annotated[bool, typer.Option(help="Measure the student at the end.")] = True,
) -> None:
    """Teach a small model what a large one thinks of labelled and unlabelled queries.

    The teachers are asked once about the texts that the recipe names; the
    student learns their answers word by word, beside the labels.
    """
    _told(
        lambda: distill_main(config, teacher or [], run, data, answers=answers, evaluate=evaluate)
    )


@app.command(epilog=command_examples.PRETRAIN)
def pretrain(  # noqa: PLR0913, PLR0917 - each is an option of the command
    queries: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Unlabelled queries: one a line (.txt), or JSON lines (.jsonl)."
        ),
    ],
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The new base, which a recipe can name.")
    ],
    base: Annotated[
        str, typer.Option(metavar="NAME", help="A base's name, a folder, or owner/name on the hub.")
    ] = "all-MiniLM-L6-v2",
    epochs: Annotated[int, typer.Option(help="Passes over the queries.")] = 1,
    batch: Annotated[int, typer.Option(help="Queries a step.")] = 64,
    learning_rate: Annotated[float, typer.Option(help="The highest.")] = 1e-4,
    mask: Annotated[float, typer.Option(help="The share of pieces to guess.")] = 0.15,
    whole_words: Annotated[
        bool, typer.Option("--whole-words", help="Hide all pieces of a word together.")
    ] = False,
    held_out: Annotated[int, typer.Option(help="Queries that only measure.")] = 2000,
    seed: Annotated[int, typer.Option(help="Of shuffling and masking.")] = 1,
    threads: Annotated[int, typer.Option(help="Of the processor.")] = 2,
) -> None:
    """Train a base on with your own unlabelled queries, by guessing masked words.

    The queries' perplexity is measured before and after on some that are held
    out.
    """
    options = {
        "base": base,
        "epochs": epochs,
        "batch": batch,
        "learning_rate": learning_rate,
        "mask": mask,
        "whole_words": whole_words,
        "held_out": held_out,
        "seed": seed,
        "threads": threads,
    }
    _told(lambda: pretrain_main(queries, output, **options))


@app.command(help=evaluate_command.HELP, epilog=evaluate_command.EPILOG)
def evaluate(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A run folder, a model repository, an exported encoder or its model.onnx, or "
            "grpc://host:port of a Triton.",
        ),
    ] = "runs/latest",
    triton: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="The model that Triton serves there, instead of MODEL."
        ),
    ] = None,
    on: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Your own labelled texts (.csv, .tsv, .jsonl, .conll), or a public set by name; "
            "several times for several. Default: all that the project measures.",
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A recipe whose \\[data] names your files' columns and maps their labels; without "
            "--on, its validation files are measured.",
        ),
    ] = None,
    before: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Another model, on the same texts: what has changed?"),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write evaluation.html (plots), evaluation.json and label_errors.jsonl there.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write all facts there.")
    ] = None,
    data: _Data = None,
) -> None:
    """See `training.evaluation.command.HELP`."""
    wanted = Wanted(
        model=f"grpc://{triton.removeprefix('grpc://')}" if triton else model,
        data=data_folder(data),
        on=tuple(on or ()),
        recipe=recipe,
        before=before,
        json_file=json_file,
        folder=report,
    )
    _told(lambda: evaluate_main(wanted))


@app.command(epilog=command_examples.EXPORT)
def export(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="A finished run; with --card an exported version."),
    ] = Path("runs/latest"),
    repository: Annotated[Path, typer.Option(metavar="DIR", help="The model repository.")] = Path(
        "model_repository"
    ),
    data: _Data = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            min=0.0,
            max=1.0,
            help="How much worse than fp32 any figure may be. Default: 0.005.",
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            metavar="cpu|gpu",
            help="cpu: int8, from RUN. gpu: fp16 for Triton's ONNX Runtime backend, from the "
            "repository's int8 weights; needs no RUN.",
        ),
    ] = "cpu",
    card: Annotated[
        bool,
        typer.Option(
            "--card",
            help="Measure an exported version again and write its figures and card anew, after the "
            "evaluation sets, the measuring or your validation files changed. Its model stays.",
        ),
    ] = False,
) -> None:
    """Write a trained model as the next version in the model repository.

    The graph is int8 with scales from 128 training queries. Before anything
    is written it is compared with fp32 in quality, size and speed, and every
    query must get the same bytes alone and in a batch. It becomes the encoder
    of the run's language, that of its base. What is live stays so until the
    new version is promoted.
    """
    if profile not in ("cpu", "gpu"):
        raise typer.BadParameter("cpu or gpu", param_hint="--profile")
    if card:
        if tolerance is not None or profile != "cpu":
            raise typer.BadParameter("it goes with --data alone", param_hint="--card")
        _told(lambda: card_main(run, data))
        return
    if profile == "gpu":
        _told(lambda: export_gpu_main(repository))
        return
    _told(lambda: export_main(run, repository, data, tolerance=tolerance))


def _told(command: Callable[[], None]) -> None:
    """Runs a command; an error of ours is one message on the terminal and exit status 1."""
    try:
        command()
    except TrainingError as error:
        typer.secho(f"error: {error.message}", fg="red", err=True)
        if error.hint:
            typer.echo(f"  {error.hint}", err=True)
        raise typer.Exit(1) from error
