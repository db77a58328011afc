"""From a record of `users.signals` to the user's next profile, and to what is published of it."""

from dataclasses import dataclass

import msgspec

from streams.cloudevents import binary_headers, derive_id, source_uri, timestamp
from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.events import UserSignal
from streams.profile_schema import LAYOUT
from streams.profiles import PROFILE_UPDATED, Position, Profile, ProfileRules, fold
from streams.pseudonyms import is_pseudonym
from streams.records import OutputRecord, SourceRecord
from streams.topics import TopicNames

_signals = msgspec.json.Decoder(UserSignal)
_profiles = msgspec.json.Decoder(Profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folding:
    """From a record of `users.signals` to the user's next profile and its event. Pure."""

    topics: TopicNames
    cluster: str
    epoch: str
    rules: ProfileRules

    def next_profile(self, stored: bytes | None, record: SourceRecord) -> Profile:
        """The profile after a record; `stored` is the one before, as the table has it.

        Raises `RecordError` when the record is no signal of the user in its key, or does not fit
        the profile.
        """
        signal = signal_of(record)
        profile = None if stored is None else _profiles.decode(stored)
        if profile is not None and profile.layout > LAYOUT:
            raise RecordError(
                DeadReason.PROFILE_UPDATE_FAILED,
                Stage.PROFILE,
                f"the profile was written by a later release (layout {profile.layout})",
            )
        logged = timestamp(record.timestamp_ms) if record.timestamp_ms >= 0 else None
        position = Position(self.epoch, record.partition, record.offset)
        return fold(profile, signal, position, self.rules, logged_at=logged)

    def event(self, profile: Profile, record: SourceRecord, value: bytes) -> OutputRecord:
        """What is published of a profile: itself (`value`), or a tombstone once it is erased."""
        at = profile.position
        headers = binary_headers(
            ce_id=derive_id(
                self.cluster, at.epoch, record.topic, at.partition, at.offset, PROFILE_UPDATED
            ),
            ce_type=PROFILE_UPDATED,
            source_uri=source_uri(self.cluster, record.topic),
            record=record,
            partition_key=profile.user,
        )
        published = None if profile.is_erased else value
        return OutputRecord(self.topics.features, profile.user.encode(), published, headers)

    def dead(self, record: SourceRecord, error: RecordError) -> OutputRecord:
        """The dead letter of a record."""
        return dead_letter(self.topics.dead, record, error, cluster=self.cluster, epoch=self.epoch)


def signal_of(record: SourceRecord) -> UserSignal:
    """The signal in a record. Raises `RecordError` when it is none of the user in its key."""

    def refusal(reason: DeadReason, detail: str) -> RecordError:
        return RecordError(reason, Stage.PROFILE, detail)

    if record.value is None:
        raise refusal(DeadReason.NULL_VALUE, "the value is null (a tombstone)")
    try:
        signal = _signals.decode(record.value)
    except UnicodeDecodeError as error:
        raise refusal(DeadReason.INVALID_ENCODING, "the value is not UTF-8") from error
    except msgspec.ValidationError as error:
        raise refusal(DeadReason.INVALID_FIELD, "the value is no user signal") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise refusal(DeadReason.INVALID_JSON, "the value is not JSON") from error
    if not is_pseudonym(signal.user):
        raise refusal(DeadReason.INVALID_FIELD, "the signal's user is no pseudonym")
    if record.key != signal.user.encode():
        raise refusal(DeadReason.INVALID_FIELD, "the record's key is not the signal's user")
    return signal
