"""What is typed into a search box: a product and what it should be, in any order, few other words."""

from training.data.generator.pairs.phrases import kind_of
from training.data.generator.pairs.writer import LEADING, TYPES, Attribute, Body, Product, Writer

_SHORT = {
    "color": ("in {a}", "color {a}", "colour {a}"), "department": ("for {a}",), "occasion": ("for {a}",),
    "creator": ("by {a}", "from {a}", "brand {a}"), "content": ("with {a}", "with {a} print"),
    "material": ("in {a}", "of {a}", "made of {a}"), "price": ("for {a}", "price {a}"), "time": ("from {a}",),
    "product_number": ("model {a}", "part {a}", "no {a}"), "condition": ("{a} condition",),
    "quantity": ("x {a}",),
}  # fmt: skip
"""The few words that stand before an attribute in a search box."""

_FORMS = ("{k}: {a}", "{k} {a}", "{k} = {a}", "{k} - {a}")
_TWICE = ("color", "material", "modifier", "content", "occasion", "department")
_MOST = {1: 1, 2: 4, 3: 6, 4: 5, 5: 3, 6: 1}


def typed(writer: Writer) -> Body:
    """One product among attributes: "size 10 black running shoes mens nike"."""
    product = writer.product(named=0.2)
    return Body(keywords_of(writer, product, writer.weighed(_MOST)), phrase=False)


def keywords_of(
    writer: Writer, product: Product, count: int, *, first: bool = False, last: bool = False
) -> str:
    """A product and so many attributes in any order.

    Args:
        writer: draws all.
        product: what is searched for.
        count: of attributes.
        first: whether the product stands before all attributes.
        last: whether it stands after all of them.
    """
    attributes = told_of(writer, product, count, led=not last)
    place = writer.weighed({n: 3 if n == count else 2 for n in range(count + 1)})
    place = 0 if first else count if last else place
    before, behind = attributes[:place], attributes[place:]
    # "With pockets" and "for men" mostly follow what they are said of.
    moved = [one for one in before if leads(one) and writer.often(0.8)]
    before, behind = [one for one in before if one not in moved], [*behind, *moved]
    texts = [*(one.text for one in before), product.name]
    loose = writer.chance.choice((0.0, 0.0, 0.3, 0.7))
    texts += (short(writer, one) if writer.often(loose) else one.text for one in behind)
    return " ".join(texts)


def told_of(writer: Writer, product: Product, count: int, *, led: bool = True) -> list[Attribute]:
    """So many attributes, now and then two of one type after one another ("black red").

    Args:
        writer: draws them.
        product: what they are said of.
        count: how many.
        led: whether there may be some that lead to themselves, such as "under $50"; those would go
            for a product right in front of them.
    """
    found: list[Attribute] = []
    while len(found) < count:
        if found and found[-1].type in _TWICE and writer.often(0.08):
            found.append(writer.another(product, found[-1].type))
        else:
            found.append(writer.attribute(product) if led else writer.adjective(product))
        if not led and leads(found[-1]):
            found.pop()
    return found


def short(writer: Writer, attribute: Attribute) -> str:
    """An attribute after its product with at most a word or two to lead to it."""
    if leads(attribute) or attribute.type not in _SHORT:
        return attribute.text
    return writer.say_one(_SHORT[attribute.type], a=attribute.text)


def leads(attribute: Attribute) -> bool:
    """Whether its words begin with one that leads to them, such as "under"."""
    return attribute.words.split()[0].lower() in LEADING


def form_filled(writer: Writer) -> Body:
    """A product and its attributes by name: "jacket, color: black, size: m"."""
    product = writer.product(named=0.15)
    types = list(
        dict.fromkeys(writer.weighed(TYPES) for _ in range(writer.weighed({2: 4, 3: 4, 4: 2})))
    )
    form = writer.pick(_FORMS)
    parts = [
        writer.say(form, k=kind_of(writer, one.type), a=one.text)
        for one in (writer.attribute(product, type_) for type_ in types)
    ]
    name = writer.say_one(
        ("{n}", "{n}", "{n}", "(product|item|article|search)(:|) {n}"), n=product.name
    )
    parts.insert(writer.weighed({0: 5, len(parts): 1}), name)
    joint = writer.pick((", ", ", ", " ", "; ", " / ", " - "))
    return Body(joint.join(parts), phrase=False)


def listed(writer: Writer) -> Body:
    """Two or three products with a clear mark between them, each in words of any order."""
    products = writer.products(writer.weighed({2: 5, 3: 3}))
    parts = [
        keywords_of(writer, product, writer.weighed({0: 1, 1: 4, 2: 4, 3: 2}))
        for product in products
    ]
    if not any(product.types for product in products):
        parts[0] = keywords_of(writer, products[0], 2)
    joint = writer.pick((", ", ", ", " + ", "; ", " / ", " & ", " and ", " plus "))
    return Body(joint.join(parts), phrase=False)


def in_a_row(writer: Writer) -> Body:
    """Products with nothing between them, all before or all after what they are: "red shoes blue bag"."""
    products = writer.products(writer.weighed({2: 5, 3: 4, 4: 1}))
    first = writer.often(0.35)
    parts = [
        keywords_of(
            writer, product, writer.weighed({1: 6, 2: 4, 3: 1}), first=first, last=not first
        )
        for product in products
    ]
    return Body(" ".join(parts), phrase=False)
