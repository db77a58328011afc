"""When the workers are ready: each has joined its consumer group, and the groups have settled."""

import asyncio
from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from workers.errors import ServerError
from workers.kafka import admin, running
from workers.sections import KafkaSettings

_EVERY_S = 0.1
_STABLE = "Stable"


async def all_joined(kafka: KafkaSettings, groups: Mapping[str, int], *, within_s: float) -> None:
    """Waits until each group is stable with at least as many members as it must have.

    Raises `ServerError` naming the groups that are not after `within_s` seconds.
    """
    missing = set(groups)
    async with running(admin(kafka), kafka) as client:
        try:
            async with asyncio.timeout(within_s):
                while missing:
                    await asyncio.sleep(_EVERY_S)
                    for group in sorted(missing):
                        if await _joined(client, group, groups[group]):
                            missing.discard(group)
        except TimeoutError:
            raise ServerError(
                f"after {within_s:.0f} s no worker has taken up work in {', '.join(sorted(missing))}",
                "see the workers' logs, and try `intentstream doctor`",
            ) from None


async def _joined(client: AIOKafkaAdminClient, group: str, members: int) -> bool:
    try:
        responses = await client.describe_consumer_groups([group])
    except KafkaError as error:
        # Kafka makes its offsets topic only when the first group comes
        if getattr(error, "retriable", False):
            return False
        raise
    # each description: error, group, state, protocol type, protocol, members
    return any(
        described[2] == _STABLE and len(described[5]) >= members
        for response in responses
        for described in response.groups
    )
