"""Chinese: the hand-written sets, the generator, the readers of public data, the figures."""

import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from streams.labels import INTENTS, SENTIMENTS
from streams.text import is_ideograph, normalise
from training.data import chinese
from training.data.chinese_sources import ECOMMERCE, labelled_characters, reviews
from training.data.examples import Example, TextSpan, checked, same_text
from training.data.generator import compose
from training.data.generator.zh.attributes import price, spelt
from training.data.generator.zh.slips import unpunctuated, with_slips
from training.data.splits import tenth
from training.evaluation.chinese import nearest_metrics
from training.network.objective import likeness_loss

KINDS = ("zh_requests", "zh_products", "zh_feelings")


def test_the_hand_written_sets_are_as_large_as_promised_and_in_the_schema() -> None:
    requests = chinese.hand_written_requests()
    assert len(requests) == 300
    assert {e.intent for e in requests} == set(INTENTS)
    assert {e.sentiment for e in requests} == set(SENTIMENTS)
    assert len(chinese.hand_written_near_misses()) == 100
    assert len(chinese.hand_written_pairs()) == 100
    texts = [same_text(e.text) for e in (*requests, *chinese.hand_written_near_misses())]
    assert len(texts) == len(set(texts))


def test_hand_written_texts_are_as_the_worker_sends_them() -> None:
    assert all(e.text == normalise(e.text) for e in chinese.hand_written_texts())
    (cover,) = [e for e in chinese.hand_written_requests() if e.text == "iPad保护套"]
    assert cover.spans is not None
    assert [cover.text[s.start : s.end] for s in cover.spans] == ["iPad", "保护套"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_texts_and_another_others(kind: str) -> None:
    assert compose(kind, 50, 1) == compose(kind, 50, 1)
    assert compose(kind, 50, 1) != compose(kind, 50, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_generated_is_in_the_schema_and_leaves_no_grammar_behind(kind: str) -> None:
    made = compose(kind, 2000, 3)
    for example in made:
        checked(example)
        assert not set("{}()|\x01\x02\x03") & set(example.text), example.text
    assert len({e.text for e in made}) > 1700


def test_every_intent_and_feeling_is_generated() -> None:
    assert {e.intent for e in compose("zh_requests", 2500, 1)} == set(INTENTS) - {"product_search"}
    assert {e.intent for e in compose("zh_products", 50, 1)} == {"product_search"}
    assert {e.sentiment for e in compose("zh_feelings", 100, 1)} == set(SENTIMENTS)


def test_searches_and_requests_come_with_the_english_that_says_the_same() -> None:
    made = compose("zh_products", 300, 2)
    meanings = [e.meaning or "" for e in made]
    assert sum(bool(meaning) for meaning in meanings) > 0.9 * len(made)
    assert not any(is_ideograph(c) for meaning in meanings[:50] for c in meaning[:1])
    assert all(e.meaning == "" for e in compose("zh_feelings", 50, 2))


def test_placeholders_of_the_redactor_are_entities() -> None:
    found = {
        (e.text[s.start : s.end], s.type)
        for e in compose("zh_requests", 3000, 6)
        for s in e.spans or ()
        if e.text[s.start] == "["
    }
    assert found == {
        ("[ORDER]", "order_id"),
        ("[EMAIL]", "contact"),
        ("[PHONE]", "contact"),
        ("[ADDRESS]", "contact"),
    }


def test_dates_and_products_of_templates_are_entities_too() -> None:
    marked = [
        e for e in compose("zh_requests", 3000, 7) if "明天" in e.text and e.spans is not None
    ]
    assert marked
    for example in marked:
        at = example.text.index("明天")
        assert any(s.start <= at < s.end and s.type == "date" for s in example.spans or ())


def test_slips_keep_labels_where_they_are() -> None:
    example = Example("我想买红色的手机", "shop", spans=(TextSpan("color", 3, 5),))
    changed = {with_slips(example, random.Random(seed), share=0.9) for seed in range(60)}
    assert len(changed) > 10
    for other in changed:
        assert len(other.text) == len(example.text)
        assert other.spans == example.spans
    assert "我想買紅色的手機" in {e.text for e in changed}


def test_a_text_of_stops_alone_is_left() -> None:
    assert unpunctuated("。。。", random.Random(1), 1.0) == "。。。"
    assert "," not in unpunctuated("好的,谢谢", random.Random(1), 1.0)


@pytest.mark.parametrize(
    ("number", "said"),
    [(8, "八"), (10, "十"), (12, "十二"), (35, "三十五"), (100, "一百"), (150, "一百五十"),
     (205, "两百零五"), (1000, "一千"), (1200, "一千二"), (8000, "八千")],
)  # fmt: skip
def test_numbers_are_spelt_as_people_say_them(number: int, said: str) -> None:
    assert spelt(number) == said


def test_prices_have_their_bound_and_their_english() -> None:
    made = {price(random.Random(seed)) for seed in range(300)}
    assert {"以内", "左右"} <= {text[-2:] for text, _ in made}
    assert all(english for _, english in made)


def test_characters_with_bioes_tags(tmp_path: Path) -> None:
    (tmp_path / "dev.txt").write_text(
        "耐\tB-HP\n克\tE-HP\n男\tO\n鞋\tS-HC\n\n睡\tB-HC\n衣\tE-HC\n睡\tB-HC\n裤\tE-HC\n", "utf-8"
    )
    (tmp_path / "train.txt").write_text("睡\tB-HC\n衣\tE-HC\n睡\tB-HC\n裤\tE-HC\n", "utf-8")
    first, second = labelled_characters("dev.txt", "shop", ECOMMERCE)(tmp_path)
    assert (first.text, second.text) == ("耐克男鞋", "睡衣睡裤")
    assert first.spans == (TextSpan("creator", 0, 2), TextSpan("core_product_type", 3, 4))
    assert second.spans == (
        TextSpan("core_product_type", 0, 2),
        TextSpan("core_product_type", 2, 4),
    )
    (only,) = labelled_characters("dev.txt", "shop", ECOMMERCE, without="train.txt")(tmp_path)
    assert only == first


def test_a_tenth_of_the_reviews_is_held_out_and_none_stands_in_both(tmp_path: Path) -> None:
    (tmp_path / "zh_reviews").mkdir()
    rows = "".join(f"书籍,{n % 2},第{n}本书还不错\n" for n in range(400))
    path = tmp_path / "zh_reviews/online_shopping_10_cats.csv"
    path.write_text(f"cat,label,review\n{rows}书籍,1,第3本书还不错\n", "utf-8")
    train, dev = (tenth(reviews, part)(tmp_path) for part in ("train", "dev"))
    assert len(train) + len(dev) == len(reviews(tmp_path)) == 400
    assert 15 < len(dev) < 70
    assert not {e.text for e in train} & {e.text for e in dev}


def test_nearest_translations() -> None:
    chinese_vectors = np.eye(3, 384, dtype=np.float32)
    assert nearest_metrics(chinese_vectors, chinese_vectors)["nearest_english"] == 1.0
    turned = nearest_metrics(chinese_vectors, chinese_vectors[[1, 0, 2]])
    assert turned["nearest_english"] == pytest.approx(1 / 3)
    assert turned["cosine_others"] == pytest.approx(1 / 3)


def test_all_generated_characters_are_normalised() -> None:
    for kind in KINDS:
        for example in compose(kind, 300, 8):
            assert unicodedata.is_normalized("NFKC", example.text.replace("¥", "")), example.text


def test_a_batch_of_vectors_is_to_be_as_like_each_other_as_the_wanted_ones() -> None:
    wanted = functional.normalize(torch.randn(6, 384, generator=torch.manual_seed(1)), dim=-1)
    right, wrong = likeness_loss(wanted, wanted), likeness_loss(wanted.flip(0), wanted)
    assert float(right) < 0.01 < float(wrong)
    twice = torch.cat((wanted, wanted[:1]))
    assert float(likeness_loss(twice, twice)) < 0.4  # which of two equal ones is nobody's fault
