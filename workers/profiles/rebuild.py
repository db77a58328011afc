"""Fills Redis again from Kafka, and `users.features` too where that is asked for.

    users.features ─▶ the last event of each user ─▶ Redis
    users.signals ─▶ the offline fold, a partition at a time ─▶ Redis and users.features

Writing is compare-and-set by position, so all of it may be repeated and done beside live workers. A
rebuild that was stopped or killed goes on where it was (`rebuild_progress`).
"""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Final

import msgspec

from streams.profile_schema import Profile
from workers.errors import UnreachableError
from workers.profiles.features_repair import FeaturesRepair
from workers.profiles.offline_fold import Folded, OfflineFold, read_snapshots
from workers.profiles.profile_settings import profile_rules, profile_ttl
from workers.profiles.rebuild_progress import RebuildProgress
from workers.profiles.redis_store import ProfileStore, open_store
from workers.profiles.topic_reading import Advance, Extent, extent, read_batches, unheard
from workers.settings import Settings

_WRITE_AT_ONCE: Final = 500
_profiles = msgspec.json.Decoder(Profile)


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        read: records read.
        resumed: records that an earlier, unfinished rebuild had done.
        written: profiles and markers written to Redis.
        superseded: not written, for Redis reflected a later position already.
        expired: profiles without news for as long as a hash lives.
        published: profiles and tombstones that `users.features` lacked.
        left_out: users whose log begins before the topic's retention, without a snapshot.
    """

    read: int = 0
    resumed: int = 0
    written: int = 0
    superseded: int = 0
    expired: int = 0
    published: int = 0
    left_out: int = 0

    async def write(self, store: ProfileStore, batch: list[Profile]) -> None:
        """Writes to Redis, and counts."""
        result = await store.write(batch)
        self.written += result.written
        self.superseded += result.superseded


async def rebuild_from_features(settings: Settings, advance: Advance = unheard) -> Rebuilt:
    """Writes the last event of each user on `users.features` to Redis.

    Erased users have none; their markers come back by a rebuild from `users.signals` only.

    Raises `UnreachableError` when Kafka or Redis is away or refuses us; `ContractError` when Redis
    was emptied meanwhile.
    """
    span = await extent(settings, settings.topic_names.features)
    done = Rebuilt()
    last = await _last_offsets(settings, span)
    oldest_ms = (time.time() - profile_ttl(settings).total_seconds()) * 1000
    async with RebuildProgress.open(settings, "features") as progress, _store(settings) as store:
        since = _within(span, progress.positions)
        done.resumed = sum(since[number] - span.begins[number] for number in since)
        async for records in read_batches(settings, span, advance, since=since):
            done.read += len(records)
            batch = []
            for record in records:
                newest = last.get(record.key or b"") == (record.partition, record.offset)
                if record.value is None or not newest:
                    continue
                if record.timestamp_ms < oldest_ms:
                    done.expired += 1
                else:
                    batch.append(_profiles.decode(record.value))
            for start in range(0, len(batch), _WRITE_AT_ONCE):
                await done.write(store, batch[start : start + _WRITE_AT_ONCE])
            if records:
                await progress.reach({one.partition: one.offset + 1 for one in records})
        await progress.finish()
    return done


async def _last_offsets(settings: Settings, span: Extent) -> dict[bytes, tuple[int, int]]:
    """Partition and offset of each user's last event.

    Older ones must not be written: who was erased since would come back.
    """
    last: dict[bytes, tuple[int, int]] = {}
    async for records in read_batches(settings, span):
        for record in records:
            if record.key is not None:
                last[record.key] = (record.partition, record.offset)
    return last


def _within(span: Extent, positions: Mapping[int, int]) -> dict[int, int]:
    """Where to go on; a position outside the log is of another topic, and its partition begins anew."""
    return {
        number: at
        for number, at in positions.items()
        if number in span.begins and span.begins[number] <= at <= span.ends[number]
    }


async def rebuild_from_signals(settings: Settings, advance: Advance = unheard) -> Rebuilt:
    """Folds `users.signals` anew; writes profiles, and markers of the erased, where they are missing.

    To Redis and to `users.features`. Where retention has taken the beginning of the log, a user's
    fold starts from a snapshot on `users.features`; users without one are left as they are.
    Partitions are done one after the other; after a stop, all but the unfinished are skipped.

    Raises as `rebuild_from_features` does.
    """
    log = await extent(settings, settings.topic_names.signals)
    features = await extent(settings, settings.topic_names.features)
    snapshots = await read_snapshots(settings, features, log.begins)
    done, fold = Rebuilt(), OfflineFold(settings, log, snapshots)
    total = sum(log.ends[number] - log.begins[number] for number in log.partitions)
    async with RebuildProgress.open(settings, "signals") as progress, _store(settings) as store:
        async with FeaturesRepair.open(settings, features) as repair:
            passed = 0
            for number in log.partitions:
                length = log.ends[number] - log.begins[number]
                if _within(log, progress.positions).get(number, -1) >= 0:
                    done.resumed += length
                else:

                    def within(read: int, _of: int, before: int = passed) -> None:
                        advance(before + read, total)

                    folded = await fold.fold((number,), within)
                    await _write_folded(folded, store, repair, done)
                    await progress.reach({number: log.ends[number]})
                passed += length
                advance(passed, total)
        await progress.finish()
    done.read = fold.read
    return done


async def _write_folded(
    folded: Mapping[bytes, Folded], store: ProfileStore, repair: FeaturesRepair, done: Rebuilt
) -> None:
    certain = {name: one for name, one in folded.items() if one.certain}
    done.left_out += len(folded) - len(certain)
    done.published += await repair.publish(certain)
    profiles = (one.decoded() for one in certain.values())
    while batch := list(islice(profiles, _WRITE_AT_ONCE)):
        await done.write(store, batch)


@asynccontextmanager
async def _store(settings: Settings) -> AsyncIterator[ProfileStore]:
    try:
        async with open_store(
            settings.redis,
            namespace=settings.namespace,
            ttl=profile_ttl(settings),
            serve_weight=profile_rules(settings).vector_serve_weight,
        ) as store:
            yield store
    except UnreachableError as error:
        error.hint += "; the same command goes on where this one was"
        raise
