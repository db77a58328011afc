"""Fills Redis again from Kafka, and checks that what is served equals the offline fold.

    users.signals ─▶ the same fold, without Faust ─▶ compare with users.features and Redis
                                                  └▶ or write to Redis
    users.features ─▶ the last event of each user ─▶ write to Redis

Writing is compare-and-set by position, so all of it may be repeated, stopped half-way and started
again, and done beside live workers.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

import msgspec
from aiokafka.structs import TopicPartition
from redis.asyncio import Redis

from streams.deadletters import RecordError
from streams.events import encode
from streams.profile_hash import hash_fields
from streams.profile_schema import Profile, epoch_order
from streams.records import SourceRecord
from workers.errors import ContractError
from workers.kafka import admin, consumer, running, source_record
from workers.profiles.profile_settings import folding_of, profile_rules, profile_ttl
from workers.profiles.redis_store import ProfileStore, client, open_store, profile_key
from workers.settings import Settings
from workers.topic_range import PartitionRange, read
from workers.topics_admin import topic_states

Advance = Callable[[int, int], None]
"""Told how many records were read, of how many."""

_READ_AT_ONCE: Final = 1_000
_WRITE_AT_ONCE: Final = 500
_profiles = msgspec.json.Decoder(Profile)


def unheard(_read: int, _total: int) -> None:
    """An `Advance` that nobody listens to."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did. `superseded`: Redis reflected a later position already."""

    read: int = 0
    written: int = 0
    superseded: int = 0
    expired: int = 0


@dataclass(slots=True)
class Parity:
    """How what is served compares with the offline fold; names are pseudonyms.

    Attributes:
        users: how many the log knows.
        equal: in `users.features` and in Redis as the fold says, bit for bit.
        moved_on: served profiles that reflect later signals than were compared.
        different: those that are not, and where.
        left_out: users whose log begins before the topic's retention: they cannot be compared.
    """

    users: int = 0
    equal: int = 0
    moved_on: int = 0
    left_out: int = 0
    different: dict[str, str] = field(default_factory=dict)


async def rebuild_from_features(settings: Settings, advance: Advance = unheard) -> Rebuilt:
    """Writes the last event of each user on `users.features` to Redis.

    Erased users have none; their markers come back by a rebuild from `users.signals` only.
    """
    topic = settings.topic_names.features
    ttl_ms = profile_ttl(settings).total_seconds() * 1000
    oldest_ms = time.time() * 1000 - ttl_ms
    done = Rebuilt()
    last: dict[bytes, tuple[int, int]] = {}
    async for record in read_topic(settings, topic, unheard):
        if record.key is not None:
            last[record.key] = (record.partition, record.offset)
    async with _store(settings) as store:
        batch: list[Profile] = []
        async for record in read_topic(settings, topic, advance):
            done.read += 1
            newest = last.get(record.key or b"") == (record.partition, record.offset)
            if record.value is None or not newest:
                continue
            if record.timestamp_ms < oldest_ms:
                done.expired += 1
                continue
            batch.append(_profiles.decode(record.value))
            if len(batch) >= _WRITE_AT_ONCE:
                await _write(store, batch, done)
                batch = []
        await _write(store, batch, done)
    return done


async def rebuild_from_signals(settings: Settings, advance: Advance = unheard) -> Rebuilt:
    """Folds all of `users.signals` and writes the profiles, and the markers of the erased, to Redis.

    Raises `ContractError` when the log does not begin at its beginning any more: a fold of its
    rest would put less into Redis than there is.
    """
    if await begins_late(settings):
        raise ContractError(
            f"{settings.topic_names.signals} has lost its oldest signals to its retention",
            "rebuild from users.features: it holds every profile whole",
        )
    done = Rebuilt()
    stored = await _folded(settings, advance, done)
    async with _store(settings) as store:
        profiles = (_profiles.decode(value) for value in stored.values())
        while batch := list(islice(profiles, _WRITE_AT_ONCE)):
            await _write(store, batch, done)
    return done


async def check(settings: Settings, advance: Advance = unheard) -> Parity:
    """Compares every user's served profile with the offline fold, bit for bit.

    Safe beside live workers: a profile that has moved on meanwhile is counted apart.
    """
    late = await begins_late(settings)
    stored = await _folded(settings, advance, Rebuilt())
    published: dict[bytes, bytes | None] = {}
    async for record in read_topic(settings, settings.topic_names.features, unheard):
        published[record.key or b""] = record.value
    parity = Parity(users=len(stored))
    redis = client(settings.redis)
    try:
        names = iter(stored)
        while batch := list(islice(names, _WRITE_AT_ONCE)):
            hashes = await _hashes(redis, settings, batch)
            for name, fields in zip(batch, hashes, strict=True):
                expected = _profiles.decode(stored[name])
                verdict = _compared(settings, expected, published.get(name), fields)
                _count(parity, name.decode(), verdict, late=late)
    finally:
        await redis.aclose()
    return parity


def _count(parity: Parity, name: str, verdict: str, *, late: bool) -> None:
    if verdict == _EQUAL:
        parity.equal += 1
    elif verdict == _MOVED_ON:
        parity.moved_on += 1
    elif late:
        parity.left_out += 1
    else:
        parity.different[name] = verdict


_EQUAL: Final = ""
_MOVED_ON: Final = "moved on"


def _compared(
    settings: Settings, expected: Profile, published: bytes | None, fields: dict[str, bytes]
) -> str:
    order = (epoch_order(expected.position.epoch), expected.position.offset)
    if published is not None:
        position = _profiles.decode(published).position
        if (epoch_order(position.epoch), position.offset) > order:
            return _MOVED_ON
    served = (fields.get("epoch_order", b"").decode(), int(fields.get("offset", b"-1")))
    if served > order:
        return _MOVED_ON
    wrong = []
    if published != (None if expected.is_erased else encode(expected)):
        wrong.append(settings.topic_names.features)
    serve_weight = profile_rules(settings).vector_serve_weight
    if fields != hash_fields(expected, serve_weight=serve_weight):
        wrong.append("Redis" if fields else "Redis (no hash: expired, or never written)")
    return ", ".join(wrong)


async def _hashes(
    redis: Redis, settings: Settings, names: Iterable[bytes]
) -> list[dict[str, bytes]]:
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.hgetall(profile_key(settings.namespace, name.decode()))
        answers: list[dict[bytes, bytes]] = await pipe.execute()
    return [{key.decode(): value for key, value in answer.items()} for answer in answers]


async def _folded(settings: Settings, advance: Advance, done: Rebuilt) -> dict[bytes, bytes]:
    """Every user's profile as the table would have it: the worker's own steps, without Faust."""
    folding = folding_of(settings)
    stored: dict[bytes, bytes] = {}
    async for record in read_topic(settings, settings.topic_names.signals, advance):
        done.read += 1
        key = record.key or b""
        try:
            stored[key] = encode(folding.next_profile(stored.get(key), record))
        except RecordError:
            continue  # a dead letter of the worker's
    return stored


def _store(settings: Settings) -> AbstractAsyncContextManager[ProfileStore]:
    return open_store(
        settings.redis,
        namespace=settings.namespace,
        ttl=profile_ttl(settings),
        serve_weight=profile_rules(settings).vector_serve_weight,
    )


async def _write(store: ProfileStore, batch: list[Profile], done: Rebuilt) -> None:
    result = await store.write(batch)
    done.written += result.written
    done.superseded += result.superseded


async def begins_late(settings: Settings) -> bool:
    """Whether retention has taken the beginning of any user's log."""
    topic = settings.topic_names.signals
    places = await _places(settings, topic)
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        return any((await reader.beginning_offsets(places)).values())


async def read_topic(
    settings: Settings, topic: str, advance: Advance = unheard
) -> AsyncIterator[SourceRecord]:
    """All of a topic up to its end as it is now, each partition in order; joins no group."""
    places = await _places(settings, topic)
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        starts = await reader.beginning_offsets(places)
        ends = await reader.end_offsets(places)
        ranges = [PartitionRange(place.partition, starts[place], ends[place]) for place in places]
        total = sum(part.end - part.start for part in ranges)
        async for records, left in read(reader, topic, ranges, batch=_READ_AT_ONCE):
            for record in records:
                yield source_record(record)
            advance(total - left, total)


async def _places(settings: Settings, topic: str) -> list[TopicPartition]:
    async with running(admin(settings.kafka), settings.kafka) as client_:
        state = (await topic_states(client_, [topic])).get(topic)
    if state is None:
        raise ContractError(f"topic {topic} is missing", "make it: intentstream topics apply")
    return [TopicPartition(topic, number) for number in range(state.partitions)]
