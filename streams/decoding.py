"""From the served model's tensors to labels, entities and relations: pure, batched, exact.

Every step works row by row on float64, so a query decodes to the same bytes alone or in a batch.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.events import UNKNOWN_LABEL, Label
from streams.labels import OUT_OF_SCOPE, PREDICATES, PRODUCT_TYPES

Float = NDArray[np.float32]
Wide = NDArray[np.float64]

UNDETERMINED = "und"
"""BCP 47's code for a language that could not be told, or that no encoder serves."""

MAX_WORD_PIECES = 128
"""The model reads this many word pieces of a query; an event of a longer one says `truncated`."""

_EDGES = " \t,.;:!?\"'()“”‘’、，。；：！？（）《》"
_IMPOSSIBLE = -1e9


@dataclass(frozen=True, slots=True)
class ModelLabels:
    """The classes behind the logits, in their order, as the served model declares them."""

    intents: tuple[str, ...]
    tags: tuple[str, ...]
    sentiments: tuple[str, ...]
    out_of_scope_threshold: float
    vector_space: str


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


@dataclass(frozen=True, slots=True)
class Span:
    """An entity before it becomes part of an event; `first_token` indexes the word pieces."""

    type: str
    start: int
    end: int
    score: float
    first_token: int = -1


@dataclass(frozen=True, slots=True)
class SpanRelation:
    """A product span and an attribute span, by their index among the spans."""

    subject: int
    predicate: str
    object: int
    score: float


@dataclass(frozen=True, slots=True)
class Understanding:
    """What the model says about one query."""

    language: str
    intent: Label
    alternatives: tuple[Label, ...]
    sentiment: Label
    spans: tuple[Span, ...] = ()
    relations: tuple[SpanRelation, ...] = ()
    vector: bytes | None = field(default=None, repr=False)  # 384 little-endian float16
    truncated: bool = False


def softmax(logits: NDArray[np.floating]) -> Wide:
    """Softmax over the last axis, in float64."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    np.exp(wide, out=wide)
    wide /= wide.sum(axis=-1, keepdims=True)
    return wide


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
        ValueError: the tags are not a BIO scheme (Ramshaw and Marcus, 1995) over known types.
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
        self._types = tuple(types)
        self._outside = index["O"]
        try:
            self._begin = np.array([index[f"B-{name}"] for name in types])
            self._inside = np.array([index[f"I-{name}"] for name in types])
        except KeyError as error:
            raise ValueError(f"the model's tags lack {error}") from error
        self._type_of = {int(tag): n for n, tag in enumerate(self._begin)} | {
            int(tag): n for n, tag in enumerate(self._inside)
        }
        self._inside_tags = frozenset(int(tag) for tag in self._inside)
        self._scope = labels.intents.index(OUT_OF_SCOPE) if OUT_OF_SCOPE in labels.intents else None

    def decode(self, outputs: ModelOutputs, texts: list[str]) -> list[Understanding]:
        """One `Understanding` per row; rows in a language without encoder get no label.

        The numbers are finite and the offsets lie inside the texts: who reads the tensors checks.
        """
        intents = softmax(outputs.intent_logits)
        orders = np.argsort(-intents, axis=1, kind="stable").tolist()
        likely = intents.tolist()
        sentiments = softmax(outputs.sentiment_logits)
        moods, moods_likely = sentiments.argmax(axis=1).tolist(), sentiments.max(axis=1).tolist()
        words = [
            _words(text, offsets[:count])
            for text, offsets, count in zip(
                texts, outputs.token_offsets.tolist(), outputs.token_count.tolist(), strict=True
            )
        ]
        paths, scores = self._viterbi(outputs.tag_logits, words)
        vectors = np.ascontiguousarray(outputs.sentence_vector, dtype="<f2")
        spans = [
            ()
            if language == UNDETERMINED
            else self._spans(text, words[row], paths[row], scores[row])
            for row, (text, language) in enumerate(zip(texts, outputs.languages, strict=True))
        ]
        relations = self._relations(spans, outputs.relation_subject, outputs.relation_object)
        cut = (outputs.word_pieces > MAX_WORD_PIECES).tolist()
        found = []
        for row, language in enumerate(outputs.languages):
            if language == UNDETERMINED:
                found.append(_undetermined(truncated=cut[row]))
                continue
            intent, alternatives = self._intent(orders[row], likely[row])
            mood = Label(self.labels.sentiments[moods[row]], rounded(moods_likely[row]))
            found.append(
                Understanding(
                    language=language,
                    intent=intent,
                    alternatives=alternatives,
                    sentiment=mood,
                    spans=spans[row],
                    relations=relations[row],
                    vector=vectors[row].tobytes(),
                    truncated=cut[row],
                )
            )
        return found

    def _intent(
        self, order: list[int], probabilities: list[float]
    ) -> tuple[Label, tuple[Label, ...]]:
        """The intent, out of scope as soon as its probability reaches the calibrated threshold.

        `order`: all intents, the likeliest first; changed here.
        """
        scope = self._scope
        if scope is not None and scope in order:
            order.remove(scope)
            reached = probabilities[scope] >= self.labels.out_of_scope_threshold
            order.insert(0 if reached else self._alternatives + 1, scope)
        ranked = [
            Label(self.labels.intents[position], rounded(probabilities[position]))
            for position in order[: self._alternatives + 1]
        ]
        return ranked[0], tuple(ranked[1:])

    def _viterbi(
        self, logits: Float, words: list[list["_Word"]]
    ) -> tuple[list[list[int]], list[list[float]]]:
        """The likeliest valid tag path over each query's words, and each tag's probability.

        Viterbi (1967) under BIO: I-x may follow only B-x or I-x, all else is free, so a step
        takes the best of all tags, and for I-x the better of two. A word's tag is that of its
        first piece.
        """
        rows, longest = len(words), max((len(row) for row in words), default=0)
        if longest == 0:
            return [[] for _ in words], [[] for _ in words]
        firsts = np.zeros((rows, longest), dtype=np.intp)
        for row, found in enumerate(words):
            firsts[row, : len(found)] = [word.first_token for word in found]
        emitted = np.take_along_axis(logits, firsts[:, :, None], axis=1)
        probabilities = softmax(emitted)
        log_emitted = np.log(np.maximum(probabilities, 1e-300))
        score = log_emitted[:, 0].copy()
        score[:, self._inside] += _IMPOSSIBLE
        back = np.zeros((rows, longest, logits.shape[2]), dtype=np.int32)
        history = np.empty((rows, longest, logits.shape[2]))
        history[:, 0] = score
        for step in range(1, longest):
            best = score.argmax(axis=1)
            back[:, step] = best[:, None]
            following = np.repeat(score.max(axis=1)[:, None], logits.shape[2], axis=1)
            begun, continued = score[:, self._begin], score[:, self._inside]
            following[:, self._inside] = np.maximum(begun, continued)
            back[:, step, self._inside] = np.where(begun >= continued, self._begin, self._inside)
            score = following + log_emitted[:, step]
            history[:, step] = score
        lengths = np.array([len(found) for found in words])
        paths = _backtracked(history, back, lengths)
        scores = np.take_along_axis(probabilities, paths[:, :, None], axis=2)[:, :, 0]
        return (
            [path[: len(found)] for path, found in zip(paths.tolist(), words, strict=True)],
            [score[: len(found)] for score, found in zip(scores.tolist(), words, strict=True)],
        )

    def _spans(
        self, text: str, words: list["_Word"], path: list[int], scores: list[float]
    ) -> tuple[Span, ...]:
        groups: list[list[int]] = []
        for position, tag in enumerate(path):
            if tag == self._outside:
                continue
            if tag in self._inside_tags and groups and groups[-1][-1] == position - 1:
                groups[-1].append(position)
            else:
                groups.append([position])
        spans = []
        for group in groups:
            start, end = _trim(text, words[group[0]].start, words[group[-1]].end)
            if start < end:
                kind = self._types[self._type_of[path[group[0]]]]
                score = sum(scores[position] for position in group) / len(group)
                spans.append(Span(kind, start, end, rounded(score), words[group[0]].first_token))
        return tuple(spans)

    def _relations(
        self, rows: list[tuple[Span, ...]], subjects: Float, objects: Float
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


def _choices(row: int, spans: tuple[Span, ...]) -> Iterator[_Choice]:
    products = [n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES]
    if products:
        for n, span in enumerate(spans):
            if span.type in PREDICATES:
                yield _Choice(row, n, products)


class _Word(NamedTuple):
    first_token: int
    start: int
    end: int


def _words(text: str, offsets: list[list[int]]) -> list[_Word]:
    """Word pieces that touch are one word, but each Chinese or Japanese character is its own."""
    words: list[_Word] = []
    for token, (first, end) in enumerate(offsets):
        previous = words[-1] if words else None
        start = first if previous is None else max(first, previous.end)
        if end <= start:
            continue  # a piece that covers no character of its own
        joined = (
            previous is not None
            and start == previous.end
            and not (_is_ideograph(text[previous.end - 1]) or _is_ideograph(text[start]))
        )
        if joined and previous is not None:
            words[-1] = _Word(previous.first_token, previous.start, end)
        else:
            words.append(_Word(token, start, end))
    return words


def _is_ideograph(character: str) -> bool:
    return "⺀" <= character <= "鿿" or "豈" <= character <= "﫿" or character >= "\U00020000"


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    return start, end


def _backtracked(
    history: Wide, back: NDArray[np.int32], lengths: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The best path of each row, from its own last word back; beyond that anything."""
    rows, longest, _ = history.shape
    paths = np.zeros((rows, longest), dtype=np.intp)
    last = history.argmax(axis=2)
    everyone = np.arange(rows)
    for step in range(longest - 1, -1, -1):
        ends_here = lengths == step + 1
        if step + 1 < longest:
            paths[:, step] = back[everyone, step + 1, paths[:, step + 1]]
        paths[ends_here, step] = last[ends_here, step]
    return paths


def _undetermined(*, truncated: bool) -> Understanding:
    return Understanding(UNDETERMINED, UNKNOWN_LABEL, (), UNKNOWN_LABEL, truncated=truncated)
