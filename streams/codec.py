"""From a record's bytes to a `RawQuery` or `UserAction`, in the formats a shop may have.

Formats: JSON objects of our shape; JSON of any shape through a field mapping (JMESPath
expressions); plain UTF-8 text. Values framed for a Schema Registry (Confluent's wire format:
a zero byte and a 4-byte schema id) are unwrapped when so configured.
"""

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Generic, NoReturn, TypeVar

import jmespath
import msgspec
from msgspec import Struct

from streams.deadletters import DeadReason, RecordError, Stage

EventT = TypeVar("EventT", bound=Struct)

_BOM = b"\xef\xbb\xbf"
_FRAME_LENGTH = 5
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_VIOLATION_PATH = re.compile(r" - at `(\$[A-Za-z0-9_.\[\]]*)`$")


class RawFormat(StrEnum):
    """How the values of a topic are written."""

    JSON = "json"
    TEXT = "text"


def _fail(reason: DeadReason, detail: str) -> NoReturn:
    # not from the cause: its message may quote the value, and a logged traceback would show it
    raise RecordError(reason, Stage.DECODE, detail) from None


class RecordDecoder(Generic[EventT]):
    """Decodes the values of one topic into one struct.

    Args:
        struct: what to decode into.
        raw_format: JSON, or plain text that becomes the field `text`.
        field_mapping: field name to JMESPath expression over the record's JSON; unmapped fields
            are absent. Empty: the JSON has the struct's own shape.
        schema_registry_framing: strip the 5-byte frame first.
        max_bytes: larger values are refused unread.
    """

    def __init__(
        self,
        struct: type[EventT],
        *,
        raw_format: RawFormat = RawFormat.JSON,
        field_mapping: Mapping[str, str] | None = None,
        schema_registry_framing: bool = False,
        max_bytes: int = 64 * 1024,
    ) -> None:
        self._struct = struct
        self._typed = msgspec.json.Decoder(struct)
        self._untyped = msgspec.json.Decoder()
        self._raw_format = raw_format
        self._framed = schema_registry_framing
        self._max_bytes = max_bytes
        self._mapping = {
            name: jmespath.compile(expression) for name, expression in (field_mapping or {}).items()
        }
        unknown = self._mapping.keys() - {field.name for field in msgspec.structs.fields(struct)}
        if unknown:
            raise ValueError(
                f"field mapping names {sorted(unknown)}, which {struct.__name__} does not have"
            )

    def decode(self, value: bytes | None) -> EventT:
        """The event in a record's value.

        Raises:
            RecordError: with the reason; its message never quotes the value.
        """
        if value is None:
            _fail(DeadReason.NULL_VALUE, "the value is null (a tombstone)")
        if len(value) > self._max_bytes:
            _fail(DeadReason.TOO_LARGE, f"the value is larger than {self._max_bytes} bytes")
        if self._framed:
            value = self._unframed(value)
        if self._raw_format is RawFormat.TEXT:
            return self._convert({"text": self._text(value)})
        return self._decode_json(value.removeprefix(_BOM))

    @staticmethod
    def _unframed(value: bytes) -> bytes:
        if len(value) < _FRAME_LENGTH or value[0] != 0:
            _fail(DeadReason.INVALID_FRAMING, "the value does not start with a schema id frame")
        return value[_FRAME_LENGTH:]

    @staticmethod
    def _text(value: bytes) -> str:
        try:
            return value.decode()
        except UnicodeDecodeError:
            _fail(DeadReason.INVALID_ENCODING, "the value is not UTF-8")

    def _decode_json(self, value: bytes) -> EventT:
        try:
            if self._mapping:
                return self._mapped(self._untyped.decode(value))
            return self._typed.decode(value)
        except UnicodeDecodeError:
            _fail(DeadReason.INVALID_ENCODING, "the value is not UTF-8")
        except msgspec.ValidationError as error:
            self._refuse(error)
        except RecursionError:
            _fail(DeadReason.INVALID_JSON, "the JSON is nested too deeply")
        except msgspec.DecodeError:
            if _SURROGATE_ESCAPE.search(value):
                return self._with_surrogates_replaced(value)
            self._text(value)
            _fail(DeadReason.INVALID_JSON, "the value is not JSON")

    def _with_surrogates_replaced(self, value: bytes) -> EventT:
        """Lone surrogates, which msgspec refuses, become U+FFFD: the rest of the query is good."""

        def no_constant(_: str) -> NoReturn:
            raise ValueError("NaN and infinities are not JSON")

        text = self._text(value)
        try:
            parsed = json.loads(text, parse_constant=no_constant)
            clean = _LONE_SURROGATE.sub("�", json.dumps(parsed, ensure_ascii=False))
            document = self._untyped.decode(clean)
        except (ValueError, RecursionError):
            _fail(DeadReason.INVALID_JSON, "the value is not JSON")
        return self._mapped(document) if self._mapping else self._convert(document)

    def _mapped(self, document: Any) -> EventT:
        found = {}
        for name, expression in self._mapping.items():
            try:
                part = expression.search(document)
            except Exception:  # noqa: BLE001 (jmespath lets Python's own errors through)
                _fail(DeadReason.INVALID_FIELD, f"the field mapping of `{name}` failed")
            if part is not None:
                found[name] = part
        return self._convert(found)

    def _convert(self, document: Any) -> EventT:
        try:
            return msgspec.convert(document, self._struct)
        except msgspec.ValidationError as error:
            self._refuse(error)

    def _refuse(self, error: msgspec.ValidationError) -> NoReturn:
        message = str(error)
        match = _VIOLATION_PATH.search(message)
        path = match[1] if match else "$"
        if "missing required field `text`" in message or path == "$.text":
            _fail(DeadReason.MISSING_TEXT, "there is no field `text` with a string in it")
        _fail(DeadReason.INVALID_FIELD, f"the value breaks the schema at {path}")
