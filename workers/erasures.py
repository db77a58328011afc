"""Who has been erased, and when: read from `users.signals`, for all that brings old records back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from msgspec import Struct

from streams.events import ErasureSignal, Instant
from streams.pseudonyms import is_pseudonym
from workers.profiles.key_rotation import ROTATION
from workers.topic_range import Bound, read, resolve

_BATCH: Final = 5_000


class _Erased(Struct):
    """What of a signal says that its user was erased; of other signals nothing."""

    user: str
    occurred_at: Instant
    erasure: ErasureSignal | None = None


_decoder = msgspec.json.Decoder(_Erased)


@dataclass(frozen=True, slots=True)
class Erasures:
    """The last erasure of each user, in ms since the epoch, by pseudonym."""

    at: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.at)

    def covers(self, user: str, said_ms: int) -> bool:
        """Whether a user has been erased since; what has no time (-1) was said before."""
        at = self.at.get(user)
        return at is not None and said_ms <= at


async def read_erasures(reader: AIOKafkaConsumer, topic: str, partitions: int) -> Erasures:
    """All erasures that users asked for, as far as the topic goes back.

    It keeps signals longer than raw queries are kept, so no query is older than all of them.

    Args:
        reader: without a group; it is assigned to this topic here.
        topic: of the signals.
        partitions: how many it has.
    """
    found: dict[str, int] = {}
    span = await resolve(reader, topic, partitions, Bound("earliest"), Bound("latest"))
    async for records, _ in read(reader, topic, span.partitions, batch=_BATCH):
        note_erasures(found, records)
    return Erasures(found)


def note_erasures(found: dict[str, int], records: Iterable[ConsumerRecord]) -> None:
    """Adds the erasures among records of `users.signals` to the last ones known of each user.

    Args:
        found: when (Unix, ms), by pseudonym; changed here.
        records: of the topic, in order.
    """
    for record in records:
        if record.value is None or b'"erasure"' not in record.value:  # decoding all is slow
            continue
        try:
            signal = _decoder.decode(record.value)
        except ValueError:
            continue
        if signal.erasure is None or signal.erasure.reason == ROTATION:
            continue  # a rotation of the key voids a name, not its user
        if is_pseudonym(signal.user) and record.key == signal.user.encode():
            at = max(record.timestamp, round(signal.occurred_at.timestamp() * 1_000))
            found[signal.user] = max(at, found.get(signal.user, at))
