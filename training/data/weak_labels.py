"""Feelings of real sentences, as a lexicon sees them: weak labels, where no licence gives better ones.

VADER (Hutto and Gilbert, ICWSM 2014; MIT) scores a sentence by its words and a few rules. Only
sentences of which it is sure are kept: a student that reads them beside generated ones learns more
than the lexicon's words.
"""

import csv
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.data.examples import Example
from training.errors import MissingExtraError

_POSITIVE, _NEGATIVE = 0.5, -0.35  # VADER's compound score, from -1 to 1
_FILES = ("ePQA_dev", "hetPQA_answer_generation_train")
FILES = tuple(f"amazon_pqa/{name}.csv" for name in _FILES)


def statements(folder: Path) -> list[Example]:
    """What reviews and answers say of products, with the feeling that VADER is sure of.

    Raises:
        MissingExtraError: `vaderSentiment` is not installed.
    """
    texts: dict[str, None] = {}
    for file in FILES:
        with (folder / file).open(encoding="utf-8", newline="") as lines:
            delimiter = "\t" if "\t" in lines.readline() else ","
            lines.seek(0)
            for row in csv.DictReader(lines, delimiter=delimiter):
                text = (row.get("candidate") or "").partition("Question:")[0].strip()
                if 10 <= len(text) <= 160 and "{" not in text:
                    texts[text] = None
    return [
        Example(text, "pqa_statements", sentiment=feeling)
        for text, score in zip(texts, scores(list(texts)), strict=True)
        if (feeling := _sure(score))
    ]


def _sure(score: float) -> str | None:
    if score == 0.0:
        return "neutral"
    if score > _POSITIVE:
        return "positive"
    return "negative" if score < _NEGATIVE else None


def lexicon_feelings(texts: Sequence[str]) -> list[str]:
    """VADER's own verdicts, with the thresholds that its authors name: the baseline to beat.

    Raises:
        MissingExtraError: `vaderSentiment` is not installed.
    """
    return [
        "positive" if score >= 0.05 else "negative" if score <= -0.05 else "neutral"
        for score in scores(texts)
    ]


def scores(texts: Sequence[str]) -> list[float]:
    """VADER's compound scores, from -1 to 1.

    Raises:
        MissingExtraError: `vaderSentiment` is not installed.
    """
    analyzer = _analyzer()
    return [float(analyzer.polarity_scores(text)["compound"]) for text in texts]


def _analyzer() -> Any:
    try:
        module = importlib.import_module("vaderSentiment.vaderSentiment")
    except ImportError as error:
        raise MissingExtraError(
            "weak labels need vaderSentiment",
            "install the training extra: pip install -e '.[train]' in a clone of the repository",
        ) from error
    return module.SentimentIntensityAnalyzer()
