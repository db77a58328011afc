"""Kafka clients against real brokers: TLS, mutual TLS, SASL, and what is said when it fails."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme
from aiokafka.errors import NoOffsetForPartitionError
from aiokafka.structs import TopicPartition
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from streams.topics import DEAD_MAX_BYTES
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.ports import free_ports
from workers.errors import SettingsError, UnreachableError
from workers.kafka import (
    admin,
    connection,
    consumer,
    producer,
    refusal,
    running,
    ssl_context,
)
from workers.sections import KafkaSettings
from workers.settings import load_settings
from workers.topics_admin import apply


@dataclass(frozen=True, slots=True)
class SecureKafka:
    """A broker with one listener for SASL over TLS and one for mutual TLS."""

    sasl: str
    mutual: str
    ca: Path
    certificate: Path
    key: Path

    def settings(self, **changes: Any) -> KafkaSettings:
        """The settings that get in over SASL."""
        given: dict[str, Any] = {
            "bootstrap_servers": self.sasl,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "PLAIN",
            "sasl_username": "worker",
            "sasl_password": "open sesame",
            "ssl_cafile": self.ca,
            "request_timeout_ms": 5_000,
        }
        return KafkaSettings(**given | changes)

    def mutual_settings(self, **changes: Any) -> KafkaSettings:
        """The settings that get in with a certificate."""
        given: dict[str, Any] = {
            "bootstrap_servers": self.mutual,
            "security_protocol": "SSL",
            "ssl_cafile": self.ca,
            "ssl_certfile": self.certificate,
            "ssl_keyfile": self.key,
            "request_timeout_ms": 5_000,
        }
        return KafkaSettings(**given | changes)


def _pkcs8(key: bytes) -> bytes:
    """The key in the encoding that Java reads."""
    return load_pem_private_key(key, None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _inline(pem: bytes) -> str:
    """A PEM text as one value of a properties file."""
    return pem.decode().strip().replace("\n", "\\n")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecureKafka]:
    folder = tmp_path_factory.mktemp("secure")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    client = authority.issue_cert("worker.shop.example")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for blob in client.cert_chain_pems:
        blob.write_to_path(str(folder / "client.pem"), append=True)
    client.private_key_pem.write_to_path(str(folder / "client.key"))
    plain, controller, sasl, mutual = free_ports(4)
    listeners = (
        f"PLAINTEXT://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},MUTUAL://127.0.0.1:{mutual},"
        f"CONTROLLER://127.0.0.1:{controller}"
    )
    settings = {
        "listeners": listeners,
        "advertised.listeners": listeners,
        "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
        "listener.security.protocol.map": (
            "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_SSL,MUTUAL:SSL"
        ),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.key": _inline(_pkcs8(server.private_key_pem.bytes())),
        "ssl.keystore.certificate.chain": _inline(
            b"".join(blob.bytes() for blob in server.cert_chain_pems)
        ),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.certificates": _inline(authority.cert_pem.bytes()),
        "listener.name.mutual.ssl.client.auth": "required",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config": (
            "org.apache.kafka.common.security.plain.PlainLoginModule required "
            'username="broker" password="of its own" user_worker="open sesame";'
        ),
    }
    async with EmbeddedKafka(folder, port=plain, settings=settings):
        yield SecureKafka(
            sasl=f"127.0.0.1:{sasl}",
            mutual=f"127.0.0.1:{mutual}",
            ca=folder / "ca.pem",
            certificate=folder / "client.pem",
            key=folder / "client.key",
        )


@pytest.mark.parametrize("way", ["sasl", "mutual"])
async def test_all_clients_get_in(secure_kafka: SecureKafka, way: str) -> None:
    kafka = secure_kafka.settings() if way == "sasl" else secure_kafka.mutual_settings()
    settings = load_settings(None, prefix=way, kafka=kafka)
    await apply(settings)
    topic = settings.topic_names.raw
    async with running(producer(kafka), kafka) as sender:
        sent = await sender.send_and_wait(topic, b"hello", partition=0)
    async with running(consumer(kafka), kafka) as reader:
        partition = TopicPartition(topic, 0)
        reader.assign([partition])
        await reader.seek_to_beginning(partition)
        record = await asyncio.wait_for(reader.getone(), 10)
    assert (record.value, record.offset) == (b"hello", sent.offset)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sasl_password": "wrong"}, "Authentication"),
        ({"sasl_username": "nobody"}, "Authentication"),
        ({"ssl_cafile": None}, "certificate verify failed"),
        ({"sasl_mechanism": "SCRAM-SHA-512"}, "mechanism"),
    ],
)
async def test_a_refusal_says_why(
    secure_kafka: SecureKafka, changes: dict[str, Any], said: str
) -> None:
    kafka = secure_kafka.settings(**changes)
    with pytest.raises(UnreachableError) as caught:
        async with running(admin(kafka), kafka):
            pass
    assert said.lower() in caught.value.message.lower()
    assert "open sesame" not in str(caught.value)


async def test_without_a_certificate_mutual_tls_refuses(secure_kafka: SecureKafka) -> None:
    kafka = secure_kafka.mutual_settings(ssl_certfile=None, ssl_keyfile=None)
    with pytest.raises(UnreachableError):
        async with running(admin(kafka), kafka):
            pass


async def test_speaking_plain_to_tls_fails_within_the_time_out(secure_kafka: SecureKafka) -> None:
    kafka = KafkaSettings(bootstrap_servers=secure_kafka.sasl, request_timeout_ms=2_000)
    with pytest.raises(UnreachableError):
        async with asyncio.timeout(20), running(admin(kafka), kafka):
            pass


async def test_nobody_there() -> None:
    (port,) = free_ports(1)
    kafka = KafkaSettings(bootstrap_servers=f"127.0.0.1:{port}")
    with pytest.raises(UnreachableError, match="Connect call failed") as caught:
        async with running(producer(kafka), kafka):
            pass
    assert "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS" in caught.value.hint


@pytest.mark.parametrize("address", ["no-port", "host:port", ":"])
async def test_an_odd_address_is_a_refusal_not_a_crash(address: str) -> None:
    assert await refusal(KafkaSettings(), address)


@pytest.mark.parametrize("address", ["host:port", "good:9092,[::1]:x"])
def test_an_address_that_is_none_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(SettingsError, match="is no host:port"):
        admin(KafkaSettings(bootstrap_servers=address))


@pytest.mark.parametrize("name", ["ssl_cafile", "ssl_certfile"])
def test_an_unreadable_file_names_the_settings(tmp_path: Path, name: str) -> None:
    absent = tmp_path / "absent.pem"
    files: dict[str, Any] = (
        {"ssl_certfile": absent, "ssl_keyfile": absent} if name != "ssl_cafile" else {}
    )
    kafka = KafkaSettings(**files | {"security_protocol": "SSL", name: absent})
    with pytest.raises(SettingsError, match="TLS files of Kafka") as caught:
        ssl_context(kafka)
    assert "__SSL_CAFILE" in caught.value.hint


def test_host_names_are_checked_unless_switched_off() -> None:
    assert ssl_context(KafkaSettings()) is None
    checked = ssl_context(KafkaSettings(security_protocol="SSL"))
    unchecked = ssl_context(KafkaSettings(security_protocol="SSL", ssl_check_hostname=False))
    assert checked is not None
    assert unchecked is not None
    assert checked.check_hostname
    assert not unchecked.check_hostname
    assert unchecked.verify_mode is ssl.CERT_REQUIRED


async def test_without_an_offset_a_consumer_does_not_guess(kafka: EmbeddedKafka) -> None:
    """CASES 15: expired offsets must not silently reprocess all, or skip to the end."""
    settings = load_settings(None, prefix="guess", kafka={"bootstrap_servers": kafka.bootstrap})
    await apply(settings)
    reader = consumer(settings.kafka, settings.topic_names.raw, group_id="guess.reader")
    async with running(reader, settings.kafka):
        with pytest.raises(NoOffsetForPartitionError):
            await asyncio.wait_for(reader.getone(), 20)


async def test_batches_of_every_codec_in_one_partition_are_read(kafka: EmbeddedKafka) -> None:
    """CASES 8: older and recompressed batches lie beside plain ones; every codec is installed."""
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    settings = load_settings(None, prefix="codecs", kafka={"bootstrap_servers": kafka.bootstrap})
    await apply(settings)
    place = TopicPartition(settings.topic_names.raw, 0)
    for codec in (*codecs, *codecs[::-1]):
        written = settings.kafka.model_copy(update={"compression": codec})
        async with running(producer(written), written) as sender:
            await sender.send_and_wait(place.topic, codec.encode() * 200, partition=0)
    found: list[bytes] = []
    async with running(consumer(settings.kafka), settings.kafka) as reader:
        reader.assign([place])
        await reader.seek_to_beginning(place)
        async with asyncio.timeout(20):
            while len(found) < 2 * len(codecs):
                found += [
                    record.value for record in (await reader.getmany(timeout_ms=500)).get(place, ())
                ]
    assert found == [codec.encode() * 200 for codec in (*codecs, *codecs[::-1])]


def test_no_client_is_told_an_api_version() -> None:
    """CASES 6: the argument came, went and came back between releases; they find it out themselves."""
    assert not {"api_version", "api_version_auto_timeout_ms"} & connection(KafkaSettings()).keys()


async def test_the_largest_dead_letter_can_be_sent(kafka: EmbeddedKafka) -> None:
    settings = load_settings(None, prefix="large", kafka={"bootstrap_servers": kafka.bootstrap})
    await apply(settings)
    async with running(producer(settings.kafka), settings.kafka) as sender:
        value = bytes(DEAD_MAX_BYTES - 1_000)
        await sender.send_and_wait(settings.topic_names.dead, value)
