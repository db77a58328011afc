"""The words of a batch of queries, and the likeliest valid tags of them.

All words of a batch lie one after the other in flat arrays, so that nothing is computed for padding,
and every step takes all queries at once. Each row's numbers are the same alone and in a batch.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streams.tag_transitions import TagTransitions
from streams.text import is_ideograph

Wide = NDArray[np.float64]
Places = NDArray[np.intp]

_IMPOSSIBLE = -1e9
_BEFORE_IDEOGRAPHS = "⺀"


def softmax(logits: NDArray[np.floating]) -> Wide:
    """Softmax over the last axis, in float64."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    np.exp(wide, out=wide)
    wide /= wide.sum(axis=-1, keepdims=True)
    return wide


class Words(NamedTuple):
    """The N words of B queries, one query after the other.

    `bounds` has B + 1 numbers: the words of query b are those from bounds[b] up to bounds[b + 1].
    """

    bounds: Places
    rows: Places  # N: whose a word is
    first_tokens: Places  # N
    starts: list[int]  # N: code points
    ends: list[int]  # N

    @classmethod
    def of(cls, texts: list[str], offsets: NDArray[np.int32], counts: NDArray[np.int32]) -> "Words":
        """Finds them.

        Args:
            texts: B of them.
            offsets: of word pieces in code points [B, T, 2].
            counts: of word pieces [B].
        """
        starts, ends = offsets[..., 0].copy(), offsets[..., 1].copy()
        here = np.arange(offsets.shape[1]) < counts[:, None]
        begins, lasts, plain = _joined(starts, ends, here)
        for row, text in enumerate(texts):
            plain[row] &= text.isascii() or max(text) < _BEFORE_IDEOGRAPHS
        begins &= plain[:, None]
        ends[begins] = ends[lasts & plain[:, None]]  # where a word begins its end is noted
        for row in np.flatnonzero(~plain).tolist():
            for token, start, end in words(texts[row], offsets[row, : counts[row]].tolist()):
                begins[row, token], starts[row, token], ends[row, token] = True, start, end
        rows, tokens = np.nonzero(begins)
        bounds = np.zeros(len(texts) + 1, dtype=np.intp)
        np.cumsum(begins.sum(axis=1), out=bounds[1:])
        return cls(bounds, rows, tokens, starts[begins].tolist(), ends[begins].tolist())


def _joined(
    starts: NDArray[np.int32], ends: NDArray[np.int32], here: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Where words begin and end [B, T], if pieces that touch are one word.

    And which rows [B] that settles: those whose pieces follow each other, each with characters of
    its own.
    """
    touches = starts[:, 1:] == ends[:, :-1]
    follows = ends > starts
    follows[:, 1:] &= starts[:, 1:] >= ends[:, :-1]
    begins, lasts = here.copy(), here.copy()
    begins[:, 1:] &= ~touches
    lasts[:, :-1] &= begins[:, 1:] | ~here[:, 1:]
    return begins, lasts, np.logical_and.reduce(follows | ~here, axis=1)


class Word(NamedTuple):
    """A word: its first piece, and where it stands in the text."""

    first_token: int
    start: int
    end: int


def words(text: str, offsets: list[list[int]]) -> list[Word]:
    """Word pieces that touch are one word, but each Chinese or Japanese character is its own."""
    found: list[Word] = []
    for token, (first, end) in enumerate(offsets):
        previous = found[-1] if found else None
        start = first if previous is None else max(first, previous.end)
        if end <= start:
            continue  # a piece that covers no character of its own
        joined = (
            previous is not None
            and start == previous.end
            and not (is_ideograph(text[previous.end - 1]) or is_ideograph(text[start]))
        )
        if joined and previous is not None:
            found[-1] = Word(previous.first_token, previous.start, end)
        else:
            found.append(Word(token, start, end))
    return found


class Steps(Protocol):
    """How a path's score goes from one word's tags to the next word's."""

    def begin(self, score: Wide) -> None:
        """Adds to the first words' scores [n, tags] what a beginning says."""

    def onward(self, score: Wide) -> tuple[Wide, Any]:
        """The best score with which each tag can be reached, and what `back` needs."""

    def back(self, kept: Any, tags: Places) -> Places:
        """The tags [m] from which these were best reached, of the first m rows."""


class FreeSteps:
    """I-x may follow only B-x or I-x; all else is free, and as likely.

    So a step takes the best of all tags, and for I-x the better of two.
    """

    def __init__(self, begin: list[int], inside: list[int]) -> None:
        self._begin_tags, self._inside_tags = np.array(begin), np.array(inside)
        self._begin, self._inside = _slice(begin), _slice(inside)

    def begin(self, score: Wide) -> None:
        """No path begins with an I-."""
        score[:, self._inside] += _IMPOSSIBLE

    def onward(self, score: Wide) -> tuple[Wide, Places]:
        """The best score with which each tag can be reached, and from which tag."""
        best = score.argmax(axis=1)
        reached, pointers = np.empty_like(score), np.empty(score.shape, dtype=np.intp)
        reached[:] = score[np.arange(len(score)), best][:, None]
        pointers[:] = best[:, None]
        begun, continued = score[:, self._begin], score[:, self._inside]
        reached[:, self._inside] = np.maximum(begun, continued)
        pointers[:, self._inside] = np.where(
            begun >= continued, self._begin_tags, self._inside_tags
        )
        return reached, pointers

    def back(self, kept: Places, tags: Places) -> Places:
        """The tags that `onward` noted."""
        found: Places = kept[np.arange(len(tags)), tags]
        return found


class WeighedSteps:
    """BIO with transitions: a step from kind to kind has a score of its own.

    Of B-x and I-x only the better end counts for what follows, so a step costs (T + 1)² and not
    (2T + 1)². Where the best ways came from is found on the way back, for one tag a word. Of equal
    ones the first kind is taken, and of B-x and I-x the B-x.

    Args:
        transitions: of T types.
        begin: the place of each type's B- tag.
        inside: of its I- tag.
        outside: of O.

    Raises:
        ValueError: the transitions are for another number of types.
    """

    def __init__(
        self, transitions: TagTransitions, begin: list[int], inside: list[int], outside: int
    ) -> None:
        if transitions.types != len(begin):
            raise ValueError(f"the transitions are for {transitions.types} types, not {len(begin)}")
        strength, types = transitions.strength, len(begin)
        self._outside, self._begin, self._inside = outside, _slice(begin), _slice(inside)
        self._start = strength * np.array(transitions.start)
        self._follows = strength * np.array(transitions.follows)
        self._into = np.ascontiguousarray(self._follows.T)
        # By kind; O, which has one tag, stands for both of its own.
        self._begin_of = np.array([outside, *begin], dtype=np.intp)
        self._inside_of = np.array([outside, *inside], dtype=np.intp)
        self._leaves, self._stays = (np.zeros((2, types + 1)) for _ in range(2))
        self._leaves[:, 1:] = strength * np.array(transitions.leaves).reshape(types, 2).T
        self._stays[:, 1:] = strength * np.array(transitions.stays).reshape(types, 2).T
        self._kind = np.zeros(2 * types + 1, dtype=np.intp)
        self._kind[begin] = self._kind[inside] = np.arange(1, types + 1)
        self._continues = np.zeros(2 * types + 1, dtype=np.bool_)
        self._continues[inside] = True

    def begin(self, score: Wide) -> None:
        """The first word's kind; no path begins with an I-."""
        score[:, self._outside] += self._start[0]
        score[:, self._begin] += self._start[1:]
        score[:, self._inside] += _IMPOSSIBLE

    def onward(self, score: Wide) -> tuple[Wide, tuple[Wide, Wide]]:
        """The best score with which each tag can be reached; the scores before, and of ends."""
        begun, continued = score[:, self._begin], score[:, self._inside]
        ends = np.empty((len(score), len(self._start)))
        ends[:, 0] = score[:, self._outside]
        np.maximum(begun + self._leaves[0, 1:], continued + self._leaves[1, 1:], out=ends[:, 1:])
        by_kind = np.ascontiguousarray(ends.T)  # so that the innermost loop is over queries
        into = (by_kind[:, None, :] + self._follows[:, :, None]).max(axis=0)
        reached = np.empty_like(score)
        reached[:, self._outside] = into[0]
        reached[:, self._begin] = into[1:].T
        reached[:, self._inside] = np.maximum(
            begun + self._stays[0, 1:], continued + self._stays[1, 1:]
        )
        return reached, (score, ends)

    def back(self, kept: tuple[Wide, Wide], tags: Places) -> Places:
        """The same sums as on the way there, for these tags alone."""
        score, ends = (one[: len(tags)] for one in kept)
        everyone = np.arange(len(tags))
        to, continues = self._kind[tags], self._continues[tags]
        kind = np.where(continues, to, (ends + self._into[to]).argmax(axis=1))
        begun, continued = self._begin_of[kind], self._inside_of[kind]
        behind_begin, behind_inside = (
            np.where(continues, stay[kind], leave[kind])
            for stay, leave in zip(self._stays, self._leaves, strict=True)
        )
        return np.where(
            score[everyone, begun] + behind_begin >= score[everyone, continued] + behind_inside,
            begun,
            continued,
        )


class TagPaths:
    """Finds the likeliest tags under BIO (Ramshaw and Marcus, 1995), with Viterbi's algorithm (1967).

    Args:
        begin: the place of each type's B- tag.
        inside: of its I- tag.
    """

    def __init__(self, begin: list[int], inside: list[int]) -> None:
        self._free = FreeSteps(begin, inside)

    def best(
        self,
        logits: NDArray[np.floating],
        bounds: Places,
        weighed: Sequence[WeighedSteps | None] = (),
    ) -> tuple[Places, Wide]:
        """The likeliest valid path over each query's words, and each tag's probability.

        Args:
            logits: of the words [N, tags].
            bounds: as in `Words`.
            weighed: each query's transitions, if it has some; none at all when left out.

        Returns:
            The tag of each word [N], and its probability [N]: that of the tag alone.
        """
        probabilities = softmax(logits)
        likely = np.log(np.maximum(probabilities, 1e-300))
        firsts, lengths = bounds[:-1], np.diff(bounds)
        paths = np.zeros(len(logits), dtype=np.intp)
        for steps in dict.fromkeys(weighed) or (None,):
            rows = [row for row, own in enumerate(weighed) if own is steps]
            whole = len(rows) == len(weighed)
            _walk(
                steps or self._free,
                likely,
                firsts if whole else firsts[rows],
                lengths if whole else lengths[rows],
                paths,
            )
        return paths, probabilities[np.arange(len(logits)), paths]


def _walk(steps: Steps, likely: Wide, firsts: Places, lengths: Places, paths: Places) -> None:
    """Writes the best paths of some queries: from their first words to the last, and back."""
    order = np.argsort(-lengths, kind="stable")  # the queries that are left at a step come first
    firsts = firsts[order]
    left = [int(n) for n in (lengths[:, None] > np.arange(lengths.max(initial=0))).sum(axis=0)]
    left.append(0)
    last = np.zeros(len(lengths), dtype=np.intp)
    back: list[Any] = []
    score = likely[firsts[: left[0]]]
    steps.begin(score)
    for step, (now, following) in enumerate(pairwise(left)):
        if step:
            score, kept = steps.onward(score[:now])
            score += likely[firsts[:now] + step]
            back.append(kept)
        last[following:now] = score[following:now].argmax(axis=1)
    for step in range(len(left) - 2, -1, -1):
        now, following = left[step], left[step + 1]
        if following:
            last[:following] = steps.back(back[step], last[:following])
        paths[firsts[:now] + step] = last[:now]


def _slice(places: list[int]) -> slice | Places:
    """Places as a slice where they are evenly spaced: numpy need not copy then."""
    step = places[1] - places[0] if len(places) > 1 else 1
    even = (
        list(range(places[0], places[0] + step * len(places), step)) if places and step > 0 else []
    )
    return slice(places[0], places[-1] + 1, step) if even == places and places else np.array(places)
