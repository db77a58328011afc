from pathlib import Path

import pytest

from training.errors import DataError
from training.examples import TextSpan
from training.readers import Columns, read


def file(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_conll_words_and_tags_become_spans_of_characters(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        "own.conll",
        "red B-color\nrunning B-core_product_type\nshoes I-core_product_type\n\nhi O\n",
    )
    first, second = read(path)
    assert first.text == "red running shoes"
    assert first.spans == (TextSpan("color", 0, 3), TextSpan("core_product_type", 4, 17))
    assert second.spans == ()


def test_an_inside_tag_that_continues_nothing_begins_an_entity(tmp_path: Path) -> None:
    (example,) = read(file(tmp_path, "own.bio", "big O\nred I-color\nbag I-core_product_type\n"))
    assert example.spans == (TextSpan("color", 4, 7), TextSpan("core_product_type", 8, 11))


def test_jsonl_carries_all_labels(tmp_path: Path) -> None:
    line = (
        '{"text": "red bag", "intent": "product_search", "sentiment": "neutral",'
        ' "entities": [{"type": "color", "start": 0, "end": 3}]}\n'
    )
    (example,) = read(file(tmp_path, "own.jsonl", line))
    assert (example.intent, example.sentiment) == ("product_search", "neutral")
    assert example.spans == (TextSpan("color", 0, 3),)


def test_csv_columns_and_labels_are_mapped(tmp_path: Path) -> None:
    columns = Columns(
        text="q", intent="label", label_map={"WISMO": "track_order", "SPAM": ""}, delimiter=";"
    )
    path = file(tmp_path, "own.csv", "q;label\nwhere is it;WISMO\nbuy pills;SPAM\n")
    (example,) = read(path, columns)
    assert (example.text, example.intent) == ("where is it", "track_order")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("own.jsonl", '{"text": "hi", "intent": "sing"}\n', "unknown intent 'sing'"),
        (
            "own.jsonl",
            '{"text": "hi", "entities": [{"type": "color", "start": 1, "end": 9}]}',
            "leaves",
        ),
        (
            "own.jsonl",
            '{"text": "hi", "entities": [{"type": "hue", "start": 0, "end": 1}]}',
            "unknown entity",
        ),
        ("own.jsonl", "{broken\n", "own.jsonl:1"),
        ("own.jsonl", '{"text": " ", "intent": "review"}\n', "an empty text"),
        ("own.conll", "red\n", "no tag after"),
        ("own.conll", "red X-color\n", "not a BIO tag"),
        ("own.csv", "a,b\n1,2\n", "no column 'text'"),
        ("own.csv", "text,intent\n", "holds no example"),
        ("own.xls", "", "unknown kind of file"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(file(tmp_path, name, text))


def test_a_label_outside_the_map_is_an_error(tmp_path: Path) -> None:
    path = file(tmp_path, "own.csv", "text,intent\nhi,hello\n")
    with pytest.raises(DataError, match="'hello' is not in the label map"):
        read(path, Columns(label_map={"bye": "chitchat"}))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv is not there"):
        read(tmp_path / "gone.csv")
