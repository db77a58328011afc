"""Phrases of one product: its name and attributes, marked, in Chinese and in English."""

import random
import re
from dataclasses import dataclass

from training.data.generator.zh.attributes import (
    ATTRIBUTES,
    invented_brand,
    invented_code,
    price,
    quantity,
    size,
    time_,
)
from training.data.generator.zh.lexicon import PARTS, PRODUCTS
from training.data.markup import marked


@dataclass(frozen=True, slots=True)
class Phrase:
    """The same in two languages, the Chinese with its entities marked (see `training.data.markup`)."""

    chinese: str
    english: str


_WEIGHTS = {
    "color": 6, "material": 5, "creator": 6, "modifier": 8, "department": 5, "UoM": 5, "price": 3, "shape": 3,
    "occasion": 3, "content": 2, "origin": 2, "quantity": 2, "condition": 1, "time": 1, "product_number": 2,
}  # fmt: skip
_TYPES = tuple(_WEIGHTS)
_MAKERS = {"price": price, "UoM": size, "quantity": quantity, "time": time_}

# How an attribute stands before its product in a sentence; the mark takes the place of {}.
_BEFORE = {
    "color": ("{}的", "{}的", "{}", "{}", "颜色是{}的", "{}那种"),
    "material": ("{}的", "{}", "{}", "{}做的", "{}材质的", "{}面料的"),
    "creator": ("{}", "{}", "{}的", "{}牌", "{}牌子的", "{}家的"),
    "department": ("{}", "{}", "{}用的", "{}穿的", "适合{}的", "{}用", "给{}的", "送{}的"),
    "UoM": ("{}的", "{}", "{}的", "{}大小的", "尺寸{}的"),
    "price": ("{}的", "{}的", "{}", "价格{}的", "价位在{}的", "预算{}的"),
    "shape": ("{}的", "{}", "{}"),
    "occasion": ("{}穿的", "{}用的", "{}", "{}", "{}送人的", "{}戴的"),
    "content": ("{}的", "{}", "带{}的", "有{}图案的", "{}图案的", "印着{}的", "{}主题的"),
    "origin": ("{}", "{}的", "{}产的"),
    "condition": ("{}", "{}的"),
    "modifier": ("{}的", "{}", "{}", "能{}的", "{}款的"),
    "time": ("{}", "{}的"),
    "product_number": ("{}",),
    "quantity": ("{}",),
}
# How it stands behind it.
_AFTER = {
    "color": (",要{}的", ",{}的", ",颜色{}", ",最好是{}", ",{}就行", "要{}"),
    "material": (",要{}的", ",{}的", ",材质要{}", ",必须是{}"),
    "creator": (",要{}的", ",{}牌子的", ",{}的最好", ",认准{}"),
    "department": (",给{}用", ",{}穿", ",送{}的", ",{}用的", "给{}"),
    "UoM": (",要{}的", ",{}的", ",尺码{}", ",穿{}", "要{}"),
    "price": (",{}的", ",预算{}", ",{}有吗", ",价格{}", ",{}就可以"),
    "occasion": (",{}穿", ",{}用", ",{}的时候用"),
    "modifier": (",要{}的", ",{}一点的", ",最好{}", ",要能{}"),
    "quantity": (",要{}", ",来{}"),
    "shape": (",要{}的", ",{}的"),
    "content": (",带{}的", ",{}图案"),
}
_NUMBERS = re.compile(r"\)[#>]\d")
_MEASURES = (
    "一个",
    "一款",
    "一件",
    "一双",
    "一台",
    "一部",
    "一条",
    "一套",
    "一只",
    "一把",
    "个",
    "款",
    "件",
    "点",
    "一些",
    "些",
    "几款",
    "",
    "",
    "",
    "",
)


def attribute(type_: str, chance: random.Random) -> tuple[str, str]:
    """(Chinese, English) of an attribute; brands and model numbers are invented in part."""
    if type_ in _MAKERS:
        return _MAKERS[type_](chance)
    if type_ == "creator" and chance.random() < 0.4:
        brand = invented_brand(chance)
        return brand, brand if brand.isascii() else ""
    if type_ == "product_number" and chance.random() < 0.7:
        code = invented_code(chance)
        return code, code
    chinese, english = chance.choice(ATTRIBUTES[type_])
    if chinese.isascii() and chance.random() < 0.3:
        chinese = chinese.upper() if chance.random() < 0.5 else chinese.title()
    return chinese, english


def some_type(chance: random.Random, without: set[str]) -> str:
    """An attribute's type, likely ones oftener."""
    options = [name for name in _TYPES if name not in without]
    return chance.choices(options, [_WEIGHTS[name] for name in options])[0]


def head(number: int, chance: random.Random, *, named: float = 0.1) -> tuple[str, str]:
    """A product's name, marked, and its English."""
    draw = chance.random()
    if draw < named:
        chinese, english = attribute("product_name", chance)
        return marked(chinese, "product_name", product=number), english
    chinese, english = chance.choice(PRODUCTS)
    if draw < named + 0.06 and len(chinese) < 5:
        part, part_english = chance.choice(PARTS)
        if part not in chinese:
            chinese, english = chinese + part, f"{english} {part_english}"
    return marked(chinese, "core_product_type", product=number), english


def without_number(markup: str) -> str:
    """Marks that say nothing of which attribute belongs to which product."""
    return _NUMBERS.sub(")", markup)


def plain_head(chance: random.Random) -> tuple[str, str]:
    """(Chinese, English) of a product, without a mark."""
    return chance.choice(PRODUCTS)


def _english(name: str, said: dict[str, str]) -> str:
    front = [
        said.get(kind, "")
        for kind in (
            "quantity",
            "condition",
            "time",
            "color",
            "shape",
            "content",
            "material",
            "modifier",
            "origin",
            "creator",
        )
    ]
    whom = [f"for {said[kind]}" for kind in ("department", "occasion") if said.get(kind)]
    back = [said.get("product_number", ""), *whom, said.get("UoM", ""), said.get("price", "")]
    return " ".join(part for part in (*front, name, *back) if part)


def telegraphic(number: int, chance: random.Random, *, most: int = 5) -> Phrase:
    """A title-like string of words, as typed into a search box: 耐克男运动鞋42码."""
    count = min(chance.choices((0, 1, 2, 3, 4, 5), (2, 5, 6, 4, 2, 1))[0], most)
    name, name_english = head(number, chance, named=0.12)
    used: set[str] = set()
    said: dict[str, str] = {}
    before: list[str] = []
    after: list[str] = []
    for _ in range(count):
        type_ = some_type(chance, used)
        used.add(type_)
        chinese, said[type_] = attribute(type_, chance)
        word = marked(chinese, type_, of=number)
        if type_ == "creator" and chance.random() < 0.8:
            before.insert(0, word)
        elif chance.random() < (0.25 if type_ in ("UoM", "price", "quantity") else 0.62):
            before.append(word)
        else:
            after.append(word)
    if name_english and count and chance.random() < 0.12:  # a second type word: 连衣裙 长裙子
        other, _ = head(number, chance, named=0.0)
        after.append(other.partition("#")[0])
    gap = " " if chance.random() < 0.3 else ""
    parts = [*before, name, *after]
    text = parts[0]
    for part in parts[1:]:
        loose = gap or (" " if chance.random() < 0.06 else "")
        text += _between(text, part, loose) + part
    return Phrase(text, _english(name_english, said))


def _between(left: str, right: str, gap: str) -> str:
    """Two Latin words need a blank between them."""
    end, start = left.rpartition("](")[0][-1:], right[1:2]
    return " " if end.isascii() and end.isalnum() and start.isascii() and start.isalnum() else gap


def spoken(
    number: int, chance: random.Random, *, most: int = 3, behind: bool = True, measure: bool = True
) -> Phrase:
    """A noun phrase of a sentence: 一件蓝色的纯棉衣服,要L码的."""
    count = min(chance.choices((0, 1, 2, 3), (3, 6, 4, 1))[0], most)
    name, name_english = head(number, chance, named=0.08)
    used: set[str] = {"product_number"} if chance.random() < 0.9 else set()
    said: dict[str, str] = {}
    before, after, counted = "", "", ""
    for _ in range(count):
        type_ = some_type(chance, used)
        used.add(type_)
        chinese, said[type_] = attribute(type_, chance)
        word = marked(chinese, type_, of=number)
        if type_ == "quantity" and chance.random() < 0.7:
            counted = word
        elif behind and type_ in _AFTER and chance.random() < 0.22:
            after += chance.choice(_AFTER[type_]).replace("{}", word)
        else:
            before += chance.choice(_BEFORE[type_]).replace("{}", word)
    front = counted or (chance.choice(_MEASURES) if measure else "")
    return Phrase(f"{front}{before}{name}{after}", _english(name_english, said))
