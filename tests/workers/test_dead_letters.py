"""Dead letters, listed and shown from a real Kafka; their content only when asked for."""

import itertools
from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.records import SourceRecord
from workers.cli import app
from workers.dead_letters import (
    DeadLetter,
    Selection,
    SourceFilter,
    dead_letter_at,
    dead_letters,
    parse_source,
)
from workers.embedded.kafka import EmbeddedKafka
from workers.kafka import producer, running
from workers.settings import Settings, load_settings
from workers.topic_range import RangeError
from workers.topics_admin import apply

_numbers = itertools.count()
_SECRET = b'{"txt":"jane.doe@shop.example"}'


@pytest.fixture
async def settings(kafka: EmbeddedKafka) -> Settings:
    found = load_settings(
        None,
        prefix=f"dead{next(_numbers)}",
        kafka={"bootstrap_servers": kafka.bootstrap},
        topics={"partitions": 1},
    )
    await apply(found)
    return found


async def _set_aside(settings: Settings, reasons: Sequence[DeadReason]) -> None:
    async with running(producer(settings.kafka), settings.kafka) as client:
        for n, reason in enumerate(reasons):
            record = SourceRecord("queries.raw", 3, n, 0, b"\xffkey", _SECRET, (("x", None),))
            error = RecordError(reason, Stage.DECODE, "why")
            letter = dead_letter(
                settings.topic_names.dead, record, error, cluster="main", epoch="1"
            )
            await client.send_and_wait(
                letter.topic, letter.value, key=letter.key, headers=list(letter.headers)
            )


async def _all(settings: Settings) -> list[DeadLetter]:
    return [letter async for letter in dead_letters(settings, Selection())]


async def test_every_dead_letter_is_listed_with_its_reason_and_origin(settings: Settings) -> None:
    await _set_aside(settings, [DeadReason.INVALID_JSON, DeadReason.TOO_LONG])
    first, second = await _all(settings)
    assert (first.reason, second.reason) == ("invalid_json", "too_long")
    assert (first.source, second.source) == ("queries.raw:3:0", "queries.raw:3:1")
    assert (first.partition, first.offset, second.offset) == (0, 0, 1)
    assert first.message == "invalid_json: why"
    assert first.value_bytes == len(_SECRET)


async def test_content_is_shown_only_when_asked_for(settings: Settings) -> None:
    await _set_aside(settings, [DeadReason.MISSING_TEXT])
    letter = await dead_letter_at(settings, 0, 0)
    assert "jane" not in repr(letter)
    assert "jane" not in repr(letter.as_dict())
    raw = letter.as_dict(raw=True)
    assert raw["value"] == _SECRET.decode()
    assert raw["key"] == r"\xffkey"


@pytest.mark.parametrize(
    ("partition", "offset", "message"),
    [(0, 1, "has no record at 1"), (0, 99, "has no offset 99"), (7, 0, "has no partition 7")],
)
async def test_a_position_that_is_not_there_is_an_error(
    settings: Settings, partition: int, offset: int, message: str
) -> None:
    await _set_aside(settings, [DeadReason.MISSING_TEXT])
    with pytest.raises(RangeError, match=message):
        await dead_letter_at(settings, partition, offset)


async def test_no_dead_letters_are_an_empty_list(settings: Settings) -> None:
    assert await _all(settings) == []


async def test_a_missing_topic_is_an_error(settings: Settings) -> None:
    bare = load_settings(
        None,
        prefix=f"{settings.prefix}-none",
        kafka={"bootstrap_servers": settings.kafka.bootstrap_servers},
    )
    with pytest.raises(RangeError, match="there is no topic"):
        await _all(bare)


def test_a_position_is_partition_and_offset() -> None:
    result = CliRunner().invoke(app, ["dead", "show", "42"])
    assert result.exit_code == 1
    assert "PARTITION:OFFSET" in str(result.exception)


@pytest.mark.parametrize(
    ("text", "takes", "leaves"),
    [
        ("queries.raw", ["queries.raw:0:0", "queries.raw:3:9"], ["users.actions:0:0", "?:?:?"]),
        ("queries.raw:3", ["queries.raw:3:9"], ["queries.raw:30:9", "queries.raw:?:?"]),
        ("queries.raw:3:9", ["queries.raw:3:9"], ["queries.raw:3:8", "queries.raw:3:10"]),
        ("queries.raw:3:9-11", ["queries.raw:3:9", "queries.raw:3:11"], ["queries.raw:3:12"]),
    ],
)
def test_a_source_is_a_topic_a_partition_or_some_offsets(
    text: str, takes: list[str], leaves: list[str]
) -> None:
    found = parse_source(text)
    assert all(found.takes(source) for source in takes)
    assert not any(found.takes(source) for source in leaves)


@pytest.mark.parametrize("text", ["", "a b", "queries.raw:x", "queries.raw:0:5-", ":0:1"])
def test_what_is_no_source_is_an_error_that_shows_the_forms(text: str) -> None:
    with pytest.raises(RangeError, match="TOPIC:PARTITION"):
        parse_source(text)


async def test_reason_and_source_choose(settings: Settings) -> None:
    await _set_aside(settings, [DeadReason.INVALID_JSON, DeadReason.TOO_LONG, DeadReason.TOO_LONG])
    long = Selection(
        reasons=frozenset({DeadReason.TOO_LONG}), sources=(SourceFilter("queries.raw", 3, 0, 1),)
    )
    assert [letter.source async for letter in dead_letters(settings, long)] == ["queries.raw:3:1"]
