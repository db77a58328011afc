"""Topic names, how topics must be, and which partition a key goes to."""

import pytest
from aiokafka.partitioner import DefaultPartitioner

from streams.topics import TopicNames, topic_specs
from workers.kafka import Partitioner

_JAVA = [  # key, Utils.toPositive(Utils.murmur2(key)) % 4 and % 12 in Apache Kafka 4.4.0's client
    (b"", 1, 9),
    (b"a", 0, 4),
    (b"ab", 2, 2),
    (b"abc", 3, 3),
    (b"abcd", 0, 8),
    (b"42", 0, 4),
    (b"foobar", 2, 6),
    (b"a-little-bit-longer-string", 3, 11),
    (b"k1.0123456789abcdef0123456789abcdef", 1, 5),
    ("näive café".encode(), 0, 4),
    ("красное платье".encode(), 0, 8),
    ("红色连衣裙".encode(), 1, 1),
    ("👟 size 10".encode(), 2, 6),
    (b"\x00", 0, 8),
    (b"\xff\xfe\x80", 3, 3),
]


@pytest.mark.parametrize("choice", [DefaultPartitioner, Partitioner])
@pytest.mark.parametrize(("key", "of_four", "of_twelve"), _JAVA)
def test_keys_go_to_the_partition_that_javas_client_chooses(
    key: bytes, of_four: int, of_twelve: int, choice: type[DefaultPartitioner]
) -> None:
    """CASES 17: clients that hash otherwise break the order of a user and every join."""
    partitioner = choice()
    assert partitioner(key, list(range(4)), []) == of_four
    assert partitioner(key, list(range(12)), []) == of_twelve


def test_records_without_key_are_spread() -> None:
    """CASES 17: no key is not the empty key."""
    partitioner = Partitioner()
    assert {partitioner(None, list(range(4)), list(range(4))) for _ in range(200)} == {0, 1, 2, 3}


def test_a_prefix_sets_all_topics_of_an_environment_apart() -> None:
    bare, prefixed = TopicNames(), TopicNames("staging")
    assert bare.raw == "queries.raw"
    assert prefixed.raw == "staging.queries.raw"
    assert prefixed.replay("r1") == "staging.replays.r1"
    assert {f"staging.{spec.name}" for spec in topic_specs(bare)} == {
        spec.name for spec in topic_specs(prefixed)
    }


def test_specs_cover_every_topic_once() -> None:
    names = TopicNames()
    specs = topic_specs(names, partitions=6)
    assert sorted(spec.name for spec in specs) == sorted(
        [
            names.raw,
            names.actions,
            names.intents,
            names.entities,
            names.signals,
            names.features,
            names.dead,
        ]
    )
    assert {spec.partitions for spec in specs} == {6}


def test_what_people_send_is_stamped_by_the_broker() -> None:
    """CASES 18: retention and replay by time must not hang on producers' clocks."""
    names = TopicNames()
    by_name = {spec.name: spec.configs for spec in topic_specs(names)}
    for name in (names.raw, names.actions, names.dead):
        assert by_name[name]["message.timestamp.type"] == "LogAppendTime"


def test_dead_letters_outlive_the_queries_they_explain_and_have_room_for_headers() -> None:
    names = TopicNames()
    by_name = {spec.name: spec.configs for spec in topic_specs(names)}
    assert int(by_name[names.dead]["retention.ms"]) > int(by_name[names.raw]["retention.ms"])
    largest_raw = int(by_name[names.raw]["max.message.bytes"])
    assert int(by_name[names.dead]["max.message.bytes"]) >= largest_raw + 64 * 1024


def test_profiles_are_compacted_and_nothing_else_is() -> None:
    names = TopicNames()
    compacted = {
        spec.name for spec in topic_specs(names) if "compact" in spec.configs["cleanup.policy"]
    }
    assert compacted == {names.features}
