"""What is trained on, and what must not be: the texts that measure a model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from training.config import DataConfig, FileConfig
from training.data import chinese
from training.data.corpus import Corpus, hand_written, load_corpus
from training.data.examples import same_text
from training.data.generator import compose
from training.data.markup import (
    hand_written_crossed,
    hand_written_near_misses,
    hand_written_paraphrases,
    hand_written_products,
    hand_written_requests,
)
from training.errors import DataError, LeakError

_PARAPHRASE = hand_written_paraphrases()[0][1]
_TRANSLATION = chinese.hand_written_pairs()[0][1]
_CHINESE = chinese.hand_written_requests()[0].text


def test_every_hand_written_set_is_for_evaluation_only() -> None:
    found = {example.text for example in hand_written()}
    assert {text for both in hand_written_paraphrases() for text in both} <= found
    assert {text for both in chinese.hand_written_pairs() for text in both} <= found
    for examples in (
        hand_written_requests(),
        hand_written_products(),
        hand_written_crossed(),
        hand_written_near_misses(),
        chinese.hand_written_requests(),
        chinese.hand_written_near_misses(),
    ):
        assert {example.text for example in examples} <= found


def test_a_source_that_is_not_there_says_how_to_train_without_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"en\.txt is not there .*leave esci out of the recipe"):
        load_corpus(DataConfig(sources={"esci": -1}), tmp_path, 1)


def _public(folder: Path) -> DataConfig:
    """A public source with hand-written texts in it, of other case and punctuation."""
    (folder / "esci_queries").mkdir()
    lines = ("red bag", f"{_PARAPHRASE.upper()}!", _TRANSLATION, _CHINESE)
    (folder / "esci_queries/en.txt").write_text("\n".join(lines), encoding="utf-8")
    return DataConfig(sources={"esci": -1}, on_leak="drop")


def _own(folder: Path) -> DataConfig:
    """A shop's file with hand-written texts in it."""
    texts = ("red bag", f"{_PARAPHRASE.upper()}!", _TRANSLATION, _CHINESE)
    path = folder / "own.tsv"
    rows = "\n".join(f"{text}\tproduct_search" for text in texts)
    path.write_text(f"text\tintent\n{rows}\n", encoding="utf-8")
    return DataConfig(files=(FileConfig(str(path)),), on_leak="drop")


@pytest.mark.parametrize("make", [_public, _own])
def test_hand_written_texts_are_dropped_from_what_trains(
    tmp_path: Path, make: Callable[[Path], DataConfig]
) -> None:
    corpus = load_corpus(make(tmp_path), tmp_path, seed=1, tasks=())
    (pool,) = corpus.pools.values()
    assert [example.text for example in pool] == ["red bag"]


@pytest.mark.parametrize("make", [_public, _own])
def test_or_they_are_named(tmp_path: Path, make: Callable[[Path], DataConfig]) -> None:
    config = make(tmp_path)
    with pytest.raises(LeakError, match="3 training texts are evaluation texts too") as raised:
        load_corpus(replace(config, on_leak="error"), tmp_path, seed=1, tasks=())
    assert all(repr(text) in raised.value.message for text in (_TRANSLATION, _CHINESE))


def test_what_the_generator_hits_upon_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    made = compose("requests", 5, 1)
    hit = replace(made[2], text=_PARAPHRASE)
    monkeypatch.setattr("training.data.corpus.compose", lambda *_: [*made, hit])
    config = DataConfig(generated={"requests": 6}, typos=0.0, punctuation=0.0)
    drawn = Corpus(config, {}, [], seed=1).epoch(0)
    assert same_text(_PARAPHRASE) not in {same_text(example.text) for example in drawn}
    assert len(drawn) == len(made)
