"""The words of a batch of queries, and the likeliest valid tags of them.

All words of a batch lie one after the other in flat arrays, so that nothing is computed for padding,
and every step takes all queries at once. Each row's numbers are the same alone and in a batch.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

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
            and not (_is_ideograph(text[previous.end - 1]) or _is_ideograph(text[start]))
        )
        if joined and previous is not None:
            found[-1] = Word(previous.first_token, previous.start, end)
        else:
            found.append(Word(token, start, end))
    return found


def _is_ideograph(character: str) -> bool:
    return "⺀" <= character <= "鿿" or "豈" <= character <= "﫿" or character >= "\U00020000"


class TagPaths:
    """Finds the likeliest tags under BIO (Ramshaw and Marcus, 1995).

    Args:
        begin: the place of each type's B- tag.
        inside: of its I- tag.
    """

    def __init__(self, begin: list[int], inside: list[int]) -> None:
        self._begin_tags, self._inside_tags = np.array(begin), np.array(inside)
        self._begin, self._inside = _slice(begin), _slice(inside)

    def best(self, logits: NDArray[np.floating], bounds: Places) -> tuple[Places, Wide]:
        """The likeliest valid path over each query's words, and each tag's probability.

        Viterbi (1967): I-x may follow only B-x or I-x, all else is free, so a step takes the best
        of all tags, and for I-x the better of two.

        Args:
            logits: of the words [N, tags].
            bounds: as in `Words`.

        Returns:
            The tag of each word [N], and its probability [N].
        """
        probabilities = softmax(logits)
        likely = np.log(np.maximum(probabilities, 1e-300))
        lengths = np.diff(bounds)
        order = np.argsort(
            -lengths, kind="stable"
        )  # the queries that are left at a step come first
        firsts = bounds[order]
        left = [int(n) for n in (lengths[:, None] > np.arange(lengths.max(initial=0))).sum(axis=0)]
        left.append(0)
        paths = np.zeros(len(logits), dtype=np.intp)
        last = np.zeros(len(lengths), dtype=np.intp)
        back: list[Places] = []
        score = likely[firsts[: left[0]]]
        score[:, self._inside] += _IMPOSSIBLE
        for step, (now, following) in enumerate(pairwise(left)):
            if step:
                score, pointers = self._step(score[:now])
                score += likely[firsts[:now] + step]
                back.append(pointers)
            last[following:now] = score[following:now].argmax(axis=1)
        everyone = np.arange(len(lengths))
        for step in range(len(left) - 2, -1, -1):
            now, following = left[step], left[step + 1]
            if following:
                last[:following] = back[step][everyone[:following], last[:following]]
            paths[firsts[:now] + step] = last[:now]
        return paths, probabilities[np.arange(len(logits)), paths]

    def _step(self, score: Wide) -> tuple[Wide, Places]:
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


def _slice(places: list[int]) -> slice | Places:
    """Places as a slice where they are evenly spaced: numpy need not copy then."""
    step = places[1] - places[0] if len(places) > 1 else 1
    even = (
        list(range(places[0], places[0] + step * len(places), step)) if places and step > 0 else []
    )
    return slice(places[0], places[-1] + 1, step) if even == places and places else np.array(places)
