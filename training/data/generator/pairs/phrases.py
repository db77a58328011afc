# ruff: noqa: E501 - phrases read better one a line
"""How an attribute is said: after a noun, as what a product is or should be, as a wish of its own."""

from collections.abc import Sequence

from training.data.generator.pairs.writer import LEADING, Attribute, Product, Writer

_AFTER: dict[str, tuple[str, ...]] = {
    "color": (
        "in {a}", "in {a}", "in {a}", "in (the|) colo(u|)r {a}", "{a} in colo(u|)r", "colo(u|)red {a}", "of {a} colo(u|)r",
        "in (a|some|the) {a} (shade|tone|finish)", "(all|completely|mostly) {a}", "in all {a}",
        "painted {a}", "dyed {a}", "colo(u|)r(:|) {a}", "of a {a} (hue|tone)", "in {a} (only|please)",
    ),
    "material": (
        "in {a}", "made of {a}", "made (of|from|out of|with) {a}", "of {a}", "from {a}", "out of {a}", "(built|crafted) from {a}",
        "material(:|) {a}", "with {a} (parts|on the outside|inside)",
        "consisting of {a}", "(mostly|all|entirely|purely) {a}", "of {a} (material|make)",
    ),
    "creator": (
        "by {a}", "from {a}", "made by {a}", "brand(:|) {a}", "of the brand {a}", "from the brand {a}", "{a} brand", "by the company {a}",
        "of {a} (make|brand)", "sold by {a}", "designed by {a}", "the {a} kind", "make(:|) {a}", "by {a} (only|preferably)",
        "manufactured by {a}", "produced by {a}",
    ),
    "UoM": (
        "in {a}", "of {a}", "with {a}", "about {a}", "{a} (in size|at most|at least|or so)", "measuring {a}",
        "(roughly|around|exactly|approximately|at least|at most) {a}", "(max|min)(:|) {a}", "that measures {a}", "in the {a} (version|variant)",
        "as {a}", "(no|not) (more|less) than {a}",
    ),
    "price": (
        "for {a}", "costing {a}", "priced (at|) {a}", "at {a}", "price(:|) {a}", "budget(:|) {a}", "that (cost|costs) {a}",
        "for (about|roughly|at most|max|no more than) {a}", "worth {a}", "going for {a}", "at a price of {a}", "for {a} (max|or so|each|tops)",
    ),
    "modifier": (
        "that is {a}", "which is {a}", "that are {a}", "of the {a} (kind|type|sort)", "in (a|the) {a} (version|variant|style)",
        "{a} (kind|type|version)", "(really|very|fully|truly) {a}", "the {a} (kind|type|sort)",
    ),
    "department": (
        "for {a}", "for {a}", "(meant|made|intended|designed|suitable|sized) for {a}", "to (fit|suit) {a}", "that {a} can use", "aimed at {a}",
        "for use by {a}", "as worn by {a}", "that would suit {a}",
    ),
    "condition": (
        "in {a} condition", "bought {a}", "condition(:|) {a}", "in {a} state", "that is {a}", "sold (as|) {a}", "that are {a}",
        "in a {a} state", "quality(:|) {a}",
    ),
    "occasion": (
        "for {a}", "for (a|the|our|this) {a}", "(to use|to wear|for use) at {a}", "as a {a} (gift|present)", "suited to a {a}",
        "with {a} in mind", "in time for {a}", "for the next {a}", "to celebrate {a}", "(fit|right|good) for {a}",
    ),
    "shape": (
        "with a {a} shape", "{a} in shape", "shaped {a}", "of {a} shape", "in a {a} (cut|fit|form|shape|design)", "with a {a} (cut|fit|form)",
        "shape(:|) {a}", "that is {a}", "cut {a}",
    ),
    "quantity": ("as {a}", "{a} of them", "quantity(:|) {a}", "in {a}", "sold as {a}", "amount(:|) {a}", "{a} in total", "how many(:|) {a}"),
    "content": (
        "with {a}", "with {a} on (it|the front|them)", "with (a|some) {a} (print|pattern|motif|design|picture|theme)", "showing {a}",
        "featuring {a}", "printed with {a}", "{a} themed", "in (a|the) {a} (design|style|look)", "decorated with {a}", "that shows {a}",
    ),
    "product_number": (
        "model {a}", "(part|model|item|article|serial) (number|no|nr) {a}", "number {a}", "part {a}", "type {a}", "model(:|) {a}",
        "(ref|sku|code)(:|) {a}", "with (the|) (number|code) {a}",
    ),
    "origin": ("from {a} makers", "{a} made", "of {a} (make|origin)", "origin(:|) {a}", "from a {a} (maker|workshop)", "in {a} style", "the {a} kind"),
    "time": ("from {a}", "of {a}", "{a} (edition|model|version|style)", "year(:|) {a}", "from the {a} (era|line|range)", "dated {a}", "in {a} style"),
}  # fmt: skip
_LED = {
    "price": (
        "{a}", "{a}", "priced {a}", "costing {a}", "that (cost|costs) {a}", "price {a}", "budget {a}", "(ideally|preferably|all in) {a}",
        "(for|at) something {a}", "that (is|are) {a}", "{a} (please|if possible|in total)", "(at a|for a) price {a}",
    ),
    "department": ("{a}", "(meant|made|intended|suitable) {a}"),
    "origin": ("{a}", "that (is|are) {a}"),
    "modifier": ("{a}", "(preferably|ideally|only) {a}", "that (come|comes) {a}"),
}  # fmt: skip
"""For an attribute that begins with a word that leads to it, such as "under 50 dollars"."""

_ADJECTIVES = ("color", "material", "creator", "modifier", "condition", "shape", "origin")
_ONE = ("a {a} one", "something {a}", "the {a} one", "any {a} one", "one that is {a}", "a {a} version", "(some|the) {a} ones", "a {a} model")  # fmt: skip
_HEDGED = (
    "{p} if possible", "preferably {p}", "ideally {p}", "{p} please", "maybe {p}", "only {p}", "{p} only", "rather {p}",
    "{p} if you have it", "definitely {p}", "best {p}", "{p} for sure", "just {p}", "something like {p}", "{p} or similar", "simply {p}",
    "really {p}", "always {p}", "perhaps {p}", "strictly {p}", "at best {p}",
)  # fmt: skip
_CLAUSES = (
    "that (is|are) {p}", "that (is|are) {p}", "which (is|are) {p}", "that's {p}", "that (come|comes) {p}", "that (has|have) to be {p}",
    "which should be {p}", "that must be {p}", "that (is|are) also {p}", "that can be {p}", "that needs to be {p}", "which ought to be {p}",
    "that (looks|look) {p}", "such that (it is|they are) {p}", "but {p}", "only if {p}", "as long as (it is|they are) {p}",
)  # fmt: skip
_KINDS = {
    "color": "colo(u|)r", "material": "(material|fabric)", "creator": "(brand|make|maker)", "UoM": "(size|dimension|measure)", "price": "(price|budget|cost)",
    "condition": "(condition|state)", "shape": "(shape|form)", "quantity": "(quantity|amount|number)", "product_number": "model( number|)",
    "time": "(year|edition)", "content": "(motif|print|theme)", "origin": "origin", "occasion": "occasion", "modifier": "(feature|kind)",
    "department": "(wearer|user)",
}  # fmt: skip
# k: what kind of thing is said; s: of which product; a: what it is.
_NAMED = (
    "(the|) {k} of {s} (should be|must be|has to be|is|would be|being|to be) {a}", "(the|) {k} of {s}(:| -| =|) {a}", "{a} as (the|) {k} of {s}", "{s} with (the|) {k} {a}",
    "for {s} (the|) {k} {a}", "{k} for {s}: {a}", "{k} of {s} {a}", "{s} in (the|) {k} {a}", "{s}, {k} {a}", "{s} has (the|) {k} {a}", "(the|) {k} i want for {s} is {a}",
    "{s} ‹{k} {a}›", "{s} ‹{k}: {a}›", "{a} (is|as) the {k} for {s}", "{s} - {k} {a}", "{s} of {k} {a}", "{s} whose {k} is {a}", "{s} has {a} (as|for) its {k}",
    "{s}'s {k} (should be|must be|is) {a}", "{s}'s {k}: {a}",
)  # fmt: skip
_WHOSE = (
    "whose {k} is {a}",
    "with {k} {a}",
    "with {a} (as|for) {k}",
    "of which the {k} is {a}",
    "having {a} as {k}",
    "{k} {a}",
    "in {k} {a}",
)
_WISHES_BARE = (
    ", {p}", ", {p}", ", {p}", "{p}", " - {p}", "; {p}", ", {p} please", ". {p}", ", something {p}", ", {p}, please", ", and {p}",
    " - {p} please", " ... {p}", ", all {p}", ", {p} (if possible|if you have it|would be (nice|great|ideal|best))",
    ", but {p}", ", {p} (preferred|required|is a must|is best|is what i want|and nothing else)", ", (it being|being) {p}",
)  # fmt: skip
# it, them, its: the pronoun of the product, as an object, and with "is".
_WISHES = (
    ", {it} (should|must|ought to|can only|had better|would have to|shall|will have to) be {p}", ", (should|must|has to|needs to|ought to) be {p}",
    ". {it} (should|must|ought to|would have to|can only) be {p}", ". (make {them}|i want {them}|should be|must be|needs to be|has to be) {p}",
    ", (ideally|preferably|definitely|hopefully|at best|if possible|if you can|possibly) {p}", ". (ideally|preferably|if possible) {p}",
    ", i (want|need|prefer|would like|'d like|'d love) {them} {p}", ", i am (looking for|thinking of|after|hoping for) {p}", ", but {it} (should|must) be {p}",
    ", as long as {its} {p}", ", provided {its} {p}", ", which (should|must|has to|needs to) be {p}", "and {it} (should|must|might well|could) be {p}",
    "‹{it} (should|must) be {p}›", "‹(preferably|ideally|must be) {p}›", ". (my wish|wish|requirement|condition for that|what counts)(:| is) {p}",
    ", would (prefer|like|love) ({them}|) {p}", ", (please|) make {them} {p}", "- (has to be|must be|should be|needs to be|want {them}) {p}",
    ", can you make {them} {p}", ", (do you have|have you got) {them} {p}", ". (do you have|got) {them} {p}", ", so long as {its} {p}",
    "; (should|must|has to) be {p}", ", (the one i want|what i want|what i need|what i buy) (is|should be|must be|would be) {p}", ". i see {them} {p}",
    ", (only|just) if {its} {p}", ", {it} needn't be fancy but {p}", ", (best|nicest) if {its} {p}",
)  # fmt: skip


def after(writer: Writer, attribute: Attribute, *, clauses: bool = True) -> str:
    """The attribute as it follows a noun: "in red", "made of oak", "that is waterproof"."""
    led = _leads(attribute)
    forms = _LED.get(attribute.type, ("{a}",)) if led else _AFTER[attribute.type]
    if not clauses:
        forms = tuple(form for form in forms if not form.startswith(("that ", "which ")))
    return writer.say_one(forms, a=attribute.text)


def described(writer: Writer, attributes: Sequence[Attribute], *, bare: float = 0.55) -> str:
    """All attributes in a row, each alone or as it follows a noun, without a verb."""
    texts = [
        one.text if writer.often(bare) else after(writer, one, clauses=False) for one in attributes
    ]
    return writer.pick((" and ", ", ", " ", ", ", " & ", ", and ", " + ", " / ")).join(texts)


def predicate(writer: Writer, attributes: Sequence[Attribute]) -> str:
    """What a product is to be, said on its own: "red", "a red one", "red if possible"."""
    first = attributes[0]
    adjective = first.type in _ADJECTIVES and not _leads(first)
    if len(attributes) == 1 and adjective and writer.often(0.15):
        return writer.say_one(_ONE, a=first.text)
    text = described(writer, attributes)
    return writer.say_one(_HEDGED, p=text) if writer.often(0.1) else text


def clause(writer: Writer, attributes: Sequence[Attribute]) -> str:
    """A relative clause or the like: "that is waterproof", "whose colour is red"."""
    if len(attributes) == 1 and writer.often(0.2):
        return _with_kind(writer, attributes[0], _WHOSE)
    return writer.say_one(_CLAUSES, p=described(writer, attributes))


def named(writer: Writer, subject: str, attribute: Attribute) -> str:
    """What is said of a subject with the name for that: "the colour of the first should be red"."""
    return _with_kind(writer, attribute, _NAMED, s=subject)


def wish(
    writer: Writer, product: Product, attributes: Sequence[Attribute], *, bare: float = 0.5
) -> str:
    """A tail that says how a product is wished, after anything; `bare` is the share without a verb."""
    described_ = described(writer, attributes)
    if writer.often(bare):
        return writer.say_one(_WISHES_BARE, p=described_)
    it, them, its = ("they", "them", "they are") if product.plural else ("it", "it", "it is")
    return writer.say_one(_WISHES, p=described_, it=it, them=them, its=its)


def kind_of(writer: Writer, type_: str) -> str:
    """What a type of attribute is called: "colour", "size"."""
    return writer.say(_KINDS[type_])


def _leads(attribute: Attribute) -> bool:
    return attribute.words.split()[0].lower() in LEADING


def _with_kind(writer: Writer, attribute: Attribute, forms: Sequence[str], **slots: str) -> str:
    kind = kind_of(writer, attribute.type)
    return writer.say_one(forms, k=kind, a=attribute.text, **slots)
