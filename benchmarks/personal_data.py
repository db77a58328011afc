"""Sentences with personal data in them, made by Faker: nobody who wrote the redactor's rules made them.

Each value comes bare, as someone types it into the search box, and in sentences that say what it is.
The same seed gives the same corpus.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from faker import Faker

LOCALES: Final = (
    "en_US", "en_GB", "en_AU", "en_CA", "en_IN", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL",
    "zh_CN", "zh_TW",
)  # fmt: skip

_ENGLISH: Final = {
    "email": (
        "send the invoice to {}", "my e-mail is {}", "{} never got a confirmation", "contact: {}",
    ),
    "phone": (
        "call me on {}", "my phone number is {}", "my mobile: {}, please text me",
        "phone {} about the blue sofa", "you can reach me at {} after six",
    ),
    "card": ("i paid with card {}", "my card {} was charged twice", "credit card number {}"),
    "account": ("refund to IBAN {}", "my bank account is {}", "send the money to {} please"),
    "id": (
        "my national id is {}", "my social security number is {}", "passport and ID number {} here",
    ),
    "address": ("ship it to {}", "my address is {}", "please deliver to {}", "i live at {}"),
    "order": (
        "where is my order {}", "order number {} is late", "track parcel {}", "order no. {} refund",
    ),
}  # fmt: skip

_CHINESE: Final = {
    "email": ("发票发到{}", "我的邮箱是{}", "邮箱{}收不到验证码"),
    "phone": ("我的手机号是{}", "请打{}联系我", "电话{},快递到了打给我", "手机{}收不到短信"),
    "card": ("用银行卡{}付的款", "我的信用卡号是{}", "卡号{}被扣了两次"),
    "account": ("退款到账户{}", "我的IBAN是{}"),
    "id": ("我的身份证号是{}", "身份证{}怎么实名", "身份证号码:{}"),
    "address": ("寄到{}", "收货地址改成{}", "我的地址是{}", "送到{},谢谢"),
    "order": ("订单{}到哪了", "订单号{}怎么还没发货", "单号{}查一下", "快递单号:{}"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sample:
    """A text, and the personal value in it. `announced`: words in it say what the value is."""

    kind: str
    locale: str
    announced: bool
    text: str
    value: str


def corpus(each: int = 40, seed: int = 20_261_125) -> Iterator[Sample]:
    """For each kind and locale `each` values, every one bare and in one sentence."""
    for locale in LOCALES:
        fake = Faker(locale)
        fake.seed_instance(seed)
        source = random.Random(f"{seed} {locale}")
        sentences = _CHINESE if locale.startswith("zh") else _ENGLISH
        for kind, make in _values(fake, source).items():
            for _ in range(each):
                value = " ".join(make().split())
                yield Sample(kind, locale, False, value, value)
                text = source.choice(sentences[kind]).format(value)
                yield Sample(kind, locale, True, text, value)


def _values(fake: Faker, source: random.Random) -> dict[str, Callable[[], str]]:
    def written(number: str) -> str:
        """A number as people write it: as it is, or in groups of four."""
        if source.random() < 0.5:
            return number
        groups = [number[start : start + 4] for start in range(0, len(number), 4)]
        return source.choice((" ", "-") if number.isdigit() else (" ",)).join(groups)

    def mail() -> str:
        make = source.choice((fake.email, fake.ascii_free_email, fake.company_email))
        return str(make())

    def address() -> str:
        return str(fake.address()).replace("\n", ", ")

    def order() -> str:
        shape = source.choice(
            ("#########", "??-######", "############", "???########", "20########")
        )
        return str(fake.bothify(shape, letters="ABCDEFGHJKLMNPQRSTUVWXYZ"))

    def card() -> str:
        return written(str(fake.credit_card_number()))

    return {
        "email": mail,
        "phone": fake.phone_number,
        "card": card,
        "account": lambda: written(str(fake.iban())),
        "id": fake.ssn,
        "address": address,
        "order": order,
    }
