"""Kafka clients made from the settings, security passed through, with errors that say what to do."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import create_conn, get_ip_port_afi
from aiokafka.errors import KafkaConnectionError
from aiokafka.errors import KafkaError as AIOKafkaError
from aiokafka.partitioner import DefaultPartitioner, murmur2
from aiokafka.protocol.metadata import MetadataRequest
from pydantic import SecretStr

from streams.records import OutputRecord, SourceRecord
from workers.errors import SettingsError, UnreachableError
from workers.sections import KafkaSettings

logger = logging.getLogger(__name__)

ClientT = TypeVar("ClientT", AIOKafkaConsumer, AIOKafkaProducer, AIOKafkaAdminClient)

_MAX_BATCH_BYTES: Final = 256 * 1024
MAX_REQUEST_BYTES: Final = 128 * 1024 * 1024
"""Checked before compression, while brokers and topics limit what is sent: a record that came in
compressed, far larger than the topic's limit, must be able to leave as a dead letter."""
_PROBE_TIMEOUT_MS: Final = 5_000
_STOP_S: Final = 10.0  # closing waits for acknowledgements, which a dead broker never sends


def ssl_context(kafka: KafkaSettings) -> ssl.SSLContext | None:
    """The TLS context of the settings; None where the protocol has no TLS.

    Raises `SettingsError` when a file cannot be read or is not what it should be.
    """
    if not kafka.security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=kafka.ssl_cafile)
        context.check_hostname = kafka.ssl_check_hostname
        if kafka.ssl_certfile is not None:
            password = _revealed(kafka.ssl_keyfile_password)
            # an empty password fails on a locked key; None would make OpenSSL ask at the terminal
            context.load_cert_chain(kafka.ssl_certfile, kafka.ssl_keyfile, password or "")
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"the TLS files of Kafka cannot be used: {error.strerror or error}",
            "look at INTENTSTREAM_KAFKA__SSL_CAFILE, __SSL_CERTFILE, __SSL_KEYFILE and "
            "__SSL_KEYFILE_PASSWORD",
        ) from error
    return context


def _revealed(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def connection(kafka: KafkaSettings) -> dict[str, Any]:
    """The keyword arguments with which every client of aiokafka is told where and how to connect.

    Raises `SettingsError` for an address that is none, which aiokafka would let out as a ValueError.
    """
    for address in kafka.bootstrap_servers.split(","):
        try:
            get_ip_port_afi(address)
        except ValueError:
            raise SettingsError(
                f"INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS: {address.strip()!r} is no host:port",
                "write host:port, several by comma",
            ) from None
    arguments: dict[str, Any] = {
        "bootstrap_servers": kafka.bootstrap_servers,
        "client_id": kafka.client_id,
        "request_timeout_ms": kafka.request_timeout_ms,
        "security_protocol": kafka.security_protocol,
        "ssl_context": ssl_context(kafka),
    }
    if kafka.security_protocol.startswith("SASL"):
        arguments |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.sasl_username,
            "sasl_plain_password": _revealed(kafka.sasl_password),
        }
    return arguments


def consumer(
    kafka: KafkaSettings, *topics: str, group_id: str | None = None, **more: Any
) -> AIOKafkaConsumer:
    """A consumer that commits only when told to, and never moves to another offset by itself.

    Without a committed offset it raises `NoOffsetForPartitionError`: where to start is decided by
    whoever uses it. `more` are arguments of `AIOKafkaConsumer`, which win over ours.
    """
    arguments = connection(kafka) | {
        "group_id": group_id,
        "group_instance_id": kafka.group_instance_id if group_id else None,
        "session_timeout_ms": kafka.session_timeout_ms,
        "heartbeat_interval_ms": kafka.heartbeat_interval_ms,
        "max_poll_interval_ms": kafka.max_poll_interval_ms,
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_committed",
    }
    return AIOKafkaConsumer(*topics, **arguments | more)


def producer(kafka: KafkaSettings, **more: Any) -> AIOKafkaProducer:
    """An idempotent producer: acknowledged by all replicas in sync, retried without duplicates.

    Refuses no record as too large; the topic does. `more` are arguments of `AIOKafkaProducer`,
    which win over ours.
    """
    arguments = connection(kafka) | {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": None if kafka.compression == "none" else kafka.compression,
        "linger_ms": kafka.linger_ms,
        "max_batch_size": _MAX_BATCH_BYTES,
        "max_request_size": MAX_REQUEST_BYTES,
        "partitioner": _partitioner,
    }
    return AIOKafkaProducer(**arguments | more)


class Partitioner(DefaultPartitioner):  # type: ignore[misc]  # aiokafka ships no types
    """Kafka's own choice by key, remembered: aiokafka's murmur2 is Python, and keys come again."""

    def __call__(self, key: bytes | None, all_partitions: list[int], available: list[int]) -> int:
        """One of the partitions; at random for a record without key."""
        if key is None:
            return int(super().__call__(key, all_partitions, available))
        return all_partitions[_hash_of(key) % len(all_partitions)]


_partitioner: Final = Partitioner()


def partition_for(key: bytes | None, partitions: list[int]) -> int:
    """Which of a topic's partitions a record goes to, as `send` of our producers chooses it."""
    return _partitioner(key, partitions, partitions)


@lru_cache(maxsize=16_384)
def _hash_of(key: bytes) -> int:
    return int(murmur2(key)) & 0x7FFFFFFF


def admin(kafka: KafkaSettings) -> AIOKafkaAdminClient:
    """A client for topics, configurations and groups."""
    return AIOKafkaAdminClient(**connection(kafka))


@asynccontextmanager
async def running(client: ClientT, kafka: KafkaSettings) -> AsyncIterator[ClientT]:
    """Starts a client and stops it in the end.

    Raises `UnreachableError` when no broker takes the connection, with the reason of the first.
    """
    stop = client.close if isinstance(client, AIOKafkaAdminClient) else client.stop
    try:
        await client.start()
    except KafkaConnectionError as error:
        await stop()
        raise await unreachable(kafka) from error
    except BaseException:
        await stop()
        raise
    try:
        yield client
    finally:
        await _stopped(stop)


async def _stopped(stop: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Closes a client, within a bound, and without the CancelledErrors that aiokafka lets out.

    A consumer raises one when its tasks never got to run, or when no broker is there any more.
    """
    task = asyncio.create_task(stop())
    try:
        await asyncio.wait({task}, timeout=_STOP_S)
    finally:
        if not task.done():
            task.cancel()
    error = None if not task.done() or task.cancelled() else task.exception()
    if not task.done() or isinstance(error, AIOKafkaError):
        logger.warning("a Kafka client did not close cleanly: %s", error or "no answer")
    elif error is not None:
        raise error


async def unreachable(kafka: KafkaSettings) -> UnreachableError:
    """Why Kafka cannot be reached: aiokafka only logs the reason, so one broker is asked again."""
    first = kafka.bootstrap_servers.split(",")[0].strip()
    reason = await refusal(kafka, first) or "it answers now: it was away for a moment"
    return UnreachableError(
        f"Kafka at {kafka.bootstrap_servers} cannot be reached: {reason}",
        "check INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS, its security settings, and that a broker "
        "listens there",
    )


async def refusal(kafka: KafkaSettings, address: str) -> str | None:
    """Why one broker (`host:port`) does not take our connection; None when it does."""
    try:
        (await _probe(kafka, address)).close()
    except TimeoutError:
        return "no answer in time"
    except (OSError, AIOKafkaError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    except ValueError:  # after OSError, for an SSLCertVerificationError is both
        return f"{address!r} is no host:port"
    return None


async def advertised(kafka: KafkaSettings) -> list[str]:
    """Where the cluster says that its brokers are: the `host:port` that every client will dial.

    Raises `UnreachableError` when no broker of the settings answers.
    """
    async with connected(kafka) as connection_:
        metadata = await connection_.send(MetadataRequest([]))
    return [f"{host}:{port}" for _, host, port, *_ in metadata.brokers]


@asynccontextmanager
async def connected(kafka: KafkaSettings) -> AsyncIterator[Any]:
    """A bare connection to some broker, for requests that aiokafka's clients do not offer.

    Raises `UnreachableError` when no broker of the settings answers.
    """
    for address in kafka.bootstrap_servers.split(","):
        try:
            probe = await _probe(kafka, address.strip())
        except (OSError, AIOKafkaError, ValueError):
            continue
        try:
            yield probe
        finally:
            probe.close()
        return
    raise await unreachable(kafka)


async def _probe(kafka: KafkaSettings, address: str) -> Any:
    """One connection to one broker, past TLS and SASL, within five seconds."""
    host, port, _ = get_ip_port_afi(address)
    arguments = connection(kafka)
    del arguments["bootstrap_servers"]
    arguments["request_timeout_ms"] = min(kafka.request_timeout_ms, _PROBE_TIMEOUT_MS)
    return await create_conn(host, port, **arguments)


def source_record(record: ConsumerRecord) -> SourceRecord:
    """A record of aiokafka's as ours."""
    return SourceRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=-1 if record.timestamp is None else record.timestamp,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers or ()),
    )


async def send(
    client: AIOKafkaProducer, output: OutputRecord, partition: int | None = None
) -> Awaitable[object]:
    """Hands a record over, with the wall clock as its time; awaiting the result acknowledges it.

    Args:
        client: that is started.
        output: any record, also one with neither key nor value, which aiokafka's `send` refuses.
        partition: where to; by the key when None.
    """
    headers = list(output.headers)
    if output.key is not None or output.value is not None:
        sent: Awaitable[object] = await client.send(
            output.topic, output.value, key=output.key, headers=headers, partition=partition
        )
        return sent
    if partition is None:
        partition = min(await client.partitions_for(output.topic))
    batch = client.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=headers)
    batch.close()
    single: Awaitable[object] = await client.send_batch(batch, output.topic, partition=partition)
    return single


async def cluster_id(client: AIOKafkaAdminClient) -> str:
    """The id that the cluster gave itself when it was formatted."""
    return str((await client.describe_cluster())["cluster_id"])
