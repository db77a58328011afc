"""Erases a user: publishes the erasure, and waits until the personalizer has carried it out."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from redis.asyncio import Redis

from streams.pseudonyms import is_pseudonym
from workers.kafka import producer, running
from workers.profiles.own_signals import publish_erasure
from workers.profiles.redis_store import client, profile_key
from workers.settings import Settings

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done.

    Attributes:
        pseudonyms: under which names the user was erased, one for each key in force.
        complete: whether a marker at or after the erasure's position was seen in Redis for all.
        kept_until_retention: topics that only forget by their retention.
    """

    pseudonyms: tuple[str, ...]
    complete: bool
    kept_until_retention: tuple[str, ...]


async def forget(settings: Settings, user: str, *, wait_s: float) -> Erasure:
    """Publishes the erasure of a user (raw id or pseudonym) and waits for its effect.

    Raises:
        SettingsError: a raw id, and no pseudonym key in the settings.
        UnreachableError: Kafka cannot be reached.
    """
    names = (
        (user,)
        if is_pseudonym(user)
        else settings.pseudonyms.pseudonymiser().user_under_all_keys(user)
    )
    topics = settings.topic_names
    async with running(producer(settings.kafka), settings.kafka) as publisher:
        now = datetime.now(UTC)  # the same for all names: it tells that they are one erasure
        offsets = {name: await publish_erasure(publisher, settings, name, now) for name in names}
    complete = await _carried_out(settings, offsets, wait_s)
    kept = (topics.raw, topics.actions, topics.intents, topics.entities, topics.signals)
    return Erasure(names, complete, (*kept, topics.dead))


async def _carried_out(settings: Settings, offsets: dict[str, int], wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    redis = client(settings.redis)
    try:
        waiting = dict(offsets)
        while waiting and time.monotonic() < deadline:
            for name, offset in list(waiting.items()):
                if await _is_erased(redis, profile_key(settings.namespace, name), offset):
                    del waiting[name]
            if waiting:
                await asyncio.sleep(_LOOK_EVERY_S)
        return not waiting
    finally:
        await redis.aclose()


async def _is_erased(redis: Redis, key: str, offset: int) -> bool:
    """Whether the hash reflects the erasure: its position is there, and a new profile or none."""
    reached: bytes | str | None = await redis.hget(key, "offset")
    return reached is not None and int(reached) >= offset
