# ruff: noqa: E501 - phrases read better one a line
"""A product and the one that it has to fit: "case for iphone 15", "lid for my 12 inch cast iron pan"."""

from training.data.generator.pairs.owned import PARTS
from training.data.generator.pairs.phrases import described, wish
from training.data.generator.pairs.writer import Body, Product, Writer, attached
from training.data.generator.searches.typed import keywords_of, short, told_of

_FITS = ("for",) * 8 + (
    "for (my|a|the|our|an old|this)", "(that|which) (fits|fit|would fit|will fit) (my|a|the|our|)", "(compatible|to use|usable|works|to work) with (my|a|the|)", "(made|suitable|designed|right|good|meant|intended|big enough|strong enough) for (my|a|the|)",
    "fits", "fitting (my|a|)", "to (fit|suit|match|go on|go with|put on|attach to|clip on) (my|a|the|our)", "(that goes|to go|which goes) (with|on|in|over|under) (my|the|our)", "(that works|working|that is ok) with (my|a|the|our|)",
    "(replacement|spare|spares) for (my|the|a|)", "(of|from) (my|the|our)", "to (protect|store|carry|charge|clean|repair|hang|mount|hold) (my|a|the|our)", "as (a replacement|a spare|an extra) for (my|the|our)", "in (my|the|our)", "on (my|the|our)",
    "(matching|that matches|to match|the same colo(u|)r as) (my|the|our|her|his)", "to (wear|combine|use) with (my|a|the)", "because i (have|own|bought) (a|this)", "like the one (on|for|of) my", "to replace the one (on|of|in) my",
)  # fmt: skip
_ARTICLES = ("",) * 8 + ("a ", "a ", "the ", "any ")
_FAR = (", {q}", ", {q} please", ". {q}", " - {q}", ", must be {q}", ", (has|needs) to be {q}", ", {q} if possible", " ‹{q}›", ", preferably {q}", "; {q}", ", ideally {q}", ", only {q}", ", i want it {q}", ", but {q}")  # fmt: skip
# A: what is looked for; O: what it has to fit.
_QUESTIONS = (
    "(which|what) {A} (fits|fit|goes with|would fit|works with|do i need for) (my|a|the) {O}", "(do|will|would) (your|the|these) {A} fit (my|a|the) {O}", "is there {AA} for (my|a|the) {O}", "(does|would) (this|the|your) {A} (go|work) with (my|a) {O}",
    "my {O} needs {AA}", "i have (a|an old|this) {O} and (need|want) {AA}", "(what|which) {A} for (a|my) {O}", "(can|could) i get {AA} for (my|the|a) {O}", "{O}: {A}", "my {O} lost its {A}", "(the|my) {O} came without {AA}",
    "got (a|my) {O}, now (i need|looking for) {AA}", "where (do|can) i (get|find) {AA} for (my|a) {O}", "{AA} is (missing|broken) on my {O}", "for (my|the|a|our) {O}(:|,|) {AA}", "with (my|the) {O} i want to use {AA}", "do you have anything like {AA} for {O}",
)  # fmt: skip


def fitting(writer: Writer) -> Body:
    """What is looked for, and after a link the other product with what that one is."""
    thing, other = _thing(writer), _other(writer)
    text = keywords_of(
        writer, thing, writer.weighed({0: 5, 1: 5, 2: 3, 3: 1}), last=writer.often(0.8)
    )
    owned = _owned(writer, other)
    text = f"{writer.pick(_ARTICLES)}{text} {writer.say_one(_FITS)} {owned}"
    if not thing.types or writer.often(0.4):
        said = described(
            writer, told_of(writer, thing, writer.weighed({1: 6, 2: 3, 3: 1})), bare=0.75
        )
        text = attached(text, writer.say_one(_FAR, q=said))
    return Body(text)


def compound(writer: Writer) -> Body:
    """The model in front of what is for it: "black iphone 15 case leather", all said of the case."""
    thing, other = writer.product(words=writer.pick(PARTS)), writer.product(named=1.0)
    attributes = told_of(writer, thing, writer.weighed({1: 5, 2: 4, 3: 2}))
    place = writer.chance.randint(0, len(attributes))
    behind = (short(writer, one) for one in attributes[place:])
    texts = [*(one.text for one in attributes[:place]), other.name, thing.name, *behind]
    return Body(" ".join(texts), phrase=writer.often(0.4))


def asked_to_fit(writer: Writer) -> Body:
    """A question or sentence about both."""
    thing, other = _thing(writer), _other(writer)
    before = [writer.adjective(thing)] if writer.often(0.5) else []
    slots = {
        "A": writer.noun(thing, before, article=0),
        "AA": writer.noun(thing, before, article=1),
        "O": _owned(writer, other),
    }
    text = writer.say_one(_QUESTIONS, **slots)
    if not before or writer.often(0.3):
        attributes = told_of(writer, thing, writer.weighed({1: 3, 2: 1}))
        # With a verb where the other product stands last: a bare word might go for that one.
        text = attached(text, wish(writer, thing, attributes, bare=0.3))
    return Body(text, phrase=False)


def _thing(writer: Writer) -> Product:
    return (
        writer.product(words=writer.pick(PARTS)) if writer.often(0.6) else writer.product(named=0)
    )


def _other(writer: Writer) -> Product:
    return writer.product(named=0.4)


def _owned(writer: Writer, other: Product) -> str:
    before = [writer.adjective(other) for _ in range(writer.weighed({0: 4, 1: 5, 2: 3, 3: 1}))]
    return " ".join((*(one.text for one in before), other.name))
