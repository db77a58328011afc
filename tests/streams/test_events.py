"""The event structs: lenient towards the future, strict about what they know."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.events import (
    ActionKind,
    ActionSignal,
    Channel,
    ErasureSignal,
    Label,
    Product,
    QuerySignal,
    RawQuery,
    UserAction,
    UserSignal,
    encode,
)

_NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def _query_signal() -> QuerySignal:
    return QuerySignal("q", "red shoes", "en", Label("a", 0.5), Label("neutral", 1.0), ())


def test_only_the_text_is_required() -> None:
    query = msgspec.json.decode(b'{"text":"red shoes"}', type=RawQuery)
    assert query == RawQuery("red shoes")


def test_unknown_fields_are_ignored() -> None:
    query = msgspec.json.decode(b'{"text":"a","from_the_future":{"x":[1]}}', type=RawQuery)
    assert query == RawQuery("a")


@pytest.mark.parametrize(
    "document",
    [
        {"text": 1},
        {"text": None},
        {"text": "a", "channel": "telepathy"},
        {"text": "a", "locale": "not a locale"},
        {"text": "a", "user_id": 1.5},
        {"text": "a", "user_id": True},
        {"text": "a", "user_id": "x" * 257},
        {"text": "a", "attachments": [{"kind": "video", "uri": "u"}]},
        {"text": "a", "attachments": [{"kind": "image", "uri": ""}]},
        {"text": "a", "occurred_at": "yesterday"},
        {"text": "a", "context": []},
    ],
)
def test_what_is_known_is_validated(document: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, RawQuery)


@pytest.mark.parametrize("locale", ["en", "en-US", "en_US", "zh-Hans-CN", "", "de-DE-1996"])
def test_usual_locales_pass(locale: str) -> None:
    assert msgspec.convert({"text": "a", "locale": locale}, RawQuery).locale == locale


@pytest.mark.parametrize("price", [-1, 1e10, "9.99"])
def test_prices_are_amounts(price: object) -> None:
    document = {"user_id": "u", "action": "view", "product": {"price": price}}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, UserAction)


@given(
    st.text(max_size=40),
    st.none() | st.text(max_size=20) | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.sampled_from(Channel),
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.text(max_size=5)),
)
def test_raw_queries_survive_the_wire(
    text: str,
    user: str | int | None,
    channel: Channel | None,
    at: datetime | None,
    context: dict[str, Any],
) -> None:
    query = RawQuery(text, user_id=user, channel=channel, occurred_at=at, context=context)
    assert msgspec.json.decode(encode(query), type=RawQuery) == query


@given(st.dictionaries(st.text(max_size=4), st.integers(), max_size=6), st.randoms())
def test_equal_events_give_equal_bytes(context: dict[str, int], order: Any) -> None:
    shuffled = list(context.items())
    order.shuffle(shuffled)
    assert encode(RawQuery("a", context=dict(shuffled))) == encode(RawQuery("a", context=context))


def test_defaults_are_left_out_and_times_are_written_in_utc() -> None:
    plus_two = _NOW.astimezone(timezone(timedelta(hours=2)))
    action = UserAction("u", ActionKind.VIEW, Product(), occurred_at=plus_two.astimezone(UTC))
    assert encode(action) == (
        b'{"user_id":"u","action":"view","product":{},"occurred_at":"2026-01-02T03:04:05Z"}'
    )


def test_a_signal_is_a_query_or_an_action_or_an_erasure() -> None:
    action = ActionSignal(ActionKind.CART, Product())
    for part in ({"query": _query_signal()}, {"action": action}, {"erasure": ErasureSignal()}):
        signal = UserSignal("k1.0", _NOW, **part)
        assert msgspec.json.decode(encode(signal), type=UserSignal) == signal


def test_a_signal_of_nothing_or_of_two_things_is_refused() -> None:
    with pytest.raises(ValueError, match="exactly one"):
        UserSignal("k1.0", _NOW)
    with pytest.raises(ValueError, match="exactly one"):
        UserSignal("k1.0", _NOW, query=_query_signal(), erasure=ErasureSignal())
    with pytest.raises(msgspec.ValidationError, match="exactly one"):
        msgspec.json.decode(b'{"user":"u","occurred_at":"2026-01-02T03:04:05Z"}', type=UserSignal)
