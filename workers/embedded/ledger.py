"""Which fed records have come out: exact accounts by source position, in bounded memory.

A record is *settled* when its dead letter was seen, or its event together with all that belongs
to it (an event per entity, the user's signal). Repeats, which at-least-once delivery allows, and
events of records that someone else sent count for nothing. What is kept is one entry a record in
flight, the users, and the counts.
"""

import math
from collections import Counter
from dataclasses import dataclass, field

Position = tuple[int, int]
"""Partition and offset in the topic of raw queries."""

_RATIO = 1.01  # neighbouring latency buckets differ by 1 %


@dataclass(slots=True)
class _Awaited:
    sent_at: float = 0.0
    answered: bool = False
    dead: str | None = None
    entities: int = 0
    """How many entity events belong to it; known once it is answered."""
    entity_ids: set[str] = field(default_factory=set)
    user: str | None = None
    signal_seen: bool = False

    @property
    def settled(self) -> bool:
        if self.dead is not None:
            return True
        complete = len(self.entity_ids) >= self.entities
        return self.answered and complete and (self.signal_seen or self.user is None)


class Latencies:
    """Durations in logarithmic buckets: quantiles within 1 %, memory that does not grow.

    The scheme of DDSketch (Masson et al., VLDB 2019) without merging.
    """

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()

    def add(self, seconds: float) -> None:
        """Counts one duration."""
        self._buckets[math.ceil(math.log(max(seconds, 1e-6), _RATIO))] += 1

    def quantile(self, share: float) -> float | None:
        """The duration in seconds below which `share` of all lie; None when there are none."""
        rank = share * (self._buckets.total() - 1)
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen > rank:
                return 2 * _RATIO**bucket / (_RATIO + 1)
        return None


class Ledger:
    """Counts what becomes of the records that were sent.

    Args:
        ends: end offsets of the raw topic's partitions before the first record was sent. What
            comes out of earlier positions is not ours.
    """

    def __init__(self, ends: dict[int, int]) -> None:
        self._acknowledged = {partition: end - 1 for partition, end in ends.items()}
        """The highest acknowledged offset in each partition: acknowledgements come in order."""
        self._awaited: dict[Position, _Awaited] = {}
        self._early: dict[int, dict[int, _Awaited]] = {}
        """Records whose outputs were seen before their acknowledgement."""
        self.sent = 0
        self.enriched = 0
        self.dead: Counter[str] = Counter()
        self.entities = 0
        self.users: set[str] = set()
        """The users (pseudonyms) of what was enriched."""
        self.latencies = Latencies()

    @property
    def settled(self) -> int:
        """Records that have come out completely."""
        return self.sent - len(self._awaited)

    @property
    def in_flight(self) -> int:
        """Acknowledged records that have not come out completely."""
        return len(self._awaited)

    def acknowledged(self, position: Position, sent_at: float, now: float) -> None:
        """Kafka has the record at `position`; times in seconds of one monotonic clock."""
        partition, offset = position
        self.sent += 1
        self._acknowledged[partition] = offset
        early = self._early.get(partition, {})
        awaited = early.pop(offset, None) or _Awaited()
        for foreign in [other for other in early if other < offset]:
            del early[foreign]
        awaited.sent_at = sent_at
        self._awaited[position] = awaited
        if awaited.answered or awaited.dead is not None:
            self._count_answer(awaited, now)
        self._settle(position, awaited)

    def answered(self, position: Position, *, entities: int, user: str | None, now: float) -> None:
        """The enriched event of a position was seen.

        `entities` entity events belong to it and, when it has a `user`, one signal.
        """
        awaited = self._find(position)
        if awaited is None or awaited.answered or awaited.dead is not None:
            return
        awaited.answered, awaited.entities, awaited.user = True, entities, user
        if position in self._awaited:
            self._count_answer(awaited, now)
            self._settle(position, awaited)

    def died(self, position: Position, reason: str, *, now: float) -> None:
        """The dead letter of a position was seen."""
        awaited = self._find(position)
        if awaited is None or awaited.answered or awaited.dead is not None:
            return
        awaited.dead = reason
        if position in self._awaited:
            self._count_answer(awaited, now)
            self._settle(position, awaited)

    def mentioned(self, position: Position, event_id: str) -> None:
        """An entity event of a position was seen."""
        awaited = self._find(position)
        if awaited is not None:
            awaited.entity_ids.add(event_id)
            self._settle(position, awaited)

    def signalled(self, position: Position) -> None:
        """The user's signal of a position was seen."""
        awaited = self._find(position)
        if awaited is not None:
            awaited.signal_seen = True
            self._settle(position, awaited)

    def _find(self, position: Position) -> _Awaited | None:
        """The entry of a position in flight, or of one not yet acknowledged; None otherwise."""
        awaited = self._awaited.get(position)
        partition, offset = position
        if awaited is None and offset > self._acknowledged.get(partition, -1):
            awaited = self._early.setdefault(partition, {}).setdefault(offset, _Awaited())
        return awaited

    def _count_answer(self, awaited: _Awaited, now: float) -> None:
        self.latencies.add(now - awaited.sent_at)
        if awaited.dead is not None:
            self.dead[awaited.dead] += 1
        else:
            self.enriched += 1
            if awaited.user is not None:
                self.users.add(awaited.user)

    def _settle(self, position: Position, awaited: _Awaited) -> None:
        if awaited.settled and self._awaited.pop(position, None) is not None:
            self.entities += len(awaited.entity_ids)
