# ruff: noqa: E501 - templates read better one a line
"""Searches: title-like strings, sentences, several products whose attributes are known."""

import random

from training.data.generator.grammar import expand
from training.data.generator.zh.phrases import (
    Phrase,
    attribute,
    head,
    some_type,
    spoken,
    telegraphic,
    without_number,
)
from training.data.markup import marked

# {x} is the product; what follows || is the English.
_SENTENCES = tuple(
    tuple(part.strip() for part in line.split("||"))
    for line in """
(我|)(想|要|想要|打算|准备|需要|得)(买|购买|入手|找|换|添){x}(。|) || i want to buy {x}
(我|)(想|要)(找|看|看看|看下|搜|了解一下){x} || i would like to see {x}
(请问|你好,|亲,|老板,|)(有没有|有|你们有|店里有|你家有){x}(吗|嘛|么|?|卖吗|呀|) || do you have {x}
(请问|你好|)(有|卖|你们卖|这里卖|有卖){x}(吗|不|嘛|么|吗?) || do you sell {x}
(帮我|给我|麻烦|请|)(找|搜|搜索|搜一下|找一下|推送|查一下|挑){x}(,谢谢|吧|) || find me {x}
(求|求购|求一个|收|蹲)(|一款){x} || looking for {x}
{x}(有吗|有没有|有货没|有卖的吗|在哪买|哪里有|怎么找) || do you have {x}
(来|给我来|上)(|一){x} || i will have {x}
(给我看看|看看|有什么|有啥|有哪些|都有什么|展示一下){x} || show me {x}
(我家|家里|公司|最近|下周|周末)(缺|要用|需要|想添|要买){x} || we need {x} at home
(搜|搜索|找|买|购|我要){x} || search for {x}
(想给{who}|给{who}|帮{who}|送{who})(买|挑|选|找){x} || buy {x} for someone
{x}(,我要|,想要一个|,推给我|,帮我找找) || i want {x}
(哪里能买到|哪里有卖|去哪买|在哪能找到){x} || where can i buy {x}
(能|可以|可不可以|能不能)(给我|帮我|)(找|看)(一下|下|){x}(吗|?|) || can you find {x}
""".strip().splitlines()
)
_WHO = (
    "女儿",
    "儿子",
    "我妈",
    "老公",
    "老婆",
    "朋友",
    "孩子",
    "爸妈",
    "同事",
    "领导",
    "男友",
    "侄子",
)
_JOINTS = (
    ("和", "and"), ("和", "and"), ("跟", "and"), ("与", "and"), ("还有", "and also"), ("以及", "as well as"), ("加", "plus"),
    (",", ","), ("、", ","), (" ", "and"), ("或者", "or"), ("还是", "or"), ("配", "with"), ("搭配", "with"), ("外加", "plus"), (",还要", "and also"),
    ("+", "plus"), (",再来", "plus"), ("同时要", "and also"), (" 以及", "and"),
)  # fmt: skip

# {0} and {1}: products; {2} belongs to the first, {3} and {4} to the second.
_CROSSED = tuple(
    tuple(part.strip() for part in line.split("||"))
    for line in """
{0}(和|跟|、|,){1},(前者|前面的|第一个|第一样)(要|是|){2}(的|),(后者|后面的|第二个|另一个)(要|是|){3}(的|) || {2} {0} and {3} {1}
{0}(和|跟|、){1},(后者|第二个)(要|是|){3}(的|),(前者|第一个)(要|){2}(的|) || {2} {0} and {3} {1}
{0}(和|跟|、){1},(分别|各)(要|是|){2}(和|、|跟){3}(的|) || {0} and {1}, {2} and {3} respectively
(一个|找|想要|买|){0},要(跟|和|能跟|能配)(我的|我那个|这个|){4}(的|){1}(搭|搭配|一起用|配套|配) || {0} to match my {4} {1}
(能|可以|适合)(配|搭|搭配)(我|)(的|){4}(的|){1}的{2}(的|){0} || {2} {0} that goes with {4} {1}
(我有|已经有|买了)(一个|){4}(的|){1},(想|要)(配|买|找|添)(一个|个|){2}(的|){0} || {2} {0} to go with my {4} {1}
(给|为)(我的|){4}(的|){1}(配|买|找|选)(一个|个|){2}(的|){0} || {2} {0} for my {4} {1}
{0}(要|){2}(的|),{1}(要|){3}(的|) || {2} {0}, {3} {1}
{2}(的|){0},{3}(的|){1} || {2} {0}, {3} {1}
{4}(的|){1}(用|配|搭)的{2}(的|){0} || {2} {0} for {4} {1}
{0}(和|、){1}(都|)要,{1s}要{3}的,{0s}{2}(的|)就行 || {2} {0} and {3} {1}
(要|买){0}(跟|和){1},{2}的是{0s},{3}的是{1s} || {2} {0} and {3} {1}
(不要|别给我){3}(的|){1},(要|我要|给我){2}(的|){0} || {2} {0}, not {3} {1}
{2}{0}{3}{1} || {2} {0} and {3} {1}
""".strip().splitlines()
)

# The grammar's parentheses are choices, a mark's are types: marks wait behind other signs.
_HIDDEN = str.maketrans({"(": "\x01", ")": "\x02", "|": "\x03"})
_SHOWN = str.maketrans({"\x01": "(", "\x02": ")", "\x03": "|"})


def _bare(mark: str) -> str:
    return mark.partition("](")[0].removeprefix("[")


def _crossed(chance: random.Random) -> Phrase:
    """Products first, their attributes later: nearness says nothing, or the wrong thing."""
    chinese, english = chance.choice(_CROSSED)
    heads = [head(number, chance, named=0.0) for number in (1, 2)]
    type_ = chance.choice(
        ("color", "color", "material", "UoM", "creator", "price", "modifier", "shape")
    )
    pairs = [attribute(type_, chance) for _ in range(2)] + [attribute("color", chance)]
    marks = [
        heads[0][0],
        heads[1][0],
        *(
            marked(p[0], t, of=o)
            for p, t, o in zip(pairs, (type_, type_, "color"), (1, 2, 2), strict=True)
        ),
    ]
    for number, mark in enumerate(marks):
        # A product that is named again is a mark of its own type, without a number.
        chinese = chinese.replace(f"{{{number}s}}", _bare(mark)).replace(
            f"{{{number}}}", mark.translate(_HIDDEN)
        )
        english = english.replace(
            f"{{{number}}}", (heads[number][1] if number < 2 else pairs[number - 2][1]) or ""
        )
    return Phrase(
        expand(chinese, chance, lambda slot: slot).translate(_SHOWN), " ".join(english.split())
    )


def _listed(count: int, chance: random.Random) -> Phrase:
    title = chance.random() < 0.4
    make = telegraphic if title else spoken
    items = [make(number, chance, most=2) for number in range(1, count + 1)]
    chinese, english = items[0].chinese, items[0].english
    for item in items[1:]:
        joint, meaning = chance.choice(_JOINTS)
        chinese, english = chinese + joint + item.chinese, f"{english} {meaning} {item.english}"
    return Phrase(chinese, english)


def _shared(chance: random.Random) -> Phrase:
    """One attribute for both products, or at the end for the second alone."""
    one, two = head(1, chance, named=0.0), head(2, chance, named=0.0)
    type_ = some_type(chance, {"product_number", "quantity", "time", "condition"})
    chinese, english = attribute(type_, chance)
    mark = marked(chinese, type_, of=2)
    joint = chance.choice(("和", "、", "跟", "还有"))
    return Phrase(
        f"{one[0]}{joint}{two[0]}{chance.choice((',', ''))}{mark}{chance.choice(('的', ''))}",
        f"{one[1]} and {two[1]} {english}",
    )


def _in_sentence(phrase: Phrase, chance: random.Random) -> Phrase:
    chinese, english = chance.choice(_SENTENCES)
    hidden = phrase.chinese.translate(_HIDDEN)
    slots = {"x": hidden, "who": marked(chance.choice(_WHO), "department").translate(_HIDDEN)}
    text = expand(chinese, chance, lambda slot: slots[slot]).translate(_SHOWN)
    return Phrase(text, english.replace("{x}", phrase.english))


def product_phrase(chance: random.Random, number: int = 1) -> Phrase:
    """One product with at most two attributes, for a slot of a service request."""
    return spoken(number, chance, most=2, behind=False, measure=False)


def _title(chance: random.Random) -> Phrase:
    """A whole product title: two or three words for the same thing, and all that is said of it."""
    first = telegraphic(1, chance, most=4)
    others = [telegraphic(1, chance, most=2).chinese for _ in range(chance.choice((1, 1, 2)))]
    parts = [first.chinese, *map(without_number, others)]
    gap = chance.choice((" ", "", " ", "/"))
    return Phrase(gap.join(parts), first.english)


def _brand(chance: random.Random) -> Phrase:
    """A brand alone, with a model's name or number, or with some attribute."""
    brand, english = attribute("creator", chance)
    mark = marked(brand, "creator")
    draw = chance.random()
    if draw < 0.4:
        return Phrase(mark, english)
    type_ = "product_number" if draw < 0.65 else some_type(chance, {"creator", "quantity"})
    word, meaning = attribute(type_, chance)
    gap = chance.choice(("", " "))
    if brand.isascii() and word.isascii():
        gap = " "
    return Phrase(f"{mark}{gap}{marked(word, type_)}", f"{english} {meaning}".strip())


def product_search(chance: random.Random) -> Phrase:
    """A search for one to three products."""
    form = chance.random()
    if form < 0.06:
        return _brand(chance)
    if form < 0.12:
        return _title(chance)
    if form < 0.46:
        return telegraphic(1, chance)
    if form < 0.74:
        return _in_sentence(spoken(1, chance), chance)
    if form < 0.86:
        listed = _listed(2 if chance.random() < 0.75 else 3, chance)
        return listed if chance.random() < 0.5 else _in_sentence(listed, chance)
    if form < 0.97:
        return _crossed(chance)
    return _shared(chance)
