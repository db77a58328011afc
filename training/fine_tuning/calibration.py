"""What is fitted after the last epoch: temperatures, the threshold of out of scope, transitions."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.decoding import softmax
from streams.labels import INTENTS, OUT_OF_SCOPE, SENTIMENTS
from training.config import TASKS
from training.data import chinese
from training.data.examples import Example
from training.data.generator import CALIBRATION_SEED, compose
from training.data.sources import load_if_there
from training.evaluation.metrics import best_temperature
from training.fine_tuning.transitions import fitted
from training.inference.predict import Predictor

_FALSE_ALARMS = 0.01


def calibrate(
    predictor: Predictor,
    folder: Path,
    language: str = "en",
    *,
    tasks: Collection[str] = TASKS,
    own: Sequence[Example] = (),
    drawn: Sequence[Example] = (),
) -> dict[str, Any]:
    """Temperatures, threshold and transitions of tags, fitted on texts that do not train.

    The threshold is the least one at which at most one in-scope text in a hundred is taken for
    out of scope. Transitions are counted in the training texts, and left out where entities are
    found best without them, or where there are no texts annotated by people to tell.

    Args:
        predictor: of the trained model.
        folder: of the public data sets.
        language: `en` or `zh`.
        tasks: those that the model has learnt; the scores of others mean nothing and stay as they are.
        own: a shop's own validation texts, which count beside the project's.
        drawn: the texts of an epoch.
    """
    texts = [
        *(chinese.calibration_texts() if language == "zh" else calibration_texts(folder)),
        *own,
    ]
    found: dict[str, Any] = {}
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
    if "tags" in tasks:
        # People's annotations alone: what is generated follows itself as the training texts do.
        real = [] if language == "zh" else load_if_there("queryner_validation", folder)
        transitions = fitted(predictor, drawn, [*real, *own], language)
        if transitions is not None:
            found["transitions"] = transitions.as_json()
    return found


def calibration_texts(folder: Path) -> list[Example]:
    """An even mixture of searches, questions, requests, out-of-scope texts and feelings."""
    return [
        *load_if_there("queryner_validation", folder)[:500],
        *load_if_there("amazon_pqa_test", folder)[:400],
        *load_if_there("clinc_validation", folder)[::5],
        *compose("requests", 1500, CALIBRATION_SEED),
        *compose("feelings", 500, CALIBRATION_SEED),
    ]


def _logits(predictor: Predictor, examples: list[Example]) -> tuple[np.ndarray, np.ndarray]:
    outputs = predictor([example.text for example in examples])
    return outputs.intent_logits.astype(np.float64), outputs.sentiment_logits.astype(np.float64)
