"""A saved model by its folder: a run's, an exported encoder's, a model repository's."""

from dataclasses import replace
from pathlib import Path

from training.bases.languages import language_in
from training.bases.vector_space import space_name
from training.errors import ConfigError
from training.export.front_versions import FRONT, front_with, live_front
from training.export.graph import Weights, build
from training.export.next_version import MAX_PIECES
from training.export.serving_config import Served
from training.inference.onnx_predict import OnnxPredictor
from training.inference.predict import Predictor, TorchPredictor, labels_of
from training.network.run_folder import load_model, manifest_of
from training.network.tokens import load_tokenizer


def predictor_of(folder: Path, language: str = "en") -> Predictor:
    """The model of a folder in this process, run by ONNX Runtime; by PyTorch where it has no graph.

    Args:
        folder: a run folder (fp32), a version folder of an encoder or the ONNX file in it, or a
            model repository, of which the encoder is taken that it serves (int8, as the server
            runs it).
        language: of the repository's encoder, or of a model whose manifest does not say.

    Raises:
        ConfigError: there is no model in the folder, it is not one of ours, or the repository
            serves no such language.
    """
    if (folder / FRONT).is_dir():
        return _served(folder, language)
    if folder.suffix == ".onnx":
        return _exported(folder, language)
    if (folder / "model.onnx").is_file():
        return _exported(folder / "model.onnx", language)
    path = folder / "model" if (folder / "model").is_dir() else folder
    model, calibration = load_model(path)
    tokenizer = load_tokenizer(path)
    manifest = manifest_of(folder) or manifest_of(folder.parent)
    language = language_in(manifest, language)
    try:
        weights = Weights.of(model)
    except ConfigError:  # of a kind that can be trained and can teach, but not be served
        return TorchPredictor(model, tokenizer, calibration, language=language)
    graph = build(weights, calibration, MAX_PIECES).SerializeToString()
    labels = labels_of(calibration, language, space_name(manifest))
    return OnnxPredictor(graph, tokenizer, labels, language=language)


def _exported(file: Path, language: str) -> Predictor:
    """With its own transitions; all else as in the version of the model that has it, if one does."""
    folder = file.parent
    manifest = manifest_of(folder)
    language = language_in(manifest, language)
    labels = labels_of(manifest.get("calibration", {}), language, space_name(manifest))
    if common := front_with(folder.parent.parent, language, folder.name):
        labels = replace(common.labels, transitions=labels.transitions)
    return OnnxPredictor(file, load_tokenizer(folder), labels, language=language)


def served_languages(repository: Path) -> tuple[str, ...]:
    """The languages of the encoders that a model repository serves.

    Raises:
        ConfigError: it serves none.
    """
    return tuple(sorted(_front(repository).encoder_versions))


def _front(repository: Path) -> Served:
    if (found := live_front(repository)) is None:
        raise ConfigError(f"{repository} serves no model", "run intentstream export")
    return found


def _served(repository: Path, language: str) -> Predictor:
    served = _front(repository)
    if language not in served.encoder_versions:
        raise ConfigError(f"{repository} serves no encoder for {language!r}", "export one")
    folder = repository / f"encoder_{language}" / str(served.encoder_versions[language])
    return OnnxPredictor(
        folder / "model.onnx", load_tokenizer(folder), served.labels, language=language
    )
