"""How far two versions of the same events agree: counts that stay small whatever the range. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from streams.events import Entity, QueryUnderstood

SHIFT_EDGES: Final = (
    -1.0, -0.5, -0.2, -0.1, -0.05, -0.02, -0.01, -0.001,
    0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0,
)  # fmt: skip
"""Bins of score shifts, replayed minus published: fine where they are small. The middle one holds
what has not moved."""

GRID: Final = 20
"""Cells a side of the plot of scores, published against replayed."""

SLICE_VALUES: Final = 100
"""Values of a slice that are told apart; shoppers' devices name locales without end."""

OTHERS: Final = "(others)"

_MANY_WORDS: Final = ((2, "1-2 words"), (5, "3-5 words"), (9, "6-9 words"))


@dataclass(slots=True)
class Agreed:
    """Of some queries: how many say the same."""

    queries: int = 0
    intent: int = 0
    sentiment: int = 0
    entities: int = 0

    def add(self, *, intent: bool, sentiment: bool, entities: bool) -> None:
        """Counts one query."""
        self.queries += 1
        self.intent += intent
        self.sentiment += sentiment
        self.entities += entities


@dataclass(slots=True)
class Agreement:
    """Counts over pairs of events of `queries.intents`, published and replayed.

    Attributes:
        by: agreement by slice (`intent` as published, `language`, `channel`, `locale`, `length`,
            `placeholder`) and its value.
        intents: how often a published intent became a replayed one.
        sentiments: likewise.
        entities: how often entities of a type were kept, added, lost, relabelled or moved.
        relabelled: how often an entity's type became another.
        shifts: how the intent's score moved where the label stayed, by bin of `SHIFT_EDGES`.
        scores: published against replayed score of the intent, by cell of the grid.
        largest_shift: of an intent's score whose label stayed.
        shifted: the sum of such shifts, absolute.
    """

    by: dict[str, dict[str, Agreed]] = field(default_factory=dict)
    intents: Counter[tuple[str, str]] = field(default_factory=Counter)
    sentiments: Counter[tuple[str, str]] = field(default_factory=Counter)
    entities: Counter[tuple[str, str]] = field(default_factory=Counter)
    relabelled: Counter[tuple[str, str]] = field(default_factory=Counter)
    shifts: Counter[int] = field(default_factory=Counter)
    scores: Counter[tuple[int, int]] = field(default_factory=Counter)
    largest_shift: float = 0.0
    shifted: float = 0.0

    @property
    def total(self) -> Agreed:
        """Over all queries."""
        whole = Agreed()
        for one in self.by.get("intent", {}).values():
            whole.queries += one.queries
            whole.intent += one.intent
            whole.sentiment += one.sentiment
            whole.entities += one.entities
        return whole

    def add(self, before: QueryUnderstood, after: QueryUnderstood) -> None:
        """Counts one query."""
        old, new = before.intent, after.intent
        self.intents[old.label, new.label] += 1
        self.sentiments[before.sentiment.label, after.sentiment.label] += 1
        same_entities = self._add_entities(before, after)
        for name, value in slices(before):
            values = self.by.setdefault(name, {})
            known = value in values or len(values) < SLICE_VALUES
            values.setdefault(value if known else OTHERS, Agreed()).add(
                intent=old.label == new.label,
                sentiment=before.sentiment.label == after.sentiment.label,
                entities=same_entities,
            )
        self.scores[_cell(old.score), _cell(new.score)] += 1
        if old.label == new.label:
            shift = new.score - old.score
            self.shifts[_bin(shift)] += 1
            self.largest_shift = max(self.largest_shift, abs(shift))
            self.shifted += abs(shift)

    def _add_entities(self, before: QueryUnderstood, after: QueryUnderstood) -> bool:
        if before.entities == after.entities:
            self.entities.update(("kept", one.type) for one in before.entities)
            return True
        same = True
        left = {(one.start, one.end): one for one in after.entities}
        lost: list[Entity] = []
        for old in before.entities:
            new = left.pop((old.start, old.end), None)
            if new is None:
                lost.append(old)
            elif new.type == old.type:
                self.entities["kept", old.type] += 1
            else:
                same = False
                self.entities["relabelled", old.type] += 1
                self.relabelled[old.type, new.type] += 1
        for old in lost:
            moved = next((place for place, new in left.items() if _moved(old, new)), None)
            self.entities["lost" if moved is None else "moved", old.type] += 1
            if moved is not None:
                del left[moved]
        self.entities.update(("added", new.type) for new in left.values())
        return same and not lost and not left

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON and for `from_dict`."""
        return {
            "by": {
                name: {
                    value: [one.queries, one.intent, one.sentiment, one.entities]
                    for value, one in values.items()
                }
                for name, values in self.by.items()
            },
            **{name: _pairs(getattr(self, name)) for name in _PAIRED},
            "shifts": dict(sorted(self.shifts.items())),
            "scores": [[*cell, count] for cell, count in sorted(self.scores.items())],
            "largest_shift": round(self.largest_shift, 4),
            "shifted": round(self.shifted, 4),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> "Agreement":
        """What `as_dict` gave."""
        by = {
            name: {value: Agreed(*counts) for value, counts in values.items()}
            for name, values in stored["by"].items()
        }
        paired = {
            name: Counter({(one, other): count for one, other, count in stored[name]})
            for name in _PAIRED
        }
        return cls(
            by=by,
            **paired,
            shifts=Counter({int(place): count for place, count in stored["shifts"].items()}),
            scores=Counter({(one, other): count for one, other, count in stored["scores"]}),
            largest_shift=stored["largest_shift"],
            shifted=stored["shifted"],
        )


_PAIRED: Final = ("intents", "sentiments", "entities", "relabelled")


def _pairs(counts: Counter[tuple[str, str]]) -> list[list[str | int]]:
    return [[*pair, count] for pair, count in sorted(counts.items())]


def _moved(old: Entity, new: Entity) -> bool:
    return old.type == new.type and old.start < new.end and new.start < old.end


def _cell(score: float) -> int:
    return min(int(score * GRID), GRID - 1)


def _bin(shift: float) -> int:
    """Which bin of `SHIFT_EDGES` a shift lies in; outermost ones hold what is beyond."""
    return sum(shift >= edge for edge in SHIFT_EDGES[1:-1])


def slices(event: QueryUnderstood) -> Iterator[tuple[str, str]]:
    """The slices that a query belongs to, by what was published."""
    yield "intent", event.intent.label
    yield "language", event.language
    yield "channel", event.channel.value if event.channel else "(none)"
    yield "locale", event.locale or "(none)"
    words = len(event.text.split())
    yield "length", next((name for most, name in _MANY_WORDS if words <= most), "10+ words")
    yield "placeholder", "with" if "[" in event.text else "without"


def telling(before: QueryUnderstood, after: QueryUnderstood) -> float:
    """How much a difference tells: a change that both versions are sure of tells most.

    Redacted text that changed comes first, for it may be a leak. Then intents that flip, the surer
    the higher; then sentiment and entities; then scores by how far they moved.
    """
    if before.text != after.text:
        return 100.0
    weight = abs(before.intent.score - after.intent.score)
    if before.intent.label != after.intent.label:
        weight = 10.0 + before.intent.score + after.intent.score
    if before.sentiment.label != after.sentiment.label:
        weight += 2.0 + before.sentiment.score + after.sentiment.score
    if before.language != after.language:
        weight += 5.0
    old = {(one.start, one.end): one for one in before.entities}
    new = {(one.start, one.end): one for one in after.entities}
    for place in old.keys() ^ new.keys():
        weight += (old.get(place) or new[place]).score
    for place in old.keys() & new.keys():
        if old[place].type != new[place].type:
            weight += old[place].score + new[place].score
    return weight
