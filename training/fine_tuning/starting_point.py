"""A trained model whose weights, heads and all, another run begins with: a run's, or an exported one's.

What a shop's own labels add is then learnt on top of what the served model knows already.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import Tensor

from training.bases.encoder_folder import read_tokenizer
from training.errors import ConfigError
from training.export.half_precision import restored
from training.network.query_model import QueryModel, fit
from training.network.run_folder import file_digest, load_model, manifest_of

_POSITIONS = "encoder.embeddings.position_embeddings.weight"
_PROJECT = Path(__file__).resolve().parents[2]
_SEGMENTS = "encoder.embeddings.token_type_embeddings.weight"


def located(start: Path) -> Path:
    """A trained model: at this path, or at the same path from the root of this project.

    So the project's own recipes find its models from anywhere.

    Raises:
        ConfigError: there is none at either.
    """
    for path in (start, _PROJECT / start):
        if _is_exported(path) or (path / "model").is_dir():
            return path
    raise ConfigError(
        f"[model] start: there is no trained model at {start}",
        "name a run's folder, or that of an encoder's version in a model repository",
    )


def begin_with(model: QueryModel, start: Path, base: Path) -> None:
    """Loads the weights of a trained model into a fresh one.

    Args:
        model: on `base`.
        start: a run folder, or the version folder of an exported encoder, whose int8 weights are
            turned back into fp32.
        base: the Hugging Face folder that the trained model began with, too.

    Raises:
        ConfigError: no trained model there, or one of another base or vocabulary.
    """
    _check_vocabulary(start, base)
    state = _exported(start, model) if _is_exported(start) else _run(start)
    fit(model, state)  # heads and units may have been pruned
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise _other_base(start) from error


def draw_back(model: QueryModel, other: Path, base: Path, share: float) -> None:
    """Takes a share of a trained model's weights from another, such as the one that its run began with.

    The straight line between the two runs through models that do well at what either does, and
    better than both on other texts (WiSE-FT: Wortsman et al., CVPR 2022; model soups: Wortsman et
    al., ICML 2022).

    Args:
        model: trained; its weights are changed.
        other: a run folder, or the version folder of an exported encoder.
        base: what both are on.
        share: of `other`, from 0 to 1.

    Raises:
        ConfigError: as `begin_with`.
    """
    there = copy.deepcopy(model)
    begin_with(there, other, base)
    with torch.no_grad():
        for own, theirs in zip(model.parameters(), there.parameters(), strict=True):
            own.lerp_(theirs, share)


def start_facts(start: Path) -> dict[str, Any]:
    """What a manifest keeps of the model that a run began with: its weights, recipe and training time."""
    weights = start / "model.onnx" if _is_exported(start) else start / "model" / "weights.pt"
    made = manifest_of(start)
    told: dict[str, Any] = {
        name: made[name] for name in ("config_file", "seconds", "processor") if name in made
    }
    return {"path": start.as_posix(), "sha256": file_digest(weights), **told}


def _is_exported(start: Path) -> bool:
    return (start / "model.onnx").is_file()


def _run(start: Path) -> Mapping[str, Tensor]:
    model, _ = load_model(start / "model")
    return model.state_dict()


def _exported(start: Path, model: QueryModel) -> Mapping[str, Tensor]:
    """The state of an exported graph, which keeps fewer positions than the base and one segment."""
    own = model.state_dict()
    state = {
        name: torch.tensor(value)
        for name, value in restored(onnx.load(start / "model.onnx")).state.items()
    }
    known = state[_POSITIONS]
    positions = own[_POSITIONS].clone()
    if known.shape[1] != positions.shape[1] or len(known) > len(positions):
        raise _other_base(start)
    positions[: len(known)] = known
    segments = torch.zeros_like(own[_SEGMENTS])  # the graph has added the first to its positions
    pooler = {name: value for name, value in own.items() if name.startswith("encoder.pooler.")}
    return {**pooler, **state, _POSITIONS: positions, _SEGMENTS: segments}


def _check_vocabulary(start: Path, base: Path) -> None:
    folder = start if _is_exported(start) else start / "model"
    if not (folder / "tokenizer.json").is_file():
        raise ConfigError(
            f"there is no trained model in {start}",
            "name as start a run folder, or an exported version such as "
            "model_repository/encoder_en/6",
        )
    if read_tokenizer(folder)["model"].get("vocab") != read_tokenizer(base)["model"].get("vocab"):
        raise _other_base(start)


def _other_base(start: Path) -> ConfigError:
    return ConfigError(
        f"{start} was trained on another base, or with other pieces",
        "name the base that its manifest.json names, with the same added_words and [student]",
    )
