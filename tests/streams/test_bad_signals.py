"""Bad actions and signals, from the shop's record to the profile: handled, bounded, in place."""

import json
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.deadletters import DeadReason, RecordError, reason_of
from streams.events import ActionKind, encode
from streams.profile_updates import Folding
from streams.profiles import Position, Profile, ProfileRules, fold
from streams.pseudonyms import is_pseudonym
from streams.records import OutputRecord, SourceRecord
from tests.streams.profile_signals import NOON, RULES, action, query, source
from tests.streams.samples import TOPICS, enrichment, raw
from workers.profiles.redis_store import profile_key

_ENRICHMENT = enrichment()
_FOLDING = Folding(topics=TOPICS, cluster="main", epoch="1", rules=RULES)
_LOGGED_MS = int(NOON.timestamp() * 1000)


def taken(**fields: Any) -> OutputRecord:
    """What an action of the shop's becomes."""
    document = {"user_id": "u1", "action": "cart", "product": {"brand": "acme"}} | fields
    outcome = _ENRICHMENT.prepare(raw(json.dumps(document).encode(), topic=TOPICS.actions))
    assert isinstance(outcome, OutputRecord)
    return outcome


def profile_of(output: OutputRecord) -> Profile:
    assert output.topic == TOPICS.signals, reason_of(output.headers)
    record = SourceRecord(output.topic, 0, 0, _LOGGED_MS, output.key, output.value, output.headers)
    return _FOLDING.next_profile(None, record)


def test_an_action_of_an_unknown_user_begins_a_profile() -> None:
    profile = profile_of(taken(user_id="never seen before"))
    assert profile.counts == {"carts": 1}
    assert profile.brands.values == {"acme": 4.0}


def test_a_product_without_attributes_is_counted_and_says_nothing() -> None:
    profile = profile_of(taken(product={}))
    assert profile.counts == {"carts": 1}
    assert (profile.brands.total, profile.prices) == (0, {})


@pytest.mark.parametrize("price", [-0.01, -1e300, 1e9 + 1, 1e308, "12 EUR", [1]])
def test_a_negative_or_absurd_price_is_a_dead_letter(price: object) -> None:
    letter = taken(product={"brand": "acme", "price": price, "currency": "EUR"})
    assert reason_of(letter.headers) is DeadReason.INVALID_FIELD


@pytest.mark.parametrize("price", [0, 1e-300, 1e9])
def test_an_extreme_price_never_breaks_a_band(price: float) -> None:
    profile = profile_of(taken(product={"price": price, "currency": "EUR"}))
    assert "EUR" in profile.prices if price else profile.prices == {}
    for band in profile.prices.values():
        assert band.overall.low <= band.overall.typical <= band.overall.high
    json.loads(encode(profile), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "clock",
    ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", 0, 2**62],
)
def test_a_wrong_clock_is_brought_back_to_the_logs(clock: str | int) -> None:
    profile = profile_of(taken(occurred_at=clock))
    assert NOON - RULES.max_late <= profile.as_of <= NOON + RULES.max_ahead


_SEPARATORS = [
    "a:b",
    "a}b",
    "{a",
    "*",
    "a\x00b",
    "a\r\nb",
    "\x1b[2J",
    "../x",
    "k1.x",
    "\u202e",
    "?",
]
_KEY = re.compile(r"shop:profile:\{[a-z][a-z0-9]{0,15}\.[0-9a-f]{32}\}", re.ASCII)


@given(st.sampled_from(_SEPARATORS) | st.text(min_size=1, max_size=40))
def test_no_id_makes_a_key_outside_the_namespace(user_id: str) -> None:
    output = taken(user_id=user_id)
    assert output.key is not None
    assert _KEY.fullmatch(profile_key("shop", output.key.decode()))


@given(st.sampled_from(_SEPARATORS) | st.text(max_size=40))
def test_a_signal_whose_user_is_no_pseudonym_never_reaches_a_key(name: str) -> None:
    signal = encode(query(user=name))
    record = SourceRecord(TOPICS.signals, 0, 0, _LOGGED_MS, name.encode(), signal, ())
    if not is_pseudonym(name):
        with pytest.raises(RecordError) as raised:
            _FOLDING.next_profile(None, record)
        assert raised.value.reason is DeadReason.INVALID_FIELD


def bounded(rules: ProfileRules, events: int) -> None:
    """Folds a user's events that never repeat a value; size and memory must level off."""
    profile: Profile | None = None
    sizes = []
    tracemalloc.start()
    try:
        for n in range(events):
            signal = action(
                ActionKind.CLICK,
                at=NOON + timedelta(seconds=n),
                source=source(2 * n),
                brand=f"brand {n}",
                product_type=f"type {n}",
                price=float(n + 1),
                currency="EUR",
            )
            profile = fold(profile, signal, Position("1", 0, n), rules)
            if (n + 1) % (events // 4) == 0:
                sizes.append((len(encode(profile)), tracemalloc.get_traced_memory()[0]))
    finally:
        tracemalloc.stop()
    assert profile is not None
    assert profile.counts == {"clicks": events}
    assert max(size for size, _ in sizes) < 32_000
    assert sizes[-1][0] <= sizes[0][0] * 1.1
    assert sizes[-1][1] < sizes[0][1] + 1_000_000


def test_a_user_with_many_thousand_events_stays_bounded() -> None:
    bounded(RULES, 2_000)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_user_with_a_million_events_stays_bounded() -> None:
    bounded(RULES, 1_000_000)


def test_times_of_any_year_fold_without_the_logs_clock_too() -> None:
    for year in (1, 1969, 9999):
        odd = action(at=datetime(year, 12, 31, tzinfo=UTC), brand="acme")
        assert fold(None, odd, Position("1", 0, 0), RULES).brands.total > 0
