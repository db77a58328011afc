# ruff: noqa: E501 - lists of words read better one a line
"""Chinese examples by kind, most with the English that their sentence vector is to match."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from training.data.examples import Example, with_single_product_relations
from training.data.generator.grammar import expand
from training.data.generator.zh.feelings import ASPECTS, feeling
from training.data.generator.zh.phrases import attribute, head, plain_head
from training.data.generator.zh.products import product_phrase, product_search
from training.data.generator.zh.requests import FRUSTRATED, PLEASED, POLITE, TEMPLATES
from training.data.generator.zh.scope import FILLINGS, OUTSIDE
from training.data.generator.zh.slips import PARTICLES, unpunctuated, with_slips
from training.data.markup import marked, parse

_Template = tuple[str, str, str]


def _read(text: str) -> tuple[_Template, ...]:
    """(sentiment, Chinese, English) of each line."""
    found = []
    for line in text.strip().splitlines():
        chinese, _, english = line.partition(" || ")
        sentiment = {"-": "negative", "+": "positive"}.get(chinese[0], "neutral")
        found.append(
            (sentiment, chinese.removeprefix("-").removeprefix("+").strip(), english.strip())
        )
    return tuple(found)


_TEMPLATES: Final = {intent: _read(text) for intent, text in TEMPLATES.items()} | {
    "out_of_scope": _read(OUTSIDE)
}
_WEIGHTS: Final = {
    "out_of_scope": 4.0,
    "product_question": 2.5,
    "recommendation": 1.5,
    "complaint": 1.5,
    "track_order": 1.3,
}
_THESE: Final = (
    "这个",
    "这款",
    "它",
    "这件",
    "这双",
    "宝贝",
    "",
    "",
    "",
    "这",
    "这东西",
    "你家这款",
    "图片里的",
    "那个",
)
_BOUGHT: Final = (
    "我买的",
    "收到的",
    "你家的",
    "刚买的",
    "新买的",
    "这个",
    "这",
    "上次买的",
    "那个",
    "",
    "给孩子买的",
)
_USES: Final = (
    "打游戏",
    "剪视频",
    "上网课",
    "办公",
    "跑步",
    "送礼",
    "露营",
    "宿舍用",
    "出差",
    "养猫家庭",
    "租房用",
    "小户型",
    "拍照",
    "看剧",
    "带娃",
    "油性皮肤",
    "敏感肌",
    "平足",
    "大脚",
    "通勤",
    "写作业",
    "老人用",
    "夏天穿",
    "下厨",
    "健身",
    "冬天用",
    "长途旅行",
)
_DURATIONS: Final = (
    "两天",
    "三天",
    "一周",
    "一个星期",
    "五天",
    "半个月",
    "一天",
    "十天",
    "一个月",
    "两个月",
    "2天",
)
_GIFTS: Final = ("礼物", "礼品", "东西", "生日礼物")
_RECIPIENTS: Final = ("老人", "女生", "领导", "孩子", "男朋友", "妈妈", "长辈", "闺蜜")
_PLACES: Final = tuple(
    word for words in (
    "北京,上海,广州,深圳,杭州,成都,西安,南京,武汉,重庆,天津,苏州,新疆,西藏,内蒙古,海南,云南,贵州,青海,黑龙江,哈尔滨,乌鲁木齐,拉萨,香港,澳门,台湾,美国,日本,加拿大,澳大利亚,新加坡,英国,韩国,海外,国外,农村,乡下",
    "浙江,广东,四川,湖南,山东,河北,江苏,福建,厦门,青岛,大连,长沙,郑州,合肥,昆明,兰州,北京市海淀区,上海市浦东新区,广州天河区,深圳南山,成都武侯区,杭州西湖区,江苏省南京市,朝阳区建国路,义乌,东莞,公司,单位,学校,我老家,新家",
    ) for word in words.split(",")
)  # fmt: skip


_MENTIONED: Final = {
    "date": "今天早上|五天|十天|今天|明天|后天|昨天|昨晚|上周|下周|上个月|半个月|好几天|两周|一个星期",
    "core_product_type": (
        "裙子|裤子|衣服|外套|西装|沙发|家具|冰箱|床垫|螺丝|充电器|充电线|数据线|电池|灯泡|滤芯|收纳袋|遥控器|支架|拉链|"
        "鞋子|袜子|购物卡|礼品卡|蛋糕|鞋"
    ),
}
_MENTION: Final = re.compile(
    "|".join(f"(?P<{type_}>{words})" for type_, words in _MENTIONED.items())
)
_MARKED: Final = re.compile(r"\[(?:[^\][]+|\[[A-Z]+\])\]\(\w+\)(?:#\d+)?(?:>\d+)?")


def _with_mentions(markup: str) -> str:
    """A template's own dates and products are entities like those of its slots."""
    parts: list[str] = []
    copied = 0
    for mark in _MARKED.finditer(markup):
        parts += (_mentions(markup[copied : mark.start()]), mark[0])
        copied = mark.end()
    return "".join((*parts, _mentions(markup[copied:])))


def _mentions(text: str) -> str:
    return _MENTION.sub(lambda found: marked(found[0], found.lastgroup or ""), text)


def _date(chance: random.Random) -> str:
    n = chance.randint
    return chance.choice(
        (
            "昨天", "前天", "今天", "今天早上", "昨晚", "上周", "上周五", "上个月", "上星期", "周一", "周二", "周三", "星期天", "周末", "明天", "后天", "下周", "下周一", "刚才", "前几天", "大前天", "月初", "双十一", "国庆",
            f"{n(1, 12)}月{n(1, 28)}号", f"{n(1, 12)}月{n(1, 28)}日", f"{n(1, 28)}号", f"{n(2, 20)}天前", f"{n(1, 12)}.{n(1, 28)}", f"{n(1, 12)}-{n(1, 28)}", f"{n(2, 5)}个星期前", "三天前", "半个月前", "一周前", "两天前", f"2026年{n(1, 12)}月", "去年", "上午", "昨天下午",
        )
    )  # fmt: skip


def _money(chance: random.Random) -> str:
    amount = chance.choice(
        (
            5,
            10,
            15,
            20,
            30,
            50,
            58,
            88,
            99,
            100,
            128,
            158,
            199,
            200,
            299,
            300,
            500,
            799,
            1000,
            1280,
            2000,
            3999,
        )
    )
    if chance.random() < 0.25:
        return chance.choice(
            (
                "十块",
                "二十块钱",
                "五十块",
                "一百块",
                "两百元",
                "三百多块",
                "五毛",
                "一千块",
                "十几块",
                "八块钱",
            )
        )
    return (
        f"{amount}{chance.choice(('元', '块', '块钱', '元钱', '', '多块'))}"
        if chance.random() < 0.9
        else f"¥{amount}"
    )


class _Slots:
    """Fills the slots of one template; `english` gathers what they say."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._products, self.english = chance, 0, ""

    def __call__(self, slot: str) -> str:
        chance = self._chance
        plain: dict[str, Callable[[], str]] = {
            "order": lambda: marked("[ORDER]", "order_id"), "email": lambda: marked("[EMAIL]", "contact"), "phone": lambda: marked("[PHONE]", "contact"),
            "card": lambda: chance.choice(("[CARD]", "[ACCOUNT]")),
            "account": lambda: chance.choice(("[ACCOUNT]", "[CARD]")),
            "id": lambda: "[ID]",
            "home": self._home, "date": lambda: marked(_date(chance), "date"), "money": lambda: marked(_money(chance), "money"),
            "place": lambda: marked(chance.choice(_PLACES), "place"), "dur": lambda: marked(chance.choice(_DURATIONS), "date"),
            "it": lambda: self._this(_THESE), "item": lambda: self._this(_BOUGHT), "head": self._head, "product": self._product,
            "color": lambda: self._mark("color"), "material": lambda: self._mark("material"), "size": lambda: self._mark("UoM"), "price": lambda: self._mark("price"),
            "brand": lambda: self._mark("creator"), "qty": lambda: self._mark("quantity"), "valued": lambda: self._mark(chance.choice(("color", "UoM"))),
            "name": lambda: self._mark(chance.choice(("product_name", "product_name", "product_number"))), "use": lambda: chance.choice(_USES),
            "gift": lambda: marked(chance.choice(_GIFTS[:2]), "core_product_type"), "who": lambda: marked(chance.choice(_RECIPIENTS), "department"),
            "praise": lambda: self._judgement(1), "blame": lambda: self._judgement(2),
        }  # fmt: skip
        return plain[slot]() if slot in plain else chance.choice(FILLINGS[slot])

    def _mark(self, type_: str) -> str:
        return marked(attribute(type_, self._chance)[0], type_)

    def _home(self) -> str:
        if self._chance.random() < 0.4:
            return marked("[ADDRESS]", "contact")
        return marked(self._chance.choice(_PLACES), "place")

    def _head(self) -> str:
        self._products += 1
        mark, english = head(self._products, self._chance, named=0.04)
        self.english += f" {english}"
        return mark

    def _product(self) -> str:
        self._products += 1
        phrase = product_phrase(self._chance, self._products)
        self.english += f" {phrase.english}"
        return phrase.chinese

    def _this(self, words: tuple[str, ...]) -> str:
        word = self._chance.choice(words)
        return word + self._head() if self._chance.random() < 0.35 else word or "这个"

    def _judgement(self, column: int) -> str:
        row = self._chance.choice(ASPECTS)
        return self._chance.choice(row[0]) + self._chance.choice(row[column])


def _request(chance: random.Random) -> Example:
    intents = tuple(_TEMPLATES)
    intent = chance.choices(intents, [_WEIGHTS.get(name, 1.0) for name in intents])[0]
    sentiment, chinese, english = chance.choice(_TEMPLATES[intent])
    slots = _Slots(chance)
    text = expand(chinese, chance, slots)
    text, sentiment, changed = _with_tone(text, sentiment, intent, chance)
    text = unpunctuated(_with_mentions(text), chance)
    example = parse(text, "zh_requests", intent=intent, sentiment=sentiment)
    if intent == "out_of_scope":
        example = replace(example, spans=None, relations=None)
    # An outburst beside a request is not in its English.
    return replace(example, meaning="" if changed else english + slots.english)


def _with_tone(
    text: str, sentiment: str, intent: str, chance: random.Random
) -> tuple[str, str, bool]:
    """Polite words and particles leave a feeling as it is; an outburst or praise sets it."""
    if sentiment == "neutral" and intent not in ("chitchat", "out_of_scope", "recommendation"):
        draw = chance.random()
        if draw < 0.1:
            return _beside(text, chance.choice(FRUSTRATED), chance), "negative", True
        if draw < 0.14:
            return _beside(text, chance.choice(PLEASED), chance), "positive", True
    if intent != "chitchat" and chance.random() < 0.15:
        text = chance.choice(POLITE) + chance.choice((",", "", " ")) + text
    if chance.random() < 0.22:
        text += chance.choice(
            PARTICLES if text[-1:] not in "吗呢吧啊呀么不没?)" else ("?", "", "~")
        )
    return text, sentiment, False


def _beside(text: str, words: str, chance: random.Random) -> str:
    joint = chance.choice((",", " ", "。", "!", ""))
    return f"{words}{joint}{text}" if chance.random() < 0.4 else f"{text}{joint}{words}"


def _search(chance: random.Random) -> Example:
    phrase = product_search(chance)
    text = unpunctuated(phrase.chinese, chance, 0.3)
    example = parse(text, "zh_products", intent="product_search", sentiment="neutral")
    return replace(with_single_product_relations(example), meaning=phrase.english)


def _feeling(chance: random.Random) -> Example:
    text, sentiment = feeling(chance)
    return Example(unpunctuated(text, chance, 0.15), "zh_feelings", sentiment=sentiment, meaning="")


def _words(chance: random.Random) -> Example:
    """One word: its vector is that of its translation."""
    chinese, english = plain_head(chance)
    span = marked(chinese, "core_product_type", product=1)
    return replace(
        parse(span, "zh_products", intent="product_search", sentiment="neutral"), meaning=english
    )


MAKERS: Final[dict[str, Callable[[random.Random], Example]]] = {
    "zh_requests": _request,
    "zh_products": lambda chance: _words(chance) if chance.random() < 0.12 else _search(chance),
    "zh_feelings": _feeling,
}
"""What makes one example of each kind."""


def chinese(kind: str, count: int, seed: int) -> list[Example]:
    """`count` examples of a kind of `MAKERS`, the same for the same seed."""
    chance = random.Random(f"{kind}-{seed}")  # noqa: S311 - not a secret
    return [with_slips(MAKERS[kind](chance), chance) for _ in range(count)]
