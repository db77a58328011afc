import random

import pytest

from streams.labels import INTENTS, PREDICATES, PRODUCT_TYPES, SENTIMENTS
from streams.redaction_kinds import ENTITY_TYPE_OF, RedactedKind
from training.data.examples import Example, TextSpan, checked, same_text
from training.data.generator import compose, valence
from training.data.generator.requests import TEMPLATES
from training.data.generator.unseen import unseen_queries
from training.data.markup import (
    hand_written_near_misses,
    hand_written_products,
    hand_written_requests,
    owned_by_nearest,
    parse,
)
from training.data.noise import Noise, noisy, with_typo
from training.errors import ConfigError

KINDS = ("requests", "products", "feelings")


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_texts_and_another_others(kind: str) -> None:
    assert compose(kind, 50, 1) == compose(kind, 50, 1)
    assert compose(kind, 50, 1) != compose(kind, 50, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_generated_is_in_the_schema_and_leaves_no_grammar_behind(kind: str) -> None:
    signs = set("{}|‹›\x01\x02\x03") | (set() if kind == "products" else set("()"))
    for example in compose(kind, 2000, 3):
        checked(example)
        text = example.text.replace("(link in bio)", "")
        for face in (":)", ":(", ":-)", ":-(", ":'("):
            text = text.replace(face, "")
        assert not signs & set(text), text


def test_every_intent_and_feeling_is_generated() -> None:
    assert set(TEMPLATES) == set(INTENTS)
    assert {e.intent for e in compose("requests", 1500, 1)} == set(INTENTS)
    assert {e.sentiment for e in compose("feelings", 100, 1)} == set(SENTIMENTS)


@pytest.mark.parametrize("kind", ["products", "zh_products"])
def test_an_attribute_belongs_to_at_most_one_product(kind: str) -> None:
    for example in compose(kind, 500, 4):
        spans = example.spans or ()
        owned = [attribute for _, attribute in example.relations or ()]
        assert len(owned) == len(set(owned))
        for product, attribute in example.relations or ():
            assert spans[product].type in PRODUCT_TYPES
            assert spans[attribute].type in PREDICATES


def test_often_the_nearest_product_is_the_wrong_one() -> None:
    several = [e for e in compose("products", 1000, 5) if e.relations]
    wrong = sum(set(owned_by_nearest(e)) != set(e.relations or ()) for e in several)
    assert wrong / len(several) > 0.1


def test_the_grammar_that_measures_is_sound_and_asks_for_more_than_nearness() -> None:
    found = unseen_queries(500, 1)
    assert found == unseen_queries(500, 1)
    several = {1: 0, 2: 0, 3: 0}
    for example in found:
        checked(example)
        assert not set("{}()|\x01\x02\x03") & set(example.text), example.text
        several[sum(span.type in PRODUCT_TYPES for span in example.spans or ())] += 1
    assert several[1] == 0
    assert min(several[2], several[3]) > 50
    wrong = sum(set(owned_by_nearest(e)) != set(e.relations or ()) for e in found)
    assert wrong / len(found) > 0.3


def test_posts_are_as_varied_as_public_ones() -> None:
    texts = [e.text for e in compose("feelings", 2000, 8)]
    assert len(set(texts)) > 1950
    assert len({word for text in texts for word in text.lower().split()}) > 2000


def test_lexicon_words_have_a_feeling_and_no_other_word_does() -> None:
    known = valence.words()
    assert {"happy", "wonderful"} <= set(known["positive"])
    assert {"angry", "terrible"} <= set(known["negative"])
    assert not set(known["positive"]) & set(known["negative"])


def test_vocabulary_is_widened_by_annotated_spans() -> None:
    own = [Example("zorblax", "own", spans=(TextSpan("core_product_type", 0, 7),))]
    assert any("zorblax" in e.text for e in compose("products", 50, 6, own))


def test_nothing_generates_what_is_unknown() -> None:
    with pytest.raises(ConfigError, match="there are requests, products, feelings"):
        compose("poems", 1, 1)


def test_placeholders_of_the_redactor_are_all_there_and_entities_as_it_says() -> None:
    examples = compose("requests", 3000, 7)
    texts = " ".join(e.text for e in examples)
    assert {kind for kind in RedactedKind if kind.placeholder in texts} == set(RedactedKind)
    found = {
        (e.text[s.start : s.end], s.type)
        for e in examples
        for s in e.spans or ()
        if e.text[s.start] == "["
    }
    assert found == {(kind.placeholder, type_) for kind, type_ in ENTITY_TYPE_OF.items() if type_}


def test_noise_moves_entities_along_and_leaves_placeholders_whole() -> None:
    chance = random.Random(1)
    example = parse(
        "my [leather](material)>1 [jacket](core_product_type)#1, [[ORDER]](order_id)!", "own"
    )
    for _ in range(200):
        found = checked(noisy(example, chance, Noise(typos=1.0, punctuation=0.5)))
        assert "[ORDER]" in found.text
        assert [s.type for s in found.spans or ()] == [s.type for s in example.spans or ()]
        last = (found.spans or ())[-1]
        assert found.text[last.start : last.end] == "[ORDER]"


def test_a_typo_changes_one_word_of_four_letters_or_more() -> None:
    chance = random.Random(2)
    assert with_typo(Example("a red bag", "own"), chance).text == "a red bag"
    assert with_typo(Example("leather", "own"), chance).text[0] == "l"


def test_hand_written_sets_parse_and_no_template_repeats_them() -> None:
    held_out = hand_written_requests() + hand_written_products() + hand_written_near_misses()
    assert {e.intent for e in hand_written_requests()} == set(INTENTS)
    assert sum(len(e.relations or ()) for e in hand_written_products()) > 40
    texts = {same_text(e.text) for e in held_out}
    generated = {same_text(e.text) for kind in KINDS for e in compose(kind, 3000, 8)}
    assert len(texts & generated) <= len(texts) * 0.05  # short ones are hit by chance, then dropped
