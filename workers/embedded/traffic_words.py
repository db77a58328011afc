"""What sample shoppers say: the kinds of products there are, and their words in two languages."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of product, its Chinese name, and the attributes it comes in."""

    name: str
    chinese: str
    brands: tuple[str, ...]
    colors: tuple[str, ...]
    materials: tuple[str, ...]
    sizes: tuple[str, ...]
    modifiers: tuple[str, ...]
    price: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Sayings:
    """Templates for each part of a visit."""

    first: tuple[str, ...]
    refined: tuple[str, ...]
    questions: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    small_talk: tuple[str, ...]


_CLOTHES = ("s", "m", "large", "xl", "size 10", "plus size")
_SHOES = ("size 7", "size 9", "size 10.5", "wide fit", "eu 43")
KINDS: Final[tuple[Kind, ...]] = (
    Kind(
        "running shoes",
        "跑步鞋",
        ("nike", "adidas", "brooks", "asics"),
        ("black", "white", "navy blue"),
        ("mesh", "knit"),
        _SHOES,
        ("lightweight", "waterproof", "trail"),
        (60, 180),
    ),
    Kind(
        "rain jacket",
        "雨衣",
        ("columbia", "patagonia", "jack wolfskin"),
        ("yellow", "olive", "red"),
        ("nylon", "gore-tex"),
        _CLOTHES,
        ("hooded", "packable", "windproof"),
        (50, 260),
    ),
    Kind(
        "summer dress",
        "连衣裙",
        ("mango", "levi's", "desigual"),
        ("blue", "floral", "white", "red"),
        ("linen", "cotton"),
        _CLOTHES,
        ("sleeveless", "midi", "vintage"),
        (25, 120),
    ),
    Kind(
        "headphones",
        "耳机",
        ("sony", "bose", "sennheiser"),
        ("black", "silver", "white"),
        ("leather", "plastic"),
        ("over ear", "in ear"),
        ("wireless", "noise cancelling", "bluetooth"),
        (30, 380),
    ),
    Kind(
        "coffee table",
        "茶几",
        ("ikea", "west elm"),
        ("walnut", "white", "black"),
        ("oak", "glass", "marble"),
        ("80 cm", "120 cm", "4 ft"),
        ("round", "nesting", "modern"),
        (80, 450),
    ),
    Kind(
        "frying pan",
        "平底锅",
        ("tefal", "lodge", "le creuset"),
        ("black", "red"),
        ("cast iron", "stainless steel"),
        ("28 cm", "12 inch"),
        ("non stick", "induction"),
        (20, 190),
    ),
    Kind(
        "building set",
        "积木",
        ("lego", "duplo"),
        ("colourful", "red"),
        ("wood", "plastic"),
        ("1000 piece", "large"),
        ("star wars", "city", "technic"),
        (15, 160),
    ),
    Kind(
        "cordless drill",
        "电钻",
        ("bosch", "makita", "dewalt"),
        ("green", "blue", "yellow"),
        ("metal", "plastic"),
        ("18v", "12v"),
        ("brushless", "compact"),
        (50, 240),
    ),
    Kind(
        "yoga mat",
        "瑜伽垫",
        ("manduka", "gaiam"),
        ("purple", "teal", "grey"),
        ("cork", "rubber"),
        ("6mm", "extra long"),
        ("non slip", "foldable"),
        (15, 110),
    ),
    Kind(
        "backpack",
        "双肩包",
        ("fjallraven", "osprey", "eastpak"),
        ("grey", "mustard", "black"),
        ("canvas", "leather"),
        ("30l", "15 inch laptop"),
        ("anti theft", "travel", "hiking"),
        (35, 210),
    ),
)
WHOM: Final = ("men", "women", "kids", "my daughter", "my dad", "boys")
OCCASIONS: Final = ("christmas", "a wedding", "my birthday", "school", "camping", "mother's day")
COLORS: Final = {
    "black": "黑色",
    "white": "白色",
    "red": "红色",
    "blue": "蓝色",
    "green": "绿色",
    "yellow": "黄色",
    "grey": "灰色",
    "silver": "银色",
    "purple": "紫色",
}
"""Some colours' Chinese names."""

ENGLISH: Final = Sayings(
    first=(
        "{product}",
        "{color} {product}",
        "{brand} {product}",
        "{modifier} {product}",
        "{product} for {whom}",
        "{material} {product}",
    ),
    refined=(
        "{brand} {product} {color}",
        "{color} {brand} {product} {size}",
        "{modifier} {material} {product} under ${price}",
        "{product} for {whom} {size} {color}",
        "{brand} {modifier} {product} less than {price} dollars",
        "cheap {color} {product} {size}",
        "{product} gift for {whom} for {occasion}",
        "show me {color} {brand} {product} in {size}",
    ),
    questions=(
        "does the {brand} {product} come in {color}?",
        "is this {material} {product} {modifier}?",
        "what size should I order in {brand} {product}, I usually take {size}",
        "which is better for {occasion}, {brand} or another {product}?",
        "can you recommend a {modifier} {product} for {whom}?",
    ),
    before=(
        "do you have a discount code for {product}?",
        "how long does delivery take to ireland",
        "can i pay with paypal",
    ),
    after=(
        "where is my order {order}",
        "order {order} has still not arrived, really annoying",
        "please track my {product}, order {order}",
        "i want to change the address of order {order}",
        "my {brand} {product} arrived broken, very disappointed",
        "i'd like to return the {color} {product}, it does not fit",
        "when do I get my refund for order {order}?",
        "could you send the invoice to {email}",
        "i love my new {product}, thank you so much!",
        "the {material} {product} is fantastic, well made",
        "wrong colour delivered, I ordered {color}. call me on {phone}",
        "i want to talk to a real person",
        "cancel order {order} please",
    ),
    small_talk=("hello", "thanks, bye", "what's the weather like tomorrow", "are you a robot?"),
)
CHINESE: Final = Sayings(
    first=(
        "{chinese}",
        "{shade}的{chinese}",
        "{brand} {chinese}",
        "我想买一个{chinese}",
        "想找{shade}{chinese}",
    ),
    refined=(
        "{brand} {chinese} {shade}",
        "{price}元以内的{chinese}",
        "有没有{shade}的{brand}{chinese}",
        "送女儿的{chinese}",
        "{shade}{chinese}和白色的帽子",
    ),
    questions=(
        "{brand}的{chinese}有{shade}的吗?",
        "这个{chinese}质量怎么样",
        "推荐一款好用的{chinese}",
    ),
    before=("有优惠券吗", "到上海要几天", "可以用支付宝付款吗"),
    after=(
        "我的快递到哪里了",
        "我的快递状态",
        "订单号{order}怎么还没到,等得好烦",
        "收到的{chinese}是坏的,太失望了",
        "{shade}的{chinese}不合适,我要退货",
        "发票请发到{email}",
        "{chinese}很好用,非常喜欢",
        "我要找人工客服",
        "取消订单{order}",
    ),
    small_talk=("你好", "谢谢,再见", "明天天气怎么样"),
)
