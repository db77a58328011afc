"""Signals that are published on `users.signals` by ourselves: no query or action is their source."""

from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer

from streams.cloudevents import rfc3339
from streams.events import EVENT_TYPES, ErasureSignal, UserSignal, encode
from streams.profile_schema import Profile
from workers.settings import Settings


async def publish_erasure(
    publisher: AIOKafkaProducer,
    settings: Settings,
    name: str,
    at: datetime,
    reason: str = ErasureSignal().reason,
) -> int:
    """Publishes the erasure of one pseudonym. Returns its offset on `users.signals`."""
    signal = UserSignal(user=name, occurred_at=at, erasure=ErasureSignal(reason))
    return await _publish(publisher, settings, signal)


async def publish_restated(
    publisher: AIOKafkaProducer, settings: Settings, profile: Profile
) -> int:
    """Publishes a profile as it should have been. Returns its offset on `users.signals`."""
    signal = UserSignal(user=profile.user, occurred_at=datetime.now(UTC), restated=profile)
    return await _publish(publisher, settings, signal)


async def _publish(publisher: AIOKafkaProducer, settings: Settings, signal: UserSignal) -> int:
    sent = await publisher.send_and_wait(
        settings.topic_names.signals,
        encode(signal),
        key=signal.user.encode(),
        headers=[
            ("ce_specversion", b"1.0"),
            ("ce_type", EVENT_TYPES[UserSignal].encode()),
            ("ce_time", rfc3339(signal.occurred_at).encode()),
            ("content-type", b"application/json"),
            ("ce_partitionkey", signal.user.encode()),
        ],
    )
    return int(sent.offset)
