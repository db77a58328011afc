"""Sample traffic: repeatable, plausible, and with some malformed records among the good."""

import asyncio
from collections import Counter, defaultdict
from itertools import islice
from typing import Any

import msgspec

from streams.codec import RecordDecoder
from streams.deadletters import RecordError
from streams.events import RawQuery, UserAction
from streams.records import OutputRecord
from streams.topics import TopicNames
from workers.embedded.traffic import produce, sample_traffic

TOPICS = TopicNames("shop")


def some(count: int, **arguments: Any) -> list[OutputRecord]:
    return list(islice(sample_traffic(TOPICS, **arguments), count))


def test_the_same_seed_gives_the_same_records() -> None:
    assert some(500, seed=7) == some(500, seed=7)
    assert some(500, seed=7) != some(500, seed=8)


def test_without_malformed_records_everything_decodes() -> None:
    queries, actions = RecordDecoder(RawQuery), RecordDecoder(UserAction)
    for record in some(1_000, malformed=0.0):
        assert record.topic in (TOPICS.raw, TOPICS.actions)
        event = (queries if record.topic == TOPICS.raw else actions).decode(record.value)
        assert record.key == str(event.user_id).encode()


def test_the_share_of_malformed_records_is_as_asked_and_each_kind_occurs() -> None:
    decoder = RecordDecoder(RawQuery)
    reasons: Counter[str] = Counter()
    for record in some(2_000, malformed=0.05):
        if record.topic == TOPICS.raw:
            try:
                if not decoder.decode(record.value).text.strip():
                    reasons["empty_text"] += 1
            except RecordError as error:
                reasons[error.reason] += 1
    assert 60 <= reasons.total() <= 140
    assert reasons.keys() == {
        "invalid_json", "missing_text", "empty_text", "invalid_encoding", "null_value",
        "invalid_field",
    }  # fmt: skip


def test_users_channels_and_kinds_of_text_vary() -> None:
    decoded = [
        msgspec.json.decode(record.value or b"", type=RawQuery)
        for record in some(1_000, malformed=0.0)
        if record.topic == TOPICS.raw
    ]
    assert {query.user_id for query in decoded} == {f"u-{n}" for n in range(1, 9)}
    assert len({query.channel for query in decoded}) == 3
    assert len({query.text for query in decoded}) > len(decoded) * 0.6
    assert all("{" not in query.text for query in decoded)


def test_actions_follow_from_what_the_same_session_asked_for() -> None:
    asked: defaultdict[object, str] = defaultdict(str)
    for record in some(1_000, malformed=0.0):
        if record.topic == TOPICS.raw:
            query = msgspec.json.decode(record.value or b"", type=RawQuery)
            asked[query.session_id] += " " + query.text
        else:
            action = msgspec.json.decode(record.value or b"", type=UserAction)
            assert asked[action.session_id], "an action before any query of its session"


async def test_the_producer_keeps_the_rate_even_when_a_send_is_slow() -> None:
    class SlowSender:
        sent = 0

        async def send(self, topic: str, value: Any, key: Any, headers: Any) -> None:
            del topic, value, key, headers
            self.sent += 1
            if self.sent == 5:
                await asyncio.sleep(0.05)

    sender = SlowSender()
    loop = asyncio.get_running_loop()
    started = loop.time()
    assert await produce(sender, some(41), rate=200) == 41
    assert 0.19 <= loop.time() - started < 0.4
    assert sender.sent == 41
