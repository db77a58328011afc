"""What a model says of texts, each asked once however often it is measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.decoding import Decoder, ModelLabels, ModelOutputs, Understanding, softmax
from training.inference.predict import Predictor

_CHUNK = 512

Probabilities = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Answers:
    """A model's answers to B texts, in their order.

    Attributes:
        labels: the classes behind the columns.
        found: decoded, as the worker decodes them.
        intents: probabilities [B, intents].
        sentiments: probabilities [B, sentiments].
    """

    labels: ModelLabels
    found: list[Understanding]
    intents: Probabilities
    sentiments: Probabilities


class Asked:
    """A model that remembers what it said of a text: the same, alone and in any batch.

    Args:
        predictor: the model.
        advance: told how many texts were asked about, for a progress bar.
    """

    def __init__(
        self, predictor: Predictor, advance: Callable[[int], None] = lambda _: None
    ) -> None:
        self.labels = predictor.labels
        self._predictor, self._advance = predictor, advance
        self._decoder = Decoder(predictor.labels)
        self._said: dict[str, tuple[Understanding, Probabilities, Probabilities]] = {}

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The model's tensors, one row a text; these are not remembered."""
        self._advance(len(texts))
        return self._predictor(texts)

    def answers(self, texts: Sequence[str]) -> Answers:
        """The answers to texts; only those that are new are asked."""
        new = [text for text in dict.fromkeys(texts) if text not in self._said]
        for start in range(0, len(new), _CHUNK):
            chunk = new[start : start + _CHUNK]
            outputs = self._predictor(chunk)
            rows = zip(
                chunk,
                self._decoder.decode(outputs, chunk),
                softmax(outputs.intent_logits),
                softmax(outputs.sentiment_logits),
                strict=True,
            )
            self._said |= {text: (found, intent, mood) for text, found, intent, mood in rows}
            self._advance(len(chunk))
        self._advance(len(texts) - len(new))
        said = [self._said[text] for text in texts]
        return Answers(
            self.labels,
            [found for found, _, _ in said],
            _stacked([intent for _, intent, _ in said], len(self.labels.intents)),
            _stacked([mood for _, _, mood in said], len(self.labels.sentiments)),
        )


def _stacked(rows: list[Probabilities], width: int) -> Probabilities:
    return np.stack(rows) if rows else np.zeros((0, width))


def answers_of(predictor: Predictor, texts: Sequence[str]) -> Answers:
    """A model's answers to texts, remembered where the model is an `Asked`."""
    asked = predictor if isinstance(predictor, Asked) else Asked(predictor)
    return asked.answers(texts)
