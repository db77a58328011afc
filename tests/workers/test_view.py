"""The live view: what it folds from records, and how it looks on terminals and elsewhere."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.decayed import Weights
from streams.events import (
    Entity,
    Label,
    ModelVersion,
    PipelineVersion,
    QueryUnderstood,
    Source,
    encode,
)
from streams.profile_schema import Position, Profile
from streams.records import Headers, SourceRecord
from streams.topics import TopicNames
from workers.embedded.view import annotated, fitted, highlighted, line, screen, status_line
from workers.embedded.view_state import DeadSeen, Rate, ViewState

TOPICS = TopicNames()
NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def understood(text: str, *entities: tuple[str, str], **fields: Any) -> QueryUnderstood:
    found = []
    for kind, words in entities:
        start = text.index(words)
        found.append(Entity(kind, words, words.casefold(), start, start + len(words), 0.9))
    settings: dict[str, Any] = {
        "query_id": "q-1", "occurred_at": NOON, "text": text, "language": "en",
        "intent": Label("product_search", 0.98), "sentiment": Label("neutral", 0.7),
        "entities": tuple(found), "relations": (), "alternatives": (),
        "model": ModelVersion("m", "1", "d"), "pipeline": PipelineVersion("1", "d"),
        "source": Source("main", TOPICS.raw, 0, 0, 0),
    }  # fmt: skip
    return QueryUnderstood(**settings | fields)


def record(
    topic: str, value: bytes | None, key: bytes | None = None, headers: Headers = ()
) -> SourceRecord:
    return SourceRecord(topic, 0, 0, 0, key, value, headers)


def profile(user: str = "k1.00ff00ff00ff", **fields: Any) -> Profile:
    known: dict[str, Any] = {"as_of": NOON, "first_seen": NOON, "position": Position("1", 0, 3)}
    return Profile(user=user, **known | fields)


def drawn(state: ViewState, width: int, height: int) -> list[str]:
    console = Console(
        file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None
    )
    console.print(
        screen(state, now=1.0, width=width, height=height, title="Intentstream", footer="Ctrl-C")
    )
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


RED_SHOES = understood("red Nike shoes", ("color", "red"), ("creator", "Nike"))
TEA = understood("红色 茶壶 für Oma", ("color", "红色"), ("core_product_type", "茶壶"))


class TestState:
    def test_queries_dead_letters_and_one_profile_are_folded(self) -> None:
        state = ViewState(TOPICS)
        state.fold(record(TOPICS.intents, encode(RED_SHOES)), 1.0)
        error = RecordError(DeadReason.EMPTY_TEXT, Stage.PREPARE, "empty")
        source = SourceRecord(TOPICS.raw, 2, 17, 0, b"k", b"secret", ())
        letter = dead_letter(TOPICS.dead, source, error, cluster="main", epoch="1")
        seen = state.fold(record(letter.topic, letter.value, letter.key, letter.headers), 1.0)
        assert seen == DeadSeen("empty_text", "queries.raw[2]@17")
        assert (state.enriched, state.entities, state.dead) == (1, 2, {"empty_text": 1})

    def test_a_dead_letter_of_someone_else_has_no_reason(self) -> None:
        state = ViewState(TOPICS)
        state.fold(record(TOPICS.dead, b"x"), 1.0)
        assert state.dead == {"unnamed": 1}

    def test_the_first_user_is_followed_until_erased(self) -> None:
        state = ViewState(TOPICS)
        for user, queries in (("k1.a", 1), ("k1.b", 5), ("k1.a", 2)):
            value = encode(profile(user, counts={"queries": queries}))
            state.fold(record(TOPICS.features, value, user.encode()), 1.0)
        assert state.profile == profile("k1.a", counts={"queries": 2})
        state.fold(record(TOPICS.features, None, b"k1.a"), 1.0)
        assert state.followed is None
        state.fold(record(TOPICS.features, encode(profile("k1.b")), b"k1.b"), 1.0)
        assert state.followed == "k1.b"

    def test_only_the_last_queries_are_remembered(self) -> None:
        state = ViewState(TOPICS, kept=3)
        for _ in range(10):
            state.fold(record(TOPICS.intents, encode(RED_SHOES)), 1.0)
        assert (len(state.queries), state.enriched) == (3, 10)

    def test_the_rate_is_that_of_the_last_ten_seconds(self) -> None:
        rate = Rate()
        assert rate.per_second(5.0) == 0.0
        for tenth in range(300):
            rate.add(100 + tenth / 10)
        assert rate.per_second(130.0) == pytest.approx(10, rel=0.11)
        assert rate.per_second(150.0) == 0.0


class TestLines:
    def test_entities_are_marked_in_the_text(self) -> None:
        assert annotated(RED_SHOES) == "{red:color} {Nike:creator} shoes"
        assert annotated(TEA) == "{红色:color} {茶壶:core_product_type} für Oma"

    def test_a_query_is_one_line(self) -> None:
        text = line(RED_SHOES)
        assert "product_search" in text
        assert "0.98" in text
        assert text.endswith("{red:color} {Nike:creator} shoes")

    def test_a_profile_is_one_line(self) -> None:
        text = line(profile(brands=Weights({"nike": 2.0, "lego": 3.0}), counts={"queries": 4}))
        assert "4 queries" in text
        assert "brands lego, nike" in text

    def test_the_status_counts_by_reason(self) -> None:
        state = ViewState(TOPICS, lag={"enricher": 3})
        state.dead.update({"empty_text": 2, "invalid_json": 1})
        text = status_line(state, 1.0)
        assert "3 dead (empty_text 2, invalid_json 1)" in text
        assert "behind: enricher 3" in text


class TestScreen:
    @given(st.text(max_size=60), st.integers(2, 40))
    def test_fitted_text_has_exactly_the_width(self, text: str, width: int) -> None:
        assert cell_len(fitted(text, width)) == width

    def test_highlights_are_where_the_entities_are(self) -> None:
        spans = [(span.start, span.end) for span in highlighted(TEA).spans]
        assert [TEA.text[start:end] for start, end in spans] == ["红色", "茶壶"]

    @pytest.mark.parametrize(("width", "height"), [(160, 50), (100, 30), (80, 24), (60, 16)])
    def test_it_fits_the_terminal_whatever_the_script(self, width: int, height: int) -> None:
        state = ViewState(TOPICS, lag={"enricher": 0, "personalizer": 2})
        for event in (RED_SHOES, TEA, understood("שמלה אדומה 👗 " * 20)) * 20:
            state.fold(record(TOPICS.intents, encode(event)), 1.0)
        state.dead["invalid_json"] = 3
        value = encode(profile(brands=Weights({"华为": 2.0, "lego": 3.0})))
        state.fold(record(TOPICS.features, value, b"k1.a"), 1.0)
        rows = drawn(state, width, height)
        assert len(rows) <= height
        assert {cell_len(row) for row in rows} == {width}
        joined = "\n".join(rows)
        assert "product_search" in joined
        assert "invalid_json" in joined
        assert "茶壶" in joined
        assert "华为" in joined or height < 20

    def test_the_newest_query_is_always_visible(self) -> None:
        state = ViewState(TOPICS)
        for number in range(100):
            state.fold(record(TOPICS.intents, encode(understood(f"query {number}"))), 1.0)
        for width, height in ((120, 30), (80, 24), (70, 18)):
            assert any("query 99" in row for row in drawn(state, width, height)), (width, height)
