"""An exported version measured again: its figures and its card are written anew, its model stays."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training.errors import ConfigError
from training.export.model_card import describe
from training.export.next_version import ExportError, Measure
from training.export.saved_models import predictor_of
from training.network.run_folder import manifest_of
from training.terminal import rows

_FILES = ("model.onnx", "tokenizer.json", "manifest.json")
_FACTS = ("arguments", "language", "compression")  # of an exported manifest


def measure_again(
    folder: Path, measure: Callable[[], Measure], *, complete: bool = True
) -> dict[str, Any]:
    """Takes the figures of an exported version, into its manifest and its card.

    What compression cost stays as the export found it, when fp32 was at hand. Graph, tokenizer and
    labels are not touched, so the digest in every answer stays. The digests of the files, which the
    manifest of an older version lacks, are added.

    Args:
        folder: of a version of an encoder, in a model repository.
        measure: reads the texts, and gives what takes a model's figures on them.
        complete: whether every set can be measured; if not, no set may lose its figures.

    Returns:
        The new figures.

    Raises:
        ConfigError: this is no exported version, it is damaged or cannot be written to.
        ExportError: figures would be lost; nothing was written.
    """
    manifest, version = _exported(folder)
    before, now = manifest.get("figures", {}), measure()(predictor_of(folder))
    lost = sorted(before.keys() - now.keys())
    if lost and not complete:
        raise ExportError(
            f"{folder} would lose its figures on {', '.join(lost)}",
            "name the folder of the public sets with --data",
        )
    try:
        describe(folder, manifest | {"figures": now}, version)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be written to: {error.strerror}", "measure a copy of the repository"
        ) from error
    console = Console(stderr=True)
    console.print(_moved(before, now))
    console.print(f"wrote manifest.json and README.md in {folder}", markup=False, soft_wrap=True)
    return now


def _exported(folder: Path) -> tuple[dict[str, Any], int]:
    """The manifest and the number of a version.

    Raises:
        ConfigError: it is none.
    """
    if not all((folder / name).is_file() for name in _FILES):
        raise ConfigError(
            f"{folder} is no exported version",
            "name one such as model_repository/encoder_en/6; a run gets its card when it is exported",
        )
    manifest, name = manifest_of(folder), folder.resolve().name
    if lacking := [fact for fact in _FACTS if fact not in manifest]:
        raise ConfigError(
            f"{folder / 'manifest.json'} lacks {', '.join(lacking)}", "export the run once more"
        )
    if not name.isdigit():
        raise ConfigError(
            f"{folder} does not say by its name which version it is", "name a folder such as 5"
        )
    return manifest, int(name)


def _moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> Table:
    """The headline figures as they were and as they are; a dash where there is none."""
    old = {(task, name): value for task, name, value in rows(dict(before))}
    new = {(task, name): value for task, name, value in rows(dict(now))}
    table = Table("", "before", "now", "difference", title="measured again")
    for one in {**new, **old}:
        pair = old.get(one), new.get(one)
        shown = ["–" if value is None else f"{value:.4f}" for value in pair]
        difference = f"{new[one] - old[one]:+.4f}" if one in old and one in new else ""
        table.add_row(": ".join(one).replace("_", " "), *shown, difference)
    return table
