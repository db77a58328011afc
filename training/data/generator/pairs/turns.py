# ruff: noqa: E501 - phrases read better one a line
"""Products told apart by other means: one instead of another, parts of a whole, places told from the end."""

from training.data.generator.pairs.again import FEATURES
from training.data.generator.pairs.clauses import joined, noun_of, wished
from training.data.generator.pairs.lists import listing
from training.data.generator.pairs.phrases import after
from training.data.generator.pairs.writer import Body, Product, Writer
from training.data.markup import marked

# X: what is wanted; Y: what it takes the place of.
_INSTEAD = (
    "i'm replacing (my|the) {Y} with {X}", "my {Y} broke so now i need {X}", "out with the {Y}, in with {X}", "no more {Y}, {X} from now on", "i gave away my {Y} and need {X}", "{X} to take the place of (my|the) {Y}", "i sold my {Y} to buy {X}",
    "{X} as a substitute for (my|the) {Y}", "i am switching from {Y} to {X}", "had {Y} for years, time for {X}", "enough of my {Y}, i want {X}", "{X} where there used to be {Y}", "so far i had {Y}, next it will be {X}", "i lost my {Y} and will take {X} this time",
    "my {Y} died, hence {X}", "the {Y} has to go, {X} shall come", "instead of yet another {Y} i'd try {X}", "{X} now that my {Y} has had its day", "from {Y} i'd move on to {X}", "trading up from {Y} to {X}",
)  # fmt: skip
_OLD = ("the old {one} {was} {q}", "what i had was {q}", "the {one} that broke {was} {q}", "what i used until now was {q}", "the previous {one} {was} {q}", "the {one} i had {was} {q}")  # fmt: skip
_NEW = ("the new {one} should be {p}", "the replacement {p}", "this time {p}", "what i get now must be {p}", "the next {one} {p}", "the new {one} {p} please", "for the new {one} {p}", "make that {p} for the new {one}", "the {one} to come should be {p}", "the {one} i buy now (should|must) be {p}")  # fmt: skip
# x: what P is said of; y: the other one.
_DENIED = (
    "not the {y} but the {x} should be {P}", "it's not the {y} but the {x} that (has to|should) be {P}", "it isn't the {y} that should be {P}, it's the {x}", "the {x}, not the {y}, should be {P}", "{P} - i mean the {x}, not the {y}", "{P} refers to the {x}, not to the {y}",
    "the {y} can be anything, but the {x} has to be {P}", "{P} - only the {x}, the {y} doesn't matter", "when i say {P} i mean the {x} and not the {y}", "the {x} is what should be {P}, not the {y}", "the {y} need not be {P}, the {x} must", "the {y}, whatever; the {x}, {P}",
    "i don't care about the {y}, as long as the {x} is {P}", "{P}, the {x}, no wish for the {y}", "no need for the {y} to be {P}, only for the {x}", "{P} is for the {x} alone, leave the {y} as it is", "the {y} is settled, the {x} though should be {P}", "i changed my mind about the {y}, but the {x} stays {P}",
    "make the {x} {P}, and don't touch the {y}", "the {y} i have seen, it's the {x} i want {P}", "never mind the {y}, {P} is how the {x} has to be", "{P}? the {x} yes, the {y} no", "the {x} is to be {P}; about the {y} i'll think later", "did i say the {y} should be {P}? no, the {x}",
)  # fmt: skip
_CORRECTED = (
    "{P} the {x} - no, not the {y}, that one {Q}", "the {x} {P}, and not so the {y}, which should be {Q}", "{P}, but just for the {x}; the {y} calls for {Q}", "the {y} not {P} like the {x} but {Q}", "the {x} {P}, while the {y}, no, not the same, {Q}", "{x} {P}. the {y} is a different story: {Q}",
    "the {x} should be {P}, the {y} by no means, {Q} (suits|is for) that one", "i'd never want the {y} {P}, that's the {x}; for the former {Q}", "the {x} {P}; if i said so of the {y} i meant {Q}",
)  # fmt: skip
_PARTS = ["zipper", "sole", "buckle", "lid", "handle", "lining", "strap", "collar", "hood", "frame", "knob", "pocket", "heel", "hinge", "cover", "screen", "base", "rim", "seat", "cord", "shade", "back", "clasp", "trim", "button", "drawer", "edge"]  # fmt: skip
# o: the whole, and R what is said of it; t, u: parts of it, and P, Q.
_NESTED = (
    "{o}, its {t} {P}, its {u} {Q}, itself {R}", "the {o}'s {t} should be {P}, its {u} {Q}", "{o} whose {t} is {P} and whose {u} is {Q}", "on the {o} the {t} should be {P}, the {u} {Q}", "{t} {P} and {u} {Q} on {ro}", "{ro} of which the {t} is {P} and the {u} {Q}",
    "{o}: {t} {P}, {u} {Q}, overall {R}", "the {t} of the {o} {P}, its {u} {Q}", "{o} with a {t} {P} and a {u} {Q}, as a whole {R}", "{r0}, {t} {P}, {u} {Q}", "{r0} ‹{t}: {P}, {u}: {Q}›", "{o}, {R}, with its {t} {P} and its {u} {Q}", "the {o} may be {R} but its {t} has to be {P}",
    "{o} that has {Pt} and {Qu}", "{o} having a {t} that is {P} and being itself {R}", "the {o} {R}, the {t} on it {P}", "{Pt} on the {r0}", "{o} featuring {Qu}, the whole thing {R}", "all of the {o} {R} except the {t}, which is {P}",
    "i want the {t} of the {r0} to be {P}", "the {r0} with the {P0} and not the {Q0}", "is there {ro} the {t} of which is {P}?", "does the {r0} come with {Pt}?", "{o} in which {t} and {u} differ: {P} the former, {Q} the latter", "{t} and {u} of the {o}: {P} and {Q} respectively",
)  # fmt: skip
_AHEAD = (
    "one {P}, the other {Q}: {x} and {y}", "(one|the first) (should|must) be {P}, the other {Q}: {x} and {y}, in that order", "{P} for one and {Q} for the other: {x} and {y}", "something {P}, namely {ax}, and something {Q}, namely {ay}", "i need something {P} ‹{ax}› and something {Q} ‹{ay}›",
    "two things, the {p} one being {x}, the {q} one {y}", "the {p} one is (to be|) the {x}, the {q} one the {y}", "one {p} thing, {ax}, and one {q} thing, {ay}", "anything {P} that is {ax}, anything {Q} that is {ay}", "{P} and {Q}, that's the {x} and the {y} respectively",
    "the {p} thing i am after is {ax}, the {q} one {ay}", "{P}: that is about the {x}. {Q}: that is about the {y}", "what i want {P}: the {x}. what i want {Q}: the {y}", "{P} comes first, {Q} second, so {x}, then {y}", "first {P}, then {Q}, by which i mean {x} and then {y}", "in {p} only the {x}, in {q} only the {y}",
    "it's {P} where it's about the {x} and {Q} where it's about the {y}", "to begin with {P}, that's for the {x}, and {Q} for the {y}", "wishes: {P} ‹{x}›, {Q} ‹{y}›", "{p} is the word for the {x}, {q} for the {y}",
)  # fmt: skip
_NEXT = ("the one after (it|that)", "the next one", "the one following (it|that)", "the one behind it", "the next in line", "what comes after (it|that)")  # fmt: skip
_PREVIOUS = ("the one before (it|that)", "the one in front of it", "the previous one", "the one preceding (it|that)", "what comes before (it|that)")  # fmt: skip
_FROM_END = (
    ("the last one", "the very last", "the last", "the one i listed last"),
    ("the second to last", "the last but one", "the next to last one", "the second from the end"),
    ("the third from the end", "the third to last", "the last but two"),
)
_FROM_START = (
    ("the first one", "the first", "the one i begin with"),
    ("the second one", "the second", "number two"),
    ("the third one", "the third", "number three"),
)
_CHAINED = ("{S} {P}", "{S} {P}", "{S} should be {P}", "{S}: {P}", "{P} for {S}", "{S} must be {P}", "i want {S} {P}", "{S} - {P}", "{P} goes for {S}", "{S}, {P}")  # fmt: skip
_COUNTS = {2: ("two", "2", "a couple of"), 3: ("three", "3", "3x")}
_PORTIONS = {
    2: ("one {a}(,| and) (one|the other) {b}", "{a} and {b}", "{b} as well as {a}", "one of them {a}, the other {b}", "the one {a}, the other {b}"),
    3: ("one {a}, one {b}(,| and) one {c}", "{a}, {b} and {c}", "one each of {a}, {b} and {c}"),
}  # fmt: skip


def instead(writer: Writer) -> Body:
    """One that takes the place of another, then "the old one was red, the new one should be blue"."""
    new, old = writer.products(2)
    slots = {
        "X": writer.noun(new, [writer.adjective(new)] if writer.often(0.4) else (), article=0.9),
        "Y": writer.noun(old, [writer.adjective(old)] if writer.often(0.4) else (), article=0),
    }
    clauses = [writer.say_one(_NEW, one=_one(new), p=wished(writer, new))]
    if writer.often(0.5):
        was = "were" if old.plural else "was"
        told = writer.adjective(old).text
        clauses.append(writer.say_one(_OLD, one=_one(old), was=was, q=told))
        writer.chance.shuffle(clauses)
    text = writer.say_one(_INSTEAD, **slots)
    return Body(
        f"{text}{writer.pick((', ', '. ', '; ', ' - '))}{joined(writer, clauses)}", phrase=False
    )


def denied(writer: Writer) -> Body:
    """What goes for one and not for the other: "not the bag but the shoes have to be red"."""
    products = [writer.product(named=0.0), writer.product(named=0.0)]
    start = ""
    if writer.often(0.35):
        start = f"{listing(writer, products)}{writer.pick((', ', '. ', ': ', ' - ', '; '))}"
        # Spoken of again, each is a mention of its own: what is said there is that one's.
        products = [writer.product(words=product.words) for product in products]
    if writer.often(0.5):
        products.reverse()
    one, other = products
    slots = {"x": one.name, "y": noun_of(writer, other, near=0.2), "P": wished(writer, one)}
    if writer.often(0.2):
        text = writer.say_one(_CORRECTED, Q=wished(writer, other), **slots)
    else:
        text = writer.say_one(_DENIED, **slots)
    return Body(f"{start}{text}", phrase=False)


def nested(writer: Writer) -> Body:
    """Parts of a whole and the whole, each with what it is: "a jacket, its zipper black"."""
    whole = writer.product(named=0.05, plural=False)
    names = writer.chance.sample(_PARTS, 2)
    is_so = writer.adjective(whole)
    slots = {
        "o": whole.name, "r0": writer.noun(whole, [is_so], article=0), "ro": writer.noun(whole, [is_so], article=1),
        "R": wished(writer, whole),
    }  # fmt: skip
    for part, noun, said in zip(names, "tu", "PQ", strict=True):
        product = writer.product(words=part)
        before = [writer.adjective(product)]
        slots |= {
            noun: product.name, said: wished(writer, product), f"{said}0": writer.noun(product, before, article=0),
            f"{said}{noun}": writer.noun(product, before, article=1),
        }  # fmt: skip
    form = writer.pick(_NESTED)
    return Body(writer.say(form, **slots), phrase=form.startswith(("{o}", "{r0}", "{ro}", "{Pt}")))


def ahead(writer: Writer) -> Body:
    """What two are to be, and only then what they are: "something red, namely a bag, and …"."""
    one, other = writer.products(2)
    slots = {
        "x": one.name, "ax": writer.noun(one, article=1), "P": wished(writer, one), "p": writer.another(one, writer.pick(FEATURES)).text,
        "y": other.name, "ay": writer.noun(other, article=1), "Q": wished(writer, other), "q": writer.another(other, writer.pick(FEATURES)).text,
    }  # fmt: skip
    return Body(writer.say_one(_AHEAD, **slots), phrase=False)


def backwards(writer: Writer) -> Body:
    """Places told from the end or from one another: "the last in red, the one before it in blue"."""
    products = writer.products(writer.weighed({3: 5, 4: 2}))
    listed = listing(writer, products, near=writer.chance.choice((0.0, 0.0, 0.2)))
    forward = writer.often(0.4)
    order = products if forward else products[::-1]
    start = writer.chance.randint(0, len(order) - 2)
    told = order[start : start + writer.chance.randint(2, 3)]
    counted = not forward and writer.often(0.4)  # not from one another
    form, parts = writer.pick(_CHAINED), []
    for step, product in enumerate(told):
        if step == 0 or (counted and start + step < len(_FROM_END)):
            subject = writer.pick((_FROM_START if forward else _FROM_END)[start + step])
        else:
            subject = writer.say_one(_NEXT if forward else _PREVIOUS)
        parts.append(writer.say(form, S=subject, P=wished(writer, product)))
        if writer.often(0.25):  # what is said stays on the same side
            said_first = form.startswith("{P}")
            form = writer.pick([one for one in _CHAINED if one.startswith("{P}") == said_first])
    lead = writer.pick((", ", ". ", ": ", " - ", "; "))
    return Body(f"{listed}{lead}{writer.pick((', ', ', ', ' and ', '; ', ', then ')).join(parts)}")


def portions(writer: Writer) -> Body:
    """Several of one thing that differ, beside another: "two mugs, one red and one blue, and a pan"."""
    several, other = writer.product(named=0.0, plural=True), writer.product()
    number = writer.weighed({2: 5, 3: 2})
    type_ = writer.pick(("color", "material", "UoM", "creator", "shape", "condition", "content"))
    told = [writer.another(several, type_) for _ in range(number)]
    several.types.add("quantity")
    count = marked(writer.pick(_COUNTS[number]), "quantity", of=several.number)
    slots = {letter: one.text for letter, one in zip("abc", told, strict=False)}
    said = writer.say_one(_PORTIONS[number], **slots)
    form = writer.pick(
        (
            "{q} {x}, {P}",
            "{q} {x} ‹{P}›",
            "{q} {x}: {P}",
            "{x}, {q} of them, {P}",
        )
    )
    text = writer.say(form, q=count, x=several.name, P=said)
    before = [writer.adjective(other)]
    rest = writer.noun(other, before, article=1)
    if writer.often(0.4):
        rest = f"{rest} {after(writer, writer.attribute(other))}"
    if writer.often(0.3):
        return Body(f"{rest}{writer.pick((', and then ', ' and ', '; also ', ' plus '))}{text}")
    return Body(
        f"{text}{writer.pick((', and ', '; also ', ', plus ', '. besides ', ' as well as '))}{rest}"
    )


def _one(product: Product) -> str:
    return "ones" if product.plural else "one"
