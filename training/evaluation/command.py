"""`intentstream evaluate`: any model on any labelled texts, for people and for machines.

This module imports nothing of the training extra until the command runs.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from training.errors import ConfigError

if TYPE_CHECKING:
    from training.evaluation.figures import Step
    from training.evaluation.opened_models import OpenModel
    from training.evaluation.report import Report

HELP = (
    "Measure a model: what is served, a run, an exported encoder; on public or on your own texts.\n\n"
    "Entities (precision, recall, F1 by seqeval, typed and untyped), intents and sentiment (accuracy, "
    "macro-F1, calibration), relations, sentence vectors, redaction; by class, and by kind of text, "
    "with those that fall behind called out. Where a figure has a bar, it stands beside it."
)

EPILOG = """
[bold]Examples[/bold]

  What is served, from its files; or as Triton serves it:
    [cyan]intentstream evaluate model_repository[/cyan]
    [cyan]intentstream evaluate grpc://localhost:8001[/cyan]

  A run on your own texts, with a page to look at and labels to check:
    [cyan]intentstream evaluate runs/mine --on mine/held-out.csv --report reports/mine[/cyan]

  Files with other columns or labels, as a recipe's \\[data] reads them:
    [cyan]intentstream evaluate runs/mine --recipe mine/recipe.toml[/cyan]

  What fine-tuning has changed:
    [cyan]intentstream evaluate runs/mine --before model_repository --report reports/mine[/cyan]
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of an evaluation.

    Attributes:
        model: a name that `training.evaluation.opened_models` knows.
        data: the folder of the public sets.
        on: files of labelled texts, or names of public sets; empty for what the project measures.
        recipe: whose [data] says how files are read; its validation files, where `on` is empty.
        before: another model, to be compared with.
        json_file: where all facts go.
        folder: where the page, the facts and the labels to check go.
    """

    model: str
    data: Path
    on: tuple[str, ...] = ()
    recipe: Path | None = None
    before: str | None = None
    json_file: Path | None = None
    folder: Path | None = None


def run(wanted: Wanted) -> "Report":
    """Measures, prints the tables and writes what is wanted.

    Raises:
        TrainingError: no such model, unusable data, a place that cannot be written, a Triton that does
            not answer.
    """
    from training.evaluation.measuring import measured  # noqa: PLC0415
    from training.evaluation.opened_models import opened  # noqa: PLC0415
    from training.evaluation.report import figures_with_slices, report  # noqa: PLC0415 - the training extra
    from training.evaluation.table import print_report  # noqa: PLC0415
    from training.network.run_folder import RunFolder  # noqa: PLC0415

    own = bool(wanted.on or wanted.recipe)
    _check_places(wanted)
    with ExitStack() as stack:
        model = stack.enter_context(opened(wanted.model))
        before = stack.enter_context(opened(wanted.before)) if wanted.before else None
        steps, brands, notes = _texts(wanted, model, before)
        errors = own or wanted.folder is not None
        now = measured(model, steps(model), brands, label_errors=errors)
        then = measured(before, steps(before), brands) if before else None
    found = report(now, then, notes)
    if model.run is not None and not own and wanted.data.is_dir():
        RunFolder(model.run).record(figures=figures_with_slices(now))
    print_report(found)
    _write(found, wanted)
    return found


def _texts(
    wanted: Wanted, model: "OpenModel", before: "OpenModel | None"
) -> tuple[Callable[["OpenModel"], list["Step"]], dict[str, int], list[str]]:
    """What is measured of a model, how often brands are trained on, and what a reader has to know."""
    from training.config import DataConfig  # noqa: PLC0415
    from training.evaluation.measured_texts import (  # noqa: PLC0415
        brands_of,
        own_steps,
        project_steps,
        public_sets,
    )
    from training.recipes import load_config  # noqa: PLC0415

    config = load_config(wanted.recipe).data if wanted.recipe else DataConfig()
    brands = brands_of(wanted.data, config)
    if not (wanted.on or wanted.recipe):
        languages = set(model.languages) & set(before.languages if before else model.languages)
        if not languages:
            raise ConfigError("the two models understand no language in common", "compare others")
        public = public_sets(wanted.data)
        return lambda one: project_steps(public, languages, one.english), brands, []
    steps, files = own_steps(wanted.on, config, wanted.data)
    seen = {str(Path(file).resolve()) for file in model.trained_on}
    notes = [
        f"The model was trained on {Path(file).name}: its figures on it say nothing of other texts, "
        "and few of its label errors show."
        for file in files
        if str(Path(file).resolve()) in seen
    ]
    return lambda _: steps, brands, notes


def _write(found: "Report", wanted: Wanted) -> None:
    from training.evaluation.page import evaluation_page  # noqa: PLC0415
    from training.evaluation.report import facts  # noqa: PLC0415

    text = json.dumps(facts(found), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    files = {wanted.json_file: text} if wanted.json_file else {}
    if wanted.folder is not None:
        errors = _lines([error.facts() for error in found.label_errors])
        texts = (text, evaluation_page(found), errors)
        files |= dict(zip(_report_files(wanted.folder), texts, strict=True))
    for path, content in files.items():
        _put(path, content)
        typer.echo(f"written: {path}", err=True)


def _check_places(wanted: Wanted) -> None:
    """Before anything is measured; what is there already stays."""
    files = [wanted.json_file] if wanted.json_file else []
    for path in (*files, *_report_files(wanted.folder)):
        there = path.exists()
        _put(path, "", mode="a")
        if not there:
            path.unlink()


def _report_files(folder: Path | None) -> Sequence[Path]:
    """The facts, the page and the labels to check, where a folder for them is named."""
    names = ("evaluation.json", "evaluation.html", "label_errors.jsonl")
    return [folder / name for name in names] if folder else []


def _put(path: Path, text: str, mode: str = "w") -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}", "name another place"
        ) from error


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
