"""From raw records to enriched events: the pure core that the enricher and replay share.

    record ─ prepare ─▶ PreparedQuery ─ (the model) ─▶ Understanding ─ events ─▶ OutputRecords
                 ├─────▶ OutputRecord to users.signals   (a user's action)
                 └─────▶ OutputRecord to queries.dead    (with the original bytes)

Nothing in a value depends on the wall clock, the batch or the order of arrival.
"""

import base64
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct, structs

from streams.cloudevents import Origin, epoch_ms, timestamp
from streams.codec import RecordDecoder
from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.decoding import Span, SpanRelation, Understanding
from streams.events import (
    EVENT_TYPES,
    UNKNOWN_LABEL,
    ActionSignal,
    Entity,
    EntityMentioned,
    ModelVersion,
    PipelineVersion,
    QuerySignal,
    QueryUnderstood,
    RawQuery,
    Relation,
    Source,
    UserAction,
    UserSignal,
    encode,
)
from streams.pseudonyms import Pseudonymiser
from streams.records import OutputRecord, SourceRecord
from streams.redaction import RedactedSpan, redact
from streams.redrive import MAX_ROUNDS, RedriveSigner
from streams.text import TextTooLong, normalise
from streams.topics import TopicNames

MAX_TEXT_CHARS = 8_000
_MAX_CONTEXT_CHARS = 256


class PreparedQuery(Struct, frozen=True, gc=False):
    """A query that is ready for the model: `text` is normalised and redacted."""

    record: SourceRecord
    query: RawQuery
    text: str
    redacted: tuple[RedactedSpan, ...]
    user: str | None
    session: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrichment:
    """What the events of one deployment have in common, and the functions that build them."""

    topics: TopicNames
    cluster: str
    epoch: str
    pseudonyms: Pseudonymiser
    queries: RecordDecoder[RawQuery]
    actions: RecordDecoder[UserAction]
    pipeline: PipelineVersion
    redrives: RedriveSigner
    max_rounds: int = MAX_ROUNDS
    context_keys: frozenset[str] = frozenset()
    max_text_chars: int = MAX_TEXT_CHARS
    max_event_bytes: int = 900_000

    def prepare(self, record: SourceRecord) -> PreparedQuery | OutputRecord:
        """A query for the model, or what a record becomes without it: a signal or a dead letter.

        A redriven record counts as what it was at its first reading, up to `max_rounds`.
        """
        record = self.redrives.original(record)
        try:
            self._check_rounds(record)
            if record.topic == self.topics.actions:
                return self._signal_of_action(record)
            return self._prepared(record)
        except RecordError as error:
            return self.dead(record, error)

    def dead(self, record: SourceRecord, error: RecordError) -> OutputRecord:
        """The dead letter of a record."""
        return dead_letter(
            self.topics.dead,
            self.redrives.original(record, count=False),
            error,
            cluster=self.cluster,
            epoch=self.epoch,
        )

    def events(
        self,
        prepared: PreparedQuery,
        understanding: Understanding,
        model: ModelVersion,
        *,
        vector_space: str,
        degraded: bool = False,
    ) -> tuple[OutputRecord, ...]:
        """All that one query becomes: its event, one per entity, and the user's signal.

        A query whose event would be too large for Kafka becomes a dead letter instead. What is
        `degraded` says so, and its intent goes into no profile.
        """
        try:
            return self._events(prepared, understanding, model, vector_space, degraded=degraded)
        except RecordError as error:
            return (self.dead(prepared.record, error),)

    def _events(
        self,
        prepared: PreparedQuery,
        understanding: Understanding,
        model: ModelVersion,
        vector_space: str,
        *,
        degraded: bool,
    ) -> tuple[OutputRecord, ...]:
        entities, relations = _entities(prepared, understanding)
        source, origin = self._source(prepared.record), self._origin(prepared.record)
        query_id = prepared.query.query_id or origin.id("query")
        event = self._understood(
            prepared, understanding, model, entities, relations, source, query_id
        )
        if degraded:
            event = structs.replace(event, degraded=True)
        key = prepared.user or prepared.session
        topics = self.topics
        outputs = [self._output(topics.intents, key, event, origin)]
        for ordinal, entity in enumerate(entities):
            mention = EntityMentioned(
                query_id=event.query_id,
                occurred_at=event.occurred_at,
                entity=entity,
                intent=event.intent,
                language=event.language,
                model=model,
                source=source,
                user=prepared.user,
                channel=event.channel,
            )
            outputs.append(self._output(topics.entities, entity.value, mention, origin, ordinal))
        if prepared.user is not None:
            said = structs.replace(event, intent=UNKNOWN_LABEL) if degraded else event
            signal = _query_signal(said, understanding, vector_space)
            outputs.append(self._output(topics.signals, prepared.user, signal, origin))
        return tuple(outputs)

    def _check_rounds(self, record: SourceRecord) -> None:
        if record.redriven is not None and record.redriven.round > self.max_rounds:
            detail = f"it was redriven more than {self.max_rounds} times"
            raise RecordError(DeadReason.TOO_MANY_ROUNDS, Stage.DECODE, detail)

    def _prepared(self, record: SourceRecord) -> PreparedQuery:
        query = self.queries.decode(record.value)
        try:
            clean = normalise(query.text, max_chars=self.max_text_chars)
        except TextTooLong as error:
            detail = f"the text is longer than {self.max_text_chars} characters"
            raise RecordError(DeadReason.TOO_LONG, Stage.PREPARE, detail) from error
        if not clean:
            detail = "nothing is left of the text after normalisation"
            raise RecordError(DeadReason.EMPTY_TEXT, Stage.PREPARE, detail)
        redacted = redact(clean)
        session = _identifier(query.session_id)
        user = _identifier(query.user_id)
        if user is None and session is None:
            session = _key_text(record.key)
        return PreparedQuery(
            record=record,
            query=query,
            text=redacted.text,
            redacted=redacted.spans,
            user=self.pseudonyms.user(user) if user else None,
            session=self.pseudonyms.session(session) if session else None,
        )

    def _signal_of_action(self, record: SourceRecord) -> OutputRecord:
        action = self.actions.decode(record.value)
        user_id = _identifier(action.user_id)
        if user_id is None:
            detail = "the value breaks the schema at $.user_id"
            raise RecordError(DeadReason.INVALID_FIELD, Stage.DECODE, detail)
        user = self.pseudonyms.user(user_id)
        signal = UserSignal(
            user=user,
            occurred_at=_instant(action.occurred_at, record),
            source=self._source(record),
            action=ActionSignal(
                action=action.action,
                product=action.product,
                action_id=action.action_id,
                quantity=action.quantity,
            ),
        )
        return self._output(self.topics.signals, user, signal, self._origin(record))

    def _understood(
        self,
        prepared: PreparedQuery,
        understanding: Understanding,
        model: ModelVersion,
        entities: tuple[Entity, ...],
        relations: tuple[Relation, ...],
        source: Source,
        query_id: str,
    ) -> QueryUnderstood:
        query, record = prepared.query, prepared.record
        return QueryUnderstood(
            query_id=query_id,
            occurred_at=_instant(query.occurred_at, record),
            text=prepared.text,
            language=understanding.language,
            intent=understanding.intent,
            sentiment=understanding.sentiment,
            entities=entities,
            relations=relations,
            alternatives=understanding.alternatives,
            model=model,
            pipeline=self.pipeline,
            source=source,
            user=prepared.user,
            session=prepared.session,
            channel=query.channel,
            locale=query.locale or None,
            context=self._context(query.context) if query.context else {},
            attachments=query.attachments or (),
            truncated=understanding.truncated,
        )

    def _context(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """The scalars on the allow-list; strings are normalised, redacted and only then cut."""
        kept: dict[str, Any] = {}
        for name in sorted(self.context_keys & context.keys()):
            value = context[name]
            if isinstance(value, str):
                clean = normalise(value, max_chars=sys.maxsize)
                kept[name] = redact(clean).text[:_MAX_CONTEXT_CHARS]
            elif isinstance(value, bool | int | float):
                kept[name] = value
        return kept

    def _source(self, record: SourceRecord) -> Source:
        cluster, _ = self._home(record)
        return Source(cluster, record.topic, record.partition, record.offset, record.timestamp_ms)

    def _origin(self, record: SourceRecord) -> Origin:
        return Origin(record, *self._home(record))

    def _home(self, record: SourceRecord) -> tuple[str, str]:
        """Cluster and epoch of a record's position."""
        came = record.redriven
        return (self.cluster, self.epoch) if came is None else (came.cluster, came.epoch)

    def _output(
        self, topic: str, key: str | None, event: Struct, origin: Origin, ordinal: int = 0
    ) -> OutputRecord:
        value = encode(event)
        if len(value) > self.max_event_bytes:
            detail = f"the event would be larger than {self.max_event_bytes} bytes"
            raise RecordError(DeadReason.EVENT_TOO_LARGE, Stage.PUBLISH, detail)
        encoded = None if key is None else key.encode()
        headers = origin.headers(EVENT_TYPES[type(event)], encoded, ordinal)
        return OutputRecord(topic, encoded, value, headers)


def _identifier(value: str | int | None) -> str | None:
    return None if value is None or value == "" else str(value)


def _key_text(key: bytes | None) -> str | None:
    """A record's key as a session id, for queries that name neither user nor session."""
    return key.decode("utf-8", "backslashreplace") if key else None


def _instant(occurred_at: datetime | int | None, record: SourceRecord) -> datetime:
    """Event time in UTC: the event's own (naive times are UTC), else the record's timestamp."""
    if occurred_at is None:
        return timestamp(record.timestamp_ms)
    if isinstance(occurred_at, int):
        return timestamp(epoch_ms(occurred_at))
    if occurred_at.tzinfo is None:
        return occurred_at.replace(tzinfo=UTC)
    try:
        return occurred_at.astimezone(UTC)
    except OverflowError:  # at the edges of year 1 and year 9999
        return timestamp(record.timestamp_ms)


def canonical(text: str) -> str:
    """An entity's canonical value: case-folded, single spaces."""
    return " ".join(text.casefold().split())


def _entities(
    prepared: PreparedQuery, understanding: Understanding
) -> tuple[tuple[Entity, ...], tuple[Relation, ...]]:
    """The model's spans and the redactor's, in order of position.

    The redactor is certain of its own: a model's span that overlaps a placeholder is dropped,
    with its relations. Their value is withheld: it is the placeholder.
    """
    text = prepared.text
    spans: list[tuple[Span, int | None]] = [
        (span, n)
        for n, span in enumerate(understanding.spans)
        if not prepared.redacted
        or not any(span.start < own.end and own.start < span.end for own in prepared.redacted)
    ]
    spans += [
        (Span(own.entity_type, own.start, own.end, 1.0), None)
        for own in prepared.redacted
        if own.entity_type is not None
    ]
    spans.sort(key=lambda pair: (pair[0].start, pair[0].end))
    entities = tuple(_entity(text, span, withheld=n is None) for span, n in spans)
    position = {n: index for index, (_, n) in enumerate(spans) if n is not None}
    return entities, tuple(
        relation
        for found in understanding.relations
        if (relation := _relation(found, position)) is not None
    )


def _entity(text: str, span: Span, *, withheld: bool) -> Entity:
    surface = text[span.start : span.end]
    return Entity(
        type=span.type,
        text=surface,
        value=surface if withheld else canonical(surface),
        start=span.start,
        end=span.end,
        score=span.score,
    )


def _relation(found: SpanRelation, position: Mapping[int, int]) -> Relation | None:
    subject, target = position.get(found.subject), position.get(found.object)
    if subject is None or target is None:
        return None
    return Relation(subject, found.predicate, target, found.score)


def _query_signal(
    event: QueryUnderstood, understanding: Understanding, vector_space: str
) -> UserSignal:
    if event.user is None:
        raise ValueError("only a query with a user becomes a signal")
    vector = understanding.vector
    return UserSignal(
        user=event.user,
        occurred_at=event.occurred_at,
        source=event.source,
        query=QuerySignal(
            query_id=event.query_id,
            text=event.text,
            language=event.language,
            intent=event.intent,
            sentiment=event.sentiment,
            entities=event.entities,
            vector=None if vector is None else base64.b64encode(vector).decode(),
            vector_space=None if vector is None else vector_space,
        ),
    )
