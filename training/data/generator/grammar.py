"""A small grammar for templates: `(a|b|)` chooses, `{slot}` asks for words."""

import random
import re
from collections.abc import Callable

_CHOICE = re.compile(r"\(([^()]*)\)(?!>|#)")
_SLOT = re.compile(r"\{(\w+)\}")

Filler = Callable[[str], str]


def expand(template: str, chance: random.Random, fill: Filler) -> str:
    """One text of a template: choices made from the innermost, then slots filled from the left."""
    text = template
    while match := _CHOICE.search(text):
        text = text[: match.start()] + chance.choice(match[1].split("|")) + text[match.end() :]
    text = _SLOT.sub(lambda slot: fill(slot[1]), text)
    return re.sub(r" +", " ", text).replace(" ,", ",").replace(" ?", "?").strip()
