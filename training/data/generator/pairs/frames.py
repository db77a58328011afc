# ruff: noqa: E501 - phrases read better one a line
"""What goes around the products of a query: greetings, questions, orders, thanks, fillers."""

import re

from training.data.generator.pairs.writer import Body, Writer

_GREETINGS = (
    "hi", "hello", "hey", "hi there", "good morning", "good evening", "excuse me", "quick question", "ok so", "please help", "so", "well", "dear team", "one question", "hello again",
    "sorry", "listen", "right", "hey there", "hi all", "good day", "ok", "question", "um", "yo", "help", "okay", "morning", "dear shop", "hiya",
)  # fmt: skip
# B: the body.
_ASKS = (
    "i (need|want|would like|'d like|am looking for|'m looking for|'m after|am searching for|could use) {B}", "i (was hoping to find|have to get|am trying to find|wish to order|would love|'m hunting for|am in need of) {B}",
    "looking for {B}", "show me {B}", "(do|would) you (have|sell|stock|carry|offer) {B}(?|)", "(can|could|would) you (show|find|get|give|recommend) me {B}(?|)", "where (can|do|could) i (find|get|buy|see) {B}(?|)",
    "(is|are) there {B}(?|)", "got {B}(?|)", "shopping list: {B}", "wanted: {B}", "wish list: {B}", "(searching|search|searching for|seeking|hunting for) {B}", "my (basket|list): {B}",
    "please (find|list|search|show|suggest) {B}", "what about {B}(?|)", "how about {B}(?|)", "what (do you have|can you offer) in the way of {B}(?|)", "(tell me|let me know) if you have {B}", "all i need is {B}",
    "right now i want {B}", "{B}, do you (have|sell) (that|those|them)(?|)", "{B} - in stock(?|)", "{B} is what i need", "{B}, where do i find (that|those)(?|)", "we (need|want|are looking for|are after) {B}", "need {B}", "find {B}", "buy {B}",
    "is it possible to get {B}(?|)", "does (this|the|your) shop have {B}(?|)", "i can't find {B}", "i have been looking for {B}", "(something|anything) like {B}(?|)", "interested in {B}", "shopping for {B}", "this time {B}", "i'd be (happy|fine) with {B}",
    "give me {B}", "in search of {B}", "on my list: {B}", "options for {B}", "suggestions for {B}", "what i (want|need): {B}", "show {B}", "browse {B}", "have you got {B}(?|)", "may i see {B}(?|)", "thinking of {B}", "for (me|us): {B}",
)  # fmt: skip
_CLOSINGS = (
    "please", "thanks", "thank you", "any ideas(?|)", "if you have that", "is that possible(?|)", "asap", "do you sell that(?|)", "if there is such a thing", "nothing else", "pls", "thx", "cheers", "what do you have(?|)",
    "where do i look(?|)", "many thanks", "what would you suggest(?|)", "that's all", "is it in stock(?|)", "help please", "anything(?|)", "got that(?|)", "can you help(?|)", "is there something(?|)", "if possible", "that would be great", "just that",
    "any suggestions(?|)", "please show me", "please advise", "hope you have it", "ok(?|)", "you get the idea", "i hope that makes sense", "does that exist(?|)",
)  # fmt: skip
_FILLERS = ("um", "well", "you know", "let's say", "actually", "i guess", "like", "i think", "maybe", "so", "hmm", "basically", "by the way", "honestly", "if i may", "or rather", "er", "sort of", "let me see", "as i said", "obviously", "of course")  # fmt: skip
_MARK = re.compile(r"(\[[^\]]*\]\(\w+\)[#>]\d+)")


def framed(writer: Writer, body: Body) -> str:
    """The body with what a shopper may write before and after it, its punctuation in order."""
    text = body.text
    if body.phrase and writer.often(0.55):
        text = writer.say_one(_ASKS, B=text)
    if writer.often(0.12):
        text = f"{writer.pick(_GREETINGS)}{writer.pick((', ', ' ', '! ', '. '))}{text}"
    if writer.often(0.22):
        text = f"{text}{writer.pick((', ', ' ', '. ', ' ', ' - '))}{writer.say_one(_CLOSINGS)}"
    return tidy(_with_filler(writer, text) if writer.often(0.06) else text)


def _with_filler(writer: Writer, text: str) -> str:
    """One of the commas between entities followed by a word that says nothing."""
    parts = _MARK.split(text)
    places = [n for n in range(0, len(parts), 2) if ", " in parts[n]]
    if places:
        place = writer.chance.choice(places)
        parts[place] = parts[place].replace(", ", f", {writer.pick(_FILLERS)} ", 1)
    return "".join(parts)


def tidy(text: str) -> str:
    """No blanks in front of punctuation, no two marks of it in a row, none at the end but a question's."""
    text = re.sub(r"\bi '(?=[dm]\b)", "i'", text)
    text = re.sub(r" +([,.;:?!])", r"\1", " ".join(text.split()))
    text = re.sub(r"[,;:.](?=[,;:?!])|[,;:](?=\.)|(?<=[?!])[.,;:]", "", text)
    return text.strip(" ,;:-/&+")
