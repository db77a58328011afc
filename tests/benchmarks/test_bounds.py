"""The promised ratios: each names a module that is there, and is judged by its noise."""

import importlib.util
from pathlib import Path

import pytest

from benchmarks.bounds import Bound, Verdict, bounds, modules
from benchmarks.measured import Row, instruction_sets, write_csv
from benchmarks.ratios import NOISE
from benchmarks.run import markdown, ratio_rows, ratios_table, recorded

AT_LEAST = Bound("R0", "title", "module", "measure", "case", at_least=0.9)


def _rows(value: float, noise: float) -> list[Row]:
    return [Row("measure", "case", value, "×"), Row("measure", f"case{NOISE}", noise, "×")]


@pytest.mark.parametrize(
    ("value", "noise", "verdict"),
    [
        (0.9, 0.0, Verdict.MET),
        (0.85, 0.1, Verdict.WITHIN_NOISE),
        (0.85, 0.01, Verdict.BROKEN),
    ],
)
def test_a_ratio_is_broken_when_it_is_off_by_more_than_its_noise(
    value: float, noise: float, verdict: Verdict
) -> None:
    assert AT_LEAST.judged(_rows(value, noise)).verdict is verdict


def test_what_is_not_measured_is_not_met() -> None:
    assert AT_LEAST.judged([]).verdict is Verdict.MISSING


def test_a_bar_that_is_not_met_has_a_bound_that_is_held() -> None:
    bound = Bound("R0", "t", "m", "measure", "case", at_most=4.0, holds=6.0, why="measured: …")
    assert bound.judged(_rows(5.0, 0.1)).verdict is Verdict.HELD
    assert bound.judged(_rows(6.5, 0.1)).verdict is Verdict.BROKEN


def test_every_ratio_of_the_file_has_a_bar_and_a_module() -> None:
    found = bounds()
    assert {bound.name for bound in found} >= {"R1", "R2", "R3", "R5", "R9"}
    for name in modules(found):
        assert importlib.util.find_spec(name), name


def test_a_bound_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bounds.toml"
    ratio = 'name="R0"\ntitle="t"\nmodule="m"\nmeasure="m"\ncase="c"\nat_least=1.0\nholds=0.9\n'
    file.write_text(f"[[ratio]]\n{ratio}")
    with pytest.raises(ValueError, match="go together"):
        bounds(file)


def test_the_table_and_the_csv_hold_every_ratio() -> None:
    judged = [AT_LEAST.judged(_rows(0.95, 0.01)), AT_LEAST.judged([])]
    assert ratios_table(judged).row_count == 2
    assert [row.value for row in ratio_rows(judged)] == [0.95, 0.01]


def test_instruction_sets_are_read_from_the_flags() -> None:
    flags = "flags\t\t: fpu sse2 avx2 avx512f avx512_vnni avx512_bf16"
    assert instruction_sets(["model name : x", flags]) == "AVX2 AVX512 VNNI bf16"
    assert instruction_sets(["flags : sse2"]) == "no AVX2"


def test_the_recorded_table_has_a_line_for_every_ratio(tmp_path: Path) -> None:
    bound = bounds()[0]
    write_csv(tmp_path / "some.csv", [Row(bound.measure, bound.case, 0.97, "×")], on="a machine")
    found = recorded(tmp_path)
    assert [each.verdict for each in found if each.value is not None] == [Verdict.MET]
    assert len(markdown(found).splitlines()) == 2 + len(bounds())
