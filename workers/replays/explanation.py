"""Why the model said what it said of one text: built from its tensors, its text redacted.

The intent's score is asked for parts of the text, for the words' Shapley values (see `shapley`).
Of no word at all, a model that keeps silent counts as one to whom all intents are alike.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

import numpy as np

from streams.decoding import UNDETERMINED, Understanding, softmax
from streams.enrichment import PreparedQuery
from streams.events import ModelVersion
from streams.labels import OUT_OF_SCOPE, PREDICATES, PRODUCT_TYPES
from workers.replays.shapley import attributions, plan
from workers.triton import Reading

MOST_WORDS: Final = 32
"""Longer texts are taken apart into so many groups of neighbouring words."""

_TOP: Final = 5
_WORDS = re.compile(
    r"\[[A-Z]+\]"  # a placeholder
    r"|[⺀-鿿豈-﫿\U00020000-\U0003ffff]"  # Chinese and Japanese characters stand alone
    r"|[^\s⺀-鿿豈-﫿\U00020000-\U0003ffff]+"
)


class ReadsTexts(Protocol):
    """What is needed of the model; `TritonModel` has it."""

    @property
    def rows_per_request(self) -> int:
        """The most texts per call."""

    async def read(self, texts: Sequence[str]) -> Reading:
        """The tensors for texts."""


@dataclass(frozen=True, slots=True)
class Chance:
    """A class and its probability."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A word piece: where it stands, and which tags the entity head finds likeliest."""

    text: str
    start: int
    end: int
    tags: tuple[Chance, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word, or a group of them: what it adds to the intent's score, and the estimate's error."""

    text: str
    start: int
    end: int
    value: float
    error: float


@dataclass(frozen=True, slots=True)
class Found:
    """An entity as decoded; `dropped` says why it is not in the event."""

    type: str
    text: str
    start: int
    end: int
    score: float
    dropped: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """An attribute and a product: the relation head's score, and whether it is enough."""

    product: str
    attribute: str
    predicate: str
    score: float
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that led to one answer.

    Attributes:
        text: normalised and redacted, as the model saw it.
        language: by its script.
        word_pieces: before truncation.
        truncated: whether the model read only the first of them.
        redacted: kinds of personal data that were replaced.
        pieces: what the entity head saw.
        intents: the likeliest, before rules.
        intent: the answer, after rules.
        sentiments: all.
        entities: as decoded.
        relations: all pairs that were scored.
        words: what each adds to the score of `target`.
        target: the intent whose score the words move.
        base: its score for no word at all.
        score: its score for the whole text.
        method: how the words' values came about.
        rules: thresholds and rules that applied, in words.
        model: that answered.
        settings_digest: of the settings in force.
        code: version of the code.
    """

    text: str
    language: str
    word_pieces: int
    truncated: bool
    redacted: tuple[str, ...]
    pieces: tuple[Piece, ...]
    intents: tuple[Chance, ...]
    intent: Chance
    sentiments: tuple[Chance, ...]
    entities: tuple[Found, ...]
    relations: tuple[Pair, ...]
    words: tuple[Word, ...]
    target: str
    base: float
    score: float
    method: str
    rules: tuple[str, ...]
    model: ModelVersion
    settings_digest: str
    code: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        model = {
            "name": self.model.name,
            "version": self.model.version,
            "digest": self.model.digest,
        }
        values = {name: getattr(self, name) for name in self.__slots__ if name != "model"}
        return {name: _plain(value) for name, value in values.items()} | {"model": model}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Chance | Piece | Word | Found | Pair):
        return asdict(value)
    return value


async def explained(
    prepared: PreparedQuery, model: ReadsTexts, settings_digest: str, code: str
) -> Explanation:
    """The explanation of one query.

    Raises:
        ModelUnavailableError: the model is away.
        ModelRejectedError: it fails on the query.
    """
    text = prepared.text
    reading = await model.read([text])
    (understood,) = reading.decoder.decode(reading.outputs, [text])
    chances = softmax(reading.outputs.intent_logits)[0]
    labels = reading.decoder.labels
    known = understood.intent.label in labels.intents
    target = understood.intent.label if known else labels.intents[int(chances.argmax())]
    place = labels.intents.index(target)
    words, base, score, method = await _words(text, place, model)
    return Explanation(
        text=text,
        language=understood.language,
        word_pieces=int(reading.outputs.word_pieces[0]),
        truncated=understood.truncated,
        redacted=tuple(span.kind.value for span in prepared.redacted),
        pieces=_pieces(text, reading),
        intents=_ranked(labels.intents, chances, _TOP),
        intent=Chance(understood.intent.label, understood.intent.score),
        sentiments=_ranked(labels.sentiments, softmax(reading.outputs.sentiment_logits)[0]),
        entities=_entities(prepared, understood),
        relations=_relations(text, understood, reading),
        words=words,
        target=target,
        base=base,
        score=score,
        method=method,
        rules=_rules(prepared, understood, reading, chances),
        model=reading.model,
        settings_digest=settings_digest,
        code=code,
    )


def players(text: str) -> list[tuple[int, int]]:
    """The words of a text by start and end; neighbours together where there are very many."""
    found = [match.span() for match in _WORDS.finditer(text)]
    size = max(1, math.ceil(len(found) / MOST_WORDS))
    return [
        (found[first][0], found[min(first + size, len(found)) - 1][1])
        for first in range(0, len(found), size)
    ]


def part_of(text: str, words: Sequence[tuple[int, int]], part: int) -> str:
    """The text with only some of its words; a space stays before those that had one."""
    kept = []
    for number, (start, end) in enumerate(words):
        if part >> number & 1:
            spaced = start > 0 and text[start - 1].isspace()
            kept.append((" " if spaced else "") + text[start:end])
    return "".join(kept).strip()


async def _words(
    text: str, place: int, model: ReadsTexts
) -> tuple[tuple[Word, ...], float, float, str]:
    """The words' values, the score for none and for all, and the method."""
    words = players(text)
    asked = plan(len(words))
    texts = [part_of(text, words, part) for part in asked.parts]
    scores = await _scores(texts, place, model)
    answers = dict(zip(asked.parts, scores, strict=True))
    found = attributions(asked, answers.__getitem__)
    told = tuple(
        Word(text[start:end], start, end, one.value, one.error)
        for (start, end), one in zip(words, found, strict=True)
    )
    return told, answers[0], answers[(1 << len(words)) - 1], asked.method


async def _scores(texts: Sequence[str], place: int, model: ReadsTexts) -> list[float]:
    """One intent's score for each text; each distinct text is asked once, one request at a time."""
    known: dict[str, float] = {}
    unknown = sorted(set(texts), key=len)
    rows = model.rows_per_request
    for start in range(0, len(unknown), rows):
        chunk = unknown[start : start + rows]
        outputs = (await model.read(chunk)).outputs
        chances = softmax(outputs.intent_logits)[:, place]
        known |= zip(chunk, chances.tolist(), strict=True)
    return [known[text] for text in texts]


def _ranked(labels: Sequence[str], chances: Any, count: int | None = None) -> tuple[Chance, ...]:
    order = np.argsort(-chances, kind="stable")[:count]
    return tuple(Chance(labels[place], round(float(chances[place]), 4)) for place in order)


def _pieces(text: str, reading: Reading) -> tuple[Piece, ...]:
    outputs, tags = reading.outputs, reading.decoder.labels.tags
    count = int(outputs.token_count[0])
    chances = softmax(outputs.tag_logits[0, :count])
    return tuple(
        Piece(text[start:end], start, end, _ranked(tags, chances[n], 3))
        for n, (start, end) in enumerate(outputs.token_offsets[0, :count].tolist())
    )


def _entities(prepared: PreparedQuery, understood: Understanding) -> tuple[Found, ...]:
    text = prepared.text
    found = []
    for span in understood.spans:
        over = any(span.start < own.end and own.start < span.end for own in prepared.redacted)
        why = "it overlaps a placeholder, of which the redactor is certain" if over else ""
        found.append(
            Found(span.type, text[span.start : span.end], span.start, span.end, span.score, why)
        )
    found += [
        Found(own.entity_type, text[own.start : own.end], own.start, own.end, 1.0)
        for own in prepared.redacted
        if own.entity_type is not None
    ]
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _relations(text: str, understood: Understanding, reading: Reading) -> tuple[Pair, ...]:
    spans, outputs = understood.spans, reading.outputs
    kept = {(one.subject, one.object) for one in understood.relations}
    pairs = []
    for n, span in enumerate(spans):
        predicate = PREDICATES.get(span.type)
        for p, product in enumerate(spans):
            if predicate is None or product.type not in PRODUCT_TYPES:
                continue
            subject = outputs.relation_subject[0, product.first_token].astype(np.float64)
            wanted = outputs.relation_object[0, span.first_token].astype(np.float64)
            logit = float(np.clip((subject * wanted).sum(), -60.0, 60.0))
            pairs.append(
                Pair(
                    text[product.start : product.end],
                    text[span.start : span.end],
                    predicate,
                    round(1.0 / (1.0 + math.exp(-logit)), 4),
                    (p, n) in kept,
                )
            )
    return tuple(pairs)


def _rules(
    prepared: PreparedQuery, understood: Understanding, reading: Reading, chances: Any
) -> tuple[str, ...]:
    labels = reading.decoder.labels
    rules = []
    if prepared.query.text != prepared.text and not prepared.redacted:
        rules.append("normalised: the text as typed was another (Unicode NFKC, spaces, invisible)")
    if prepared.redacted:
        kinds = ", ".join(span.kind.placeholder for span in prepared.redacted)
        rules.append(f"redacted before the model saw it: {kinds}")
    if understood.language == UNDETERMINED:
        rules.append("no encoder serves this script: no confident label")
    elif OUT_OF_SCOPE in labels.intents:
        chance = float(chances[labels.intents.index(OUT_OF_SCOPE)])
        reached = chance >= labels.out_of_scope_threshold
        rules.append(
            f"out of scope {chance:.4f} {'reaches' if reached else 'stays below'} its threshold "
            f"{labels.out_of_scope_threshold:g}"
            + (", so it is the intent" if reached else ", so it is not the intent")
        )
    if understood.truncated:
        rules.append("the model read only the first word pieces: the event says truncated")
    said = labels.transitions.get(understood.language)
    rules.append(
        "tags follow BIO: Viterbi over the words' first pieces"
        + (
            f", with what a kind of entity says about the next one at a strength of {said.strength:g}"
            if said and said.strength
            else ""
        )
    )
    rules.append("an attribute belongs to its likeliest product, from a probability of 0.5 on")
    return tuple(rules)
