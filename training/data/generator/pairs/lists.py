# ruff: noqa: E501 - words between products read better one a line
"""Products or what is said of them side by side: with commas, connectives, numbers, labels."""

from collections.abc import Sequence

from training.data.generator.pairs.writer import Product, Writer

# Between all but the last, and before the last.
_LISTS = {
    (", ", " and "): 14, (", ", ", and "): 3, (", ", ", "): 10, (" and ", " and "): 7, (" + ", " + "): 2, (" & ", " & "): 3,
    (" / ", " / "): 2, ("/", "/"): 1, ("; ", "; "): 3, (", ", " plus "): 3, (", ", " or "): 3, (", ", " as well as "): 3,
    (", then ", " and finally "): 2, (" ", " "): 3, (" with ", " and "): 1, (", also ", " and also "): 3, (" together with ", " and "): 2,
    (" - ", " - "): 2, (" along with ", " and "): 2, (", ", ", along with "): 1, (" plus ", " plus "): 3, (", ", " & "): 2,
    (" as well as ", " and "): 2, (", ", ", and also "): 2, (", and ", ", and "): 2, (". ", ". also "): 2, (", ", ", then "): 2,
    (" and then ", " and then "): 2, (", plus ", ", plus "): 2, (" > ", " > "): 1, (" or ", " or "): 2, (", ", ", or "): 1,
    (" next to ", " and "): 1, (", ", " and maybe "): 1, (", additionally ", " and "): 1, (" besides ", " and "): 1,
    (", and besides that ", ", and "): 1, (" ... ", " ... "): 1, (". and ", ". and "): 2, (" – ", " – "): 1, (" combined with ", " and "): 1,
    (" and on top of that ", " and "): 1, (", in addition ", " and "): 1, (" alongside ", " and "): 1, (", ", ", last but not least "): 1,
    (" n ", " n "): 1, (" and even ", " and even "): 1, (", but also ", " and "): 1, (" paired with ", " and "): 1,
}  # fmt: skip
# For what is said of products: nothing that would itself say which is which.
_PLAIN_LISTS = {
    (", ", " and "): 8, (", ", ", "): 7, (" and ", " and "): 6, (" & ", " & "): 2, (" + ", " + "): 1, (" / ", " / "): 2, ("/", "/"): 1,
    ("; ", "; "): 1, (", ", ", and "): 2, (", then ", ", then "): 2, (", ", " then "): 1, (" and then ", " and then "): 1, (" - ", " - "): 1,
    (", ", " plus "): 1, (" ", " "): 1, (", followed by ", ", "): 1,
}  # fmt: skip
_LABELS = (
    ("1) ", "2) ", "3) ", "4) "), ("1. ", "2. ", "3. ", "4. "), ("1: ", "2: ", "3: ", "4: "), ("a) ", "b) ", "c) ", "d) "),
    ("(1) ", "(2) ", "(3) ", "(4) "), ("first ", "second ", "third ", "fourth "), ("firstly ", "secondly ", "thirdly ", "lastly "),
    ("item 1: ", "item 2: ", "item 3: ", "item 4: "), ("a: ", "b: ", "c: ", "d: "), ("first: ", "second: ", "third: ", "last: "),
    ("one: ", "two: ", "three: ", "four: "), ("#1 ", "#2 ", "#3 ", "#4 "), ("i) ", "ii) ", "iii) ", "iv) "),
    ("1 - ", "2 - ", "3 - ", "4 - "), ("no 1 ", "no 2 ", "no 3 ", "no 4 "), ("number one ", "number two ", "number three ", "number four "),
    ("- ", "- ", "- ", "- "), ("* ", "* ", "* ", "* "),
)  # fmt: skip
_BOTH = ("both {x} and {y}", "a set of {x} and {y}", "a pair: {x} and {y}", "{x} and {y}, two things,", "two things: {x} and {y}", "two items, {x} and {y}", "the following: {x}, {y}")  # fmt: skip


def enumerated(
    writer: Writer, parts: Sequence[str], *, plain: bool = False, apart: bool = False
) -> str:
    """The parts in a row, two of them with one of the words that may stand between any two.

    Args:
        writer: draws the words.
        parts: two or more.
        plain: whether they are what is said of products, not products.
        apart: whether more than a blank has to stand between two.
    """
    inner, last = writer.weighed(_PLAIN_LISTS if plain else _LISTS)
    if apart and inner == " ":
        inner = last = ", "
    if len(parts) == 2 and writer.often(0.5):
        last = inner
    text = parts[0]
    for number, part in enumerate(parts[1:], 2):
        text += (last if number == len(parts) else inner) + part
    return text


def listing(writer: Writer, products: Sequence[Product], *, near: float = 0.2) -> str:
    """The products, few of them with an attribute before the noun, now and then numbered."""
    article = writer.chance.choice((0.0, 0.0, 0.4, 0.9))
    names = [
        writer.noun(
            product, [writer.adjective(product)] if writer.often(near) else (), article=article
        )
        for product in products
    ]
    if writer.often(0.12):
        labels = writer.chance.choice(_LABELS)
        parts = [label + name for label, name in zip(labels, names, strict=False)]
        return writer.pick((" ", ", ", "; ", " and ")).join(parts)
    if len(names) == 2 and writer.often(0.06):
        return writer.say_one(_BOTH, x=names[0], y=names[1])
    return enumerated(writer, names)
