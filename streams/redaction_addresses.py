"""Rules for postal addresses.

An address counts when words announce one ("ship it to", "收货地址"), or when it has the parts of one
in their order: a street with a house number and, behind it, a postal code; in Chinese a province or a
city, a street and a number. A street alone is as often a brand or a toy.
"""

import re
from collections.abc import Iterator

from streams.redaction_kinds import CJK, LETTER, Found, RedactedKind

_STATES = (
    "A[CKLRZ]|BC|C[AOT]|D[CE]|F[LM]|G[AU]|HI|I[ADLN]|K[SY]|LA|M[ABDEHINOPST]|N[BCDEHJLMSTUVY]|O[HKNR]"
    "|P[AERW]|QC|QLD|RI|S[ACDK]|T[NXA]|U[T]|V[AIT]|VIC|W[AIVY]|YT|NSW|TAS|ACT|NT"
)
_POSTAL = (
    rf"(?:(?:{_STATES}),? ?\d{{4,5}}(?:-\d{{4}})?"  # TN 83200; NT, 2484
    rf"|(?:{_STATES})? ?[A-Z]\d[A-Z] ?\d[A-Z]\d"  # X4B 6R2
    r"|[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}"  # SK95 0NF
    r"|\d{4} ?[A-Z]{2}"  # 7695 DV
    r"|\d{5,6})"  # 83873, 110411
)
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{0,24}"
_SMALL = (
    r"(?:de|del|della|di|da|du|des|la|le|les|los|las|van|von|der|den|het|et|y|en|'t|of|the|upon|sur"
    r"|aan|&)"
)
_NAME = rf"(?:{_CAPITAL}|{_SMALL}|l'{_CAPITAL})"
_NAMES = rf"{_CAPITAL}(?: {_NAME}){{0,5}}"
_NUMBER = r"\d{1,5}[A-Za-z]?(?:[/-]\d{1,4}[A-Za-z]?)?"
_UNIT = (
    r"(?:(?:Suite|Apt\.?|Apartment|Unit|Flat|Studio|Level|Floor|House No\.?|H\.No\.|Piso|Piano"
    r"|Appartamento|Interno|Wohnung|Appartement) ?\d{1,4}[A-Za-z]?)"
)
_STREET = (
    r"(?:street|road|avenue|boulevard|highway|terrace|crescent|rue|chemin|allée|impasse|quai|calle"
    r"|avenida|plaza|paseo|camino|via|viale|piazza|corso|vicolo|straße|strasse|gasse|weg|platz|allee"
    r"|straat|laan|steeg|plein|singel|gracht|po box|st|rd|ave|blvd|ln|dr|lane|drive|court|square|way)"
)
_WRITTEN = re.compile(
    rf"(?<!{LETTER})(?<![.-])(?:"
    # number first: 8705 Yoder Brook Apt. 359, West Ruben, KY 88903
    rf"(?:{_UNIT},? )?(?:{_NUMBER}(?: bis| ter)?,? (?:rue|avenue|boulevard|chemin|place|allée|impasse"
    rf"|quai|route|{_CAPITAL}))(?: {_NAME}){{0,5}}(?: {_UNIT})?(?:, {_NAMES}){{0,2}}(?:,? |-)"
    # 396, boulevard Dumas, 05961 Saint Alfreddan; also without a number
    rf"|(?:rue|avenue|boulevard|chemin|place|allée|impasse|quai|route)(?: {_NAME}){{1,6}},? "
    # or name first: Wernerring 6/6, 14397 Rosenheim; a unit alone will do: Flat 2, Conor Pines
    rf"|(?:{_NAMES},? {_NUMBER}(?: {_UNIT})? ?|{_UNIT}, {_NAMES})(?:, {_NAMES}){{0,2}},? "
    rf"){_POSTAL}(?!{LETTER})(?:,? {_NAMES})?(?: \([A-Z]{{2}}\))?"
)
_MILITARY = re.compile(
    r"(?:(?:PSC|Unit|CMR|USS|USNS|USNV|USCGC)[\w ]{1,24}?(?:,? Box \d{1,5})?,? )?"
    r"(?:APO|FPO|DPO),? A[AEP] \d{5}"
)
_LEAD_IN = re.compile(
    r"\b(?:(?:ship|send|deliver|post|mail|forward)(?:ed|ing)?(?: (?:it|this|that|them|everything|my order"
    r"|the (?:order|parcel|package)))? (?:to|at)"
    r"|(?:my|our|new|home|shipping|delivery|billing|postal) address(?: is| to|:)?|address:"
    r"|(?:i|we) (?:live|moved|stay) (?:at|in|on|to))(?: my (?:new |home )?address)?[ :,]{1,3}",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    rf"(?i:(?=[^?!;]{{0,120}}\d)[\w#./'’-]+(?:[ ,]{{1,3}}[\w#./'’()&-]+){{1,14}}?[ ,-]{{1,3}}{_POSTAL}"
    rf"(?!{LETTER}))(?:,? {_NAMES})?(?: \([A-Z]{{2}}\))?"
)
_STREET_ONLY = re.compile(
    rf"{_NUMBER},? (?:[\w'’.-]+ ){{1,4}}?{_STREET}\b\.?(?: {_UNIT})?"
    rf"|(?:[\w'’.-]+ ){{0,3}}?[\w'’.-]*{_STREET}(?: [\w'’.-]+){{0,3}}? {_NUMBER}(?!{LETTER})",
    re.IGNORECASE,
)

# --- Chinese: from the greatest to the smallest

_HAN = "[\u3400-\u9fff]"
_PROVINCE = (
    "(?:北京|天津|上海|重庆|重慶|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南"
    "|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾|臺灣|内蒙古|广西|西藏|宁夏|新疆|香港|澳门)"
)
_AREA = (  # possessive, and without the words that end one inside it: or many of them take for ever
    "(?:(?:(?![省市县縣区區州乡鄉镇鎮到在是为為给])[\u3400-\u9fff]){1,6}+"
    "(?:特别行政区|自治区|自治州|省|市|县|縣|区|區|乡|鄉|镇|鎮))"
)
_ROAD = (
    "(?:(?:(?![路街巷弄村里])[\u3400-\u9fff]){0,8}?(?:大道|街道|路|街|道|巷|弄|胡同|村|小区|社区|里)"
    "(?:[0-9一二三四五六七八九十]{1,3}段)?)"
)
_HOUSE = r"(?:[A-Za-z0-9]{1,5}(?:之\d{1,3})?(?:号|號|座|栋|棟|幢|室|楼|樓|单元|層|层|弄|巷)(?:之\d{1,3})?)"
_CHINESE = re.compile(
    rf"(?:\d{{3,6}} (?:{_PROVINCE})?|{_PROVINCE}|(?={_AREA}))(?:{_AREA}){{0,4}}{_ROAD}{_HOUSE}{{1,5}}"
    r"(?: ?\d{3,6}(?!\d))?"
)
_CHINESE_LEAD_IN = re.compile(
    "(?:地址(?:是|为|為|改成|改为|改到|换成|:)|[寄送发發](?:货|貨)?到|[寄送]给|快递到|住在)[ :,]{0,2}"
)
_CHINESE_ANNOUNCED = re.compile(
    rf"(?=[^,。!?]{{0,60}}(?:{_ROAD}|{_HOUSE}))[{CJK}A-Za-z0-9# -]{{4,60}}"
)
_WESTERN = re.compile(r"\d{4}|[A-Z]\d|\d ?[A-Z]{2}")
_EASTERN = re.compile("[路街道巷弄村里区號号]")
"""Without one of these a text has no postal code, or no street: a look that costs little."""


def addresses(text: str) -> Iterator[Found]:
    """Postal addresses, as far as their parts or the words before them say so."""
    spans = sorted({*_written(text), *_announced(text)})
    end = 0
    for start, stop in spans:
        if start >= end:
            yield start, stop, RedactedKind.ADDRESS
            end = stop


def _written(text: str) -> Iterator[tuple[int, int]]:
    patterns = [_WRITTEN, _MILITARY] if _WESTERN.search(text) else []
    if _EASTERN.search(text):
        patterns.append(_CHINESE)
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield match.span()


def _announced(text: str) -> Iterator[tuple[int, int]]:
    for lead_in in _LEAD_IN.finditer(text):
        for pattern in (_ANNOUNCED, _STREET_ONLY):
            if match := pattern.match(text, lead_in.end()):
                yield match.span()
                break
    if not _EASTERN.search(text):
        return
    for lead_in in _CHINESE_LEAD_IN.finditer(text):
        if match := _CHINESE_ANNOUNCED.match(text, lead_in.end()):
            yield match.span()
