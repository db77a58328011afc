import pytest

from streams.labels import INTENTS, SENTIMENTS
from training.data.examples import (
    Example,
    TextSpan,
    check_classes,
    check_labels,
    checked,
    label_counts,
    same_text,
    with_single_product_relations,
    without_leaks,
)
from training.errors import ConfigError, DataError, LeakError


def test_overlapping_entities_are_refused() -> None:
    spans = (TextSpan("color", 0, 3), TextSpan("material", 2, 5))
    with pytest.raises(DataError, match="overlaps"):
        checked(Example("red wool", "own", spans=spans))


def test_a_relation_needs_a_product_and_an_attribute() -> None:
    spans = (TextSpan("color", 0, 3), TextSpan("material", 4, 8))
    with pytest.raises(DataError, match="relation of a color and a material"):
        checked(Example("red wool", "own", spans=spans, relations=((0, 1),)))


def test_with_one_product_all_attributes_are_its_own() -> None:
    spans = (TextSpan("color", 0, 3), TextSpan("core_product_type", 4, 7))
    found = with_single_product_relations(Example("red bag", "own", spans=spans))
    assert found.relations == ((1, 0),)


def test_copies_are_found_whatever_their_case_and_punctuation() -> None:
    train = [Example("Where is it?", "own"), Example("red bag", "own")]
    held_out = {same_text("where is it")}
    with pytest.raises(LeakError, match="1 training texts"):
        without_leaks(train, held_out, drop=False)
    assert without_leaks(train, held_out, drop=True) == train[1:]


def test_an_example_counts_for_the_tasks_that_it_has_a_label_for() -> None:
    bag = (TextSpan("color", 0, 3), TextSpan("core_product_type", 4, 7))
    examples = [
        Example("red bag", "own", "product_search", "neutral", bag, ((1, 0),)),
        Example("hi", "own", spans=(), relations=(), meaning=""),  # it is known to have none
        Example("rde bag", "own", clean="red bag"),
    ]
    counts = {"intent": 1, "sentiment": 1, "tags": 2, "relations": 1, "vector": 2}
    assert label_counts(examples) == counts
    assert label_counts(examples, answered={"red bag"}) == counts | {"tags": 3}


def test_a_task_without_any_example_is_an_error_that_says_what_to_do() -> None:
    counts = label_counts([Example("hi", "own", intent="greeting")])
    check_labels(counts, ("intent", "vector"))
    with pytest.raises(
        ConfigError, match=r"a label for sentiment, tags .*set sentiment = 0, tags = 0 "
    ):
        check_labels(counts, ("intent", "sentiment", "tags"))


def test_an_empty_class_is_an_error_before_the_first_step() -> None:
    whole = [Example("x", "own", intent=name) for name in INTENTS]
    whole += [Example("x", "own", sentiment=name) for name in SENTIMENTS]
    assert check_classes(whole)["intent"]["refund"] == 1
    with pytest.raises(DataError, match="intent refund"):
        check_classes([example for example in whole if example.intent != "refund"])
