"""Corrects profiles by what back-fills published: users' logs folded anew, with the corrections.

    users.signals ─▶ the corrections: signals with a revision, of each source the highest
                  ─▶ their users' logs, folded with each correction in its original's place
                  ─▶ users.signals: the profile restated, where it says something else now

A correction comes long after what it corrects, and a fold cannot take back what it has counted. So
the corrected profile is put into the log whole, with the position up to which it was folded. The
personalizer takes it over if nothing was said since, as a compare-and-set does; so do all that fold
the log after it.
"""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from streams.deadletters import RecordError
from streams.events import Source, UserSignal, encode
from streams.profile_schema import Profile, position_of
from streams.profile_updates import signal_of
from streams.records import SourceRecord
from workers.kafka import producer, running
from workers.profiles.offline_fold import (
    Folded,
    OfflineFold,
    Snapshot,
    read_snapshots,
)
from workers.profiles.own_signals import publish_restated
from workers.profiles.topic_reading import Advance, Extent, extent, read_batches, unheard
from workers.settings import Settings

_PASSES: Final = 3
"""The log is read for the corrections, for the profiles as they are, and as they should be."""

_SENT_AT_ONCE: Final = 500


@dataclass(slots=True)
class Corrected:
    """Users of whom signals were corrected.

    Attributes:
        users: all of them.
        restated: whose profile was published as it should be.
        unchanged: whose profile says all of it already, or was erased.
        busy: whose last signals are not in their published profile yet, or are newer than what
            was read: the same command has them next time.
        left_out: whose published profile cannot be folded from what is left of the log, or whose
            corrected signals are gone: after retention, or other rules for profiles.
    """

    users: int = 0
    restated: int = 0
    unchanged: int = 0
    busy: int = 0
    left_out: int = 0


async def correct_profiles(settings: Settings, advance: Advance = unheard) -> Corrected:
    """Publishes the profiles that corrections of their signals have changed.

    Safe beside live workers, and to repeat. Memory grows with the users of corrected signals.

    Raises `UnreachableError` when Kafka is away or refuses us; `ContractError` without the topics.
    """
    log = await extent(settings, settings.topic_names.signals)
    corrections = await _read(settings, log, _pass(advance, 0))
    done = Corrected(users=len(corrections.users))
    if not done.users:
        return done
    features = await extent(settings, settings.topic_names.features)
    snapshots = await read_snapshots(settings, features, log.begins)
    partitions = set(corrections.users.values())
    as_is = OfflineFold(settings, log, snapshots, corrections.theirs)
    plain = await as_is.fold(partitions, _pass(advance, 1))
    anew = OfflineFold(settings, log, snapshots, corrections.applied)
    corrected = await anew.fold(partitions, _pass(advance, 2))
    changed: list[Profile] = []
    for name, partition in corrections.users.items():
        before, published = plain.get(name), snapshots.last.get(name)
        if before is None or name not in corrected or before.decoded().is_erased:
            done.unchanged += 1
        elif published is None or not _same_position(published, before):
            done.busy += 1
        elif published.profile != before.profile or not corrections.met_all(
            name, _reached(settings, anew.start(name, partition))
        ):
            done.left_out += 1
        else:
            after = msgspec.structs.replace(
                corrected[name].decoded(), position=before.decoded().position
            )
            if encode(after) == before.profile:
                done.unchanged += 1
            else:
                changed.append(after)
    async with running(producer(settings.kafka), settings.kafka) as publisher:
        for start in range(0, len(changed), _SENT_AT_ONCE):
            some = changed[start : start + _SENT_AT_ONCE]
            await asyncio.gather(*(publish_restated(publisher, settings, one) for one in some))
            done.restated += len(some)
    return done


def _same_position(published: Snapshot, folded: Folded) -> bool:
    return published.position.order == position_of(folded.profile).order


def _reached(settings: Settings, start: Folded | None) -> int:
    """The last offset that is in the snapshot from which a fold starts; -1 where nothing is."""
    if start is None:
        return -1
    position = position_of(start.profile)
    return position.offset if position.epoch == settings.epoch else -1


def _pass(advance: Advance, number: int) -> Advance:
    def told(read: int, total: int) -> None:
        advance(number * total + read, _PASSES * total)

    return told


@dataclass(slots=True)
class _Corrections:
    """The corrections in the log, and what becomes of a record by them.

    Attributes:
        users: key of a user's records → their partition.
        newest: of each user's signals the corrections with the highest revision, by source.
        met: offsets of their originals.
    """

    users: dict[bytes, int] = field(default_factory=dict)
    newest: dict[bytes, dict[Source, UserSignal]] = field(default_factory=dict)
    met: dict[bytes, dict[Source, int]] = field(default_factory=dict)

    def note(self, record: SourceRecord, signal: UserSignal) -> None:
        """A signal is a correction, perhaps."""
        if not signal.revision or signal.source is None:
            return
        name = record.key or b""
        self.users[name] = record.partition
        newest = self.newest.setdefault(name, {})
        known = newest.get(signal.source)
        if known is None or signal.revision >= known.revision:
            newest[signal.source] = signal

    def theirs(self, record: SourceRecord) -> SourceRecord | None:
        """Only the records of these users."""
        return record if record.key in self.users else None

    def applied(self, record: SourceRecord) -> SourceRecord | None:
        """With its correction in the place of a signal, and without restated profiles.

        What those restated follows from the signals and the corrections.
        """
        if record.key not in self.users:
            return None
        try:
            signal = signal_of(record)
        except RecordError:
            return record  # the fold refuses it too
        if signal.restated is not None:
            return None
        better = None if signal.source is None else self.newest[record.key].get(signal.source)
        if better is None or better.source is None or signal.revision:
            return record
        self.met.setdefault(record.key, {}).setdefault(better.source, record.offset)
        return replace(record, value=encode(msgspec.structs.replace(better, revision=0)))

    def met_all(self, name: bytes, reached: int) -> bool:
        """Whether all originals were folded: none is gone, none was in the start (to `reached`)."""
        met = self.met.get(name, {})
        return all(met.get(source, -1) > reached for source in self.newest[name])


async def _read(settings: Settings, log: Extent, advance: Advance) -> _Corrections:
    found = _Corrections()
    async for records in read_batches(settings, log, advance):
        for record in records:
            if b'"revision":' not in (record.value or b""):
                continue  # nearly all: need not be read
            try:
                found.note(record, signal_of(record))
            except RecordError:
                continue  # a dead letter of the worker's
    return found
