"""Words with a feeling from VADER's lexicon (Hutto and Gilbert, ICWSM 2014; MIT), for templates.

The lexicon is read from the installed package `vaderSentiment`; without it, there are no such words.
"""

import functools
import importlib.util
from pathlib import Path

_STRONG = 1.3  # of 4, the mean of ten raters
_AGREED = 1.4  # the standard deviation of ten raters


@functools.cache
def words() -> dict[str, tuple[str, ...]]:
    """The words on which raters agree, `positive` and `negative`."""
    found: dict[str, list[str]] = {"positive": [], "negative": []}
    spec = importlib.util.find_spec("vaderSentiment")
    if spec is not None and spec.submodule_search_locations:
        path = Path(next(iter(spec.submodule_search_locations))) / "vader_lexicon.txt"
        for line in path.read_text(encoding="utf-8").splitlines():
            word, mean, deviation, *_ = line.split("\t")
            if word.isalpha() and abs(float(mean)) >= _STRONG and float(deviation) <= _AGREED:
                found["positive" if float(mean) > 0 else "negative"].append(word)
    return {name: tuple(sorted(held)) for name, held in found.items()}
