import json
from pathlib import Path
from typing import Any

import pytest

from streams.labels import INTENTS
from training.config import DataConfig, FileConfig
from training.data.chinese import hand_written_requests
from training.data.corpus import load_corpus, validation_files
from training.data.examples import TextSpan
from training.data.readers import Columns, read
from training.errors import DataError, LeakError, TrainingError


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


def test_what_a_tab_divides_may_hold_blanks(tmp_path: Path) -> None:
    (example,) = read(file(tmp_path, "own.conll", "new york\tNNP\tB-place\nhotel\tNN\tO\n"))
    assert example.text == "new york hotel"
    assert example.spans == (TextSpan("place", 0, 8),)


def test_a_no_break_space_is_part_of_its_word(tmp_path: Path) -> None:
    (example,) = read(file(tmp_path, "own.conll", "500\u00a0ml  B-UoM\nmilk O\n"))
    assert example.text == "500\u00a0ml milk"
    assert example.spans == (TextSpan("UoM", 0, 6),)


def test_the_mark_of_a_document_is_no_text(tmp_path: Path) -> None:
    path = file(tmp_path, "own.conll", "-DOCSTART- -X- O O\n\nred B-color\n-DOCSTART- O\nhi O\n")
    assert [example.text for example in read(path)] == ["red", "hi"]


def test_chinese_words_have_no_blanks_between_them(tmp_path: Path) -> None:
    lines = "红色 B-color\n的 O\nNike B-creator\nAir I-creator\n跑鞋 B-core_product_type\n"
    (example,) = read(file(tmp_path, "own.conll", lines))
    assert example.text == "红色的Nike Air跑鞋"
    assert [example.text[s.start : s.end] for s in example.spans or ()] == [
        "红色",
        "Nike Air",
        "跑鞋",
    ]


def test_of_characters_alone_nothing_stands_between_those_of_a_word(tmp_path: Path) -> None:
    characters = ("红\tB-color", "色\tE-color", "\tO", *(f"{c}\tO" for c in "iPad"))
    lines = "\n".join((*characters, "", *(f"{c}\tO" for c in "top")))
    first, second = read(file(tmp_path, "own.conll", lines))
    assert (first.text, second.text) == ("红色 iPad", "top")
    assert first.spans == (TextSpan("color", 0, 2),)


def test_a_chinese_training_text_is_found_among_the_evaluation_texts(tmp_path: Path) -> None:
    lines = "".join(f"{c} O\n" for c in hand_written_requests()[0].text)
    config = DataConfig(files=(FileConfig(str(file(tmp_path, "own.conll", lines))),))
    with pytest.raises(LeakError):
        load_corpus(config, tmp_path, seed=1, tasks=())


def test_a_number_is_a_label(tmp_path: Path) -> None:
    lines = "".join(f'{{"text": {n}, "label": {n}}}\n' for n in range(3))
    labels = {"0": "negative", "1": "neutral", "2": "positive"}
    examples = read(
        file(tmp_path, "own.jsonl", lines), Columns(sentiment="label", label_map=labels)
    )
    assert [example.sentiment for example in examples] == list(labels.values())
    assert [example.text for example in examples] == ["0", "1", "2"]


def test_half_a_character_becomes_what_the_worker_sends(tmp_path: Path) -> None:
    span = '"entities": [{"type": "color", "start": 2, "end": 5}]'
    (example,) = read(file(tmp_path, "own.jsonl", f'{{"text": "\\ud83d red", {span}}}\n'))
    assert example.text == "\ufffd red"
    assert example.spans == (TextSpan("color", 2, 5),)


def test_jsonl_carries_all_labels(tmp_path: Path) -> None:
    line = (
        '{"text": "red bag", "intent": "product_search", "sentiment": "neutral",'
        ' "entities": [{"type": "color", "start": 0, "end": 3}]}\n'
    )
    (example,) = read(file(tmp_path, "own.jsonl", line))
    assert (example.intent, example.sentiment) == ("product_search", "neutral")
    assert example.spans == (TextSpan("color", 0, 3),)


def test_relations_count_the_entities_as_the_line_lists_them(tmp_path: Path) -> None:
    row = {
        "text": "red shoes and a bag",
        "entities": [
            {"type": "core_product_type", "start": 16, "end": 19},
            {"type": "core_product_type", "start": 4, "end": 9},
            {"type": "hue", "start": 0, "end": 3},
            {"type": "filler", "start": 10, "end": 13},
        ],
        "relations": [
            {"subject": 1, "object": 2, "predicate": "has_color", "score": 0.9},
            {"subject": 1, "object": 3},
        ],
    }
    columns = Columns(label_map={"hue": "color", "filler": ""})
    (example,) = read(file(tmp_path, "own.jsonl", json.dumps(row) + "\n"), columns)
    assert [span.start for span in example.spans or ()] == [0, 4, 16]
    assert example.relations == ((1, 0),)


def test_one_product_needs_no_relations_in_a_file(tmp_path: Path) -> None:
    path = file(tmp_path, "own.conll", "red B-color\nbag B-core_product_type\n")
    config = DataConfig(files=(FileConfig(str(path)),))
    corpus = load_corpus(config, tmp_path, seed=1, tasks=("tags", "relations"))
    assert [example.relations for example in corpus.pools[str(path)]] == [((1, 0),)]


def test_no_relations_are_known_where_a_line_has_none(tmp_path: Path) -> None:
    spans = '"entities": [{"type": "core_product_type", "start": 0, "end": 3}]'
    lines = f'{{"text": "bag", {spans}}}\n{{"text": "bag", {spans}, "relations": []}}\n'
    assert [e.relations for e in read(file(tmp_path, "own.jsonl", lines))] == [None, ()]


def test_a_spreadsheets_csv_is_read_with_its_mark(tmp_path: Path) -> None:
    (example,) = read(file(tmp_path, "own.csv", "\ufefftext,sentiment\nsuper,good\n"), _MOODS)
    assert example.sentiment == "positive"


_MOODS = Columns(label_map={"good": "positive", "bad": "negative"})
_TWO = (
    '{"text": "red bag", "entities": [{"type": "color", "start": 0, "end": 3}, '
    '{"type": "core_product_type", "start": 4, "end": 7}], "relations": [%s]}'
)


@pytest.mark.parametrize(
    ("relations", "message"),
    [
        ('{"subject": 0, "object": 1}', "relation of a color and a core_product_type, not of"),
        ('{"subject": 1, "object": 2}', "a relation of 1 and 2, with 2 entities"),
        ('{"subject": -1, "object": 0}', "a relation of -1 and 0, with 2 entities"),
        ('{"subject": "1", "object": 0}', "'1' is not a whole number"),
        ('{"subject": 1}', "own.jsonl:1: no 'object'"),
        (
            '{"subject": 1, "object": 0, "predicate": "has_size"}',
            "what a color says of a product: has_color",
        ),
        ('{"subject": 1, "object": 0}, {"subject": 1, "object": 0}', "one relation twice"),
        ("1", "own.jsonl:1"),
    ],
)
def test_relations_that_make_no_sense_are_said(
    tmp_path: Path, relations: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        read(file(tmp_path, "own.jsonl", _TWO % relations))


def test_csv_columns_and_labels_are_mapped(tmp_path: Path) -> None:
    columns = Columns(
        text="q", intent="label", label_map={"WISMO": "track_order", "SPAM": ""}, delimiter=";"
    )
    path = file(tmp_path, "own.csv", "q;label\nwhere is it;WISMO\nbuy pills;SPAM\n")
    (example,) = read(path, columns)
    assert (example.text, example.intent) == ("where is it", "track_order")


def test_blanks_beside_a_delimiter_are_no_part_of_a_name_or_a_label(tmp_path: Path) -> None:
    path = file(tmp_path, "own.csv", 'intent , text\nreview , "red, or blue"\n')
    (example,) = read(path)
    assert (example.text, example.intent) == ("red, or blue", "review")


def test_empty_rows_are_left_out(tmp_path: Path) -> None:
    (example,) = read(file(tmp_path, "own.csv", "text,intent,\n,,\n\nhi,chitchat,,\n , \n"))
    assert (example.text, example.source) == ("hi", "own.csv")


def test_quotes_inside_of_a_cell_are_inches(tmp_path: Path) -> None:
    lines = 'text\tintent\n24" monitor\tproduct_search\n 5" and "6"\tproduct_search\n'
    examples = read(file(tmp_path, "own.tsv", lines))
    assert [example.text.strip() for example in examples] == ['24" monitor', '5" and "6"']


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "own.csv",
            'text,intent\nhi,chitchat\n"24 inch,review\nhi,chitchat\n',
            "own.csv:3: .* begins here",
        ),
        (
            "own.tsv",
            'text\tintent\n"24 inch\treview\n"27 inch\treview\n',
            "own.tsv:2: .* begins here",
        ),
        (
            "own.csv",
            "text,intent\nhi,chitchat\nred, blue,review\n",
            "own.csv:3: 3 cells, and there are 2",
        ),
        ("own.csv", 'text,intent\n"a\nb",chitchat\n,chitchat\n', "own.csv:4: an empty text"),
        (
            "own.jsonl",
            '{"text": "hi", "entities": [{"type": "color", "start": 1, "end": 9}]}',
            "leaves",
        ),
        ("own.jsonl", "{broken\n", "own.jsonl:1"),
        ("own.jsonl", '"red bag"\n', "a line is one object"),
        (
            "own.jsonl",
            '{"text": "hi", "relations": [{"subject": 0, "object": 1}]}',
            "relations of a text without entities",
        ),
        ("own.jsonl", '{"text": " ", "intent": "review"}\n', "an empty text"),
        ("own.conll", "red\n", "no tag after"),
        ("own.conll", "red X-color\n", "not a BIO tag"),
        ("own.conll", "red color\n", "'color' is not a BIO tag"),
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


@pytest.mark.parametrize(
    ("name", "text", "unknown"),
    [
        (
            "own.csv",
            "text,intent,sentiment\n\nhi,sing,\nho,sing,glad\nha,chitchat,\nhe,bye,\n",
            [
                "intent 'sing' (2x, first in the text of line 3)",
                "sentiment 'glad' (1x, first in the text of line 4)",
                "intent 'bye' (1x, first in the text of line 6)",
            ],
        ),
        (
            "own.jsonl",
            '\n{"text": "hi", "intent": "sing", "entities": [{"type": "hue", "start": 0, "end": 1}]}\n',
            [
                "intent 'sing' (1x, first in the text of line 2)",
                "entity type 'hue' (1x, first in the text of line 2)",
            ],
        ),
        (
            "own.conll",
            "-DOCSTART- O\n\nred B-hue\n\nred B-hue\nbag B-core_product_type\n",
            ["entity type 'hue' (2x, first in the text of line 3)"],
        ),
    ],
)
@pytest.mark.parametrize("label_map", [{}, {"WISMO": "track_order"}])
def test_all_labels_outside_the_schema_are_named_at_once(
    tmp_path: Path, name: str, text: str, unknown: list[str], label_map: dict[str, str]
) -> None:
    with pytest.raises(DataError) as raised:
        read(file(tmp_path, name, text), Columns(label_map=label_map))
    assert raised.value.message == f"{name}: the schema does not have {', '.join(unknown)}"


def test_the_schemas_labels_are_listed_beside_an_unknown_one(tmp_path: Path) -> None:
    path = file(tmp_path, "own.csv", "text,intent\nhi,sing\n")
    with pytest.raises(DataError) as raised:
        read(path)
    assert f"intent: {', '.join(INTENTS)}" in raised.value.hint
    assert "sentiment" not in raised.value.hint
    assert '"sing" = "…" and so on under [data.files.columns.label_map]' in raised.value.hint


def test_a_column_of_texts_for_one_of_labels_does_not_flood_the_terminal(tmp_path: Path) -> None:
    rows = "".join(f"hi,text {n}\n" for n in range(1000))
    with pytest.raises(DataError, match="and 940 others"):
        read(file(tmp_path, "own.csv", f"text,intent\n{rows}"))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label_map": "WISMO"}, "maps no labels"),
        ({"label_map": {"WISMO": 3}}, "maps no labels"),
        ({"text": 1}, "text = 1 is not a name"),
        ({"delimiter": "::"}, "not one character"),
        ({"txt": "query"}, "unknown name 'txt' of a column"),
    ],
)
def test_columns_that_make_no_sense_are_said(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    path = file(tmp_path, "own.csv", "text,intent\nhi,chitchat\n")
    with pytest.raises(TrainingError, match=message):
        validation_files(DataConfig(validation=(FileConfig(str(path), columns),)))


def test_a_named_column_has_to_be_there(tmp_path: Path) -> None:
    path = file(tmp_path, "own.csv", "text,topic\nhi,chitchat\n")
    with pytest.raises(DataError, match="no column 'label'"):
        read(path, Columns(intent="label"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match=r"folder\.csv cannot be read"):
        read(tmp_path / "folder.csv")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv is not there"):
        read(tmp_path / "gone.csv")
