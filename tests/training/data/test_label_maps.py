import json
import os
from pathlib import Path

import pytest

from streams.labels import INTENTS
from training.data.label_maps import BITEXT, CLINC_LEFT_OUT, CLINC_MAPPED, TWEETEVAL
from training.data.sources import SOURCES, load

DATA = Path(os.environ.get("INTENTSTREAM_DATA", "../shared/data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs the data folder")


def test_each_public_label_maps_to_one_of_ours() -> None:
    assert set(BITEXT.values()) | set(CLINC_MAPPED.values()) <= set(INTENTS)
    assert len(BITEXT) == 27
    assert set(TWEETEVAL.values()) == {"negative", "neutral", "positive"}


def test_no_label_is_both_mapped_and_left_out() -> None:
    assert not CLINC_LEFT_OUT & set(CLINC_MAPPED)


@needs_data
def test_the_maps_name_only_labels_that_the_data_have() -> None:
    rows = json.loads((DATA / "clinc/train_val.json").read_text("utf-8"))["train"]
    assert CLINC_LEFT_OUT | set(CLINC_MAPPED) <= {label for _, label in rows}
    assert {e.intent for e in load("bitext_newer", DATA)} == set(BITEXT.values())


@needs_data
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_reads_and_all_its_labels_are_in_the_schema(name: str) -> None:
    least = 150 if name.endswith("_dev") else 500  # a tenth of a set of 2,000
    assert len(load(name, DATA)) >= least


def test_tweets_must_not_train_what_is_shipped() -> None:
    assert not SOURCES["airline_tweets"].ships
    assert not SOURCES["tweeteval"].ships
