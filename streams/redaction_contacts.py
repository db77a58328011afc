"""Rules for e-mail addresses, phone numbers, and order, parcel and case numbers."""

import re
from collections.abc import Iterator

from streams.redaction_kinds import CJK, LETTER, Found, RedactedKind

# --- e-mail: from each "@", the longest local part to its left and domain to its right

_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]")
_BLANKLESS = re.compile(f"[{CJK}]")
_DOMAIN = re.compile(
    rf"(?:[\w-]+\.)+(?:xn--[a-z0-9-]+|[a-z]{{2,}}(?=[{CJK}])"  # me@shop.example谢谢
    r"|[^\W\d_]{2,})"  # shop.example, münchen.xn--p1ai
    r"|(?:gmail|googlemail|yahoo|hotmail|outlook|icloud)\b"  # the ending forgotten
    r"|\[?\d{1,3}(?:\.\d{1,3}){3}\]?",  # an address literal
    re.IGNORECASE,
)


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses."""
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
    # "发到me@shop.example": what is written without blanks before a Latin address is no part of it
    latin = not _BLANKLESS.match(text[at - 1 : at])
    while start > floor and _LOCAL.match(text[start - 1]):
        if latin and _BLANKLESS.match(text[start - 1]):
            break
        start -= 1
    return start


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
    rf"(?<!{LETTER})(?<!-)(?:"
    r"\d{3}-\d{7}-\d{7}"  # Amazon's order numbers
    r"|1z[0-9a-z]{16}"  # UPS tracking numbers
    r"|[a-z]{2}\d{9}[a-z]{2}"  # S10, the Universal Postal Union's
    r"|(?:ord|order|rma|inv)[-_]?\d{5,12}"
    rf")(?!{LETTER})(?!-)",
    re.IGNORECASE,
)
_CHINESE_ORDERS = re.compile(
    r"(?:订单|訂單|单号|單號|运单|運單|快递|快遞|包裹|物流|退货|退款)(?:编号|編號|号码|號碼|号|號)?"
    r"(?:是|为|為|[ :#,]){0,3}"
    rf"(?P<code>[A-Za-z]{{0,4}}[-_ ]?\d[A-Za-z0-9]*(?:[-_][A-Za-z0-9]+){{0,4}})(?!{LETTER})"
)
_ENOUGH_IN_CHINESE = 5


def shaped_orders(text: str) -> Iterator[Found]:
    """Numbers in the shape of a well-known shop or carrier."""
    for match in _SHAPED.finditer(text):
        yield match.start(), match.end(), RedactedKind.ORDER


def announced_orders(text: str) -> Iterator[Found]:
    """Numbers after a word such as "order" or "订单"; not those of what is to be ordered."""
    for match in _CHINESE_ORDERS.finditer(text):
        if sum(char.isdigit() for char in match["code"]) >= _ENOUGH_IN_CHINESE:
            yield (*match.span("code"), RedactedKind.ORDER)
    yield from _english_orders(text)


def _english_orders(text: str) -> Iterator[Found]:
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

_EXTENSION = r"(?: ?(?:x|ext\.?|extension) ?\d{1,6})?"
_PHONE = re.compile(
    rf"(?<!{LETTER})(?<![.+-])(?:"
    r"\+(?=(?:\D{0,2}\d){8})\d{1,3}(?:[ .-]?\(0?\d{0,4}\)|[ .-]?\d{1,5}){1,7}"  # +49 (0)30 1234567
    r"|00[1-9]\d{0,2}(?=(?:\D?\d){7})(?:[ -]\d{2,8}){2,5}"  # 0049 30 123 4567
    r"|(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d-|[2-9]\d\d\.)[2-9]\d\d[.-]\d{4}"  # 415-555-2671
    r"|\(0\d{1,5}\)[ -]?\d{3,9}(?:[ -]\d{2,8}){0,2}"  # (0161) 496 0066
    r"|0[1-9](?:[ .-]\d\d){4}"  # 04 15 39 15 00
    r"|0[1-9]\d{0,3}[ -](?=(?:[ -]?\d){6,9}(?!\d))\d{2,8}(?:[ -]\d{2,4}){0,3}"  # 020 7946 0958
    r"|(?:86[ -])?1[3-9]\d[ -]\d{4}[ -]\d{4}"  # 138 0013 8000
    rf"){_EXTENSION}(?!{LETTER})(?![-])"
    r"|\b(?:phone|telephone|tel|mobile|cell|cellphone|whatsapp|landline|fax|call|text|sms|dial|ring"
    r"|(?:reach|contact) (?:me|us)|my number)"
    r"(?: (?:me|us|number|no|nr|is|at|on|back|under|my)){0,5}[ .:#]{0,3}"
    rf"(?P<called>\+?\(?\d(?:[ ().-]{{0,2}}\d){{6,14}}{_EXTENSION})(?!{LETTER})(?!-)"
    r"|(?:电话|電話|手机|手機|致电|拨打|联系方式|联系|聯繫|号码|號碼|[打是])"
    r"(?:号码|號碼|号|號|是|为|為|[ :,]){0,4}"
    rf"(?P<told>\+?\(?\d(?:[ ().-]{{0,2}}\d){{6,14}})(?!{LETTER})(?!-)",
    re.IGNORECASE,
)
_CHINESE_MOBILE = re.compile(rf"(?<!{LETTER})(?<![.+-])(?:86)?1[3-9]\d{{9}}(?!{LETTER})(?![.-]\d)")
_TAIWANESE = re.compile(rf"(?<!{LETTER})(?<![.+-])0[2-9]\d{{7,8}}(?!{LETTER})(?![.-]\d)")
_GROUPED = re.compile(r"[2-9]\d\d [2-9]\d\d \d{4}" + _EXTENSION)
_ANY_CJK = re.compile(f"[{CJK}]")


def phones(text: str) -> Iterator[Found]:
    """Phone numbers. What could be a part number too counts alone, or among Chinese words."""
    for match in _PHONE.finditer(text):
        name = "called" if match["called"] else "told" if match["told"] else 0
        yield (*match.span(name), RedactedKind.PHONE)


def bare_phones(text: str) -> Iterator[Found]:
    """Numbers that are a phone's only where nothing else stands beside them."""
    stripped = text.strip(" .,!?")
    start = text.find(stripped)
    alone = any(pattern.fullmatch(stripped) for pattern in (_CHINESE_MOBILE, _TAIWANESE, _GROUPED))
    if alone:
        yield start, start + len(stripped), RedactedKind.PHONE
    elif _ANY_CJK.search(text):
        for match in _CHINESE_MOBILE.finditer(text):
            yield match.start(), match.end(), RedactedKind.PHONE
