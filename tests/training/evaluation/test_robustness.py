from training.data.generator import compose
from training.evaluation.robustness import in_one_style, kind_of, with_one_typo


def test_one_style_leaves_neither_case_nor_punctuation() -> None:
    texts = [example.text for example in in_one_style(compose("requests", 300, 1))]
    assert len(texts) == 300
    assert not set("?!.,;:'\"") & set("".join(texts))
    assert all(text == text.lower() for text in texts)
    assert in_one_style(compose("requests", 300, 1)) == in_one_style(compose("requests", 300, 1))


def test_one_typo_changes_nearly_every_text_and_keeps_its_entities() -> None:
    clean = compose("products", 200, 2)
    typed = with_one_typo(clean)
    changed = sum(one.text != other.text for one, other in zip(clean, typed, strict=True))
    assert changed > 150
    for one, other in zip(clean, typed, strict=True):
        assert [s.type for s in one.spans or ()] == [s.type for s in other.spans or ()]


def test_every_intent_is_of_one_kind() -> None:
    assert kind_of("product_search") == "search"
    assert kind_of("recommendation") == "question"
    assert kind_of("refund") == "service"
    assert kind_of("out_of_scope") == "none"
