"""The Chinese sets: hand-written ones, what decides an epoch, what calibrates."""

from streams.labels import OUT_OF_SCOPE
from streams.text import normalise
from training.data.examples import Example, with_single_product_relations
from training.data.generator import CALIBRATION_SEED, VALIDATION_SEED, compose
from training.data.markup import hand_written_lines, parse


def hand_written_requests() -> list[Example]:
    """300 queries with intent, sentiment, entities and relations, for evaluation only."""
    rows = (line.split("\t") for line in hand_written_lines("requests_zh.tsv"))
    return [
        with_single_product_relations(
            parse(normalise(markup), "hand_written", intent=intent, sentiment=sentiment)
        )
        for intent, sentiment, markup in rows
    ]


def hand_written_near_misses() -> list[Example]:
    """100 out-of-scope texts in a shop's words, for evaluation only."""
    return [
        Example(normalise(line), "hand_written", intent=OUT_OF_SCOPE)
        for line in hand_written_lines("nearmiss_zh.txt")
    ]


def hand_written_pairs() -> list[tuple[str, str]]:
    """100 (Chinese, English) queries that say the same, for evaluation only."""
    rows = (line.split("\t") for line in hand_written_lines("parallel_zh_en.tsv"))
    return [(normalise(chinese), english) for chinese, english in rows]


def hand_written_texts() -> list[Example]:
    """All hand-written Chinese texts, for evaluation only."""
    pairs = [Example(chinese, "hand_written") for chinese, _ in hand_written_pairs()]
    return hand_written_requests() + hand_written_near_misses() + pairs


def validation_sets() -> dict[str, list[Example]]:
    """Generated texts that decide which epoch is kept: no Chinese data with a licence is at hand."""
    searches = compose("zh_products", 600, VALIDATION_SEED)
    requests = compose("zh_requests", 1500, VALIDATION_SEED)
    return {
        "tags": searches + [e for e in requests if e.spans][:400],
        "intent": searches[:200] + requests,
        "relations": [e for e in searches if e.relations],
    }


def calibration_texts() -> list[Example]:
    """An even mixture of searches, requests, out-of-scope texts and feelings."""
    return [
        *compose("zh_products", 700, CALIBRATION_SEED),
        *compose("zh_requests", 2200, CALIBRATION_SEED),
        *compose("zh_feelings", 500, CALIBRATION_SEED),
    ]
