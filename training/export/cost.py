"""What a smaller form of a model costs in quality, and what it saves in size and time."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from training.terminal import rows

_LESS_IS_BETTER = ("calibration_error",)
_NOT_THE_MODELS = ("f1_nearest_product",)  # figures of rules that stand beside the model


@dataclass(frozen=True, slots=True)
class Cost:
    """Each pair is (fp32, compressed).

    Attributes:
        megabytes: of the graph.
        queries_a_second: of processor time, many at once, tokenising included.
        queries_a_second_alone: likewise, one at a time.
        figures: by "task: figure".
        sizes: how many examples, entities or pairs each figure is counted over.
    """

    megabytes: tuple[float, float]
    queries_a_second: tuple[float, float]
    queries_a_second_alone: tuple[float, float]
    figures: dict[str, tuple[float, float]]
    sizes: dict[str, int]

    @classmethod
    def of(
        cls,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        *,
        megabytes: tuple[float, float],
        queries_a_second: tuple[float, float],
        queries_a_second_alone: tuple[float, float],
    ) -> "Cost":
        """From the figures of both forms, as `evaluation` gives them."""
        compressed = {(task, name): value for task, name, value in rows(dict(after))}
        figures = {
            f"{task}: {name}": (value, compressed[task, name])
            for task, name, value in rows(dict(before))
            if name not in _NOT_THE_MODELS
        }
        sizes = {name: _size(before[name.partition(":")[0]]) for name in figures}
        return cls(megabytes, queries_a_second, queries_a_second_alone, figures, sizes)

    def facts(self) -> dict[str, Any]:
        """For the manifest, rounded."""
        found = asdict(self)
        figures = {name: [round(value, 4) for value in pair] for name, pair in self.figures.items()}
        return {
            name: [round(value, 1) for value in pair]
            for name, pair in found.items()
            if name not in ("figures", "sizes")
        } | {"figures": figures}

    def show(self, console: Console) -> None:
        """Prints a table."""
        table = Table("", "fp32", "int8", "difference", title="what compression cost")
        for name, (before, after) in self.figures.items():
            table.add_row(
                name.replace("_", " "), f"{before:.4f}", f"{after:.4f}", f"{after - before:+.4f}"
            )
        for name in ("megabytes", "queries_a_second", "queries_a_second_alone"):
            before, after = getattr(self, name)
            table.add_row(
                name.replace("_", " "), f"{before:.1f}", f"{after:.1f}", f"x{after / before:.2f}"
            )
        console.print(table)


def _size(task: Mapping[str, Any]) -> int:
    return int(next((task[name] for name in ("entities", "examples", "pairs") if name in task), 0))


def worse_than(cost: Cost, tolerance: float) -> list[str]:
    """The figures that fell by more than `tolerance`, with by how much.

    A set too small to resolve the tolerance may lose two of its items.
    """
    faults = []
    for name, (before, after) in cost.figures.items():
        lost = after - before if name.endswith(_LESS_IS_BETTER) else before - after
        coarse = 2.0 / cost.sizes[name] if cost.sizes[name] else 0.0
        if lost > max(tolerance, coarse):
            faults.append(f"{name} {lost:.4f}")
    return faults
