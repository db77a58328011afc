"""Transitions of tags: counted in annotated texts, and as strong as entities are found best with."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from streams.decoding import Decoder
from streams.labels import bio_tags
from streams.tag_paths import words
from streams.tag_transitions import TagTransitions
from training.data.examples import Example
from training.evaluation.entity_scores import entity_scores
from training.inference.predict import Predictor

STRENGTHS: Final = tuple(step / 20 for step in range(11))
"""Those that are tried, the least one first: 0 to 0.5."""

_BELIEF: Final = 10.0
"""What follows a kind is also counted this often as it is spread over all texts."""

_TYPES: Final = tuple(tag[2:] for tag in bio_tags() if tag.startswith("B-"))
_KINDS: Final = {name: kind for kind, name in enumerate(("O", *_TYPES))}


def tags_of(example: Example) -> list[tuple[int, int]]:
    """The kind of each word, and whether it is inside an entity: 1 behind its first word, else 0.

    Words are the decoder's. Where two entities share a word, it is the first one's.
    """
    text = example.text
    spans = sorted(example.spans or (), key=lambda span: (span.start, span.end))
    found, previous = [], -1
    for word in words(text, [[n, n + 1] for n, c in enumerate(text) if not c.isspace()]):
        owner = next(
            (n for n, s in enumerate(spans) if s.start < word.end and word.start < s.end), -1
        )
        kind = _KINDS[spans[owner].type] if owner >= 0 else 0
        found.append((kind, int(owner >= 0 and owner == previous)))
        previous = owner
    return found


def estimated(examples: Sequence[Example], strength: float = 1.0) -> TagTransitions:
    """The log ratios of annotated texts, to three decimals.

    Args:
        examples: with spans; those without count for nothing.
        strength: that they get.
    """
    kinds = len(_KINDS)
    first, follows = np.zeros(kinds), np.zeros((kinds, kinds))
    stayed, followed = np.zeros((kinds, 2)), np.zeros((kinds, 2))
    words_of = np.zeros((kinds, 2))  # that begin an entity or are none, and inside of one
    for example in examples:
        tags = tags_of(example) if example.spans is not None else []
        if not tags:
            continue
        first[tags[0][0]] += 1
        for kind, inside in tags:
            words_of[kind, inside] += 1
        for (kind, inside), (next_kind, next_inside) in pairwise(tags):
            followed[kind, inside] += 1
            if next_inside:
                stayed[kind, inside] += 1
            else:
                follows[kind, next_kind] += 1
    prior = (words_of + 1) / (words_of.sum() + kinds)
    begins = prior[:, 0] / prior[:, 0].sum()
    behind = (follows + _BELIEF * begins) / (follows.sum(1, keepdims=True) + _BELIEF)
    at_first = (first + _BELIEF * begins) / (first.sum() + _BELIEF)
    stays = ((stayed + 1) / (followed + 4))[1:]
    return TagTransitions(
        strength,
        _row(np.log(at_first) - np.log(prior[:, 0])),
        tuple(map(_row, np.log(behind) - np.log(prior[:, 0]))),
        tuple(map(_row, np.log(stays) - np.log(prior[1:, 1:]))),
        tuple(map(_row, np.log(1 - stays))),
    )


def _row(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)


def fitted(
    predictor: Predictor, drawn: Sequence[Example], texts: Sequence[Example], language: str
) -> TagTransitions | None:
    """The transitions with which a model finds entities best; None where it does best without.

    Args:
        predictor: of the trained model.
        drawn: what it was trained on; texts with spans are counted.
        texts: those with spans choose the strength, by typed micro F1. That of the strengths beside
            it counts as much as its own, so that chance decides less; of equal ones the least wins.
        language: that the texts are in.
    """
    marked = [e for e in texts if e.spans is not None]
    if not any(e.spans for e in drawn) or not any(e.spans for e in marked):
        return None
    counted, asked = estimated(drawn), [e.text for e in marked]
    outputs = predictor(asked)
    outputs = replace(outputs, languages=(language,) * len(asked))

    def f1(strength: float) -> float:
        own = {language: replace(counted, strength=strength)}
        found = Decoder(replace(predictor.labels, transitions=own)).decode(outputs, asked)
        pairs = [(one.spans, e.spans or ()) for one, e in zip(found, marked, strict=True)]
        return float(entity_scores(asked, pairs)["f1"])

    strength = STRENGTHS[best_place([f1(strength) for strength in STRENGTHS])]
    return replace(counted, strength=strength) if strength else None


def best_place(scores: Sequence[float]) -> int:
    """The first of the best places, by the mean of each score and its neighbours."""
    padded = [scores[0], *scores, scores[-1]]
    means = [round(sum(padded[place : place + 3]) / 3, 6) for place in range(len(scores))]
    return means.index(max(means))
