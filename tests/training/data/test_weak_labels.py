"""Weak feelings of a data folder's sentences."""

from pathlib import Path

from training.data.sources import load
from training.data.weak_labels import FILES

ROWS = (
    "it is wonderful and we love it so much",
    "a terrible disappointment and a horrible smell",
    "the box holds three motors and a brick",
    "it fits, and they like it",
    'colour: {"value": "red"}',
    "works great and looks beautiful Question: is it the worst ever",
)


def test_only_sentences_that_the_lexicon_is_sure_of_have_a_feeling(tmp_path: Path) -> None:
    for number, file in enumerate(FILES):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        rows = [f"q{n}\t{text}" for n, text in enumerate(ROWS)] if number == 0 else []
        path.write_text("\n".join(["question\tcandidate", *rows]) + "\n", "utf-8")
    found = {example.text: example.sentiment for example in load("pqa_statements", tmp_path)}
    assert found == {
        ROWS[0]: "positive",
        ROWS[1]: "negative",
        ROWS[2]: "neutral",
        "works great and looks beautiful": "positive",
    }
