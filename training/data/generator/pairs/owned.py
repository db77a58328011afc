# ruff: noqa: E501 - phrases read better one a line
"""A product that is for another, which the shopper has: far from its attributes, before or after it.

What is wished ("it must be red", or a bare attribute at the end) goes for the product that is looked
for. What is so ("which is red", "mine is red") goes for the one that is there.
"""

from training.data.generator.pairs.phrases import after, described, wish
from training.data.generator.pairs.writer import Attribute, Body, Product, Writer, attached

PARTS = ["lid", "knob", "zipper", "sole", "buckle", "keychain", "holster", "pouch", "tripod mount", "lens cap", "screen", "hinge", "drawer", "cartridge", "ink", "plug", "wall mount", "cradle", "tempered glass", "ear tips", "nozzle", "belt clip", "dust bag", "slipcover", "throw", "cover", "strap", "charger", "stand", "holder", "sleeve", "leash", "collar", "liner", "shelf", "tie", "scarf", "clutch", "brooch", "headband", "runner", "lampshade", "hook", "carrier", "tote", "wax", "varnish", "glue", "spray", "cloth", "sponge", "blade", "spare wheel", "bell"]  # fmt: skip

# Each ends so that the other product's noun can follow.
_LINKS = (("for (my|a|the|our|)",) * 8 + ("to go with (my|the)", "to match (my|the)", "for my") * 2 + (
    "for (his|her|their|this|that)", "for use with (my|a|the|our|)", "(that fits|fitting|to fit|that would fit|fits) (my|a|the|our|)",
    "(compatible with|suitable for|made for|designed for|meant for|intended for|good for) (my|a|the|our|)", "(to go|that goes|which goes|going|that would go) (well |nicely |) with (my|a|the|our)",
    "(to match|matching|that matches|that would match|which matches) (my|a|the|our|her|)", "(to wear|worn|i can wear) (with|over|under) (my|a|the)",
    "to (put|place|keep|lay|set) (in|on|under|into|over|next to|behind|beside|near) (my|a|the|our)", "to (use|pair|combine|team) with (my|a|the)", "(like|similar to|just like) (my|the)",
    "to replace (my|the|our|a)", "(instead of|in place of|rather than) (my|a|the|our)", "to (protect|cover|wrap) (my|the|a|our)", "to (hang|mount|fix) (over|above|beside|on|next to) (my|the|our)",
    "(to complement|complementing|to suit|that suits|that complements) (my|the|our)", "(to attach to|attached to|that clips onto|that attaches to) (my|the|a)",
    "to (carry|store|hold|clean|charge|repair|transport|decorate|fill) (my|a|the|our)", "(on top of|under|inside|beside|around|in front of) (my|the|a|our)",
    "(because|since|as|now that) i (already |) (have|own|bought|ordered) (a|the|this)", "to be used (with|on|in) (my|the|a)", "with (a|an|my|the|)", "that comes with (a|an|the)",
    "including (a|the|one)", "without (a|any|the)", "(and|but) not (a|the|another)", "(cheaper|smaller|bigger|lighter|nicer|better|longer) than (my|the|a)",
    "(in|of) the same (style|colo(u|)r|size|kind|shade) as (my|the|a)", "the same (style|colo(u|)r|size) as (my|the)", "not as (big|heavy|expensive|dark) as (my|the)", "that looks (good |) (on|with|like) (my|the|a)",
    "(that|which) (works|work) with (my|a|the|our)", "to (sit|stand) (on|under|beside) (my|the|our)", "so that i can use (my|the)", "i can (use|wear|put) with (my|the)",
    "in addition to (my|the)", "to accompany (my|the)", "as (an accessory|an addition|a companion) (to|for) (my|the|our)", "as (part of|an extra for) (my|the)", "(inspired by|based on) (the|my)",
    "to (give|gift) (along |together |) with (a|the)", "which is meant for (my|a|the)", "big enough for (my|a|the|our)", "belonging to (my|the|a)",
    "(about|around) the size of (my|a|the)", "strong enough for (my|a|the)", "that can hold (my|a|the)", "where i can (keep|store) (my|the|a)", "next to which i put (my|the)",
))  # fmt: skip
_OWN = ("my", "our", "his", "her", "their")
_POSSESSIVE = ("(my|the|our|her) {o}('s|) {t}", "{o}'s {t}", "{t} of (my|the|our) {o}")
# What the other product is, right behind it. "That is red" and "(red)" are missing: they may be wishes.
_STATED = (
    "‹mine is {q}›", ", mine is {q}", "- mine is {q} -", ", the one i (have|own|bought) is {q}", ". mine is {q}", "that happens to be {q}", "i (bought|own|have), which is {q}",
    ", mine being {q}", ", the latter (is|being) {q}", "of mine that is {q}", "‹the one i have is {q}›", "- the one at home is {q} -", "; mine is {q}", "that i know is {q}",
    "‹mine (is|are): {q}›", "that turned out to be {q}", ", of which mine is {q}",
    ", which is {q},", "which is {q}", ", which are {q},", "which are {q}", "‹it is {q}›", "‹it's {q}›", "‹which is {q}›", ". that one is {q}", ", that one is {q}",
    ", which (happens|seems) to be {q},", "which is already {q}", ", itself {q},", "‹they are {q}›",
)  # fmt: skip
# Sentences about the product that is there, alone or with what it is.
_HAVE = (
    "(i|we) (have|own|bought|got|just bought|already have|ordered|use) {AO}", "there (is|was) {AO} (at home|in my room|here|already)", "{O} owner here", "for (my|our|the|her|his) {O}",
    "it('s| is|s) for (my|our|the) {O}", "this is (about|for) (my|our|the) {O}", "with (my|our|the) {O} in mind", "(my|our|the) {O} is (here|waiting|all i have|still good)", "got {AO} (already|at home|)",
    "now that (i|we) have {AO}", "having (bought|got) {AO}", "regarding (my|our|the) {O}", "i love (my|our) {O}", "about (my|our) {O}", "to go with (my|our|the) {O}", "as i (have|own|use) {AO}",
    "a friend has {AO}", "for {AO}", "matching (my|the|our) {O}", "i am the owner of {AO}", "next to (my|our|the) {O}", "{AO} is (what i have|there|mine)", "on (my|our|the) {O}", "if you know (my|the) {O}",
)  # fmt: skip
_HAVE_STATED = (
    "(my|our|the|her) {O} (is|are) {q}", "(my|our|the) {O} (is|are) {q}", "{AO} i (own|have) (is|are) {q}", "(i|we) (have|own|bought) {AO}, (it is|it's|that is|which is|they are) {q}", "{O} ‹{q}›",
    "the {O} (i have|we own|at home|in question) (is|are) {q}", "(since|because|as) (my|our|the) {O} (is|are) {q}", "{O}: {q}", "(my|our) {O} (is|are) {q} (already|you know|)", "given that (my|our|the) {O} is {q}",
    "{AO} that is {q} (is|was) (here|there)", "if (my|the) {O} is {q}", "for (my|the|our) {O} that is {q}", "for (my|the|our) {O} ‹{q}›", "considering (my|our) {O} is {q}", "my {O}, {q},", "(i|we) own {AO} ‹{q}›",
)  # fmt: skip
_ASK = (
    "(so|now|and|hence|therefore|thus|then|) (i|we) (need|want|would like|could use) {AT}", "looking for {AT}", "(what|which) {T} (goes|would go|fits) with (it|that|them)",
    "(what|which) {T} (do you have|can you recommend|would suit it|should i take)", "show me {AT} (for it|to go with it|that fits|)", "{AT} (for it|to go with it|to match|that suits it|)", "{AT}", "need {AT} (for it|for that|)",
    "(can|could) (you find|i get|i see|you show) {AT}", "(i|we) (wish for|search|lack|miss) {AT}", "any {T} (for it|for that|that fits|)", "what about {AT} (for it|)", "{AT} would be (nice|great|useful)",
    "it needs {AT}", "do you (have|sell) {AT} (for it|to match|)", "{AT} is (missing|needed|wanted|what i need)", "is there {AT} (for it|)", "find {AT} (that fits|for it|)", "(it|that) calls for {AT}", "one thing missing: {AT}",
)  # fmt: skip
_NEEDS = (
    "(my|our|the) {O} (needs|need|is missing|deserves|could use|lacks|calls for|wants|has no|lost its) {AT}", "(my|our) {O} (looks|would look) better with {AT}", "(my|our) {O} and {AT} to go with it",
    "what (my|our) {O} (lacks|needs) is {AT}", "(my|our) {O} (won't work|is useless|is nothing) without {AT}", "to my {O} i want to add {AT}",
)  # fmt: skip
# The wish at the head, then both products.
_WISH_FIRST = (
    "{p}(:|,) {AT} {L} {O}", "{p} please(:|,) {AT} {L} {O}", "(it|this|that) (should|must|has to|needs to|ought to) be {p}(:|,) {AT} {L} {O}", "(something|anything|one) {p}(:|,) {AT} {L} {O}", "{p} it (should|must|has to) be, {AT} {L} {O}",
    "{p} (is|that is|that's) (what|how) i want (it|)(:|,) {AT} {L} {O}", "i('d like|'d love|'d prefer| prefer| want) {p} as {AT} {L} {O}", "{p} and {L} {O}: {AT}", "{p} {L} {O}, {AT}", "if (it is|it's) {p} i'll take {AT} {L} {O}",
    "(only|preferably|ideally|definitely) {p}(:|,) {AT} {L} {O}", "{p}(,| -) that('s| is) (how|what) {AT} {L} {O} (should|must|has to) be", "{p} should be {AT} {L} {O}", "(must be|has to be|should be) {p}: {AT} {L} {O}", "{p}, in short, {AT} {L} {O}", "what i want is {p}: {AT} {L} {O}",
    "(i want it|make it) {p}, {AT} {L} {O}", "{p} ... {AT} {L} {O}", "{L} {O} i want {AT}, {p}", "{L} {O}: {AT}, {p}", "{L} {O} - {AT} - {p}",
)  # fmt: skip
# Neither product by its name.
_REFERRED = (
    "the (former|first|first one) (should|must|has to) be {p}", "what i (buy|need|want|am after) (should|must|has to) be {p}", "the one (i need|i want|i am looking for|to buy) (is|should be|must be) {p}",
    "the thing (i am looking for|i want): {p}", "whatever (i buy|you find) (has to|should) be {p}", "the one you sell me (must|should) be {p}", "i don't have it yet, it (should|must) be {p}", "to buy: {p}",
)  # fmt: skip


def link(writer: Writer) -> str:
    """What leads from a product to the one that it is for, with the determiner of that one."""
    return writer.say_one(_LINKS)


def across(writer: Writer) -> Body:
    """Both products in one phrase; what is wished comes after the other one, and what that one is."""
    thing, other = _thing(writer), writer.product(named=0.3)
    noun, owned = _with_adjectives(writer, thing, 0.35), _with_adjectives(writer, other, 0.5)
    if writer.often(0.15):
        said = after(writer, writer.attribute(thing))
        noun = f"{noun}, {said}," if writer.often(0.25) else f"{noun} {said}"
    leads = link(writer)
    text = f"{noun} {leads} {owned}"
    if writer.often(0.1):
        leads, text = "", writer.say_one(_POSSESSIVE, o=owned, t=noun)
    kind = writer.weighed({"more": 10, "stated": 45, "none": 10, "plain": 45})
    if kind == "stated" and not leads.endswith(_OWN):  # only what is the shopper's own is known
        kind = "plain"
    if kind == "more":
        third = _with_adjectives(writer, writer.product(named=0.3), 0.3)
        text = f"{text} {writer.say('(and|or|as well as|and also|and for|plus) (my|our)')} {third}"
    elif kind == "stated":
        stated = described(writer, _some(writer, other))
        text = attached(text, writer.say_one(_STATED, q=stated))
    elif kind == "none" and thing.types:
        return Body(text)
    if writer.often(0.12):
        said = writer.say_one(_REFERRED, p=described(writer, _some(writer, thing)))
        return Body(f"{text}{writer.pick((', ', '. ', '; ', ' - '))}{said}")
    # A bare attribute behind what is said of the other product would go for that one.
    text = attached(
        text, wish(writer, thing, _some(writer, thing), bare=0.0 if kind == "stated" else 0.55)
    )
    if writer.often(0.12):
        more = described(writer, [writer.attribute(thing)])
        text = f"{text}{writer.pick((', ', ' and ', ', and ', '. also ', ', plus '))}{more}"
    return Body(text)


def owner_first(writer: Writer) -> Body:
    """First a word about the product that is there, then what is looked for; or the other way."""
    thing, other = _thing(writer), writer.product(named=0.3)
    if writer.often(0.5):
        slots = {"q": described(writer, _some(writer, other)), **_nouns(writer, other, "O", 0.15)}
        have = writer.say_one(_HAVE_STATED, **slots)
    else:
        have = writer.say_one(_HAVE, **_nouns(writer, other, "O", 0.7))
    wished = _some(writer, thing)
    if near := writer.often(0.25):
        slots = {
            "T": writer.noun(thing, wished, article=0),
            "AT": writer.noun(thing, wished, article=1),
        }
    else:
        slots = _nouns(writer, thing, "T", 0.15)
    ask = writer.say_one(_ASK, **slots)
    if not near:
        ask = attached(ask, wish(writer, thing, wished))
    if writer.often(0.75):
        joint = writer.pick((", ", ", ", ". ", ". ", "; ", " - ", ": "))
        return Body(f"{have}{joint}{ask}", phrase=False)
    joint = writer.pick((". ", "; ", " - ", ". "))
    return Body(f"{ask}{joint}{have}", phrase=False)


def needing(writer: Writer) -> Body:
    """The product that is there as what needs the other: "my couch could use cushions, in red"."""
    thing, other = _thing(writer), writer.product(named=0.3)
    wished = _some(writer, thing)
    near = writer.often(0.4)
    wanted = writer.noun(thing, wished if near else (), article=1)
    text = writer.say_one(_NEEDS, AT=wanted, **_nouns(writer, other, "O", 0.7))
    return Body(text if near else attached(text, wish(writer, thing, wished)), phrase=False)


def wish_first(writer: Writer) -> Body:
    """The wish, then the product and another that it is for."""
    thing, other = _thing(writer), writer.product(named=0.3)
    form = writer.pick(_WISH_FIRST)
    slots = {"p": described(writer, _some(writer, thing)), **_nouns(writer, thing, "T", 0.15)}
    owned = _with_adjectives(writer, other, 0.45)
    return Body(writer.say(form, L=link(writer), O=owned, **slots), phrase=False)


def two_of_them(writer: Writer) -> Body:
    """Two products, one of them or both for others."""
    parts: list[str] = []
    for place in (0, 1):
        thing = _thing(writer)
        # The second one's article ends what is said of the first.
        text = _with_adjectives(writer, thing, 0.5, article=float(place))
        if place == 0 or writer.often(0.6):
            other = writer.product(named=0.3)
            text = f"{text} {link(writer)} {_with_adjectives(writer, other, 0.35)}"
        if not thing.types or writer.often(0.4):
            text = attached(text, wish(writer, thing, _some(writer, thing), bare=0.6))
        parts.append(text)
    return Body(
        writer.pick(
            (
                " and ",
                ", and ",
                ", ",
                "; ",
                ". also ",
                ", plus ",
                ". and ",
                ", then ",
                " as well as ",
            )
        ).join(parts)
    )


def _thing(writer: Writer) -> Product:
    """What is looked for: anything, or a part."""
    if writer.often(0.3):
        return writer.product(words=writer.pick(PARTS))
    return writer.product(named=0.05)


def _some(writer: Writer, product: Product) -> list[Attribute]:
    return [writer.attribute(product) for _ in range(writer.weighed({1: 6, 2: 3, 3: 1}))]


def _with_adjectives(
    writer: Writer, product: Product, share: float, *, article: float = 0.0
) -> str:
    before = [writer.adjective(product)] if writer.often(share) else []
    before += [writer.adjective(product)] if before and writer.often(0.2) else []
    return writer.noun(product, before, article=article)


def _nouns(writer: Writer, product: Product, slot: str, share: float) -> dict[str, str]:
    """The noun without an article, and the same with one."""
    before = [writer.adjective(product)] if writer.often(share) else []
    return {
        slot: writer.noun(product, before, article=0),
        f"A{slot}": writer.noun(product, before, article=1),
    }
