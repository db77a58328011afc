"""Texts to the served model's tensors, from a trained model in this process.

Batches hold texts of one exact length, as the server's do, so nothing is padded.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer  # type: ignore[import-untyped] # has no type information

from streams.decoding import MAX_WORD_PIECES, ModelLabels, ModelOutputs
from streams.labels import INTENTS, SENTIMENTS, bio_tags
from streams.tag_transitions import transitions_of
from training.errors import ConfigError
from training.network.query_model import RELATION_WIDTH, VECTOR_WIDTH, QueryModel


def labels_of(
    calibration: Mapping[str, Any], language: str = "en", vector_space: str = ""
) -> ModelLabels:
    """The schema's labels, with a model's threshold and the transitions of its language.

    Args:
        calibration: of the model.
        language: of the model.
        vector_space: that its sentence vectors lie in; empty where they mean nothing, or are not asked
            about.

    Raises:
        ConfigError: the transitions are damaged.
    """
    own = calibration.get("transitions")
    try:
        transitions = transitions_of({} if own is None else {language: own})
    except ValueError as error:
        raise ConfigError(
            f"the model's calibration is damaged: {error}", "copy its folder again whole"
        ) from error
    return ModelLabels(
        intents=INTENTS,
        tags=bio_tags(),
        sentiments=SENTIMENTS,
        out_of_scope_threshold=float(calibration.get("out_of_scope_threshold", 0.5)),
        vector_space=vector_space,
        transitions=transitions,
    )


class Predictor(Protocol):
    """Anything that answers texts as the served model does."""

    labels: ModelLabels

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The model's tensors, one row a text."""


class TorchPredictor:
    """A trained model in this process.

    Args:
        model: in evaluation mode.
        tokenizer: its tokenizer.
        calibration: `temperature` (intent), `sentiment_temperature`, `out_of_scope_threshold`,
            `transitions` of tags.
        batch: the most texts run at once.
        bf16: whether to compute in bfloat16: for a first look, not for what is reported.
        language: that it answers to be of.
    """

    def __init__(
        self,
        model: QueryModel,
        tokenizer: Tokenizer,
        calibration: dict[str, Any] | None = None,
        batch: int = 64,
        *,
        bf16: bool = False,
        language: str = "en",
    ) -> None:
        self._device = next(model.parameters()).device
        self._bf16, self._language = bf16, language
        self._model, self._tokenizer, self._batch = model, tokenizer, batch
        found = calibration or {}
        self._temperature = float(found.get("temperature", 1.0))
        self._sentiment_temperature = float(found.get("sentiment_temperature", 1.0))
        self.labels = labels_of(found, language)

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The model's tensors, one row a text."""
        encodings = self._tokenizer.encode_batch(list(texts))
        outputs = empty_outputs(encodings, self._language)
        for rows, ids in batches(encodings, self._batch):
            self._run(rows, torch.tensor(ids), outputs)
        return outputs

    def _run(self, rows: list[int], ids: torch.Tensor, outputs: ModelOutputs) -> None:
        ids = ids.to(self._device)
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16),
        ):
            heads = self._model(ids, torch.ones_like(ids))
        length = ids.shape[1]
        inner = slice(1, length - 1)
        outputs.intent_logits[rows] = _array(heads.intent) / self._temperature
        outputs.sentiment_logits[rows] = _array(heads.sentiment) / self._sentiment_temperature
        outputs.tag_logits[rows, : length - 2] = _array(heads.tags[:, inner])
        outputs.relation_subject[rows, : length - 2] = _array(heads.subject[:, inner])
        outputs.relation_object[rows, : length - 2] = _array(heads.object[:, inner])
        outputs.sentence_vector[rows] = _array(heads.vector)


def _array(tensor: torch.Tensor) -> np.ndarray[Any, np.dtype[np.float32]]:
    found: np.ndarray[Any, np.dtype[np.float32]] = tensor.float().cpu().numpy()
    return found


def batches(
    encodings: Sequence[Encoding], rows: int
) -> Iterator[tuple[list[int], list[list[int]]]]:
    """Batches of one exact length, so that nothing is padded: the rows, and their ids.

    An encoding that is too long loses its end but for the last, special token.
    """
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for row, encoding in enumerate(encodings):
        groups[min(len(encoding.ids), MAX_WORD_PIECES)].append(row)
    for length, members in groups.items():
        for start in range(0, len(members), rows):
            part = members[start : start + rows]
            yield part, [[*encodings[r].ids[: length - 1], encodings[r].ids[-1]] for r in part]


def empty_outputs(encodings: list[Encoding], language: str = "en") -> ModelOutputs:
    """Tensors for these encodings, their offsets and counts filled in, all scores zero."""
    rows = len(encodings)
    counts = [min(len(encoding.ids), MAX_WORD_PIECES) - 2 for encoding in encodings]
    longest = max(counts, default=0)
    offsets = np.zeros((rows, longest, 2), np.int32)
    for row, (encoding, count) in enumerate(zip(encodings, counts, strict=True)):
        offsets[row, :count] = np.array(encoding.offsets[1 : count + 1]).reshape(-1, 2)

    def zeros(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return np.zeros(shape, np.float32)

    return ModelOutputs(
        intent_logits=zeros(rows, len(INTENTS)),
        sentiment_logits=zeros(rows, len(SENTIMENTS)),
        tag_logits=zeros(rows, longest, len(bio_tags())),
        token_offsets=offsets,
        token_count=np.array(counts, np.int32),
        word_pieces=np.array([len(encoding.ids) for encoding in encodings], np.int32),
        relation_subject=zeros(rows, longest, RELATION_WIDTH),
        relation_object=zeros(rows, longest, RELATION_WIDTH),
        sentence_vector=zeros(rows, VECTOR_WIDTH),
        languages=(language,) * rows,
        digest="",
    )
