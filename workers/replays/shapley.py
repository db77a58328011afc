"""How much each word moved an answer: Shapley values, from answers to parts of the text alone.

A word's value is what it adds to the answer, averaged over all orders in which words may come in
(Shapley 1953; for predictions Štrumbelj and Kononenko, JMLR 11, 2010). Few words are computed
exactly, from all subsets; more are estimated from random orders (Castro, Gómez and Tejada,
Computers & Operations Research 36, 2009), each of which is also walked backwards, which lowers
the variance (Mitchell et al., JMLR 23, 2022). Either way the values add up to the answer for the
whole text minus the answer for none of it: the efficiency property, which holds for each single
order and so for their mean. Pure: whoever asks the model does it elsewhere.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from math import factorial, sqrt
from typing import Final

EXACT: Final = 8
"""So many words have 256 subsets: two requests."""

ORDERS: Final = 32
"""Random orders, backwards ones included; a text of 20 words takes some 600 questions."""

_SEED: Final = 20090101


@dataclass(frozen=True, slots=True)
class Plan:
    """Which parts of a text to ask about: bit n of a part is word n.

    `orders` is None where all subsets are asked about.
    """

    words: int
    parts: tuple[int, ...]
    orders: tuple[tuple[int, ...], ...] | None

    @property
    def method(self) -> str:
        """How the values come about, for people."""
        return "exact" if self.orders is None else f"estimated from {len(self.orders)} orders"


@dataclass(frozen=True, slots=True)
class Attribution:
    """A word's value, and the standard error of its estimate: 0 where it is exact."""

    value: float
    error: float


def plan(words: int, *, orders: int = ORDERS, seed: int = _SEED) -> Plan:
    """What to ask for a text of so many words: the same for the same arguments.

    Args:
        words: at least 1.
        orders: how many for a text of more than `EXACT` words; an even number.
        seed: of the random orders.
    """
    if words <= EXACT:
        return Plan(words, tuple(range(1 << words)), None)
    chance = random.Random(seed)  # noqa: S311 (chance is for the estimate, not for secrets)
    found: list[tuple[int, ...]] = []
    for _ in range(orders // 2):
        order = list(range(words))
        chance.shuffle(order)
        found += (tuple(order), tuple(reversed(order)))
    parts = {0}
    for one in found:
        part = 0
        for word in one:
            part |= 1 << word
            parts.add(part)
    return Plan(words, tuple(sorted(parts)), tuple(found))


def attributions(plan_: Plan, answer: Callable[[int], float]) -> list[Attribution]:
    """The value of each word.

    Args:
        plan_: by which was asked.
        answer: the answer for a part.
    """
    if plan_.orders is None:
        return [Attribution(_exact(plan_.words, word, answer), 0.0) for word in range(plan_.words)]
    gains: list[list[float]] = [[] for _ in range(plan_.words)]
    for order in plan_.orders:
        part, before = 0, answer(0)
        for word in order:
            part |= 1 << word
            after = answer(part)
            gains[word].append(after - before)
            before = after
    return [_estimated(found) for found in gains]


def _exact(words: int, word: int, answer: Callable[[int], float]) -> float:
    total = 0.0
    for part in range(1 << words):
        if part >> word & 1:
            continue
        size = part.bit_count()
        weight = factorial(size) * factorial(words - size - 1) / factorial(words)
        total += weight * (answer(part | 1 << word) - answer(part))
    return total


def _estimated(gains: list[float]) -> Attribution:
    """Mean and standard error; a walk and its reverse are one observation."""
    pairs = [(one + other) / 2 for one, other in zip(gains[::2], gains[1::2], strict=True)]
    mean = sum(pairs) / len(pairs)
    if len(pairs) < 2:
        return Attribution(mean, float("inf"))
    spread = sum((value - mean) ** 2 for value in pairs) / (len(pairs) - 1)
    return Attribution(mean, sqrt(spread / len(pairs)))
