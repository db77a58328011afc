"""Training curves: to TensorBoard always, to Weights & Biases where a recipe names a project."""

import importlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from torch.utils.tensorboard import SummaryWriter

from training.errors import MissingExtraError


class Curves(Protocol):
    """Takes figures as training goes on."""

    def add(self, figures: Mapping[str, float], step: int) -> None:
        """Figures by name, such as `loss/tags`, at a step."""


class _TensorBoard:
    def __init__(self, folder: Path) -> None:
        self._writer = SummaryWriter(str(folder))

    def add(self, figures: Mapping[str, float], step: int) -> None:
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


class _WeightsAndBiases:
    """One run of a project; a run folder that goes on is the same run there too.

    `WANDB_MODE=offline` keeps everything in the run folder, for `wandb sync` later.
    """

    def __init__(self, project: str, folder: Path, arguments: Mapping[str, Any]) -> None:
        try:
            wandb: Any = importlib.import_module("wandb")
        except ImportError as error:
            raise MissingExtraError(
                "the recipe names a project of Weights & Biases, and wandb is not installed",
                "pip install -e '.[wandb]' in a clone of the repository, or take the name out",
            ) from error
        self._run = wandb.init(
            project=project,
            name=folder.name,
            dir=str(folder),
            id=_run_id(folder),
            resume="allow",
            config=dict(arguments),
        )

    def add(self, figures: Mapping[str, float], step: int) -> None:
        self._run.log(dict(figures) | {"step": step})

    def close(self) -> None:
        self._run.finish()


class _Several:
    def __init__(self, parts: list[_TensorBoard | _WeightsAndBiases]) -> None:
        self._parts = parts

    def add(self, figures: Mapping[str, float], step: int) -> None:
        for part in self._parts:
            part.add(figures, step)

    def close(self) -> None:
        for part in self._parts:
            part.close()


class _Nothing:
    def add(self, figures: Mapping[str, float], step: int) -> None:
        """Another process draws the curves."""


@contextmanager
def open_curves(
    folder: Path, project: str, arguments: Mapping[str, Any], *, main: bool = True
) -> Iterator[Curves]:
    """The curves of a run folder, open while training goes on.

    Args:
        folder: of the run; TensorBoard's files go to `tensorboard/` in it.
        project: of Weights & Biases; empty for none.
        arguments: of the run.
        main: whether this process, of several, is the one that draws.

    Raises:
        MissingExtraError: a project is named and wandb is not installed.
    """
    if not main:
        yield _Nothing()
        return
    parts: list[_TensorBoard | _WeightsAndBiases] = []
    if project:
        parts.append(_WeightsAndBiases(project, folder, arguments))
    parts.append(_TensorBoard(folder / "tensorboard"))
    drawn = _Several(parts)
    try:
        yield drawn
    finally:
        drawn.close()


def _run_id(folder: Path) -> str:
    """Kept in the folder, so that a run that was cut off goes on in the same curves."""
    kept = folder / "wandb-id"
    if not kept.is_file():
        kept.write_text(secrets.token_hex(8), encoding="utf-8")
    return kept.read_text(encoding="utf-8")
