# ruff: noqa: E501 - phrases read better one a line
"""Products noted down: tables and signs, letters that stand for them, question and answer, dictation."""

from training.data.generator.pairs.clauses import about, noun_of, of_kind, wished
from training.data.generator.pairs.phrases import described, kind_of
from training.data.generator.pairs.writer import TYPES, Body, Product, Writer

# x: the product; P: what it is to be; K: the same by name, "color: red, size: 9".
_RECORDS = (
    "{x} -> {P}", "{x}->{P}", "{x} => {P}", "{x}={P}", "{x} → {P}", "{x} <- {P}", "{x}: ‹{P}›", "{x} ‹{K}›", "item: {x}, {K}", "product: {x} / {K}", "{x} – {K}", "{x}: {K}", "<{x}> {P}", '"{x}" {P}', "{x} ~ {P}", "{x} :: {P}", "{x} (=) {P}", "{x} >> {P}",
    "{K} for item {x}", "what: {x} how: {P}", "thing={x} {K}", "- {x}: {P}", "• {x} ‹{P}›", "* {x} - {K}", "+ {x}, {P}", "{x} / {P} /", "{P} » {x}", "‹{P}› {x}", "{x}: {P} ✓", "want: {x}; wish: {P}", "name {x}, {K}", "{x} ___ {P}", "{x}\\{P}", "({x}: {P})", "{x}, see: {P}",
)  # fmt: skip
_KINDS = ("{k}: {a}", "{k}={a}", "{k} {a}", "{k} = {a}", "{k}:{a}", "{k} -> {a}")
_ROWS = (
    "; ",
    "; ",
    " / ",
    " // ",
    ". ",
    " · ",
    " • ",
    " - ",
    " + ",
    " ; ",
    " --- ",
    " ... ",
    ", next ",
)
_TITLES = (
    "",
    "",
    "",
    "",
    "order list: ",
    "my list - ",
    "specs: ",
    "needed: ",
    "2 be bought: ",
    "note to shop: ",
    "table: ",
    "cart: ",
)
_HEADS = ("item", "product", "what", "article", "thing")
# What stands for each product, where it is named and where it is spoken of.
_SIGNS = (("A", "B", "C"), ("x", "y", "z"), ("X", "Y", "Z"), ("1", "2", "3"), ("*", "**", "***"), ("p", "q", "r"), ("p1", "p2", "p3"), ("item1", "item2", "item3"), ("①", "②", "③"), ("#a", "#b", "#c"), ("alpha", "beta", "gamma"), ("¹", "²", "³"))  # fmt: skip
_NAMES = ("{x} ‹{s}›", "{s} = {x}", "{s}: {x}", "{s} is {x}", "{x} = {s}", "{x} ‹call it {s}›", "{s}) {x}", "{x} as {s}", "{s} stands for {x}", "{x} ‹= {s}›", "let {s} be {x}", "{x} {s}")  # fmt: skip
_OF_SIGN = ("{s}: {P}", "{s} = {P}", "{s} should be {P}", "{s} - {P}", "{P} for {s}", "{s} in short {P}", "‹{s}› {P}", "{s} must be {P}", "make {s} {P}", "{s}) {P}", "{P} ‹{s}›", "{s} -> {P}", "i want {s} {P}")  # fmt: skip
_ASKED = (
    "which {x}? {P}", "what {x}? well, {P}", "the {x}: how? {P}", "how should the {x} be? {P}", "{x}? yes, {P}", "what about the {x}? {P}", "do i need {x}? yes: {P}", "the {x}? make {them} {P}", "what kind of {x}? {P}", "and the {x}? {P}", "q: {x}? a: {P}", "any wish for the {x}? {P}",
    "{P}? that would be the {x}", "what's {P}? the {x}", "what should be {P}? the {x}", "so, {x}, which one? {P}", "you ask which {x}, i say {P}", "if you ask about the {x}: {P}", "which {x} do i mean? the {P} kind", "wondering what {x}? {P}", "the {x}, you ask? {P}", "is the {x} {P}? it should be", "why not the {x} {P}?",
)  # fmt: skip
_ASKED_KIND = (
    "{k}? {a} for the {x}, {b} for the {y}", "{k}? the {x} {a}, the {y} {b}", "{x} and {y}. {k}? {a} and {b} respectively", "{k} of the {x}? {a}. of the {y}? {b}", "which {k}? {a} if it's the {x}, {b} if it's the {y}", "what {k} for the {x}? {a}. and for the {y}? {b}",
    "the {k} then: for the {x} i'd say {a}, for the {y} {b}", "{k}: {x}? {a}! {y}? {b}!", "you need the {k}? the {x} {a} and the {y} {b}", "{x} - {k}? {a}. {y} - {k}? {b}", "{k}, right: {a}, i mean for the {x}, and {b}, for the {y}",
)  # fmt: skip
# Between a product and what is said of it, between two products, at the end: as dictated or in a chat.
_SPOKEN = (
    (" comma ", " next ", ""), (" comma ", " full stop ", " full stop"), (" colon ", " new line ", ""), (" dash ", " semicolon ", ""), (" yeah ", " and uh ", " ok"), (" like ", " and like ", ""), (" colon ", " comma and ", " period"),
    (" open bracket ", " close bracket and ", " close bracket"), ("... ", "... oh and ", "..."), (". ", ". and ", ". thx"), (" uh ", " then uh ", " that's it"), (" - say - ", " + ", " pls"), (" lol ", " n ", ""), ("? ", "! ", "!"), (", you know, ", ", right, and ", ""), (" slash ", " and next ", ""),
    (" equals ", " plus ", ""), (" that is ", " new item ", ""), (", write down ", ", then ", ", got it?"), (" in brackets ", " next one ", ""), (" point ", " new paragraph ", ""), (" (hmm) ", " & also ", ""), (" !! ", " ++ ", ""), (" as in ", " and also ", " ok thanks"),
)  # fmt: skip


def tabled(writer: Writer) -> Body:
    """A record for each product: "shoes -> red; bag ‹size: m›"; or a table with its heads."""
    products = writer.products(writer.weighed({2: 5, 3: 3, 4: 1}))
    if writer.often(0.2):
        return _with_heads(writer, products)
    form, kind = writer.pick(_RECORDS), writer.pick(_KINDS)
    told = writer.told(products, most=3 if len(products) == 2 else 2)
    parts = []
    for product, attributes in zip(products, told, strict=True):
        by_name = [writer.say(kind, k=kind_of(writer, one.type), a=one.text) for one in attributes]
        said = described(writer, attributes, bare=0.9)
        parts.append(writer.say(form, x=product.name, P=said, K=", ".join(by_name)))
    return Body(f"{writer.pick(_TITLES)}{writer.pick(_ROWS).join(parts)}", phrase=False)


def lettered(writer: Writer) -> Body:
    """Signs that stand for products: "shoes ‹a› and a bag ‹b›: a red, b blue"."""
    products = writer.products(writer.weighed({2: 6, 3: 2}))
    signs = writer.chance.choice(_SIGNS)
    form = writer.pick(_NAMES)
    phrase = form.startswith("{x}")
    names = [
        writer.say(form, x=noun_of(writer, product), s=sign)
        for product, sign in zip(products, signs, strict=False)
    ]
    order = list(zip(products, signs, strict=False))
    writer.chance.shuffle(order)
    form = writer.pick(_OF_SIGN)
    said = [writer.say(form, s=sign, P=wished(writer, product)) for product, sign in order]
    listed = writer.pick((", ", " and ", "; ", " / ")).join(names)
    told = writer.pick((", ", "; ", ", ")).join(said)
    if writer.often(0.2):
        return Body(
            f"{told}{writer.pick((', where ', ' with ', '. ', ' - '))}{listed}", phrase=False
        )
    return Body(f"{listed}{writer.pick((': ', '. ', ', ', ' - ', '; now '))}{told}", phrase=phrase)


def asked(writer: Writer) -> Body:
    """A question and its answer for each: "which shoes? red ones. and the bag? leather"."""
    if writer.often(0.3):
        return of_kind(writer, _ASKED_KIND)
    form, parts = writer.pick(_ASKED), []
    again = writer.chance.choice((0.0, 0.5))
    for product in writer.products(writer.weighed({2: 6, 3: 2})):
        form = writer.pick(_ASKED) if writer.often(again) else form
        slots = about(writer, product, near=0.08)
        parts.append(writer.say(form, P=wished(writer, product), **slots))
    return Body(writer.pick((". ", ". ", "; ", " - ", "! ")).join(parts), phrase=False)


def spoken(writer: Writer) -> Body:
    """As dictated, or typed in a chat: "shoes comma red next bag comma blue"."""
    inner, outer, last = writer.chance.choice(_SPOKEN)
    reverse = writer.often(0.25)
    parts = []
    for product in writer.products(writer.weighed({2: 6, 3: 3})):
        pair = [noun_of(writer, product), wished(writer, product, bare=0.8)]
        parts.append(inner.join(pair[::-1] if reverse else pair))
    return Body(f"{outer.join(parts)}{last}")


def _with_heads(writer: Writer, products: list[Product]) -> Body:
    """Kinds first, then rows of values: "item / colour: shoes / red; bag / blue"."""
    types = list(dict.fromkeys(writer.weighed(TYPES) for _ in range(writer.weighed({1: 4, 2: 5}))))
    cell, line = writer.chance.choice(((", ", "; "), (" / ", "; "), ("/", ", "), (" - ", "; "), (";", " "), (" ", ", "), (",", " ")))  # fmt: skip
    heads = [writer.pick(_HEADS), *(kind_of(writer, type_) for type_ in types)]
    rows = [
        [product.name, *(writer.attribute(product, type_).text for type_ in types)]
        for product in products
    ]
    if writer.often(0.2):  # a line for each kind instead
        columns = [list(column) for column in zip(heads, *rows, strict=True)]
        return Body(
            line.join(f"{head}: {cell.join(cells)}" for head, *cells in columns), phrase=False
        )
    if writer.often(0.3):
        heads, rows = heads[::-1], [row[::-1] for row in rows]
    lines = [cell.join(row) for row in rows]
    return Body(f"{cell.join(heads)}{writer.pick((': ', line))}{line.join(lines)}", phrase=False)
