"""What redaction costs the model: ordinary queries that it alters by mistake, and entities lost so."""

import re
from collections.abc import Sequence
from typing import Any

from streams.decoding import Span
from streams.redaction import Redacted, redact
from training.data.examples import Example
from training.evaluation.altered_queries import altered
from training.evaluation.entity_scores import entity_scores
from training.inference.answers import answers_of
from training.inference.predict import Predictor


def redaction_metrics(predictor: Predictor, examples: Sequence[Example]) -> dict[str, Any]:
    """The share of queries that are altered, and how much entity F1 falls by it.

    Args:
        predictor: the model.
        examples: with entities and without personal data, so that every change is a mistake.
    """
    texts = [example.text for example in examples]
    redacted = [redact(text) for text in texts]
    gold = [example.spans or () for example in examples]
    plain = answers_of(predictor, texts).found
    blind = answers_of(predictor, [one.text for one in redacted]).found
    before = entity_scores(texts, [(a.spans, g) for a, g in zip(plain, gold, strict=True)])
    moved = [
        _moved_back(answer.spans, one, text)
        for answer, one, text in zip(blind, redacted, texts, strict=True)
    ]
    after = entity_scores(texts, list(zip(moved, gold, strict=True)))
    changed = len(altered(texts))
    return {
        "altered": changed / max(len(texts), 1),
        "altered_queries": changed,
        "f1_cost": before["f1"] - after["f1"],
        "texts": len(texts),
    }


def _moved_back(spans: Sequence[Span], redacted: Redacted, text: str) -> list[Span]:
    """Entities of a redacted text at the places in the text that they stand for.

    What touches a placeholder covers all that the placeholder replaced.
    """
    if redacted.text == text:
        return list(spans)
    starts = _sources(redacted, text)
    return [
        Span(s.type, starts[s.start][0], starts[s.end - 1][1], s.score, s.first_token)
        for s in spans
    ]


def _sources(redacted: Redacted, text: str) -> list[tuple[int, int]]:
    """For each character of a redacted text, the characters (start, end) it stands for."""
    cuts = [0, *(edge for one in redacted.spans for edge in (one.start, one.end))]
    pieces = [
        redacted.text[start:end]
        for start, end in zip(cuts[::2], [*cuts[1::2], len(redacted.text)], strict=True)
    ]
    match = re.fullmatch("(.+?)".join(f"({re.escape(piece)})" for piece in pieces), text, re.DOTALL)
    if match is None:
        return [(0, len(text))] * len(redacted.text)
    found: list[tuple[int, int]] = []
    for number, piece in enumerate(pieces):
        start = match.start(2 * number + 1)
        found += [(start + place, start + place + 1) for place in range(len(piece))]
        if number < len(redacted.spans):
            one = redacted.spans[number]
            found += [match.span(2 * number + 2)] * (one.end - one.start)
    return found
