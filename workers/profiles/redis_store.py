"""The profiles in Redis: one hash a user, written by compare-and-set on (epoch, offset).

A hash that reflects a later position is never replaced by an earlier one, whoever comes late with
it: a worker that was cut off, a redelivery, a rebuild beside the live worker. The same position may
be written again, which refreshes the time to live; a refused write leaves it alone.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    ClusterDownError,
    MasterDownError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from streams.profile_hash import hash_fields
from streams.profile_schema import Profile, epoch_order
from workers.errors import ContractError, SettingsError, UnreachableError
from workers.sections import RedisSettings

MARKER_TTL: Final = timedelta(days=45)
"""How long the marker of an erasure stays: longer than any topic keeps what it voids."""

_WRITE: Final = """
local stored = redis.call('HMGET', KEYS[1], 'epoch_order', 'offset')
if stored[1] and (stored[1] > ARGV[1]
    or (stored[1] == ARGV[1] and tonumber(stored[2]) > tonumber(ARGV[2]))) then
  return 0
end
local stale = redis.call('HKEYS', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
for _, name in ipairs(stale) do
  local kept = false
  for i = 4, #ARGV, 2 do
    if ARGV[i] == name then kept = true break end
  end
  if not kept then redis.call('HDEL', KEYS[1], name) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""
"""KEYS[1]: the hash. ARGV: order of the epoch, offset, time to live in ms, then fields and values.
Answers 1 when written, 0 when the hash reflects a later position. HSET comes first: a full server
refuses a script at its first write only if that one takes memory."""

# Trouble that passes without anyone changing a setting of ours: worth another try.
_PASSING: Final = (
    RedisConnectionError,
    RedisTimeoutError,
    ReadOnlyError,
    BusyLoadingError,
    OutOfMemoryError,
    ClusterDownError,
    MasterDownError,
    TryAgainError,
)
# Subclasses of ConnectionError that no waiting mends.
_REFUSED: Final = (AuthenticationError, AuthorizationError, NoPermissionError)


class StoreUnavailableError(UnreachableError):
    """Redis does not take writes now: away, failing over, loading or full. Try again later."""


def profile_key(namespace: str, pseudonym: str) -> str:
    """The hash of a user. The braces make a Redis Cluster place it by the pseudonym alone."""
    return f"{namespace}:profile:{{{pseudonym}}}"


def client(settings: RedisSettings) -> Redis:
    """A client of the Redis in the settings, with their ACL user and TLS. Answers are bytes."""
    more: dict[str, Any] = {
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "decode_responses": False,
        # Retries are decided where it is known what a repeat means, not inside the client.
        "retry": None,
        "health_check_interval": 30,
    }
    if settings.username is not None:
        more["username"] = settings.username
    if settings.password is not None:
        more["password"] = settings.password.get_secret_value()
    url = settings.url.get_secret_value()
    if url.startswith("rediss://"):
        more |= {
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_check_hostname": settings.ssl_check_hostname,
        }
        for name in ("ca_certs", "certfile", "keyfile"):
            path = getattr(settings, "ssl_cafile" if name == "ca_certs" else f"ssl_{name}")
            if path is not None:
                more[f"ssl_{name}"] = str(path)
    try:
        return Redis.from_url(url, **more)
    except ValueError as error:
        raise SettingsError(
            f"INTENTSTREAM_REDIS__URL cannot be used: {error}",
            "write redis://host:6379/0, rediss://host:6380/0 or unix:///path/to/socket",
        ) from error


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch of writes."""

    written: int
    superseded: int
    """Refused, because the hash reflects a later position already."""


class ProfileStore:
    """Writes profiles. Safe to call from several tasks; one call is one round trip."""

    def __init__(
        self, redis: Redis, *, namespace: str, ttl: timedelta, serve_weight: float
    ) -> None:
        """`ttl`: how long a profile without news stays. `serve_weight`: see `hash_fields`."""
        self._redis = redis
        self._namespace = namespace
        self._ttl_ms = int(ttl / timedelta(milliseconds=1))
        self._serve_weight = serve_weight
        self._digest: str | None = None

    async def check(self) -> None:
        """Connects once.

        Raises `UnreachableError` when Redis is away or refuses us.
        """
        try:
            await self._redis.ping()
        except RedisError as error:
            raise self._explained(error) from error

    async def write(self, profiles: Sequence[Profile]) -> Written:
        """Writes profiles; an erased one becomes a marker that tells nothing.

        A batch that fails half-way can be written again: each write is a compare-and-set.

        Raises:
            StoreUnavailableError: trouble that passes: retry.
            UnreachableError: Redis refuses this user.
            ContractError: a key of ours holds something that is no hash.
        """
        if not profiles:
            return Written(0, 0)
        try:
            answers = await self._attempt(profiles)
        except ReadOnlyError:
            # After a failover the pooled connections stay on what is a replica now.
            await self._redis.connection_pool.disconnect(inuse_connections=False)
            try:
                answers = await self._attempt(profiles)
            except RedisError as error:
                raise self._explained(error) from error
        except RedisError as error:
            raise self._explained(error) from error
        written = sum(answers)
        return Written(written, len(answers) - written)

    async def _attempt(self, profiles: Sequence[Profile]) -> list[int]:
        try:
            return await self._write_all(profiles)
        except NoScriptError:  # the server was restarted, or is another one
            self._digest = None
            return await self._write_all(profiles)

    async def _write_all(self, profiles: Sequence[Profile]) -> list[int]:
        if self._digest is None:
            self._digest = _text(await self._redis.script_load(_WRITE))
        async with self._redis.pipeline(transaction=False) as pipe:
            for profile in profiles:
                pipe.evalsha(self._digest, 1, self._key(profile), *self._arguments(profile))
            answers = await pipe.execute()
        return [int(answer) for answer in answers]

    def _key(self, profile: Profile) -> str:
        return profile_key(self._namespace, profile.user)

    def _arguments(self, profile: Profile) -> list[str | bytes | int]:
        ttl_ms = int(MARKER_TTL.total_seconds() * 1000) if profile.is_erased else self._ttl_ms
        position = profile.position
        arguments: list[str | bytes | int] = [
            epoch_order(position.epoch),
            position.offset,
            ttl_ms,
        ]
        for name, value in hash_fields(profile, serve_weight=self._serve_weight).items():
            arguments += (name, value)
        return arguments

    def _explained(self, error: RedisError) -> Exception:
        if isinstance(error, _PASSING) and not isinstance(error, _REFUSED):
            return StoreUnavailableError(
                f"Redis takes no writes now: {_reason(error)}",
                "check that it runs at INTENTSTREAM_REDIS__URL, is not full and is no replica",
            )
        if isinstance(error, _REFUSED):
            return UnreachableError(
                f"Redis refuses us: {_reason(error)}",
                "check user and password; the ACL must allow +@hash +evalsha +script|load "
                f"+pexpire +ping on ~{self._namespace}:*",
            )
        return ContractError(
            f"Redis cannot do a profile write: {_reason(error)}",
            f"keys that begin with {self._namespace}:profile: must be ours alone",
        )


def _reason(error: RedisError) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0] or type(error).__name__


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@asynccontextmanager
async def open_store(
    settings: RedisSettings, *, namespace: str, ttl: timedelta, serve_weight: float
) -> AsyncIterator[ProfileStore]:
    """A store on a connection pool of its own, closed in the end."""
    redis = client(settings)
    try:
        yield ProfileStore(redis, namespace=namespace, ttl=ttl, serve_weight=serve_weight)
    finally:
        await asyncio.shield(redis.aclose())
