"""What the tests of `streams` build on: one deployment, its labels, and records by the line."""

from typing import Any

import numpy as np

from streams.codec import RecordDecoder
from streams.decoding import Decoder, ModelLabels, ModelOutputs, Span, Understanding
from streams.enrichment import Enrichment
from streams.events import Label, ModelVersion, PipelineVersion, RawQuery, UserAction
from streams.labels import INTENTS, OUT_OF_SCOPE, SENTIMENTS, bio_tags
from streams.pseudonyms import Pseudonymiser, PseudonymKey
from streams.records import Headers, OutputRecord, SourceRecord
from streams.redrive import RedriveSigner
from streams.topics import TopicNames

TOPICS = TopicNames()
MODEL = ModelVersion("query_understanding", "1", "sha256:0")
LABELS = ModelLabels(INTENTS, bio_tags(), SENTIMENTS, 0.5, "test-space")
SMALL_LABELS = ModelLabels(
    ("product_search", "refund", OUT_OF_SCOPE),
    ("O", "B-core_product_type", "I-core_product_type", "B-color", "I-color"),
    SENTIMENTS,
    0.5,
    "test-space",
)


def enrichment(**overrides: Any) -> Enrichment:
    settings: dict[str, Any] = {
        "topics": TOPICS,
        "cluster": "test-cluster",
        "epoch": "0",
        "pseudonyms": Pseudonymiser(PseudonymKey("k1", b"0" * 32)),
        "queries": RecordDecoder(RawQuery, max_bytes=1 << 20),
        "actions": RecordDecoder(UserAction),
        "pipeline": PipelineVersion("0.1.0", "settings-0"),
        "redrives": RedriveSigner(PseudonymKey("k1", b"0" * 32)),
    }
    return Enrichment(**settings | overrides)


def raw(
    value: bytes | None,
    *,
    topic: str = TOPICS.raw,
    partition: int = 0,
    offset: int = 0,
    timestamp_ms: int = 1_700_000_000_123,
    key: bytes | None = None,
    headers: Headers = (),
) -> SourceRecord:
    return SourceRecord(topic, partition, offset, timestamp_ms, key, value, headers)


def understanding(*spans: Span, **overrides: Any) -> Understanding:
    settings: dict[str, Any] = {
        "language": "en",
        "intent": Label("product_search", 0.9),
        "alternatives": (Label("recommendation", 0.05),),
        "sentiment": Label("neutral", 0.8),
        "spans": spans,
        "vector": np.zeros(384, dtype="<f2").tobytes(),
    }
    return Understanding(**settings | overrides)


def header(output: OutputRecord, name: str) -> bytes | None:
    """The last header of that name."""
    return dict(output.headers)[name]


def outputs_of(
    decoder: Decoder,
    tokens: list[list[tuple[int, int]]],
    *,
    seed: int = 0,
    width: int | None = None,
) -> ModelOutputs:
    """Random logits of a batch; row by row the same numbers for the same seed, however padded."""
    longest = max(width or 0, *(len(row) for row in tokens))
    rows = len(tokens)
    tags = len(decoder.labels.tags)
    built = ModelOutputs(
        intent_logits=np.zeros((rows, len(decoder.labels.intents)), np.float32),
        sentiment_logits=np.zeros((rows, len(decoder.labels.sentiments)), np.float32),
        tag_logits=np.zeros((rows, longest, tags), np.float32),
        token_offsets=np.zeros((rows, longest, 2), np.int32),
        token_count=np.array([len(row) for row in tokens], np.int32),
        word_pieces=np.array([len(row) for row in tokens], np.int32),
        relation_subject=np.zeros((rows, longest, 32), np.float32),
        relation_object=np.zeros((rows, longest, 32), np.float32),
        sentence_vector=np.zeros((rows, 384), np.float32),
        languages=("en",) * rows,
        digest="sha256:0",
    )
    for row, offsets in enumerate(tokens):
        source = np.random.default_rng((seed, row))
        count = len(offsets)
        built.intent_logits[row] = source.normal(0, 3, built.intent_logits.shape[1])
        built.sentiment_logits[row] = source.normal(0, 3, 3)
        built.tag_logits[row, :count] = source.normal(0, 3, (count, tags))
        built.relation_subject[row, :count] = source.normal(0, 1, (count, 32))
        built.relation_object[row, :count] = source.normal(0, 1, (count, 32))
        built.sentence_vector[row] = source.normal(0, 0.05, 384)
        if count:
            built.token_offsets[row, :count] = offsets
    return built


def word_offsets(text: str) -> list[tuple[int, int]]:
    """One piece a word, as a tokenizer that knows every word would give."""
    offsets, start = [], 0
    for word in text.split(" "):
        if word:
            offsets.append((start, start + len(word)))
        start += len(word) + 1
    return offsets
