"""Paths of tags with transitions: the best of all, whatever the batch, and none of it without."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.decoding import Decoder
from streams.tag_paths import TagPaths, WeighedSteps, softmax
from streams.tag_transitions import TagTransitions, transitions_of
from tests.streams.samples import LABELS, SMALL_LABELS, outputs_of, word_offsets

_BEGIN, _INSIDE, _OUTSIDE = [1, 3], [2, 4], 0  # two types
_TAGS = 5

_seeds = st.integers(0, 2**31)
_lengths = st.lists(st.integers(0, 7), min_size=1, max_size=9)


def _random(seed: int, types: int = 2, *, strength: float = 0.7) -> TagTransitions:
    source = np.random.default_rng((seed, types))

    def table(*shape: int) -> Any:
        return source.normal(0, 2, shape).round(3).tolist()

    return TagTransitions.of(
        {
            "strength": strength,
            "start": table(types + 1),
            "follows": table(types + 1, types + 1),
            "stays": table(types, 2),
            "leaves": table(types, 2),
        }
    )


def _zeros(types: int, strength: float = 1.0) -> TagTransitions:
    nothing = ((0.0, 0.0),) * types
    kinds = (0.0,) * (types + 1)
    return TagTransitions(strength, kinds, (kinds,) * (types + 1), nothing, nothing)


def _steps(transitions: TagTransitions) -> WeighedSteps:
    return WeighedSteps(transitions, _BEGIN, _INSIDE, _OUTSIDE)


def _score(path: tuple[int, ...], likely: Any, said: TagTransitions) -> float:
    """Of one path, by the definition; minus infinity for an I- without its entity."""
    kind = {0: 0, 1: 1, 2: 1, 3: 2, 4: 2}
    if path[0] in _INSIDE:
        return -np.inf
    total = likely[0, path[0]] + said.strength * said.start[kind[path[0]]]
    for n, (before, tag) in enumerate(itertools.pairwise(path), 1):
        total += likely[n, tag]
        row, column = kind[before] - 1, int(before in _INSIDE)
        if tag in _INSIDE:
            if kind[before] != kind[tag]:
                return -np.inf
            total += said.strength * said.stays[row][column]
        else:
            left = said.leaves[row][column] if before else 0.0
            total += said.strength * (left + said.follows[kind[before]][kind[tag]])
    return float(total)


def _batch(lengths: list[int], seed: int, tags: int = _TAGS) -> tuple[Any, Any]:
    logits = np.random.default_rng(seed).normal(0, 2, (sum(lengths), tags)).astype(np.float32)
    return logits, np.cumsum([0, *lengths])


@given(st.integers(1, 5), _seeds)
@settings(max_examples=80)
def test_the_path_is_the_best_of_all(length: int, seed: int) -> None:
    """Against brute force over every path."""
    said = _random(seed)
    logits, bounds = _batch([length], seed)
    likely = np.log(softmax(logits))
    path, scores = TagPaths(_BEGIN, _INSIDE).best(logits, bounds, [_steps(said)])
    every = list(itertools.product(range(_TAGS), repeat=length))
    best = max(every, key=lambda one: _score(one, likely, said))
    assert tuple(path) == best
    assert scores.tolist() == softmax(logits)[np.arange(length), path].tolist()  # of tags alone


@given(_lengths, _seeds, st.data())
@settings(max_examples=80)
def test_queries_of_several_languages_share_a_batch(
    lengths: list[int], seed: int, data: st.DataObject
) -> None:
    """Each with its language's transitions, or none; alone, and in any company, the same bytes."""
    languages = [_steps(_random(seed)), _steps(_random(seed + 1)), None]
    own = [data.draw(st.sampled_from(languages)) for _ in lengths]
    paths = TagPaths(_BEGIN, _INSIDE)
    logits, bounds = _batch(lengths, seed)
    together, scores = paths.best(logits, bounds, own)
    for row, steps in enumerate(own):
        words = slice(bounds[row], bounds[row + 1])
        alone, score = paths.best(logits[words], np.array([0, lengths[row]]), [steps])
        assert alone.tolist() == together[words].tolist()
        assert score.tobytes() == scores[words].tobytes()


@given(_lengths, _seeds, st.sampled_from([0.0, 1.0]))
def test_transitions_that_say_nothing_change_nothing(
    lengths: list[int], seed: int, coarse: float
) -> None:
    """Also where tags are exactly as likely as each other, and the first one is taken."""
    begin, inside = list(range(1, 45, 2)), list(range(2, 45, 2))
    logits, bounds = _batch(lengths, seed, 45)
    logits = logits.round() if coarse else logits
    paths = TagPaths(begin, inside)
    steps = WeighedSteps(_zeros(22), begin, inside, 0)
    free, weighed = paths.best(logits, bounds), paths.best(logits, bounds, [steps] * len(lengths))
    assert free[0].tolist() == weighed[0].tolist()
    assert free[1].tobytes() == weighed[1].tobytes()


@given(st.integers(1, 6), _seeds)
def test_no_strength_is_no_transitions(words: int, seed: int) -> None:
    """Older versions of a model, which declare none, decode to the bytes that they did."""
    text = " ".join("w" * words)
    outputs = outputs_of(Decoder(LABELS), [word_offsets(text)], seed=seed)
    idle = replace(LABELS, transitions={"en": _random(seed, 22, strength=0.0)})
    other = replace(LABELS, transitions={"zh": _random(seed, 22, strength=9.0)})
    expected = Decoder(LABELS).decode(outputs, [text])
    for labels in (idle, other):
        assert Decoder(labels).decode(outputs, [text]) == expected


def test_a_query_takes_the_transitions_of_its_language() -> None:
    text = "red shoes"
    never = ((-50.0,) * 2,) * 2
    stay = replace(_zeros(2), stays=never)  # no entity of two words
    labels = replace(SMALL_LABELS, transitions={"en": stay})
    outputs = outputs_of(Decoder(labels), [word_offsets(text)] * 2)
    outputs.tag_logits[:] = 0
    outputs.tag_logits[:, 0, 3] = outputs.tag_logits[:, 1, 4] = 9.0
    english, chinese = Decoder(labels).decode(replace(outputs, languages=("en", "zh")), [text] * 2)
    assert [(span.start, span.end) for span in chinese.spans] == [(0, 9)]
    assert (0, 9) not in [(span.start, span.end) for span in english.spans]


@given(st.integers(1, 30), _seeds, st.sampled_from([1.0, 1e4]))
def test_the_path_stays_valid(length: int, seed: int, scale: float) -> None:
    logits, bounds = _batch([length], seed)
    path, _ = TagPaths(_BEGIN, _INSIDE).best(
        logits * np.float32(scale), bounds, [_steps(_random(seed, strength=9.0))]
    )
    for before, tag in itertools.pairwise([0, *path.tolist()]):
        assert tag not in _INSIDE or before in (tag, tag - 1)


def test_transitions_come_back_from_their_json() -> None:
    said = _random(3)
    assert transitions_of({"en": said.as_json()}) == {"en": said}
    assert transitions_of({}) == {}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"start": []}, "start is empty"),
        ({"start": [0.0, 1.0]}, "follows does not fit 2 kinds"),
        ({"follows": [[0.0] * 3] * 2}, "follows does not fit 3 kinds"),
        ({"stays": [[0.0]] * 2}, "stays does not fit 3 kinds"),
        ({"leaves": [[0.0, float("nan")]] * 2}, "leaves holds no plain numbers"),
        ({"leaves": [[0.0, 1e9]] * 2}, "leaves holds no plain numbers"),
        ({"leaves": 3}, "not lists of numbers"),
        ({"start": ["a", 0.0, 0.0]}, "could not convert"),
        ({"strength": -0.1}, "strength is -0.1"),
        ({"strength": float("nan")}, "strength is nan"),
    ],
)
def test_transitions_that_do_not_fit_are_refused(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=f"en: .*{match}"):
        transitions_of({"en": _random(1).as_json() | change})


def test_what_are_no_transitions_is_said() -> None:
    with pytest.raises(ValueError, match="en: the transitions lack stays"):
        transitions_of({"en": {k: v for k, v in _random(1).as_json().items() if k != "stays"}})
    with pytest.raises(ValueError, match="en: the transitions are not an object"):
        transitions_of({"en": [1.0]})
    with pytest.raises(ValueError, match="not given by language"):
        transitions_of([])
    with pytest.raises(ValueError, match="for 3 types, not 2"):
        Decoder(replace(SMALL_LABELS, transitions={"en": _random(1, 3)}))
