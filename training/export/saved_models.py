"""A saved model by its folder: a run's, an exported encoder's, a model repository's."""

from pathlib import Path
from typing import Any

from streams.decoding import ModelLabels
from streams.labels import INTENTS, SENTIMENTS, bio_tags
from training.errors import ConfigError
from training.export.graph import Weights, build
from training.export.next_version import FRONT, MAX_PIECES
from training.export.serving_config import Served, read_front
from training.inference.onnx_predict import OnnxPredictor
from training.inference.predict import VECTOR_SPACE, Predictor, TorchPredictor
from training.network.run_folder import load_model, manifest_of
from training.network.tokens import load_tokenizer


def labels_of(calibration: dict[str, Any]) -> ModelLabels:
    """The schema's labels with a model's threshold."""
    return ModelLabels(
        intents=INTENTS,
        tags=bio_tags(),
        sentiments=SENTIMENTS,
        out_of_scope_threshold=float(calibration.get("out_of_scope_threshold", 0.5)),
        vector_space=VECTOR_SPACE,
    )


def predictor_of(folder: Path, language: str = "en") -> Predictor:
    """The model of a folder in this process, run by ONNX Runtime; by PyTorch where it has no graph.

    Args:
        folder: a run folder (fp32), a version folder of an encoder or the ONNX file in it, or a
            model repository, of which the encoder is taken that it serves (int8, as the server
            runs it).
        language: of the repository's encoder.

    Raises:
        ConfigError: there is no model in the folder, it is not one of ours, or the repository
            serves no such language.
    """
    if (folder / FRONT).is_dir():
        return _served(folder, language)
    if folder.suffix == ".onnx":
        return _exported(folder)
    if (folder / "model.onnx").is_file():
        return _exported(folder / "model.onnx")
    path = folder / "model" if (folder / "model").is_dir() else folder
    model, calibration = load_model(path)
    tokenizer = load_tokenizer(path)
    try:
        weights = Weights.of(model)
    except ConfigError:  # of a kind that can be trained and can teach, but not be served
        return TorchPredictor(model, tokenizer, calibration)
    graph = build(weights, calibration, MAX_PIECES).SerializeToString()
    return OnnxPredictor(graph, tokenizer, labels_of(calibration))


def _exported(file: Path) -> Predictor:
    folder = file.parent
    front = folder.parent.parent / FRONT / "configs" / "cpu.pbtxt"
    if front.is_file():
        labels = read_front(front.read_text(encoding="utf-8")).labels
    else:
        labels = labels_of(manifest_of(folder).get("calibration", {}))
    return OnnxPredictor(file, load_tokenizer(folder), labels)


def served_languages(repository: Path) -> tuple[str, ...]:
    """The languages of the encoders that a model repository serves.

    Raises:
        ConfigError: it serves none.
    """
    return tuple(sorted(_front(repository).encoder_versions))


def _front(repository: Path) -> Served:
    front = repository / FRONT / "configs" / "cpu.pbtxt"
    if not front.is_file():
        raise ConfigError(f"no {front.name} in {front.parent}", "run intentstream export")
    return read_front(front.read_text(encoding="utf-8"))


def _served(repository: Path, language: str) -> Predictor:
    served = _front(repository)
    if language not in served.encoder_versions:
        raise ConfigError(f"{repository} serves no encoder for {language!r}", "export one")
    folder = repository / f"encoder_{language}" / str(served.encoder_versions[language])
    return OnnxPredictor(folder / "model.onnx", load_tokenizer(folder), served.labels)
