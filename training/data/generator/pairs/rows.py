# ruff: noqa: E501 - phrases read better one a line
"""Two lists side by side: products, and what is said of each, in the same order or in reverse."""

from collections.abc import Sequence

from training.data.generator.pairs.lists import enumerated, listing
from training.data.generator.pairs.owned import link
from training.data.generator.pairs.writer import LEADING, TYPES, Attribute, Body, Writer

_TURN = (("respectively",) * 12 + ("in that order",) * 5 + (
    "in this order", "in the same order", "one each", "each in turn", "in order", "in sequence",
    "as listed", "as in the list", "correspondingly", "one after the other", "in the order (given|named|mentioned|listed|above)", "in the (respective|given) order",
    "from first to last", "each to its own", "resp.", "resp", "accordingly", "in the order i (said|wrote|named) them", "one for each",
    "each its own", "item by item", "matched one to one", "in the order they are (listed|named)", "in this very order", "one by one", "from left to right",
))  # fmt: skip
_REVERSED = ("in reverse order", "the other way round", "in the opposite order", "last one first", "in reverse", "backwards", "counted from the end", "starting from the end", "but in reverse")  # fmt: skip
_LEAD = {
    "color": ("in", "in", "the colo(u|)rs", "colo(u|)red", "colo(u|)rs(:|)", "in the colo(u|)rs"),
    "material": ("in", "made of", "made from", "of", "materials(:|)", "out of"),
    "creator": ("by", "from", "made by", "brands(:|)", "the brands", "of the brands"),
    "UoM": ("in", "sizes(:|)", "measuring", "of", "with", "in the sizes"),
    "price": ("for", "at", "prices(:|)", "costing", "priced", "budget(:|)"),
    "department": ("for", "meant for", "made for", "intended for"),
    "occasion": ("for", "suited to", "as gifts for"),
    "content": ("with", "showing", "featuring", "with prints of"),
    "modifier": ("that are", "being", "kinds(:|)"),
    "condition": ("in condition", "bought", "that are", "conditions(:|)"),
    "shape": ("shaped", "shapes(:|)", "in the shapes", "cut"),
    "quantity": ("as", "quantities(:|)", "amounts(:|)"),
    "product_number": ("models", "numbers(:|)", "model numbers(:|)"),
    "origin": ("from makers that are", "origins(:|)"),
    "time": ("from", "years(:|)", "of"),
}  # fmt: skip
_EITHER_LEAD = ("namely", "being", "that's", "i mean", "make them", "they should be", "i want them", "please", "should be", "to be", "must be", "and they are to be", "all in all", "with these details:")  # fmt: skip

# L: the products; R: the rows of what is said of them; T: "respectively" and the like.
_SURE = (
    "{L}, {R} {T}", "{L} {R} {T}", "{L}, {R}, {T}", "{L} ‹{R} {T}›", "{L}: {R} {T}", "{L} - {R} {T}", "{L}; {R}; {T}", "{L}. {R} {T}", "{L}, {T} {R}", "{L} {T} {R}",
    "{L}, and {T} {R}", "{L} that (should be|are) {R} {T}", "{L} - {T} {R}", "{L} which (must|should) be {R} {T}", "{L}: {T} {R}", "{L}, i want (them|these) {R} {T}",
    "{T} {R} {L}", "{T} {R}: {L}", "{R} {L} {T}", "{R}, {T}, {L}", "{R} {T}: {L}", "{R} {T} for {L}", "{R} - {T} - {L}", "{R} for {L} {T}", "{R} {L}, {T}",
    "{L} have to be {R} {T}", "{L}. they (should|must) be {R} {T}", "{L} with {R} {T}", "{L} (where|and) {T} {R}", "{L}, of which {T} {R}", "{L} come {R} {T}", "{L} ‹{T}› {R}",
    "{T}, {R} for {L}", "{R} are {T} what {L} should be", "{L} ... {R} ... {T}", "{L}, {R} (please|if possible), {T}", "{R} as to {L} {T}", "{R} go with {L} {T}",
)  # fmt: skip
_LOOSE = (
    "{L}, {R}", "{L}: {R}", "{L} - {R}", "{L}; {R}", "{L} ‹{R}›", "{L}. {R}", "{R}: {L}", "{R} - {L}", "{R} for {L}", "{L}, i want them {R}", "{L} / {R}", "{L} = {R}",
    "{L}, (they|these) should be {R}", "{L} -> {R}", "{R} -> {L}", "{R} = {L}", "{L} as {R}", "{R} as {L}", "{L} {R}", "{R}; {L}", "{L} ... {R}",
)  # fmt: skip


def rows(writer: Writer) -> Body:
    """Products, then or before them one or two lists of what is said of each."""
    products = writer.products(writer.weighed({2: 12, 3: 8, 4: 2}))
    told, alike = _columns(writer, len(products))
    said = [
        [writer.attribute(product, type_) for type_ in types]
        for product, types in zip(products, told, strict=True)
    ]
    near = writer.chance.choice((0.0, 0.0, 0.15, 0.35))
    listed = listing(writer, products, near=near)
    reverse = writer.often(0.04)
    said = said[::-1] if reverse else said
    if len(said[0]) > 1 and writer.often(0.4):  # grouped by product, not by what is said
        text = enumerated(writer, [" ".join(one.text for one in each) for each in said], plain=True)
    else:
        columns = [[each[n] for each in said] for n in range(len(said[0]))]
        text = writer.pick((", ", " and ", ", also ", "; ", ", and ", " - ")).join(
            _row(writer, column, alike=alike) for column in columns
        )
    turn = writer.say_one(_REVERSED if reverse else _TURN)
    crowded = len(products) < 4 and writer.often(0.08)
    if crowded:  # all for one more product, which is not counted
        other = writer.product(named=0.4)
        listed = f"{listed} {link(writer)} {writer.noun(other, article=0)}"
    sure = reverse or crowded or not alike or writer.often(0.55)
    form = writer.pick(_SURE if sure else _LOOSE)
    return Body(writer.say(form, L=listed, R=text, T=turn), phrase=form.startswith("{L}"))


def _columns(writer: Writer, count: int) -> tuple[list[list[str | None]], bool]:
    """The types of what is said of each product, and whether they are the same for all."""
    number = 2 if count < 4 and writer.often(0.25) else 1
    if writer.often(0.2):
        return [[None] * number for _ in range(count)], False
    types: list[str | None] = []
    for _ in range(number):
        type_ = writer.weighed({name: n for name, n in TYPES.items() if name not in types})
        types.append(type_)
    return [types] * count, True


def _row(writer: Writer, column: Sequence[Attribute], *, alike: bool) -> str:
    texts = [one.text for one in column]
    led = any(one.words.split()[0].lower() in LEADING for one in column)
    draw = writer.chance.random()
    if alike and not led and draw < 0.4:
        lead = writer.say_one(_LEAD[column[0].type])
        if not lead.endswith(":") and writer.often(0.25):
            return enumerated(writer, [f"{lead} {text}" for text in texts], plain=True)
        return f"{lead} {enumerated(writer, texts, plain=True)}"
    row = enumerated(writer, texts, plain=True)
    return f"{writer.pick(_EITHER_LEAD)} {row}" if draw > 0.88 else row
