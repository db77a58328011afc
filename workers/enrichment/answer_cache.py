"""Answers that are known already: an LRU in the worker's memory, in front of the model."""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from streams.decoding import Understanding
from streams.events import ModelVersion

DEFAULT_ENTRIES: Final = 20_000
"""About 40 MB; at realistic (Zipf) traffic over 100,000 queries it knows some two thirds."""


class KnownAnswer(Struct, frozen=True, gc=False):
    """What one model said about one text. `degraded` when it was rules instead: never kept."""

    understanding: Understanding
    model: ModelVersion
    vector_space: str
    degraded: bool = False


class AnswerCache:
    """Answers by text, of one model and one way of decoding at a time.

    The key of an entry is the normalised, redacted text; all entries share the digest of the
    model and the decoding settings, and are dropped together when either changes. An answer
    depends on nothing else, so a hit gives the bytes that a call would have given.

    Args:
        decoding: names the decoding settings that the answers were made with.
        entries: the most that are kept; 0 keeps none.
    """

    def __init__(self, decoding: str = "", *, entries: int = DEFAULT_ENTRIES) -> None:
        self.hits = 0
        self.misses = 0
        self._decoding = decoding
        self._entries = entries
        self._serving: tuple[str, str] = ("", decoding)
        self._known: OrderedDict[str, KnownAnswer] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, text: str, digest: str) -> KnownAnswer | None:
        """The answer of the model with this digest, if it is known."""
        self._serve(digest)
        found = self._known.get(text)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._known.move_to_end(text)
        return found

    def put(self, text: str, answer: KnownAnswer) -> None:
        """Keeps an answer; the least recently used one makes room."""
        self._serve(answer.model.digest)
        self._known[text] = answer
        self._known.move_to_end(text)
        while len(self._known) > self._entries:
            self._known.popitem(last=False)

    def _serve(self, digest: str) -> None:
        serving = (digest, self._decoding)
        if serving != self._serving:
            self._known.clear()
            self._serving = serving
