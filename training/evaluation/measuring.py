"""A model measured: its figures, and what is behind them, for each set of texts."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from training.data.examples import Example
from training.evaluation.entity_scores import words_of
from training.evaluation.figures import Step, sureness
from training.evaluation.intervals import Tally
from training.evaluation.label_errors import LabelError, class_errors, entity_errors
from training.evaluation.metrics import ConfidenceBin, reliability
from training.evaluation.opened_models import OpenModel
from training.evaluation.slices import Slice, Variant, dimensions, slices_of, variants_of
from training.inference.answers import Answers, Asked
from training.terminal import progress_bar

TASKS: Final = ("entities", "intents", "sentiment")
"""Whose figures are looked at text by text."""


@dataclass(frozen=True, slots=True)
class Study:
    """A model's answers to one set, text by text.

    Attributes:
        name: of the set.
        task: one of `TASKS`.
        tally: of accuracy or of typed F1.
        slices: of it.
        confusion: (label, answer) → texts; empty for entities.
        bins: of confidence; empty for entities.
    """

    name: str
    task: str
    tally: Tally
    slices: list[Slice]
    confusion: Counter[tuple[str, str]]
    bins: list[ConfidenceBin]


@dataclass(frozen=True, slots=True)
class Measured:
    """All that was measured of one model."""

    model: OpenModel
    figures: dict[str, Any]
    studies: dict[str, Study]
    label_errors: list[LabelError] = field(default_factory=list)


def measured(
    model: OpenModel,
    steps: Sequence[Step],
    brands: Mapping[str, int],
    *,
    label_errors: bool = False,
    shown: bool = True,
) -> Measured:
    """Takes every figure, with a progress bar; where there is no terminal, a line for each step.

    Args:
        model: what is measured.
        steps: on what.
        brands: how often each stands in the training data.
        label_errors: whether to look for labels that are probably wrong.
        shown: whether to show the bar.
    """
    figures: dict[str, Any] = {}
    studies: dict[str, Study] = {}
    errors: list[LabelError] = []
    kinds = dimensions(brands)
    with progress_bar(shown=shown) as progress:
        total = sum(step.texts for step in steps)
        task = progress.add_task("measuring", total=total)
        asked = Asked(model.predictor, lambda count: progress.advance(task, count))
        done = 0
        for step in steps:
            progress.update(task, description=step.name.replace("_", " "))
            figures[step.name] = step.figures(asked)
            if step.task in TASKS:
                studies[step.name] = _study(step, asked, kinds)
                if label_errors and step.sliced:
                    errors += _errors(step, asked)
            done += step.texts
            progress.update(task, completed=done)
            if not progress.console.is_terminal:
                progress.print(f"{step.name.replace('_', ' ')}: measured, {done} of {total} texts")
    return Measured(model, figures, studies, _each_once(errors))


def _each_once(errors: Sequence[LabelError]) -> list[LabelError]:
    """A text that stands in several sets is looked at once."""
    found: dict[tuple[str, str, str], LabelError] = {}
    for error in errors:
        found.setdefault((error.task, error.text, error.part), error)
    return list(found.values())


def _study(step: Step, asked: Asked, kinds: Mapping[str, Callable[[Example], str | None]]) -> Study:
    answers = asked.answers([example.text for example in step.examples])
    tally = tally_of(step.task, step.examples, answers)
    slices: list[Slice] = []
    if step.sliced:
        slices = slices_of(step.name, step.examples, tally, kinds)
        for variant in variants_of(step.examples):
            slices.append(_varied(step, asked, tally, variant))
    if step.task == "entities":
        return Study(step.name, step.task, tally, slices, Counter(), [])
    intents = step.task == "intents"
    gold = [(e.intent if intents else e.sentiment) or "" for e in step.examples]
    labels = [(one.intent if intents else one.sentiment).label for one in answers.found]
    likely = answers.intents if intents else answers.sentiments
    names = answers.labels.intents if intents else answers.labels.sentiments
    confusion = Counter(zip(gold, labels, strict=True))
    bins = reliability(*sureness(answers.found, likely, names, gold))
    return Study(step.name, step.task, tally, slices, confusion, bins)


def _varied(step: Step, asked: Asked, tally: Tally, variant: Variant) -> Slice:
    answers = asked.answers([example.text for example in variant.examples])
    now = tally_of(step.task, variant.examples, answers)
    before = tally.of(np.array(variant.rows, np.intp))
    return Slice(step.name, variant.dimension, variant.name, now, before, paired=True)


def tally_of(task: str, examples: Sequence[Example], answers: Answers) -> Tally:
    """The task's figure, text by text: accuracy, or typed F1."""
    if task == "entities":
        places = [
            (_placed(example.text, answer.spans), _placed(example.text, example.spans or ()))
            for example, answer in zip(examples, answers.found, strict=True)
        ]
        above = np.array([2.0 * len(found & gold) for found, gold in places])
        below = np.array([float(len(found) + len(gold)) for found, gold in places])
        return Tally(above, below, share=False)
    right = [
        (a.intent.label == e.intent) if task == "intents" else (a.sentiment.label == e.sentiment)
        for e, a in zip(examples, answers.found, strict=True)
    ]
    return Tally(np.array(right, np.float64), np.ones(len(right)), share=True)


def _placed(text: str, spans: Any) -> set[tuple[str, int, int]]:
    return {(span.type, *words_of(text, span.start, span.end)) for span in spans}


def _errors(step: Step, asked: Asked) -> list[LabelError]:
    if step.task == "entities":
        return entity_errors(step.name, step.examples, asked)
    answers = asked.answers([example.text for example in step.examples])
    return class_errors(step.name, step.task, step.examples, answers)
