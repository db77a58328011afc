"""From the served model's tensors to labels, entities and relations: pure, batched, exact.

Every step works row by row on float64, so a query decodes to the same bytes alone or in a batch.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streams.events import UNKNOWN_LABEL, Label
from streams.labels import OUT_OF_SCOPE, PREDICATES, PRODUCT_TYPES
from streams.tag_paths import TagPaths, WeighedSteps, Wide, Words, softmax
from streams.tag_transitions import TagTransitions

__all__ = [
    "MAX_WORD_PIECES",
    "UNDETERMINED",
    "Decoder",
    "ModelLabels",
    "ModelOutputs",
    "Span",
    "SpanRelation",
    "Understanding",
    "rounded",
    "softmax",
]

Float = NDArray[np.float32]

UNDETERMINED = "und"
"""BCP 47's code for a language that could not be told, or that no encoder serves."""

MAX_WORD_PIECES = 128
"""The model reads this many word pieces of a query; an event of a longer one says `truncated`."""

_EDGES = " \t,.;:!?\"'()“”‘’、，。；：！？（）《》"


@dataclass(frozen=True, slots=True)
class ModelLabels:
    """The classes behind the logits, in their order, as the served model declares them.

    `transitions` are those of the entities' tags by language; a language without has none.
    """

    intents: tuple[str, ...]
    tags: tuple[str, ...]
    sentiments: tuple[str, ...]
    out_of_scope_threshold: float
    vector_space: str
    transitions: Mapping[str, TagTransitions] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ModelOutputs:
    """The tensors of one batch of B queries with at most T word pieces (see the model's config).

    `token_offsets` counts code points of the text that was sent; rows at and past a query's
    `token_count` mean nothing. The relation logit of a product span and an attribute span is
    the dot product of `relation_subject` at the first and `relation_object` at the second's
    first token (a bilinear scorer, as in Dozat and Manning, ICLR 2017).
    """

    intent_logits: Float  # [B, intents]
    sentiment_logits: Float  # [B, 3]
    tag_logits: Float  # [B, T, tags]
    token_offsets: NDArray[np.int32]  # [B, T, 2]
    token_count: NDArray[np.int32]  # [B]
    word_pieces: NDArray[np.int32]  # [B], before truncation
    relation_subject: Float  # [B, T, 32]
    relation_object: Float  # [B, T, 32]
    sentence_vector: Float  # [B, 384], L2-normalised
    languages: tuple[str, ...]  # B
    digest: str

    def __len__(self) -> int:
        return len(self.languages)


class Span(Struct, frozen=True, gc=False):
    """An entity before it becomes part of an event; `first_token` indexes the word pieces."""

    type: str
    start: int
    end: int
    score: float
    first_token: int = -1


class SpanRelation(Struct, frozen=True, gc=False):
    """A product span and an attribute span, by their index among the spans."""

    subject: int
    predicate: str
    object: int
    score: float


class Understanding(Struct, frozen=True, gc=False):
    """What the model says about one query."""

    language: str
    intent: Label
    alternatives: tuple[Label, ...]
    sentiment: Label
    spans: tuple[Span, ...] = ()
    relations: tuple[SpanRelation, ...] = ()
    vector: bytes | None = None  # 384 little-endian float16
    truncated: bool = False


def rounded(score: float) -> float:
    """A score as events carry it: 4 places, within [0, 1]."""
    return round(min(max(score, 0.0), 1.0), 4)


class Decoder:
    """Decodes the outputs of models with one set of labels.

    Args:
        labels: as the served model declares them.
        alternatives: how many runner-up intents an event names.
        relation_threshold: the least probability of a relation.

    Raises:
        ValueError: the tags are not a BIO scheme (Ramshaw and Marcus, 1995) over known types, or
            the transitions are not for these types.
    """

    def __init__(
        self, labels: ModelLabels, *, alternatives: int = 2, relation_threshold: float = 0.5
    ) -> None:
        self.labels = labels
        self._alternatives = alternatives
        self._relation_threshold = relation_threshold
        index = {tag: position for position, tag in enumerate(labels.tags)}
        types = [tag.removeprefix("B-") for tag in labels.tags if tag.startswith("B-")]
        if len(labels.tags) != 2 * len(types) + 1 or "O" not in index:
            raise ValueError("the model's tags are not O and a B- and I- tag for each type")
        self._outside = index["O"]
        try:
            begin = [index[f"B-{name}"] for name in types]
            inside = [index[f"I-{name}"] for name in types]
        except KeyError as error:
            raise ValueError(f"the model's tags lack {error}") from error
        self._type_of = dict(zip((*begin, *inside), (*types, *types), strict=True))
        self._inside = frozenset(inside)
        self._paths = TagPaths(begin, inside)
        self._weighed = {
            language: WeighedSteps(transitions, begin, inside, self._outside)
            for language, transitions in labels.transitions.items()
            if transitions.strength
        }
        self._scope = labels.intents.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in labels.intents else None

    def decode(self, outputs: ModelOutputs, texts: list[str]) -> list[Understanding]:
        """One `Understanding` per row; rows in a language without encoder get no label.

        The numbers are finite and the offsets lie inside the texts: who reads the tensors checks.
        """
        intents = self._intents(softmax(outputs.intent_logits))
        sentiments = softmax(outputs.sentiment_logits)
        moods, moods_likely = sentiments.argmax(axis=1).tolist(), sentiments.max(axis=1).tolist()
        vectors = np.ascontiguousarray(outputs.sentence_vector, dtype="<f2").tobytes()
        width = len(vectors) // max(len(texts), 1)
        spans = self._spans(outputs, texts)
        relations = self._relations(spans, outputs.relation_subject, outputs.relation_object)
        cut = (outputs.word_pieces > MAX_WORD_PIECES).tolist()
        found = []
        for row, language in enumerate(outputs.languages):
            if language == UNDETERMINED:
                found.append(_undetermined(truncated=cut[row]))
                continue
            intent, *alternatives = intents[row]
            found.append(
                Understanding(
                    language=language,
                    intent=intent,
                    alternatives=tuple(alternatives),
                    sentiment=Label(self.labels.sentiments[moods[row]], rounded(moods_likely[row])),
                    spans=tuple(spans[row]),
                    relations=relations[row],
                    vector=vectors[row * width : (row + 1) * width],
                    truncated=cut[row],
                )
            )
        return found

    def _intents(self, probabilities: Wide) -> list[list[Label]]:
        """The intent of each row and the runners-up, the likeliest first.

        Out of scope is the intent as soon as its probability reaches the calibrated threshold, and
        else none of them.
        """
        named = self._alternatives + 1
        order = np.argsort(-probabilities, axis=1, kind="stable")[:, : named + 1]
        likely = np.take_along_axis(probabilities, order, axis=1).tolist()
        names, scope = self.labels.intents, self._scope
        ranked = [
            [
                Label(names[place], rounded(score))
                for place, score in zip(places, scores, strict=True)
                if place != scope
            ][:named]
            for places, scores in zip(order.tolist(), likely, strict=True)
        ]
        if scope is None:
            return ranked
        reached = probabilities[:, scope] >= self.labels.out_of_scope_threshold
        for row in np.flatnonzero(reached | (len(names) <= named)).tolist():
            label = Label(names[scope], rounded(float(probabilities[row, scope])))
            ranked[row].insert(0 if reached[row] else named, label)
            del ranked[row][named:]
        return ranked

    def _spans(self, outputs: ModelOutputs, texts: list[str]) -> list[list[Span]]:
        """The entities of each row: what its words are tagged with. A word's tag is its first piece's."""
        words = Words.of(texts, outputs.token_offsets, outputs.token_count)
        logits = outputs.tag_logits[words.rows, words.first_tokens]
        weighed = [self._weighed.get(name) for name in outputs.languages] if self._weighed else ()
        paths, scores = self._paths.best(logits, words.bounds, weighed)
        tagged = np.flatnonzero(paths != self._outside)
        groups: list[tuple[int, list[int]]] = []  # a row, and the places of words that follow on
        previous = -2
        for place, row, tag in zip(
            tagged.tolist(), words.rows[tagged].tolist(), paths[tagged].tolist(), strict=True
        ):
            if tag in self._inside and place == previous + 1 and groups[-1][0] == row:
                groups[-1][1].append(place)
            else:
                groups.append((row, [place]))
            previous = place
        spans: list[list[Span]] = [[] for _ in texts]
        for row, places in groups:
            if outputs.languages[row] == UNDETERMINED:
                continue
            first = places[0]
            start, end = _trim(texts[row], words.starts[first], words.ends[places[-1]])
            if start < end:
                score = sum(scores[places].tolist()) / len(places)
                kind = self._type_of[int(paths[first])]
                token = int(words.first_tokens[first])
                spans[row].append(Span(kind, start, end, rounded(score), token))
        return spans

    def _relations(
        self, rows: list[list[Span]], subjects: Float, objects: Float
    ) -> list[tuple[SpanRelation, ...]]:
        """Each attribute belongs to the likeliest product of its query, if it is likely enough."""
        choices = [choice for row, spans in enumerate(rows) for choice in _choices(row, spans)]
        found: list[list[SpanRelation]] = [[] for _ in rows]
        if not choices:
            return [()] * len(rows)
        row, owned, owners = (
            np.array(column)
            for column in zip(
                *(
                    (
                        one.row,
                        rows[one.row][one.attribute].first_token,
                        rows[one.row][n].first_token,
                    )
                    for one in choices
                    for n in one.products
                ),
                strict=True,
            )
        )
        products = subjects[row, owners].astype(np.float64) * objects[row, owned].astype(np.float64)
        logits = products.sum(axis=1)
        bounds = np.cumsum([0, *(len(one.products) for one in choices)]).tolist()
        best = [
            int(logits[start:end].argmax()) if end - start > 1 else 0
            for start, end in pairwise(bounds)
        ]
        reached = np.clip(
            logits[[start + n for start, n in zip(bounds, best, strict=False)]], -60.0, 60.0
        )
        likely = (1.0 / (1.0 + np.exp(-reached))).tolist()
        for one, n, probability in zip(choices, best, likely, strict=True):
            if probability >= self._relation_threshold:
                predicate = PREDICATES[rows[one.row][one.attribute].type]
                found[one.row].append(
                    SpanRelation(one.products[n], predicate, one.attribute, rounded(probability))
                )
        return [tuple(relations) for relations in found]


class _Choice(NamedTuple):
    """An attribute, and the products of its query that it may belong to; numbers of spans."""

    row: int
    attribute: int
    products: list[int]


def _choices(row: int, spans: list[Span]) -> Iterator[_Choice]:
    products = [n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES]
    if products:
        for n, span in enumerate(spans):
            if span.type in PREDICATES:
                yield _Choice(row, n, products)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end


def _undetermined(*, truncated: bool) -> Understanding:
    return Understanding(UNDETERMINED, UNKNOWN_LABEL, (), UNKNOWN_LABEL, truncated=truncated)
