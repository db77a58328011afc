"""What shoppers ask in the benchmarks: generated queries, all distinct or as often as real ones.

From the project's own generator, so that anybody can make the same ones: most are one product with
up to two attributes, some several products, some requests to the shop. On average they have as many
word pieces as the English queries of Amazon's ESCI data set, and one more.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

import numpy as np

from training.data.generator import compose
from training.data.generator.products import product_phrase
from training.data.generator.words import Words
from training.data.markup import parse

_A_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Mix:
    """How many in a hundred are of each kind."""

    products: int = 5
    requests: int = 10


def distinct(count: int, seed: int = 0, mix: Mix | None = None) -> list[str]:
    """So many queries, no two alike; the same seed gives the same ones.

    Those of two seeds overlap: short queries are few.
    """
    return list(islice(_new(seed, mix or Mix()), count))


def zipf(queries: list[str], count: int, *, exponent: float = 1.0, seed: int = 0) -> Iterator[str]:
    """Queries drawn so that the r-th most frequent one is asked 1/r^exponent as often as the first.

    Args:
        queries: to draw from; who is frequent is drawn by the seed.
        count: of draws.
        exponent: of the distribution.
        seed: the same seed gives the same draws.
    """
    chance = np.random.default_rng(seed)
    weights = 1.0 / np.arange(1, len(queries) + 1) ** exponent
    drawn = chance.choice(len(queries), size=count, p=weights / weights.sum())
    rank = chance.permutation(len(queries))
    return (queries[rank[number]] for number in drawn)


def _new(seed: int, mix: Mix) -> Iterator[str]:
    seen: set[str] = set()
    for text in _asked(seed, mix):
        if text not in seen:
            seen.add(text)
            yield text


def _asked(seed: int, mix: Mix) -> Iterator[str]:
    words, chance = Words(), random.Random(seed)
    batch = 0
    while True:
        batch += 1
        several = compose("products", _A_BATCH * mix.products // 100, seed * 1_000_003 + batch)
        requests = compose("requests", _A_BATCH * mix.requests // 100, seed * 1_000_003 + batch)
        texts = [example.text for example in (*several, *requests)]
        texts += [
            parse(product_phrase(words, chance), "products").text
            for _ in range(_A_BATCH - len(texts))
        ]
        chance.shuffle(texts)
        yield from texts
