"""The `intentstream` command: puts the commands together and says errors in plain words."""

import importlib
import pkgutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from workers import commands
from workers.errors import IntentstreamError

_FIRST = ("up", "enrich", "personalize", "profiles", "topics", "inspect", "replay", "dead")
"""Modules of `workers.commands` that come first in the help, in this order."""

_TRAINING = {
    "train": "Fine-tune the query-understanding model on labelled queries.",
    "distill": "Teach a small model what a large one thinks of queries.",
    "pretrain": "Train a base on with your own unlabelled queries.",
    "evaluate": "Measure a trained model: per class, per slice, calibration.",
    "export": "Write a trained model as the next version in the model repository.",
}

_EPILOG = """
[bold]Examples[/bold]

  Everything on this machine, with sample traffic and a live view (Ctrl-C stops it):
    [cyan]intentstream up[/cyan]

  A file of queries, one per line, through the whole chain; a summary as JSON on stdout:
    [cyan]intentstream up --input queries.jsonl --until-drained --output out/[/cyan]

  The workers alone, against your own Kafka, Triton and Redis:
    [cyan]INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS=broker:9092 intentstream enrich[/cyan]

  While `up` runs, from another terminal in the same folder:
    [cyan]intentstream profile u-1[/cyan]
"""

app = typer.Typer(
    name="intentstream",
    help="Streaming query understanding for online shops: raw queries in from Kafka; intents, "
    "entities and sentiment out; a profile of each user in Redis.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"intentstream {version('intentstream')}")
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    run_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Talk to the stack that `intentstream up` runs in this folder. Without it, the "
            "one in .intentstream is found by itself, unless the environment or .env names "
            "another system.",
        ),
    ] = None,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    del show_version  # its callback has done the work
    if context.invoked_subcommand in {"up", *_TRAINING}:
        return
    from workers.embedded import run_env  # noqa: PLC0415 (only commands that need it pay)

    if not run_env.adopt(run_dir) and run_dir is not None:
        raise IntentstreamError(
            f"No `intentstream up` runs in {run_dir}.",
            f"Start one: intentstream up --run-dir {run_dir}",
        )


def _register_training() -> None:
    for name, help_text in _TRAINING.items():
        app.command(
            name,
            help=help_text,
            rich_help_panel="Model",
            add_help_option=False,  # `training.cli` knows its own options
            context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
        )(_run_training)


def _run_training(context: typer.Context) -> None:
    try:
        training = importlib.import_module("training.cli")
        training.app(args=[context.command.name, *context.args], prog_name="intentstream")
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "training", "streams", "workers"):
            raise
        raise IntentstreamError(
            f"`intentstream {context.command.name}` needs the package {package}, which is not "
            "installed.",
            "Install the training extra (about 5 GB): pip install -e '.[train]' in a clone of the "
            "repository.",
        ) from error


def _register_commands() -> None:
    found = {module.name for module in pkgutil.iter_modules(commands.__path__)}
    first = [name for name in _FIRST if name in found]
    for name in (*first, *sorted(found.difference(first))):
        importlib.import_module(f"workers.commands.{name}").register(app)
    _register_training()


_register_commands()


def main() -> None:
    """Runs the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    try:
        app()
    except IntentstreamError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
