"""Composed queries for several products: right labels, and few that are built alike."""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

from streams.labels import PREDICATES, PRODUCT_TYPES
from training.data.examples import Example, checked
from training.data.generator import compose
from training.data.generator.pairing import paired
from training.data.generator.pairs.clauses import compared, verb
from training.data.generator.pairs.frames import framed
from training.data.generator.pairs.notes import asked, lettered
from training.data.generator.pairs.owned import across
from training.data.generator.pairs.places import by_place
from training.data.generator.pairs.rows import rows
from training.data.generator.pairs.splits import around, grouped
from training.data.generator.pairs.turns import ahead, backwards, denied, nested
from training.data.generator.pairs.writer import TYPES, Body, Writer
from training.data.generator.unseen import unseen_queries
from training.data.generator.words import Words
from training.data.markup import owned_by_nearest, parse

PIECES = 64 * 0.7  # what a model reads, in words: nearly all are one piece or two


@cache
def _queries() -> list[Example]:
    return compose("pairs", 2000, 1)


def _skeleton(example: Example) -> str:
    """The text with entities replaced by what they are."""
    text = example.text
    for span in reversed(example.spans or ()):
        kind = "product" if span.type in PRODUCT_TYPES else "attribute"
        text = f"{text[: span.start]}<{kind}>{text[span.end :]}"
    return text


def test_every_attribute_has_one_product_and_no_grammar_is_left() -> None:
    for example in _queries():
        checked(example)
        spans = example.spans or ()
        assert 2 <= sum(span.type in PRODUCT_TYPES for span in spans) <= 4, example.text
        attributes = [n for n, span in enumerate(spans) if span.type in PREDICATES]
        assert attributes, example.text
        assert sorted(owned for _, owned in example.relations or ()) == attributes
        assert all(spans[owner].type in PRODUCT_TYPES for owner, _ in example.relations or ())
        assert not set("{}|[]‹›\x01\x02\x03") & set(example.text), example.text
        assert example.text.count("(") <= example.text.count(")"), example.text  # "1)" is a label


def test_words_and_punctuation_do_not_run_into_one_another() -> None:
    for example in _queries():
        text = example.text
        assert text == " ".join(text.split())
        assert not re.search(r" [,;:?!]|,[,.;:]|;[,;]", _skeleton(example)), text
        for span in example.spans or ():
            around = text[max(span.start - 1, 0) : span.start] + text[span.end : span.end + 1]
            assert not any(character.isalnum() for character in around), text


def test_queries_are_short_enough_to_be_read_to_their_end() -> None:
    long = [e.text for e in _queries() if len(re.findall(r"\w+|[^\w\s]", e.text)) > PIECES]
    assert len(long) < 0.05 * len(_queries())


def test_the_same_seed_gives_the_same_queries() -> None:
    assert compose("pairs", 50, 2) == compose("pairs", 50, 2)
    assert compose("pairs", 50, 2) != compose("pairs", 50, 3)
    chance, again = random.Random(4), random.Random(4)
    assert [paired(Words(), chance) for _ in range(20)] == [
        paired(Words(), again) for _ in range(20)
    ]


def test_few_queries_are_built_alike() -> None:
    skeletons = Counter(_skeleton(example) for example in _queries())
    assert len(skeletons) > 0.95 * len(_queries())
    words = {word for skeleton in skeletons for word in re.findall(r"[a-z']+", skeleton)}
    assert len(words) > 400


def test_what_is_said_stands_on_either_side_and_often_nearer_to_another_product() -> None:
    nearest_wrong = first_said = 0
    for example in _queries():
        nearest_wrong += set(owned_by_nearest(example)) != set(example.relations or ())
        first_said += any(owned < owner for owner, owned in example.relations or ())
    assert 0.5 < nearest_wrong / len(_queries()) < 0.8
    assert 0.3 < first_said / len(_queries()) < 0.8


def test_what_is_said_of_the_first_or_second_belongs_to_it() -> None:
    found = 0
    for example in _made(by_place, 1000, 5):
        owners, names, text = _numbered(example)
        if re.search(r"<a\d+> (?:\w+ ){1,5}the (?:first|second|third)", text):
            continue  # what is said comes first
        pattern = r"the (first|second|third)(?: one)?(?: should be| must be|:|) <a(\d+)>"
        for match in re.finditer(pattern, text):
            place = ("first", "second", "third").index(match[1])
            assert owners[int(match[2])] == names[place], example.text
            found += 1
    assert found > 50


def test_respectively_gives_each_product_its_own() -> None:
    found = 0
    for example in _made(rows, 1500, 6):
        owners, names, text = _numbered(example)
        if "respectively" in text and len(owners) == len(names) == len(set(owners.values())):
            assert [owners[n] for n in sorted(owners)] == names, example.text
            found += 1
    assert found > 50


def test_a_bare_wish_is_never_behind_what_the_other_product_is() -> None:
    found = 0
    for example in _made(across, 1000, 7):
        owners, names, text = _numbered(example)
        behind = [n for n in owners if n > names[-1]]
        for one, following in pairwise(behind):
            if (owners[one], owners[following]) == (names[1], names[0]):
                between = text[text.index(f"<a{one}>") : text.index(f"<a{following}>")]
                assert set(re.findall(r"[a-z]{2,}", between)) - {"in", "by", "with"}, example.text
                found += 1
    assert found > 50


def test_no_mention_of_a_product_is_written_twice_under_one_number() -> None:
    for make in (compared, denied, nested, ahead, lettered, asked, around):
        words, chance = Words(), random.Random(8)
        for _ in range(200):
            text = make(Writer(words, chance)).text
            numbers = re.findall(r"\)#(\d+)", text)
            assert len(numbers) == len(set(numbers)), text


def test_verbs_agree_with_what_they_are_said_of() -> None:
    writer = Writer(Words(), random.Random(9))
    product = writer.product()
    for type_ in TYPES:
        attribute = writer.another(product, type_)
        one, many = (verb(writer, attribute, plural=plural) for plural in (False, True))
        assert one.present.split()[0].endswith("s"), one
        assert not many.present.split()[0].endswith("s"), many
        assert one.participle.split()[0].endswith("ing"), one


def test_what_is_told_from_the_end_belongs_to_the_one_there() -> None:
    found = 0
    for example in _made(backwards, 1500, 10):
        owners, names, text = _numbered(example)
        pattern = r"the (?:very last|last one|one i listed last)(?: should be| must be|:) <a(\d+)>"
        for match in re.finditer(pattern, text):
            assert owners[int(match[1])] == names[-1], example.text
            found += 1
    assert found > 50


def test_two_of_three_in_a_group_are_told_in_their_order() -> None:
    found = 0
    for example in _made(grouped, 500, 11):
        owners, names, text = _numbered(example)
        pattern = r"the (first|last|outer) two(?: go| should be| must be|:) <a(\d+)> and <a(\d+)>"
        for match in re.finditer(pattern, text):
            places = {"first": (0, 1), "last": (1, 2), "outer": (0, 2)}[match[1]]
            assert [owners[int(match[n])] for n in (2, 3)] == [names[n] for n in places]
            found += 1
    assert found > 50


def _made(make: Callable[[Writer], Body], count: int, seed: int) -> Iterator[Example]:
    """Queries of one way to put them together."""
    words, chance = Words(), random.Random(seed)
    for _ in range(count):
        yield parse(make(Writer(words, chance)).text, "own")


def _numbered(example: Example) -> tuple[dict[int, int], list[int], str]:
    """Owner of each attribute, the products, and the text with spans as <p0>, <a1> and so on."""
    text, spans = example.text, example.spans or ()
    for n, span in reversed(list(enumerate(spans))):
        kind = "p" if span.type in PRODUCT_TYPES else "a"
        text = f"{text[: span.start]}<{kind}{n}>{text[span.end :]}"
    owners = {attribute: product for product, attribute in example.relations or ()}
    names = [n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES]
    return owners, names, text


def test_a_question_keeps_its_mark_and_loose_punctuation_goes() -> None:
    writer = Writer(Words(), random.Random(7))
    texts = {framed(writer, Body("[bag](core_product_type)#1 ,, ", phrase=True)) for _ in range(99)}
    assert not any(text.endswith((",", " ")) or ",," in text for text in texts)
    assert any(text.endswith("?") for text in texts)


def test_little_of_the_measuring_grammar_is_trained_on() -> None:
    def forms(examples: list[Example]) -> set[str]:
        return {_skeleton(example) for example in examples}

    trained = forms(_queries()) | forms(compose("products", 2000, 1))
    measured = forms(unseen_queries(500, 1))
    shared = len(measured & trained) / len(measured)  # few words around entities are hit by chance
    assert shared < 0.05
