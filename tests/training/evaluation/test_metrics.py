from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from streams.decoding import ModelLabels
from streams.labels import INTENTS, SENTIMENTS, bio_tags
from training.data.markup import parse
from training.evaluation.figures import relation_metrics
from training.evaluation.metrics import (
    auroc,
    best_temperature,
    calibration_error,
    class_f1,
    count,
    macro_f1,
)
from training.inference.routed import RoutedPredictor


def test_micro_counts() -> None:
    found = count([({1, 2}, {2, 3}), (set(), {4})])
    assert (found.right, found.found, found.there) == (1, 2, 3)
    assert found.f1 == pytest.approx(0.4)


def test_class_and_macro_f1() -> None:
    predicted, gold = ["a", "a", "b"], ["a", "b", "b"]
    assert class_f1(predicted, gold) == {"a": pytest.approx(2 / 3), "b": pytest.approx(2 / 3)}
    assert macro_f1(predicted, gold) == pytest.approx(2 / 3)


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([0.9, 0.5]), np.array([0.5, 0.1])) == pytest.approx(0.875)


def test_a_confident_and_right_model_is_calibrated() -> None:
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, True])) == 0.0
    assert calibration_error(np.array([1.0, 1.0]), np.array([True, False])) == pytest.approx(0.5)


def test_temperature_cools_the_overconfident() -> None:
    logits = np.array([[9.0, 0.0], [9.0, 0.0], [9.0, 0.0], [9.0, 0.0]])
    assert best_temperature(logits, np.array([0, 0, 0, 1])) > 4.0


def test_a_text_that_nothing_understands_has_no_pairs_to_be_right() -> None:
    english: Any = SimpleNamespace(
        labels=ModelLabels(INTENTS, bio_tags(), SENTIMENTS, 0.5, "test")
    )  # never asked
    example = parse("[красные](color)>1 [туфли](core_product_type)#1", "own")
    figures = relation_metrics(RoutedPredictor({"en": english}), [example])
    assert figures["f1_given_entities"] == figures["f1_end_to_end"] == 0.0
    assert figures["pairs"] == 1
