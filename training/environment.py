"""What a training command finds around it: the packages of the training extra, the data folder."""

import importlib.util
import os
from pathlib import Path

from training.errors import MissingExtraError

DATA_VARIABLE = "INTENTSTREAM_DATA"
PACKAGES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime", "tensorboard")
"""What every command needs."""


def require_extra(needed: tuple[str, ...] = PACKAGES) -> None:
    """Checks that the training extra, or what is needed of it, is there.

    Raises:
        MissingExtraError: naming the first package that is not.
    """
    for name in needed:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(
                f"training needs {name}",
                "install the training extra: pip install -e '.[train]' in a clone of the repository",
            )
    # Spinning OpenMP threads cost ten times the CPU where cores are shared; torch reads this once.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def data_folder(data: Path | None) -> Path:
    """The data folder: the argument, else INTENTSTREAM_DATA, else ../shared/data."""
    return data or Path(os.environ.get(DATA_VARIABLE) or "../shared/data")
