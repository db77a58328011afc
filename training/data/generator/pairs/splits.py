# ruff: noqa: E501 - phrases read better one a line
"""Products in groups, words grown into one with an attribute, what is said of one in two places, second choices."""

from training.data.generator.pairs.clauses import about, noun_of, wished
from training.data.generator.pairs.lists import enumerated, listing
from training.data.generator.pairs.phrases import after
from training.data.generator.pairs.writer import LEADING, Attribute, Body, Product, Writer

# a, b: of the two that are spoken of together; c: of the one that is left, whose place is s.
_GROUPED = (
    "the {g} (in|should be|are to be|must be|) {a} and {b} respectively, the {s} {c}", "the {g}: {a} and {b} (in that order|respectively); the {s}: {c}", "{c} for the {s}, {a} and {b} respectively for the {g}", "the {s} {c}, the {g} {a} and {b}, in that order", "{a} and {b} are for the {g} in turn, {c} for the {s}",
    "of the {g} the one {a}, the other {b}, in that order; and the {s} {c}", "the {s} should be {c} but the {g} {a} and {b} respectively", "with the {g} {a} and {b} respectively and the {s} {c}", "{c} the {s}, while the {g} {a} respectively {b}", "the {g} go {a} and {b}, as listed, the {s} goes {c}",
)  # fmt: skip
_GROUPS = (
    (0, 1, "first two", ("third", "last", "last one", "third one")),
    (1, 2, "last two", ("first", "first one")),
    (0, 2, "outer two", ("middle one", "one in the middle", "second")),
)
# Attributes that are one word with what leads from them to a noun.
_GROWN: dict[str, tuple[str, ...]] = {
    "color": ("{a}-colo(u|)red {x}", "{a}-colo(u|)red {x}", "all-{a} {x}", "{a}-tinted {x}", "{a}-ish {x}"),
    "material": ("{a}-made {x}", "all-{a} {x}", "{a}-based {x}", "{a}-look {x}", "pure-{a} {x}"),
    "creator": ("{a}'s {x}", "{a}'s {x}", "{a}-branded {x}", "{a}-made {x}", "the {x} {a} makes", "the {x} {a} sells"),
    "UoM": ("{a}-sized {x}", "{a}-size {x}", "{x} {a}-sized", "{x} sized {a}"),
    "modifier": ("{a}-type {x}", "ultra-{a} {x}", "{a}-style {x}"),
    "department": ("{a}-friendly {x}", "{a}-only {x}", "{x} {a} can have"),
    "condition": ("{a}-condition {x}", "{a}-state {x}"),
    "occasion": ("{a}-ready {x}", "{a}-proof {x}", "{x} {a}-style", "pre-{a} {x}"),
    "shape": ("{a}-shaped {x}", "{a}-cut {x}", "{a}-form {x}"),
    "content": ("{a}-themed {x}", "{a}-print {x}", "{a}-patterned {x}", "{x} full of {a}"),
    "origin": ("{a}-made {x}", "{a}-style {x}", "{x}, {a}-built,"),
    "time": ("{a}-style {x}", "{a}-era {x}", "{x} {a}-dated"),
    "price": ("{x} {a} apiece", "{x} tagged {a}"),
}  # fmt: skip
_KNOWN = ("and", "or", "plus", "with", "as well as", "next to", "along with", "but no", "not")
# P and Q go for x, with y in between.
_AROUND = (
    "{P} i want the {x} ‹the {y} {R}› and {Q} too", "first the {x}: {P}. then the {y}: {R}. and one more thing about the first: {Q}", "{x} and {y}: {P} the first, {R} the second, and the first also {Q}", "the {x} {P}, the {y} {R}, and again the former {Q}", "the {x} has to be {P}; so much for that, the {y} {R}. ah, and the former also {Q}",
    "the {y} {R}; the {x}, on the other hand, {P}, and the latter also {Q}", "the {x} {P} ‹and {R} for the {y}› but also {Q}, the former that is", "{x}, {P}, beside {y}, {R}: and the first-mentioned {Q} as well", "{P} {x} - {y} would be {R} - {x_it} should be {Q} besides", "{Q}, that's one wish for the {x}, {R} is the one for the {y}, and the former should be {P} too",
    "the {y} {R}, but {P} the {x}, and (as i said of the latter|for the latter as well) {Q}", "{P} as well as {Q} ‹not so the {y}: {R}› is how the {x} should be", "the {x} - {P} - and the {y} - {R} -, where the former should in addition be {Q}", "{x} {P} and {y} {R}, plus for the first {Q}", "the {x} i'd like {P}, with the {y} being {R}, and on top of it {Q} for the former",
    "what i know: the {x} is {P}, the {y} {R}. what i forgot: the former is {Q} too", "{x} not only {P}, {y} just {R}, the former moreover {Q}", "{P} the {x}, {R} the {y}; {Q} once more the former", "both {P} and {Q} for the {x}, but {R} for the {y}", "only {R} for the {y}, and for the {x} {P} plus {Q}",
)  # fmt: skip
_SECOND_CHOICE = (
    "if you don't have the {x} {P}, then the {y} {Q}", "{x} {P} or, should that be sold out, {y} {Q}", "i'd take the {x} {P} first, the {y} {Q} second", "most important the {x}, {P}; less so the {y}, {Q}", "priority one: {x}, {P}. priority two: {y}, {Q}", "{x} {P}; plan b: {y} {Q}",
    "the {x} {P} if in stock, otherwise the {y} {Q}", "no {x} {P} left? {y} {Q} then", "in case the {x} {is} gone, {P} as {it} should be, {y} {Q}", "today the {x}, {P}, next month the {y}, {Q}", "{x} {P} now, {y} {Q} another time", "rather the {x} {P} than the {y}, even {Q}",
    "the {x} {P} is for me, the {y} {Q} is for someone else", "i buy the {x} {P}, a friend buys the {y} {Q}", "the {x} {P} i need at once, the {y} {Q} can wait", "the {y} {Q} only in case there is no {x} {P}", "you may skip the {y}, {Q}, but not the {x}, {P}", "i have seen the {y} {Q} already, now show me the {x} {P}",
    "the {x} {P} goes in the basket, the {y} {Q} on the wish list", "tell me first about the {x} {P} and only then about the {y} {Q}", "before i look at the {y} {Q} i need the {x} {P}", "since the {y} {Q} took so long, i'd like the {x} {P} soon", "as soon as the {y} {Q} is here i'll get the {x} {P}", "compare the {x} {P} to the {y} {Q}",
)  # fmt: skip


def grouped(writer: Writer) -> Body:
    """Two of three spoken of together: "the first two in red and blue respectively, the last green"."""
    products = writer.products(3)
    one, other, name, places = writer.chance.choice(_GROUPS)
    rest = 3 - one - other
    slots = {
        "g": name, "s": writer.pick(places), "a": _short(writer, products[one]), "b": _short(writer, products[other]),
        "c": wished(writer, products[rest]),
    }  # fmt: skip
    listed = listing(writer, products, near=writer.chance.choice((0.0, 0.0, 0.2)))
    lead = writer.pick((", ", ". ", ": ", " - ", "; "))
    return Body(f"{listed}{lead}{writer.say_one(_GROUPED, **slots)}")


def grown(writer: Writer) -> Body:
    """Attributes that have grown together with a word: "red-coloured shoes", "sony's headphones"."""
    products = writer.products(writer.weighed({2: 6, 3: 3}))
    texts = []
    for product in products:
        attribute = writer.adjective(product)
        led = attribute.words.split()[0].lower() in LEADING or attribute.words.endswith("s")
        if led or attribute.type not in _GROWN:
            texts.append(writer.noun(product, [attribute], article=1))
        else:
            texts.append(_one_word(writer, product, attribute))
        if writer.often(0.25):
            texts[-1] = f"{texts[-1]} {after(writer, writer.attribute(product))}"
    if len(texts) == 2 and writer.often(0.5):
        return Body(f" {writer.pick(_KNOWN)} ".join(texts))
    return Body(enumerated(writer, texts, apart=True))


def around(writer: Writer) -> Body:
    """What is said of one product in two places, of another in between."""
    one, other = writer.products(2)
    slots = {
        "x": one.name, "x_it": "they" if one.plural else "it", "y": other.name,
        "P": _short(writer, one), "Q": _short(writer, one), "R": _short(writer, other),
    }  # fmt: skip
    return Body(writer.say_one(_AROUND, **slots), phrase=False)


def second_choice(writer: Writer) -> Body:
    """One product before another: in case there is none, in time, in rank."""
    one, other = writer.products(2)
    slots = {**about(writer, one), "y": noun_of(writer, other)}
    said = {"P": _behind(writer, one), "Q": _behind(writer, other)}
    return Body(writer.say_one(_SECOND_CHOICE, **slots, **said), phrase=False)


def _one_word(writer: Writer, product: Product, attribute: Attribute) -> str:
    """A product with an attribute grown together with a word, a determiner before it now and then."""
    text = writer.say_one(_GROWN[attribute.type], a=attribute.text, x=product.name)
    return (
        f"{writer.pick(('the', 'my', 'some', 'any'))} {text}"
        if text[0] == "[" and writer.often(0.4)
        else text
    )


def _short(writer: Writer, product: Product) -> str:
    """One attribute, mostly as it stands."""
    attribute = writer.attribute(product)
    return attribute.text if writer.often(0.75) else after(writer, attribute, clauses=False)


def _behind(writer: Writer, product: Product) -> str:
    """One or two attributes as they follow a noun."""
    told = [after(writer, writer.attribute(product), clauses=False)]
    told += [after(writer, writer.attribute(product), clauses=False)] if writer.often(0.2) else []
    return writer.pick((" and ", ", ", " ")).join(told)
