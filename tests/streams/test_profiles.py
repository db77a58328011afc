"""The fold of a user's signals into a profile."""

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.deadletters import DeadReason, RecordError
from streams.decayed import PriceBand, Weights, unpack
from streams.events import ActionKind, UserSignal, encode
from streams.profiles import (
    WEIGHT_FIELDS,
    Position,
    Profile,
    ProfileRules,
    SeenOffsets,
    epoch_order,
    fold,
)
from tests.streams.profile_signals import (
    NOON,
    RULES,
    USER,
    action,
    entity,
    erasure,
    folded,
    query,
    signals,
    source,
    vector_of,
)

DAY = timedelta(days=1)
ROOMY = ProfileRules(top_k=1000, least=0.0)


# --- what a signal adds


def test_entities_of_a_query_weigh_by_their_score() -> None:
    profile = folded(
        query(
            entity("core_product_type", "Running  Shoes", 0.75),
            entity("creator", "acme", 0.5),
            entity("department", "women", 1.0),
        )
    )
    assert profile.product_types.values == {"running shoes": 0.75}
    assert profile.brands.values == {"acme": 0.5}
    assert profile.attributes.values == {"department=women": 1.0}


def test_said_twice_in_one_query_is_said_once() -> None:
    profile = folded(query(entity("color", "red", 0.5), entity("color", "RED", 0.75)))
    assert profile.colors.values == {"red": 0.75}


def test_personal_entities_never_get_into_a_profile() -> None:
    kinds = ("contact", "order_id", "date", "place", "money", "price")
    profile = folded(query(*(entity(kind, "[EMAIL]") for kind in kinds)))
    assert all(getattr(profile, name).total == 0 for name in WEIGHT_FIELDS if name != "intents")


def test_a_service_request_says_nothing_about_liking() -> None:
    profile = folded(
        query(entity("core_product_type", "kettle"), intent="complaint", vector=vector_of(1, 0))
    )
    assert profile.product_types.total == 0
    assert profile.vectors == {}
    assert profile.intents.values == {"complaint": 1.0}
    assert profile.counts == {"queries": 1}


def test_actions_weigh_by_their_kind() -> None:
    for kind, weight in RULES.action_weights.items():
        profile = folded(action(kind, product_type="Tent", attributes={"season": "Winter"}))
        assert profile.product_types.values == {"tent": weight}
        assert profile.attributes.values == {"season=winter": weight}


@pytest.mark.parametrize("value", ["", " ", "\x00\x07", "\u200b"])
def test_values_of_nothing_visible_are_left_out(value: str) -> None:
    profile = folded(action(product_type=value, attributes={value: "x", "x": value}))
    assert profile.product_types == Weights()
    assert profile.attributes == Weights()


def test_a_product_without_attributes_is_counted() -> None:
    assert folded(action(ActionKind.CART)).counts == {"carts": 1}


def test_long_values_are_cut() -> None:
    profile = folded(action(brand="b" * 50_000, product_type="ﷺ" * 1000))
    assert max(len(name) for name in (*profile.brands.values, *profile.product_types.values)) <= 80


def test_prices_form_a_band_by_currency_and_product_type() -> None:
    profile = folded(
        action(price=10.0, currency="eur", product_type="mug"),
        action(price=1000.0, currency="EUR", product_type="sofa"),
        action(price=5.0),
        action(price=0.0, currency="EUR", product_type="gift"),
    )
    euro = profile.prices["EUR"]
    assert euro.overall.typical == pytest.approx(100.0)
    assert euro.overall.low == pytest.approx(10.0)
    assert euro.overall.high == pytest.approx(1000.0)
    assert euro.by_type.keys() == {"mug", "sofa"}
    assert euro.by_type["mug"].typical == pytest.approx(10.0)
    assert profile.prices["XXX"].overall.typical == pytest.approx(5.0)


def test_sentiment_tells_recently_from_usually() -> None:
    good = [query(at=NOON + n * DAY, sentiment="positive") for n in range(30)]
    bad = [query(at=NOON + (30 + n) * DAY, sentiment="negative") for n in range(3)]
    profile = folded(*good, *bad)
    assert profile.sentiment.trend < -0.2
    assert folded(*good).sentiment.recent.value == pytest.approx(1.0)


def test_recent_queries_and_last_intent_follow_event_time() -> None:
    """CASES 57: the older event, come late, does not win over the newer one."""
    profile = folded(
        query(at=NOON, text="one", intent="product_search"),
        query(at=NOON + 2 * DAY, text="three", intent="recommendation"),
        query(at=NOON + DAY, text="two", intent="complaint"),
    )
    assert [recent.text for recent in profile.recent_queries] == ["three", "two", "one"]
    assert profile.last_intent is not None
    assert profile.last_intent.label == "recommendation"
    assert (profile.first_seen, profile.last_seen) == (NOON, NOON + 2 * DAY)


def test_an_unknown_language_leaves_no_intent() -> None:
    profile = folded(query(intent="unknown", sentiment="unknown"))
    assert profile.intents == Weights()
    assert profile.last_intent is None
    assert profile.sentiment.recent.weight == 0


# --- vectors


def test_the_vector_of_interests_is_the_normalised_fading_mean() -> None:
    half_life = timedelta(days=RULES.vector_half_life_days)
    profile = folded(
        query(at=NOON, vector=vector_of(1, 0)), query(at=NOON + half_life, vector=vector_of(0, 1))
    )
    kept = profile.vectors["space-1"]
    expected = np.array([0.5, 1.0]) / math.hypot(0.5, 1.0)
    assert unpack(kept.vector) == pytest.approx(expected, abs=1e-3)
    assert kept.weight == pytest.approx(1.5)


def test_vectors_of_two_spaces_are_never_mixed_and_the_new_is_served_when_it_has_weight() -> None:
    old = [query(at=NOON, vector=vector_of(1, 0), space="old") for _ in range(5)]
    new = [query(at=NOON + DAY, vector=vector_of(0, 1, 0), space="new") for _ in range(4)]
    started, ready = folded(*old, *new[:1]), folded(*old, *new)
    assert started.served_space(RULES.vector_serve_weight) == "old"
    assert ready.served_space(RULES.vector_serve_weight) == "new"
    assert unpack(ready.vectors["old"].vector) == pytest.approx([1, 0], abs=1e-3)


def test_a_third_space_ends_the_oldest() -> None:
    profile = folded(
        *(query(at=NOON + n * DAY, vector=vector_of(1, n), space=f"s{n}") for n in range(3))
    )
    assert profile.vectors.keys() == {"s1", "s2"}


def test_interests_still_move_after_very_many_queries() -> None:
    vectors = [vector_of(1, 0, 0, 0)] * 3000 + [vector_of(0, 1, 0, 0)] * 1500
    kept = folded(*(query(vector=vector) for vector in vectors)).vectors["space-1"]
    assert unpack(kept.vector)[1] > 0.9
    assert kept.weight <= RULES.vector_cap


@pytest.mark.parametrize(
    "bad", ["!!", "AAA=", vector_of(0, 0), vector_of(math.nan, 1), vector_of(math.inf, 1)]
)
def test_a_vector_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(RecordError) as raised:
        folded(query(vector=bad))
    assert raised.value.reason is DeadReason.INVALID_FIELD


def test_another_dimension_in_the_same_space_is_refused() -> None:
    with pytest.raises(RecordError):
        folded(query(vector=vector_of(1, 0)), query(vector=vector_of(1, 0, 0)))
    with pytest.raises(RecordError):
        folded(query(vector=vector_of(1, 0)), query(vector=vector_of(1)))


# --- decay


@given(st.lists(signals, min_size=1, max_size=25))
def test_weights_agree_with_the_closed_form_in_any_order(drawn: list[UserSignal]) -> None:
    """Σ wᵢ · 2^(-(T - tᵢ) / half-life), computed afresh from all events."""
    profile = folded(*drawn, rules=ROOMY)
    newest = max(signal.occurred_at for signal in drawn)
    expected: dict[str, float] = {}
    for signal in drawn:
        if signal.action is None or signal.action.product.brand is None:
            continue
        age = (newest - signal.occurred_at) / timedelta(days=ROOMY.half_life_days)
        brand = signal.action.product.brand.casefold()
        worth = ROOMY.action_weights[signal.action.action] * 2**-age
        expected[brand] = expected.get(brand, 0.0) + worth
    from_queries = _naive_brands_of_queries(drawn, newest)
    for name in expected.keys() | from_queries.keys():
        assert profile.brands.values[name] == pytest.approx(
            expected.get(name, 0.0) + from_queries.get(name, 0.0), rel=1e-9
        )


def _naive_brands_of_queries(drawn: list[UserSignal], newest: datetime) -> dict[str, float]:
    found: dict[str, float] = {}
    for signal in drawn:
        if signal.query is None or signal.query.intent.label == "track_order":
            continue
        age = (newest - signal.occurred_at) / timedelta(days=ROOMY.half_life_days)
        said: dict[str, float] = {}
        for one in signal.query.entities:
            if one.type == "creator":
                said[one.value.casefold()] = max(said.get(one.value.casefold(), 0), one.score)
        for name, score in said.items():
            found[name] = found.get(name, 0.0) + score * 2**-age
    return found


@given(st.lists(st.tuples(st.floats(0.01, 1e6), st.floats(0.1, 8)), min_size=1, max_size=30))
def test_price_bands_agree_with_the_weighted_mean_and_spread(
    prices: list[tuple[float, float]],
) -> None:
    band = PriceBand()
    for price, weight in prices:
        band = band.with_price(price, weight)
    logs = np.log([price for price, _ in prices])
    weights = [weight for _, weight in prices]
    mean = np.average(logs, weights=weights)
    spread = math.sqrt(np.average((logs - mean) ** 2, weights=weights))
    assert band.mean == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert band.spread == pytest.approx(spread, rel=1e-6, abs=1e-6)


@given(st.lists(signals, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_weights(
    drawn: list[UserSignal], random: "object"
) -> None:
    shuffled = list(drawn)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' Random
    one, other = folded(*drawn, rules=ROOMY), folded(*shuffled, rules=ROOMY)
    assert one.as_of == other.as_of
    assert one.counts == other.counts
    for name in WEIGHT_FIELDS:
        assert getattr(one, name).values == pytest.approx(getattr(other, name).values, rel=1e-9)
    assert one.sentiment.recent.value == pytest.approx(other.sentiment.recent.value, abs=1e-9)


def test_an_event_late_by_d_moves_a_weight_by_its_faded_worth_at_most() -> None:
    before = folded(action(ActionKind.VIEW, at=NOON, brand="acme"))
    for days in (0, 1, 30, 300):
        late = action(ActionKind.PURCHASE, at=NOON - days * DAY, brand="other")
        after = folded(late, start=before, first=1)
        bound = RULES.action_weights[ActionKind.PURCHASE] * 2 ** (-days / RULES.half_life_days)
        moved = after.brands.total - before.brands.total
        assert 0 < moved <= bound * (1 + 1e-9)
        assert after.brands.values["acme"] == before.brands.values["acme"]


def test_a_clock_in_the_future_does_not_age_the_profile() -> None:
    before = folded(action(at=NOON, brand="acme"))
    wild = action(at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), brand="other")
    after = fold(before, wild, Position("1", 0, 1), RULES, logged_at=NOON)
    assert after.as_of == NOON + RULES.max_ahead
    assert after.brands.values["acme"] == pytest.approx(1.0, abs=1e-3)


def test_a_clock_in_the_far_past_is_limited_too() -> None:
    ancient = action(at=datetime(1, 1, 1, tzinfo=UTC), brand="acme")
    profile = fold(None, ancient, Position("1", 0, 0), RULES, logged_at=NOON)
    assert profile.first_seen == NOON - RULES.max_late


# --- bounds


@settings(max_examples=25)
@given(st.lists(signals, min_size=1, max_size=60))
def test_every_field_is_bounded_and_nothing_of_the_weight_is_lost(drawn: list[UserSignal]) -> None:
    tight = ProfileRules(top_k=3, price_types=2, recent_queries=2)
    profile, roomy = folded(*drawn, rules=tight), folded(*drawn, rules=ROOMY)
    for name in WEIGHT_FIELDS:
        assert len(getattr(profile, name).values) <= 3
        assert getattr(profile, name).total == pytest.approx(getattr(roomy, name).total, abs=1e-9)
    assert all(len(prices.by_type) <= 2 for prices in profile.prices.values())
    assert len(profile.recent_queries) <= 2


def test_a_newcomer_can_rise_among_heavy_values() -> None:
    tight = ProfileRules(top_k=2)
    old = [action(ActionKind.PURCHASE, brand=name) for name in ("a", "b")]
    profile = folded(*old, *(action(brand="new") for _ in range(12)), rules=tight)
    assert profile.brands.values.keys() == {"b", "new"}


def test_a_user_with_very_many_events_stays_small() -> None:
    profile: Profile | None = None
    for n in range(3000):
        signal = action(
            ActionKind.CLICK,
            at=NOON + timedelta(seconds=n),
            source=source(2 * n, topic=f"t{n % 20}"),
            brand=f"brand {n}" + "x" * 100,
            product_type=f"type {n}",
            price=float(n + 1),
            currency=("EUR", "USD", "GBP", "JPY", "CHF")[n % 5],
            attributes={f"a{m}": f"{n} {m}" for m in range(30)},
        )
        profile = fold(profile, signal, Position("1", 0, n), RULES)
    assert profile is not None
    assert len(encode(profile)) < 32_000
    assert profile.counts == {"clicks": 3000}
    assert len(profile.prices) <= RULES.currencies
    assert len(profile.seen) <= RULES.sources


# --- idempotence


@given(st.lists(signals, min_size=1, max_size=15), st.data())
def test_redelivery_from_any_earlier_position_changes_nothing(
    drawn: list[UserSignal], data: st.DataObject
) -> None:
    """CASES 25."""
    straight = folded(*drawn)
    profile: Profile | None = None
    offset = 0
    back = data.draw(st.lists(st.integers(0, len(drawn)), max_size=4))
    while offset < len(drawn):
        profile = fold(profile, drawn[offset], Position("1", 0, offset), RULES)
        offset += 1
        if back:
            offset = max(0, offset - back.pop())
    assert profile == straight


def test_a_repeat_gives_back_the_very_same_profile() -> None:
    profile = folded(query(), query())
    assert fold(profile, query(), Position("1", 0, 1), RULES) is profile
    assert fold(profile, query(), Position("1", 0, 0), RULES) is profile


def test_one_source_published_twice_counts_once() -> None:
    once = folded(query(source=source(5)), query(source=source(9)))
    again = folded(query(source=source(5)), query(source=source(9)), start=once, first=2)
    assert again == msgspec.structs.replace(once, position=Position("1", 0, 3))


def test_a_source_that_comes_late_for_the_first_time_counts() -> None:
    profile = folded(*(query(source=source(offset)) for offset in (5, 9, 7)))
    assert profile.counts == {"queries": 3}


@given(st.lists(st.integers(0, 60), max_size=60), st.integers(1, 8))
def test_seen_offsets_never_forget_and_are_bounded(offsets: list[int], window: int) -> None:
    seen = SeenOffsets(-1, (), -1)
    for n, offset in enumerate(offsets):
        if offset not in seen:
            seen = seen.with_offset(offset, touched=n, window=window)
        assert offset in seen
        assert len(seen.recent) <= window
    assert all(offset in seen for offset in offsets)


def test_a_new_epoch_starts_source_offsets_anew() -> None:
    before = folded(query(source=source(500)))
    after = fold(before, query(source=source(3)), Position("2", 1, 0), RULES)
    assert after.counts == {"queries": 2}


@pytest.mark.parametrize(
    ("position", "user"),
    [
        (Position("1", 0, 0), USER),
        (Position("2", 1, 9), USER),
        (Position("2", 0, 9), "k1." + "1" * 32),
    ],
)
def test_a_signal_of_another_epoch_partition_or_user_is_refused(
    position: Position, user: str
) -> None:
    before = fold(None, query(), Position("2", 0, 5), RULES)
    with pytest.raises(RecordError):
        fold(before, query(user=user), position, RULES)


def test_epochs_sort_by_the_value_of_their_numbers() -> None:
    ordered = ["1", "2", "10", "2026-09", "2026-10", "v9", "v10"]
    assert all(epoch_order(a) < epoch_order(b) for a, b in pairwise(ordered))


# --- erasure


def corrected(signal: UserSignal) -> UserSignal:
    return msgspec.structs.replace(signal, revision=1)


def restated(profile: Profile) -> UserSignal:
    return UserSignal(user=USER, occurred_at=NOON, restated=profile)


def test_a_correction_only_moves_the_position_of_who_is_known() -> None:
    said = query(entity("color", "red"), source=source(1))
    profile = folded(said)
    blue = corrected(query(entity("color", "blue"), source=source(2)))
    after = folded(blue, start=profile, first=1)
    assert after == msgspec.structs.replace(profile, position=Position("1", 0, 1))
    assert folded(blue).colors.values == {"blue": 1.0}  # the first one is gone from the log


def test_a_restated_profile_takes_the_place_of_the_one_at_its_position() -> None:
    profile, right = folded(query(entity("color", "red"))), folded(query(entity("color", "blue")))
    after = folded(restated(right), start=profile, first=1)
    assert after == msgspec.structs.replace(right, position=Position("1", 0, 1))
    assert folded(restated(right), start=after, first=1) is after  # a repeat


@pytest.mark.parametrize("between", [query(), erasure()], ids=["something said", "an erasure"])
def test_a_restated_profile_does_not_count_when_the_user_has_moved_on(between: UserSignal) -> None:
    right = folded(query(entity("color", "blue")))
    moved = folded(query(entity("color", "red")), between)
    after = folded(restated(right), start=moved, first=2)
    assert after == msgspec.structs.replace(moved, position=Position("1", 0, 2))


def test_a_restated_profile_of_nobody_known_or_of_a_later_layout_is_refused() -> None:
    profile = folded(query())
    for start, other in (
        (None, profile),
        (profile, msgspec.structs.replace(profile, layout=99)),
        (profile, msgspec.structs.replace(profile, user="k1." + "f" * 32)),
    ):
        with pytest.raises(RecordError, match="not known"):
            folded(restated(other), start=start, first=1)


def test_a_restated_profile_in_a_new_epoch_keeps_no_offsets_of_the_old_one() -> None:
    profile = folded(query(source=source(1)))
    after = fold(profile, restated(profile), Position("2", 0, 0), RULES)
    assert after == msgspec.structs.replace(profile, position=Position("2", 0, 0), seen={})


def test_an_erasure_leaves_a_marker_only() -> None:
    marker = folded(query(entity("creator", "acme"), source=source(1)), erasure(at=NOON + DAY))
    assert marker.is_erased
    assert marker.erased_at == NOON + DAY
    assert b"acme" not in encode(marker)
    assert b"red shoes" not in encode(marker)


def test_later_signals_start_anew() -> None:
    profile = folded(
        query(entity("creator", "acme"), source=source(1)),
        erasure(at=NOON + DAY),
        query(entity("creator", "other"), at=NOON + 2 * DAY, source=source(2, at=NOON + 2 * DAY)),
    )
    assert not profile.is_erased
    assert profile.brands.values == {"other": 1.0}
    assert profile.counts == {"queries": 1}
    assert profile.erased_at == NOON + DAY


@pytest.mark.parametrize(
    "old",
    [
        query(at=NOON, source=source(1, at=NOON + 3 * DAY)),
        query(at=NOON + 3 * DAY, source=source(7, at=NOON)),
        query(at=NOON + 3 * DAY, source=source(4, at=NOON + 3 * DAY)),
        action(at=NOON, brand="acme"),
    ],
    ids=["said before", "logged before", "offset passed", "no source"],
)
def test_what_was_said_before_an_erasure_never_comes_back(old: UserSignal) -> None:
    marker = folded(query(source=source(5)), erasure(at=NOON + DAY))
    after = folded(old, start=marker, first=2)
    assert after.is_erased
    assert after.counts == {}


def test_an_erasure_covers_all_that_was_logged_before_it() -> None:
    backdated = erasure(at=NOON - 30 * DAY)
    marker = fold(folded(query()), backdated, Position("1", 0, 9), RULES, logged_at=NOON + DAY)
    assert marker.erased_at == NOON + DAY


def test_an_erasure_of_an_unknown_user_leaves_a_marker_too() -> None:
    assert folded(erasure()).is_erased


# --- the record


@given(st.lists(signals, min_size=1, max_size=10))
def test_a_profile_survives_its_encoding_bit_for_bit(drawn: list[UserSignal]) -> None:
    profile = folded(*drawn)
    decoded = msgspec.json.decode(encode(profile), type=Profile)
    assert decoded == profile
    assert encode(decoded) == encode(profile)


@given(st.lists(signals, min_size=2, max_size=12))
def test_decoding_between_any_two_steps_changes_no_bit(drawn: list[UserSignal]) -> None:
    """The worker keeps bytes in its table; a rebuild keeps structs: both must agree."""
    tight = ProfileRules(top_k=2)
    stored: Profile | None = None
    for offset, signal in enumerate(drawn):
        step = fold(stored, signal, Position("1", 0, offset), tight)
        stored = msgspec.json.decode(encode(step), type=Profile)
    assert stored is not None
    assert encode(stored) == encode(folded(*drawn, rules=tight))


def test_the_fold_changes_neither_argument() -> None:
    profile = folded(query(entity("creator", "acme"), vector=vector_of(1, 0)))
    kept = encode(profile)
    folded(action(brand="other", price=3.0, at=NOON + DAY), start=profile, first=1)
    assert encode(profile) == kept
