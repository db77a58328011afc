"""Which records of a range are replayed: of a user, with an intent, a sample; and not of the erased."""

import hashlib
import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from streams.enrichment import Enrichment, PreparedQuery
from streams.pseudonyms import Pseudonymiser, is_pseudonym
from streams.records import OutputRecord, SourceRecord
from workers.replays.event_identity import EventKey, Position
from workers.replays.record_comparison import understood

Published = Mapping[Position, Mapping[EventKey, OutputRecord]]


class Choice(Enum):
    """What becomes of a record of the range."""

    IN = "in"
    OUT = "out"  # a filter leaves it out
    ERASED = "erased"  # its user was erased after it


@dataclass(frozen=True, slots=True)
class Filters:
    """What must be true of a record.

    Attributes:
        users: pseudonyms, one of which must be its user's; None asks for nobody.
        intent: that its published event must have; any where empty.
    """

    users: frozenset[str] | None = None
    intent: str = ""


def names_of(user: str, pseudonyms: Pseudonymiser) -> frozenset[str] | None:
    """The pseudonyms of a user who is given by raw id or by pseudonym; None for nobody."""
    if not user:
        return None
    return frozenset({user} if is_pseudonym(user) else pseudonyms.user_under_all_keys(user))


class Selection:
    """Decides on records.

    Args:
        enrichment: the enricher's own reading of records: whose they are, and where they were
            read first if they were redriven.
        pseudonyms: names users under all keys in force.
        filters: what is asked for.
        intents: the topic of enriched events.
    """

    def __init__(
        self, enrichment: Enrichment, pseudonyms: Pseudonymiser, filters: Filters, intents: str
    ) -> None:
        self._enrichment = enrichment
        self._pseudonyms = pseudonyms
        self._filters = filters
        self._intents = intents
        self.erased: Mapping[str, int] = {}
        self.sample: frozenset[Position] | None = None

    def original(self, record: SourceRecord) -> SourceRecord:
        """The record as it was read first: a redriven one stands elsewhere now."""
        return self._enrichment.redrives.original(record)

    def needs_published(self) -> bool:
        """Whether deciding takes what was published."""
        return bool(self._filters.intent)

    def decide(self, record: SourceRecord, published: Published) -> Choice:
        """What becomes of a record; `published` holds what was published for it."""
        if self.sample is not None and Position(record.partition, record.offset) not in self.sample:
            return Choice.OUT
        wanted = self._filters.users
        if self.erased or wanted is not None:
            users = self._users(record)
            if wanted is not None and wanted.isdisjoint(users):
                return Choice.OUT
            first_ms = self.original(record).timestamp_ms
            if any(first_ms <= self.erased.get(user, -2) for user in users):
                return Choice.ERASED
        if self._filters.intent and not self._has_intent(record, published):
            return Choice.OUT
        return Choice.IN

    def _has_intent(self, record: SourceRecord, published: Published) -> bool:
        original = self.original(record)
        position = Position(original.partition, original.offset)
        for key, event in published.get(position, {}).items():
            if key.topic == self._intents:
                found = understood(event)
                return found is not None and found.intent.label == self._filters.intent
        return False

    def _users(self, record: SourceRecord) -> tuple[str, ...]:
        """The pseudonyms of a record's user; none where it cannot be read or names nobody."""
        prepared = self._enrichment.prepare(record)
        if isinstance(prepared, PreparedQuery):
            user_id = prepared.query.user_id
        elif prepared.topic == self._enrichment.topics.signals:
            user_id = self._enrichment.actions.decode(record.value).user_id
        else:
            return ()
        if user_id is None or user_id == "":
            return ()
        return self._pseudonyms.user_under_all_keys(str(user_id))


def rank(topic: str, position: Position) -> bytes:
    """By what a sample is drawn: the same records every time, spread over the range like chance."""
    name = f"{topic}\0{position.partition}\0{position.offset}"
    return hashlib.blake2b(name.encode(), digest_size=8, person=b"replay-sample").digest()


class Sample:
    """The `size` positions of the lowest ranks, of any number that are offered.

    Bottom-k sampling (Cohen and Kaplan, PODC 2007): memory is of the order of the sample.
    """

    def __init__(self, topic: str, size: int) -> None:
        self._topic = topic
        self._size = size
        self._heap: list[tuple[int, Position]] = []

    def offer(self, position: Position) -> None:
        """A record that may be in."""
        entry = (-int.from_bytes(rank(self._topic, position), "big"), position)
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, entry)
        elif entry > self._heap[0]:
            heapq.heapreplace(self._heap, entry)

    def chosen(self) -> frozenset[Position]:
        """The sample."""
        return frozenset(position for _, position in self._heap)
