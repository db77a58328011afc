"""A tiny model is trained by two processes together, and its curves go to Weights & Biases."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.training.tiny_run import base_folder, recipe
from training.network.run_folder import load_model

_ROOT = Path(__file__).resolve().parents[3]
# `accelerate launch --cpu` would start a single process: on processors alone torchrun starts them.
_LAUNCH = (
    sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2",
)  # fmt: skip

_TOGETHER = """
import torch
from torch import nn
from training.fine_tuning.processes import Processes

processes = Processes()
assert processes.count == 2
torch.manual_seed(processes.rank)
model = nn.Linear(2, 1)
processes.same_weights(model)
model.weight.grad = torch.full((1, 2), float(processes.rank))  # and none of the bias
processes.average_gradients(model.parameters())
assert model.weight.grad.tolist() == [[0.5, 0.5]], model.weight.grad
assert model.bias.grad.tolist() == [0.0]
weights = [processes.told_by_main(model.weight.tolist()), model.weight.tolist()]
assert weights[0] == weights[1]
assert processes.part_of([1, 2, 3]) == ([1, 3], [2, 1])[processes.rank]
assert processes.part_of([1]) == [1]
"""


def _run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(_ROOT), os.environ.get("PYTHONPATH", "")))
    variables = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path} | environment
    return subprocess.run(
        command, cwd=_ROOT, env=variables, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_processes_train_one_model_and_go_on_together(tmp_path: Path) -> None:
    config = recipe(tmp_path, base_folder(tmp_path / "base"), epochs=1)
    options = ("train", "--config", str(config), "--run", str(tmp_path / "run"), "--no-evaluate")
    for _ in range(2):  # the second goes on from the checkpoint of the first
        done = _run(*_LAUNCH, "-m", "--", "workers.cli", *options, "--data", str(tmp_path / "none"))
        assert done.returncode == 0, done.stderr[-3000:]
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text("utf-8"))
    assert manifest["processes"] == 2
    assert manifest["best_epoch"]["score"] > 0.1
    state = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)
    batches = -(-sum(manifest["examples_an_epoch"].values()) // 16)
    assert state["schedule"]["last_epoch"] == pytest.approx(batches / 2, abs=1)  # each took half
    load_model(tmp_path / "run" / "model")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_hold_the_same_weights_and_gradients(tmp_path: Path) -> None:
    script = tmp_path / "together.py"
    script.write_text(_TOGETHER, "utf-8")
    done = _run(*_LAUNCH, str(script))
    assert done.returncode == 0, done.stderr[-3000:]


def test_curves_go_to_weights_and_biases_without_a_network(tmp_path: Path) -> None:
    config = recipe(tmp_path, base_folder(tmp_path / "base"), epochs=1)
    config.write_text(f'wandb = "a-shop"\n{config.read_text("utf-8")}', "utf-8")
    done = _run(
        sys.executable, "-m", "workers.cli", "train", "--config", str(config),
        "--run", str(tmp_path / "run"), "--no-evaluate", "--data", str(tmp_path / "none"),
        WANDB_MODE="offline",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    (kept,) = (tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb")
    content = kept.read_bytes()
    assert b"loss/tags" in content
    assert b"validation/entities_f1" in content
    assert (tmp_path / "run" / "wandb-id").read_text("utf-8") in kept.name
