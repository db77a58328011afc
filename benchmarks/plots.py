"""`python -m benchmarks.plots`: draws `docs/performance.svg` from the CSVs of the last full run."""

import csv
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from benchmarks.chart import Panel, svg
from benchmarks.ratios import NOISE

RESULTS: Final = Path(__file__).parent / "results"
TARGET: Final = RESULTS.parents[1] / "docs" / "performance.svg"
SUMMARY: Final = "ratios.csv"
_SIZES: Final = (1, 4, 8, 16, 32, 64, 128)
_QUANTILES: Final = ("p50", "p99", "p99.9")
_SHARES: Final = ("50%", "80%")

Values = Mapping[tuple[str, str], float]


def read(results: Path = RESULTS) -> dict[tuple[str, str], float]:
    """Value by measure and case, of the CSVs in a folder."""
    found: dict[tuple[str, str], float] = {}
    for path in sorted(results.glob("*.csv")):
        if path.name == SUMMARY:
            continue
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                found[row["measure"], row["case"]] = float(row["value"])
    return found


def panels(values: Values) -> list[Panel]:
    """The panels that there are values for."""
    made = [_batches(values), _core(values), _latency(values), _model(values), _safety(values)]
    made += [_peers(values, "all-distinct queries"), _peers(values, "repeating queries")]
    return [panel for panel in made if panel is not None]


def draw(results: Path = RESULTS, target: Path = TARGET) -> bool:
    """Writes the chart; False where there is nothing to draw."""
    made = panels(read(results))
    if made:
        target.write_text(svg(made), "utf-8")
    return bool(made)


def _bars(values: Values, title: str, measure: str, cases: Mapping[str, str]) -> Panel | None:
    """One series: the label of each bar by its case; None where a case is missing."""
    if not cases or any((measure, case) not in values for case in cases):
        return None
    bars = [values[measure, case] for case in cases]
    noise = [values.get((measure, case + NOISE), 0.0) for case in cases]
    return Panel(title, list(cases.values()), {"": bars}, {"": noise} if any(noise) else {})


def _batches(values: Values) -> Panel | None:
    cases = {f"ideal batches of {size}": f"batches of {size}" for size in _SIZES}
    return _bars(values, "The model: seconds of a core, 1,000 queries", "R1 efficiency", cases)


def _core(values: Values) -> Panel | None:
    names = ("ideal batches", "Triton", "worker", "broker")
    cases = {f"{name}, of one core": name for name in names}
    return _bars(values, "End to end: seconds of a core, 1,000 queries", "R1 efficiency", cases)


def _latency(values: Values) -> Panel | None:
    cases = {
        share: [f"at {share} of saturation, {quantile}" for quantile in _QUANTILES]
        for share in _SHARES
    }
    if any(("R5 latency", case) not in values for found in cases.values() for case in found):
        return None
    series = {
        f"{share} of saturation": [values["R5 latency", case] for case in found]
        for share, found in cases.items()
    }
    spread = {
        f"{share} of saturation": [values["R5 latency", case + NOISE] for case in found]
        for share, found in cases.items()
    }
    return Panel("Record to acknowledged event, ms", _QUANTILES, series, spread)


def _model(values: Values) -> Panel | None:
    names = _cases(values, "R9 model", lambda case: "exact lengths" in case or "padded" in case)
    labels = {
        name: re.sub(r"^our graph in |^PyTorch eager |\(.*\)|, exact lengths", "", name).strip()
        for name in names
        if not name.startswith("of which")
    }
    short = {name: label.replace("padded batches of", "padded,") for name, label in labels.items()}
    return _bars(values, "The encoder: queries a second of one core", "R9 model", short)


def _safety(values: Values) -> Panel | None:
    cases = {
        case: case.removeprefix("with / without ")
        for case in _cases(
            values, "R7 cost of safety", lambda case: case.startswith("with / without ")
        )
    }
    return _bars(values, "Worker's CPU, with / without", "R7 cost of safety", cases)


def _peers(values: Values, load: str) -> Panel | None:
    measure = f"R6 queries, {load}"
    cases = {case: case[:22] for case in _cases(values, measure, lambda _case: True)}
    return _bars(values, f"Queries a second, {load}", measure, cases)


def _cases(values: Values, measure: str, wanted: Callable[[str], bool]) -> list[str]:
    found: Iterable[str] = (case for name, case in values if name == measure)
    return [case for case in found if wanted(case) and not case.endswith(NOISE)]


if __name__ == "__main__":
    draw()
