"""Whether two topics say the same of the same queries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from streams.redaction import redact
from workers.kafka import consumer, running
from workers.sections import KafkaSettings

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many queries without redaction both speak of, and of how many they say the same."""

    queries: int
    agreeing: int
    example: str = ""
    """The id of a query that they do not agree on."""

    @property
    def share(self) -> float:
        """Of the queries; 0 when there are none."""
        return self.agreeing / self.queries if self.queries else 0.0

    def __str__(self) -> str:
        others = f", not on {self.example}" if self.example else ""
        return f"it agrees on {self.agreeing} of {self.queries} queries{others}"


async def answers_in(
    kafka: KafkaSettings, places: Sequence[TopicPartition], count: int
) -> dict[str, Event]:
    """The first events of some partitions, about so many, by their query's id."""
    found: dict[str, Event] = {}
    async with running(consumer(kafka), kafka) as reader:
        reader.assign(places)
        await reader.seek_to_beginning(*places)
        ends = await reader.end_offsets(places)
        left = min(sum(ends.values()), count)
        while left > 0:
            for records in (await reader.getmany(timeout_ms=1_000, max_records=left)).values():
                left -= len(records)
                events = [json.loads(record.value) for record in records]
                found |= {event["query_id"]: event for event in events}
    return found


def agreement(
    ours: Mapping[str, Event], theirs: Mapping[str, Event], *, scores: bool = True
) -> Agreement:
    """Compares language, intent and its alternatives, sentiment, entities and relations.

    Queries in which the enricher redacts something are left out: of their placeholders it makes
    entities itself, and of others it asks about another text.

    Args:
        ours: events by query.
        theirs: likewise.
        scores: whether all scores must be the same to the last digit; else labels alone, and no
            runners-up, which change places at the slightest difference.
    """
    common = [name for name in ours if name in theirs and _plain(ours[name], theirs[name])]
    other = [name for name in common if _said(ours[name], scores) != _said(theirs[name], scores)]
    return Agreement(len(common), len(common) - len(other), next(iter(other), ""))


def _plain(ours: Event, theirs: Event) -> bool:
    return bool(ours["text"] == theirs["text"]) and not redact(ours["text"]).spans


def _said(event: Event, scores: bool) -> tuple[Any, ...]:
    labels = [event["intent"], event["sentiment"], *(event["alternatives"] if scores else ())]
    return (
        event["language"],
        *((one["label"], one["score"] if scores else None) for one in labels),
        *(
            (one["type"], one["start"], one["end"], one["score"] if scores else None)
            for one in event["entities"]
        ),
        *(
            (one["subject"], one["predicate"], one["object"], one["score"] if scores else None)
            for one in event["relations"]
        ),
    )
