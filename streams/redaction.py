"""Personal data out of a query's text: each find becomes a typed placeholder.

Rules, not a model, so that the same text always gives the same answer and each rule can be
read. They lean towards leaving product queries alone (sizes, part numbers, EANs, prices): bare
digits are personal only by their shape (a card's check digit, a dialling code) or by the word
that stands before them ("order", "tracking", "call me").

Every rule takes time linear in the text: repeats are bounded, and no two adjacent repeats
match the same characters.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final


class RedactedKind(Enum):
    """What was found."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CARD = "CARD"
    ORDER = "ORDER"

    @property
    def placeholder(self) -> str:
        """What stands in the text instead."""
        return f"[{self.value}]"


ENTITY_TYPE_OF: Final[dict[RedactedKind, str | None]] = {
    RedactedKind.EMAIL: "contact",
    RedactedKind.PHONE: "contact",
    RedactedKind.CARD: None,  # a card number says nothing a consumer may use: no entity
    RedactedKind.ORDER: "order_id",
}


@dataclass(frozen=True, slots=True)
class RedactedSpan:
    """Where a placeholder stands: code-point offsets into the redacted text, end exclusive.

    `entity_type` is the entity to publish for it, None for a kind that gives none (CARD).
    """

    kind: RedactedKind
    start: int
    end: int
    entity_type: str | None


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without personal data, and its placeholders in order."""

    text: str
    spans: tuple[RedactedSpan, ...] = ()


_Found = tuple[int, int, RedactedKind]
_Finder = Callable[[str], Iterator[_Found]]
_Parts = list[str | RedactedKind]


def redact(text: str) -> Redacted:
    """Replaces e-mail addresses, phone, card and order numbers in a normalised text.

    A placeholder that is there already (typed, or put there by a shop that redacts upstream)
    is kept and gets its span like our own; so redacting twice gives the same as once.
    """
    if not _WORTH_A_LOOK.search(text):
        return Redacted(text)
    finders: list[_Finder] = [_placeholders]
    if "@" in text:
        finders.append(_emails)
    if _FOUR_DIGITS.search(text):
        finders += [_cards, _announced_orders, _shaped_orders, _phones]
    parts: _Parts = [text]
    # A find ends the run of characters it stood in, which may free a neighbour: look again.
    for _ in range(_MAX_ROUNDS):
        known = len(parts)
        for finder in finders:  # in order of precedence: each sees what the earlier ones left
            parts = [piece for part in parts for piece in _split(part, finder)]
        if len(parts) == known:
            break
    return _joined(parts)


def _split(part: str | RedactedKind, finder: _Finder) -> _Parts:
    if isinstance(part, RedactedKind):
        return [part]
    pieces: _Parts = []
    copied = 0
    for start, end, kind in finder(part):
        pieces += (part[copied:start], kind)
        copied = end
    return [*pieces, part[copied:]]


def _joined(parts: _Parts) -> Redacted:
    texts: list[str] = []
    spans: list[RedactedSpan] = []
    length = 0
    for part in parts:
        text = part.placeholder if isinstance(part, RedactedKind) else part
        if isinstance(part, RedactedKind):
            spans.append(RedactedSpan(part, length, length + len(text), ENTITY_TYPE_OF[part]))
        texts.append(text)
        length += len(text)
    return Redacted("".join(texts), tuple(spans))


_MAX_ROUNDS = 4
_WORTH_A_LOOK = re.compile(r"[\d@\[]")
_FOUR_DIGITS = re.compile(r"\d(?:\D*\d){3}")

# --- placeholders that are there already

_PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|ORDER)\]")


def _placeholders(text: str) -> Iterator[_Found]:
    for match in _PLACEHOLDER.finditer(text):
        yield match.start(), match.end(), RedactedKind(match[1])


# --- e-mail: from each "@", the longest local part to its left and domain to its right

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]")
_DOMAIN = re.compile(
    r"(?:[\w-]+\.)+(?:xn--[a-z0-9-]+|[^\W\d_]{2,})"  # shop.example, münchen.xn--p1ai
    r"|(?:gmail|googlemail|yahoo|hotmail|outlook|icloud)\b"  # the ending forgotten
    r"|\[?\d{1,3}(?:\.\d{1,3}){3}\]?",  # an address literal
    re.IGNORECASE,
)


def _emails(text: str) -> Iterator[_Found]:
    floor = 0
    at = text.find("@")
    while at != -1:
        domain = _DOMAIN.match(text, at + 1)
        start = _local_part_start(text, at, floor) if domain else at
        if domain and start < at:
            floor = domain.end()
            yield start, floor, RedactedKind.EMAIL
        at = text.find("@", max(at + 1, floor))


def _local_part_start(text: str, at: int, floor: int) -> int:
    """Where the local part before `at` begins; never left of `floor`, the last find's end."""
    if at > floor and text[at - 1] == '"':  # "john doe"@shop.example
        opening = text.rfind('"', max(floor, at - 66), at - 1)
        return at if opening == -1 else opening
    start = at
    while start > floor and _LOCAL.match(text[start - 1]):
        start -= 1
    return start


# --- cards: 14 to 19 digits, groups parted by one blank or hyphen, a scheme's range, Luhn

_DIGIT_GROUPS = re.compile(r"(?<![\w.-])\d+(?:[ -]\d+)*(?![\w-])")
_GROUP = re.compile(r"\d+")
_MIN_CARD, _MAX_CARD = 14, 19
_SCHEMES = re.compile(
    r"4(?:\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:50|5[6-9]|6[3-9])\d{14}"  # Maestro, in its usual length
)


def _cards(text: str) -> Iterator[_Found]:
    for run in _DIGIT_GROUPS.finditer(text):
        if run.end() - run.start() < _MIN_CARD:
            continue
        groups = [group.span() for group in _GROUP.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first)
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1], RedactedKind.CARD
                first = last + 1


def _card_end(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of a card number that begins with group `first`, if one does."""
    digits = ""
    for index in range(first, min(first + _MAX_CARD, len(groups))):
        start, end = groups[index]
        if len(digits) + end - start > _MAX_CARD:
            return None
        digits += text[start:end]
        if len(digits) >= _MIN_CARD and _SCHEMES.fullmatch(digits) and _luhn(digits):
            return index
    return None


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- order, parcel and case numbers: after a word that announces one, or by their shape

_CODE = r"(?=[\w-]*\d)[^\W_]+(?:[-_/][^\W_]+){0,6}"
_ANNOUNCED = re.compile(
    r"\b(?:(?P<asked>my|this|cancel|cancell?ing|track|tracking|return|check|find|locate|about"
    r"|status of)(?: the| an?| my)? )?"
    r"(?:(?P<sure>orders?|tracking|track|parcel|shipment|consignment|awb|waybill|rma|purchase)"
    # these are also sold, or said of what is sold: only "package number 4521" counts
    r"|package|shipping|delivery|invoice|receipt|case|ticket|confirmation|reference|booking|po)"
    r"(?:'?s)?"
    r"(?P<filler>(?:[ :=]{0,2}(?:\b(?:number|numbers|numer|nr|num|no|id|code|ref|reference"
    r"|confirmation|is|was|the|my|of|with|for|order)\b\.?|[#:=№])){0,5})"
    rf"[ :=#]{{0,3}}(?P<code>(?:\d{{2,}}(?: \d{{2,}}){{1,5}}(?![\w-]))|{_CODE})(?![\w-])",
    re.IGNORECASE,
)
_NUMBER_WORD = re.compile(r"\b(?:number|numbers|numer|nr|num|no|id|code|ref)\b|[#№]", re.IGNORECASE)
_UNIT = re.compile(
    r" ?(?:btu|mah|wh|lumens?|lm|pcs|pieces?|count|ct|pack|watts?|volts?|psi|rpm|dpi|grit|iu|sq)\b",
    re.IGNORECASE,
)
_SHAPED = re.compile(
    r"(?<![\w-])(?:"
    r"\d{3}-\d{7}-\d{7}"  # Amazon's order numbers
    r"|1z[0-9a-z]{16}"  # UPS tracking numbers
    r"|[a-z]{2}\d{9}[a-z]{2}"  # S10, the Universal Postal Union's
    r"|(?:ord|order|rma|inv)[-_]?\d{5,12}"
    r")(?![\w-])",
    re.IGNORECASE,
)


def _shaped_orders(text: str) -> Iterator[_Found]:
    for match in _SHAPED.finditer(text):
        yield match.start(), match.end(), RedactedKind.ORDER


def _announced_orders(text: str) -> Iterator[_Found]:
    for match in _ANNOUNCED.finditer(text):
        code = match["code"]
        digits = sum(char.isdigit() for char in code)
        lead_in = text[match.end("filler") : match.start("code")]
        if _NUMBER_WORD.search(match["filler"] + lead_in):
            enough = 4
        elif not match["sure"] or " " in code:
            continue
        else:
            # "order 20000mah power bank" and "order 2023 calendar" are searches
            if _UNIT.match(text, match.end()):
                continue
            enough = 6
            if code.isdigit():
                enough = 4 if match["asked"] else 5
        if digits >= enough:
            yield (*match.span("code"), RedactedKind.ORDER)


# --- phone numbers: by their dialling code, their grouping, or the word before them

_PHONE = re.compile(
    r"(?<![\w.+-])(?:"
    r"\+(?=(?:\D{0,2}\d){8})\d{1,3}(?:[ .-]?\(0?\d{0,4}\)|[ .-]?\d{1,5}){1,7}"  # +49 (0)30 1234567
    r"|00[1-9]\d{0,2}(?=(?:\D?\d){7})(?:[ -]\d{2,8}){2,5}"  # 0049 30 123 4567
    r"|(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d-|[2-9]\d\d\.)[2-9]\d\d[.-]\d{4}"  # 415-555-2671
    r"|0\d{2,4}[ -]\d{3,4}[ -]\d{3,4}|0\d{4}[ -]\d{6}"  # 020 7946 0958, 07700 900123
    r")(?![\w-])"
    r"|\b(?:phone|telephone|tel|mobile|cell|cellphone|whatsapp|landline|fax|call|text|sms|dial|ring"
    r"|(?:reach|contact) (?:me|us)|my number)"
    r"(?: (?:me|us|number|no|nr|is|at|on|back|under|my)){0,5}[ .:#]{0,3}"
    r"(?P<called>\+?\(?\d(?:[ ().-]{0,2}\d){6,14})(?![\w-])",
    re.IGNORECASE,
)
_CALLED = "called"


def _phones(text: str) -> Iterator[_Found]:
    for match in _PHONE.finditer(text):
        yield (*match.span(_CALLED if match[_CALLED] else 0), RedactedKind.PHONE)
