"""Where a replay puts what it finds: the topic `replays.<run>`, and a folder with its files."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TextIO

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streams.records import OutputRecord, SourceRecord
from streams.topics import TopicSpec, replay_spec
from workers.errors import IntentstreamError, UnreachableError
from workers.kafka import producer, running
from workers.replays.comparison import Difference
from workers.settings import Settings

ORIGINAL_TOPIC: Final = "intentstream.replay.topic"
"""Header on `replays.<run>`: the topic on which the enricher would have published."""

DIFFERENCES: Final = "differences.jsonl"
SUMMARY: Final = "summary.json"
_ACKNOWLEDGE_S: Final = 60.0
_PARTIAL: Final = f"{DIFFERENCES}.partial"

_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class RunError(IntentstreamError):
    """A run's name, folder or topic cannot be used."""


class ReplayOutput:
    """Takes differences and replayed events. Made by `opened_output`."""

    def __init__(
        self, differences: TextIO, topic: str | None, client: AIOKafkaProducer | None, dead: str
    ) -> None:
        self.topic = topic
        self._differences = differences
        self._producer = client
        self._dead = dead

    def note(self, difference: Difference) -> None:
        """Writes one difference as a line of JSON."""
        try:
            json.dump(difference.as_dict(), self._differences, ensure_ascii=False)
            self._differences.write("\n")
        except OSError as error:
            raise _unwritable(error) from error

    async def publish(
        self, records: Sequence[SourceRecord], outputs: Sequence[tuple[OutputRecord, ...]]
    ) -> None:
        """Publishes the outputs of a batch of records; returns when all are acknowledged."""
        if self._producer is None or self.topic is None:
            return
        try:
            async with asyncio.timeout(_ACKNOWLEDGE_S):
                sent = [
                    await self._producer.send(
                        self.topic, event.value, key=event.key, headers=list(headers)
                    )
                    for record, events in zip(records, outputs, strict=True)
                    for event in (self._shown(record, one) for one in events)
                    for headers in [(*event.headers, (ORIGINAL_TOPIC, event.topic.encode()))]
                ]
                await asyncio.gather(*sent)
        except TimeoutError as error:
            raise UnreachableError(
                f"Kafka has not acknowledged for {_ACKNOWLEDGE_S:.0f} s",
                "is Kafka well? `intentstream doctor` looks",
            ) from error

    def _shown(self, record: SourceRecord, event: OutputRecord) -> OutputRecord:
        """A dead letter without what the record brought: replays are not restricted as it is."""
        if event.topic != self._dead:
            return event
        return OutputRecord(event.topic, None, b"", event.headers[len(record.headers) :])


@asynccontextmanager
async def opened_output(
    settings: Settings,
    run: str,
    folder: Path,
    client: AIOKafkaAdminClient | None,
    summary: Callable[[], dict[str, Any]],
) -> AsyncIterator[ReplayOutput]:
    """The output of one run. Files get their final names only when the run went through.

    Args:
        settings: in force.
        run: the run's name.
        folder: must not exist yet.
        client: makes the topic; None publishes nothing.
        summary: what to write into `summary.json` at the end.

    Raises:
        RunError: the run exists already, or its folder cannot be written.
    """
    if not _RUN.fullmatch(run):
        raise RunError(f"{run!r} is no name for a run", "use letters, digits, '.', '_' and '-'")
    differences = _opened_file(folder)
    async with AsyncExitStack() as stack:
        stack.callback(differences.close)
        topic = sender = None
        if client is not None:
            topic = await _created(client, settings, run)
            sender = await stack.enter_async_context(
                running(producer(settings.kafka), settings.kafka)
            )
        yield ReplayOutput(differences, topic, sender, settings.topic_names.dead)
        _finish(differences, folder, summary())


def _opened_file(folder: Path) -> TextIO:
    try:
        folder.mkdir(parents=True)
        return (folder / _PARTIAL).open("x", encoding="utf-8")
    except FileExistsError:
        raise RunError(f"the run {folder} exists already", "give another --run") from None
    except OSError as error:
        raise _unwritable(error) from error


def _finish(differences: TextIO, folder: Path, summary: dict[str, Any]) -> None:
    try:
        differences.close()
        text = json.dumps(summary, indent=2, ensure_ascii=False)
        (folder / SUMMARY).write_text(text + "\n", encoding="utf-8")
        (folder / _PARTIAL).rename(folder / DIFFERENCES)
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> RunError:
    return RunError(
        f"the files of the run cannot be written: {error.strerror}",
        "is there room, and a right to write? Then run it again under another --run",
    )


async def _created(client: AIOKafkaAdminClient, settings: Settings, run: str) -> str:
    """Makes the topic of a run; never uses one that is there."""
    spec: TopicSpec = replay_spec(settings.topic_names, run, partitions=settings.topics.partitions)
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
            raise RunError(f"the topic {spec.name} exists already", "give another --run")
        if code:
            raise RunError(
                f"the topic {spec.name} cannot be made: {message or for_code(code).__name__}",
                "may this principal create topics? --no-publish writes files only",
            )
    return spec.name
