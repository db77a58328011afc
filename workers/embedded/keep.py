"""Keeping what is published: one JSONL file per topic, for `--output DIR`.

Each line has `partition`, `offset`, `timestamp` (ms since the epoch), `key`, `headers` (a list of
pairs, for names may repeat) and `value`. The value of an event is its JSON; that of a dead letter
is the original bytes as a string. Bytes that are not UTF-8 stand as `{"base64": …}`.
"""

import asyncio
import base64
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from streams.records import SourceRecord
from streams.topics import TopicNames
from workers.embedded.tail import Tail
from workers.errors import IntentstreamError
from workers.settings import Settings

_encoder = msgspec.json.Encoder()


def kept_topics(topics: TopicNames) -> tuple[str, ...]:
    """The topics that are kept: all that the workers publish."""
    return (topics.intents, topics.entities, topics.dead, topics.signals, topics.features)


class Keeper:
    """Writes what is published from `opened` on into files; `finished` completes them."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self._topics = kept_topics(settings.topic_names)
        self._opened = asyncio.Event()
        self._stop = asyncio.Event()
        self._finished = asyncio.Event()

    async def opened(self) -> None:
        """Waits until nothing that is published can be missed any more."""
        await self._opened.wait()

    async def finished(self) -> None:
        """Asks `run` to keep up to where the topics end now, and waits for that."""
        self._stop.set()
        await self._finished.wait()

    async def run(self) -> None:
        """Keeps until it is asked to finish, or cancelled.

        Raises `IntentstreamError` when the folder or a file cannot be written.
        """
        try:
            with ExitStack() as stack:
                files = self._open(stack)
                async with Tail.of(self._settings.kafka, self._topics) as tail:
                    self._opened.set()
                    while not self._stop.is_set():
                        self._write(files, await tail.batch())
                    async for batch in tail.rest():
                        self._write(files, batch)
        except OSError as error:
            raise IntentstreamError(
                f"What is published cannot be kept in {self._folder}: {error.strerror}.",
                "Give --output a folder that can be written.",
            ) from error
        self._finished.set()

    def _open(self, stack: ExitStack) -> dict[str, BinaryIO]:
        self._folder.mkdir(parents=True, exist_ok=True)
        return {
            topic: stack.enter_context((self._folder / f"{topic}.jsonl").open("wb"))
            for topic in self._topics
        }

    def _write(self, files: dict[str, BinaryIO], batch: list[SourceRecord]) -> None:
        dead = self._settings.topic_names.dead
        for record in batch:
            files[record.topic].write(jsonl(record, event=record.topic != dead))


def jsonl(record: SourceRecord, *, event: bool) -> bytes:
    """One record as one line of JSON; `event` says that its value is JSON of ours."""
    document = {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp_ms,
        "key": _shown(record.key),
        "headers": [[name, _shown(value)] for name, value in record.headers],
        "value": msgspec.Raw(record.value) if event and record.value else _shown(record.value),
    }
    return _encoder.encode(document) + b"\n"


def _shown(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}
