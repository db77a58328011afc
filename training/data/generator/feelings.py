# ruff: noqa: E501 - lists of words and templates read better one a line
"""Feelings in words, in and out of a shop: the only texts that teach English sentiment.

Assembled from a subject, a judgement and its surroundings, so that the judgement decides, and
not the topic: the same subjects occur with every feeling. Negation turns a judgement over.
"""

import random
from dataclasses import replace

from training.data.examples import Example
from training.data.generator import posts, valence
from training.data.generator.grammar import expand
from training.data.generator.words import Words

_SUBJECTS = (
    "the {thing}", "this {thing}", "my {thing}", "your {thing}", "the new {thing}", "their {thing}",
    "the {thing} i bought", "the {thing} from last week", "everything about the {thing}", "it",
    "this", "that", "the {event}", "this {event}", "the {event} last night", "our {event}",
    "{person}", "the {person}", "your {person}", "the staff", "the service", "the delivery",
)  # fmt: skip
_THINGS = (
    "phone", "shoes", "dress", "laptop", "coffee maker", "app", "website", "package", "order",
    "refund", "flight", "seat", "hotel", "battery", "screen", "food", "album", "song", "game",
    "movie", "book", "update", "album", "camera", "car", "chair", "jacket", "headphones", "price",
    "quality", "color", "size", "packaging", "support", "bag", "luggage", "ticket", "show",
)  # fmt: skip
_EVENTS = (
    "concert",
    "match",
    "flight",
    "party",
    "episode",
    "trip",
    "weekend",
    "birthday",
    "finale",
    "tour",
    "meeting",
    "game",
    "season",
)
_PERSONS = (
    "driver",
    "agent",
    "lady on the phone",
    "crew",
    "coach",
    "guy at the desk",
    "team",
    "customer service",
    "singer",
    "manager",
)
_GOOD = (
    "amazing", "great", "awesome", "fantastic", "perfect", "wonderful", "beautiful", "excellent", "so good",
    "brilliant", "lovely", "super comfy", "the best", "incredible", "so helpful", "really nice", "very kind",
    "better than expected", "worth every penny", "so much fun", "gorgeous", "impressive", "cool", "adorable",
    "outstanding", "a dream", "on point", "flawless", "top notch", "friendly", "a lifesaver", "delicious",
)  # fmt: skip
_BAD = (
    "terrible", "awful", "horrible", "bad", "the worst", "disappointing", "useless", "a joke", "broken",
    "so slow", "rude", "a disaster", "ridiculous", "pathetic", "disgusting", "annoying", "a nightmare",
    "garbage", "unacceptable", "trash", "a waste of money", "late again", "boring", "overpriced", "a mess",
    "damaged", "not good", "not working", "sad", "infuriating", "a scam", "lost", "delayed for hours", "dirty",
    "incompetent", "cancelled without notice", "the most frustrating thing ever", "ugly", "shameful",
)  # fmt: skip
_PLAIN = (
    "blue", "on the table", "available online", "from 2019", "made in china", "out on friday", "at 8 pm",
    "in the second drawer", "open until six", "scheduled for monday", "in stock", "the same as before",
    "number three on the list", "about 20 cm long", "here", "in the mail", "starting tomorrow",
    "on channel 5", "made of metal", "in row 12", "moved to thursday", "part of the set", "ready for pickup",
    "ok", "fine i guess", "average", "neither good nor bad", "as described", "next to the station",
)  # fmt: skip
_INTENSE = (
    "",
    "",
    "",
    "really ",
    "so ",
    "very ",
    "absolutely ",
    "just ",
    "pretty ",
    "totally ",
    "honestly ",
    "truly ",
)
_SENTENCES = {
    "positive": (
        "(i|we) (love|adore|enjoy|appreciate|am loving|really like) {s}",
        "can't wait (for|to see|to try) {s}(!|!!| tomorrow|)", "so excited (for|about) {s}(!|)",
        "(thank you|thanks|thx|big thanks|shout out) (to|for) {s}(!|, you rock|, much appreciated|)",
        "{s} made my (day|week|night|year)(!|)", "i am so (happy|pleased|glad|grateful|proud) (with|about|of) {s}",
        "(had|having) (a great|an amazing|the best|so much fun|a wonderful) (time|day|experience) with {s}",
        "(i|we) (would|will|can only) (recommend|buy again|come back for) {s}",
        "happy (birthday|friday|new year|anniversary) (to|everyone|my love) {x}", "{s} (works|fits|looks|sounds|feels) {i}(great|perfect|amazing|fantastic)",
        "never (been happier|had better|been disappointed) with {s}", "congrats (to|on) {s}(!|, well deserved|)",
        "best {t} (ever|of my life|i've ever had|of the year)(!|!!|)", "{s} is {i}{good}", "{s} is {i}{good}", "{s} was {i}{good}", "what a {good} {t}(!|)",
        "{s} never (disappoints|fails|lets me down)", "you (guys|) (rock|are the best|are awesome|saved me)(!|, thanks|)",
        "{good}, {good} {t}", "not bad at all, {s} is {good}", "{s} (arrived|came) (early|on time|fast) and it is {good}",
        "i was skeptical but {s} is {i}{good}", "problem solved(!|, thank you|, you are great)",
        "finally got {s}(, so happy|, love it|, yay|!! {smile})", "{s} {smile}", "{s} is {good} <3", "yay, {s}(!|!!)", "wow {s} is {good}",
    ),
    "negative": (
        "(i|we) (hate|can't stand|regret|am sick of|am tired of|am done with) {s}",
        "{s} (ruined|spoiled) my (day|week|trip|night|weekend)", "i am so (angry|upset|disappointed|frustrated|sad|mad) (with|about|at) {s}",
        "{s} (broke|died|failed|crashed|stopped working|fell apart) (again|after two days|already|on me|)",
        "(still|been) (waiting|on hold) for {s} (for hours|for 3 hours|since monday|after two weeks|and nobody answers)",
        "{s} (does not|doesn't|won't|can't) (work|help|open|load|charge|care|fit)(, ugh| at all| anymore|)",
        "why (is|does|do) {s} (always|never) (so {bad}|work|late|break)(?|??|)", "worst {t} (ever|of my life|i've ever had|of the year)(!|)",
        "{s} is {i}{bad}", "{s} is {i}{bad}", "{s} was {i}{bad}", "what a {bad} {t}", "never (again|buying again|flying with you again|using {s} again)",
        "(you|they) (lost|broke|damaged|cancelled|forgot) (my|our) {t}(| again| and nobody cares)", "how is {s} still {bad}(?|)",
        "(i|we) (want|need) (my money|an explanation|an answer), {s} is {bad}", "{s} is not {good}", "{s} isn't {i}{good} (at all|anymore|)",
        "i (wanted|tried) to like {s} but it is {bad}", "thanks for (nothing|ruining my day|wasting my time|losing my {t}), {s} is {bad}",
        "great, {s} is {bad} again", "wow, {s} is {bad}, (thanks a lot|nice job|well done)", "{s} {frown}", "ugh {s}", "{s} makes me (sick|sad|furious|cry)",
        "no (response|reply|answer|help|apology) from {s}(| for days|, unbelievable)", "{s} (cost|charged) me (twice|double|$200) (for nothing|and it is {bad})",
        "stuck (at|in|with) {s} (for hours|again|and no one helps)", "(fix|sort out) {s}(!|, this is {bad}|already)",
        "i (miss|lost) {s}(, so sad| {frown}|)", "nobody (cares|helps|answers) about {s}", "(hours|days) of {s} and still {bad}",
        "too (expensive|small|slow|loud|late|complicated) for {s}", "left (two hours late|without us|me stranded), {s} is {bad}",
    ),
    "neutral": (
        "{s} is {plain}", "{s} is {plain}", "{s} was {plain}", "(is|was) {s} {plain}?", "(when|where|what time|how) is {s}(?| today?| on saturday?)",
        "(who|anyone) (is going to|has|knows|watching|seen) {s}(?|)", "(i|we) (have|saw|use|ordered|watched|bought) {s} (yesterday|on sunday|last year|in may|)",
        "does {s} (come with|include|need|have) a {t}(?|)", "(looking|searching) for {s} in {plain}", "i am (at|in|on) {s} (right now|until 5|tomorrow|)",
        "(can|could) (i|you|we) (change|send|see|move|check) {s} (to friday|please|before monday|)(?|)", "{t} and {t} (on|in|at) (monday|march|the 3rd|5 pm)",
        "(watch|read|see|check) {s} (here|tonight on channel 4|on page 12|at the link)", "{s} vs the {t} (on friday|tonight|tomorrow)", "(what|which) {t} (do you have|is that|comes next|is on tonight)(?|)",
        "how (do|can) i (use|open|change|book|reach) {s}(?|)", "{s} may be {plain} (tomorrow|next week|)", "do you (fly|ship|deliver|sell|have) {s} (to boston|in june|on sundays|)(?|)",
        "i will (be at|see|try|bring|take) {s} (tomorrow|on friday|next week|with my {t})", "(announced|confirmed|reported): {s} {plain}", "the 3rd {t} is {plain}, the 4th is {plain}",
        "{s} (opens|starts|ends|closes|leaves) (at 9 am|on tuesday|in april|tomorrow)", "(i'm|i am) (going|flying|moving|driving) to (paris|work|school) (tomorrow|on friday) with {s}",
    ),
}  # fmt: skip
_FACES = {"smile": ":)", "frown": ":("}  # whose parentheses are not the grammar's
_HANDLES = (
    "",
    "",
    "",
    "@user ",
    "@shop ",
    "hey @user ",
    "hi ",
    "so ",
    "well, ",
    "ok ",
    "lol ",
    "omg ",
)
_TAILS = (
    "",
    "",
    "",
    "",
    " lol",
    " tbh",
    " #fail",
    " #{tag}",
    " smh",
    " today",
    " tonight",
    " again",
    "!",
    "!!",
    "...",
    ".",
    " fr",
    " @user",
    " imo",
)
_POSTS = 0.6  # the share of posts
_SLOTS = {slot: tuple(words.split(",")) for slot, words in posts.SLOTS.items()}
_WITH_WORD = (
    "#{w}", "{w}", "so {w}", "feeling {w}", "that's {w}", "such {w}", "{w}!", "full of {w}",
    "pure {w}", "how {w}", "it's all {w}", "{w} {w}", "just {w}", "they {w} us", "we {w} it",
)  # fmt: skip
_TAGS = (
    "monday",
    "nowplaying",
    "shopping",
    "travel",
    "music",
    "news",
    "fashion",
    "weekend",
    "football",
    "tech",
)


def feeling(words: Words, chance: random.Random) -> Example:
    """Something said of a purchase, or a post on anything; its intent is not labelled."""
    return _post(chance) if chance.random() < _POSTS else _remark(words, chance)


def _post(chance: random.Random) -> Example:
    """A public post: one template, or two of which the one without a feeling yields."""
    sentiment = chance.choices(("positive", "negative", "neutral"), (30, 27, 43))[0]
    parts = [_posted(sentiment, chance)]
    draw = chance.random()
    if draw < 0.15:
        parts.append(_posted("neutral", chance))
    elif draw < 0.25:
        parts.append(_posted(sentiment, chance))
    elif draw < 0.45 and sentiment != "neutral" and (known := valence.words()[sentiment]):
        parts.append(chance.choice(_WITH_WORD).replace("{w}", chance.choice(known)))
    chance.shuffle(parts)
    text = chance.choice((". ", " ", "! ", ", ", "... ", " - ")).join(parts)
    if chance.random() < 0.2:
        text = f"@user {text}" if chance.random() < 0.6 else f"{text} @user"
    if chance.random() < 0.15:
        text = f"{text} {chance.choice(posts.SLOTS['tag'].split(','))}"
    return Example(" ".join(text.split()), "feelings", sentiment=sentiment)


def _posted(sentiment: str, chance: random.Random) -> str:
    def fill(slot: str) -> str:
        known = valence.words()["positive" if slot == "good" else "negative"]
        if slot in ("good", "bad") and known and chance.random() < 0.15:
            return chance.choice(known)
        return chance.choice(_SLOTS[slot])

    template = _plain_brackets(chance.choice(posts.TEMPLATES[sentiment]))
    return expand(template, chance, fill).translate(_BRACKETS)


# In a template of a post, a bracket beside a colon is a face and no choice.
_BRACKETS = str.maketrans({"\x01": "(", "\x02": ")"})


def _plain_brackets(template: str) -> str:
    for face in (":)", ":(", ":-)", ":-(", ":'("):
        hidden = face.replace("(", "\x01").replace(")", "\x02")
        template = template.replace(face, hidden)
    return template


def _remark(words: Words, chance: random.Random) -> Example:
    """One sentence, sometimes two of the same feeling."""
    sentiment = chance.choices(tuple(_SENTENCES), (3, 4, 4))[0]
    text = _sentence(sentiment, words, chance)
    draw = chance.random()
    if draw < 0.25:
        text = (
            f"{text}{chance.choice(('. ', ', ', '! ', ' '))}{_sentence(sentiment, words, chance)}"
        )
    elif draw < 0.45 and sentiment != "neutral":
        plain = _sentence("neutral", words, chance)
        text = f"{plain}. {text}" if chance.random() < 0.5 else f"{text}. {plain}"
    tail = chance.choice(_TAILS).replace("{tag}", chance.choice(_TAGS))
    if sentiment != "negative":
        tail = tail.replace(" #fail", "").replace(" smh", "")
    example = Example(chance.choice(_HANDLES) + text + tail, "feelings", sentiment=sentiment)
    return replace(example, text=" ".join(example.text.split()))


def _sentence(sentiment: str, words: Words, chance: random.Random) -> str:
    def fill(slot: str) -> str:
        if slot == "s":
            return expand(chance.choice(_SUBJECTS), chance, fill)
        if slot in ("thing", "t"):
            mine = chance.random() < 0.3
            return words.of("core_product_type", chance) if mine else chance.choice(_THINGS)
        lists = {"event": _EVENTS, "person": _PERSONS, "good": _GOOD, "bad": _BAD, "plain": _PLAIN}
        if slot in lists:
            return chance.choice(lists[slot])
        if slot in _FACES:
            return _FACES[slot]
        return chance.choice(_INTENSE) if slot == "i" else ""

    return expand(chance.choice(_SENTENCES[sentiment]), chance, fill)
