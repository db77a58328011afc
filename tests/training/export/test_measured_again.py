"""A version measured again: new figures and a new card beside the same model."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.training.conftest import Shipped, Trained
from training import cli
from training.errors import ConfigError
from training.evaluation.figures import Step
from training.evaluation.run_figures import measure_of
from training.export.measured_again import measure_again
from training.export.next_version import ExportError, Measure

SLICE = {
    "measured": "task",
    "dimension": "length",
    "name": "1 to 2 words",
    "texts": 40,
    "figure": {"value": 0.8, "low": 0.7, "high": 0.9},
    "rest": 0.95,
    "gap": True,
}
FIGURES: dict[str, Any] = {
    "task": {"f1": 0.912, "examples": 50},
    "slices": {"tested": 3, "gaps": 1, "worst": [SLICE]},
}
OTHERS: dict[str, Any] = {"other": {"f1": 0.5}, "slices": {"tested": 0, "gaps": 0, "worst": []}}


@pytest.fixture
def version(shipped: Shipped, tmp_path: Path) -> Path:
    """An exported version that was never measured."""
    shutil.copytree(shipped.repository, tmp_path / "repository")
    return tmp_path / "repository/encoder_en/1"


def found(figures: dict[str, Any]) -> Measure:
    return lambda _: figures


def read(version: Path) -> tuple[dict[str, Any], str]:
    manifest = json.loads((version / "manifest.json").read_text("utf-8"))
    return manifest, (version / "README.md").read_text("utf-8")


def others(version: Path) -> dict[str, bytes]:
    """All files of the repository but the two that are written anew."""
    repository = version.parents[1]
    written = {version / "manifest.json", version / "README.md"}
    files = [path for path in repository.rglob("*") if path.is_file() and path not in written]
    return {str(path.relative_to(repository)): path.read_bytes() for path in files}


def test_only_figures_and_card_change(version: Path) -> None:
    model, (before, card) = others(version), read(version)
    assert "Not measured" in card
    assert measure_again(version, lambda: found(FIGURES)) == FIGURES
    after, card = read(version)
    assert others(version) == model
    assert after == before | {"figures": FIGURES}
    assert "| task | f1 | 0.912 |" in card
    assert "| task | length: 1 to 2 words | 40 | 0.800 (0.700 to 0.900) | 0.950 | gap |" in card
    assert card.startswith("# encoder_en, version 1\n")


def test_an_older_version_gains_the_digests_of_its_files(version: Path) -> None:
    before, _ = read(version)
    files = before.pop("files")
    (version / "manifest.json").write_text(json.dumps(before), encoding="utf-8")
    measure_again(version, lambda: found(FIGURES))
    after, card = read(version)
    assert after["files"] == files
    assert all(f"| `{name}` | `{digest}` |" in card for name, digest in files.items())


def test_what_compression_cost_stays(version: Path) -> None:
    """The export knew fp32, whose weights are no longer there."""
    manifest, _ = read(version)
    manifest["compression"]["figures"] = {"old: f1": [0.9, 0.8], "task: f1": [0.95, 0.94]}
    (version / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    measure_again(version, lambda: found(FIGURES))
    after, card = read(version)
    assert after["compression"] == manifest["compression"]
    assert "| task: f1 | 0.95 | 0.94 |\n| old: f1 | 0.9 | 0.8 |" in card


def test_the_command_measures_as_the_export_does(version: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli.app, ["export", str(version), "--card", "--data", str(tmp_path / "no data")]
    )
    assert result.exit_code == 0
    assert "measured again" in result.stderr
    manifest, card = read(version)
    assert {"entities_hand_written", "intents_hand_written", "slices"} <= set(manifest["figures"])
    assert "kinds of texts fall behind" in card
    assert "Not measured" not in card


def test_the_versions_language_is_measured_whatever_its_base(
    version: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def nothing(_data: object, languages: tuple[str, ...], _english: object) -> list[Step]:
        asked.append(languages)
        return []

    monkeypatch.setattr("training.evaluation.run_figures.project_steps", nothing)
    manifest, _ = read(version)
    (version / "manifest.json").write_text(json.dumps(manifest | {"language": "zh"}))
    measure_of(version, tmp_path / "no data")
    assert asked == [("zh",)]


def test_without_public_sets_their_figures_are_not_lost(version: Path) -> None:
    measure_again(version, lambda: found(FIGURES))
    before = read(version)
    with pytest.raises(ExportError, match="lose its figures on task") as error:
        measure_again(version, lambda: found(OTHERS), complete=False)
    assert "--data" in (error.value.hint or "")
    assert read(version) == before
    measure_again(version, lambda: found(OTHERS))  # a set that is measured no more
    assert read(version)[0]["figures"] == OTHERS


def _never() -> Measure:
    raise AssertionError("nothing is read for what is no version")


def test_anything_else_is_refused(trained: Trained, version: Path, tmp_path: Path) -> None:
    for other in (trained.run, version.parents[1], version / "model.onnx", tmp_path / "gone"):
        with pytest.raises(ConfigError, match="is no exported version"):
            measure_again(other, _never)
    unnumbered = version.rename(version.parent / "mine")
    with pytest.raises(ConfigError, match="which version"):
        measure_again(unnumbered, _never)
    (unnumbered / "manifest.json").write_text('{"language": "en"}', encoding="utf-8")
    with pytest.raises(ConfigError, match="lacks arguments, compression"):
        measure_again(unnumbered, _never)


@pytest.mark.parametrize("option", [["--tolerance", "1"], ["--profile", "gpu"]])
def test_options_of_an_export_are_none_of_a_cards(version: Path, option: list[str]) -> None:
    result = CliRunner().invoke(cli.app, ["export", str(version), "--card", *option])
    assert result.exit_code != 0
    assert "--data alone" in result.stderr
