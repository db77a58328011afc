"""Reads profiles for a recommender: many users in one round trip.

async with ProfileReader.connect(settings) as reader:
    profiles = await reader.read(["u-1", "u-2"])
    for user, features in profiles.found.items(): ...
    profiles.missing  # never seen, expired or erased: treat them as new users
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams.profile_hash import UserFeatures, features_of, is_marker
from streams.pseudonyms import Pseudonymiser, is_pseudonym
from workers.errors import ContractError, UnreachableError
from workers.profiles.redis_store import client, profile_key
from workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Profiles:
    """What was found, by the name the user was asked for with; every user asked for is in one."""

    found: Mapping[str, UserFeatures]
    missing: tuple[str, ...]


class ProfileReader:
    """Reads profiles by pseudonym, or by raw id when it has the key."""

    def __init__(
        self, redis: Redis, *, namespace: str, pseudonyms: Pseudonymiser | None = None
    ) -> None:
        """`pseudonyms` turns raw ids into pseudonyms; without it only pseudonyms are taken."""
        self._redis = redis
        self._namespace = namespace
        self._pseudonyms = pseudonyms

    @classmethod
    @asynccontextmanager
    async def connect(cls, settings: Settings) -> AsyncIterator[Self]:
        """A reader on the Redis in the settings; with their pseudonym key, if they have one."""
        redis = client(settings.redis)
        keyed = settings.pseudonyms.secret is not None
        pseudonyms = settings.pseudonyms.pseudonymiser() if keyed else None
        try:
            yield cls(redis, namespace=settings.namespace, pseudonyms=pseudonyms)
        finally:
            await asyncio.shield(redis.aclose())

    async def read(self, users: Iterable[str]) -> Profiles:
        """The profiles of users, in one round trip.

        While the pseudonym key is being rotated, a user not found under the active key is looked
        for under the previous one, in the same round trip.

        Raises:
            UnreachableError: Redis is away or refuses us.
            ContractError: a raw id without a key, or a hash of a later layout.
        """
        asked = {user: self._names(user) for user in dict.fromkeys(users)}
        names = [name for candidates in asked.values() for name in candidates]
        if not names:
            return Profiles({}, ())
        hashes = dict(zip(names, await self._fetch(names), strict=True))
        found: dict[str, UserFeatures] = {}
        for user, candidates in asked.items():
            # a marker under the active key hides what may be left under the previous one
            name = next((candidate for candidate in candidates if hashes[candidate]), None)
            if name is not None and not is_marker(hashes[name]):
                found[user] = self._features(name, hashes[name])
        return Profiles(found, tuple(user for user in asked if user not in found))

    def _names(self, user: str) -> tuple[str, ...]:
        if is_pseudonym(user):
            return (user,)
        if self._pseudonyms is None:
            raise ContractError(
                "a raw user id was asked for, but this reader has no pseudonym key",
                "set INTENTSTREAM_PSEUDONYMS__SECRET, or ask by pseudonym; a running `intentstream up` "
                "is found from the folder that it was started in",
            )
        return self._pseudonyms.user_under_all_keys(user)

    async def _fetch(self, names: list[str]) -> list[dict[str, bytes]]:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.hgetall(profile_key(self._namespace, name))
                answers = await pipe.execute()
        except RedisError as error:
            raise UnreachableError(
                f"the profiles cannot be read: {(str(error).splitlines() or [''])[0]}",
                "check INTENTSTREAM_REDIS__URL, its user, and that Redis runs",
            ) from error
        return [
            {key.decode("utf-8", "replace"): value for key, value in answer.items()}
            for answer in answers
        ]

    @staticmethod
    def _features(name: str, fields: Mapping[str, bytes]) -> UserFeatures:
        try:
            return features_of(name, fields)
        except ValueError as error:
            raise ContractError(
                f"a profile in Redis cannot be read: {error}",
                "update the reader, or rebuild the profiles",
            ) from error
