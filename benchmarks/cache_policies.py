"""`python -m benchmarks.cache_policies`: how often the model is asked, by what a cache keeps, simulated.

The traffic is R3's: 200,000 queries, Zipf-distributed over 100,000, in batches of 256, eight of them under
way: the answers of a batch are in the cache once the eighth after it has been looked up. Nothing runs but
the caches, so what is found does not depend on the machine.
"""

import argparse
from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from typing import Final, Protocol

from rich.console import Console
from rich.table import Table

from benchmarks.load import Load
from workers.enrichment.answer_cache import DEFAULT_ENTRIES

TRAFFIC: Final = Load(200_000, of=100_000)
ROWS: Final = 256
UNDER_WAY: Final = 8
_AGING: Final = 10
"""TinyLFU halves its counts after so many times as many requests as there are entries."""


class Policy(Protocol):
    """What is kept."""

    def known(self, text: str) -> bool:
        """Looks a text up."""

    def keep(self, text: str) -> None:
        """Takes an answer, or leaves it."""


class Lru:
    """The least recently used one makes room."""

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._kept: OrderedDict[str, None] = OrderedDict()

    def known(self, text: str) -> bool:
        """Looks a text up, which is a use."""
        if text not in self._kept:
            return False
        self._kept.move_to_end(text)
        return True

    def keep(self, text: str) -> None:
        """Takes every answer."""
        self._kept[text] = None
        self._kept.move_to_end(text)
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)

    def admits(self, count: Counter[str], text: str) -> bool:
        """Whether a text was asked more often than the one that would make room."""
        return len(self._kept) < self._entries or count[text] > count[next(iter(self._kept))]


class TinyLfu:
    """An LRU that takes only what was asked more often than what would make room.

    Counts are exact, and age by halving (Einziger, Friedman and Manes, ACM ToS 2017, without their
    sketch and window).
    """

    def __init__(self, entries: int) -> None:
        self._lru = Lru(entries)
        self._count: Counter[str] = Counter()
        self._asked, self._age_after = 0, _AGING * entries

    def known(self, text: str) -> bool:
        """Looks a text up, and counts it."""
        self._count[text] += 1
        self._asked += 1
        if self._asked >= self._age_after:
            self._asked //= 2
            self._count = Counter({one: n // 2 for one, n in self._count.items() if n > 1})
        return self._lru.known(text)

    def keep(self, text: str) -> None:
        """Takes an answer that was asked for often enough."""
        if self._lru.admits(self._count, text):
            self._lru.keep(text)


def asked(texts: Sequence[str], policy: Policy, *, under_way: int, once: bool) -> int:
    """How many texts the model is asked for.

    Args:
        texts: the queries, in their order.
        policy: an empty cache.
        under_way: batches at once.
        once: a text that is under way in another batch is not asked for again.
    """
    count = 0
    batches: deque[list[str]] = deque()
    for start in range(0, len(texts), ROWS):
        waiting = {text for batch in batches for text in batch} if once else set()
        unknown = [
            text
            for text in dict.fromkeys(texts[start : start + ROWS])
            if not policy.known(text) and text not in waiting
        ]
        count += len(unknown)
        batches.append(unknown)
        if len(batches) >= under_way:
            for text in batches.popleft():
                policy.keep(text)
    return count


def main() -> None:
    """Prints the shares for some policies."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.cache_policies", description=__doc__
    ).parse_args()
    texts = TRAFFIC.texts()
    made = Table("", title=f"{len(texts):,} queries, {len(set(texts)):,} of them distinct")
    for name in ("entries", "asked of the model", "known", "allows, ×"):
        made.add_column(name, justify="right")
    policies = (
        ("LRU, as it is", Lru, DEFAULT_ENTRIES, False),
        ("LRU, nothing asked twice at once", Lru, DEFAULT_ENTRIES, True),
        ("TinyLFU", TinyLfu, DEFAULT_ENTRIES, False),
        ("TinyLFU, nothing asked twice at once", TinyLfu, DEFAULT_ENTRIES, True),
        ("LRU", Lru, 2 * DEFAULT_ENTRIES, False),
        ("without end", Lru, len(texts), True),
    )
    for name, policy, entries, once in policies:
        count = asked(texts, policy(entries), under_way=UNDER_WAY, once=once)
        share = count / len(texts)
        made.add_row(name, f"{entries:,}", f"{share:.1%}", f"{1 - share:.1%}", f"{1 / share:.2f}")
    Console().print(made)


if __name__ == "__main__":
    main()
