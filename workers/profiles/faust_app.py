"""Faust, made to fit: settings passed through, nothing auto-created, no web server.

Why each departure from its defaults: `concurrency` stays 1 and `processing_guarantee` at least once,
because with more Faust loses events after a crash (faust#606) or stalls; its web server and its
leader topic do nothing for us; it declares no topics, so its changelog is made here, with as many
partitions as the topic that it follows and compaction.
"""

import asyncio
import logging
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code
from aiokafka.structs import TopicPartition
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables import Table
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import EventT
from faust.types.auth import CredentialsT
from yarl import URL

from streams.profile_schema import position_of
from workers.errors import ContractError, SettingsError
from workers.kafka import admin, consumer, running, ssl_context
from workers.sections import KafkaSettings
from workers.settings import Settings
from workers.topics_admin import topic_states

TABLE: Final = "profiles"
ROLE: Final = "personalizer"
_LINGER_S: Final = 0.005
_MAX_BATCH_BYTES: Final = 65_536  # with the linger, three times the throughput of the defaults
_COMMIT_EVERY_S: Final = 1.0
_MAX_REQUEST_BYTES: Final = 1_048_576


class ProfileTable(Table[bytes, bytes]):
    """Faust's table of profiles, with what Faust's own lacks.

    It can be written outside of a stream, tells when a change has reached the changelog, and never
    goes back while it recovers: a worker that was cut off may have written an older profile into
    the changelog after its successor's newer one.
    """

    logger = logging.getLogger("faust.tables")  # else it speaks in this module's name
    _partition: int
    _last_write: "asyncio.Future[Any]"

    def write(self, key: bytes, value: bytes, partition: int) -> "asyncio.Future[Any]":
        """Sets a value; the future is done when it is in that partition of the changelog."""
        self._partition = partition
        self[key] = value
        return self._last_write

    def partition_for_key(self, key: Any) -> int:  # noqa: ARG002 (Faust's signature)
        """The partition named in `write`: that of the signal."""
        return self._partition

    def send_changelog(self, *args: Any, **kwargs: Any) -> Any:
        """Sends a change as Faust does, and keeps the promise of its arrival."""
        self._last_write = super().send_changelog(*args, **kwargs)
        return self._last_write

    def _new_store_by_url(self, url: Any) -> Any:
        """The store on disk is our own; see there why."""
        if URL(url).scheme != "rocksdb":
            return super()._new_store_by_url(url)
        from workers.profiles.disk import DiskStore  # noqa: PLC0415 (an extra)

        return DiskStore(
            url,
            self.app,
            self,
            table_name=self.name,
            key_type=self.key_type,
            key_serializer=self.key_serializer,
            value_serializer=self.value_serializer,
            value_type=self.value_type,
            loop=self.loop,
        )

    def apply_changelog_batch(self, batch: Iterable[EventT[Any]]) -> None:
        """Takes in what the changelog says, as far as it is not older than what is known."""
        newest: dict[bytes, tuple[tuple[str, int], EventT[Any]]] = {}
        for event in batch:
            key, value = event.message.key, event.message.value
            if key is None or value is None:
                continue
            order = position_of(value).order
            known = newest[key][0] if key in newest else self._known_order(key)
            if known is None or order >= known:
                newest[key] = (order, event)
        super().apply_changelog_batch([event for _, event in newest.values()])

    def _known_order(self, key: bytes) -> tuple[str, int] | None:
        value = self.data.get(key)
        return None if value is None else position_of(value).order


class _ConsumerThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Transport) -> AIOKafkaConsumer:
        made = super()._create_worker_consumer(transport)
        made._isolation_level = "read_committed"  # noqa: SLF001 (Faust ties it to its exactly_once)
        return made


class _Consumer(Consumer):
    def _new_consumer_thread(self) -> AIOKafkaConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(Transport):
    """Reads only what is committed: what an enricher's aborted transaction said does not count."""

    Consumer = _Consumer


def changelog_topic(settings: Settings) -> str:
    """The changelog's name, as Faust makes it from the app's id and the table's name."""
    return f"{settings.group_id(ROLE)}-{TABLE}-changelog"


def credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """The settings' security in Faust's words."""
    context = ssl_context(kafka)
    if kafka.security_protocol.startswith("SASL"):
        password = kafka.sasl_password.get_secret_value() if kafka.sasl_password else None
        return SASLCredentials(
            username=kafka.sasl_username,
            password=password,
            ssl_context=context,
            mechanism=kafka.sasl_mechanism,
        )
    return None if context is None else SSLCredentials(context)


def make_app(settings: Settings, data_dir: Path) -> faust.App:
    """A Faust app for this process. `data_dir` must exist; a table on disk is kept there.

    Raises `SettingsError` for a table in RocksDB without its package.
    """
    kafka, store = settings.kafka, settings.profile.store
    if store == "rocksdb" and find_spec("rocksdict") is None:
        raise SettingsError(
            "INTENTSTREAM_PROFILE__STORE is rocksdb, but the package rocksdict is not installed",
            "install the extra: pip install 'intentstream[rocksdb]', or keep the table in memory",
        )
    brokers = [f"kafka://{address.strip()}" for address in kafka.bootstrap_servers.split(",")]
    static: dict[str, Any] = {"consumer_group_instance_id": kafka.group_instance_id}
    app = faust.App(
        settings.group_id(ROLE),
        broker=brokers,
        broker_credentials=credentials(kafka),
        broker_client_id=kafka.client_id,
        broker_session_timeout=kafka.session_timeout_ms / 1000,
        broker_heartbeat_interval=kafka.heartbeat_interval_ms / 1000,
        broker_request_timeout=kafka.request_timeout_ms / 1000,
        broker_commit_interval=_COMMIT_EVERY_S,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_linger=_LINGER_S,
        producer_max_batch_size=_MAX_BATCH_BYTES,
        producer_max_request_size=_MAX_REQUEST_BYTES,
        producer_request_timeout=kafka.request_timeout_ms / 1000,
        producer_compression_type=None if kafka.compression == "none" else kafka.compression,
        processing_guarantee="at_least_once",
        stream_wait_empty=False,
        table_standby_replicas=0,
        topic_allow_declare=False,
        topic_disable_leader=True,
        autodiscover=False,
        web_enabled=False,
        datadir=data_dir,
        store=f"{store}://",
        Table=ProfileTable,
        # An empty id is taken for a real one, and all members for the same.
        **(static if kafka.group_instance_id else {}),
    )
    app.transport = _Transport(app.conf.broker_consumer, app)
    return app


async def prepare_topics(settings: Settings) -> None:
    """Checks the topics that the personalizer needs, and makes its changelog.

    Raises `ContractError` when topics are missing, the changelog does not fit, or `users.signals`
    ends before the position that was reached: it was recreated.
    """
    names = settings.topic_names
    needed = [names.signals, names.features, names.dead]
    changelog = changelog_topic(settings)
    async with running(admin(settings.kafka), settings.kafka) as client:
        states = await topic_states(client, [*needed, changelog])
        missing = [name for name in needed if name not in states]
        if missing:
            raise ContractError(
                f"topics are missing: {', '.join(missing)}", "make them: intentstream topics apply"
            )
        partitions = states[names.signals].partitions
        if changelog not in states:
            await _create_changelog(client, changelog, partitions, settings)
        elif states[changelog].partitions != partitions:
            raise ContractError(
                f"{names.signals} has {partitions} partitions, its changelog {changelog} "
                f"{states[changelog].partitions}: users have moved to other partitions",
                "Kafka cannot take partitions away: stop all workers, recreate both topics with "
                "the partitions you want, delete the consumer group, set a new "
                "INTENTSTREAM_EPOCH and start again; profiles begin anew",
            )
    await _check_positions(settings, partitions)


async def _create_changelog(
    client: AIOKafkaAdminClient, name: str, partitions: int, settings: Settings
) -> None:
    copies = settings.topics.replication_factor
    new = NewTopic(
        name,
        num_partitions=partitions,
        replication_factor=copies,
        # aiokafka wants an empty assignment where the broker's default is asked for
        replica_assignments={} if copies == -1 else None,
        topic_configs={"cleanup.policy": "compact"},
    )
    response = await client.create_topics([new])
    for _, code, message in response.topic_errors:
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise ContractError(
                f"the changelog {name} cannot be made: {message or for_code(code).__name__}",
                "give this principal Create on it, or make it by hand: compacted, "
                f"{partitions} partitions",
            )


async def _check_positions(settings: Settings, partitions: int) -> None:
    """A committed offset beyond the log's end belongs to a topic that is gone."""
    topic = settings.topic_names.signals
    reader = consumer(settings.kafka, group_id=settings.group_id(ROLE), group_instance_id=None)
    async with running(reader, settings.kafka):
        places = [TopicPartition(topic, number) for number in range(partitions)]
        ends = await reader.end_offsets(places)
        for place in places:
            reached = await reader.committed(place)
            if reached is not None and reached > ends[place]:
                raise ContractError(
                    f"{topic}, partition {place.partition} ends at {ends[place]}, but "
                    f"{reached} was reached already: the topic was recreated",
                    "stop all personalizers, set a new INTENTSTREAM_EPOCH, delete the consumer "
                    f"group {settings.group_id(ROLE)} and start again",
                )
