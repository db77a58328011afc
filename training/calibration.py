"""Scores that mean what they say: temperatures, and from where on a text is out of scope."""

from pathlib import Path

import numpy as np

from streams.decoding import softmax
from streams.labels import INTENTS, OUT_OF_SCOPE, SENTIMENTS
from training import chinese
from training.examples import Example
from training.generator import compose
from training.metrics import best_temperature
from training.predict import Predictor
from training.sources import load_if_there

_FALSE_ALARMS = 0.01
_SEED = 999_983  # generated texts that no epoch draws


def calibrate(predictor: Predictor, folder: Path, language: str = "en") -> dict[str, float]:
    """Temperatures and threshold, fitted on texts that neither train nor report.

    The threshold is the least one at which at most one in-scope text in a hundred is taken for
    out of scope.
    """
    texts = chinese.calibration_texts() if language == "zh" else calibration_texts(folder)
    intents = [e for e in texts if e.intent is not None]
    logits = _logits(predictor, intents)
    targets = np.array([INTENTS.index(e.intent or "") for e in intents])
    temperature = best_temperature(logits[0], targets)
    column = INTENTS.index(OUT_OF_SCOPE)
    inside = softmax(logits[0] / temperature)[targets != column, column]
    feelings = [e for e in texts if e.sentiment is not None]
    moods = np.array([SENTIMENTS.index(e.sentiment or "") for e in feelings])
    return {
        "temperature": temperature,
        "sentiment_temperature": best_temperature(_logits(predictor, feelings)[1], moods),
        "out_of_scope_threshold": float(
            np.clip(np.quantile(inside, 1.0 - _FALSE_ALARMS), 0.3, 0.9)
        ),
    }


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
