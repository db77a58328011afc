"""Figures as a table on the terminal, and how far long work has come."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

_SHOWN = (
    "f1", "untyped_f1", "accuracy", "macro_f1", "macro_f1_lexicon", "calibration_error", "f1_given_entities",
    "f1_nearest_product", "f1_end_to_end", "auroc_clinc", "auroc_near_misses", "clinc_found",
    "nearest", "nearest_english", "nearest_chinese",
)  # fmt: skip
PRINTED = (
    *_SHOWN, "precision", "recall", "untyped_precision", "untyped_recall", "f1_ceiling", "altered", "f1_cost",
)  # fmt: skip
"""The headline figures, which stand in cards, and what else an evaluation shows."""


def rows(figures: dict[str, Any], names: tuple[str, ...] = _SHOWN) -> list[tuple[str, str, float]]:
    """(what was measured, the figure's name, its value), the headline figures only."""
    return [
        (task, name, float(values[name]))
        for task, values in figures.items()
        if isinstance(values, dict)
        for name in names
        if name in values
    ]


def print_figures(figures: dict[str, Any]) -> None:
    """Prints the headline figures."""
    table = Table("measured on", "figure", "value")
    for task, name, value in rows(figures, PRINTED):
        table.add_row(task.replace("_", " "), name.replace("_", " "), f"{value:.4f}")
    Console().print(table)


@contextmanager
def progress_bar(*, shown: bool = True) -> Iterator[Progress]:
    """A bar with the time that is left; not shown, it also prints nothing."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(quiet=not shown),
        disable=not shown,
    ) as progress:
        yield progress
