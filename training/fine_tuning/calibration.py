"""Scores that mean what they say: temperatures, and from where on a text is out of scope."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from streams.decoding import softmax
from streams.labels import INTENTS, OUT_OF_SCOPE, SENTIMENTS
from training.config import TASKS
from training.data import chinese
from training.data.examples import Example
from training.data.generator import compose
from training.data.sources import load_if_there
from training.evaluation.metrics import best_temperature
from training.inference.predict import Predictor

_FALSE_ALARMS = 0.01
_SEED = 999_983  # generated texts that no epoch draws


def calibrate(
    predictor: Predictor,
    folder: Path,
    language: str = "en",
    *,
    tasks: Collection[str] = TASKS,
    own: Sequence[Example] = (),
) -> dict[str, float]:
    """Temperatures and threshold, fitted on texts that neither train nor report.

    The threshold is the least one at which at most one in-scope text in a hundred is taken for
    out of scope.

    Args:
        predictor: of the trained model.
        folder: of the public data sets.
        language: `en` or `zh`.
        tasks: those that the model has learnt; the scores of others mean nothing and stay as they are.
        own: a shop's own validation texts, which count beside the project's.
    """
    texts = [
        *(chinese.calibration_texts() if language == "zh" else calibration_texts(folder)),
        *own,
    ]
    found: dict[str, float] = {}
    if "intent" in tasks:
        intents = [e for e in texts if e.intent is not None]
        logits = _logits(predictor, intents)[0]
        targets = np.array([INTENTS.index(e.intent or "") for e in intents])
        temperature = best_temperature(logits, targets)
        column = INTENTS.index(OUT_OF_SCOPE)
        inside = softmax(logits / temperature)[targets != column, column]
        threshold = float(np.clip(np.quantile(inside, 1.0 - _FALSE_ALARMS), 0.3, 0.9))
        found |= {"temperature": temperature, "out_of_scope_threshold": threshold}
    if "sentiment" in tasks:
        feelings = [e for e in texts if e.sentiment is not None]
        moods = np.array([SENTIMENTS.index(e.sentiment or "") for e in feelings])
        found["sentiment_temperature"] = best_temperature(_logits(predictor, feelings)[1], moods)
    return found


def calibration_texts(folder: Path) -> list[Example]:
    """An even mixture of searches, questions, requests, out-of-scope texts and feelings."""
    return [
        *load_if_there("queryner_validation", folder)[:500],
        *load_if_there("amazon_pqa_test", folder)[:400],
        *load_if_there("clinc_validation", folder)[::5],
        *compose("requests", 1500, _SEED),
        *compose("feelings", 500, _SEED),
    ]


def _logits(predictor: Predictor, examples: list[Example]) -> tuple[np.ndarray, np.ndarray]:
    outputs = predictor([example.text for example in examples])
    return outputs.intent_logits.astype(np.float64), outputs.sentiment_logits.astype(np.float64)
