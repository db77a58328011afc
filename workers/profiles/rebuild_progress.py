"""How far a rebuild has come, kept where it writes: so a rebuild that was killed goes on from there.

It is a hash beside the profiles, `<namespace>:rebuild:<source>`. Whatever empties Redis takes it
along, and the next rebuild rightly begins anew. Its field `run` names the process at work: one that
finds another name there, or none, stops rather than leave a gap.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError

from workers.errors import ContractError, UnreachableError
from workers.profiles.redis_store import client
from workers.settings import Settings

KEPT_FOR: Final = timedelta(days=7)
"""How long an unfinished rebuild is remembered."""

_RUN: Final = "run"
_ADVANCE: Final = """
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then
  return 0
end
for index = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
"""


def progress_key(namespace: str, source: str) -> str:
    """Where the progress of a rebuild from `source` is kept."""
    return f"{namespace}:rebuild:{source}"


@dataclass(slots=True)
class RebuildProgress:
    """The positions of one rebuild, by partition.

    Attributes:
        positions: those that an earlier, unfinished run has left.
    """

    redis: Redis
    key: str
    run: str
    positions: Mapping[int, int]

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings, source: str) -> AsyncIterator["RebuildProgress"]:
        """Takes an unfinished rebuild over, or begins one.

        Raises `UnreachableError` when Redis is away or refuses us, also while it is in use.
        """
        redis, key, run = client(settings.redis), progress_key(settings.namespace, source), uuid4()
        try:
            found = await redis.hgetall(key)
            positions = {
                int(name): int(value) for name, value in found.items() if name != _RUN.encode()
            }
            await redis.hset(key, _RUN, run.hex)
            await redis.pexpire(key, KEPT_FOR)
            yield cls(redis, key, run.hex, positions)
        except RedisError as error:
            raise UnreachableError(
                f"Redis failed during the rebuild: {(str(error).splitlines() or [''])[0]}",
                "check INTENTSTREAM_REDIS__URL; the same command goes on where this one was",
            ) from error
        finally:
            await redis.aclose()

    async def reach(self, positions: Mapping[int, int]) -> None:
        """Remembers where each of these partitions goes on.

        Raises `ContractError` when Redis was emptied meanwhile, or another rebuild has begun.
        """
        milliseconds = int(KEPT_FOR / timedelta(milliseconds=1))
        pairs = [number for pair in positions.items() for number in pair]
        script = self.redis.register_script(_ADVANCE)
        if not await script([self.key], [self.run, milliseconds, *pairs]):
            raise ContractError(
                "Redis was emptied meanwhile, or another rebuild has begun",
                "wait for the other one, or run the same command again",
            )

    async def finish(self) -> None:
        """Forgets the positions: the rebuild is complete."""
        await self.redis.pexpire(self.key, 0)
