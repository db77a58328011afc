# ruff: noqa: E501 - phrases read better one a line
"""Clauses that say what a product is to be: with verbs of many kinds, fronted, cleft, far from its noun."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from training.data.generator.pairs.phrases import described, kind_of
from training.data.generator.pairs.writer import LEADING, TYPES, Attribute, Body, Product, Writer

# Each begins with a verb, which is inflected.
_DOES: dict[str, tuple[str, ...]] = {
    "color": ("come in {a}", "come in {a}", "be {a}", "be {a} in colo(u|)r", "have {n} {a} finish", "look {a}", "be available in {a}"),
    "material": ("be made of {a}", "consist of {a}", "be (crafted|built|made) from {a}", "be all {a}", "use {a} throughout", "come in {a}"),
    "creator": ("be by {a}", "come from {a}", "carry the {a} label", "bear the {a} logo", "be made by {a}", "be from the house of {a}"),
    "UoM": ("measure {a}", "come in {a}", "be {a}", "be available in {a}", "be (around|about|exactly) {a}"),
    "price": ("cost {a}", "sell for {a}", "go for {a}", "be priced at {a}", "be worth {a}"),
    "modifier": ("be {a}", "be of the {a} (kind|sort|type)", "count as {a}", "be sold as {a}", "belong to the {a} (kind|type)"),
    "department": ("be for {a}", "fit {a}", "suit {a}", "be (meant|made|intended) for {a}"),
    "condition": ("be {a}", "come {a}", "be in {a} condition", "be sold {a}"),
    "occasion": ("be for {a}", "suit {n} {a}", "be (meant|good|right) for {a}", "work for {a}"),
    "shape": ("be {a}", "have {n} {a} (shape|cut|form)", "look {a}", "be {a} in shape"),
    "quantity": ("come as {a}", "be sold as {a}", "be offered as {a}"),
    "content": ("show {a}", "feature {a}", "have {a} on the front", "carry {n} {a} print", "be decorated with {a}", "have {n} {a} (motif|design)"),
    "product_number": ("be model {a}", "have the (number|code) {a}", "carry the number {a}", "go by the number {a}"),
    "origin": ("be {a}", "be of {a} make", "come from {n} {a} maker"),
    "time": ("date from {a}", "be from {a}", "come from the {a} range", "be of the {a} series"),
}  # fmt: skip
_LED_DOES = {
    "price": ("cost {a}", "be {a}", "stay {a}", "be priced {a}"),
    "modifier": ("come {a}", "be {a}"),
}  # fmt: skip
"""For an attribute that begins with a word that leads to it; "be" for all other types."""

_FORMS = {
    "be": ("is", "are", "being"), "have": ("has", "have", "having"), "go": ("goes", "go", "going"), "carry": ("carries", "carry", "carrying"),
    "fit": ("fits", "fit", "fitting"),
}  # fmt: skip
# b: the verb phrase as an infinitive; s: in the present; g: as a participle.
_VERBAL = (
    "the {x} {s}", "the {x} (should|must|ought to|will|would|could) {b}", "i want the {x} to {b}", "(the|) {x} {g}", "{x} that {s}", "{x} that {s}", "{x} (supposed|meant|expected|known) to {b}", "the (kind|sort) of {x} that {s}",
    "let the {x} {b}", "(my|the|our) {x} will have to {b}", "{x} {g} (would be ideal|would do|if possible)", "nothing but {x} {g}", "only {x} that {s}", "{x} which would {b}", "any {x} so long as {it} {s}", "it matters that the {x} {s}",
    "i insist that the {x} {b}", "i'd like to see the {x} {g}", "with the {x} {g}", "the {x} had better {b}", "the {x} {has} to {b}", "{does} the {x} {b}?", "do you have {x} that {s}?", "are there {x} {g}?", "{x} ‹{it} should {b}›", "{x}, and {it} must {b}",
    "it's important for the {x} to {b}", "i need the {x} to {b}", "the {x} {is} required to {b}", "{x}, provided {it} {s},", "for the {x} to {b} is a must", "i expect the {x} to {b}", "make sure the {x} {s}", "{x} ‹{g}›", "if the {x} {s} i'll take {them}",
)  # fmt: skip
_FRONTED = (
    "{P} is how i want the {x}", "{P} is what the {x} should be", "{P} i want the {x}", "it is {P} that the {x} should be", "it's the {x} that (should|must|would) be {P}", "what (has to|should) be {P} is the {x}", "{P} the {x} must be", "the {x}, i'd take {them} {P}",
    "{it} should be {P}, the {x}", "how i want the {x}: {P}", "the {x} i (see|think of) as {P}", "the (only|one) thing i ask of the {x} is that {it} be {P}", "there is one condition for the {x}: {P}", "my choice for the {x} is {P}", "speaking of the {x}, {P}",
    "{P} is a must for the {x}", "the {x} {is} wanted {P}", "i was told to get the {x} {P}", "the {x} can be nothing but {P}", "should the {x} be {P}, i'd be happy", "the {x}? i'd have {them} {P}", "{P} would be right for the {x}", "if i had to choose for the {x}, {P}",
    "{x}: not just any but {P}", "what i have in mind for the {x} is {P}", "{x} (has|have) to be what? {P}", "of all {x} i only want to see {P}", "by now you know i want the {x} {P}", "i picture the {x}, well, {P}", "{P} - thus i'd describe the {x}", "the {x} would ideally turn out {P}",
    "the {x} {is} fine if {P}", "i won't take the {x} unless {it} {is} {P}", "the {x} only convinces me {P}", "in {x} i look for one thing: {P}", "{P} or not at all, i mean the {x}", "what matters about the {x}: {P}", "i care about the {x} being {P}", "{P}, or so i'd like the {x}",
)  # fmt: skip
_FRONTED_PAIRS = (
    "{P} i want the {x}, {Q} the {y}", "{P} is how i want the {x}, {Q} how i want the {y}", "what should be {P} is the {x}, what should be {Q} the {y}", "it should be {P}, the {x}, and {Q}, the {y}", "{P} the {x} should be and {Q} the {y}",
    "it is {P} that i want the {x} and {Q} that i want the {y}", "{P} for the {x} is as important as {Q} for the {y}", "the {x} must be {P} just as the {y} must be {Q}", "the {x} {P}, so to speak, and {Q} the {y}", "how about {P} for the {x}, and for the {y} {Q}",
    "{P} as regards the {x} and as regards the {y} {Q}", "while {P} is for the {x}, {Q} is for the {y}", "i'll have the {x} if {P} and the {y} if {Q}", "neither the {x} unless {P} nor the {y} unless {Q}", "for the {x} i think {P}, for the {y} rather {Q}",
    "the {x} and {P} go together, and so do the {y} and {Q}", "i want {P} to be the {x} and {Q} the {y}", "with {P} i mean the {x}, with {Q} the {y}", "the {x} is to the {y} as {P} is to {Q}",
)  # fmt: skip
# a, b: attributes of one kind k.
_OF_KIND = (
    "the {k} of the {x} (should be|is|must be) {a} and that of the {y} {b}", "the {x}'s {k} (should be|is) {a}, the {y}'s {b}", "{k}-wise the {x} (should be|is) {a}, the {y} {b}", "the {x} with {a} for a {k}, the {y} with {b}", "let {a} be the {k} of the {x} and {b} that of the {y}",
    "in terms of {k}, {x} {a} and {y} {b}", "{a} being the {k} of the {x}, {b} that of the {y}", "the {k} i want for the {x} is {a}, the one for the {y} {b}", "as (a|the) {k}, {a} for the {x} and {b} for the {y}", "{k}? {a} for the {x}, {b} for the {y}", "what {k}? the {x} {a}, the {y} {b}",
    "about the {k}: {a} on the {x}, {b} on the {y}", "{x} of one {k} and {y} of another, {a} the former, {b} the latter", "{x} and {y} that differ in {k}: {a} the former, {b} the latter", "not the same {k}: {a} for the {x} but {b} for the {y}", "{x} has {a} as {k}, {y} has {b}", "with {a} as its {k} the {x}, and with {b} the {y}",
    "choose {a} as the {k} of the {x}, but {b} for the {y}", "(set|filter) {k} to {a} for {x} and to {b} for {y}", "the {k} differs: {x} {a}, {y} {b}", "{x}, the {k} of which is {a}, and {y}, the {k} of which is {b}", "{a} ‹that's the {k} of the {x}› and {b} ‹that of the {y}›", "{k} {a} on the {x}, {k} {b} on the {y}",
)  # fmt: skip
# Words that say nothing of a product, between it and what is said of it; N: another product.
_FAR = (
    "which i have been looking for everywhere", "if you still have any", "the kind i saw in your window", "that everyone talks about", "which a friend told me about", "and i am serious about this", "whatever it takes", "although i am not in a hurry",
    "as i wrote to you before", "if that isn't asking too much", "like i always get here", "and correct me if i'm wrong", "next to the {N} on your page", "which you show beside the {N}", "that i saw together with the {N}", "listed right above the {N}",
    "the page after the {N}", "which used to be where the {N} is", "you had it near the {N}", "not to be confused with the {N}", "that came up when i searched for the {N}", "far more urgent than the {N}", "forget about the {N}", "which i like better than the {N}", "the {N} can wait",
)  # fmt: skip
_FAR_ENDS = ("{x}, {f}, {P}", "{x} ‹{f}› {P}", "{x} - {f} - {P}", "the {x}, {f}, should be {P}", "the {x}, {f}, must be {P}", "i'd like the {x}, {f}, {P}", "{P} (i want|should be) the {x}, {f}", "as for the {x}, {f}, {P}")  # fmt: skip
# What is looked for against another product: k is a kind of thing said of both.
_COMPARED = (
    "{x} of the same {k} as the {qy} but {p}", "the same {k} as the {qy}, but on {ax}, {p},", "{x} that {x_is} {p}, unlike the {y}, which {y_is} {q}", "{p} in the case of the {x}, though in the case of the {y} {q}", "{x} {p}, the {y} rather {q}",
    "{x} just like the {qy}, but {p}", "{y} {q} and, to contrast, {x} {p}", "compared with the {y}, which {y_is} {q}, the {x} should be {p}", "what the {qy} {y_is} not, the {x} should be: {p}", "rather than {y} {q}, {x} {p}",
    "i prefer {x} {p} to {y} {q}", "if the {y} {y_is} {q}, fine, but the {x} must be {p}", "better {x} {p} than {y} {q}",
    "{x} in a {k} other than that of the {qy}, and {p}", "the {x}, more than the {y}, should be {p}", "{x} that would not look out of place beside {y}, {x_it} should be {p}", "both have to match: the {x} {p}, the {y} {q}", "{y} {q} is what i have, {x} {p} what i lack", "on the one side {y} {q}, on the other {x} {p}",
)  # fmt: skip
_JOINTS = (", ", ", ", " and ", ", and ", "; ", ". ", " but ", " while ", ", while ", " whereas ", " - ", ". and ", ", plus ", ". besides, ", " and likewise ", ", then again ")  # fmt: skip
_APART = (". ", "; ", ". ", " - ", ". besides, ", "; then again ", ". and ")


class Verb(NamedTuple):
    """A phrase with its verb: "come in red", "comes in red", "coming in red"."""

    base: str
    present: str
    participle: str


def verb(writer: Writer, attribute: Attribute, *, plural: bool) -> Verb:
    """What a product does that has this attribute."""
    first = attribute.words.split()[0].lower()
    led = first in LEADING or first.startswith("cheap")
    article = "an" if first[0] in "aeiou" else "a"
    forms = _LED_DOES.get(attribute.type, ("be {a}",)) if led else _DOES[attribute.type]
    base, rest = writer.say_one(forms, a=attribute.text, n=article).split(" ", 1)
    regular = (f"{base}s", base, f"{base.removesuffix('e')}ing")
    one, many, participle = _FORMS.get(base, regular)
    return Verb(f"{base} {rest}", f"{many if plural else one} {rest}", f"{participle} {rest}")


def noun_of(writer: Writer, product: Product, near: float = 0.12) -> str:
    """A product's noun without an article, what it is before it now and then."""
    before = [writer.adjective(product)] if writer.often(near) else []
    return writer.noun(product, before, article=0)


def about(writer: Writer, product: Product, near: float = 0.12) -> dict[str, str]:
    """Slots that speak of a product: its noun {x}, the pronouns and verbs that agree with it."""
    it, them, is_, has, does = (
        ("they", "them", "are", "have", "do")
        if product.plural
        else ("it", "it", "is", "has", "does")
    )
    noun = noun_of(writer, product, near)
    return {"x": noun, "it": it, "them": them, "is": is_, "has": has, "does": does}


def wished(writer: Writer, product: Product, *, bare: float = 0.65) -> str:
    """One or two things that a product is to be."""
    number = writer.weighed({1: 7, 2: 2})
    return described(writer, [writer.attribute(product) for _ in range(number)], bare=bare)


def verbal(writer: Writer) -> Body:
    """Each product with a verb of its own: "shoes that come in red and a bag costing $25"."""
    products = writer.products(writer.weighed({2: 6, 3: 2}))
    form, parts = writer.pick(_VERBAL), []
    again = writer.chance.choice((0.0, 0.4, 1.0))
    for product in products:
        slots = about(writer, product)
        does = verb(writer, writer.attribute(product), plural=product.plural)
        form = writer.pick(_VERBAL) if writer.often(again) else form
        parts.append(writer.say(form, **slots, b=does.base, s=does.present, g=does.participle))
    return Body(joined(writer, parts), phrase=False)


def fronted(writer: Writer) -> Body:
    """What is wished at the head of its clause, or cleft from it: "red is how i want the bag"."""
    if writer.often(0.35):
        one, other = writer.products(2)
        slots = {
            "x": noun_of(writer, one), "y": noun_of(writer, other),
            "P": wished(writer, one), "Q": wished(writer, other),
        }  # fmt: skip
        return Body(writer.say_one(_FRONTED_PAIRS, **slots), phrase=False)
    forms, parts = [], []
    for product in writer.products(writer.weighed({2: 6, 3: 2})):
        forms.append(writer.pick(_FRONTED))
        parts.append(writer.say(forms[-1], **about(writer, product), P=wished(writer, product)))
    return Body(joined(writer, parts, apart=_meeting(forms)), phrase=False)


def of_kind(writer: Writer, forms: Sequence[str] = _OF_KIND) -> Body:
    """The kind of thing once, then what it is of each: "the colour of the bag is red, that of …".

    Args:
        writer: of the query.
        forms: with the products {x} and {y}, the kind {k}, and what it is of each, {a} and {b}.
    """
    one, other = writer.products(2)
    type_ = writer.weighed(TYPES)
    slots = {
        "x": noun_of(writer, one), "y": noun_of(writer, other), "k": kind_of(writer, type_),
        "a": writer.another(one, type_).text, "b": writer.another(other, type_).text,
    }  # fmt: skip
    return Body(writer.say_one(forms, **slots), phrase=False)


def distant(writer: Writer) -> Body:
    """Words about something else, another product even, between a product and what is said of it."""
    forms, parts, products = [], [], 0
    while products < 2:
        product = writer.product(named=0.1)
        far = writer.pick(_FAR)
        slots = about(writer, product)
        products += 1
        if "{N}" in far:
            other = writer.product(named=0.1)
            far = writer.say(far, N=noun_of(writer, other, near=0.5))
            products += 1
        forms.append(writer.pick(_FAR_ENDS))
        parts.append(writer.say(forms[-1], f=far, P=wished(writer, product), **slots))
    text = joined(writer, parts, apart=_meeting(forms))
    return Body(text, phrase=forms[0].startswith("{x}"))


def compared(writer: Writer) -> Body:
    """One product against another, each with what it is: "a bag like the red shoes, but black"."""
    one, other = writer.products(2)
    ours, theirs = about(writer, one), about(writer, other, near=0)
    is_so = writer.adjective(other)
    slots = {
        "x": ours["x"], "x_is": ours["is"], "x_it": ours["it"], "y": theirs["x"], "y_is": theirs["is"],
        "ax": writer.noun(one, article=1), "k": kind_of(writer, writer.weighed(_COMMON)),
        "p": wished(writer, one), "q": is_so.text, "qy": writer.noun(other, [is_so], article=0),
    }  # fmt: skip
    return Body(writer.say_one(_COMPARED, **slots), phrase=False)


_COMMON = {"color": 4, "material": 3, "creator": 3, "UoM": 3, "shape": 2, "price": 2}


def joined(writer: Writer, clauses: Sequence[str], *, apart: bool = False) -> str:
    """Clauses that each say of what they speak; `apart` keeps one from running into the next."""
    return writer.pick(_APART if apart else _JOINTS).join(clauses)


def _meeting(forms: Sequence[str]) -> bool:
    """Whether what is said at the end of one form meets what is said at the head of the next."""
    return any(
        one.endswith("{P}") and following.startswith("{P}") for one, following in pairwise(forms)
    )
