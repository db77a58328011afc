"""Figures as a table for the terminal, and how far long work has come."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from training.evaluation_report import Report

_SHOWN = (
    "f1", "untyped_f1", "accuracy", "macro_f1", "macro_f1_lexicon", "calibration_error", "f1_given_entities",
    "f1_nearest_product", "f1_end_to_end", "auroc_clinc", "auroc_near_misses", "clinc_found",
    "nearest", "nearest_english", "nearest_chinese",
)  # fmt: skip
PRINTED = (
    *_SHOWN, "precision", "recall", "untyped_precision", "untyped_recall", "f1_ceiling", "altered", "f1_cost",
)  # fmt: skip
"""The headline figures, which stand in cards, and what else an evaluation shows."""

_SLICES = 12


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


def print_report(found: "Report") -> None:
    """Prints an evaluation: the figures, the bars, who is served worse, what has changed."""
    console = Console()
    print_figures(found.measured.figures)
    if found.bars:
        table = Table("bar", "value", "bound", "reached")
        for one in found.bars:
            bound = f"{'≤' if one.most else '≥'} {one.bound:g}"
            reached = "yes" if one.reached else "[red]no[/red]"
            table.add_row(one.name, f"{one.value:.4f}", bound, reached)
        console.print(table)
    if found.slices:
        _print_slices(console, found)
    if found.before:
        table = Table("measured on", "figure", "before", "after", "difference", "")
        telling = [one for one in found.slice_changes if one.verdict]
        for change in (*found.changes, *telling):
            table.add_row(
                f"{change.measured}{', ' if change.kind else ''}{change.kind}".replace("_", " "),
                change.name.replace("_", " "),
                f"{change.before:.4f}",
                f"{change.after:.4f}",
                f"{change.after - change.before:+.4f}",
                change.verdict,
            )
        console.print(table)
    for note in found.notes:
        console.print(note, markup=False)
    if found.label_errors:
        console.print(f"{len(found.label_errors):,} labels to look at")


def _print_slices(console: Console, found: "Report") -> None:
    told = [one for one in found.slices if one.difference is not None]
    console.print(
        f"{len(found.gaps)} of {len(told)} kinds of texts fall behind by more than chance explains"
    )
    table = Table("measured on", "kind of text", "texts", "figure", "95 %", "the rest", "")
    shown = [*found.gaps, *(one for one in told if not one.gap)][:_SLICES]
    for one in shown:
        table.add_row(
            one.measured.replace("_", " "),
            f"{one.dimension}: {one.name}",
            f"{one.texts:,}",
            f"{one.figure.value:.3f}",
            f"{one.figure.low:.3f} to {one.figure.high:.3f}",
            f"{one.rest:.3f}",
            "[red]gap[/red]" if one.gap else "",
        )
    console.print(table)


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
