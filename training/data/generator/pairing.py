# ruff: noqa: E501 - phrases read better one a line
"""Queries for two or three products, put together part by part, so that few are built alike.

What is said of a product may stand beside it, or anywhere else: told later by "the first … the other",
in a list of its own, in front of all products, after another product that the first one is for. Each
part has many phrasings, and all combine, so that a model has to read a query and cannot learn frames.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from training.data.examples import Example
from training.data.generator.grammar import expand
from training.data.generator.products import as_query
from training.data.generator.words import Words
from training.data.markup import marked

_TYPES = (
    "color", "material", "creator", "UoM", "price", "modifier", "department", "condition",
    "occasion", "shape", "quantity", "content", "product_number", "origin", "time",
)  # fmt: skip
_WEIGHTS = (9, 6, 5, 5, 5, 4, 3, 3, 2, 2, 2, 2, 1, 1, 1)
_INLINE = ("color", "material", "creator", "modifier", "condition", "shape", "UoM", "department")

# An attribute as a phrase: a bare one is as frequent as all others together.
_PHRASES: dict[str, tuple[str, ...]] = {
    "color": ("in {a}", "colou?red {a}", "{a} in colou?r", "a {a} one", "all {a}"),
    "material": ("in {a}", "made of {a}", "of {a}", "made from {a}", "out of {a}", "a {a} one"),
    "creator": ("by {a}", "from {a}", "made by {a}", "brand {a}", "a {a} one"),
    "UoM": ("in {a}", "{a} big", "of {a}", "with {a}", "about {a}"),
    "price": ("for {a}", "costing {a}", "priced {a}", "at {a}"),
    "modifier": ("that is {a}", "a {a} one", "something {a}", "{a} if possible"),
    "department": ("for {a}", "meant for {a}", "made for {a}"),
    "condition": ("in {a} condition", "a {a} one", "bought {a}"),
    "occasion": ("for {a}", "for a {a}", "to use at {a}"),
    "shape": ("with a {a} shape", "a {a} one", "{a} in shape"),
    "quantity": ("as {a}", "{a} of them", "{a} please"),
    "content": ("with {a}", "with {a} on it", "with a {a} print", "showing {a}"),
    "product_number": ("model {a}", "number {a}", "part {a}"),
    "origin": ("from {a} makers", "{a} made", "a {a} one"),
    "time": ("from {a}", "of {a}", "a {a} one"),
}

_LEADING = frozenset((
    "with", "without", "for", "in", "from", "by", "under", "below", "up", "between", "around", "over",
    "less", "of", "no", "to", "at", "on", "about",
))  # fmt: skip
"""Words at the head of an attribute that lead to it already."""

_FIRST = ("(the |)first( one|)", "the former", "(number|no|item|nr) (1|one)", "#1", "1st", "(the |)1st one")  # fmt: skip
_SECOND = ("(the |)second( one|)", "(number|no|item|nr) (2|two)", "#2", "2nd", "(the |)2nd one")
_OF_TWO = (
    _FIRST,
    (*_SECOND, "the latter", "the (last|other)( one|)", "the other", "the last-mentioned"),
)
_OF_THREE = (
    ("(the |)first( one|)", "(number|no|item) (1|one)", "#1", "1st"),
    (*_SECOND, "the (middle|one in the middle)", "the middle one"),
    ("(the |)third( one|)", "the (last|final)( one|)", "(number|no|item) (3|three)", "#3", "3rd"),
)
_SINGLED = ("one", "one of them", "one")  # and then "the other" for the second

# S: which product is spoken of; P: what is said of it.
_SAID = (
    "{S} {P}", "{S} {P}", "{S} {P}", "{S} should be {P}", "{S} must be {P}", "{S} has to be {P}",
    "{S}: {P}", "{S} = {P}", "{S} - {P}", "{S} ({P})", "{P} for {S}", "{P} for {S}", "make {S} {P}",
    "i want {S} {P}", "i'd like {S} {P}", "{S} preferably {P}", "{S} ideally {P}", "{S} to be {P}",
    "{S} being {P}", "with {S} {P}", "{S} needs to be {P}", "{S} only {P}", "{S} really {P}",
    "{S} is meant to be {P}", "{S} would be {P}", "get {S} {P}", "{S}, {P}", "{S}, that is {P}",
    "as for {S}, {P}", "{S} please {P}", "{S} can be {P}", "{S} could be {P}", "{P} goes for {S}",
    "{P} is for {S}", "{S} i see {P}", "{S} better {P}", "{S} may be {P}", "let {S} be {P}",
    "{S} i need {P}", "{S} ought to be {P}", "{P} as {S}", "{S} ->{P}", "{S} -> {P}", "{S} comes {P}",
    "only {P} for {S}", "{S} has got to be {P}", "{P} would suit {S}", "for {S} {P}", "for {S}, {P}",
    "for {S} i prefer {P}", "for {S} i was thinking of {P}", "on {S}: {P}", "{S} {P} please",
)  # fmt: skip
_BETWEEN = (
    ", ", ", ", ", ", " and ", " and ", ", and ", "; ", ". ", " but ", ", but ", " while ", ", while ",
    ", whereas ", " / ", " - ", ", then ", " then ", " ",
)  # fmt: skip
_AFTER_LIST = (", ", ", ", ", ", ": ", "; ", ". ", " - ", " — ", " ", " with ", " where ", ", where ", ", and ", " ... ")  # fmt: skip
_IN_TURN = (
    "respectively", "in that order", "in this order", "in the same order", "one each", "each in turn",
    "in order", "in sequence", "as listed", "as in the list", "correspondingly",
)  # fmt: skip
_LINKS = (
    "for (my|a|the|our|his|her|)", "for (my|a|the|our|)", "(that fits|fitting|to fit|fits) (my|a|the)",
    "(compatible with|suitable for|made for|designed for|meant for) (my|a|the|)",
    "(to go|that goes|which goes|going) with (my|a|the|)", "(to match|matching|that matches) (my|a|the|)",
    "(to wear|worn) with (my|a|the)", "to put (in|on|under|into|over|next to|behind) (my|a|the)",
    "to (use|pair|combine) with (my|a|the)", "(like|similar to) (my|the)", "to replace (my|the|our)",
    "instead of (my|a|the)", "to protect (my|the|a)", "to hang (over|above|beside) (my|the|our)",
    "(to complement|complementing|to suit) (my|the)", "(to attach to|attached to) (my|the|a)",
    "to (carry|store|hold|clean|charge) (my|a|the)", "(on top of|under|inside|beside) (my|the|a)",
    "(as a gift|as a present) to go with (my|the|a)", "because i (have|own|bought) (a|the)",
    "since i already (have|own) (a|the)", "i (have|own) (a|the)", "to be used with (my|the|a)",
)  # fmt: skip
# What is wished is for the product that is looked for; what is so is of the one that is there.
_WISHED = (
    ", {P}", ", {P}", " {P}", ", in {P}" , ", it should be {P}", ", must be {P}", ", has to be {P}",
    ", ideally {P}", ", preferably {P}", ". it must be {P}", ". make it {P}", ", i want it {P}",
    ", i'd like it {P}", " - {P} please", ", {P} please", ", {P} if possible", " ({P})", ", {P} only",
    ", i am looking for {P}", ". should be {P}", ", best {P}", "; {P}", ", needs to be {P}",
    ". i need it {P}", ", but {P}", " but it has to be {P}", ", would prefer {P}", ", something {P}",
)  # fmt: skip
_STATED = (
    ", which is {P},", " which is {P}", " that is {P}", " (mine is {P})", ", mine is {P}", " (it is {P})",
    " ({P})", " - mine is {P} -", " that i have {P}", ", the one i have is {P}", ". mine is {P}",
    " that are {P}", ", which are {P},", " that happens to be {P}", " i bought {P}", " {P}",
    ", mine being {P}", ", the latter is {P}", ", the latter being {P}",
)  # fmt: skip
_INSIDE = (
    "{N} ({P})", "{N}, {P}", "{N} - {P}", "{N}: {P}", "{N} = {P}", "{N} / {P}", "{P}: {N}",
    "{P} - {N}", "{N} that (is|are) {P}", "{N} which (is|are) {P}", "{N} {P}", "{N}, which (is|are) {P}",
    "{N} has to be {P}", "{N} (must|should) be {P}", "{P} for the {N}", "{N} only {P}", "{N}, only {P},",
    "{N}, preferably {P}", "{N} (and it must be {P})", "{N} - has to be {P}", "the {N} {P}", "{N} but {P}",
)  # fmt: skip
_LISTS = (
    ((", ", " and "), 5), ((", ", ", and "), 1), ((", ", ", "), 3), ((" and ", " and "), 2),
    ((" + ", " + "), 1), ((" & ", " & "), 1), ((" / ", " / "), 1), (("/", "/"), 1), (("; ", "; "), 1),
    ((", ", " plus "), 1), ((", ", " or "), 1), ((", ", " as well as "), 1), ((" and a ", " and a "), 2),
    ((", a ", " and a "), 1), ((", then ", " and finally "), 1), ((" ", " "), 1), ((" with ", " and "), 1),
    ((", also ", " and also "), 1), ((" together with ", " and "), 1), ((" - ", " - "), 1),
)  # fmt: skip
_LABELS = (
    ("1) ", "2) ", "3) "), ("1. ", "2. ", "3. "), ("1: ", "2: ", "3: "), ("a) ", "b) ", "c) "),
    ("(1) ", "(2) ", "(3) "), ("first ", "second ", "third "), ("firstly ", "secondly ", "thirdly "),
    ("item 1: ", "item 2: ", "item 3: "), ("a: ", "b: ", "c: "), ("first: ", "second: ", "third: "),
    ("one: ", "two: ", "three: "), ("#1 ", "#2 ", "#3 "), ("i) ", "ii) ", "iii) "),
)  # fmt: skip
_CONTRASTS = (
    "{X} instead of {Y}", "{X} rather than {Y}", "{X}, not {Y}", "{X}, no {Y}", "{X} and not {Y}",
    "not {X} but {Y}", "either {X} or {Y}", "{X} or else {Y}", "{X}, otherwise {Y}", "{X}, or if not {Y}",
    "{X} if not {Y}", "both {X} and {Y}", "{X} versus {Y}", "{X} vs {Y}", "{X} next to {Y}",
    "{X} but also {Y}", "not only {X} but also {Y}", "swap {X} for {Y}", "{X} over {Y}", "{Y} before {X}",
    "{X} in exchange for {Y}", "{X} along with {Y}", "{X}, additionally {Y}", "{X}; besides that {Y}",
    "{X} combined with {Y}", "{X} paired with {Y}", "a set of {X} and {Y}", "{X} including {Y}",
)  # fmt: skip


@dataclass(slots=True)
class _Product:
    number: int
    name: str
    told: list[str] = field(default_factory=list)  # its attributes as marked phrases, not beside it

    def noun(self, words: Words, chance: random.Random, inline: float) -> str:
        """The name, with attributes of its own beside it now and then."""
        text = self.name
        if chance.random() < inline:
            text = f"{_attribute(self.number, chance.choice(_INLINE), words, chance)} {text}"
            if chance.random() < 0.25:
                text = f"{_attribute(self.number, chance.choice(_INLINE), words, chance)} {text}"
        if chance.random() < inline / 3:
            text = f"{text} {_phrase(self.number, _type(chance), words, chance, bare=0.2)}"
        return text


def _type(chance: random.Random) -> str:
    return chance.choices(_TYPES, _WEIGHTS)[0]


def _attribute(number: int, type_: str, words: Words, chance: random.Random) -> str:
    return marked(words.of(type_, chance), type_, of=number)


def _phrase(
    number: int, type_: str, words: Words, chance: random.Random, *, bare: float = 0.5
) -> str:
    """What is said of a product: the attribute alone, or with the words that lead to it."""
    words_ = words.of(type_, chance)
    attribute = marked(words_, type_, of=number)
    if chance.random() < bare or words_.split()[0] in _LEADING:
        return attribute
    phrase = chance.choice(_PHRASES[type_]).replace("u?", chance.choice(("", "u")))
    return phrase.replace("{a}", attribute)


def _products(count: int, words: Words, chance: random.Random) -> list[_Product]:
    return [
        _Product(n, marked(words.of(kind, chance), kind, product=n))
        for n in range(1, count + 1)
        for kind in ["product_name" if chance.random() < 0.15 else "core_product_type"]
    ]


def _told(products: Sequence[_Product], words: Words, chance: random.Random) -> None:
    """Gives each product one to three attributes: often of one type for all, sometimes any."""
    alike = chance.random() < 0.6
    shared = [_type(chance) for _ in range(2)]
    more = chance.random() < 0.25
    for product in products:
        types = shared if alike else [_type(chance) for _ in range(2)]
        product.told = [
            _phrase(product.number, type_, words, chance)
            for type_ in dict.fromkeys(types[: 1 + (more or chance.random() < 0.15)])
        ]


def _with(text: str, slots: dict[str, str], chance: random.Random) -> str:
    """A phrase with its slots filled; a blank in front of it stays, for what it follows."""
    lead = " " if text.startswith(" ") else ""
    return lead + expand(text, chance, lambda slot: slots[slot])


def _enumerated(parts: Sequence[str], chance: random.Random) -> str:
    inner, last = chance.choices([s for s, _ in _LISTS], [w for _, w in _LISTS])[0]
    if len(parts) < 3 and chance.random() < 0.9:
        inner = last
    text = parts[0]
    for number, part in enumerate(parts[1:], 2):
        text += (last if number == len(parts) else inner) + part
    return text


def _listed(products: Sequence[_Product], words: Words, chance: random.Random) -> str:
    """All products, numbered now and then, with few attributes beside them."""
    names = [product.noun(words, chance, 0.2) for product in products]
    if chance.random() < 0.15:
        labels = chance.choice(_LABELS)
        parts = [label + name for label, name in zip(labels, names, strict=False)]
        return chance.choice((" ", ", ", "; ", " and ")).join(parts)
    return _enumerated(names, chance)


def _phrases(product: _Product, chance: random.Random) -> str:
    return chance.choice((" and ", ", ", " ", ", ")).join(product.told)


def _statements(products: Sequence[_Product], chance: random.Random) -> str:
    """What is said of each by its place in the list, in any order, not always of all."""
    names = _OF_TWO if len(products) == 2 else _OF_THREE
    order = list(range(len(products)))
    singled = len(products) == 2 and chance.random() < 0.2
    if not singled and chance.random() < 0.5:
        chance.shuffle(order)
    if chance.random() < 0.25:
        order = order[: chance.randint(1, len(order) - 1)] if not singled else order
    frame = chance.choice(_SAID)
    joint = chance.choice(_BETWEEN)
    parts = []
    for place in order:
        if chance.random() < 0.25:
            frame = chance.choice(_SAID)
        subject = chance.choice(names[place])
        if singled:
            subject = chance.choice(_SINGLED if place == 0 else ("the other", "the other one", "the other"))  # fmt: skip
        parts.append(
            _with(frame, {"S": _plain(subject, chance), "P": _phrases(products[place], chance)}, chance)
        )  # fmt: skip
    return joint.join(parts)


def _plain(text: str, chance: random.Random) -> str:
    return expand(text, chance, lambda slot: slot)


def _told_by_place(words: Words, chance: random.Random) -> str:
    products = _products(chance.choice((2, 2, 3)), words, chance)
    _told(products, words, chance)
    listed, said = _listed(products, words, chance), _statements(products, chance)
    if chance.random() < 0.25:
        return f"{said}{chance.choice((': ', ', ', ' - ', '. ', '; '))}{listed}"
    return f"{listed}{chance.choice(_AFTER_LIST)}{said}"


def _told_in_a_list(words: Words, chance: random.Random) -> str:
    """Two lists side by side: products, and what is said of each, before or after them."""
    products = _products(chance.choice((2, 2, 3)), words, chance)
    _told(products, words, chance)
    listed = _listed(products, words, chance)
    columns = max(len(product.told) for product in products)
    lists = [
        _enumerated([p.told[min(n, len(p.told) - 1)] for p in products], chance)
        for n in range(columns)
        if n == 0 or all(len(p.told) > n for p in products)
    ]
    attributes = chance.choice((", ", " and ", ", also ", "; ")).join(lists)
    turn = chance.choice(_IN_TURN) if chance.random() < 0.6 else ""
    lead = chance.choice(("", "", "", "in ", "namely ", "being ", "that's "))
    form = chance.random()
    if form < 0.5:
        joint = chance.choice((", ", " ", ": ", " - ", "; ", " (", ". "))
        text = f"{listed}{joint}{lead}{attributes}"
        return f"{text} {turn})" if joint == " (" else f"{text}{chance.choice((' ', ', '))}{turn}"
    if form < 0.6:
        return f"{turn or 'respectively'} {attributes}{chance.choice((' ', ': '))}{listed}"
    if form < 0.7:
        return f"{listed}, {turn} {lead}{attributes}"
    return f"{lead}{attributes}{chance.choice((' ', ': ', ' - ', ' for ', ' '))}{listed} {turn}"


def _told_beside(words: Words, chance: random.Random) -> str:
    """Each product with what is said of it, in one of the ways in which people write that."""
    products = _products(chance.choice((2, 2, 3)), words, chance)
    _told(products, words, chance)
    frame = chance.choice(_INSIDE)
    parts = []
    for product in products:
        if chance.random() < 0.2:
            frame = chance.choice(_INSIDE)
        name = product.noun(words, chance, 0.15)
        parts.append(_with(frame, {"N": name, "P": _phrases(product, chance)}, chance))
    if chance.random() < 0.35 and len(parts) == 2:
        return _with(chance.choice(_CONTRASTS), {"X": parts[0], "Y": parts[1]}, chance)
    return _enumerated(parts, chance)


def _told_across(words: Words, chance: random.Random) -> str:
    """A product that is for another: what is wished comes after the other, and what that one is."""
    first, second, third = _products(3, words, chance)
    _told((first, second, third), words, chance)
    thing, other = first.noun(words, chance, 0.3), second.noun(words, chance, 0.4)
    if chance.random() < 0.12:
        text = "(my|the|a|our) {N}('s|) {T}"
        text = _with(text, {"N": other, "T": thing}, chance)
    else:
        text = f"{thing} {_plain(chance.choice(_LINKS), chance)} {other}"
    if chance.random() < 0.12:
        text += f"{chance.choice((' and ', ' or ', ' and my ', ' and a '))}{third.name}"
    elif chance.random() < 0.3:
        text += _with(chance.choice(_STATED), {"P": _phrases(second, chance)}, chance)
    if chance.random() < 0.85:
        text += _with(chance.choice(_WISHED), {"P": _phrases(first, chance)}, chance)
        if chance.random() < 0.2:
            extra = _phrase(1, _type(chance), words, chance)
            text += f"{chance.choice((', ', ' and ', ', and ', '. also '))}{extra}"
    if chance.random() < 0.1:
        text = f"{chance.choice(('because of', 'i have', 'there is', 'for'))} {text}"
    return text


def _told_before(words: Words, chance: random.Random) -> str:
    """The wish first, then the product, and another that it is for; or the other one first."""
    first, second = _products(2, words, chance)
    _told((first, second), words, chance)
    thing, other = first.noun(words, chance, 0.15), second.noun(words, chance, 0.4)
    slots = {
        "T": thing, "O": other, "P": _phrases(first, chance), "Q": _phrases(second, chance),
        "L": _plain(chance.choice(_LINKS), chance),
    }  # fmt: skip
    forms = (
        "for (my|the|our|a) {O}(,|:|) {T}, {P}", "for (my|the|our) {O} i (need|want) (a|) {T}(,|) {P}",
        "(my|the) {O} needs (a|new|) {T}, {P}", "i (have|own|bought) (a|) {O}(, {Q},|) and (need|want) (a|) {T}, {P}",
        "(something|anything) {P} {L} {O}, (best|ideally|maybe) (a|) {T}", "{P}, that is what i want(:|) (a|) {T} {L} {O}",
        "{P} (please|):(a|) {T} {L} {O}", "{P} it should be, the {T} {L} {O}", "it should be {P}: (a|) {T} {L} {O}",
        "my {O} is {Q}, (so i need|looking for|need) (a|) {T} (that is|,) {P}", "{O} ({Q}) - {T} for it, {P}",
        "for my {O} that is {Q}: {T}, {P}", "{O} owner here, looking for (a|) {T}, {P}", "{T} {P} {L} {O} {Q}",
        "(my|the) {O} is {Q}. (what|which) {T} goes with it, {P}", "{O}, {Q}. {T} to go with that, {P}",
        "{T} {P}. (it is|it's) for (my|a) {O}, {Q}", "{T} to go with it, {P}, the {O} is {Q}", "{T}: {P}. {O}: {Q}",
        "{P} and {L} {O}: (a|the|) {T}", "not the {O}, (that|it|this) is {Q}, but (a|the) {T}, {P}",
        "{T} and {O}, {P} and {Q}", "{T} {O}: {P}, {Q}", "{Q} and {P}: {O} and {T}", "{Q} {P}: {O} {T}",
    )  # fmt: skip
    return _with(chance.choice(forms), slots, chance)


_WAYS = (
    (_told_by_place, 30),
    (_told_in_a_list, 22),
    (_told_across, 24),
    (_told_beside, 14),
    (_told_before, 10),
)
_CLOSINGS = (
    "", "", "", "", "", "", "", "", "please", "thanks", "thank you", "any ideas", "if you have that",
    "is that possible", "asap", "do you sell that", "if there is such a thing", "nothing else", "pls",
)  # fmt: skip


def paired(words: Words, chance: random.Random) -> str:
    """A marked query for two or three products, without the words that open a request."""
    make = chance.choices([way for way, _ in _WAYS], [weight for _, weight in _WAYS])[0]
    text = f"{make(words, chance)} {chance.choice(_CLOSINGS)}"
    return text.replace(" ,", ",").replace(" .", ".").replace(",,", ",")


def pair_query(words: Words, chance: random.Random) -> Example:
    """A search for two or three products, put together part by part."""
    return as_query(paired(words, chance), chance)
