"""Replay: a range of records through the same code again, against what was published for them.

It reads by assignment, without a group, so it never moves the workers' offsets; what it gives
goes to a topic of its own, `replays.<run>`, or only into the run folder.
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError
from msgspec import Struct

from streams.events import ModelVersion, PipelineVersion
from streams.records import OutputRecord, SourceRecord
from workers.errors import ContractError, UnreachableError
from workers.kafka import admin, consumer, running, source_record
from workers.replays.comparison import (
    Difference,
    FieldChange,
    Tally,
    Verdict,
    changes,
    dead_letter_changes,
)
from workers.replays.output import ReplayOutput, opened_output
from workers.replays.published_events import (
    EventKey,
    key_of_dead_letter,
    key_of_event,
    published_events,
)
from workers.settings import Settings
from workers.topic_range import Bound, RangeError, ResolvedRange, read, resolve
from workers.topics_admin import TopicState, topic_states

Enrich = Callable[[Sequence[SourceRecord]], Awaitable[Sequence[tuple[OutputRecord, ...]]]]
"""The step that the enricher runs: the outputs of each record, in the records' order."""

Progress = Callable[[str, int, int], None]
"""Called with the phase, and how many offsets of how many are done."""

_BATCH: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """What to replay, and what to do with what comes out.

    `limit` counts records; 0 reads all. `folder` must not exist yet: the run's files go there.
    """

    run: str
    since: Bound
    until: Bound
    folder: Path
    topic: str = ""
    publish: bool = True
    limit: int = 0


@dataclass(slots=True)
class ReplayReport:
    """What came out. `as_dict` is what `--json` prints and `summary.json` holds."""

    request: ReplayRequest
    source: ResolvedRange
    tally: Tally = field(default_factory=Tally)
    records: int = 0
    published_by: Counter[str] = field(default_factory=Counter)
    replayed_by: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    published_to: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        verdicts = {verdict.value: self.tally.total(verdict) for verdict in Verdict}
        return {
            "run": self.request.run,
            "topic": self.source.topic,
            "range": {
                str(part.partition): [part.start, part.end] for part in self.source.partitions
            },
            "records": self.records,
            "compared": self.tally.total(Verdict.IDENTICAL, Verdict.CHANGED),
            **verdicts,
            "topics": {
                topic: {verdict.value: counts[verdict] for verdict in Verdict}
                for topic, counts in sorted(self.tally.verdicts.items())
            },
            "fields": dict(self.tally.fields.most_common()),
            "published_by": dict(self.published_by),
            "replayed_by": dict(self.replayed_by),
            "published_to": self.published_to,
            "notes": self.notes,
            "seconds": round(self.seconds, 3),
        }


class _Provenance(Struct):
    model: ModelVersion
    pipeline: PipelineVersion


_provenance = msgspec.json.Decoder(_Provenance)


def _origin(event: OutputRecord) -> str | None:
    """Which model and settings made an event of `queries.intents`."""
    try:
        made = _provenance.decode(event.value or b"")
    except ValueError:
        return None
    return f"model {made.model.digest}, settings {made.pipeline.settings_digest}"


async def replay(
    settings: Settings, request: ReplayRequest, enrich: Enrich, progress: Progress
) -> ReplayReport:
    """Replays a range and compares. Its files are whole when they have their final names.

    Raises:
        RangeError: the range makes no sense or is gone, or a topic does not exist.
        IntentstreamError: the run exists already; Kafka or the model is away.
    """
    try:
        return await _replay(settings, request, enrich, progress)
    except KafkaError as error:
        raise UnreachableError(
            f"Kafka failed in the middle of the replay ({type(error).__name__})",
            "nothing is lost: run it again under another --run; `intentstream doctor` looks",
        ) from error


async def _replay(
    settings: Settings, request: ReplayRequest, enrich: Enrich, progress: Progress
) -> ReplayReport:
    started = time.monotonic()
    kafka = settings.kafka
    async with running(admin(kafka), kafka) as client, running(consumer(kafka), kafka) as reader:
        topics = await _topics(client, settings, request.topic or settings.topic_names.raw)
        topic, state = topics.popitem()
        source = await resolve(reader, topic, state.partitions, request.since, request.until)
        report = ReplayReport(request, source, notes=list(source.warnings))
        creator = client if request.publish else None
        async with opened_output(
            settings, request.run, request.folder, creator, report.as_dict
        ) as output:
            report.published_to = output.topic
            published = await published_events(
                reader,
                {name: found.partitions for name, found in topics.items()},
                settings.topic_names.dead,
                _bounded(source, state),
                lambda done, total: progress("reading what was published", done, total),
            )
            runner = _Runner(settings, report, enrich, output, published)
            await runner.run(reader, lambda done, total: progress("replaying", done, total))
            report.notes += await _lag(client, settings, report)
            report.seconds = time.monotonic() - started
    return report


async def _topics(
    client: AIOKafkaAdminClient, settings: Settings, source: str
) -> dict[str, TopicState]:
    """The enricher's output topics as they are, and the source at the end."""
    names = settings.topic_names
    if source not in (names.raw, names.actions):
        raise RangeError(
            f"{source} is not read by the enricher",
            f"replay {names.raw} or {names.actions}, with --topic",
        )
    wanted = [names.intents, names.entities, names.signals, names.dead, source]
    states = await topic_states(client, wanted)
    for name in wanted:
        if name not in states:
            raise RangeError(
                f"there is no topic {name}",
                "check --topic and INTENTSTREAM_PREFIX; `intentstream topics plan` shows topics",
            )
    return {name: states[name] for name in wanted}


def _bounded(source: ResolvedRange, state: TopicState) -> ResolvedRange:
    """Without a bound in time where the source's times are the producers': they may be wrong."""
    stamped = state.configs.get("message.timestamp.type") == "LogAppendTime"
    return source if stamped else replace(source, since_ms=None)


async def _lag(client: AIOKafkaAdminClient, settings: Settings, report: ReplayReport) -> list[str]:
    """Says when events are missing because the enricher has not come so far."""
    if not report.tally.total(Verdict.MISSING):
        return []
    try:
        committed = await client.list_consumer_group_offsets(settings.group_id("enricher"))
    except GroupCoordinatorNotAvailableError:
        committed = {}  # no group has committed anything in this cluster yet
    except KafkaError:
        return []
    reached = {
        tp.partition: known.offset
        for tp, known in committed.items()
        if tp.topic == report.source.topic
    }
    behind = sum(
        max(0, part.end - max(reached.get(part.partition, 0), part.start))
        for part in report.source.partitions
    )
    return [f"the enricher has {behind} offsets of the range still before it"] if behind else []


class _Runner:
    """Runs batches through the enricher's step and compares what comes out."""

    def __init__(
        self,
        settings: Settings,
        report: ReplayReport,
        enrich: Enrich,
        output: ReplayOutput,
        published: dict[EventKey, OutputRecord],
    ) -> None:
        self._names = settings.topic_names
        self._report = report
        self._enrich = enrich
        self._output = output
        self._published = published
        self._reached = {part.partition: part.start for part in report.source.partitions}

    async def run(self, reader: AIOKafkaConsumer, progress: Callable[[int, int], None]) -> None:
        source, limit = self._report.source, self._report.request.limit
        total = source.offsets
        async for found, left in read(reader, source.topic, source.partitions, batch=_BATCH):
            records = [source_record(record) for record in found]
            if limit:
                records = records[: limit - self._report.records]
            if records:
                await self._batch(records)
            progress(total - left, total)
            if limit and self._report.records >= limit:
                break
        else:
            self._reached = {part.partition: part.end for part in source.partitions}
        self._extra()

    async def _batch(self, records: list[SourceRecord]) -> None:
        replayed = await self._enrich(records)
        for record, outputs in zip(records, replayed, strict=True):
            for output in outputs:
                self._compare(output)
            self._reached[record.partition] = record.offset + 1
        self._report.records += len(records)
        await self._output.publish(records, replayed)

    def _compare(self, output: OutputRecord) -> None:
        is_dead = output.topic == self._names.dead
        known = (
            key_of_dead_letter(output.topic, output.headers)
            if is_dead
            else key_of_event(output.topic, output.value, output.headers)
        )
        if known is None:
            raise ContractError(f"an event for {output.topic} does not name its source")
        if output.topic == self._names.intents:
            self._count(self._report.replayed_by, output)
        before = self._published.pop(known[1], None)
        if before is None:
            self._differs(Verdict.MISSING, known[1])
            return
        if output.topic == self._names.intents:
            self._count(self._report.published_by, before)
        found = (dead_letter_changes if is_dead else changes)(before, output)
        if found:
            self._differs(Verdict.CHANGED, known[1], found)
        else:
            self._report.tally.add(output.topic, Verdict.IDENTICAL)

    @staticmethod
    def _count(counter: Counter[str], event: OutputRecord) -> None:
        origin = _origin(event)
        if origin is not None:
            counter[origin] += 1

    def _extra(self) -> None:
        """What was published for the records read, and did not come out again."""
        for key in sorted(self._published, key=lambda key: (key.partition, key.offset, key.topic)):
            if key.offset < self._reached[key.partition]:
                self._differs(Verdict.EXTRA, key)

    def _differs(
        self, verdict: Verdict, key: EventKey, fields: tuple[FieldChange, ...] = ()
    ) -> None:
        self._report.tally.add(key.topic, verdict, fields)
        self._output.note(
            Difference(verdict, key.topic, key.partition, key.offset, key.ce_id, fields)
        )
