"""Redriving: dead letters back to the topics they came from, once what was wrong is mended.

Nothing is redriven twice in the same round: what is in its topic again already is found there and
left out, so a redrive that was broken off goes on where it ended when it is run again. What a user
said before an erasure does not come back.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordTooLargeError
from msgspec import Struct

from streams.codec import RawFormat, RecordDecoder
from streams.deadletters import DeadReason, RecordError, failed_record, reason_of
from streams.enrichment import Enrichment, PreparedQuery
from streams.events import Identifier
from streams.records import OutputRecord, Redriven, SourceRecord
from streams.redrive import REDRIVE_HEADER
from workers.dead_letters import Selection, opened_reader, selected
from workers.enrichment.batch_enrichment import enrichment_of
from workers.erasures import Erasures, read_erasures
from workers.errors import IntentstreamError, UnreachableError
from workers.kafka import admin, producer, running, send, source_record
from workers.sections import InputSettings
from workers.settings import Settings
from workers.topic_range import Bound, RangeError, ResolvedRange, published_since, read, resolve
from workers.topics_admin import topic_states

_BATCH: Final = 500
_ACKNOWLEDGE_S: Final = 60.0
_LARGEST: Final = 10_000_000


class LeftOut(StrEnum):
    """Why a dead letter that was selected is not redriven."""

    ALREADY = "already"  # it is in its topic again
    ERASED = "erased"  # its user has been erased since
    ROUNDS = "rounds"  # it has been redriven as often as the limit allows
    SIGNAL = "signal"  # it is in `users.signals` still: a rebuild of the profiles folds it anew
    ELSEWHERE = "elsewhere"  # from a topic that these settings do not read
    VALUE_MISSING = "value_missing"  # its value was too large for `queries.dead`
    UNREADABLE = "unreadable"  # not written by an enricher


@dataclass(slots=True)
class RedriveReport:
    """What was done, or in a dry run would be. Counts are of dead letters."""

    dry_run: bool
    selected: int = 0
    redriven: Counter[str] = field(default_factory=Counter)
    """By topic."""
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    fails_again: Counter[str] = field(default_factory=Counter)
    """Of those redriven: what becomes a dead letter again under these settings, by reason."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return {
            "dry_run": self.dry_run,
            "selected": self.selected,
            "redriven": dict(sorted(self.redriven.items())),
            "left_out": {
                reason.value: self.left_out[reason] for reason in LeftOut if self.left_out[reason]
            },
            "fails_again": dict(self.fails_again.most_common()),
        }


Progress = Callable[[int, int], None]
"""Called with how many dead letters are looked at, and how many there are."""


async def redrive(
    settings: Settings, selection: Selection, progress: Progress, *, dry_run: bool, limit: int = 0
) -> RedriveReport:
    """Sends the records of the dead letters selected back to their topics.

    Args:
        settings: in force; those of the enricher.
        selection: which dead letters.
        progress: is told how far it is.
        dry_run: only looks.
        limit: redrive at most this many; 0: all.

    Raises:
        RangeError: the range makes no sense, or a topic is missing.
        SettingsError: there is no key to sign with.
        UnreachableError: Kafka is away, or refuses.
    """
    enrichment = enrichment_of(settings)
    try:
        async with opened_reader(settings) as (reader, partitions):
            dead = settings.topic_names.dead
            span = await resolve(reader, dead, partitions, selection.since, selection.until)
            count, oldest_ms = await _counted(reader, span, selection)
            report = RedriveReport(dry_run, selected=count)
            if count == 0:
                return report
            there = await _Surroundings.seen(settings, reader, enrichment, oldest_ms)
            run = _Redrive(settings, enrichment, there, report)
            letters = selected(reader, span, selection)
            if dry_run:
                await run.send_all(letters, None, progress, limit)
            else:
                async with running(producer(settings.kafka), settings.kafka) as client:
                    await run.send_all(letters, client, progress, limit)
            return report
    except KafkaError as error:
        raise UnreachableError(
            f"Kafka failed in the middle of the redrive ({type(error).__name__})",
            "run it again: what was sent is not sent twice; `intentstream doctor` looks",
        ) from error


async def _counted(
    reader: AIOKafkaConsumer, span: ResolvedRange, selection: Selection
) -> tuple[int, int]:
    """How many dead letters are selected, and the time of the oldest (ms)."""
    count, oldest_ms = 0, 0
    async for _, record in selected(reader, span, selection):
        oldest_ms = min(oldest_ms, record.timestamp) if count else record.timestamp
        count += 1
    return count, oldest_ms


class _Round(NamedTuple):
    """One round of one record: no two redriven records are the same in all of this."""

    cluster: str
    epoch: str
    topic: str
    partition: int
    offset: int
    round: int

    @classmethod
    def of(cls, record: SourceRecord, came: Redriven, *, further: int = 0) -> "_Round":
        place = (record.topic, record.partition, record.offset)
        return cls(came.cluster, came.epoch, *place, came.round + further)


@dataclass(slots=True)
class _Surroundings:
    """What a redrive has to know of the other topics."""

    partitions: dict[str, int]
    """Of the topics that the enricher reads."""
    rounds: set[_Round]
    """That are in these topics again."""
    erasures: Erasures

    @classmethod
    async def seen(
        cls, settings: Settings, reader: AIOKafkaConsumer, enrichment: Enrichment, since_ms: int
    ) -> "_Surroundings":
        names = settings.topic_names
        wanted = [names.raw, names.actions, names.signals]
        async with running(admin(settings.kafka), settings.kafka) as client:
            states = await topic_states(client, wanted)
        for name in wanted:
            if name not in states:
                raise RangeError(f"there is no topic {name}", "`intentstream topics plan` shows it")
        inputs = {name: states[name].partitions for name in (names.raw, names.actions)}
        since = published_since(since_ms)
        rounds: set[_Round] = set()
        for name, partitions in inputs.items():
            span = await resolve(reader, name, partitions, since, Bound("latest"))
            async for records, _ in read(reader, name, span.partitions, batch=_BATCH * 10):
                rounds.update(_rounds(enrichment, records))
        signals = await read_erasures(reader, names.signals, states[names.signals].partitions)
        return cls(inputs, rounds, signals)


def _rounds(enrichment: Enrichment, records: list[ConsumerRecord]) -> list[_Round]:
    found = []
    for record in records:
        if any(name == REDRIVE_HEADER for name, _ in record.headers or ()):
            first = enrichment.redrives.original(source_record(record))
            if first.redriven is not None:
                found.append(_Round.of(first, first.redriven))
    return found


class _Redrive:
    """One run: decides about each dead letter, and sends."""

    def __init__(
        self,
        settings: Settings,
        enrichment: Enrichment,
        there: _Surroundings,
        report: RedriveReport,
    ) -> None:
        self._settings = settings
        self._enrichment = enrichment
        self._there = there
        self._report = report
        self._whose = _Whose(settings, enrichment)

    async def send_all(
        self,
        letters: AsyncIterator[tuple[object, ConsumerRecord]],
        client: AIOKafkaProducer | None,
        progress: Progress,
        limit: int,
    ) -> None:
        """Goes through the dead letters in order; without a client nothing is sent."""
        pending: list[tuple[OutputRecord, int]] = []
        looked_at = 0
        async for _, record in letters:
            if limit and self._report.redriven.total() >= limit:
                break
            looked_at += 1
            output = self._decided(source_record(record))
            if output is not None and client is not None:
                pending.append(output)
            if client is not None and len(pending) >= _BATCH:
                await self._send(client, pending)
                pending.clear()
            progress(looked_at, self._report.selected)
        if client is not None:
            await self._send(client, pending)

    def _decided(self, letter: SourceRecord) -> tuple[OutputRecord, int] | None:
        """What goes back for a dead letter and to which partition; None when nothing does."""
        record = failed_record(letter)
        came = None if record is None else record.redriven
        if record is None or came is None:
            known = reason_of(letter.headers) is not None
            self._report.left_out[LeftOut.VALUE_MISSING if known else LeftOut.UNREADABLE] += 1
            return None
        next_round = _Round.of(record, came, further=1)
        why = self._left_out(record, came, next_round)
        if why is not None:
            self._report.left_out[why] += 1
            return None
        self._there.rounds.add(next_round)  # the letter may be there twice
        self._report.redriven[record.topic] += 1
        return (
            self._enrichment.redrives.redriven(record, cluster=came.cluster, epoch=came.epoch),
            record.partition,
        )

    def _left_out(self, record: SourceRecord, came: Redriven, further: _Round) -> LeftOut | None:
        if record.topic == self._settings.topic_names.signals:
            return LeftOut.SIGNAL
        if record.topic not in self._there.partitions:
            return LeftOut.ELSEWHERE
        if further in self._there.rounds:
            return LeftOut.ALREADY
        if came.round >= self._enrichment.max_rounds:
            return LeftOut.ROUNDS
        outcome = self._outcome(record)
        users = self._whose.record(record, outcome)
        if any(self._there.erasures.covers(user, record.timestamp_ms) for user in users):
            return LeftOut.ERASED
        if outcome is None:
            self._report.fails_again[DeadReason.PROCESSING_FAILED.value] += 1
        elif isinstance(outcome, OutputRecord) and (reason := reason_of(outcome.headers)):
            self._report.fails_again[reason.value] += 1
        return None

    def _outcome(self, record: SourceRecord) -> PreparedQuery | OutputRecord | None:
        """What the enricher's first step makes of it; None when that fails altogether."""
        try:
            return self._enrichment.prepare(record)
        except Exception:  # noqa: BLE001 (a fault of ours is why the record is here, may be)
            return None

    async def _send(
        self, client: AIOKafkaProducer, outputs: list[tuple[OutputRecord, int]]
    ) -> None:
        """Sends and awaits the acknowledgements. Records go to the partition they came from."""
        try:
            async with asyncio.timeout(_ACKNOWLEDGE_S):
                sent = [
                    await send(client, output, place if place < self._count(output) else None)
                    for output, place in outputs
                ]
                await asyncio.gather(*sent)
        except TimeoutError as error:
            raise UnreachableError(
                f"Kafka has not acknowledged for {_ACKNOWLEDGE_S:.0f} s",
                "run it again: what was sent is not sent twice; `intentstream doctor` looks",
            ) from error
        except (MessageSizeTooLargeError, RecordTooLargeError) as error:
            raise IntentstreamError(
                f"one of the records is larger than {outputs[0][0].topic} takes",
                "raise max.message.bytes of the topic, or leave the reason too_large out",
            ) from error

    def _count(self, output: OutputRecord) -> int:
        return self._there.partitions[output.topic]


class _Named(Struct):
    user_id: Identifier | int | None = None


class _Whose:
    """Whose record it may be, by pseudonym, under every key in force."""

    def __init__(self, settings: Settings, enrichment: Enrichment) -> None:
        self._pseudonyms = enrichment.pseudonyms
        names = settings.topic_names
        text = settings.queries.format is RawFormat.TEXT
        self._decoders = {
            names.raw: None if text else _decoder(settings.queries),
            names.actions: _decoder(settings.actions),
        }

    def record(
        self, record: SourceRecord, outcome: PreparedQuery | OutputRecord | None
    ) -> set[str]:
        """The pseudonyms; none when nothing names a user.

        A record that cannot be decoded as a whole is looked at for its user alone, and its key
        counts as a user's id too: better one record too many left out.
        """
        ids = set()
        if record.key:
            ids.add(record.key.decode("utf-8", "backslashreplace"))
        decoder = self._decoders[record.topic]
        if decoder is not None:
            try:
                user_id = decoder.decode(record.value).user_id
            except RecordError:
                user_id = None
            if user_id not in (None, ""):
                ids.add(str(user_id))
        users = {name for one in ids for name in self._pseudonyms.user_under_all_keys(one)}
        if isinstance(outcome, PreparedQuery) and outcome.user is not None:
            users.add(outcome.user)
        return users


def _decoder(source: InputSettings) -> RecordDecoder[_Named]:
    """Reads nothing of a record but its user."""
    mapping = {name: path for name, path in source.field_mapping.items() if name == "user_id"}
    return RecordDecoder(
        _Named,
        field_mapping=mapping,
        schema_registry_framing=source.schema_registry_framing,
        max_bytes=_LARGEST,
    )
