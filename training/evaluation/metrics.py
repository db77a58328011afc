"""Figures of merit, each a pure function of labels and scores."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Count:
    """What was right, found and there to be found."""

    right: int = 0
    found: int = 0
    there: int = 0

    @property
    def precision(self) -> float:
        """Right of what was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Right of what was there."""
        return self.right / self.there if self.there else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        return 2 * self.right / (self.found + self.there) if self.found + self.there else 0.0


def count(pairs: Iterable[tuple[Collection[Item], Collection[Item]]]) -> Count:
    """Over (found, there) pairs of sets: an item is right when it is in both (micro)."""
    right = found = there = 0
    for predicted, gold in pairs:
        right += len(set(predicted) & set(gold))
        found += len(predicted)
        there += len(gold)
    return Count(right, found, there)


def accuracy(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The share that agrees."""
    return sum(p == g for p, g in zip(predicted, gold, strict=True)) / max(len(gold), 1)


def class_counts(predicted: Sequence[str], gold: Sequence[str]) -> dict[str, Count]:
    """What was right, found and there of each class that occurs in the gold labels."""
    there, found = Counter(gold), Counter(predicted)
    right = Counter(g for p, g in zip(predicted, gold, strict=True) if p == g)
    return {name: Count(right[name], found[name], there[name]) for name in sorted(there)}


def class_f1(predicted: Sequence[str], gold: Sequence[str]) -> dict[str, float]:
    """F1 of each class that occurs in the gold labels."""
    return {name: counts.f1 for name, counts in class_counts(predicted, gold).items()}


def macro_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The mean F1 over the classes of the gold labels."""
    return float(np.mean(list(class_f1(predicted, gold).values())))


def auroc(positive: Scores, negative: Scores) -> float:
    """The chance that a positive scores above a negative, ties counting half."""
    pooled = np.concatenate((positive, negative))
    _, inverse, counts = np.unique(pooled, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    below = ranks[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(below / (len(positive) * len(negative)))


@dataclass(frozen=True, slots=True)
class ConfidenceBin:
    """Answers of nearly one confidence: how many, how sure on average, and how many were right."""

    count: int
    confidence: float
    accuracy: float


def reliability(
    confidence: Scores, right: NDArray[np.bool_], bins: int = 15
) -> list[ConfidenceBin]:
    """Equally wide bins of confidence, without the empty ones (DeGroot and Fienberg, 1983)."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    members = (places == n for n in np.unique(places))
    return [
        ConfidenceBin(int(one.sum()), float(confidence[one].mean()), float(right[one].mean()))
        for one in members
    ]


def calibration_error(confidence: Scores, right: NDArray[np.bool_], bins: int = 15) -> float:
    """Expected calibration error (Guo et al., ICML 2017), equally wide bins."""
    return sum(
        one.count / len(confidence) * abs(one.confidence - one.accuracy)
        for one in reliability(confidence, right, bins)
    )


def best_temperature(logits: Scores, targets: NDArray[np.int64]) -> float:
    """The temperature of least negative log-likelihood (Guo et al., ICML 2017), by search."""

    def loss(temperature: float) -> float:
        scaled = logits / temperature
        scaled = scaled - scaled.max(axis=1, keepdims=True)
        log_sum = np.log(np.exp(scaled).sum(axis=1))
        return float((log_sum - scaled[np.arange(len(targets)), targets]).mean())

    return float(min(np.geomspace(0.2, 5.0, 161), key=loss))
