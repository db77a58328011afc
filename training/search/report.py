"""What a search has found: a table, one HTML page of plots, JSON, and the best recipe as TOML."""

import html
import io
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import optuna
import tomlkit
from matplotlib.figure import Figure
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table

from training.errors import DataError

_SHOWN = 15
_STATES = {
    TrialState.COMPLETE: "whole",
    TrialState.PRUNED: "stopped early",
    TrialState.FAIL: "cut off",
}


def best_of(study: optuna.Study) -> FrozenTrial | None:
    """The best trial that went all the way; None before there is one."""
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    return max(whole, key=lambda trial: trial.value or 0.0, default=None)


def write_report(study: optuna.Study, folder: Path, figure: str) -> dict[str, Any]:
    """Prints the table; writes `search.json` and `search.html`.

    Args:
        study: with at least one trial that went all the way.
        folder: of the search.
        figure: the name of what was maximised.

    Returns:
        What `search.json` holds: the best trial, all trials, the importance of each value.

    Raises:
        DataError: no trial went all the way.
    """
    best = best_of(study)
    if best is None:
        raise DataError("no trial went all the way", "search on with a higher --search")
    facts = {
        "figure": figure,
        "best": _row(best),
        "importance": _importance(study),
        "trials": [_row(trial) for trial in study.trials if trial.state in _STATES],
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False)
    (folder / "search.json").write_text(text + "\n", encoding="utf-8")
    _print(facts)
    (folder / "search.html").write_text(_page(study, facts), encoding="utf-8")
    return facts


def write_best(recipe: Path, values: Mapping[str, Any], target: Path) -> None:
    """Writes a recipe with other values, its comments and all else as they were."""
    document: Any = tomlkit.parse(recipe.read_text(encoding="utf-8"))
    for name, value in values.items():
        table, _, key = name.partition(".")
        if table not in document:
            document[table] = tomlkit.table()
        document[table][key] = float(f"{value:.4g}") if isinstance(value, float) else value
    target.write_text(tomlkit.dumps(document), encoding="utf-8")


def _row(trial: FrozenTrial) -> dict[str, Any]:
    spent = trial.duration
    return {
        "number": trial.number,
        "state": _STATES[trial.state],
        "value": trial.value,
        "seconds": None if spent is None else round(spent.total_seconds(), 1),
        "values": dict(trial.params),
        "figures": trial.user_attrs.get("figures", {}),
    }


def _importance(study: optuna.Study) -> dict[str, float]:
    """How much of the figure's variance each value explains, alone and with others (fANOVA).

    Hutter et al., ICML 2014. Empty while too few trials went all the way, or all did alike.
    """
    whole = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(whole) < 4 or len({trial.value for trial in whole}) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=1)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: round(float(share), 4) for name, share in found.items()}


def _print(facts: Mapping[str, Any]) -> None:
    names = list(facts["best"]["values"])
    table = Table("trial", facts["figure"], "", *(name.partition(".")[2] for name in names))
    ordered = sorted(facts["trials"], key=lambda row: -(row["value"] or 0.0))
    for row in ordered[:_SHOWN]:
        value = "" if row["value"] is None else f"{row['value']:.4f}"
        state = "" if row["state"] == "whole" else row["state"]
        table.add_row(
            str(row["number"]), value, state, *(_short(row["values"].get(n)) for n in names)
        )
    console = Console()
    console.print(table)
    if facts["importance"]:
        listed = ", ".join(f"{name} {share:.2f}" for name, share in facts["importance"].items())
        console.print(f"importance: {listed}", highlight=False)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _page(study: optuna.Study, facts: Mapping[str, Any]) -> str:
    names = list(facts["best"]["values"])
    head = "".join(
        f"<th>{html.escape(n)}</th>" for n in ("trial", facts["figure"], "", "s", *names)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{html.escape(_short('' if cell is None else cell))}</td>"
            for cell in (
                row["number"],
                row["value"],
                row["state"],
                row["seconds"],
                *(row["values"].get(n) for n in names),
            )
        )
        + "</tr>"
        for row in sorted(facts["trials"], key=lambda row: -(row["value"] or 0.0))
    )
    drawn = "".join(
        f"<h2>{title}</h2>{picture}" for title, picture in _pictures(study, facts).items()
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Search</title><style>'
        "body{font:15px system-ui;margin:2em auto;max-width:70em;padding:0 1em}"
        "table{border-collapse:collapse}td,th{padding:.2em .6em;text-align:right;"
        "border-bottom:1px solid #ddd}svg{max-width:100%;height:auto}</style>"
        f"<h1>{len(facts['trials'])} trials, {html.escape(facts['figure'])} "
        f"{facts['best']['value']:.4f} at best</h1>{drawn}<h2>Trials</h2>"
        f"<table><tr>{head}</tr>{rows}</table></html>\n"
    )


def _pictures(study: optuna.Study, facts: Mapping[str, Any]) -> dict[str, str]:
    plots = optuna.visualization.matplotlib
    wanted: dict[str, Callable[[], Any]] = {
        "What came when": lambda: plots.plot_optimization_history(study),
        "Epoch by epoch, in tenths of a trial's way": lambda: plots.plot_intermediate_values(study),
        "Each value beside the figure": lambda: plots.plot_slice(study),
    }
    if facts["importance"]:
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=1)
        wanted["Importance (fANOVA)"] = lambda: plots.plot_param_importances(
            study, evaluator=evaluator
        )
    mpl.use("Agg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return {title: _svg(draw()) for title, draw in wanted.items()}


def _svg(axes: Any) -> str:
    """A plot as a part of a page."""
    first = axes.flat[0] if hasattr(axes, "flat") else axes
    figure: Figure = first.figure
    file = io.StringIO()
    figure.savefig(file, format="svg", bbox_inches="tight")
    mpl.pyplot.close(figure)
    text = file.getvalue()
    return text[text.index("<svg") :]
