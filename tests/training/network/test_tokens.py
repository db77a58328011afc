from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.labels import bio_tags
from streams.tag_paths import words
from tests.training.tiny_run import base_folder
from training.data.examples import Example, TextSpan
from training.data.markup import parse
from training.network.tokens import IGNORED, encode, first_pieces, load_tokenizer, pieces_of_words


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return base_folder(tmp_path_factory.mktemp("base"))


@given(st.text(alphabet="ab -手机ñ.", max_size=12), st.data())
def test_words_are_the_decoders_words(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    offsets = [
        (start, end) for start, end in pairwise(cuts) if text[start:end].strip() == text[start:end]
    ]
    decoded = words(text, [list(pair) for pair in offsets])
    firsts = [word.first_token for word in decoded]
    assert first_pieces(text, offsets) == firsts
    ends = [*firsts[1:], len(offsets)][: len(firsts)]
    assert pieces_of_words(text, offsets) == list(zip(firsts, ends, strict=True))


def test_only_the_first_piece_of_a_word_has_a_target(folder: Path) -> None:
    example = parse("[zzred](color)>1 [running shoes](core_product_type)#1", "own")
    (found,) = encode([example], load_tokenizer(folder), 48)
    names = [bio_tags()[tag] for tag in found.tags if tag != IGNORED]
    assert names == ["B-color", "B-core_product_type", "I-core_product_type"]
    assert found.tags[0] == found.tags[-1] == IGNORED
    assert [pair[2] for pair in found.pairs] == [1.0]


def test_a_long_text_is_cut_and_keeps_its_end_mark(folder: Path) -> None:
    (found,) = encode([Example("red " * 100, "own", spans=())], load_tokenizer(folder), 16)
    assert len(found.ids) == len(found.tags) == 16
    assert found.ids[-1] == 3


def test_unknown_entities_take_no_loss_and_known_absence_does(folder: Path) -> None:
    tokenizer = load_tokenizer(folder)
    unknown, none = encode([Example("red", "own"), Example("red", "own", spans=())], tokenizer, 16)
    assert set(unknown.tags) == {IGNORED}
    assert 0 in none.tags


def test_relations_pair_every_product_with_every_owned_attribute(folder: Path) -> None:
    example = parse(
        "[red](color)>1 [shoes](core_product_type)#1 and [bag](core_product_type)#2", "own"
    )
    (found,) = encode([example], load_tokenizer(folder), 48)
    assert sorted(pair[2] for pair in found.pairs) == [0.0, 1.0]


def test_a_typed_special_token_is_plain_text(folder: Path) -> None:
    (found,) = encode([Example("[MASK] case", "own")], load_tokenizer(folder), 48)
    assert 4 not in found.ids


def test_spans_survive_a_piece_that_covers_nothing(folder: Path) -> None:
    text = "re\u0301d bag"
    spans = (TextSpan("color", 0, 4), TextSpan("core_product_type", 5, 8))
    (found,) = encode([Example(text, "own", spans=spans)], load_tokenizer(folder), 48)
    assert np.count_nonzero(np.array(found.tags) != IGNORED) == 2
