"""Rules for payment cards, bank accounts and national ids: by shape and check digits, or announced.

A bare number counts only when its shape and its check digits say what it is; one that a word
announces ("card", "national id", "身份证") needs less.
"""

import re
from collections.abc import Iterator
from typing import Final

from streams.redaction_kinds import LETTER, Found, RedactedKind

# --- cards: 12 to 19 digits, groups parted by one blank or hyphen, Luhn, a scheme's range

_DIGIT_GROUPS = re.compile(rf"(?<!{LETTER})(?<![.-])\d+(?:[ -]\d+)*(?!{LETTER})(?!-)")
_GROUP = re.compile(r"\d+")
_MIN_CARD, _MAX_CARD = 12, 19
_SCHEMES = re.compile(
    r"4(?:\d{15}|\d{18})"  # Visa; its old 13 digits are those of many bar codes
    r"|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|3(?:0[0-5]|[68]\d)\d{11}"  # Diners Club
    r"|(?:6011|64[4-9]\d|65\d\d)\d{12,15}"  # Discover
    r"|35\d{14}|(?:2131|1800)\d{11}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:50|5[6-9]|6[3-9])\d{14}|(?:50(?:18|20|38)|5893|6304|6759|676[1-3]|0604|6390)\d{8}"  # Maestro
)
_GROUPED_CARD = re.compile(r"4\d{3}([ -])\d{4}\1\d{4}\1\d|(?:5[06-8]|6\d)\d\d([ -])\d{4}\2\d{4}")
_CARD_WORD = re.compile(
    r"\b(?:card|visa|mastercard|amex|maestro|cc)\b|信用卡|银行卡|銀行卡|储蓄卡|借记卡|卡号|卡號",
    re.IGNORECASE,
)
_CARD_WORD_WITHIN = 32


def cards(text: str) -> Iterator[Found]:
    """Card numbers; any with a right check digit where a word shortly before says "card"."""
    for run in _DIGIT_GROUPS.finditer(text):
        if run.end() - run.start() < _MIN_CARD:
            continue
        before = text[max(0, run.start() - _CARD_WORD_WITHIN) : run.start()]
        told = _CARD_WORD.search(before) is not None
        groups = [group.span() for group in _GROUP.finditer(text, run.start(), run.end())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first, told=told)
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1], RedactedKind.CARD
                first = last + 1


def _card_end(text: str, groups: list[tuple[int, int]], first: int, *, told: bool) -> int | None:
    """The last group of a card number that begins with group `first`, if one does."""
    digits = ""
    for index in range(first, min(first + _MAX_CARD, len(groups))):
        start, end = groups[index]
        if len(digits) + end - start > _MAX_CARD:
            return None
        digits += text[start:end]
        if len(digits) < _MIN_CARD:
            continue
        whole = index + 1 == len(groups) and (
            told or (first == 0 and _GROUPED_CARD.fullmatch(text, groups[first][0], end))
        )
        if (whole or _SCHEMES.fullmatch(digits)) and _luhn(digits):
            return index
    return None


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812-1, annex B."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


# --- bank accounts: IBANs by their check digits (ISO 13616: the rearranged number is 1 modulo 97)

_IBAN = re.compile(
    rf"(?<!{LETTER})[A-Za-z]{{2}}\d\d(?:[ -]?[A-Za-z0-9]{{4}}){{2,7}}(?:[ -]?[A-Za-z0-9]{{1,3}})?"
)
_MIN_IBAN, _MAX_IBAN = 15, 34
_MIN_IBAN_DIGITS: Final = 8
_IBAN_VALUES: Final = {ord("A") + n: str(10 + n) for n in range(26)}


def accounts(text: str) -> Iterator[Found]:
    """IBANs, in one piece or in groups."""
    position = 0
    while match := _IBAN.search(text, position):
        end = _iban_end(text, match.start(), match.end())
        if end is None:
            position = match.start() + 1
        else:
            yield match.start(), end, RedactedKind.ACCOUNT
            position = end


def _iban_end(text: str, start: int, end: int) -> int | None:
    """Where the longest IBAN between two places ends: words after it may look like more groups."""
    while end - start >= _MIN_IBAN:
        compact = text[start:end].replace(" ", "").replace("-", "")
        if len(compact) < _MIN_IBAN:
            return None
        whole = end == len(text) or not re.match(LETTER, text[end])
        if len(compact) <= _MAX_IBAN and whole and _iban_checks(compact):
            return end
        cut = max(text.rfind(" ", start, end), text.rfind("-", start, end))
        if cut == -1:
            return None
        end = cut
    return None


def _iban_checks(compact: str) -> bool:
    if sum(char.isdigit() for char in compact) < _MIN_IBAN_DIGITS:
        return False
    moved = compact[4:] + compact[:4]
    return int(moved.upper().translate(_IBAN_VALUES)) % 97 == 1


# --- national ids

_ID_WORDS = (
    r"national (?:id|insurance|identity)|social (?:security|insurance)|ssn|nino|identity card"
    r"|id card|passport|driver'?s licen[cs]e|driving licen[cs]e|tax id|aadhaar|personal id"
)
_IDS = re.compile(
    rf"(?<!{LETTER})(?<![.-])(?:"
    r"(?P<ssn>(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4})"  # the United States'
    r"|(?P<resident>[1-9]\d{5}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx])"
    r"|(?P<fiscal>[A-Za-z]{6}\d\d[A-Ea-ehHLlMmPpR-Tr-t]\d\d[A-Za-z]\d{3}[A-Za-z])"  # Italy's
    r"|(?P<nino>(?![DFIQUVdfiquv])[A-Za-z](?![DFIQUVOdfiquvo])[A-Za-z]"  # the United Kingdom's
    r"(?: ?\d{6} ?| \d\d \d\d \d\d )[A-Da-d])"
    r"|(?P<nir>[12]\d\d(?:0[1-9]|1[0-2])\d{10})"  # France's
    r"|(?P<dni>(?:\d{8}|[XYZxyz]\d{7})[A-Za-z])"  # Spain's
    r"|(?P<taiwan>[A-Za-z][12]\d{8})"
    rf")(?!{LETTER})(?!-)"
)
_ANNOUNCED_IDS = re.compile(
    rf"(?:\b(?:{_ID_WORDS})|身份证|身分證|护照|護照|驾照|驾驶证)"
    r"(?: ?(?:and|id|card|number|no|nr|is|was|号码|號碼|号|號|是|为|為|[:#=,.])){0,6} ?"
    r"(?P<code>[A-Za-z]{0,3}[ -]?\d[A-Za-z0-9]{0,20}"
    r"(?:[ .-](?=[A-Za-z]{0,2}\d)[A-Za-z0-9]{1,6}){0,6}(?:[ -][A-Za-z])?)"
    rf"(?!{LETTER})",
    re.IGNORECASE,
)
_ENOUGH_DIGITS: Final = 6
_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"


def ids(text: str) -> Iterator[Found]:
    """National ids whose shape and check digits tell them from other numbers."""
    for match in _IDS.finditer(text):
        check = _CHECKS.get(match.lastgroup or "")
        if check is None or check(match[0].upper()):
            yield match.start(), match.end(), RedactedKind.ID


def announced_ids(text: str) -> Iterator[Found]:
    """Whatever a word announces as the number of a passport, an id card and the like."""
    for match in _ANNOUNCED_IDS.finditer(text):
        if sum(char.isdigit() for char in match["code"]) >= _ENOUGH_DIGITS:
            yield (*match.span("code"), RedactedKind.ID)


def _french(number: str) -> bool:
    """The key of the NIR: 97 less the number modulo 97."""
    return 97 - int(number[:13]) % 97 == int(number[13:])


def _spanish(number: str) -> bool:
    """The letter of DNI and NIE: by the number modulo 23."""
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return _SPANISH[int(digits) % 23] == number[-1]


def _taiwanese(number: str) -> bool:
    """The check digit of Taiwan's national id."""
    letter = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    digits = [letter // 10, letter % 10, *map(int, number[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(a * b for a, b in zip(digits, weights, strict=True)) % 10 == 0


_CHECKS: Final = {"nir": _french, "dni": _spanish, "taiwan": _taiwanese}
