"""What the shipped model has to reach: each bar beside the figure that it is set on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Mapping[str, Any]]
_Read = Callable[[Figures], float]


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and its bound; `most` where less is better."""

    name: str
    bound: float
    read: _Read
    most: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A bar, and what a model reaches."""

    name: str
    value: float
    bound: float
    most: bool

    @property
    def reached(self) -> bool:
        """Whether the figure is at the bar or on its good side."""
        return self.value <= self.bound if self.most else self.value >= self.bound


def judged(figures: Figures) -> list[Judged]:
    """The bars whose figures have been taken."""
    found = []
    for bar in BARS:
        try:
            value = float(bar.read(figures))
        except KeyError:
            continue
        found.append(Judged(bar.name, value, bar.bound, bar.most))
    return found


def _of(task: str, figure: str) -> _Read:
    return lambda figures: figures[task][figure]


def _less(task: str, figure: str, other: str, other_figure: str | None = None) -> _Read:
    return lambda figures: figures[task][figure] - figures[other][other_figure or figure]


def _of_ceiling(task: str) -> _Read:
    return lambda figures: figures[task]["f1_end_to_end"] / max(figures[task]["f1_ceiling"], 1e-9)


_QUERYNER = "entities_queryner_validation"
_TWEETS, _SERVICE = "sentiment_tweeteval", "sentiment_service_tweets"


def _relations(title: str, task: str) -> tuple[Bar, ...]:
    given, nearest = "f1_given_entities", "f1_nearest_product"
    return (
        Bar(f"relations, {title}: F1 given entities", 0.95, _of(task, given)),
        Bar(f"relations, {title}: above nearest product", 0.10, _less(task, given, task, nearest)),
        Bar(f"relations, {title}: of the entity ceiling", 0.90, _of_ceiling(task)),
    )


BARS: tuple[Bar, ...] = (
    Bar("entities, QueryNER validation: typed F1", 0.72, _of(_QUERYNER, "f1")),
    Bar(
        "entities, one typo per query: drop of F1",
        0.05,
        _less(_QUERYNER, "f1", "entities_queryner_one_typo"),
        most=True,
    ),
    Bar("intents, newer Bitext: accuracy", 0.95, _of("intents_bitext_newer", "accuracy")),
    Bar(
        "intents, newer Bitext: calibration error",
        0.03,
        _of("intents_bitext_newer", "calibration_error"),
        most=True,
    ),
    Bar("search, question or service: accuracy", 0.96, _of("kinds_in_one_style", "accuracy")),
    Bar("out of scope, CLINC: AUROC", 0.95, _of("out_of_scope", "auroc_clinc")),
    Bar("out of scope, near misses: AUROC", 0.95, _of("out_of_scope", "auroc_near_misses")),
    *_relations("unseen grammar", "relations_unseen_grammar"),
    *_relations("crossed order", "relations_crossed"),
    Bar("sentiment, TweetEval: macro-F1", 0.58, _of(_TWEETS, "macro_f1")),
    Bar(
        "sentiment, TweetEval: above VADER",
        0.05,
        _less(_TWEETS, "macro_f1", _TWEETS, "macro_f1_lexicon"),
    ),
    Bar("sentiment, service tweets: macro-F1", 0.65, _of(_SERVICE, "macro_f1")),
    Bar(
        "sentiment, service tweets: above VADER",
        0.05,
        _less(_SERVICE, "macro_f1", _SERVICE, "macro_f1_lexicon"),
    ),
    Bar("redaction: product queries altered", 0.001, _of("redaction", "altered"), most=True),
    Bar("redaction: F1 it costs", 0.002, _of("redaction", "f1_cost"), most=True),
    Bar("Chinese, hand-written: intents", 0.92, _of("zh_intents_hand_written", "accuracy")),
    Bar(
        "Chinese, hand-written: calibration error",
        0.03,
        _of("zh_intents_hand_written", "calibration_error"),
        most=True,
    ),
    Bar("Chinese, hand-written: entities", 0.80, _of("zh_entities_hand_written", "f1")),
    Bar("Chinese, shop reviews: accuracy", 0.82, _of("zh_sentiment_reviews", "accuracy")),
)
"""In the order in which they are shown."""
