"""An evaluation as tables on the terminal."""

from rich.console import Console
from rich.table import Table

from training.evaluation.report import Report
from training.evaluation.slices import FEWEST
from training.terminal import print_figures

_SLICES = 12


def print_report(found: Report) -> None:
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


def _print_slices(console: Console, found: Report) -> None:
    told = [one for one in found.slices if one.difference is not None]
    if not told:
        console.print(
            f"too few texts to compare kinds of them: {FEWEST} and {FEWEST} others at least"
        )
        return
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
