"""The plots are drawn from whatever the last full run has measured."""

from pathlib import Path

from benchmarks.measured import Row, write_csv
from benchmarks.plots import draw, panels, read
from benchmarks.ratios import spread


def test_a_panel_is_drawn_where_all_its_values_are_there(tmp_path: Path) -> None:
    rows = [
        row
        for share in ("50%", "80%")
        for quantile in ("p50", "p99", "p99.9")
        for row in spread("R5 latency", f"at {share} of saturation, {quantile}", [8.0, 9.0], "ms")
    ]
    write_csv(tmp_path / "latency.csv", rows, on="some machine")
    write_csv(tmp_path / "efficiency.csv", [Row("R1 efficiency", "else", 1.0, "")], on="the same")
    (panel,) = panels(read(tmp_path))
    assert list(panel.series) == ["50% of saturation", "80% of saturation"]
    target = tmp_path / "chart.svg"
    assert draw(tmp_path, target)
    assert "p99.9" in target.read_text()


def test_without_values_nothing_is_drawn(tmp_path: Path) -> None:
    assert not draw(tmp_path, tmp_path / "chart.svg")
    assert not (tmp_path / "chart.svg").exists()
