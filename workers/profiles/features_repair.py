"""Publishes on `users.features` what is missing there, beside a live worker that publishes too.

The topic knows no compare-and-set: its last event of a user wins, and a profile of ours may land
behind a later one of the worker's. So what was published meanwhile is read afterwards, and a later
profile that was overtaken is published once more, until nothing was overtaken.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple, Self

from aiokafka import AIOKafkaProducer

from streams.profile_schema import position_of
from streams.profile_updates import Folding
from streams.records import OutputRecord, SourceRecord
from workers.kafka import producer, running
from workers.profiles.offline_fold import Folded
from workers.profiles.profile_settings import folding_of
from workers.profiles.topic_reading import Extent, extent, read_batches
from workers.settings import Settings

_Order = tuple[str, int]


class _Event(NamedTuple):
    """The last event of a user: the position that it reflects, None for a tombstone."""

    order: _Order | None
    digest: bytes


class _Waiting(NamedTuple):
    """An event to publish, and a position that it must not be put behind."""

    order: _Order
    event: OutputRecord


@dataclass(slots=True)
class FeaturesRepair:
    """Knows each user's last event, by its position and a digest of its value."""

    settings: Settings
    publisher: AIOKafkaProducer
    folding: Folding
    seen: Extent
    _last: dict[bytes, _Event] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, features: Extent) -> AsyncIterator[Self]:
        """Reads what the topic holds. Raises `UnreachableError` without Kafka."""
        async with running(producer(settings.kafka), settings.kafka) as publisher:
            repair = cls(settings, publisher, folding_of(settings), features)
            async for records in read_batches(settings, features):
                for record in records:
                    repair._last[record.key or b""] = _event_of(record)
            yield repair

    async def publish(self, folded: Mapping[bytes, Folded]) -> int:
        """Publishes the profiles and tombstones that the topic lacks. Returns how many."""
        waiting = {
            name: _Waiting(one.decoded().position.order, self._event(one, one.record))
            for name, one in folded.items()
            if one.record is not None and self._lacks(name, one)
        }
        count = len(waiting)
        while waiting:
            waiting = await self._overtaken(waiting, await self._send(waiting))
        return count

    def _lacks(self, name: bytes, one: Folded) -> bool:
        """Whether the last event of a user must be followed by another one."""
        known = self._last.get(name)
        profile = one.decoded()
        if known is None:
            return not profile.is_erased
        if known.order is None:
            return False  # of an erasure that this fold may not have seen
        order = profile.position.order
        if profile.is_erased:
            return known.order <= order
        changed = known.order == order and known.digest != _digest(one.profile)
        return known.order < order or changed

    def _event(self, one: Folded, record: SourceRecord) -> OutputRecord:
        return self.folding.event(one.decoded(), record, one.profile)

    async def _send(self, waiting: Mapping[bytes, _Waiting]) -> dict[bytes, int]:
        """Sends events. Returns at which offset each has come to lie."""
        sent: dict[bytes, asyncio.Future[Any]] = {}
        for name, one in waiting.items():
            event = one.event
            sent[name] = await self.publisher.send(
                event.topic, event.value, key=event.key, headers=list(event.headers)
            )
        return {name: int((await future).offset) for name, future in sent.items()}

    async def _overtaken(
        self, ours: Mapping[bytes, _Waiting], offsets: Mapping[bytes, int]
    ) -> dict[bytes, _Waiting]:
        """What others published before ours and ought to be the last: it must go out again."""
        span = await extent(self.settings, self.seen.topic)
        found: dict[bytes, _Waiting] = {}
        async for records in read_batches(self.settings, span, since=self.seen.ends):
            for record in records:
                name = record.key or b""
                if name not in ours or record.offset == offsets[name]:
                    continue
                if record.offset > offsets[name]:
                    found.pop(name, None)  # the worker has gone on meanwhile
                    continue
                order = _event_of(record).order or ours[name].order
                if order >= ours[name].order:
                    event = OutputRecord(record.topic, record.key, record.value, record.headers)
                    found[name] = _Waiting(order, event)
        self.seen = span
        return found


def _event_of(record: SourceRecord) -> _Event:
    if record.value is None:
        return _Event(None, b"")
    return _Event(position_of(record.value).order, _digest(record.value))


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=16).digest()
