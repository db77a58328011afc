"""Explains one query: a text, a record by its position, or an event by its id."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient

from streams.deadletters import reason_of
from streams.enrichment import PreparedQuery
from streams.events import QueryUnderstood, RawQuery
from streams.records import OutputRecord, SourceRecord
from streams.redaction import redact
from streams.text import TextTooLong, normalise
from workers.enrichment.batch_enrichment import enrichment_of
from workers.errors import IntentstreamError
from workers.kafka import admin, consumer, running
from workers.replays.event_identity import Position
from workers.replays.explanation import Explanation, explained
from workers.replays.record_lookup import parse_place, published_query, record_at
from workers.settings import Settings, settings_digest
from workers.topic_range import RangeError
from workers.triton import TritonModel


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: one of the three."""

    text: str = ""
    at: str = ""
    query_id: str = ""


@dataclass(slots=True)
class EventExplanation:
    """An explanation, and what is known about the record; `why` is None where no model was asked."""

    place: str = ""
    published: dict[str, Any] | None = None
    notes: list[str] = field(default_factory=list)
    why: Explanation | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return {
            "record": self.place or None,
            "published": self.published,
            "notes": self.notes,
            "explanation": None if self.why is None else self.why.as_dict(),
        }


async def explain_event(settings: Settings, asked: Asked) -> EventExplanation:
    """Explains what is asked for, with the model that is served now.

    Raises:
        RangeError: there is no such record or query.
        IntentstreamError: Kafka or the model is away; there is nothing to read in the text.
    """
    found = EventExplanation()
    prepared: PreparedQuery | OutputRecord
    if asked.text:
        prepared = _typed(asked.text, settings)
    else:
        kafka = settings.kafka
        async with (
            running(admin(kafka), kafka) as client,
            running(consumer(kafka), kafka) as reader,
        ):
            lookup = _Lookup(settings, client, reader, found)
            prepared = await (
                lookup.by_position(asked.at) if asked.at else lookup.by_id(asked.query_id)
            )
    if not isinstance(prepared, PreparedQuery):
        found.notes.append(_without_model(prepared))
        return found
    async with TritonModel(settings.triton) as model:
        found.why = await explained(
            prepared, model, settings_digest(settings), version("intentstream")
        )
    return found


class _Lookup:
    """Finds the record, and what was published for it."""

    def __init__(
        self,
        settings: Settings,
        client: AIOKafkaAdminClient,
        reader: AIOKafkaConsumer,
        found: EventExplanation,
    ) -> None:
        self._names = settings.topic_names
        self._enrichment = enrichment_of(settings)
        self._client = client
        self._reader = reader
        self._found = found

    async def by_position(self, text: str) -> PreparedQuery | OutputRecord:
        """The record at a position as people write it."""
        place = parse_place(text)
        topic = place.topic or self._names.raw
        record = await record_at(self._reader, self._client, topic, place.position)
        self._found.place = f"{topic}[{record.partition}]@{record.offset}"
        original = self._enrichment.redrives.original(record)
        if original is not record:
            self._found.notes.append(
                f"it was redriven: it was read first at {original.partition}:{original.offset}"
            )
        source = (topic, original.partition, original.offset)
        published = await self._published(
            lambda event: (
                (event.source.topic, event.source.partition, event.source.offset) == source
            ),
            f'"offset":{original.offset}'.encode(),
            original.timestamp_ms,
        )
        self._tell(published)
        return self._enrichment.prepare(record)

    async def by_id(self, query_id: str) -> PreparedQuery | OutputRecord:
        """The record that an event with this query id was derived from."""
        hint = msgspec.json.encode(query_id)
        published = await self._published(lambda event: event.query_id == query_id, hint, None)
        if published is None:
            raise RangeError(
                f"no event of {self._names.intents} has the query id {query_id!r}",
                "it was never published, or retention has taken it",
            )
        self._tell(published)
        source = published.source
        self._found.place = f"{source.topic}[{source.partition}]@{source.offset}"
        try:
            at = Position(source.partition, source.offset)
            record = await record_at(self._reader, self._client, source.topic, at)
        except RangeError:
            self._found.notes.append(
                "its record is gone: explained from the redacted text as published"
            )
            return _again(published)
        return self._enrichment.prepare(record)

    async def _published(
        self, wanted: Callable[[QueryUnderstood], bool], hint: bytes, since_ms: int | None
    ) -> QueryUnderstood | None:
        topic = self._names.intents
        return await published_query(self._reader, self._client, topic, wanted, hint, since_ms)

    def _tell(self, published: QueryUnderstood | None) -> None:
        if published is None:
            self._found.notes.append(f"nothing was published for it on {self._names.intents}")
            return
        self._found.published = msgspec.to_builtins(published)
        intent, made = published.intent, published.model
        self._found.notes.append(
            f"published: {intent.label} {intent.score:.4f}, by the model {made.digest}"
            + (", degraded: by rules, while the model was away" if published.degraded else "")
        )


def _again(published: QueryUnderstood) -> PreparedQuery:
    """A query that is known only as it was published: redacting that again changes nothing."""
    text, source = published.text, published.source
    record = SourceRecord(
        source.topic, source.partition, source.offset, source.timestamp, None, None
    )
    return PreparedQuery(record, RawQuery(text), text, redact(text).spans, None, None)


def _without_model(output: OutputRecord) -> str:
    reason = reason_of(output.headers)
    if reason is None:
        return "no model was asked: it is an action, and becomes a signal as it is"
    return f"no model was asked: it is a dead letter ({reason.value})"


def _typed(text: str, settings: Settings) -> PreparedQuery:
    """A text as the enricher prepares one; it needs no pseudonym, for it names nobody."""
    try:
        clean = normalise(text, max_chars=settings.limits.max_text_chars)
    except TextTooLong as error:
        raise IntentstreamError(
            f"the text is longer than {settings.limits.max_text_chars} characters",
            "the enricher would make it a dead letter: too_long",
        ) from error
    if not clean:
        raise IntentstreamError(
            "nothing is left of the text after normalisation",
            "the enricher would make it a dead letter: empty_text",
        )
    redacted = redact(clean)
    record = SourceRecord(settings.topic_names.raw, 0, 0, -1, None, None)
    return PreparedQuery(record, RawQuery(text), redacted.text, redacted.spans, None, None)
