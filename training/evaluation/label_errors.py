"""Labels that are probably wrong, for a person to look at: confident learning.

`cleanlab` (Northcutt, Jiang and Chuang, JAIR 2021; for words Wang and Mueller, 2022) compares the given
labels with the probabilities of a model that has not been trained on them. Where it has been, it will
have learnt the wrong labels too, and few are found.

Texts are redacted before they leave here.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import groupby
from typing import Any, Final

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.token_classification.filter import find_label_issues as find_word_issues
from numpy.typing import NDArray

from streams.decoding import softmax
from streams.redaction import redact
from streams.text import normalise
from training.data.examples import Example
from training.inference.answers import Answers
from training.inference.predict import Predictor
from training.network.tokens import pieces_of_words

FEWEST: Final = 20
"""Fewer labelled texts say nothing about which labels are taken for which."""

_CHUNK = 512
_WHOLE = 100_000  # characters: no text is cut
_HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class LabelError:
    """A label to look at.

    Attributes:
        measured: the set.
        number: of the text in its set, from 1.
        task: `intents`, `sentiment` or `entities`.
        text: redacted.
        part: the word that it is about, for entities; "…" where it was redacted.
        given: the label in the data.
        suggested: what the model thinks.
        given_probability: of the given label.
        suggested_probability: of the suggested one.
    """

    measured: str
    number: int
    task: str
    text: str
    part: str
    given: str
    suggested: str
    given_probability: float
    suggested_probability: float

    def facts(self) -> dict[str, Any]:
        """For a line of JSON."""
        return asdict(self)


def class_errors(
    measured: str, task: str, examples: Sequence[Example], answers: Answers
) -> list[LabelError]:
    """Intents or sentiments that are probably wrong, the least probable first."""
    intents = task == "intents"
    names = answers.labels.intents if intents else answers.labels.sentiments
    likely = answers.intents if intents else answers.sentiments
    given = [e.intent if intents else e.sentiment for e in examples]
    answered = np.ptp(likely, axis=1) > 0  # a text in a language without encoder is not
    rows = [row for row, label in enumerate(given) if label in names and answered[row]]
    labels = np.array([names.index(given[row] or "") for row in rows])
    if len(rows) < FEWEST or len(set(labels.tolist())) < 2:
        return []
    probabilities = likely[rows]
    with _silence():
        issues = find_label_issues(
            labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
        )
    found = []
    for place in np.asarray(issues, dtype=np.intp).tolist():
        row, best = rows[place], int(probabilities[place].argmax())
        if best != labels[place]:
            found.append(
                LabelError(
                    measured,
                    row + 1,
                    task,
                    _redacted(examples[row].text),
                    "",
                    names[labels[place]],
                    names[best],
                    round(float(probabilities[place, labels[place]]), 4),
                    round(float(probabilities[place, best]), 4),
                )
            )
    return found


def entity_errors(
    measured: str,
    examples: Sequence[Example],
    predictor: Predictor,
) -> list[LabelError]:
    """Words whose entity label is probably wrong, the least probable first; one a word.

    BIO is left aside: a word's label is its entity type, or `O`.
    """
    types = sorted({tag[2:] for tag in predictor.labels.tags if tag != "O"})
    names = ["O", *types]
    column = {name: number for number, name in enumerate(names)}
    words = list(_words(predictor, examples, column))
    labels = [
        [column[_label(example, start, end)] for start, end in places]
        for example, (places, _) in zip(examples, words, strict=True)
    ]
    kept = [row for row, places in enumerate(labels) if places]
    if len(kept) < FEWEST or len({label for row in kept for label in labels[row]}) < 2:
        return []
    likely = [words[row][1] for row in kept]
    with _silence():
        issues = find_word_issues([labels[row] for row in kept], likely, n_jobs=1)
    found = []
    for place, word in issues:
        row, given = kept[place], labels[kept[place]][word]
        best = int(likely[place][word].argmax())
        if best != given:
            start, end = words[row][0][word]
            text = _redacted(examples[row].text)
            part = examples[row].text[start:end]
            found.append(
                LabelError(
                    measured,
                    row + 1,
                    "entities",
                    text,
                    part if part in text and part == _redacted(part) else _HIDDEN,
                    names[given],
                    names[best],
                    round(float(likely[place][word, given]), 4),
                    round(float(likely[place][word, best]), 4),
                )
            )
    return found


@contextmanager
def _silence() -> Iterator[None]:
    """Without a warning for every class of which there are too few examples to doubt any."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


_Places = list[tuple[int, int]]


def _words(
    predictor: Predictor, examples: Sequence[Example], column: dict[str, int]
) -> Iterator[tuple[_Places, NDArray[np.float64]]]:
    """Each text's words, and the probability [words, types] that each is of a type."""
    kinds = np.array([column[t if t == "O" else t[2:]] for t in predictor.labels.tags])
    for start in range(0, len(examples), _CHUNK):
        texts = [example.text for example in examples[start : start + _CHUNK]]
        outputs = predictor(texts)
        likely = softmax(outputs.tag_logits)
        for row, text in enumerate(texts):
            count = int(outputs.token_count[row])
            offsets = [(int(a), int(b)) for a, b in outputs.token_offsets[row, :count]]
            pieces = pieces_of_words(text, offsets)
            places = [(offsets[first][0], offsets[end - 1][1]) for first, end in pieces]
            firsts = [first for first, _ in pieces]
            summed = np.zeros((len(firsts), len(column)))
            np.add.at(summed.T, kinds, likely[row, firsts].T)
            yield places, summed


def _label(example: Example, start: int, end: int) -> str:
    spans = example.spans or ()
    return next((s.type for s in spans if s.start < end and start < s.end), "O")


def _redacted(text: str) -> str:
    return redact(normalise(text, max_chars=_WHOLE)).text


def first_of_each(errors: Sequence[LabelError], most: int) -> list[LabelError]:
    """At most so many of each set and task, in their order."""

    def key(error: LabelError) -> tuple[str, str]:
        return error.measured, error.task

    ordered = sorted(errors, key=key)  # stable: the least probable stay first
    return [error for _, group in groupby(ordered, key) for error in list(group)[:most]]
