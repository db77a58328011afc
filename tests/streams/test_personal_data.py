"""Recall of the redactor on personal data that its author did not make up (Faker's, 12 locales).

`python -m benchmarks.redaction` prints the same table for more values, and shows what is missed.
"""

import pytest

from benchmarks.personal_data import LOCALES, corpus
from benchmarks.redaction import ANNOUNCED, BARE, LOWER, Recall, leaks, recall

FLOOR = {
    "email": {BARE: 1.0, ANNOUNCED: 1.0, LOWER: 1.0},
    "account": {BARE: 0.99, ANNOUNCED: 0.99, LOWER: 0.99},
    # bare, thirteen digits are as well a bar code
    "card": {BARE: 0.9, ANNOUNCED: 0.99, LOWER: 0.99},
    # bare, eight or ten digits without a blank are as well a part number
    "phone": {BARE: 0.75, ANNOUNCED: 0.99, LOWER: 0.99},
    # bare, nine digits are
    "id": {BARE: 0.65, ANNOUNCED: 0.99, LOWER: 0.99},
    "address": {BARE: 0.95, ANNOUNCED: 0.98, LOWER: 0.9},
    # bare, an order number has no shape of its own
    "order": {ANNOUNCED: 0.99, LOWER: 0.99},
}


@pytest.fixture(scope="module")
def results() -> dict[tuple[str, str], Recall]:
    return recall(corpus(each=25))


@pytest.mark.parametrize(("kind", "way"), [(kind, way) for kind in FLOOR for way in FLOOR[kind]])
def test_personal_data_is_found(
    results: dict[tuple[str, str], Recall], kind: str, way: str
) -> None:
    found = results[kind, way]
    print(f"{kind}, {way}: {found.share:.1%} of {found.seen}")
    assert found.share >= FLOOR[kind][way], [sample.text for sample in found.missed]


def test_the_corpus_has_every_kind_in_every_locale_and_is_the_same_each_time() -> None:
    first = list(corpus(each=3))
    assert {(one.kind, one.locale) for one in first} == {
        (kind, locale) for kind in FLOOR for locale in LOCALES
    }
    assert first == list(corpus(each=3))


@pytest.mark.parametrize(
    ("redacted", "leaking"),
    [
        ("call [PHONE]", False),
        ("call 030 1234567", True),
        ("call [PHONE]4567", False),  # four digits of ten tell little
        ("call 0301234 567", True),
        ("call 1234567 please", True),
    ],
)
def test_a_leak_is_the_value_or_a_telling_part_of_its_digits(
    redacted: str, *, leaking: bool
) -> None:
    assert leaks("030 1234567", redacted) is leaking
