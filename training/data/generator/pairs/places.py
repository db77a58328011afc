# ruff: noqa: E501 - phrases read better one a line
"""A list of products, and what is said of each by its place in it: "the first in red, the other …"."""

from collections.abc import Sequence

from training.data.generator.pairs.lists import listing
from training.data.generator.pairs.owned import link
from training.data.generator.pairs.phrases import named, predicate
from training.data.generator.pairs.writer import Attribute, Body, Product, Writer

ORDINALS = (("first", "1st", "one", "1"), ("second", "2nd", "two", "2"), ("third", "3rd", "three", "3"), ("fourth", "4th", "four", "4"))  # fmt: skip
# o: the ordinal; n: the number in letters; d: in digits; s: the ordinal in short.
_BY_PLACE = (("the {o}",) * 8 + ("the {o} one",) * 5 + ("{o}", "{o} one") * 2 + ("number {n}", "the {s}", "the {s} one", "#{d}") + (
    "the {o} (item|thing|product|article|piece)", "(number|no|no.|item|nr|product|option|point) ({n}|{d})",
    "#{d}", "{s}( one|)", "the {s}( one| item|)", "the one (named|mentioned|listed) {o}", "the one i (named|mentioned|listed|put) {o}",
    "the {o} (of these|of them|on (the|my) list|in the list|in line)", "the {o} (thing|item) (i said|i mentioned|i listed|i wrote|in my list)",
    "whatever comes {o}", "what i (named|said|listed) {o}", "{o} (thing|item|product)", "the {o} mentioned", "my {o} (item|wish|one|pick)",
    "that {o} (one|thing|item)", "item #{d}", "the {o}-named one", "position {d}", "the {o} of the {all}",
))  # fmt: skip
_FIRST = (("the former",) * 6 + ("the former (one|item)", "the former of the two", "the initial one", "the earlier one", "the top one", "the one at the (top|start|beginning)", "the one in front", "the opening one"))  # fmt: skip
_SECOND = (("the latter",) * 6 + (
    "the latter (one|item)", "the last(-mentioned|-named| one|)", "the latter of the two",
    "the later one", "the one at the (end|bottom)", "the one after that", "the one that follows",
))  # fmt: skip
_LAST = (("the last", "the last one") * 3 + ("the last (item|thing)", "the final (one|item)", "the last (of these|on the list|named|mentioned|of them)", "the one at the (end|bottom)", "last( one|)", "the bottom one"))  # fmt: skip
_START = (
    "the one at the (top|start|beginning)",
    "the top one",
    "the initial one",
    "the one to begin with",
)
_MIDDLE = (
    "the middle (one|item|thing)",
    "the one in the middle",
    "the middle",
    "the one in between",
    "the central one",
)
_ONE = ("one", "one of them", "one of these", "the one", "one", "one of the two")
_OTHER = (
    "the other",
    "the other",
    "the other one",
    "the other (item|thing)",
    "the remaining one",
    "the other of them",
)  # once the first is spoken of

# S: which product is spoken of; P: what is said of it.
_SAID = (("{S} {P}",) * 12 + ("{S} (should|must|has to) be {P}",) * 4 + (
    "{S}: {P}", "{S} - {P}", "{S} = {P}", "{S} ‹{P}›", "{S}, {P}", "{S} -> {P}", "{S} ... {P}",
    "{S} (should|must|has to|needs to|ought to|can|could|may|might|would|shall|had better) be {P}", "{S} (should|must|has to|needs to) be {P}",
    "{S} (is|was) (to be|supposed to be|meant to be|going to be|best) {P}", "{S} (has got to|will have to|would have to|is required to) be {P}",
    "make {S} {P}", "i (want|need|prefer|see|imagine|picture|wish) {S} {P}", "i (would like|'d like|'d love|would want) {S} {P}", "{S} (preferably|ideally|only|really|definitely|maybe|just) {P}",
    "{S} (to be|being) {P}", "with {S} {P}", "(get|give|send|bring|find) me {S} {P}", "{S}, (that is|that's|it is|namely) {P}", "(as for|regarding|concerning|about|as to) {S}(,|:|) {P}",
    "{S} please {P}", "{S} i (need|want|prefer|would like) {P}", "{S} (better|best|comes|looks best) {P}", "let {S} be {P}", "for {S} {P}", "for {S}(,|:) {P}",
    "for {S} i (prefer|need|want|was thinking of|would choose|had in mind|have in mind) {P}", "on {S}: {P}", "{S} {P} please", "when it comes to {S}(,|) {P}",
    "in the case of {S}(,|) {P}", "{S} i'd go for {P}", "{S}? {P}", "{S} is {P}", "{S} (is|needs) {P}", "{S} (has|gets) to come {P}",
    "{S} would look good {P}", "{S} can only be {P}", "it is important that {S} is {P}", "{S} nothing but {P}", "{S} anything {P}",
    "where {S} is {P}", "{S} of the kind {P}", "{S} obviously {P}", "{S} described as {P}", "i need {S} to be {P}", "i'd rather have {S} {P}",
    "{S} has to come {P}", "{S} must not be anything but {P}", "of these {S} {P}", "could {S} be {P}", "can you make {S} {P}", "{S} if possible {P}",
    "with {S} being {P}", "{S} comes as {P}", "{S} as {P}", "{S} at best {P}", "{S} simply {P}",
))  # fmt: skip
_SAID_BEFORE = (("{P} for {S}",) * 6 + (
    "{P} (goes for|is for|applies to|would suit|suits|goes with|fits) {S}", "{P} as {S}", "only {P} for {S}", "{P} is what {S} should be",
    "{P} (describes|is right for|is good for|belongs to|goes to|refers to|is meant for) {S}", "{P} on {S}", "{P} in the case of {S}", "{P} when it comes to {S}",
    "{P} with {S}", "{P} regarding {S}", "i'd say {P} for {S}", "make it {P} for {S}", "{P} -> {S}", "{P} is how i want {S}", "{P} (has|needs) to be {S}", "{P} please for {S}",
    "{P} (should|must) be {S}", "{P} ‹{S}›", "{P} = {S}", "it should be {P} for {S}", "something {P} for {S}", "{P} as far as {S} (goes|is concerned)",
))  # fmt: skip
_BARE_BEFORE = ("{P} {S}", "{P}, {S}", "{P}: {S}", "{P} - {S}", "{P} {S}")  # if all are said so
_BETWEEN = (
    ", ", ", ", ", ", " and ", " and ", ", and ", "; ", ". ", " but ", ", but ", " while ", ", while ", " whereas ", ", whereas ", " / ", " - ", ", then ", " then ",
    " ", " & ", ". and ", ", though ", " and also ", ", plus ", ", as opposed to ", " yet ", ". also, ", " + ", ", on the other hand ", ", in contrast ", " with ", " or ", "... ",
)  # fmt: skip
_ALONE = ("only {s}", "{s}, the rest does not matter", "{s}, that's all", "at least {s}", "just {s}", "{s} - no wish for the rest", "{s} and anything goes for the rest")  # fmt: skip
_NOT_THE_OTHER = ("not {o} but {s}", "{s}, not {o}", "{s} but not {o}", "{s}, unlike {o}", "{s}; {o} does not matter", "i do not mind about {o}, {s}", "{s}, {o} (is free|can be anything)", "{o} as it is, {s}")  # fmt: skip
_AFTER_LIST = (
    ", ", ", ", ", ", ", ", ": ", "; ", ". ", " - ", " — ", " ", ", with ", ", where ", ", and ", " ... ", ", but ", ". ", ", whereby ", ", of which ", " so that ", ", to be clear ",
    ". note: ", ", please ", ". important: ", ", the details: ", " and ", ", only that ", ". i want ", ", meaning ", ". specifically ",
)  # fmt: skip


def by_place(writer: Writer) -> Body:
    """Products in a list; what is said of each by its place comes later, or before all."""
    products = writer.products(writer.weighed({2: 12, 3: 7, 4: 1}))
    told = writer.told(products)
    before = writer.often(0.2)
    listed = listing(writer, products, near=writer.chance.choice((0.0, 0.15, 0.4)))
    crowded = not before and len(products) < 4 and writer.often(0.12)
    if crowded:  # all of them are for another product, after which nothing is the last or the other
        listed = f"{listed} {link(writer)} {_owned(writer)}"
    said = _statements(writer, products, told, ordinals=before or crowded)
    if before:
        return Body(
            f"{said}{writer.pick((': ', ', ', ' - ', '. ', '; ', ' for: ', ' - '))}{listed}",
            phrase=False,
        )
    return Body(f"{listed}{writer.pick(_AFTER_LIST)}{said}")


def _owned(writer: Writer) -> str:
    product = writer.product(named=0.4)
    return writer.noun(product, [writer.adjective(product)] if writer.often(0.4) else (), article=0)


def _statements(
    writer: Writer,
    products: Sequence[Product],
    told: Sequence[Sequence[Attribute]],
    *,
    ordinals: bool,
) -> str:
    """What is said of each, in any order, not always of all; `ordinals` alone name the places."""
    count = len(products)
    order = list(range(count))
    singled = count == 2 and not ordinals and writer.often(0.12)
    if not singled:
        if writer.often(0.5):
            writer.chance.shuffle(order)
        if writer.often(0.25):
            order = order[: writer.chance.randint(1, count - 1)]
    frames = writer.chance.choices((_SAID, _SAID_BEFORE, _BARE_BEFORE), (15, 4, 1))[0]
    frame = writer.pick(frames)
    again = writer.chance.choice((0.0, 0.3, 1.0)) if frames is not _BARE_BEFORE else 0.0
    kinds = frames is _SAID and writer.often(0.1)
    parts = []
    for said, place in enumerate(order):
        frame = writer.pick(frames) if writer.often(again) else frame
        if singled or (count == 2 and said and place and not ordinals and writer.often(0.35)):
            subject = writer.say_one(_OTHER if place else _ONE)
        else:
            subject = _reference(writer, place, count, ordinals=ordinals)
        if kinds and len(told[place]) == 1:
            parts.append(named(writer, subject, told[place][0]))
        else:
            parts.append(writer.say(frame, S=subject, P=predicate(writer, told[place])))
    if len(parts) > 1 or ordinals or not writer.often(0.3):
        return writer.pick(_BETWEEN).join(parts)
    if count == 2 and frames is _SAID and writer.often(0.4):
        other = _reference(writer, 1 - order[0], count, ordinals=False)
        return writer.say_one(_NOT_THE_OTHER, s=parts[0], o=other)
    return writer.say_one(_ALONE, s=parts[0])


def _reference(writer: Writer, place: int, count: int, *, ordinals: bool) -> str:
    """The product at a place of `count`, without its name."""
    words = list(_BY_PLACE)
    if not ordinals and writer.often(0.45):
        if count == 2:
            words = list(_SECOND if place else _FIRST)
        elif place in (0, count - 1):
            words = list(_LAST if place else _START)
        elif count == 3:
            words = list(_MIDDLE)
    ordinal, short, number, digit = ORDINALS[place]
    total = ("two", "three", "four")[count - 2]
    return writer.say_one(words, o=ordinal, s=short, n=number, d=digit, all=total)
