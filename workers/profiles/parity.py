"""Checks that every profile served equals the offline fold, bit for bit.

The fold is of `users.signals`; where retention has cut that, it starts from `users.features`.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice
from typing import Final

from aiokafka.structs import TopicPartition
from redis.asyncio import Redis

from streams.events import encode
from streams.profile_hash import hash_fields
from streams.profile_schema import Profile, position_of
from workers.kafka import consumer, running
from workers.profiles.faust_app import ROLE
from workers.profiles.offline_fold import Folded, OfflineFold, read_snapshots
from workers.profiles.profile_settings import profile_rules, profile_ttl
from workers.profiles.redis_store import client, profile_key
from workers.profiles.topic_reading import Advance, Extent, extent, read_batches, unheard
from workers.settings import Settings

_AT_ONCE: Final = 500
_NO_HASH: Final = "Redis (no hash: never written, or removed)"


class Standing(Enum):
    """How one user's profile compares."""

    EQUAL = "equal"
    MOVED_ON = "moved on"
    BEHIND = "behind"
    EXPIRED = "expired"
    LEFT_OUT = "left out"
    DIFFERENT = "different"


@dataclass(slots=True)
class Parity:
    """How what is served compares with the offline fold; names are pseudonyms.

    Attributes:
        users: how many were compared or counted below.
        equal: in `users.features` and in Redis as the fold says, bit for bit.
        from_snapshot: of all, those whose fold started from a snapshot of `users.features`.
        moved_on: served profiles that reflect later signals than were compared.
        behind: the personalizer has not taken the user's last signals yet.
        expired: no news for as long as a hash lives, and no hash: as it should be.
        different: those that are not equal, and where.
        left_out: users whose log begins before the topic's retention, without a snapshot that
            reflects all that is gone: they cannot be compared.
    """

    users: int = 0
    equal: int = 0
    from_snapshot: int = 0
    moved_on: int = 0
    behind: int = 0
    expired: int = 0
    left_out: int = 0
    different: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, standing: Standing, where: str) -> None:
        """One more user."""
        self.users += 1
        match standing:
            case Standing.EQUAL:
                self.equal += 1
            case Standing.MOVED_ON:
                self.moved_on += 1
            case Standing.BEHIND:
                self.behind += 1
            case Standing.EXPIRED:
                self.expired += 1
            case Standing.LEFT_OUT:
                self.left_out += 1
            case Standing.DIFFERENT:
                self.different[name] = where


@dataclass(frozen=True, slots=True)
class _Published:
    value: bytes | None
    at_ms: int


async def check(settings: Settings, advance: Advance = unheard) -> Parity:
    """Compares every user's served profile with the offline fold, bit for bit.

    Safe beside live workers: profiles that have moved on meanwhile, or wait for the worker, are
    counted apart. Memory grows with the users.
    """
    log = await extent(settings, settings.topic_names.signals)
    features = await extent(settings, settings.topic_names.features)
    snapshots = await read_snapshots(settings, features, log.begins)
    folded = await OfflineFold(settings, log, snapshots).fold(log.partitions, advance)
    # in this order: what is committed now must be in what is read after it
    committed = await _committed(settings, log)
    published = await _published(settings)
    compare = _Comparison(settings, log, committed, published)
    parity = Parity(from_snapshot=sum(one.from_snapshot for one in folded.values()))
    redis = client(settings.redis)
    try:
        names = iter(folded)
        while batch := list(islice(names, _AT_ONCE)):
            hashes = await _hashes(redis, settings, batch)
            for name, fields in zip(batch, hashes, strict=True):
                parity.count(name.decode(), *compare.standing(name, folded[name], fields))
    finally:
        await redis.aclose()
    for name in compare.strangers(folded):
        where = f"{features.topic} (the log knows nothing of this user)"
        parity.count(name.decode(), Standing.DIFFERENT, where)
    return parity


@dataclass(frozen=True, slots=True)
class _Comparison:
    settings: Settings
    log: Extent
    committed: Mapping[int, int]
    published: Mapping[bytes, _Published]

    def standing(
        self, name: bytes, folded: Folded, fields: Mapping[str, bytes]
    ) -> tuple[Standing, str]:
        """How a user's profile in `users.features` and in Redis (`fields`) compares."""
        expected = folded.decoded()
        published = self.published.get(name, _Published(None, -1))
        if _has_moved_on(expected, published.value, fields):
            return Standing.MOVED_ON, ""
        wrong = []
        if published.value != (None if expected.is_erased else encode(expected)):
            wrong.append(self.settings.topic_names.features)
        if fields != hash_fields(expected, serve_weight=self._serve_weight):
            wrong.append("Redis" if fields else _NO_HASH)
        if not wrong:
            return Standing.EQUAL, ""
        at = expected.position
        if at.epoch == self.settings.epoch and at.offset >= self.committed.get(at.partition, 0):
            return Standing.BEHIND, ""
        if wrong == [_NO_HASH] and published.value is not None and self._is_old(published.at_ms):
            return Standing.EXPIRED, ""
        return Standing.DIFFERENT if folded.certain else Standing.LEFT_OUT, ", ".join(wrong)

    def strangers(self, folded: Mapping[bytes, Folded]) -> Iterable[bytes]:
        """Users that are published though a log that is whole does not know them."""
        for name, one in self.published.items():
            if one.value is None or name in folded:
                continue
            at = position_of(one.value)
            whole = not self.log.begins.get(at.partition, 1)
            known = at.epoch == self.settings.epoch and at.offset < self.log.ends.get(
                at.partition, 0
            )
            if whole and known:
                yield name

    @property
    def _serve_weight(self) -> float:
        return profile_rules(self.settings).vector_serve_weight

    def _is_old(self, at_ms: int) -> bool:
        return at_ms < (time.time() - profile_ttl(self.settings).total_seconds()) * 1000


def _has_moved_on(expected: Profile, published: bytes | None, fields: Mapping[str, bytes]) -> bool:
    order = expected.position.order
    if published is not None and position_of(published).order > order:
        return True
    return (fields.get("epoch_order", b"").decode(), int(fields.get("offset", b"-1"))) > order


async def _committed(settings: Settings, log: Extent) -> dict[int, int]:
    group = settings.group_id(ROLE)
    reader = consumer(settings.kafka, group_id=group, group_instance_id=None)
    async with running(reader, settings.kafka):
        return {
            number: int(await reader.committed(TopicPartition(log.topic, number)) or 0)
            for number in log.partitions
        }


async def _published(settings: Settings) -> dict[bytes, _Published]:
    found: dict[bytes, _Published] = {}
    span = await extent(settings, settings.topic_names.features)
    async for records in read_batches(settings, span):
        for record in records:
            found[record.key or b""] = _Published(record.value, record.timestamp_ms)
    return found


async def _hashes(
    redis: Redis, settings: Settings, names: Iterable[bytes]
) -> list[dict[str, bytes]]:
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hgetall(profile_key(settings.namespace, name.decode()))
        answers: list[dict[bytes, bytes]] = await pipe.execute()
    return [{key.decode(): value for key, value in answer.items()} for answer in answers]
