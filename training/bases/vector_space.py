"""The space that a model's sentence vectors lie in: what is compared or averaged lies in one."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.bases.encoders import ENCODERS, resolve
from training.errors import ConfigError
from training.network.run_folder import file_digest

_VERSION = 1
_SHORT = {"all-MiniLM-L6-v2": "minilm-l6"}
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_BEFORE = "minilm-l6/1"
"""What every model declared before manifests said it."""


@dataclass(frozen=True, slots=True)
class VectorSpace:
    """The space of the sentence vectors of an encoder, which models learn to give.

    Attributes:
        encoder: its name or path; empty where only the name of the space is known.
        name: of the space, as the served model declares it and signals and profiles carry it.
    """

    encoder: str
    name: str

    @classmethod
    def of(cls, encoder: str) -> "VectorSpace":
        """The space of an encoder: named after it, if it is one of the recipes'.

        Any other is named with a digest of its weights too: another one may bear the same name.

        Raises:
            EncoderError: there is no such encoder.
        """
        if encoder in ENCODERS:
            return cls(encoder, f"{_SHORT.get(encoder, encoder)}/{_VERSION}")
        name = _OTHER.sub("-", Path(encoder).expanduser().resolve().name)
        return cls(encoder, f"{name}-{_digest(resolve(encoder))}/{_VERSION}")


def space_of(manifest: Mapping[str, Any]) -> VectorSpace | None:
    """The space of a run's or an exported model's vectors; nothing where it has learnt none.

    Raises:
        ConfigError: the manifest is damaged.
    """
    if "vector_space" not in manifest:
        arguments = manifest.get("arguments", {})
        model, weight = arguments.get("model", {}), arguments.get("loss", {}).get("vector")
        if weight == 0.0 and not model.get("start"):
            return None
        return VectorSpace(str(model.get("vectors", "")), _BEFORE)
    said = manifest["vector_space"]
    try:
        return None if said is None else VectorSpace(str(said["encoder"]), str(said["name"]))
    except (KeyError, TypeError) as error:
        raise ConfigError(
            f"the manifest's vector_space is damaged: {said!r}", "copy the folder again whole"
        ) from error


def space_name(manifest: Mapping[str, Any]) -> str:
    """The name of that space; empty where there is none."""
    space = space_of(manifest)
    return space.name if space else ""


def _digest(folder: Path) -> str:
    files = sorted({*folder.glob("*.safetensors"), *folder.glob("*.bin")})
    return hashlib.sha256("\n".join(map(file_digest, files)).encode()).hexdigest()[:8]
