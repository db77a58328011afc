# ruff: noqa: E501 - phrases read better one a line
"""Words about one product inside those about another: asides, conditions, what each may cost."""

from training.data.generator.pairs.clauses import noun_of
from training.data.generator.pairs.lists import listing
from training.data.generator.pairs.owned import PARTS, link
from training.data.generator.pairs.phrases import after, described, wish
from training.data.generator.pairs.places import ORDINALS
from training.data.generator.pairs.writer import Attribute, Body, Product, Writer, attached

# T: what is looked for; O: the product that is there; q: what that one is; p: what is wished.
_ASIDES = (
    "{T} ‹(for|matching|to go with) (my|the|our) {q} {O}› {p}", "{T} - (my|the|our) {O} is {q} - {p}", "{T}, (since|because|as|given that) (my|the|our) {O} is {q}, {p}", "{T} ‹i (already |)(have|own) (a|the|some) {q} {O}› {p}", "{T} ‹(my|our) {O} is {q}› {p}",
    "{T}, (which|that) (goes|would go|has to go) with (my|the|our) {q} {O}, {p}", "{T} that (goes|would go|fits) with (my|the|our) {q} {O} and (is|that is) itself {p}", "{T}, (to wear|to use|to combine) with (my|the) {q} {O}, {p}", "{T} ‹not for the {q} {O}› {p}",
    "{T}, (like|unlike) (my|the) {q} {O}, {p}", "{T} - not the {q} {O} - {p}", "{T}, not {q} like (my|the|our) {O} but {p}", "{T}, {q} being what (my|the|our) {O} is, {p}", "{T}, (even though|although|while) (my|the|our) {O} is {q}, {p}",
    "while (my|the|our) {O} is {q}, {T} should be {p}", "(my|the|our) {O} is {q} but {T} (should|must|has to) be {p}", "as (my|the|our) {O} is {q}, {T} (should be|may be|has to be) {p}",
    "unlike (my|the|our) {q} {O}, {T} (should|must) be {p}", "with (my|the|our) {O} being {q}, {T} had better be {p}", "{p} (should|must) be {T} for (my|the|our) {q} {O}", "{p} (if|though) (my|the|our) {O} is {q}: {T}", "in contrast to (my|the|our) {O}, which is {q}, {T} {p}",
    "{T} (next to|beside|along with) which (my|the|our) {q} {O} will stand, {p}", "{T}, whose {O} (is|are) {q}, and which (is|are) {p}", "{T} with {q} {O}, itself {p}", "{T}, the {O} of which (is|are) {q}, (overall|itself) {p}",
    "{T}, {O} {q}, (otherwise|apart from that|for the rest) {p}", "{T} without the {q} {O}, {p} (please|though)", "{T}, minus the {q} {O}, {p}", "{T} ‹{O}: {q}›: {p}", "(if|when) (the|my) {O} is {q}, (then|) {T} (should|can) be {p}", "(my|the) {q} {O} is here, what i lack is {T} {p}",
)  # fmt: skip
# Between what is looked for, the product that it is for, and one more behind that.
_CHAIN = (
    "{T} {L} {O} {M} {C}", "{T} {L} {O} {M} {C}", "{T} {L} {O} {M} {C}", "{T} {L} {O} ‹{M} {C}›", "{T} {L} {O} {M} {C},", "{T} {L} {O}, the one {M} {C},", "{T} {L} {O} that i (use|keep|have|wear|bought) {M} {C}",
    "{T} {L} {O} (which|that) is {M} {C}", "{T}, {L} {O} {M} {C}", "{T} {L} {O} - {M} {C} -",
)  # fmt: skip
_NEXT = (
    "(of|in|on|under|beside|behind|near|inside|next to) (my|the|our)", "(from|with) (my|the)", "(belonging to|attached to|on top of|in front of) (my|the|our)", "that (goes|came|belongs) (with|to) (my|the|our)", "for (my|the|our)",
)  # fmt: skip
# x, y: the products; P, Q: what each is to be; s, t: their places.
_CONDITIONS = (
    "if (it is|i take|i buy|you have|there is|it has to be) (the|a) {x}, (then|) {P}(,|;| and) if (it is|i take|you have|there is) (the|a) {y}(,|) (then|) {Q}", "either (a|the) {x}, {P}, or (a|the) {y}, {Q}", "(a|the) {x} {P} or else (a|the) {y} {Q}",
    "{x} if {P}, {y} if {Q}", "{x} (only|just) if it is {P}, {y} (only|just) if it is {Q}", "(for|with) (a|the) {x} i'd (accept|take|want) {P}, (for|with) (a|the) {y} {Q}", "unless the {x} is {P} i don't want it, and the {y} has to be {Q}",
    "{x} or {y}, {P} if it is the {s}, {Q} if it is the {t}", "{x} or {y}: {P} (in the case of|for|with) the {s}, {Q} (in the case of|for|with) the {t}", "{x} or {y}, {Q} if it is the {t}, {P} if it is the {s}", "{x} and {y}, {Q} (in the case of|for) the {t}, {P} (in the case of|for) the {s}",
    "should there be (a|the) {x}, {P} please, and should there be (a|the) {y}, {Q}", "{P} when it is (a|the) {x}, {Q} when it is (a|the) {y}", "(a|the) {x} as long as it is {P}, and (a|the) {y} provided that it is {Q}", "no {x} unless {P}, no {y} unless {Q}",
    "{x}: anything {P}. {y}: anything {Q}", "whatever {x} is {P}, and whatever {y} is {Q}", "all your {x} that (is|are) {P}, and all your {y} that (is|are) {Q}",
    "{P} goes for the {x}, {Q} goes for the {y}", "the {x} may be {P}, the {y} may not be anything but {Q}", "where the {x} is {P} and the {y} {Q}", "let me have the {x} {P} and the {y} {Q}", "do you have the {x} {P}? and the {y} {Q}?",
)  # fmt: skip
# a, b: the sums.
_BUDGETS = (
    "i (can|could|want to|would) (spend|pay) {a} (on|for) the {x} and {b} (on|for) the {y}", "{a} for the {x} and {b} for the {y}", "(budget|price|cost)(:|) {a} for the {x}, {b} for the {y}", "the {x} (may|can|should|must) cost {a}, the {y} {b}",
    "{x} ‹{a}›(,| and) {y} ‹{b}›", "{x} {a}, {y} {b}", "{x} and {y}, {a} for the {s} and {b} for the {t}", "{x} and {y}, {b} for the {t} (and|,) {a} for the {s}", "{x} and {y}. i have {a} for the {s} one and {b} for the {t} one", "{x} at {a} and {y} at {b}",
    "{x} and {y}, i'd pay {a} for the {s} (one|), {b} for the {t} (one|)", "{x} and {y} (at|for) {a} and {b} respectively", "for {a} the {x}, for {b} the {y}", "{x} for {a} or {y} for {b}", "{x}, {a}, and {y}, {b}", "{x} plus {y}, the {t} {b}, the {s} {a}",
    "(my|our) (budget|limit) is {a} for {x}, for {y} it is {b}", "{x} and {y}, no more than that: {a} the {s}, {b} the {t}", "{x} costing {a} as well as {y} costing {b}", "{x} (max|budget|price) {a} / {y} (max|budget|price) {b}",
)  # fmt: skip


def aside(writer: Writer) -> Body:
    """What is looked for, something about another product in between, then what is wished."""
    thing = writer.product(words=writer.pick(PARTS)) if writer.often(0.2) else writer.product()
    other = writer.product(named=0.2)
    before = [writer.adjective(thing)] if writer.often(0.25) else []
    is_so = writer.adjective(other)
    wished = _some(writer, thing)
    said = (
        after(writer, wished[0])
        if len(wished) == 1 and writer.often(0.4)
        else described(writer, wished)
    )
    form = writer.pick(_ASIDES)
    noun = writer.noun(thing, before, article=0.8)
    text = writer.say(form, T=noun, O=other.name, q=is_so.text, p=said)
    return Body(text, phrase=form.startswith("{T}"))


def chained(writer: Writer) -> Body:
    """One product for a second that goes with a third, then what is wished of the first."""
    thing = writer.product(words=writer.pick(PARTS)) if writer.often(0.4) else writer.product()
    others = [writer.product(named=0.2) for _ in range(2)]
    near = [[writer.adjective(one)] if writer.often(0.35) else [] for one in (thing, *others)]
    noun = writer.noun(thing, near[0], article=0.6)
    second, third = (
        writer.noun(one, told, article=0) for one, told in zip(others, near[1:], strict=True)
    )
    text = writer.say_one(
        _CHAIN, T=noun, L=link(writer), O=second, M=writer.say_one(_NEXT), C=third
    )
    return Body(attached(text, wish(writer, thing, _some(writer, thing), bare=0.5)))


def conditional(writer: Writer) -> Body:
    """What each is to be if it is that one."""
    one, other = writer.products(2)
    slots = {
        "x": noun_of(writer, one, 0.15), "y": noun_of(writer, other, 0.15), "s": _place(writer, 0), "t": _place(writer, 1),
        "P": described(writer, _some(writer, one), bare=0.8), "Q": described(writer, _some(writer, other), bare=0.8),
    }  # fmt: skip
    return Body(writer.say_one(_CONDITIONS, **slots), phrase=False)


def budgeted(writer: Writer) -> Body:
    """What each may cost: "under $50 for the shoes and under $30 for the bag"."""
    one, other = writer.products(2)
    sums = [writer.another(product, "price") for product in (one, other)]
    slots = {
        "x": noun_of(writer, one, 0.4), "y": noun_of(writer, other, 0.4), "s": _place(writer, 0), "t": _place(writer, 1),
        "a": sums[0].text, "b": sums[1].text,
    }  # fmt: skip
    form = writer.pick(_BUDGETS)
    text = writer.say(form, **slots)
    if "{s}" not in form and "respectively" not in form and writer.often(0.2):  # places are of two
        return Body(f"{listing(writer, [writer.product()])}; {text}", phrase=False)
    return Body(text, phrase=False)


def _place(writer: Writer, place: int) -> str:
    return writer.pick((ORDINALS[place][0], ORDINALS[place][0], ("former", "latter")[place]))


def _some(writer: Writer, product: Product) -> list[Attribute]:
    return [writer.attribute(product) for _ in range(writer.weighed({1: 7, 2: 2}))]
