# ruff: noqa: E501 - phrases read better one a line
"""One product in phrases, questions and loose sentences, with what it should be anywhere in them."""

from collections.abc import Sequence

from training.data.generator.pairs.phrases import after, clause, described, predicate, wish
from training.data.generator.pairs.writer import Attribute, Body, Product, Writer, attached

# n: the product without an article; AN: with one; p: what follows it; q: what it is to be.
_QUESTIONS = (
    "(what|which) {n} (do you have|have you got|do you sell|would you recommend|are there|can i get) {p}", "(is|isn't) there {AN} {p}", "(do|did) you (have|sell|stock|carry|get) (any|your|the|) {n} {p}",
    "(does|do) (the|your|any|that) {n} (come|exist) {p}", "(can|could|may) i (get|have|see|order|buy|try) {AN} {p}", "where (are|is|would i find|do you keep|can i see) (the|your) {n} {p}",
    "(what|how) about {AN} {p}", "who (sells|makes|has) {AN} {p}", "which (of your|of the|) {n} (is|are) {q}", "what (kind|sort|type) of {n} {p} (do you have|is there)", "any {n} {p} (in stock|left|available)",
    "have you (got|still got|ever had) {AN} {p}", "is (the|this|your) {n} (also|) (available|sold|there) {p}", "(are there|do you have) (some|any) {n} (that are|which are) {q}", "if i want {AN} {p}, what (is there|do you suggest)",
    "could you (help me find|point me to|look up|order) {AN} {p}", "(can|do) i find {AN} {p} (here|at your shop|with you)", "(what's|what is) (your|the) best {n} {p}", "got any {n} {p}", "(why|how come) (is there no|do you have no) {n} {p}",
    "can (a|the|your) {n} be (had|bought|ordered) {p}", "how many {n} {p} do you have", "do i get {AN} {p} (from you|here|)", "are your {n} {q}",
)  # fmt: skip
_OPEN = (
    "i need {AN}", "looking for {AN}", "{AN}", "{n}", "{AN} please", "it's about {AN}", "i am (looking for|after|shopping for) {AN}", "my (son|wife|mother|friend|boss) wants {AN}",
    "we (lost|broke|need) (our|the|a) {n}", "i want to (buy|order|get) {AN}", "find me {AN}", "(um|uh|so|well|ok|right)(,|) {AN}", "it is time for {AN}", "any {n}", "a gift: {AN}",
    "alexa, (find|order|look for) {AN}", "hey google {n}", "(can you|please|could you) (find|search|show) {AN}", "i was thinking of {AN}", "i've been looking for {AN} for ages", "quick one: {n}",
)  # fmt: skip
_NOTES = (
    "{q}", "{q}", "{q}", "{q} please", "(it|they) (should|must|has to|needs to) be {q}", "(must|should) be {q}", "(um|uh|hmm|oh and|also|and) {q}", "{q} i (think|guess|suppose|hope)", "(preferably|ideally|definitely|best) {q}",
    "{q} if (possible|you have it|that exists)", "{q} would be (nice|great|perfect)", "i (like|love|want|prefer) {q}", "{q} is (important|a must|enough|fine)", "make (it|that|them) {q}", "has to come {q}", "something {q}",
    "let's say {q}", "{q}, you know", "{q} or so", "(nothing|not anything) but {q}", "(you know|like) {q}", "and it must be {q}",
)  # fmt: skip
_HEADS = (
    "{q}, that is the {n} (i want|i need|for me)", "{q}: i need {AN} like that", "{q} please, the {n}", "it (should|must) be {q}, the {n}", "{q} - {n}", "{q}, {n}", "something {q}, {AN} (maybe|i think|)", "(i want|i need|looking for) something {q}, (like |namely |ideally |){AN}",
    "{q} is what i (want|need) (in|for) {AN}", "for {AN} i want {q}", "as for the {n}, {q}", "{q} and it is {AN}", "anything {q}? {n} i mean", "is anything {q}? i mean {n}", "(show|give) me all {q} {n}",
)  # fmt: skip


def spoken(writer: Writer) -> Body:
    """A noun phrase: some attributes before the noun, some after it, perhaps a clause and a wish."""
    product = writer.product(named=0.15)
    before = [writer.adjective(product) for _ in range(writer.weighed({0: 3, 1: 5, 2: 3, 3: 1}))]
    text = writer.noun(product, before, article=0.5)
    if writer.often(0.55) or not before:
        text = f"{text} {_behind(writer, product)}"
    if writer.often(0.2):
        text = f"{text} {clause(writer, [writer.attribute(product)])}"
    if writer.often(0.25):
        text = attached(text, wish(writer, product, [writer.attribute(product)]))
    return Body(text)


def asked(writer: Writer) -> Body:
    """A question for a product."""
    product = writer.product(named=0.15)
    slots = _nouns(writer, product)
    behind, is_so = _behind(writer, product), predicate(writer, _some(writer, product))
    text = writer.say_one(_QUESTIONS, p=behind, q=is_so, **slots)
    return Body(f"{text}{writer.pick(('?', '?', ''))}", phrase=False)


def noted(writer: Writer) -> Body:
    """The product, then one thing after another that comes to the shopper's mind."""
    product = writer.product(named=0.1)
    parts = [writer.say_one(_OPEN, **_nouns(writer, product))]
    joints = (". ", ", ", " ", "... ", " - ", ". ", ", ")
    joint, again = writer.pick(joints), writer.often(0.5)
    text = parts[0]
    for _ in range(writer.weighed({1: 4, 2: 5, 3: 3, 4: 1})):
        joint = writer.pick(joints) if again else joint
        attributes = [writer.attribute(product)]
        said = described(writer, attributes, bare=0.7)
        text = f"{text}{joint}{writer.say_one(_NOTES, q=said)}"
    return Body(text, phrase=False)


def headed(writer: Writer) -> Body:
    """What it should be, then what it is."""
    product = writer.product(named=0.1)
    slots = _nouns(writer, product)
    text = writer.say_one(_HEADS, q=described(writer, _some(writer, product), bare=0.75), **slots)
    return Body(text, phrase=False)


def _behind(writer: Writer, product: Product) -> str:
    phrases = [after(writer, one) for one in _some(writer, product)]
    return writer.pick((" ", " ", " and ", ", ", ", ")).join(phrases)


def _some(writer: Writer, product: Product) -> Sequence[Attribute]:
    return [writer.attribute(product) for _ in range(writer.weighed({1: 6, 2: 4, 3: 1}))]


def _nouns(writer: Writer, product: Product) -> dict[str, str]:
    before = [writer.adjective(product) for _ in range(writer.weighed({0: 6, 1: 3, 2: 1}))]
    return {
        "n": writer.noun(product, before, article=0),
        "AN": writer.noun(product, before, article=1),
    }
