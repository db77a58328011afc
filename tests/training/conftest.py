import os
from dataclasses import dataclass
from pathlib import Path

import pytest

# As the commands do, before torch is imported: spinning threads cost ten times the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

pytest.importorskip("torch", reason="needs the training extra")

from tests.training.tiny_run import QUERIES, base_folder, recipe
from training.export.next_version import Exported, export_run
from training.fine_tuning.session import run_training


@dataclass(frozen=True)
class Trained:
    run: Path
    recipe: Path
    nothing: Path  # a data folder without data
    manifest: dict[str, object]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A tiny model, trained for real."""
    folder = tmp_path_factory.mktemp("training run")
    config = recipe(folder, base_folder(folder / "base"))
    nothing = folder / "no data"
    manifest = run_training(config, folder / "run", nothing, measure=False)
    return Trained(folder / "run", config, nothing, manifest)


@dataclass(frozen=True)
class Shipped:
    repository: Path
    exported: Exported


@pytest.fixture(scope="session")
def shipped(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """The tiny model, exported into a repository of its own."""
    repository = tmp_path_factory.mktemp("exported") / "model repository"
    return Shipped(repository, export_run(trained.run, repository, QUERIES))
