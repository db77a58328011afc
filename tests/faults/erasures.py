"""Users who ask to be forgotten while things go wrong, and the oracle that tells who came back.

After an erasure the signals that came before it are sent once more, as an enricher that was cut
off, a replay or a redrive would: same bytes, same source. The oracle does not use the fold: whatever
is served of an erased user must have been said, and logged, after the erasure.
"""

import asyncio
import json
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from streams.records import SourceRecord
from tests.faults.load import USERS
from workers import kafka
from workers.errors import UnreachableError
from workers.profiles.own_signals import publish_erasure
from workers.profiles.redis_store import client, profile_key
from workers.settings import Settings

EVERY_S: Final = 1.5
_GHOSTS: Final = 3
_HAUNT_S: Final = 0.5


@dataclass(slots=True)
class Erasures:
    """Erases a user now and then until told to stop, and sends what they had said again.

    Attributes:
        settings: where the log is.
        seed: of who, and when.
        issued: the reason given for each erasure, which names it, and the user's pseudonym.
        acknowledged: the reasons of those that Kafka has.
        repeated: how many signals were sent again behind an erasure.
    """

    settings: Settings
    seed: int
    issued: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    repeated: int = 0
    _said: dict[bytes, deque[SourceRecord]] = field(
        default_factory=lambda: defaultdict(lambda: deque(maxlen=_GHOSTS))
    )

    async def run(self, stop: asyncio.Event) -> None:
        """Waits for Kafka where it is away."""
        listening = asyncio.create_task(self._listen())
        rng = random.Random(self.seed)
        pseudonyms = self.settings.pseudonyms.pseudonymiser()
        try:
            async with kafka.running(
                kafka.producer(self.settings.kafka), self.settings.kafka
            ) as publisher:
                while not stop.is_set():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), rng.uniform(0.5, 1.5) * EVERY_S)
                        return
                    user = pseudonyms.user(f"shopper {rng.randrange(USERS)}")
                    await self._erase(publisher, user)
                    await asyncio.sleep(rng.uniform(0, _HAUNT_S))
                    await self._haunt(publisher, user)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _erase(self, publisher: AIOKafkaProducer, user: str) -> None:
        while True:
            reason = f"erasure {len(self.issued)} of seed {self.seed}"
            self.issued[reason] = user
            with suppress(KafkaError):
                await publish_erasure(publisher, self.settings, user, datetime.now(UTC), reason)
                self.acknowledged.add(reason)
                return
            await asyncio.sleep(0.5)

    async def _haunt(self, publisher: AIOKafkaProducer, user: str) -> None:
        """What was said comes again, behind the erasure."""
        for one in tuple(self._said[user.encode()]):
            with suppress(KafkaError):
                await publisher.send_and_wait(
                    one.topic, one.value, key=one.key, headers=list(one.headers)
                )
                self.repeated += 1

    async def _listen(self) -> None:
        """Remembers the last signals of every user."""
        topic = self.settings.topic_names.signals
        places = [TopicPartition(topic, n) for n in range(self.settings.topics.partitions)]
        while True:
            with suppress(KafkaError, UnreachableError, TimeoutError):
                reader = kafka.consumer(self.settings.kafka, auto_offset_reset="earliest")
                async with kafka.running(reader, self.settings.kafka):
                    reader.assign(places)
                    while True:
                        for found in (await reader.getmany(timeout_ms=200)).values():
                            for record in map(kafka.source_record, found):
                                if _reason(record) is None:
                                    self._said[record.key or b""].append(record)
            await asyncio.sleep(0.5)

    def without(self, published: Iterable[SourceRecord]) -> list[SourceRecord]:
        """What was published but for our erasures, which come from no record that was read."""
        return [one for one in published if _reason(one) not in self.issued]

    def missing(self, published: Iterable[SourceRecord]) -> list[str]:
        """Erasures that were acknowledged, and are not in the log."""
        found = {(_reason(one), (one.key or b"").decode()) for one in published}
        return [
            f"{reason} is not there"
            for reason in sorted(self.acknowledged)
            if (reason, self.issued[reason]) not in found
        ]


def _reason(record: SourceRecord) -> str | None:
    """The reason of an erasure; None for any other record."""
    if b'"erasure"' not in (record.value or b""):
        return None
    erasure: dict[str, str] | None = json.loads(record.value or b"").get("erasure")
    return None if erasure is None else erasure.get("reason", "")


@dataclass(slots=True)
class _Afterlife:
    """What an erased user has said since: the only things that may be served."""

    erased_at: datetime
    texts: set[str] = field(default_factory=set)
    sources: set[tuple[str, int, int]] = field(default_factory=set)

    def hear(self, signal: Mapping[str, Any]) -> None:
        """One more signal behind the erasure."""
        source = signal["source"]
        if datetime.fromtimestamp(source["timestamp"] / 1000, UTC) <= self.erased_at:
            return  # said before it
        self.sources.add((source["topic"], source["partition"], source["offset"]))
        if "query" in signal:
            self.texts.add(signal["query"]["text"])


def came_back(
    signals: Iterable[SourceRecord],
    features: Mapping[str, bytes | None],
    hashes: Mapping[str, Mapping[str, bytes]],
) -> list[str]:
    """Erased users of whom something from before their erasure is served: a line each.

    Args:
        signals: all of `users.signals`, of each partition in order.
        features: the last event of each user on `users.features`.
        hashes: each user's hash in Redis.
    """
    return [
        f"{user}: {line}"
        for user, after in _afterlives(signals).items()
        for line in (
            *_in_features(features.get(user), after),
            *_in_redis(hashes.get(user, {}), after),
        )
    ]


def _afterlives(signals: Iterable[SourceRecord]) -> dict[str, _Afterlife]:
    found: dict[str, _Afterlife] = {}
    for record in signals:
        user = (record.key or b"").decode()
        signal = json.loads(record.value or b"null")
        if "erasure" in signal:
            said = datetime.fromisoformat(signal["occurred_at"])
            logged = datetime.fromtimestamp(record.timestamp_ms / 1000, UTC)
            before = found[user].erased_at if user in found else said
            found[user] = _Afterlife(max(said, logged, before))
        elif user in found:
            found[user].hear(signal)
    return found


def _in_features(value: bytes | None, after: _Afterlife) -> Iterator[str]:
    if value is None:
        if after.sources:
            yield "users.features has forgotten what was said since"
        return
    profile = json.loads(value)
    texts = {query["text"] for query in profile.get("recent_queries", ())}
    if not texts <= after.texts or sum(profile["counts"].values()) > len(after.sources):
        yield "users.features tells what was said before"
    if datetime.fromisoformat(profile["first_seen"]) < after.erased_at:
        yield "users.features knows the user for longer"


def _in_redis(fields: Mapping[str, bytes], after: _Afterlife) -> Iterator[str]:
    if not fields:
        yield "Redis holds neither marker nor profile"
        return
    told = fields.keys() - {"layout", "epoch", "epoch_order", "partition", "offset", "erased_at"}
    if not after.sources:
        if told:
            yield f"Redis tells {', '.join(sorted(told))}"
        return
    texts = {query["text"] for query in json.loads(fields.get("recent_queries", b"[]"))}
    counts = sum(
        int(fields.get(name, 0)) for name in ("queries", "views", "clicks", "carts", "purchases")
    )
    if not texts <= after.texts or counts > len(after.sources):
        yield "Redis tells what was said before"


async def hashes(settings: Settings) -> dict[str, dict[str, bytes]]:
    """All of our hashes in Redis, by pseudonym."""
    redis, start = client(settings.redis), profile_key(settings.namespace, "").removesuffix("}")
    found: dict[str, dict[str, bytes]] = {}
    try:
        async for key in redis.scan_iter(f"{start}*", count=1000):
            fields: Any = await redis.hgetall(key)
            found[key.decode()[len(start) : -1]] = {
                name.decode(): value for name, value in fields.items()
            }
    finally:
        await redis.aclose()
    return found
