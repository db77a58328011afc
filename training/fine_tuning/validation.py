"""What decides which epoch of a run is kept: sets of texts, and the few figures taken of them."""

from collections.abc import Collection, Mapping
from pathlib import Path

from training.config import TASKS, DataConfig
from training.data import chinese
from training.data.corpus import validation_files
from training.data.examples import Example
from training.data.generator import VALIDATION_SEED, compose
from training.data.sources import load, load_if_there
from training.errors import DataError
from training.evaluation.figures import (
    entity_metrics,
    intent_metrics,
    relation_metrics,
    sentiment_metrics,
)
from training.inference.predict import Predictor


def validation_sets(
    config: DataConfig, data: Path, tasks: Collection[str] = TASKS, language: str = "en"
) -> dict[str, list[Example]]:
    """The texts that decide which epoch is kept, by task: `tags`, `intent`, `relations`, `sentiment`.

    A recipe that names `validation_sources` takes those alone, beside the shop's own files;
    one that does not has public and generated texts, of which no feeling decides.

    Args:
        config: names the shop's own.
        data: folder of the public ones.
        tasks: those that are trained; the sets of others are left out.
        language: `en` or `zh`.

    Raises:
        DataError: an unreadable file, a source that is not in the data folder, or no text at all.
    """
    own = validation_files(config)
    if config.validation_sources:
        own += [e for name in config.validation_sources for e in load(name, data)]
        sets = _sets_of(own)
    elif language == "zh":
        sets = _sets_of(own) if own else chinese.validation_sets()
    else:
        sets = _english(own, data)
    found = {task: examples for task, examples in sets.items() if task in tasks and examples}
    if not found:
        raise DataError(
            f"no validation text is labelled for what is trained: {', '.join(sorted(tasks))}",
            "add a [[data.validation]] with such labels, or name validation_sources under [data]",
        )
    return found


def _english(own: list[Example], data: Path) -> dict[str, list[Example]]:
    products = compose("products", 600, VALIDATION_SEED)
    entities = [e for e in own if e.spans] + load_if_there("queryner_validation", data)
    return {
        "tags": entities or products,
        "intent": [
            *(e for e in own if e.intent),
            *load_if_there("amazon_pqa_test", data)[::3],
            *load_if_there("clinc_validation", data)[::4],
            *compose("requests", 1000, VALIDATION_SEED),
        ],
        "relations": [e for e in own if e.relations] or products,
        "sentiment": [e for e in own if e.sentiment],
    }


def _sets_of(own: list[Example]) -> dict[str, list[Example]]:
    """A shop's own texts alone decide."""
    return {
        "tags": [e for e in own if e.spans],
        "intent": [e for e in own if e.intent],
        "relations": [e for e in own if e.relations],
        "sentiment": [e for e in own if e.sentiment],
    }


def validation_score(predictor: Predictor, sets: Mapping[str, list[Example]]) -> dict[str, float]:
    """A figure a task, and `score`, their mean, which decides: none is a reported test."""
    found: dict[str, float] = {}
    if texts := sets.get("tags"):
        found["entities_f1"] = float(entity_metrics(predictor, texts)["f1"])
    if texts := sets.get("intent"):
        found["intent_accuracy"] = float(intent_metrics(predictor, texts)["accuracy"])
    if texts := sets.get("relations"):
        found["relations_f1"] = float(relation_metrics(predictor, texts)["f1_given_entities"])
    if texts := sets.get("sentiment"):
        metrics = sentiment_metrics(predictor, texts)
        found["sentiment_accuracy"] = float(metrics["accuracy"])
        found["sentiment_macro_f1"] = float(metrics["macro_f1"])
    found["score"] = sum(found.values()) / max(len(found), 1)
    return found
