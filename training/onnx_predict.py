"""An exported encoder in this process: the arithmetic of the server, without the server."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information

from streams.decoding import ModelLabels, ModelOutputs
from training.onnx_session import session
from training.predict import batches, empty_outputs

HEADS = ("intent", "sentiment", "tags", "subject", "object", "vector")


class OnnxPredictor:
    """An exported encoder; temperatures are in its graph."""

    def __init__(
        self, model: bytes | Path, tokenizer: Tokenizer, labels: ModelLabels, batch: int = 64
    ) -> None:
        self._session, self._tokenizer, self._batch = session(model), tokenizer, batch
        self.labels = labels

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The model's tensors, one row a text."""
        encodings = self._tokenizer.encode_batch(list(texts))
        outputs = empty_outputs(encodings)
        for rows, ids in batches(encodings, self._batch):
            self._fill(outputs, rows, len(ids[0]), np.array(ids, np.int64))
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
