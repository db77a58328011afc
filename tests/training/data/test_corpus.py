"""What is trained on, and what must not be: the texts that measure a model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from training.config import DataConfig, FileConfig
from training.data import chinese
from training.data.corpus import Corpus, hand_written, load_corpus
from training.data.examples import Example
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


def _file(path: Path, *lines: str) -> str:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("normalised", [True, False])
def test_a_text_written_with_other_characters_is_the_same_text(
    tmp_path: Path, *, normalised: bool
) -> None:
    line = "ｒｅｄ ｓｈｏｅｓ ｓｉｚｅ ４２\tproduct_search"
    twin = "re\u200bd shoes size 42\tproduct_search"
    own = _file(tmp_path / "own.tsv", "text\tintent", line, twin)
    held_out = _file(tmp_path / "held out.tsv", "text\tintent", line)
    config = DataConfig(
        files=(FileConfig(own),), validation=(FileConfig(held_out),), normalise=normalised
    )
    with pytest.raises(LeakError, match="2 training texts are evaluation texts too"):
        load_corpus(config, tmp_path, seed=1, tasks=())


def test_a_source_that_validates_does_not_train(tmp_path: Path) -> None:
    (tmp_path / "esci_queries").mkdir()
    _file(tmp_path / "esci_queries/en.txt", "red bag", "blue hat")
    config = DataConfig(sources={"esci": -1}, validation_sources=("esci",))
    with pytest.raises(LeakError, match="2 training texts are evaluation texts too"):
        load_corpus(config, tmp_path, seed=1, tasks=())


def test_a_whole_source_that_validates_does_not_train_in_part(tmp_path: Path) -> None:
    (tmp_path / "sentiment_en").mkdir()
    _file(
        tmp_path / "sentiment_en/airline_tweets.csv",
        "text,airline_sentiment",
        *(f"flight {number} was late,negative" for number in range(20)),
    )
    config = DataConfig(sources={"airline_tweets_train": -1}, unlicensed=True)
    assert load_corpus(config, tmp_path, seed=1, tasks=()).pools["airline_tweets_train"]
    part = replace(config, validation_sources=("airline_tweets_dev",))
    assert load_corpus(part, tmp_path, seed=1, tasks=()).pools["airline_tweets_train"]
    whole = replace(config, validation_sources=("airline_tweets",))
    with pytest.raises(LeakError):
        load_corpus(whole, tmp_path, seed=1, tasks=())


def test_a_source_that_validates_must_be_there(tmp_path: Path) -> None:
    config = DataConfig(generated={"requests": 1}, validation_sources=("nowhere",))
    with pytest.raises(DataError, match="no data set is called 'nowhere'"):
        load_corpus(config, tmp_path, seed=1, tasks=())


def test_a_file_may_be_named_twice_for_two_columns(tmp_path: Path) -> None:
    own = _file(tmp_path / "own.csv", "text,topic,mood", "red bag,product_search,neutral")
    config = DataConfig(
        files=(FileConfig(own, {"intent": "topic"}), FileConfig(own, {"sentiment": "mood"}))
    )
    pool = load_corpus(config, tmp_path, seed=1, tasks=()).pools[own]
    assert [(e.intent, e.sentiment) for e in pool] == [
        ("product_search", "neutral"),
        (None, "neutral"),
    ]


def test_what_has_neither_label_nor_answer_is_not_taught() -> None:
    pool = [
        Example("send it back", "own", intent="return_exchange"),
        Example("lovely", "own", sentiment="positive"),
        Example("hello", "own", spans=()),
        Example("red bag", "own"),
        Example("blue hat", "own"),
    ]
    corpus = Corpus(DataConfig(), {"own": pool}, [], 1, frozenset()).taught(["own"], {"red bag"})
    assert corpus.pools["own"] == pool[:-1]


@pytest.mark.parametrize("on_leak", ["error", "drop"])
def test_what_the_generator_hits_upon_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_leak: str
) -> None:
    """Be it hand-written, of a validation file, or of a public set that measures."""
    made = compose("requests", 7, 1)
    hit, validates, measures = replace(made[2], text=_PARAPHRASE), made[3], made[4]
    own = _file(tmp_path / "held out.tsv", "text\tintent", f"{validates.text}!\tchitchat")
    (tmp_path / "sentiment_en").mkdir()
    row = f'"{measures.text.upper()}",negative'
    _file(tmp_path / "sentiment_en/airline_tweets.csv", "text,airline_sentiment", row)
    monkeypatch.setattr("training.data.corpus.compose", lambda *_: [*made, hit])
    config = DataConfig(
        generated={"requests": 8},
        validation=(FileConfig(own),),
        on_leak=on_leak,
        typos=0.0,
        punctuation=0.0,
    )
    drawn = load_corpus(config, tmp_path, seed=1, tasks=()).epoch(0)
    assert drawn == [example for example in made if example not in (validates, measures)]
