"""Ordinary queries that the redactor alters by mistake; needs nothing of the training extra."""

from collections.abc import Iterable

from streams.redaction import redact
from streams.text import normalise

_WHOLE = 100_000  # characters: no query is cut


def altered(queries: Iterable[str]) -> list[tuple[str, str]]:
    """The queries that the redactor changes, with what becomes of them."""
    found = []
    for query in queries:
        clean = normalise(query, max_chars=_WHOLE)
        redacted = redact(clean).text
        if redacted != clean:
            found.append((clean, redacted))
    return found
