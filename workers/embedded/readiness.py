"""When the workers are ready: each has joined its consumer group, and the groups have settled.

Members that were there before do not count: after a crash, the workers of the last run stay in
their groups until Kafka has missed their heartbeats for long enough.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from workers.errors import ServerError
from workers.kafka import admin, running
from workers.sections import KafkaSettings

_EVERY_S = 0.1
_STABLE = "Stable"


class GroupWatch:
    """Consumer groups, and who was in them when it was opened."""

    def __init__(self, client: AIOKafkaAdminClient, before: Mapping[str, frozenset[str]]) -> None:
        self._client = client
        self._before = before

    @classmethod
    @asynccontextmanager
    async def of(cls, kafka: KafkaSettings, *groups: str) -> AsyncIterator[Self]:
        """Opens it; do so before the workers start. Raises `UnreachableError` without Kafka."""
        async with running(admin(kafka), kafka) as client:
            before = {group: (await _members(client, group))[1] for group in groups}
            yield cls(client, before)

    async def joined(self, expected: Mapping[str, int], *, within_s: float) -> None:
        """Waits until each group is stable, with at least as many new members as expected.

        Raises `ServerError` naming the groups that are not after `within_s` seconds.
        """
        missing = set(expected)
        try:
            async with asyncio.timeout(within_s):
                while missing:
                    await asyncio.sleep(_EVERY_S)
                    for group in sorted(missing):
                        state, members = await _members(self._client, group)
                        new = len(members - self._before[group])
                        if state == _STABLE and new >= expected[group]:
                            missing.discard(group)
        except TimeoutError:
            names = ", ".join(sorted(missing))
            raise ServerError(
                f"after {within_s:.0f} s no worker has taken up work in {names}",
                "see the workers' logs, and try `intentstream doctor`",
            ) from None


async def _members(client: AIOKafkaAdminClient, group: str) -> tuple[str, frozenset[str]]:
    """The state of a group and the ids of its members; none while Kafka cannot say."""
    try:
        responses = await client.describe_consumer_groups([group])
    except KafkaError as error:
        # Kafka makes its offsets topic only when the first group comes
        if getattr(error, "retriable", False):
            return "", frozenset()
        raise
    # each description: error, group, state, protocol type, protocol, members
    described = responses[0].groups[0]
    return described[2], frozenset(member[0] for member in described[5])
