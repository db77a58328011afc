# ruff: noqa: E501 - phrases read better one a line
"""Each product with what is said of it beside it: before the noun, after it, in its own sentence."""

from collections.abc import Callable, Sequence

from training.data.generator.pairs.lists import enumerated
from training.data.generator.pairs.phrases import after, clause, described, named, predicate, wish
from training.data.generator.pairs.writer import Attribute, Body, Product, Writer, attached

# What leaves no doubt what belongs to what, whatever stands beside it.
_EXPLICIT = (
    "{N} ‹{P}›", "{N} ‹in fact {P}›", "{N} ‹(it|this one|they) must be {P}›", "{P} for the {N}", "(the|) {N} (must|should|has to|needs to) be {P}",
    "{N}, (preferably|ideally|at best) {P},", "{N} - has to be {P}", "{N} (and it must be|which has to be|and make it) {P}", "{N}, which (is|are) {P},",
    "{N} = {P}", "{P} as far as the {N} (is|are) concerned", "{N}, (it|they) should be {P}", "{N} -> {P}", "the {N} (being|to be) {P}",
    "{N}, best {P},", "{N} with these features: {P}", "the {N} i want {P}", "{N}, {P} (if possible|please|preferred),", "{N} only {P}",
)  # fmt: skip
# What does if all products of a query are put so.
_REGULAR = (
    "{N}, {P}", "{N} - {P}", "{N}: {P}", "{N} {P}", "{N} / {P}", "{P}: {N}", "{P} - {N}", "{P}, {N}", "{N} of the (kind|sort|type): {P}",
    "{N}; {P}", "{N} ... {P}", "{N}? {P}", "(for|with|as for|on|regarding) the {N}(:|,|) {P}", "{P} for the {N}", "{P} for {N}", "{P} as {N}", "{P} when it comes to {N}",
    "{P} (is|goes) for {N}", "{P} -> {N}", "the {N} {P}", "the {N}: {P}", "as {N} {P}", "{N} (should|must|has to) be {P}", "the {N} (should|must|has to) be {P}",
    "(a|the) {N} being {P}", "{N} (is|are) {P}", "one {N} {P}", "{P} (should|must) be the {N}", "if {N}, then {P}", "with {P} {N}", "{N} only if {P}",
)  # fmt: skip
# The verb is said with the first product only.
_GAPPED = (
    "the {N} (should|must|has to|needs to|ought to|can|could) be {P}", "{N} (should|must|has to|needs to) be {P}", "i (want|need|prefer|see) the {N} {P}", "i('d like|'d love| would like) the {N} {P}",
    "make the {N} {P}", "{N} that (is|are) {P}", "the {N} (is|are) (to be|supposed to be|meant to be) {P}", "let the {N} be {P}", "for the {N} i (want|prefer|would like) {P}", "i am looking for {N} {P}",
    "(get|find|show) me the {N} {P}", "can you get the {N} {P}", "do you have the {N} {P}", "the {N} comes {P}", "i imagine the {N} {P}", "the {N} would be {P}", "with the {N} {P}", "for the {N} {P}",
)  # fmt: skip
_GAP_JOINTS = (
    ", ",
    " and ",
    ", and ",
    "; ",
    " but ",
    " while ",
    ", while ",
    " whereas ",
    ", then ",
    " / ",
    " - ",
    ", but ",
    ". ",
    ", plus ",
    " and also ",
)
_CONTRASTS = (
    "{X} (instead of|rather than|over|next to|besides|combined with|paired with|in exchange for|along with) {Y}", "{X}, (not|no) {Y}", "{X} and not {Y}",
    "not {X} but {Y}", "either {X} or {Y}", "{X}(, or|,| or) (else|otherwise|if not that|failing that|alternatively) {Y}", "{X} if not {Y}",
    "both {X} and {Y}", "{X} (versus|vs|vs.) {Y}", "{X} but also {Y}", "not only {X} but also {Y}", "swap {X} for {Y}", "{X} before {Y}",
    "{X}, additionally {Y}", "{X}; besides that {Y}", "a set of {X} and {Y}", "{X} including {Y}", "{X} without {Y}", "{X} but no {Y}",
    "{X} - no wait, {Y} too", "{X} and, separately, {Y}", "{X} (on the one hand|for a start), {Y} (on the other hand|as well|too)",
    "{X} (that goes|to go|which goes|going) with {Y}", "{X} (matching|to match|suiting) {Y}", "{X} or maybe {Y}",
    "{X} - or {Y} - ", "(if there is no|failing) {X}, {Y}", "{X} first, {Y} after that", "{X} (because|now that) i already have {Y}", "{X} compared (to|with) {Y}",
    "{X}, while we're at it {Y}", "{X} in a bundle with {Y}", "between {X} and {Y}", "{X} in addition to {Y}", "{X} is better than {Y}",
    "{X} as (well|good) as {Y}", "from {X} to {Y}", "{X} in place of {Y}", "(less|more) {X}, (more|less) {Y}",
)  # fmt: skip
_TURNS = (
    ("first", "then", "then", "and finally"), ("first of all", "second", "third", "lastly"), ("one", "another", "and another", "last"),
    ("to start with,", "after that", "then", "finally"), ("i need", "i also need", "and i need", "plus"), ("i want", "and", "and", "and"),
    ("", "also", "also", "also"), ("", "and then", "and then", "and then"), ("", "plus", "plus", "plus"), ("", "", "", ""), ("", "and", "", "and"),
    ("one thing:", "another thing:", "third thing:", "last thing:"), ("for one,", "for another,", "moreover", "and"),
    ("looking for", "as well as", "and", "and"), ("a:", "b:", "c:", "d:"), ("1.", "2.", "3.", "4."), ("mainly", "but also", "and", "and"),
    ("we need", "what's more", "and", "and"),
    ("", "oh and", "oh and", "oh and"), ("now", "later", "after that", "at last"), ("get me", "and get me", "and", "and"), ("yes to", "and yes to", "and", "and"),
)  # fmt: skip
_AGAIN = ("{N} or (a|) {a} (one|ones)", "{N} (or|and) {a} (one|ones)", "{N} as well as {a} ones", "{N}, or {a} if you have (that|no others)", "{N} or maybe {a} ones", "{N}, (a|) {a} one (would do|is fine) too", "{N}, {a} is (ok|fine) too")  # fmt: skip
_TWICE = ("color", "material", "creator", "modifier", "condition", "shape")


def beside(writer: Writer) -> Body:
    """Products in a row or in contrast, each with what is said of it."""
    count = writer.weighed({2: 6, 3: 3, 4: 1})
    products = _alike(writer, count) if writer.often(0.1) else writer.products(count)
    told = _counted(writer, products)
    sparse = not all(told)
    ways: tuple[Callable[[Writer, Product, Sequence[Attribute]], str], ...]
    ways = (_before,) if sparse else (_before, _before, _after, _after, _clause, _both, _explicit)
    way = writer.chance.choice(ways)
    parts, apart = [], False  # with only a blank between, all has to stand before the nouns
    for product, attributes in zip(products, told, strict=True):
        way = writer.chance.choice(ways) if writer.often(0.3) else way
        apart = apart or way is not _before
        parts.append(way(writer, product, attributes) if attributes else _unsaid(writer, product))
    if len(parts) == 2 and writer.often(0.35):
        return Body(writer.say_one(_CONTRASTS, X=parts[0], Y=parts[1]))
    return Body(enumerated(writer, parts, apart=apart))


def regular(writer: Writer) -> Body:
    """Products that are all put alike, with few words around them."""
    products = writer.products(writer.weighed({2: 5, 3: 4, 4: 2}))
    told = writer.told(products)
    form = writer.pick(_REGULAR)
    kinds = writer.often(0.2) and all(len(attributes) == 1 for attributes in told)
    parts = [
        named(writer, f"the {product.name}", attributes[0])
        if kinds
        else writer.say(form, N=product.name, P=described(writer, attributes, bare=0.8))
        for product, attributes in zip(products, told, strict=True)
    ]
    joint = writer.pick((", ", "; ", " and ", ". ", " + ", " - ", " & ", ", and ", " / "))
    return Body(joint.join(parts), phrase=form.startswith("{N}") and not kinds)


def gapped(writer: Writer) -> Body:
    """A sentence for the first product, of which the others repeat only what differs."""
    products = writer.products(writer.weighed({2: 6, 3: 3, 4: 1}))
    told = writer.told(products)
    parts = [writer.say_one(_GAPPED, N=products[0].name, P=described(writer, told[0], bare=0.7))]
    form = writer.pick(("the {N} {P}", "the {N} {P}", "{N} {P}", "for the {N} {P}"))
    for product, attributes in zip(products[1:], told[1:], strict=True):
        parts.append(writer.say(form, N=product.name, P=described(writer, attributes, bare=0.7)))
    return Body(writer.pick(_GAP_JOINTS).join(parts), phrase=False)


def keywords(writer: Writer) -> Body:
    """Words alone, all products before or all after what is said of them."""
    products = writer.products(writer.weighed({2: 5, 3: 4, 4: 1}))
    noun_first = writer.often(0.6)
    parts = []
    for product, attributes in zip(products, writer.told(products, most=3), strict=True):
        words = [one.text for one in attributes]
        parts.append(" ".join((product.name, *words) if noun_first else (*words, product.name)))
    return Body(writer.pick((" ", " ", " ", ", ", " + ", " / ", "; ", " & ")).join(parts))


def in_turn(writer: Writer) -> Body:
    """A sentence for each product, or what goes for one: the product, then what is wished."""
    products = writer.products(writer.weighed({2: 6, 3: 3}))
    turns = writer.chance.choice(_TURNS)
    parts: list[str] = []
    for product, attributes, turn in zip(products, writer.told(products), turns, strict=False):
        sure = bool(turn) or not parts  # nothing in front that an adjective could belong to
        beside_it = [writer.adjective(product)] if sure and writer.often(0.2) else []
        text = f"{turn} {writer.noun(product, beside_it, article=0.6)}"
        parts.append(attached(text, wish(writer, product, attributes, bare=0.4)).strip())
    return Body(
        writer.pick((". ", ", ", "; ", ". ", " ", " - ", ", ")).join(parts), phrase=not turns[0]
    )


def _counted(writer: Writer, products: Sequence[Product]) -> list[list[Attribute]]:
    """None to three attributes for each product, and some for one of them at least."""
    if any(product.types for product in products):  # the same thing twice: told apart by one type
        return [[writer.another(p, type_) for type_ in tuple(p.types)] for p in products]
    if not writer.often(0.25):
        return writer.told(products, most=3 if len(products) < 4 else 2)
    most = 3 if len(products) == 2 else 2
    counts = [writer.chance.randint(0, most) for _ in products]
    counts[writer.chance.randrange(len(counts))] = most - 1
    return [
        [writer.adjective(product) for _ in range(count)]
        for product, count in zip(products, counts, strict=True)
    ]


def _alike(writer: Writer, count: int) -> list[Product]:
    """The same thing several times, to be told apart by what is said of it."""
    first = writer.product(named=0.0)
    products = [first, *(writer.product(words=first.words) for _ in range(count - 1))]
    type_ = writer.pick(_TWICE)
    for product in products:
        product.types.add(type_)
    return products


def _unsaid(writer: Writer, product: Product) -> str:
    # The article keeps an attribute of the product in front from going for this one as well.
    return writer.noun(product, article=1.0)


def _before(writer: Writer, product: Product, attributes: Sequence[Attribute]) -> str:
    text = writer.noun(product, attributes)
    if writer.often(0.12) and (twice := [one.type for one in attributes if one.type in _TWICE]):
        return writer.say_one(_AGAIN, N=text, a=writer.another(product, twice[0]).text)
    return text


def _after(writer: Writer, product: Product, attributes: Sequence[Attribute]) -> str:
    phrases = [after(writer, one) for one in attributes]
    return f"{writer.noun(product)} {writer.pick((' ', ' ', ' and ', ', ')).join(phrases)}"


def _clause(writer: Writer, product: Product, attributes: Sequence[Attribute]) -> str:
    return f"{writer.noun(product)} {clause(writer, attributes)}"


def _both(writer: Writer, product: Product, attributes: Sequence[Attribute]) -> str:
    """Some before the noun, the others after it."""
    first = [writer.adjective(product)]
    return f"{writer.noun(product, first)} {after(writer, attributes[0])}"


def _explicit(writer: Writer, product: Product, attributes: Sequence[Attribute]) -> str:
    return writer.say_one(
        _EXPLICIT, N=writer.noun(product, article=0.1), P=predicate(writer, attributes)
    )
