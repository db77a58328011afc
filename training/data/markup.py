"""Texts with their entities and relations marked in line.

`[red](color)>1 [shoes](core_product_type)#1`: a type in parentheses, `#n` numbers a product,
`>n` gives an attribute to product n. Hand-written sets are kept so, and the generator's
templates become so once their slots are filled.
"""

import re
from collections.abc import Iterator
from importlib.resources import files

from streams.labels import PREDICATES, PRODUCT_TYPES
from training.data.examples import Example, TextSpan, checked
from training.errors import DataError

_MARK = re.compile(r"\[([^\][]+|\[[A-Z]+\])\]\((\w+)\)(?:#(\d+))?(?:>(\d+))?")


def marked(text: str, type_: str, *, product: int | None = None, of: int | None = None) -> str:
    """The text marked as an entity."""
    number = f"#{product}" if product is not None else ""
    owner = f">{of}" if of is not None else ""
    return f"[{text}]({type_}){number}{owner}"


def parse(
    markup: str, source: str, *, intent: str | None = None, sentiment: str | None = None
) -> Example:
    """The example a marked text stands for; its entities and relations are all there are.

    Raises:
        DataError: an unknown type, or an attribute of a product that is not there.
    """
    parts: list[str] = []
    spans: list[TextSpan] = []
    products: dict[str, int] = {}
    owners: list[tuple[str, int]] = []
    length = copied = 0
    for mark in _MARK.finditer(markup):
        between = markup[copied : mark.start()]
        parts += (between, mark[1])
        start = length + len(between)
        length = start + len(mark[1])
        copied = mark.end()
        if mark[3]:
            products[mark[3]] = len(spans)
        if mark[4]:
            owners.append((mark[4], len(spans)))
        spans.append(TextSpan(mark[2], start, length))
    parts.append(markup[copied:])
    try:
        relations = tuple((products[owner], attribute) for owner, attribute in owners)
    except KeyError as error:
        raise DataError(f"{source}: no product {error} in {markup!r}") from error
    return checked(Example("".join(parts), source, intent, sentiment, tuple(spans), relations))


def owned_by_nearest(example: Example) -> tuple[tuple[int, int], ...]:
    """The baseline for relations: each attribute belongs to the product nearest in the text."""
    spans = example.spans or ()
    products = [n for n, span in enumerate(spans) if span.type in PRODUCT_TYPES]
    pairs = []
    for n, span in enumerate(spans):
        if span.type in PREDICATES and products:
            gaps = [max(spans[p].start - span.end, span.start - spans[p].end) for p in products]
            pairs.append((products[gaps.index(min(gaps))], n))
    return tuple(pairs)


def hand_written_requests() -> list[Example]:
    """Requests with intent and sentiment, for evaluation only."""
    rows = (line.split("\t") for line in hand_written_lines("requests_en.tsv"))
    return [
        checked(Example(text, "hand_written", intent=intent, sentiment=sentiment))
        for intent, sentiment, text in rows
    ]


def hand_written_products() -> list[Example]:
    """Queries with several products and their relations, for evaluation only."""
    return [
        parse(line, "hand_written", intent="product_search")
        for line in hand_written_lines("products_en.txt")
    ]


def hand_written_crossed() -> list[Example]:
    """Queries whose attributes often stand nearer to another product than to their own."""
    return [
        parse(line, "hand_written", intent="product_search")
        for line in hand_written_lines("crossed_en.txt")
    ]


def hand_written_paraphrases() -> list[tuple[str, str]]:
    """Queries and others of the same meaning, for evaluation only."""
    rows = (line.split("\t") for line in hand_written_lines("paraphrases_en.tsv"))
    return [(one, other) for one, other in rows]


def hand_written_near_misses() -> list[Example]:
    """Out-of-scope texts in a shop's words, for evaluation only."""
    return [
        Example(line, "hand_written", intent="out_of_scope")
        for line in hand_written_lines("nearmiss_en.txt")
    ]


def hand_written_lines(name: str) -> Iterator[str]:
    """The lines of a hand-written file, without those that begin with #."""
    text = files("training.data").joinpath("handwritten", name).read_text(encoding="utf-8")
    return (line for line in text.splitlines() if line and not line.startswith("#"))
