"""What a query says when no model answers: the few things that words alone tell, and nothing surely.

For `on_outage: degrade`. A rule is no probability: what it finds has the score 0.5, everything else is
`unknown`. Entities are left to the redactor, whose own are certain.
"""

import re
from typing import Final

from streams.decoding import UNDETERMINED, Understanding
from streams.events import UNKNOWN_LABEL, Label, ModelVersion

RULES: Final = ModelVersion("rules", "1", "rules-1")
"""Stands where an event names its model. A change of the rules changes the digest."""

SCORE: Final = 0.5

_PHRASES: Final[tuple[tuple[str, str, str], ...]] = (
    # the first that is found counts: what is wanted of an order before the order itself
    ("cancel_order", "cancel(?:l?ing|l?ed|lation)? … (?:order|purchase)", "取消订单|撤单"),
    ("refund", "refund(?:s|ed)?|money back", "退款|退钱"),
    ("return_exchange", "(?:return|exchange|send back) … (?:item|order|it|them)", "退货|换货|退换"),
    ("change_address", "change … address", "修改地址|改地址|换地址"),
    (
        "track_order",
        "track(?:ing)?|where(?: is|'s) my (?:order|package|parcel)",
        "物流|快递到哪|到哪了|查订单",
    ),
    (
        "delivery_info",
        "(?:deliver|shipping|ship) … (?:time|cost|fee|free|long|to)",
        "运费|包邮|几天到|发货",
    ),
    ("invoice", "invoice|receipt", "发票"),
    ("promotion", "coupon|voucher|promo(?:tion)? code|discount code", "优惠券|优惠码|折扣码"),
    (
        "contact_agent",
        "(?:speak|talk|chat) (?:to|with) (?:an? )?(?:agent|human|person|someone)",
        "人工|转客服",
    ),
)
"""Intent, English words and Chinese ones. `…` is a few words between; bounded, so that a hostile
query takes no longer than another."""

_BETWEEN: Final = r"\b.{0,40}\b"

_RULES: Final = tuple(
    (
        Label(intent, SCORE),
        re.compile(rf"\b(?:{english.replace(' … ', _BETWEEN)})\b|{chinese}", re.IGNORECASE),
    )
    for intent, english, chinese in _PHRASES
)


def understand_by_rules(text: str) -> Understanding:
    """What a normalised, redacted query says by its words; depends on nothing else.

    Language and sentiment stay unknown, and there is no vector.
    """
    intent = next((label for label, words in _RULES if words.search(text)), UNKNOWN_LABEL)
    return Understanding(
        language=UNDETERMINED,
        intent=intent,
        alternatives=(),
        sentiment=UNKNOWN_LABEL,
    )
