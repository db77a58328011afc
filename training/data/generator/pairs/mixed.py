# ruff: noqa: E501 - phrases read better one a line
"""Products each said in its own way: counted, in sentences of their own, with more said of one later."""

from collections.abc import Callable

from training.data.generator.pairs.lists import enumerated
from training.data.generator.pairs.phrases import after, clause, described, kind_of, wish
from training.data.generator.pairs.places import ORDINALS
from training.data.generator.pairs.writer import TYPES, Attribute, Body, Product, Writer, attached
from training.data.markup import marked

_NUMBERS = (
    "2",
    "3",
    "4",
    "5",
    "6",
    "8",
    "10",
    "12",
    "two",
    "three",
    "four",
    "five",
    "six",
    "2x",
    "3x",
    "4x",
    "2 x",
    "x3",
)
_OPEN = (
    "i need {N}", "looking for {N}", "{N}", "i want {N}", "show me {N}", "we are after {N}", "first {N}", "my list: {N}", "do you have {N}", "it's about {N}", "i am searching for {N}", "what about {N}", "can i get {N}",
    "start with {N}", "get me {N}", "one thing i need is {N}", "let's begin with {N}", "i'm out of ideas for {N}",
)  # fmt: skip
_MORE = (
    "also {N}", "and {N}", "i also need {N}", "then {N}", "plus {N}", "oh and {N}", "besides {N}", "another thing: {N}", "we need {N} too", "next {N}", "{N} as well", "on top of that {N}", "and while we're at it {N}", "and then there is {N}",
    "do you also have {N}", "additionally {N}", "{N} too", "what about {N}", "and can i get {N}", "not to forget {N}", "last {N}", "not only that, also {N}",
)  # fmt: skip
# s: which product; P: what else is said of it.
_RECALLED = (
    ", the {s} one {P}", ", the {s} {P}", ". the {s} one should be {P}", ". the {s} must be {P}", " - the {s} one {P}", ", {P} for the {s} one", ", and the {s} one also {P}", "; the {s} please {P}", ". i'd like the {s} one {P}", ", and {P} goes for the {s} only",
    " ‹the {s} one {P}›", ", only the {s} needs to be {P}", ", but the {s} one has to be {P}", ". for the {s} one {P}", ", with the {s} {P}", ". {P}, the {s} one", ", make the {s} one {P}", ". also the {s} one {P}",
)  # fmt: skip


def counted(writer: Writer) -> Body:
    """How many of each: "2 red mugs and 3 plates in white", "mugs x2"."""
    count = writer.weighed({2: 6, 3: 2})
    products = [writer.product(named=0.0, plural=True) for _ in range(count)]
    used: list[str] = []
    parts = []
    form = writer.pick(
        ("{q} {N}", "{q} {N}", "{q} {N}", "{q} of the {N}", "{N} - {q}", "{N} ‹{q}›", "{N}: {q}")
    )
    for product in products:
        product.types.add("quantity")
        number = writer.pick([one for one in _NUMBERS if one not in used])
        used.append(number)
        before = [writer.adjective(product)] if writer.often(0.6) else []
        noun = " ".join((*(one.text for one in before), product.name))
        number = marked(number, "quantity", of=product.number)
        text = writer.say(form, q=number, N=noun)
        if form.endswith("{N}") and writer.often(0.3):
            text = f"{text} {after(writer, writer.attribute(product))}"
        parts.append(text)
    return Body(enumerated(writer, parts, apart=True))


def sentences(writer: Writer) -> Body:
    """A sentence or two for each: "I need a lamp. It should be white. Also a rug, grey."."""
    products = writer.products(writer.weighed({2: 6, 3: 2}))
    parts: list[str] = []
    for product in products:
        frames = _MORE if parts else _OPEN
        before = [writer.adjective(product)] if writer.often(0.3) else []
        frame = writer.pick(frames)
        text = writer.say(frame, N=writer.noun(product, before, article=0.9))
        if before and writer.often(0.4) and len(parts) < len(products) - 1:
            parts.append(text)
            continue
        text = attached(text, wish(writer, product, _some(writer, product), bare=0.35))
        if writer.often(0.2):
            text = attached(text, wish(writer, product, [writer.attribute(product)], bare=0.2))
        parts.append(text)
    return Body(writer.pick((". ", ". ", "; ", ". ", "! ", "... ", ". ")).join(parts), phrase=False)


def recalled(writer: Writer) -> Body:
    """Products, each with what it is beside it, and something more of one of them at the end."""
    products = writer.products(writer.weighed({2: 5, 3: 3}))
    ways: tuple[Callable[[Writer, Product], str], ...] = (_before, _before, _behind, _clause, _bare)
    way = writer.chance.choice(ways)
    parts = []
    for product in products:
        parts.append(way(writer, product))
        way = writer.chance.choice(ways) if writer.often(0.4) else way
    joint = writer.pick(
        (" and ", ", ", " and ", ", and ", " plus ", " or ", "; ", " & ", " + ", " as well as ")
    )
    place = writer.chance.randrange(len(products))
    names = [ORDINALS[place][0]]
    if place == len(products) - 1:
        names += ["last", "latter"] if len(products) == 2 else ["last"]
    elif len(products) == 2:
        names.append("former")
    told = described(writer, _some(writer, products[place]), bare=0.6)
    tail = writer.say_one(_RECALLED, s=writer.pick(names), P=told)
    return Body(attached(joint.join(parts), tail))


def by_kind(writer: Writer) -> Body:
    """One kind of thing after another, of each product in turn: "colour: the first red, the second blue"."""
    products = writer.products(2)
    types = list(dict.fromkeys(writer.weighed(TYPES) for _ in range(3)))[:2]
    form = writer.pick(
        ("{k}: {x}, {y}", "{k} {x} and {y}", "{k}: {x} / {y}", "{k}s {x} and {y}", "{k} - {x}; {y}")
    )
    frame = writer.pick(
        (
            "the {s} one {a}",
            "{s} {a}",
            "the {s} {a}",
            "{a} for the {s}",
            "{a} ‹{s}›",
            "{s} one: {a}",
        )
    )
    parts = []
    for type_ in types:
        order = [0, 1] if writer.often(0.7) else [1, 0]
        said = [
            writer.say(frame, s=ORDINALS[n][0], a=writer.another(products[n], type_).text)
            for n in order
        ]
        parts.append(writer.say(form, k=kind_of(writer, type_), x=said[0], y=said[1]))
    names = enumerated(writer, [writer.noun(product, article=0.4) for product in products])
    said_all = writer.pick((". ", "; ", ", ", " - ")).join(parts)
    if writer.often(0.2):
        return Body(f"{said_all}{writer.pick((': ', '. ', ' - '))}{names}", phrase=False)
    return Body(f"{names}{writer.pick((', ', '. ', ': ', ' - ', '; '))}{said_all}")


def _some(writer: Writer, product: Product) -> list[Attribute]:
    return [writer.attribute(product) for _ in range(writer.weighed({1: 7, 2: 2}))]


def _before(writer: Writer, product: Product) -> str:
    count = writer.weighed({1: 5, 2: 2})
    return writer.noun(product, [writer.adjective(product) for _ in range(count)], article=0.7)


def _behind(writer: Writer, product: Product) -> str:
    return f"{writer.noun(product, article=0.7)} {after(writer, writer.attribute(product))}"


def _clause(writer: Writer, product: Product) -> str:
    return f"{writer.noun(product, article=0.7)} {clause(writer, [writer.attribute(product)])}"


def _bare(writer: Writer, product: Product) -> str:
    # The article keeps an attribute of the product in front from going for this one as well.
    return writer.noun(product, article=1.0)
