"""From tensors to labels, entities and relations: exact, valid, and the same in any batch."""

import dataclasses
import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.decoding import (
    MAX_WORD_PIECES,
    UNDETERMINED,
    Decoder,
    ModelLabels,
    ModelOutputs,
    Span,
    Understanding,
    softmax,
)
from streams.events import UNKNOWN_LABEL, Label
from streams.tag_paths import Words, words
from tests.streams.samples import LABELS, SMALL_LABELS, outputs_of, word_offsets

_SMALL = Decoder(SMALL_LABELS)
_FULL = Decoder(LABELS)
_PRODUCT, _COLOR = "core_product_type", "color"
_TAGS = {tag: n for n, tag in enumerate(SMALL_LABELS.tags)}

_texts = st.lists(
    st.text("abñ 红€-$.,!'", min_size=0, max_size=24).map(str.strip), min_size=1, max_size=5
)
_seeds = st.integers(0, 2**31)


def _decoded(text: str, tags: list[str], *, confidence: float = 20.0) -> Understanding:
    """One query whose words carry the given tags, each sure of itself."""
    offsets = word_offsets(text)
    outputs = outputs_of(_SMALL, [offsets])
    outputs.tag_logits[:] = 0
    for position, tag in enumerate(tags):
        outputs.tag_logits[0, position, _TAGS[tag]] = confidence
    return _SMALL.decode(outputs, [text])[0]


def _found(text: str, understanding: Understanding) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in understanding.spans]


def _rows(outputs: ModelOutputs, rows: list[int], width: int) -> ModelOutputs:
    """Some rows of a batch, its token axis cut or padded to `width`."""
    picked = {}
    for field in dataclasses.fields(outputs):
        value = getattr(outputs, field.name)
        if isinstance(value, np.ndarray):
            value = value[rows]
            if field.name in {"tag_logits", "token_offsets"} or field.name.startswith("relation"):
                padding = [(0, 0), (0, max(0, width - value.shape[1])), (0, 0)]
                value = np.pad(value[:, :width], padding)
        elif field.name == "languages":
            value = tuple(value[row] for row in rows)
        picked[field.name] = value
    return ModelOutputs(**picked)


# --- tags to spans


def test_tagged_words_become_spans_of_the_text() -> None:
    text = "red running shoes please"
    got = _decoded(text, ["B-color", "B-core_product_type", "I-core_product_type", "O"])
    assert _found(text, got) == [(_COLOR, "red"), (_PRODUCT, "running shoes")]
    assert [span.score for span in got.spans] == [1.0, 1.0]


def test_two_spans_of_one_type_that_touch_stay_two() -> None:
    text = "red blue"
    assert _found(text, _decoded(text, ["B-color", "B-color"])) == [
        (_COLOR, "red"),
        (_COLOR, "blue"),
    ]


def test_an_inside_tag_without_a_beginning_is_repaired() -> None:
    text = "shoes red"
    assert _found(text, _decoded(text, ["I-core_product_type", "O"])) in ([], [(_PRODUCT, "shoes")])


def test_the_pieces_of_a_word_are_one_and_take_the_first_pieces_tag() -> None:
    text = "t-shirts"
    outputs = outputs_of(_SMALL, [[(0, 1), (1, 2), (2, 7), (7, 8)]])
    outputs.tag_logits[:] = 0
    outputs.tag_logits[0, 0, _TAGS["B-core_product_type"]] = 20
    outputs.tag_logits[0, 1:, _TAGS["B-color"]] = 20
    assert _found(text, _SMALL.decode(outputs, [text])[0]) == [(_PRODUCT, "t-shirts")]


def test_chinese_characters_are_words_of_their_own() -> None:
    text = "红色连衣裙"
    outputs = outputs_of(_SMALL, [[(n, n + 1) for n in range(5)]])
    outputs.tag_logits[:] = 0
    tags = ["B-color", "I-color", "B-core_product_type"] + ["I-core_product_type"] * 2
    for position, tag in enumerate(tags):
        outputs.tag_logits[0, position, _TAGS[tag]] = 20
    assert _found(text, _SMALL.decode(outputs, [text])[0]) == [
        (_COLOR, "红色"),
        (_PRODUCT, "连衣裙"),
    ]


@pytest.mark.parametrize("text", ["shoes?", '"shoes"', "(shoes),", "shoes！", "“shoes”"])
def test_punctuation_at_the_edges_is_not_part_of_an_entity(text: str) -> None:
    """CASES 51."""
    assert _found(text, _decoded(text, ["B-core_product_type"])) == [(_PRODUCT, "shoes")]


def test_a_word_of_punctuation_alone_is_no_entity() -> None:
    assert _decoded("red ?!", ["O", "B-core_product_type"]).spans == ()


@pytest.mark.parametrize(
    ("text", "offsets", "found"),
    [  # one character split into several byte pieces, repeated and nested offsets
        ("ž→ x", [(0, 1), (0, 1), (1, 2), (1, 2), (3, 4)], ["ž→", "x"]),
        ("red x", [(0, 2), (1, 3), (4, 5)], ["red", "x"]),
        ("红色", [(0, 2), (1, 2)], ["红色"]),
        ("红色a", [(0, 1), (0, 2), (1, 3)], ["红", "色", "a"]),
        ("ab", [(0, 0), (0, 2), (2, 2)], ["ab"]),
    ],
)
def test_odd_offsets_give_words_that_do_not_overlap(
    text: str, offsets: list[tuple[int, int]], found: list[str]
) -> None:
    """CASES 45."""
    outputs = outputs_of(_SMALL, [offsets])
    outputs.tag_logits[:] = 0
    outputs.tag_logits[0, :, _TAGS["B-color"]] = 20
    spans = _SMALL.decode(outputs, [text])[0].spans
    assert [text[span.start : span.end] for span in spans] == found
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


@given(_texts, st.data())
def test_the_words_of_a_batch_are_those_of_each_text(texts: list[str], data: st.DataObject) -> None:
    """Also for pieces that overlap, run backwards or cover nothing."""
    width = data.draw(st.integers(1, 8))
    counts = [data.draw(st.integers(0, width)) for _ in texts]
    offsets = np.zeros((len(texts), width, 2), np.int32)
    for row, text in enumerate(texts):
        for piece in range(width):
            offsets[row, piece] = data.draw(st.tuples(*[st.integers(0, len(text))] * 2))
    found = Words.of(texts, offsets, np.array(counts, np.int32))
    flat = list(zip(found.first_tokens.tolist(), found.starts, found.ends, strict=True))
    for row, text in enumerate(texts):
        own = slice(found.bounds[row], found.bounds[row + 1])
        assert flat[own] == words(text, offsets[row, : counts[row]].tolist())
        assert set(found.rows[own].tolist()) <= {row}


# --- Viterbi


def _valid(path: list[int]) -> bool:
    names = ["O", *(SMALL_LABELS.tags[tag] for tag in path)]
    return all(
        not tag.startswith("I-") or before[2:] == tag[2:]
        for before, tag in itertools.pairwise(names)
    )


@given(st.integers(1, 5), _seeds)
@settings(max_examples=60)
def test_the_path_is_the_likeliest_of_all_valid_ones(length: int, seed: int) -> None:
    """Against brute force over every path."""
    text = " ".join("w" * length)
    outputs = outputs_of(_SMALL, [word_offsets(text)], seed=seed)
    log_probabilities = np.log(softmax(outputs.tag_logits[0]))

    def likelihood(path: tuple[int, ...]) -> float:
        return float(sum(log_probabilities[n, tag] for n, tag in enumerate(path)))

    every = itertools.product(range(len(SMALL_LABELS.tags)), repeat=length)
    best = max((path for path in every if _valid(list(path))), key=likelihood)
    groups: list[list[int]] = []
    for position, tag in enumerate(best):
        if SMALL_LABELS.tags[tag].startswith("B-"):
            groups.append([position])
        elif SMALL_LABELS.tags[tag].startswith("I-"):
            groups[-1].append(position)
    expected = [
        (SMALL_LABELS.tags[best[group[0]]][2:], 2 * group[0], 2 * group[-1] + 1) for group in groups
    ]
    spans = _SMALL.decode(outputs, [text])[0].spans
    assert [(span.type, span.start, span.end) for span in spans] == expected


@given(st.integers(1, 30), _seeds, st.sampled_from([1.0, 100.0, 1e4]))
def test_the_path_is_always_valid(length: int, seed: int, scale: float) -> None:
    text = " ".join("w" * length)
    outputs = outputs_of(_FULL, [word_offsets(text)], seed=seed)
    outputs.tag_logits[:] *= scale
    words = Words.of([text], outputs.token_offsets, outputs.token_count)
    path, _ = _FULL._paths.best(outputs.tag_logits[0, words.first_tokens], words.bounds)
    names = ["O", *(LABELS.tags[tag] for tag in path)]
    assert len(path) == length
    for before, tag in itertools.pairwise(names):
        assert not tag.startswith("I-") or before[2:] == tag[2:]


# --- what holds for every query


@given(_texts, _seeds)
def test_spans_are_slices_of_the_text_in_order(texts: list[str], seed: int) -> None:
    """CASES 47 to 51: offsets count code points, and the text is never rebuilt from pieces."""
    outputs = outputs_of(_FULL, [word_offsets(text) for text in texts], seed=seed)
    for text, understanding in zip(texts, _FULL.decode(outputs, texts), strict=True):
        previous = 0
        for span in understanding.spans:
            assert previous <= span.start < span.end <= len(text)
            assert text[span.start : span.end].strip() == text[span.start : span.end]
            assert 0.0 <= span.score <= 1.0
            previous = span.end
        for relation in understanding.relations:
            assert understanding.spans[relation.subject].type in {_PRODUCT, "product_name"}
            assert relation.object < len(understanding.spans)
            assert relation.subject != relation.object


@given(_texts, _seeds, st.integers(0, 9), st.randoms())
@settings(max_examples=150)
def test_a_query_decodes_alike_alone_and_in_any_batch(
    texts: list[str], seed: int, padding: int, order: random.Random
) -> None:
    """CASES 38."""
    tokens = [word_offsets(text) for text in texts]
    outputs = outputs_of(_FULL, tokens, seed=seed)
    together = _FULL.decode(outputs, texts)
    for row, text in enumerate(texts):
        for width in (len(tokens[row]), len(tokens[row]) + padding):
            assert _FULL.decode(_rows(outputs, [row], width), [text]) == [together[row]]
    shuffled = list(range(len(texts)))
    order.shuffle(shuffled)
    width = outputs.tag_logits.shape[1] + padding
    reordered = _FULL.decode(_rows(outputs, shuffled, width), [texts[row] for row in shuffled])
    assert reordered == [together[row] for row in shuffled]


def test_what_stands_past_the_token_count_means_nothing() -> None:
    text = "red shoes"
    outputs = outputs_of(_FULL, [word_offsets(text)], width=8)
    before = _FULL.decode(outputs, [text])
    outputs.tag_logits[:, 2:] = 99
    outputs.token_offsets[:, 2:] = 5
    outputs.relation_object[:, 2:] = 99
    assert _FULL.decode(outputs, [text]) == before


# --- intents, sentiment, language


def _intent(logits: list[float], *, threshold: float = 0.5) -> tuple[Label, tuple[Label, ...]]:
    decoder = Decoder(dataclasses.replace(SMALL_LABELS, out_of_scope_threshold=threshold))
    outputs = outputs_of(decoder, [word_offsets("a")])
    outputs.intent_logits[0] = np.log(logits)
    (understanding,) = decoder.decode(outputs, ["a"])
    return understanding.intent, understanding.alternatives


def test_the_likeliest_intent_is_named_with_its_runners_up() -> None:
    intent, alternatives = _intent([0.2, 0.7, 0.1])
    assert intent == Label("refund", 0.7)
    assert alternatives == (Label("product_search", 0.2), Label("out_of_scope", 0.1))


def test_out_of_scope_is_named_as_soon_as_it_reaches_its_threshold() -> None:
    assert _intent([0.6, 0.1, 0.3], threshold=0.3)[0] == Label("out_of_scope", 0.3)
    assert _intent([0.1, 0.3, 0.6], threshold=0.7)[0] == Label("refund", 0.3)


def test_scores_have_four_places() -> None:
    intent, _ = _intent([1 / 3, 0.5 + 1e-6, 1 / 6])
    assert intent.score == 0.5
    assert softmax(np.array([[1e4, 0.0]], np.float32)).tolist() == [[1.0, 0.0]]


def test_a_language_without_encoder_gets_no_label() -> None:
    outputs = dataclasses.replace(outputs_of(_SMALL, [[], [(0, 1)]]), languages=("und", "en"))
    outputs.intent_logits[0] = 0
    unknown, known = _SMALL.decode(outputs, ["привет", "a"])
    assert unknown == Understanding(UNDETERMINED, UNKNOWN_LABEL, (), UNKNOWN_LABEL)
    assert known.language == "en"


@pytest.mark.parametrize(
    ("pieces", "truncated"), [(MAX_WORD_PIECES, False), (MAX_WORD_PIECES + 1, True)]
)
@pytest.mark.parametrize("language", ["en", "und"])
def test_what_the_model_did_not_read_is_said(pieces: int, truncated: bool, language: str) -> None:
    outputs = dataclasses.replace(
        outputs_of(_SMALL, [[(0, 1)]]),
        word_pieces=np.array([pieces], np.int32),
        languages=(language,),
    )
    assert _SMALL.decode(outputs, ["a"])[0].truncated is truncated


def test_the_vector_is_little_endian_float16() -> None:
    outputs = outputs_of(_SMALL, [[(0, 1)]])
    vector = _SMALL.decode(outputs, ["a"])[0].vector
    assert vector is not None
    assert np.allclose(np.frombuffer(vector, "<f2"), outputs.sentence_vector[0], atol=1e-3)


# --- relations


def _related(text: str, tags: list[str], logits: dict[tuple[int, int], float]) -> Understanding:
    """Relation logits by (token of the product, token of the attribute)."""
    outputs = outputs_of(_SMALL, [word_offsets(text)])
    outputs.tag_logits[:] = 0
    outputs.relation_subject[:] = 0
    outputs.relation_object[:] = 0
    for position, tag in enumerate(tags):
        outputs.tag_logits[0, position, _TAGS[tag]] = 20
    for (product, attribute), logit in logits.items():
        outputs.relation_subject[0, product, product] = 1
        outputs.relation_object[0, attribute, product] = logit
    return _SMALL.decode(outputs, [text])[0]


def test_an_attribute_belongs_to_its_likeliest_product() -> None:
    tags = ["B-color", "B-core_product_type", "O", "B-color", "B-core_product_type"]
    got = _related("red shoes and blue shirt", tags, {(1, 0): 3, (4, 0): -3, (1, 3): 1, (4, 3): 2})
    assert [(r.subject, r.predicate, r.object) for r in got.relations] == [
        (1, "has_color", 0),
        (3, "has_color", 2),
    ]
    assert got.relations[0].score == round(1 / (1 + np.exp(-3)), 4)


def test_an_unlikely_relation_is_left_out() -> None:
    got = _related("red shoes", ["B-color", "B-core_product_type"], {(1, 0): -0.1})
    assert got.relations == ()


def test_an_attribute_without_product_has_no_relation() -> None:
    assert _related("red", ["B-color"], {}).relations == ()


# --- what a model may not declare


@pytest.mark.parametrize(
    "tags",
    [
        ("B-color", "I-color"),
        ("O", "B-color"),
        ("O", "B-color", "I-shape"),
        ("O", "B-color", "I-color", "S-color"),
    ],
)
def test_tags_that_are_not_bio_are_refused(tags: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="tags"):
        Decoder(ModelLabels(("a",), tags, ("neutral",), 0.5, "v"))


def test_a_span_remembers_its_first_piece() -> None:
    got = _decoded("red shoes", ["O", "B-core_product_type"])
    assert got.spans == (Span(_PRODUCT, 4, 9, 1.0, first_token=1),)
