"""Decoding a record's value: an event, or an error that says why and quotes nothing."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streams.codec import RawFormat, RecordDecoder
from streams.deadletters import DeadReason, RecordError, Stage
from streams.events import ActionKind, Channel, RawQuery, UserAction

_JSON = RecordDecoder(RawQuery)
_TEXT = RecordDecoder(RawQuery, raw_format=RawFormat.TEXT)
_FRAMED = RecordDecoder(RawQuery, schema_registry_framing=True)
_MAPPED = RecordDecoder(
    RawQuery,
    field_mapping={
        "text": "payload.q",
        "user_id": "payload.user.id || payload.visitor",
        "context": "payload.meta",
    },
)
_ACTIONS = RecordDecoder(UserAction)
_DECODERS: list[RecordDecoder[Any]] = [_JSON, _TEXT, _FRAMED, _MAPPED, _ACTIONS]

_documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)


def _refused(decoder: RecordDecoder[Any], value: bytes | None) -> RecordError:
    with pytest.raises(RecordError) as caught:
        decoder.decode(value)
    assert caught.value.stage is Stage.DECODE
    assert caught.value.__suppress_context__, "a logged traceback would quote the value"
    return caught.value


# --- good values


def test_a_json_object_of_our_shape_is_read() -> None:
    query = _JSON.decode(b'{"text":"red shoes","user_id":42,"channel":"chat","more":[]}')
    assert query == RawQuery("red shoes", user_id=42, channel=Channel.CHAT)


def test_a_byte_order_mark_is_skipped() -> None:
    assert _JSON.decode(b'\xef\xbb\xbf{"text":"a"}') == RawQuery("a")


def test_plain_text_becomes_the_text() -> None:
    assert _TEXT.decode('{"not": json} ünï'.encode()) == RawQuery('{"not": json} ünï')


def test_a_schema_registry_frame_is_stripped() -> None:
    assert _FRAMED.decode(b'\x00\x00\x00\x00\x2a{"text":"a"}') == RawQuery("a")


def test_a_mapping_reads_another_shape() -> None:
    value = b'{"payload":{"q":"red shoes","visitor":"v1","meta":{"page":3}},"v":2}'
    assert _MAPPED.decode(value) == RawQuery("red shoes", user_id="v1", context={"page": 3})


def test_an_action_is_read() -> None:
    action = _ACTIONS.decode(b'{"user_id":"u","action":"cart","product":{"brand":"acme"}}')
    assert (action.action, action.product.brand) == (ActionKind.CART, "acme")


@pytest.mark.parametrize(
    ("escaped", "text"),
    [
        (rb"\ud83d", "�"),
        (rb"\udc4d", "�"),
        (rb"\ud83d\udc4d", "👍"),
        (rb"\ud83d red \udc4d", "� red �"),
        (rb"\ud83d\ud83d\udc4d", "�👍"),
        (rb"caf\u00e9 \uD83D", "café �"),
    ],
)
@pytest.mark.parametrize("decoder", [_JSON, _MAPPED])
def test_lone_surrogates_are_replaced_and_pairs_are_joined(
    decoder: RecordDecoder[RawQuery], escaped: bytes, text: str
) -> None:
    """CASES 44."""
    value = b'{"payload":{"q":"' + escaped + b'"},"text":"' + escaped + b'"}'
    assert decoder.decode(value).text == text


def test_a_backslash_before_a_surrogates_digits_is_only_a_backslash() -> None:
    assert _JSON.decode(rb'{"text":"\\ud83d"}').text == r"\ud83d"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_any_text_survives_json(text: str) -> None:
    for ascii_only in (True, False):
        value = json.dumps({"text": text}, ensure_ascii=ascii_only).encode()
        assert _JSON.decode(value).text == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_any_text_survives_as_plain_text(text: str) -> None:
    assert _TEXT.decode(text.encode()).text == text


# --- bad values


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, DeadReason.NULL_VALUE),
        (b"", DeadReason.INVALID_JSON),
        (b"not json", DeadReason.INVALID_JSON),
        (b'{"text":"a"', DeadReason.INVALID_JSON),
        (b'{"text":"a"} trailing', DeadReason.INVALID_JSON),
        (b'{"text":NaN}', DeadReason.INVALID_JSON),
        (b'{"text":"a","x":"\\ud83d", NaN}', DeadReason.INVALID_JSON),
        (b'{"text":"\\ud83d","context":{"x":NaN}}', DeadReason.INVALID_JSON),
        (b'{"text":"\\ud83d","context":{"x":1e999}}', DeadReason.INVALID_JSON),
        (b'{"text":"\\ud83d","n":' + b"9" * 5_000 + b"}", DeadReason.INVALID_JSON),
        (b'{"text":"\\ud83d","x":' + b"[" * 30_000, DeadReason.INVALID_JSON),
        (b'{"text":"a","context":{"x":' + b"[" * 30_000, DeadReason.INVALID_JSON),
        (b"\xff\xfe", DeadReason.INVALID_ENCODING),
        (b'{"text":"caf\xe9"}', DeadReason.INVALID_ENCODING),
        (b'{"text":"\xed\xa0\xbd"}', DeadReason.INVALID_ENCODING),
        ('{"text":"a"}'.encode("utf-16"), DeadReason.INVALID_ENCODING),
        (b'{"text":"\\ud83d caf\xe9"}', DeadReason.INVALID_ENCODING),
        (b"[]", DeadReason.INVALID_FIELD),
        (b"null", DeadReason.INVALID_FIELD),
        (b'"red shoes"', DeadReason.INVALID_FIELD),
        (b"{}", DeadReason.MISSING_TEXT),
        (b'{"text":null}', DeadReason.MISSING_TEXT),
        (b'{"text":["a"]}', DeadReason.MISSING_TEXT),
        (b'{"query":"a"}', DeadReason.MISSING_TEXT),
        (b'{"text":"a","channel":"telepathy"}', DeadReason.INVALID_FIELD),
        (b'{"text":"a","user_id":' + b"9" * 5_000 + b"}", DeadReason.INVALID_FIELD),
        (b'{"text":"a","attachments":[{"kind":"image"}]}', DeadReason.INVALID_FIELD),
        (b'{"text":"' + b"a" * 70_000 + b'"}', DeadReason.TOO_LARGE),
    ],
)
def test_each_kind_of_bad_json_has_its_reason(value: bytes | None, reason: DeadReason) -> None:
    assert _refused(_JSON, value).reason is reason


def test_the_error_names_the_field_that_breaks_the_schema() -> None:
    error = _refused(_JSON, b'{"text":"a","attachments":[{"kind":"image","uri":7}]}')
    assert error.detail == "the value breaks the schema at $.attachments[0].uri"


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x00", b'{"text":"a"}'])
def test_a_missing_frame_is_told_from_bad_json(value: bytes) -> None:
    assert _refused(_FRAMED, value).reason is DeadReason.INVALID_FRAMING


def test_text_that_is_not_utf8_is_refused() -> None:
    assert _refused(_TEXT, b"caf\xe9").reason is DeadReason.INVALID_ENCODING
    assert _refused(_TEXT, None).reason is DeadReason.NULL_VALUE


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{}", DeadReason.MISSING_TEXT),
        (b"[]", DeadReason.MISSING_TEXT),
        (b'{"payload":{"q":{"nested":1}}}', DeadReason.MISSING_TEXT),
        (b'{"payload":{"q":"a","meta":[1]}}', DeadReason.INVALID_FIELD),
        (b"not json", DeadReason.INVALID_JSON),
    ],
)
def test_mapped_values_have_the_same_reasons(value: bytes, reason: DeadReason) -> None:
    assert _refused(_MAPPED, value).reason is reason


@pytest.mark.parametrize(
    "expression", ["sum(payload)", "sort_by(payload, &a)", "to_number(payload)", "payload[::0]"]
)
@pytest.mark.parametrize("value", [b'{"payload":["a",1]}', b'{"payload":[{"a":1},{"a":"b"}]}'])
def test_a_mapping_that_fails_on_a_value_refuses_that_value_only(
    expression: str, value: bytes
) -> None:
    decoder = RecordDecoder(RawQuery, field_mapping={"text": expression})
    error = _refused(decoder, value)
    assert error.reason in {DeadReason.INVALID_FIELD, DeadReason.MISSING_TEXT}


def test_a_mapping_of_a_field_that_does_not_exist_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match=r"\['txt'\], which RawQuery does not have"):
        RecordDecoder(RawQuery, field_mapping={"txt": "q"})


@given(st.binary(max_size=200))
@example(b'{"text":"\\ud83d"}')
def test_any_bytes_give_an_event_or_a_record_error(value: bytes) -> None:
    for decoder in _DECODERS:
        _decodes_or_refuses(decoder, value)


@given(_documents)
@settings(max_examples=300)
def test_any_json_gives_an_event_or_a_record_error(document: Any) -> None:
    for shape in (document, {"text": document}, {"payload": document}):
        value = json.dumps(shape).encode()
        for decoder in _DECODERS:
            _decodes_or_refuses(decoder, value)


@given(st.sampled_from(["text", "user_id", "locale", "channel", "occurred_at", "context"]))
def test_no_message_quotes_the_value(field: str) -> None:
    secret = "jane.doe@shop.example"
    for content in (secret, [secret], {secret: secret}, secret * 20):
        value = json.dumps({"text": "a"} | {field: content, secret: content}).encode()
        for decoder in _DECODERS:
            for cut in (value, value[:-1], b"\xff" + value):
                _decodes_or_refuses(decoder, cut, secret=secret)


def _decodes_or_refuses(decoder: RecordDecoder[Any], value: bytes, *, secret: str = "") -> None:
    message = ""
    try:
        decoder.decode(value)
    except RecordError as error:
        message = str(error)
    if secret:
        assert secret not in message
        assert secret.partition("@")[0] not in message
