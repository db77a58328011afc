"""Where a replay publishes: the topic `replays.<run>`, made for it and its alone."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.records import OutputRecord, SourceRecord
from streams.topics import TopicSpec, replay_spec
from workers.errors import UnreachableError
from workers.kafka import producer, running, send
from workers.replays.run_state import RunError, RunState
from workers.settings import Settings

ORIGINAL_TOPIC: Final = "intentstream.replay.topic"
"""Header on `replays.<run>`: the topic on which the enricher would have published."""

_ACKNOWLEDGE_S: Final = 60.0
_TOPIC: Final = "topic"
_ASKED: Final = "topic_asked_for"


class ReplayOutput:
    """Publishes replayed events, or nothing. Made by `opened_output`."""

    def __init__(self, topic: str | None, client: AIOKafkaProducer | None, dead: str) -> None:
        self.topic = topic
        self._producer = client
        self._dead = dead

    async def publish(
        self, records: Sequence[SourceRecord], outputs: Sequence[tuple[OutputRecord, ...]]
    ) -> list[OutputRecord]:
        """Publishes the outputs of a batch; returns them as published when all are acknowledged."""
        if self._producer is None or self.topic is None:
            return []
        events = [
            self._shown(record, event)
            for record, some in zip(records, outputs, strict=True)
            for event in some
        ]
        await send_all(self._producer, events)
        return events

    def _shown(self, record: SourceRecord, event: OutputRecord) -> OutputRecord:
        """The event for `replays.<run>`.

        Of a dead letter without what the record brought, for replays are not restricted as it is.
        """
        name = (ORIGINAL_TOPIC, event.topic.encode())
        if event.topic != self._dead:
            return OutputRecord(self.topic or "", event.key, event.value, (*event.headers, name))
        ours = event.headers[len(record.headers) :]
        return OutputRecord(self.topic or "", None, b"", (*ours, name))


async def send_all(client: AIOKafkaProducer, events: Iterable[OutputRecord]) -> None:
    """Sends events and awaits all acknowledgements.

    Raises:
        UnreachableError: Kafka does not acknowledge within a minute.
    """
    try:
        async with asyncio.timeout(_ACKNOWLEDGE_S):
            sent = [await send(client, one) for one in events]
            await asyncio.gather(*sent)
    except TimeoutError as error:
        raise UnreachableError(
            f"Kafka has not acknowledged for {_ACKNOWLEDGE_S:.0f} s",
            "is Kafka well? `intentstream doctor` looks; then go on with --resume",
        ) from error


@asynccontextmanager
async def opened_output(
    settings: Settings, run: str, client: AIOKafkaAdminClient | None, state: RunState
) -> AsyncIterator[ReplayOutput]:
    """The output of one run.

    Args:
        settings: in force.
        run: the run's name.
        client: makes the topic; None publishes nothing.
        state: knows whether the topic is this run's already.

    Raises:
        RunError: the topic exists already and is another's, or cannot be made.
    """
    if client is None:
        yield ReplayOutput(None, None, settings.topic_names.dead)
        return
    topic = await _created(client, settings, run, state)
    async with running(producer(settings.kafka), settings.kafka) as sender:
        yield ReplayOutput(topic, sender, settings.topic_names.dead)


async def _created(
    client: AIOKafkaAdminClient, settings: Settings, run: str, state: RunState
) -> str:
    """Makes the topic of a run; never uses one of another's."""
    spec: TopicSpec = replay_spec(settings.topic_names, run, partitions=settings.topics.partitions)
    if state.get(_TOPIC) == spec.name:
        return spec.name
    maybe_ours = state.get(_ASKED) == spec.name  # killed while it was made
    with state.saving():
        state.put(_ASKED, spec.name)
    copies = settings.topics.replication_factor
    new = NewTopic(
        spec.name,
        num_partitions=spec.partitions,
        replication_factor=copies,
        # aiokafka wants an empty assignment where the broker's default is asked for
        replica_assignments={} if copies == -1 else None,
        topic_configs=spec.configs,
    )
    for _, code, message in (await client.create_topics([new])).topic_errors:
        if for_code(code) is TopicAlreadyExistsError:
            if maybe_ours:
                break
            raise RunError(f"the topic {spec.name} exists already", "give another --run")
        if code:
            raise RunError(
                f"the topic {spec.name} cannot be made: {message or for_code(code).__name__}",
                "may this principal create topics? --no-publish writes files only",
            )
    with state.saving():
        state.put(_TOPIC, spec.name)
    return spec.name
