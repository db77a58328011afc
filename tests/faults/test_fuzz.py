"""A hundred tries an example: 10⁴ of each in the default run, 10⁶ with `make fuzz`."""

import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streams.codec import RawFormat, RecordDecoder
from streams.deadletters import RecordError
from streams.decoding import Decoder
from streams.events import RawQuery, UserAction
from streams.redaction import redact
from streams.text import TextTooLong, normalise
from tests.faults.interleavings import Pipeline, interleave
from tests.streams.samples import SMALL_LABELS, outputs_of, word_offsets
from workers.model_contract import MalformedAnswerError, ModelContract
from workers.pipeline import OrderedPipeline, Partition, Publication, Ticket

TRIES = 100
seeds = st.integers(0, 2**48)

# --- the pipeline


@given(seeds)
@settings(deadline=None)
def test_no_interleaving_loses_reorders_or_commits_early(seed: int) -> None:
    for n in range(TRIES):
        interleave(OrderedPipeline, seed + n)


class CommitsWhatIsRead(OrderedPipeline[tuple[int, int]]):
    def committable(self) -> dict[Partition, int]:
        return {name: lane.read_to for name, lane in self._lanes.items()}


class CommitsOneTooMany(OrderedPipeline[tuple[int, int]]):
    def committable(self) -> dict[Partition, int]:
        return {name: end + 1 for name, end in super().committable().items()}


class PublishesTheNewestFirst(OrderedPipeline[tuple[int, int]]):
    def publishable(self) -> list[Publication[tuple[int, int]]]:
        return [
            Publication(one.partition, one.generation, one.results[::-1], one.end)
            for one in super().publishable()
        ]


class WaitsForNobody(OrderedPipeline[tuple[int, int]]):
    """Publishes whatever is complete, whether or not what was read before it is."""

    def complete(self, ticket: Ticket, results: Mapping[Partition, tuple[int, int]]) -> None:
        super().complete(ticket, results)
        for lane in self._lanes.values():
            ready = sorted(lane.runs, key=lambda run: run.state.value != "ready")
            lane.runs.clear()
            lane.runs.extend(ready)


class GoesOnAfterAFailure(OrderedPipeline[tuple[int, int]]):
    def publish_failed(self, publication: Publication[tuple[int, int]]) -> bool:
        return self.published(publication)


@pytest.mark.parametrize(
    "broken",
    [
        CommitsWhatIsRead,
        CommitsOneTooMany,
        PublishesTheNewestFirst,
        WaitsForNobody,
        GoesOnAfterAFailure,
    ],
)
def test_a_broken_pipeline_is_caught(broken: type[Pipeline]) -> None:
    def many() -> None:
        for seed in range(1_000):
            interleave(broken, seed)

    with pytest.raises((AssertionError, ValueError)):
        many()


# --- what comes from outside

_WELL_FORMED = [
    b'{"text": "red hat", "user_id": "u1", "query_id": "q"}',
    b'{"text": "\\ud83d\\udc4d caf\\u0065\\u0301", "session_id": 7, "context": {"a": "b"}}',
    b'{"user_id": 1, "action": "view", "product": {"brand": "Acme", "price": 1.5}}',
    b'\x00\x00\x00\x00\x07{"text": "framed", "occurred_at": 1700000000000}',
    "plain text, with ｆｕｌｌ width and naïve".encode(),
    b'{"text": "call +49 170 1234567 or mail jane@shop.example, order #A-12345678"}',
    b'{"text": [[[[[[[[[[[1e999, -0, null]]]]]]]]]]]}',
]
_ODD = [b"\\ud800", b"\xff", b"\xed\xa0\x80", b"\x00", b'"', b"{", b"]", b"1e400", b"\xe2\x80\x8b"]
_DECODERS: list[RecordDecoder[Any]] = [
    RecordDecoder(RawQuery),
    RecordDecoder(UserAction),
    RecordDecoder(RawQuery, raw_format=RawFormat.TEXT),
    RecordDecoder(RawQuery, schema_registry_framing=True),
    RecordDecoder(RawQuery, field_mapping={"text": "text || q[0].s", "user_id": "user_id"}),
]
_CHARACTERS = [
    *"aB0 1-+.@#()[]\t\n'\"",
    *"é\u0301\u200b\u202e\ufeff\u3164\ufe0fﬃ½㎏红バ👍\ud83d\udc4d\U000e0100",
    *("order ", "[EMAIL]", "@shop.example", "4111 1111 1111 1111", "+49 170 ", "ﷺ"),
]


def mutated(rng: random.Random) -> bytes:
    """A well-formed value, cut, doubled, spliced with another, with odd bytes in it."""
    value = bytearray(rng.choice(_WELL_FORMED))
    for _ in range(rng.randrange(5)):
        at = rng.randrange(len(value) + 1)
        match rng.randrange(5):
            case 0:
                del value[at : at + rng.randrange(1, 9)]
            case 1:
                value[at:at] = rng.choice(_ODD)
            case 2:
                value[at:at] = rng.randbytes(rng.randrange(1, 4))
            case 3:
                value[at:] = rng.choice(_WELL_FORMED)[at:]
            case _:
                value[at:at] = value[: rng.randrange(30)]
    return bytes(value)


def text_of(rng: random.Random) -> str:
    pieces = [
        rng.choice(_CHARACTERS) if rng.random() < 0.8 else chr(rng.randrange(0x110000))
        for _ in range(rng.randrange(40))
    ]
    return "".join(pieces)


@given(seeds)
@settings(deadline=None)
def test_any_value_is_decoded_or_refused_with_a_reason(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(TRIES):
        value = mutated(rng)
        decoder = rng.choice(_DECODERS)
        with suppress(RecordError):
            assert isinstance(decoder.decode(value), RawQuery | UserAction)


@given(seeds)
@settings(deadline=None)
def test_any_text_is_normalised_and_redacted(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(TRIES):
        raw = text_of(rng)
        try:
            text = normalise(raw, max_chars=300)
        except TextTooLong:
            continue
        text.encode()
        assert normalise(text, max_chars=300) == text, ascii(raw)
        found = redact(text)
        assert redact(found.text).text == found.text, ascii(raw)
        end = 0
        for span in found.spans:
            assert end <= span.start < span.end <= len(found.text), ascii(raw)
            end = span.end


_SMALL = Decoder(SMALL_LABELS)
_CONTRACT = ModelContract("fuzzed", SMALL_LABELS, 4)


def tensors_of(rng: random.Random, texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """What a model may answer: good tensors, of which one is spoilt more often than not."""
    rows = len(texts)
    words = [word_offsets(text) for text in texts]
    good = outputs_of(_SMALL, words, seed=rng.getrandbits(30), width=3)
    tensors: dict[str, NDArray[Any]] = {
        "INTENT_LOGITS": good.intent_logits,
        "SENTIMENT_LOGITS": good.sentiment_logits,
        "TAG_LOGITS": good.tag_logits,
        "TOKEN_OFFSETS": good.token_offsets,
        "TOKEN_COUNT": good.token_count.reshape(rows, 1),
        "WORD_PIECES": good.word_pieces.reshape(rows, 1),
        "RELATION_SUBJECT": good.relation_subject,
        "RELATION_OBJECT": good.relation_object,
        "SENTENCE_VECTOR": good.sentence_vector,
        "LANGUAGE": np.full((rows, 1), rng.choice([b"en", b"und", b"\xff"]), np.object_),
        "DIGEST": np.full((rows, 1), rng.choice([b"sha256:1", b"\xff"]), np.object_),
    }
    name = rng.choice(list(tensors))
    spoilt = tensors[name]
    if rng.random() < 0.1:
        del tensors[name]
    elif rng.random() < 0.2:
        tensors[name] = spoilt[: rng.randrange(rows)] if rng.random() < 0.5 else spoilt[:, :1]
    elif spoilt.dtype == np.int32:
        noise = np.random.default_rng(rng.getrandbits(30)).integers(-1, 9, spoilt.shape)
        tensors[name] = noise.astype(np.int32) if rng.random() < 0.7 else noise.astype(np.int32) * 0
    elif spoilt.dtype == np.float32:
        spoilt *= rng.choice([0, 1e4, 1e30, -1e30])
        if rng.random() < 0.3 and spoilt.size:
            spoilt.flat[rng.randrange(spoilt.size)] = rng.choice([np.nan, np.inf, 3.4e38])
    return tensors


@given(seeds)
@settings(deadline=None)
def test_any_tensors_are_decoded_or_refused(seed: int) -> None:
    """Offsets that lie, counts that are too large, huge numbers: what no good model says."""
    rng = random.Random(seed)
    left = TRIES
    while left > 0:
        texts = [normalise(text_of(rng)) for _ in range(rng.randrange(1, 4))]
        left -= len(texts)
        tensors = tensors_of(rng, texts)
        try:
            outputs = _CONTRACT.read(texts, tensors.get)
        except MalformedAnswerError:
            continue
        for text, found in zip(texts, _SMALL.decode(outputs, texts), strict=True):
            for span in found.spans:
                assert 0 <= span.start < span.end <= len(text), ascii(text)
                assert 0.0 <= span.score <= 1.0
            assert 0.0 <= found.intent.score <= 1.0
            assert np.isfinite(np.frombuffer(found.vector or b"", np.float16)).all()
