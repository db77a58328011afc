"""Personal data out of a query's text: each find becomes a typed placeholder.

Rules, not a model, so that the same text always gives the same answer and each rule can be
read. They lean towards leaving product queries alone (sizes, part numbers, EANs, prices): bare
digits are personal only by their shape (check digits, a dialling code) or by the word that
stands before them ("order", "tracking", "call me"). Names are left: they are brands as often.

Every rule takes time linear in the text: repeats are bounded, and no two adjacent repeats
match the same characters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from streams.redaction_addresses import addresses
from streams.redaction_contacts import (
    announced_orders,
    bare_phones,
    emails,
    phones,
    shaped_orders,
)
from streams.redaction_kinds import ENTITY_TYPE_OF, Finder, Found, RedactedKind
from streams.redaction_numbers import accounts, announced_ids, cards, ids

__all__ = ["ENTITY_TYPE_OF", "Redacted", "RedactedKind", "RedactedSpan", "redact"]


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


_Parts = list[str | RedactedKind]


def redact(text: str) -> Redacted:
    """Replaces personal data in a normalised text: see `RedactedKind` for what is looked for.

    A placeholder that is there already (typed, or put there by a shop that redacts upstream)
    is kept and gets its span like our own; so redacting twice gives the same as once.
    """
    if not _WORTH_A_LOOK.search(text):
        return Redacted(text)
    finders: list[Finder] = [_placeholders]
    if "@" in text:
        finders.append(emails)
    if _FOUR_DIGITS.search(text):
        finders += _NUMBERS
    finders.append(addresses)
    parts: _Parts = [text]
    # A find ends the run of characters it stood in, which may free a neighbour: look again.
    for _ in range(_MAX_ROUNDS):
        known = len(parts)
        for finder in finders:  # in order of precedence: each sees what the earlier ones left
            parts = [piece for part in parts for piece in _split(part, finder)]
        if len(parts) == known:
            break
    return _joined(parts)


def _split(part: str | RedactedKind, finder: Finder) -> _Parts:
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
_WORTH_A_LOOK = re.compile(r"[\d@\[路街道巷弄村]")
_FOUR_DIGITS = re.compile(r"\d(?:\D*\d){3}")
_PLACEHOLDER = re.compile(rf"\[({'|'.join(kind.value for kind in RedactedKind)})\]")


def _placeholders(text: str) -> Iterator[Found]:
    """Those that are there already."""
    for match in _PLACEHOLDER.finditer(text):
        yield match.start(), match.end(), RedactedKind(match[1])


_NUMBERS: list[Finder] = [
    accounts,
    ids,
    announced_ids,
    cards,
    announced_orders,
    shaped_orders,
    phones,
    bare_phones,
]
"""In order of precedence."""
