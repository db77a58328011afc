"""Dead letters: the original record byte for byte, and headers that say why it is here.

Headers follow Kafka Connect (KIP-298, `__connect.errors.*`) and Kafka Streams (KIP-1034,
`__streams.errors.*`). No header of ours carries text of the record: messages name a field at most.
"""

from enum import StrEnum

from streams.records import OutputRecord, SourceRecord


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
STAGE_HEADER = "intentstream.errors.stage"


def dead_letter(topic: str, record: SourceRecord, error: RecordError) -> OutputRecord:
    """The dead letter of a record: its own key, value and headers, and the error's after them."""
    position = {
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
    }
    exception = f"{type(error).__module__}.{type(error).__qualname__}"
    errors: list[tuple[str, str]] = [
        (REASON_HEADER, error.reason.value),
        (STAGE_HEADER, error.stage.value),
        *((f"__connect.errors.{name}", value) for name, value in position.items()),
        ("__connect.errors.stage", error.stage.value.upper()),
        ("__connect.errors.class.name", exception),
        ("__connect.errors.exception.class.name", exception),
        ("__connect.errors.exception.message", str(error)),
        ("__streams.errors.exception", exception),
        ("__streams.errors.message", str(error)),
        *((f"__streams.errors.{name}", value) for name, value in position.items()),
    ]
    added = tuple((name, value.encode()) for name, value in errors)
    return OutputRecord(topic, record.key, record.value, record.headers + added)


def reason_of(headers: tuple[tuple[str, bytes | None], ...]) -> DeadReason | None:
    """The reason in a dead letter's headers: the last one, since a record may bring its own."""
    for name, value in reversed(headers):
        if name == REASON_HEADER and value is not None:
            try:
                return DeadReason(value.decode("utf-8", "replace"))
            except ValueError:
                return None
    return None
