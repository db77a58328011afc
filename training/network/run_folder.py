"""A run's folder: manifest, checkpoints, curves; and the model that comes out of it.

runs/NAME/manifest.json   arguments, data hashes, versions, metrics
runs/NAME/checkpoint.pt   the newest state, to resume from
runs/NAME/tensorboard/    curves
runs/NAME/answers.npz     the teachers' answers, where there were teachers
runs/NAME/vocabulary.json how the tokenizer cuts the training texts
runs/NAME/base/           the base with added words, where a recipe adds some
runs/NAME/fewer …/        the base with fewer layers or pieces, where a recipe wants a smaller one
runs/NAME/model/          config.json, tokenizer.json, weights.pt, labels.json
"""

import hashlib
import json
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from training.config import TASKS, TrainConfig, TuningConfig
from training.errors import ConfigError
from training.hardware import processor
from training.network.query_model import QueryModel, fit
from training.network.tuning import MERGED, make_tunable
from training.recipes import config_of

_PROJECT = Path(__file__).resolve().parents[2]
_PACKAGES = (
    "intentstream", "torch", "transformers", "tokenizers", "numpy", "onnx", "onnxruntime", "peft",
    "accelerate",
)  # fmt: skip

_MADE = ("base", "fewer layers", "fewer pieces", "model")
_TUNING = "tuning.json"
_NUMBER = r"-?\d[\d.eE+-]*"
_NUMBERS = re.compile(rf"\[\n\s+({_NUMBER}(?:,\n\s+{_NUMBER})*)\n\s*\]")
"""A list of numbers alone as json indents it; inside of a string, a line's end is escaped."""
_DAMAGED = (RuntimeError, UnpicklingError, EOFError, KeyError, ValueError, OSError)
"""What loading raises where a file is cut off, missing, or of another model."""


class RunFolder:
    """Paths and files of one run.

    Args:
        path: the folder; made when it is not there.
        writes: whether this process, of several that train together, is the one that writes.

    Raises:
        ConfigError: no folder can be made there.
    """

    def __init__(self, path: Path, *, writes: bool = True) -> None:
        self.path = path
        self._writes = writes
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be a run's folder: {error.strerror}", "name another with --run"
            ) from error
        self.model = path / "model"
        self.checkpoint = path / "checkpoint.pt"
        self.answers = path / "answers.npz"

    def manifest(self) -> dict[str, Any]:
        """What has been recorded so far."""
        return manifest_of(self.path)

    def record(self, **facts: Any) -> None:
        """Adds facts to the manifest."""
        if not self._writes:
            return
        self._write(self.manifest() | facts)

    def record_start(self, config: TrainConfig, hashes: dict[str, str]) -> dict[str, Any]:
        """Arguments, data and versions; a resumed run must have the same arguments and data.

        What a run that is not resumed has left behind goes, for it may be another recipe's.

        Args:
            config: of the run.
            hashes: sha256 of each file that it reads.

        Returns:
            What is known of the run that is resumed; nothing of a new one.

        Raises:
            ConfigError: the folder holds a run with another configuration, a file has changed since, or
                a new run would begin with what lies in its own folder.
        """
        arguments = json.loads(json.dumps(asdict(config)))
        known = self.manifest()
        before = known.get("arguments")
        resumed = before is not None and self.checkpoint.is_file()
        if resumed and config_of(before or {}) != config_of(arguments):
            raise ConfigError(
                f"{self.path} holds a run with another configuration",
                "give another --run folder, or the same configuration to resume it",
            )
        if resumed:
            check_unchanged(self.path, known.get("data", {}), hashes)
        else:
            if before is not None:
                self._clear(config)
            known = {}
        started = {
            "arguments": arguments,
            "data": hashes,
            "versions": {"python": platform.python_version()} | _versions(),
            "processor": processor(),
        }
        if self._writes:
            self._write(known | started)
        return known

    def _clear(self, config: TrainConfig) -> None:
        """Removes the bases that an earlier run has made here, and its model."""
        made = [self.path / name for name in _MADE]
        model = config.model
        trained = [f"{name}/model" for name in (model.start, model.share_of) if name]
        for name in (model.base, model.vectors, *trained):
            if name and Path(name).exists() and Path(name).resolve() in [p.resolve() for p in made]:
                raise ConfigError(
                    f"{self.path} is to hold a new run, which begins with {name} in it",
                    "give another --run folder",
                )
        if self._writes:
            for folder in made:
                shutil.rmtree(folder, ignore_errors=True)

    def _write(self, facts: Mapping[str, Any]) -> None:
        """All of the manifest at once: a run that is cut off leaves it as it was before or after."""
        unfinished = self.path / "manifest.json.part"
        unfinished.write_text(json_text(facts), encoding="utf-8")
        unfinished.replace(self.path / "manifest.json")

    def save_model(
        self,
        model: QueryModel,
        base: Path,
        labels: dict[str, Any],
        tuning: TuningConfig | None = None,
    ) -> None:
        """Writes the trained model so that it loads without its base."""
        self.model.mkdir(exist_ok=True)
        for name in ("config.json", "tokenizer.json"):
            (self.model / name).write_bytes((base / name).read_bytes())
        (self.model / "labels.json").write_text(json_text(labels), encoding="utf-8")
        if tuning and tuning.method not in (*MERGED, "full"):  # there is more than the base has
            (self.model / _TUNING).write_text(json_text(asdict(tuning)), encoding="utf-8")
        torch.save(model.state_dict(), self.model / "weights.pt")


def json_text(facts: Mapping[str, Any]) -> str:
    """Facts as they are written into a run's or a version's folder: to be read, and to be compared.

    One fact a line, by name; a list of numbers alone takes one line, however long it is.
    """
    text = json.dumps(facts, indent=2, ensure_ascii=False, sort_keys=True)
    return _NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", text) + "\n"


def manifest_of(folder: Path) -> dict[str, Any]:
    """What is recorded of a run or an exported model; nothing where there is no manifest.

    Raises:
        ConfigError: the manifest is damaged.
    """
    file = folder / "manifest.json"
    return facts_in(file) if file.is_file() else {}


def facts_in(file: Path) -> dict[str, Any]:
    """What `json_text` wrote into a file.

    Raises:
        ConfigError: the file is damaged.
    """
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ConfigError(f"{file} is damaged: {error}", "copy the folder again whole") from error
    return found


def check_unchanged(folder: Path, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Whether what a folder's training began with is still there; a file that only one knows is no matter.

    Args:
        folder: of the run.
        before: sha256 of each file, as recorded.
        now: the same of today.

    Raises:
        ConfigError: naming the files that have changed.
    """
    if other := sorted(name for name in before.keys() & now.keys() if before[name] != now[name]):
        raise ConfigError(
            f"{folder} holds a run that began with other data: {', '.join(other)} changed since",
            "give a new --run folder to train on it, or put the file back to resume this one",
        )


def base_of(manifest: Mapping[str, Any]) -> str:
    """The base that a run began with, by its name or path; empty when that is not recorded."""
    return str(manifest.get("arguments", {}).get("model", {}).get("base", ""))


def learnt_by(manifest: Mapping[str, Any]) -> frozenset[str]:
    """The tasks that a model has learnt, in its run or before it.

    Args:
        manifest: of its run, or of its exported version; one of an older run does not say more than
            what was to be trained, and what it began with is taken to have known all.
    """
    if "learnt" in manifest:
        return frozenset(manifest["learnt"])
    arguments = manifest.get("arguments", {})
    weights = arguments.get("loss", {})
    begun = arguments.get("model", {}).get("start")
    return frozenset(task for task in TASKS if begun or weights.get(task) != 0.0)


def load_model(folder: Path) -> tuple[QueryModel, dict[str, Any]]:
    """A trained model and its labels, from a run's model folder.

    Raises:
        ConfigError: there is no trained model in the folder, or it is damaged.
    """
    if not (folder / "weights.pt").is_file():
        raise ConfigError(f"no trained model in {folder}", "run intentstream train first")
    try:
        model = QueryModel.from_config(folder)
        if (folder / _TUNING).is_file():
            make_tunable(model, TuningConfig(**json.loads((folder / _TUNING).read_text("utf-8"))))
        state = torch.load(folder / "weights.pt", map_location="cpu", weights_only=True)
        fit(model, state)  # heads and units may have been pruned
        model.load_state_dict(state)
        labels: dict[str, Any] = json.loads((folder / "labels.json").read_text("utf-8"))
    except _DAMAGED as error:
        raise ConfigError(
            f"the model in {folder} is damaged", "copy the folder again whole, or train it anew"
        ) from error
    return model.eval(), labels


def file_digest(path: Path) -> str:
    """sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _versions() -> dict[str, str]:
    """Of the packages, and the commit that this code is, where it runs from a checkout."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if commit := _commit():
        found["commit"] = commit
    return found


def _commit() -> str:
    """Of the checkout, with "-dirty" where its files are not those of the commit; "" outside of one."""
    if not (_PROJECT / ".git").exists():
        return ""
    describe = ("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
    try:
        said = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(_PROJECT), *describe],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return said.stdout.strip()
