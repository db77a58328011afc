"""The kinds of personal data that are redacted, and what a rule for one of them gives."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final


class RedactedKind(Enum):
    """What was found."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CARD = "CARD"
    ACCOUNT = "ACCOUNT"
    ID = "ID"
    ADDRESS = "ADDRESS"
    ORDER = "ORDER"

    @property
    def placeholder(self) -> str:
        """What stands in the text instead."""
        return f"[{self.value}]"


ENTITY_TYPE_OF: Final[dict[RedactedKind, str | None]] = {
    RedactedKind.EMAIL: "contact",
    RedactedKind.PHONE: "contact",
    RedactedKind.CARD: None,  # card, account and id say nothing a consumer may use: no entity
    RedactedKind.ACCOUNT: None,
    RedactedKind.ID: None,
    RedactedKind.ADDRESS: "contact",
    RedactedKind.ORDER: "order_id",
}

Found = tuple[int, int, RedactedKind]
"""Where a find begins, where it ends (exclusive), and what it is."""

Finder = Callable[[str], Iterator[Found]]
"""A rule: its finds in a text, in order and apart."""

CJK: Final = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts written without blanks, for character classes: a number may touch them."""

LETTER: Final = rf"[^\W{CJK}]"
"""A letter or digit that a number next to it would be part of."""
