"""The profiles as `users.signals` makes them: the worker's own steps, without Faust.

Where retention has taken the beginning of a log, a user's fold starts from a snapshot: a profile on
`users.features` that reflects all that is gone. Such a profile is as certain as a whole log, for
what follows it; without one a fold of the rest cannot be more than a guess.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from streams.deadletters import RecordError
from streams.events import encode
from streams.profile_schema import Position, Profile, position_of
from streams.records import SourceRecord
from workers.profiles.profile_settings import folding_of
from workers.profiles.topic_reading import Advance, Extent, read_batches, unheard
from workers.settings import Settings

_profiles = msgspec.json.Decoder(Profile)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A profile as it was published, and when (ms)."""

    profile: bytes
    position: Position
    published_ms: int


@dataclass(slots=True)
class Snapshots:
    """Where the fold of each user may start, by the key of their records.

    Attributes:
        earlier: the latest of an earlier epoch.
        base: of the present epoch: the earliest that reflects all that retention took; where there
            is none, the latest.
        last: the latest of all.
    """

    earlier: dict[bytes, Snapshot] = field(default_factory=dict)
    base: dict[bytes, Snapshot] = field(default_factory=dict)
    last: dict[bytes, Snapshot] = field(default_factory=dict)

    def note(self, key: bytes, one: Snapshot, *, epoch: str, begins: Mapping[int, int]) -> None:
        """One more snapshot is known."""
        _keep(self.last, key, one, later=True)
        if one.position.epoch != epoch:
            _keep(self.earlier, key, one, later=True)
            return
        known = self.base.get(key)
        whole = _covers(one, begins)
        if known is None or (whole and not _covers(known, begins)):
            self.base[key] = one
        elif whole == _covers(known, begins):
            _keep(self.base, key, one, later=not whole)

    def note_tombstone(self, key: bytes, *, begins: Mapping[int, int]) -> None:
        """The user was erased after the snapshots known so far.

        Those that lack what retention took may lack the erasure.
        """
        self.last.pop(key, None)
        self.earlier.pop(key, None)
        known = self.base.get(key)
        if known is not None and not _covers(known, begins):
            del self.base[key]


def _covers(snapshot: Snapshot, begins: Mapping[int, int]) -> bool:
    """Whether all that is gone from the log is in it."""
    at = snapshot.position
    return at.offset >= begins.get(at.partition, 0) - 1


def _keep(into: dict[bytes, Snapshot], key: bytes, one: Snapshot, *, later: bool) -> None:
    known = into.get(key)
    if known is None or (one.position.order >= known.position.order) == later:
        into[key] = one


async def read_snapshots(
    settings: Settings, features: Extent, begins: Mapping[int, int], advance: Advance = unheard
) -> Snapshots:
    """Every user's snapshots in what `users.features` holds, and which to start from.

    `begins`: the first offset of each partition of `users.signals`.
    """
    found = Snapshots()
    async for records in read_batches(settings, features, advance):
        for record in records:
            key = record.key or b""
            if record.value is None:
                found.note_tombstone(key, begins=begins)
                continue
            one = Snapshot(record.value, position_of(record.value), record.timestamp_ms)
            found.note(key, one, epoch=settings.epoch, begins=begins)
    return found


@dataclass(slots=True)
class Folded:
    """What the log makes of a user.

    Attributes:
        profile: as the table would have it, encoded.
        certain: whether nothing that retention took is missing from it.
        record: the last signal in it, without its value; None when it is a snapshot as it stands.
        from_snapshot: whether the fold started from one.
    """

    profile: bytes
    certain: bool = True
    record: SourceRecord | None = None
    from_snapshot: bool = False

    def decoded(self) -> Profile:
        """The profile."""
        return _profiles.decode(self.profile)


def _as_it_is(record: SourceRecord) -> SourceRecord:
    return record


@dataclass(slots=True)
class OfflineFold:
    """Folds partitions of `users.signals`.

    Attributes:
        settings: the worker's.
        log: what of `users.signals` to fold.
        snapshots: where to start.
        taken: what is folded for a record; None leaves it out.
        read: how many signals were read.
    """

    settings: Settings
    log: Extent
    snapshots: Snapshots
    taken: Callable[[SourceRecord], SourceRecord | None] = _as_it_is
    read: int = 0

    async def fold(
        self, partitions: Collection[int], advance: Advance = unheard
    ) -> dict[bytes, Folded]:
        """Every user of some partitions, by the key of their records.

        Users without a signal left stand as their snapshot tells. Memory grows with the users.
        """
        folding = folding_of(self.settings)
        found: dict[bytes, Folded] = {}
        async for records in read_batches(self.settings, self.log, advance, only=partitions):
            self.read += len(records)
            for one in records:
                record = self.taken(one)
                if record is None:
                    continue
                key = record.key or b""
                known = found.get(key) or self.start(key, record.partition)
                try:
                    profile = folding.next_profile(known.profile if known else None, record)
                except RecordError:
                    continue  # a dead letter of the worker's
                if known is None:
                    certain = not self.log.begins[record.partition]
                    known = Folded(b"", certain=certain)
                known.profile, known.record = encode(profile), replace(record, value=None)
                found[key] = known
        self._add_the_silent(found, partitions)
        return found

    def start(self, key: bytes, partition: int) -> Folded | None:
        """The snapshot from which a user's fold starts; None where it starts from nothing."""
        begins = self.log.begins[partition]
        base = self.snapshots.base.get(key) if begins else None
        base = base or self.snapshots.earlier.get(key)
        if base is None:
            return None
        at = base.position
        certain = not begins or (at.epoch == self.settings.epoch and at.offset >= begins - 1)
        return Folded(base.profile, certain=certain, from_snapshot=True)

    def _add_the_silent(self, found: dict[bytes, Folded], partitions: Collection[int]) -> None:
        """Users whose signals are all gone: nothing has changed them since their last snapshot."""
        for key, one in self.snapshots.last.items():
            at = one.position
            gone = at.epoch != self.settings.epoch or at.offset < self.log.begins.get(
                at.partition, 0
            )
            if key not in found and at.partition in partitions and gone:
                found[key] = Folded(one.profile, from_snapshot=True)
