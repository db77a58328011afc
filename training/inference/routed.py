"""Several encoders as one model: each text goes to that of its script, as the server's front does it."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from streams.decoding import ModelLabels, ModelOutputs
from training.inference.predict import Predictor
from training.inference.scripts import UNDETERMINED, script_of
from training.network.query_model import RELATION_WIDTH, VECTOR_WIDTH

PER_TEXT: Final = tuple(
    f.name for f in fields(ModelOutputs) if f.name not in ("languages", "digest")
)
PER_PIECE: Final = ("tag_logits", "token_offsets", "relation_subject", "relation_object")


class RoutedPredictor:
    """The encoders of a model repository, one a language.

    Args:
        encoders: by language; they share labels. A text in a language without one gets zeros, and
            `und`, which the decoder answers with no label.
    """

    def __init__(self, encoders: Mapping[str, Predictor]) -> None:
        self._encoders = dict(encoders)
        self.labels: ModelLabels = next(iter(self._encoders.values())).labels

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The tensors, one row a text."""
        languages = [script_of(text) for text in texts]
        parts = []
        for language in dict.fromkeys(languages):
            rows = [row for row, one in enumerate(languages) if one == language]
            encoder = self._encoders.get(language)
            outputs = encoder([texts[row] for row in rows]) if encoder else self._nothing(len(rows))
            served = language if encoder else UNDETERMINED
            parts.append((rows, replace(outputs, languages=(served,) * len(rows))))
        return joined(parts, len(texts))

    def _nothing(self, rows: int) -> ModelOutputs:
        """Zeros, and no word piece: what the front answers in a language without encoder."""
        labels = self.labels

        def zeros(*shape: int) -> Any:
            return np.zeros((rows, *shape), np.float32)

        return ModelOutputs(
            intent_logits=zeros(len(labels.intents)),
            sentiment_logits=zeros(len(labels.sentiments)),
            tag_logits=zeros(1, len(labels.tags)),
            token_offsets=np.zeros((rows, 1, 2), np.int32),
            token_count=np.zeros(rows, np.int32),
            word_pieces=np.zeros(rows, np.int32),
            relation_subject=zeros(1, RELATION_WIDTH),
            relation_object=zeros(1, RELATION_WIDTH),
            sentence_vector=zeros(VECTOR_WIDTH),
            languages=(UNDETERMINED,) * rows,
            digest="",
        )


def joined(parts: Sequence[tuple[Sequence[int], ModelOutputs]], count: int) -> ModelOutputs:
    """One batch of `count` rows from parts of it, each with the rows that it fills."""
    if not parts:
        raise ValueError("there is nothing to join")
    longest = max(outputs.tag_logits.shape[1] for _, outputs in parts)
    found: dict[str, Any] = {}
    for name in PER_TEXT:
        first = getattr(parts[0][1], name)
        shape = (count, longest, *first.shape[2:]) if name in PER_PIECE else first.shape
        whole = np.zeros((count, *shape[1:]), first.dtype)
        for rows, outputs in parts:
            values = getattr(outputs, name)
            if name in PER_PIECE:
                whole[list(rows), : values.shape[1]] = values
            else:
                whole[list(rows)] = values
        found[name] = whole
    languages = [UNDETERMINED] * count
    for rows, outputs in parts:
        for row, language in zip(rows, outputs.languages, strict=True):
            languages[row] = language
    return ModelOutputs(languages=tuple(languages), digest=parts[0][1].digest, **found)
