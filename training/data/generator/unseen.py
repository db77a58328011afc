"""Queries for several products in a grammar that never trains: it measures relations.

`training.data.generator.compose` does not know this grammar, so no recipe can name it.
"""

import random
from typing import Final

from training.data.examples import Example
from training.data.generator.products import filled
from training.data.generator.words import Words
from training.data.markup import parse

TEMPLATES: Final = (
    "my {B} is {2}, find a {A} for it (in|) {1}",
    "i already own a {B} which is {2}; now for the {A}, ideally {1}",
    "1. {A} 2. {B} (- |)no 1 {1}, no 2 {2}",
    "{A}/{B} {1}/{2}",
    "as a pair: {A} + {B}. preferably {1} + {2}",
    "{1} is what i'd want the {A} to be, and {2} goes for the {B}",
    "whichever {A}, as long as it is {1}, and whichever {B}, as long as it is {2}",
    "is there a {A} to put beside a {B}, {1} rather than {2}",
    "{A} (and its|with its) {B}: one {1}, the other {2}",
    "if the {A} comes {1}, and the {B} comes {2}, i'll take both",
    "i wonder about {A} and {B}, item one being {1} and item two being {2}",
    "wish list {A}, {B}. wish list details {1}, {2}",
    "swap my {B} ({2}) for a {A} ({1})",
    "{2} {B} at home, so show a {A} that is (also|) {1}",
    "whatever {A} you have, {1}, to sit on a {B}",
    "a {A} someone could wear over a {2} {B}, {1} and {x}",
    "three things: {A}, {B}, {C}. the middle one {2}, the last {3}, the first {1}",
    "{A}/{B}/{C} {1}/{2}/{3}",
    "{1}, {2} and {3} are what i need for the {A}, the {B} and the {C}",
    "a - {A}, b - {B}, c - {C} where a is {1}, b is {2} and c is {3}",
    "{A}, {B} as well as {C}; number two {2}, number three {3}, number one {1}",
    "for a {B} and a {C} i need one {A}, {1}, {x}",
)  # fmt: skip


def unseen_queries(count: int, seed: int) -> list[Example]:
    """Searches for two or three products, with all relations; the same for the same seed."""
    words, chance = Words(), random.Random(f"unseen-{seed}")  # noqa: S311 - not a secret
    return [
        parse(filled(chance.choice(TEMPLATES), words, chance), "unseen", intent="product_search")
        for _ in range(count)
    ]
