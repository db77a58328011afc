"""Any model by what names it: a run, a model repository, an exported encoder, a Triton's address."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.bases.encoders import resolve
from training.bases.languages import language_in
from training.bases.vector_space import space_of
from training.data import chinese
from training.errors import ConfigError
from training.evaluation.chinese import EnglishVectors
from training.export.front_versions import FRONT
from training.export.saved_models import predictor_of, served_languages
from training.inference.predict import Predictor, TorchPredictor
from training.inference.routed import RoutedPredictor
from training.inference.sentence_space import SentenceSpace
from training.network.run_folder import manifest_of

SCHEME = "grpc://"
_PROBES = {"en": "red shoes", "zh": "红色的鞋子"}


@dataclass(frozen=True, slots=True)
class OpenModel:
    """A model that can be asked.

    Attributes:
        name: as it was named.
        kind: what it is, for people.
        languages: that it understands: `en`, `zh`.
        english: vectors of English beside which a Chinese model's are held.
        run: its run folder, if that is what was named.
        trained_on: the shop's own files that it was trained on, as far as that is known.
    """

    name: str
    kind: str
    predictor: Predictor
    languages: tuple[str, ...]
    english: EnglishVectors
    run: Path | None = None
    trained_on: tuple[str, ...] = ()


@contextmanager
def opened(name: str) -> Iterator[OpenModel]:
    """A model by its name.

    Args:
        name: a run folder (measured as its fp32 graph, or in PyTorch where it has none), a model
            repository or an exported encoder (as it is served on a CPU), an encoder's `model.onnx`,
            or `grpc://host:port` of a Triton.

    Raises:
        ConfigError: there is no model of that name, or one of another contract.
        ServedModelError: Triton does not answer, or serves a model of another contract.
    """
    if name.startswith(SCHEME):
        from training.inference.triton import triton_predictor  # noqa: PLC0415 - gRPC, where it is asked

        with triton_predictor(name) as served:
            said = served(list(_PROBES.values())).languages
            languages = tuple(one for one, found in zip(_PROBES, said, strict=True) if one == found)
            yield OpenModel(name, "served by Triton", served, languages, english_of_itself)
        return
    yield _local(Path(name))


def _local(path: Path) -> OpenModel:
    name = str(path)
    if (path / FRONT).is_dir():
        languages = served_languages(path)
        routed = RoutedPredictor({one: predictor_of(path, one) for one in languages})
        return OpenModel(name, "model repository", routed, languages, english_of_itself)
    folder = path.parent if path.suffix == ".onnx" else path
    if path.suffix == ".onnx" and not path.is_file():
        raise ConfigError(f"{path} is not there", _NAMES)
    manifest = manifest_of(folder) or manifest_of(folder.parent)  # of a run's model/
    language = language_in(manifest)
    exported = (folder / "model.onnx").is_file()
    if not exported and not _is_run(folder):
        raise ConfigError(f"there is no model at {path}", _NAMES)
    files = manifest.get("arguments", {}).get("data", {}).get("files", ())
    predictor = predictor_of(path if path.suffix == ".onnx" else folder, language)
    run = "run, in PyTorch" if isinstance(predictor, TorchPredictor) else "run, as its fp32 graph"
    return OpenModel(
        name,
        "exported encoder" if exported else run,
        predictor,
        (language,),
        lambda _: english_of_base(manifest),
        None if exported or not (folder / "model").is_dir() else folder,
        tuple(str(file["path"]) for file in files),
    )


_NAMES = (
    "name a run folder, a model repository, a folder with model.onnx and tokenizer.json, "
    "or grpc://host:port of a Triton"
)


def _is_run(folder: Path) -> bool:
    return any((one / "tokenizer.json").is_file() for one in (folder, folder / "model"))


def english_of_itself(predictor: Predictor) -> NDArray[np.float32]:
    """The vectors that a model of both languages gives the English of the hand-written pairs."""
    texts = [english for _, english in chinese.hand_written_pairs()]
    return predictor(texts).sentence_vector


def english_of_base(manifest: Mapping[str, Any]) -> NDArray[np.float32] | None:
    """The English of the hand-written pairs, in the space that a run's model learnt."""
    space = space_of(manifest)
    if space is None or not space.encoder:
        return None
    texts = [english for _, english in chinese.hand_written_pairs()]
    found = SentenceSpace(resolve(space.encoder)).vectors(texts)
    return np.array([found[text] for text in texts], np.float32)
