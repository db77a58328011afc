# ruff: noqa: E501 - phrases read better one a line
"""Products spoken of a second time: by their noun, by what they are, by a pronoun, by whose they are."""

from collections.abc import Sequence

from training.data.generator.pairs.lists import enumerated, listing
from training.data.generator.pairs.owned import link
from training.data.generator.pairs.phrases import after, described
from training.data.generator.pairs.writer import Attribute, Body, Product, Writer
from training.data.markup import marked

# S: which product is spoken of; P: what is said of it.
_SAID = (
    "{S} {P}", "{S} {P}", "{S} (should|must|has to) be {P}", "{S}: {P}", "{S} - {P}", "{S} (please|preferably|ideally) {P}", "i want {S} {P}", "{S} being {P}", "make {S} {P}", "for {S} {P}", "{S} needs to be {P}", "with {S} {P}", "{P} for {S}", "{S} ‹{P}›",
    "i'd like {S} {P}", "{S} comes {P}", "{P} is what i want for {S}", "{S} has to be {P}", "{S}, {P},", "{S} would be best {P}", "as for {S}, {P}", "{S} = {P}", "{S} could be {P}",
)  # fmt: skip
_START = (
    ", ",
    ", ",
    ". ",
    ": ",
    " - ",
    "; ",
    ", with ",
    " and ",
    ", but ",
    ". please ",
    " ... ",
    " where ",
    ", i mean ",
    ", only ",
    ". details: ",
)
_BETWEEN = (
    ", ",
    ", ",
    " and ",
    ", and ",
    "; ",
    ". ",
    " but ",
    " while ",
    ", while ",
    ", whereas ",
    " - ",
    ", then ",
    " / ",
    ". and ",
    ", plus ",
)
_BY_FEATURE = ("the {a} (one|ones|one|thing|item)", "the {a} one", "whichever is {a}", "the one that is {a}", "the {a} one among them")  # fmt: skip
FEATURES = ("color", "material", "creator", "shape", "condition", "origin")
"""Types by which one of several is told: "the leather one"."""

HIS = (
    "my son",
    "my husband",
    "my dad",
    "my boyfriend",
    "my brother",
    "my grandfather",
    "my uncle",
    "my father",
    "my nephew",
    "the groom",
    "grandpa",
    "my boss",
)
HERS = (
    "my daughter",
    "my wife",
    "my mom",
    "my girlfriend",
    "my sister",
    "my grandmother",
    "my aunt",
    "my mother",
    "my niece",
    "the bride",
    "grandma",
    "my fiancee",
)
_HIS_OWN = (
    "his",
    "his",
    "his one",
    "the one for him",
    "what he gets",
    "for him",
    "the gift for him",
)
_HER_OWN = (
    "hers",
    "hers",
    "her one",
    "the one for her",
    "what she gets",
    "for her",
    "the gift for her",
)
_ONE = ("it", "it", "that one")
_MANY = ("they", "those", "these")
_AGREES = {
    False: ("should", "must", "has to", "needs to", "can", "ought to"),
    True: ("should", "must", "have to", "need to", "can", "ought to"),
}


def noun_again(writer: Writer) -> Body:
    """The products, then each by its noun again: "shoes and a bag, the shoes in red"."""
    products = [writer.product(named=0.0) for _ in range(2)]
    listed = listing(writer, products, near=writer.chance.choice((0.0, 0.2)))
    order = list(products)
    if writer.often(0.5):
        order.reverse()
    if owning := writer.often(0.3):  # the last one is for another
        other = writer.product(named=0.4)
        before = [writer.adjective(other)] if writer.often(0.5) else []
        listed = f"{listed} {link(writer)} {writer.noun(other, before, article=0)}"
    if owning or writer.often(0.45):
        order = order[:1]
    subjects = []
    for product in order:
        # Spoken of again, it is a mention of its own: what is said with it is that one's.
        again = writer.product(words=product.words)
        subjects.append((f"the {again.name}", again))
    return Body(f"{listed}{writer.pick(_START)}{_statements(writer, subjects)}")


def by_feature(writer: Writer) -> Body:
    """Each product again by what it is: "a leather bag and a cotton hat, the leather one in red"."""
    products = writer.products(writer.weighed({2: 5, 3: 2}))
    type_ = writer.pick(FEATURES)
    features = [writer.another(product, type_) for product in products]
    names = [
        writer.noun(product, [feature], article=0.5)
        for product, feature in zip(products, features, strict=True)
    ]
    order = list(zip(products, features, strict=True))
    writer.chance.shuffle(order)
    order = order[: writer.chance.randint(1, min(2, len(order)))]
    subjects = [
        (writer.say_one(_BY_FEATURE, a=feature.text), product) for product, feature in order
    ]
    return Body(f"{enumerated(writer, names)}{writer.pick(_START)}{_statements(writer, subjects)}")


def his_and_hers(writer: Writer) -> Body:
    """A product for him and one for her, then "his in blue, hers in pink"."""
    people = [(writer.pick(HIS), _HIS_OWN), (writer.pick(HERS), _HER_OWN)]
    writer.chance.shuffle(people)
    products, parts, subjects = writer.products(2), [], []
    for product, (person, own) in zip(products, people, strict=True):
        product.types.add("department")
        before = [writer.adjective(product)] if writer.often(0.3) else []
        whom = marked(person, "department", of=product.number)
        parts.append(f"{writer.noun(product, before, article=0.7)} for {whom}")
        subjects.append((writer.pick(own), product))
    if writer.often(0.5):
        subjects.reverse()
    if writer.often(0.25):
        subjects.pop()
    joint = writer.pick((" and ", ", ", " and ", ", and ", " plus ", "; ", ". also "))
    return Body(f"{joint.join(parts)}{writer.pick(_START)}{_statements(writer, subjects)}")


def it_and_they(writer: Writer) -> Body:
    """One thing and several things, then "it should be white and they should be red"."""
    plural = [True, False]
    writer.chance.shuffle(plural)
    products = [writer.product(named=0.0, plural=several) for several in plural]
    listed = listing(writer, products, near=0.15)
    order = products[::-1] if writer.often(0.5) else products
    order = order[:1] if writer.often(0.4) else order
    parts = []
    for product in order:
        who = writer.pick(_MANY if product.plural else _ONE)
        told = described(writer, _some(writer, product))
        parts.append(f"{who} {writer.pick(_AGREES[product.plural])} be {told}")
    start = writer.pick((". ", ", ", " - ", "; ", ", and ", ": "))
    return Body(f"{listed}{start}{writer.pick(_BETWEEN).join(parts)}")


def _statements(writer: Writer, subjects: Sequence[tuple[str, Product]]) -> str:
    form, parts = writer.pick(_SAID), []
    for subject, product in subjects:
        told = _some(writer, product)
        said = after(writer, told[0]) if writer.often(0.3) else described(writer, told)
        parts.append(writer.say(form, S=subject, P=said))
        form = writer.pick(_SAID) if writer.often(0.3) and not form.startswith("{P}") else form
    return writer.pick(_BETWEEN).join(parts)


def _some(writer: Writer, product: Product) -> list[Attribute]:
    return [writer.attribute(product) for _ in range(writer.weighed({1: 7, 2: 2}))]
