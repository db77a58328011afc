"""The public data sets, as they lie in the data folder; what may train shipped weights says so."""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from streams.labels import OUT_OF_SCOPE, PRODUCT_ENTITY_TYPES
from training.data import chinese_sources as chinese
from training.data import weak_labels
from training.data.examples import Example, checked, with_single_product_relations
from training.data.label_maps import BITEXT, CLINC_LEFT_OUT, CLINC_MAPPED, TWEETEVAL
from training.data.readers import from_words
from training.data.splits import PARTS, tenth
from training.errors import DataError


@dataclass(frozen=True, slots=True)
class Source:
    """One public data set.

    Attributes:
        files: relative to the data folder.
        licence: as published.
        ships: whether weights trained on it may be shipped.
        read: gives its examples, from the data folder.
    """

    name: str
    title: str
    files: tuple[str, ...]
    licence: str
    ships: bool
    read: Callable[[Path], list[Example]]


def load(name: str, folder: Path) -> list[Example]:
    """The examples of a source by name.

    Raises:
        DataError: no such source, or its files are not in the folder.
    """
    if name not in SOURCES:
        raise DataError(f"no data set is called {name!r}", f"there are {', '.join(SOURCES)}")
    source = SOURCES[name]
    for file in source.files:
        if not (folder / file).is_file():
            raise DataError(
                f"{folder / file} is not there",
                f"name the data folder with --data or INTENTSTREAM_DATA; without it, leave {name} out of the "
                "recipe, and measure with your own texts: intentstream evaluate RUN --on FILE",
            )
    return [checked(example) for example in source.read(folder)]


def load_if_there(name: str, folder: Path) -> list[Example]:
    """The examples of a source, or none where the folder does not have it."""
    there = all((folder / file).is_file() for file in SOURCES[name].files)
    return load(name, folder) if there else []


def file_hashes(names: Iterable[str], folder: Path) -> dict[str, str]:
    """sha256 of each file of the named sources."""
    files = sorted({file for name in names for file in SOURCES[name].files})
    return {file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files}


def _queryner(file: str) -> Callable[[Path], list[Example]]:
    def read(folder: Path) -> list[Example]:
        rows = json.loads((folder / file).read_text(encoding="utf-8"))["examples"]
        tags = _queryner_tags()
        return [
            with_single_product_relations(
                from_words(
                    row["tokens"],
                    [tags[number] for number in row["ner_tags"]],
                    "queryner",
                    intent="product_search",
                )
            )
            for row in rows
            if row["tokens"]
        ]

    return read


def _queryner_tags() -> tuple[str, ...]:
    """The data set numbers its tags in the order of their code points: upper case first."""
    names = sorted(PRODUCT_ENTITY_TYPES)
    return ("O", *(f"{prefix}-{name}" for name in names for prefix in "BI"))


_SLOTS = {
    "{{Order Number}}": "[ORDER]",
    "{{Invoice Number}}": "[ORDER]",
    "{{Account Type}}": "pro",
    "{{Account Category}}": "premium",
    "{{Person Name}}": "Alex",
    "{{Refund Amount}}": "50",
    "{{Currency Symbol}}": "$",
    "{{Delivery City}}": "Leeds",
    "{{Delivery Country}}": "Norway",
}


def _bitext_older(folder: Path) -> list[Example]:
    found = []
    with (folder / "bitext/bitext_utterances_8k.csv").open(encoding="utf-8", newline="") as lines:
        next(lines)
        for line in lines:
            # Some rows are quoted as a whole, some hold bare quotes: the label ends the row.
            parts = line.strip().strip('"').rsplit(",", 2)
            intent = BITEXT.get(parts[-1].strip('"'))
            if len(parts) == 3 and intent:
                text = parts[0].split(",", 1)[-1].replace('"', "")
                found.append(Example(_filled(text), "bitext", intent=intent))
    return found


def _bitext_newer(folder: Path) -> list[Example]:
    with (folder / "bitext/bitext_customer_support.csv").open(encoding="utf-8", newline="") as rows:
        return [
            Example(_filled(row["instruction"]), "bitext_newer", intent=BITEXT[row["intent"]])
            for row in csv.DictReader(rows)
        ]


def _filled(text: str) -> str:
    return re.sub(r"\{\{.*?\}\}", lambda slot: _SLOTS.get(slot[0], "it"), text).strip()


_PQA = ("ePQA_dev", "hetPQA_answer_generation_train", "semiPQA_attribute_ranking_dev")


def _pqa(folder: Path) -> list[Example]:
    questions: dict[str, None] = {}
    for name in _PQA:
        path = folder / f"amazon_pqa/{name}.csv"
        with path.open(encoding="utf-8", newline="") as lines:
            delimiter = "\t" if "\t" in lines.readline() else ","
            lines.seek(0)
            for row in csv.DictReader(lines, delimiter=delimiter):
                question = (row.get("question") or "").strip()
                if 8 <= len(question) <= 200:
                    questions[question] = None
    return [
        Example(text, "amazon_pqa", intent="product_question", sentiment="neutral")
        for text in questions
    ]


def _pqa_held_out(folder: Path) -> list[Example]:
    path = folder / "amazon_pqa/hetPQA_answer_generation_test.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        questions = {row["question"].strip() for row in csv.DictReader(lines, delimiter="\t")}
    return [
        Example(text, "amazon_pqa_test", intent="product_question")
        for text in sorted(questions)
        if 8 <= len(text) <= 200
    ]


def _clinc(part: str) -> Callable[[Path], list[Example]]:
    def read(folder: Path) -> list[Example]:
        data = json.loads((folder / "clinc/train_val.json").read_text(encoding="utf-8"))
        return [
            Example(text, "clinc", CLINC_MAPPED.get(label, OUT_OF_SCOPE), sentiment="neutral")
            for text, label in data[part] + data[f"oos_{part}"]
            if label not in CLINC_LEFT_OUT
        ]

    return read


def _lines(file: str, source: str, intent: str | None) -> Callable[[Path], list[Example]]:
    def read(folder: Path) -> list[Example]:
        text = (folder / file).read_text(encoding="utf-8")
        return [
            Example(line.strip(), source, intent=intent, sentiment="neutral")
            for line in text.splitlines()
            if 2 <= len(line.strip()) <= 200
        ]

    return read


def _airline(folder: Path) -> list[Example]:
    path = folder / "sentiment_en/airline_tweets.csv"
    with path.open(encoding="utf-8", errors="replace", newline="") as rows:
        return [
            Example(row["text"], "airline_tweets", sentiment=row["airline_sentiment"])
            for row in csv.DictReader(rows)
            if row["text"].strip()
        ]


def _tweeteval(folder: Path) -> list[Example]:
    texts = (folder / "sentiment_en/val_text.txt").read_text(encoding="utf-8").splitlines()
    labels = (folder / "sentiment_en/val_labels.txt").read_text(encoding="utf-8").split()
    return [
        Example(text, "tweeteval", sentiment=TWEETEVAL[label])
        for text, label in zip(texts, labels, strict=True)
    ]


_UNSTATED = "none stated"
_TWITTER = "Twitter's terms"
_AIRLINE = "tweets to airlines' service desks"
_AIRLINE_FILES = ("sentiment_en/airline_tweets.csv",)
_TWEETEVAL = "TweetEval sentiment, validation (Rosenthal et al., 2017; Barbieri et al., 2020)"
_TWEETEVAL_FILES = ("sentiment_en/val_text.txt", "sentiment_en/val_labels.txt")
_ZH_REVIEWS = "Chinese shop reviews in 10 categories"
_ZH_ECOMMERCE = "Chinese e-commerce titles and queries, products and brands"
_CDLA = "CDLA-Sharing 1.0"
_CLINC = "CLINC150 (Larson et al., EMNLP 2019)"
_QUERYNER = "QueryNER (Palen-Michel et al., LREC-COLING 2024)"
_BITEXT = "Bitext customer-service utterances"
_AMAZON_PQA = "contextual product question answering (ePQA, hetPQA, semiPQA)"

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        Source(
            "queryner",
            f"{_QUERYNER}, train",
            ("queryner/train.json",),
            "MIT, CC BY 4.0",
            ships=True,
            read=_queryner("queryner/train.json"),
        ),
        Source(
            "queryner_validation",
            f"{_QUERYNER}, validation",
            ("queryner/validation.json",),
            "MIT, CC BY 4.0",
            ships=True,
            read=_queryner("queryner/validation.json"),
        ),
        Source(
            "bitext",
            f"{_BITEXT}, 2021",
            ("bitext/bitext_utterances_8k.csv",),
            _CDLA,
            ships=True,
            read=_bitext_older,
        ),
        Source(
            "bitext_newer",
            f"{_BITEXT}, 2023",
            ("bitext/bitext_customer_support.csv",),
            _CDLA,
            ships=True,
            read=_bitext_newer,
        ),
        Source(
            "amazon_pqa",
            f"{_AMAZON_PQA}, train and dev",
            tuple(f"amazon_pqa/{name}.csv" for name in _PQA),
            _CDLA,
            ships=True,
            read=_pqa,
        ),
        Source(
            "amazon_pqa_test",
            f"{_AMAZON_PQA}, hetPQA test",
            ("amazon_pqa/hetPQA_answer_generation_test.csv",),
            _CDLA,
            ships=True,
            read=_pqa_held_out,
        ),
        Source(
            "pqa_statements",
            f"{_AMAZON_PQA}, reviews and answers, with VADER's feelings",
            weak_labels.FILES,
            _CDLA,
            ships=True,
            read=weak_labels.statements,
        ),
        Source(
            "clinc",
            f"{_CLINC}, train",
            ("clinc/train_val.json",),
            "CC BY 3.0",
            ships=True,
            read=_clinc("train"),
        ),
        Source(
            "clinc_validation",
            f"{_CLINC}, validation",
            ("clinc/train_val.json",),
            "CC BY 3.0",
            ships=True,
            read=_clinc("val"),
        ),
        Source(
            "esci",
            "queries of the Shopping Queries data set (Reddy et al., 2022)",
            ("esci_queries/en.txt",),
            "Apache-2.0",
            ships=True,
            read=_lines("esci_queries/en.txt", "esci", "product_search"),
        ),
        Source(
            "webshop",
            "WebShop (Yao et al., NeurIPS 2022), goals",
            ("webshop/goals.txt",),
            "MIT",
            ships=True,
            read=_lines("webshop/goals.txt", "webshop", "product_search"),
        ),
        Source(
            "airline_tweets",
            _AIRLINE,
            _AIRLINE_FILES,
            "CC BY-NC-SA 4.0",
            ships=False,
            read=_airline,
        ),
        Source(
            "tweeteval",
            _TWEETEVAL,
            _TWEETEVAL_FILES,
            _TWITTER,
            ships=False,
            read=_tweeteval,
        ),
        *(
            Source(
                f"{name}_{part}",
                f"{title}, {share}",
                files,
                licence,
                ships=False,
                read=tenth(read, part),
            )
            for name, title, files, licence, read in (
                ("airline_tweets", _AIRLINE, _AIRLINE_FILES, "CC BY-NC-SA 4.0", _airline),
                ("tweeteval", _TWEETEVAL, _TWEETEVAL_FILES, _TWITTER, _tweeteval),
            )
            for part, share in PARTS
        ),
        Source(
            "zh_reviews",
            _ZH_REVIEWS,
            ("zh_reviews/online_shopping_10_cats.csv",),
            _UNSTATED,
            ships=False,
            read=chinese.reviews,
        ),
        *(
            Source(
                f"zh_reviews_{part}",
                f"{_ZH_REVIEWS}, {share}",
                ("zh_reviews/online_shopping_10_cats.csv",),
                _UNSTATED,
                ships=False,
                read=tenth(chinese.reviews, part),
            )
            for part, share in PARTS
        ),
        *(
            Source(
                f"zh_ner_ecommerce_{part}",
                f"{_ZH_ECOMMERCE}, {part}",
                ("zh_ner_ecommerce/train.txt", "zh_ner_ecommerce/dev.txt"),
                _UNSTATED,
                ships=False,
                read=chinese.labelled_characters(
                    f"zh_ner_ecommerce/{part}.txt",
                    "zh_ner_ecommerce",
                    chinese.ECOMMERCE,
                    without="zh_ner_ecommerce/train.txt" if part == "dev" else None,
                ),
            )
            for part in ("train", "dev")
        ),
        Source(
            "zh_queries",
            "Chinese e-commerce search queries (Multi-CPR, Long et al., SIGIR 2022)",
            ("zh_queries/multicpr.txt",),
            _UNSTATED,
            ships=False,
            read=chinese.queries,
        ),
    )
}
