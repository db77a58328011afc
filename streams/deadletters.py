"""Dead letters: the original record byte for byte, and headers that say why it is here.

Headers follow Kafka Connect (KIP-298, `__connect.errors.*`) and Kafka Streams (KIP-1034,
`__streams.errors.*`). No header of ours carries text of the record: messages name a field at most.
"""

from enum import StrEnum

from streams.records import Headers, OutputRecord, Redriven, SourceRecord


class DeadReason(StrEnum):
    """Every reason for which a record may be dead-lettered."""

    NULL_VALUE = "null_value"
    TOO_LARGE = "too_large"
    INVALID_ENCODING = "invalid_encoding"
    INVALID_JSON = "invalid_json"
    INVALID_FRAMING = "invalid_framing"
    INVALID_FIELD = "invalid_field"
    MISSING_TEXT = "missing_text"
    EMPTY_TEXT = "empty_text"
    TOO_LONG = "too_long"
    EVENT_TOO_LARGE = "event_too_large"
    MODEL_REJECTED = "model_rejected"
    PROCESSING_FAILED = "processing_failed"
    PROFILE_UPDATE_FAILED = "profile_update_failed"
    TOO_MANY_ROUNDS = "too_many_rounds"


class Stage(StrEnum):
    """Where in the pipeline a record failed."""

    DECODE = "decode"
    PREPARE = "prepare"
    MODEL = "model"
    PUBLISH = "publish"
    PROFILE = "profile"


class RecordError(ValueError):
    """A record cannot be processed. `detail` is free of the record's content."""

    def __init__(self, reason: DeadReason, stage: Stage, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.stage = stage
        self.detail = detail


REASON_HEADER = "intentstream.errors.reason"
"""The first of the headers that are added: what stands before the last one of this name is the
record's own."""
STAGE_HEADER = "intentstream.errors.stage"
CLUSTER_HEADER = "intentstream.errors.cluster"
EPOCH_HEADER = "intentstream.errors.epoch"
TIMESTAMP_HEADER = "intentstream.errors.timestamp"
ROUND_HEADER = "intentstream.errors.round"
VALUE_LEFT_OUT = "intentstream.errors.value_left_out"
"""On a dead letter that Kafka refused with its value: the value stays at its source."""


def dead_letter(
    topic: str, record: SourceRecord, error: RecordError, *, cluster: str, epoch: str
) -> OutputRecord:
    """The dead letter of a record: its own key, value and headers, and the error's after them.

    Args:
        topic: of dead letters.
        record: that failed; of a redriven one, as it was read first.
        error: why.
        cluster: our name of the cluster it was read from.
        epoch: of its topic.
    """
    position = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
    }
    came = record.redriven or Redriven(cluster, epoch, 0)
    exception = f"{type(error).__module__}.{type(error).__qualname__}"
    errors: list[tuple[str, str]] = [
        (REASON_HEADER, error.reason.value),
        (STAGE_HEADER, error.stage.value),
        (CLUSTER_HEADER, came.cluster),
        (EPOCH_HEADER, came.epoch),
        (TIMESTAMP_HEADER, str(record.timestamp_ms)),
        (ROUND_HEADER, str(came.round)),
        *((f"__connect.errors.{name}", value) for name, value in position.items()),
        ("__connect.errors.stage", error.stage.value.upper()),
        ("__connect.errors.class.name", exception),
        ("__connect.errors.exception.class.name", exception),
        ("__connect.errors.exception.message", str(error)),
        ("__streams.errors.exception", exception),
        ("__streams.errors.message", str(error)),
        *((f"__streams.errors.{name}", value) for name, value in position.items()),
    ]
    added = tuple((name, value.encode("utf-8", "replace")) for name, value in errors)
    return OutputRecord(topic, record.key, record.value, record.headers + added)


def _added(headers: Headers) -> int | None:
    """Where our headers begin: at the last reason, since a record may bring one of its own."""
    places = [n for n, (name, _) in enumerate(headers) if name == REASON_HEADER]
    return places[-1] if places else None


def failed_record(letter: SourceRecord) -> SourceRecord | None:
    """The record that a dead letter was made of, as it was read first; None for no dead letter.

    None too for one whose value was left out, for it is not there.
    """
    begin = _added(letter.headers)
    if begin is None:
        return None
    ours = {
        name: value.decode("utf-8", "replace") for name, value in letter.headers[begin:] if value
    }
    if VALUE_LEFT_OUT in ours:
        return None
    try:
        return SourceRecord(
            ours["__connect.errors.topic"],
            int(ours["__connect.errors.partition"]),
            int(ours["__connect.errors.offset"]),
            int(ours[TIMESTAMP_HEADER]),
            letter.key,
            letter.value,
            letter.headers[:begin],
            Redriven(ours[CLUSTER_HEADER], ours[EPOCH_HEADER], int(ours[ROUND_HEADER])),
        )
    except (KeyError, ValueError):
        return None


def reason_of(headers: tuple[tuple[str, bytes | None], ...]) -> DeadReason | None:
    """The reason in a dead letter's headers: the last one, since a record may bring its own."""
    for name, value in reversed(headers):
        if name == REASON_HEADER and value is not None:
            try:
                return DeadReason(value.decode("utf-8", "replace"))
            except ValueError:
                return None
    return None
