"""An exported encoder in this process: the arithmetic of the server, without the server."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information

from streams.decoding import ModelLabels, ModelOutputs
from training.errors import ConfigError
from training.inference.onnx_session import REFUSALS, reason, session
from training.inference.predict import batches, empty_outputs
from training.network.query_model import RELATION_WIDTH, VECTOR_WIDTH

HEADS = ("intent", "sentiment", "tags", "subject", "object", "vector")


class OnnxPredictor:
    """An exported encoder; temperatures are in its graph.

    Args:
        model: its graph.
        tokenizer: its tokenizer.
        labels: the classes behind its heads.
        batch: the most texts run at once.
        language: that it answers to be of.

    Raises:
        ConfigError: no ONNX model, or a graph of another contract: other inputs, heads or classes.
    """

    def __init__(
        self,
        model: bytes | Path,
        tokenizer: Tokenizer,
        labels: ModelLabels,
        batch: int = 64,
        *,
        language: str = "en",
    ) -> None:
        self._session, self._tokenizer, self._batch = session(model), tokenizer, batch
        self.labels, self._language = labels, language
        _check(self._session, labels)

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The model's tensors, one row a text.

        Raises:
            ConfigError: the graph fails on them, as with the word pieces of another model.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        outputs = empty_outputs(encodings, self._language)
        try:
            for rows, ids in batches(encodings, self._batch):
                self._fill(outputs, rows, len(ids[0]), np.array(ids, np.int64))
        except REFUSALS as error:
            raise ConfigError(
                f"the model failed on {texts[rows[0]][:40]!r}: {reason(error)}",
                "model.onnx and tokenizer.json have to come from one export",
            ) from error
        return outputs

    def _fill(
        self,
        outputs: ModelOutputs,
        rows: list[int],
        length: int,
        ids: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    ) -> None:
        intent, sentiment, tags, subject, obj, vector = self._session.run(
            list(HEADS), {"input_ids": ids}
        )
        inner = slice(1, length - 1)
        outputs.intent_logits[rows] = intent
        outputs.sentiment_logits[rows] = sentiment
        outputs.tag_logits[rows, : length - 2] = tags[:, inner]
        outputs.relation_subject[rows, : length - 2] = subject[:, inner]
        outputs.relation_object[rows, : length - 2] = obj[:, inner]
        outputs.sentence_vector[rows] = vector


def _check(graph: InferenceSession, labels: ModelLabels) -> None:
    """Before the first query, with names, instead of a shape error in the middle.

    Raises:
        ConfigError: naming every difference.
    """
    widths = dict.fromkeys(("subject", "object"), RELATION_WIDTH) | {
        "intent": len(labels.intents),
        "sentiment": len(labels.sentiments),
        "tags": len(labels.tags),
        "vector": VECTOR_WIDTH,
    }
    there = {output.name: output.shape for output in graph.get_outputs()}
    faults = [f"it has no output {name!r}" for name in HEADS if name not in there]
    given = {name: (there[name] or [1])[-1] for name in HEADS if name in there}
    faults += [
        f"its {name!r} is {size} wide, not {widths[name]}"
        for name, size in given.items()
        if isinstance(size, int) and size != widths[name]
    ]
    if [one.name for one in graph.get_inputs()] != ["input_ids"]:
        faults.append("its input is not input_ids alone")
    if faults:
        raise ConfigError(
            f"this ONNX graph is not one of ours: {', '.join(faults)}",
            "export the model with intentstream export of this release",
        )
