"""Replay: a range of records through the same code again, against what was published for them.

    look through the range ─▶ what was published for it ─▶ replay and compare ─▶ the run's files
            │ samples, redriven       │ an index on disk        │ replays.<run>
            └────────────────── state.partial: a kill loses at most a batch ──────┘

It reads by assignment, without a group, so it never moves the workers' offsets; what it gives
goes to a topic of its own, `replays.<run>`, or only into the run folder.
"""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from streams.records import SourceRecord
from workers.enrichment.batch_enrichment import enrichment_of
from workers.errors import IntentstreamError, UnreachableError
from workers.kafka import admin, cluster_id, consumer, running, source_record
from workers.replays.back_fill import Confirm, back_fill, corrected_topics, never
from workers.replays.batches import BatchRunner, Enrich
from workers.replays.comparison import Verdict
from workers.replays.event_identity import Position
from workers.replays.explanation import Explanation
from workers.replays.files import Asked, finish
from workers.replays.keys import checked_key
from workers.replays.output import opened_output
from workers.replays.pace import Pace
from workers.replays.published_events import Wanted, erased_users, keep_published
from workers.replays.record_lookup import record_at
from workers.replays.report import ReplayReport, digests_of, range_as_dict, range_from_dict
from workers.replays.report_page import telling_pairs
from workers.replays.request import ReplayRequest, checked_name, refuse_other
from workers.replays.run_state import RunError, RunState, opened_state
from workers.replays.selection import Choice, Filters, Sample, Selection, names_of
from workers.settings import Settings
from workers.topic_range import RangeError, ResolvedRange, read, resolve
from workers.topics_admin import TopicState, topic_states

Progress = Callable[[str, int, int], None]
"""Called with the phase, and how many offsets of how many are done."""

Explain = Callable[[SourceRecord], Awaitable[Explanation | None]]
"""Why the model answers a record as it does; None where the record never reaches it."""

EXPLAINED: Final = 6
"""So many of the most telling examples are explained on the page: each asks the model for hundreds
of parts of a text."""

_LOOK_AT_ONCE: Final = 2_000


async def replay(
    settings: Settings,
    request: ReplayRequest,
    enrich: Enrich,
    progress: Progress,
    confirm: Confirm = never,
    explain: Explain | None = None,
) -> ReplayReport:
    """Replays a range and compares. A run is whole when its manifest is there.

    Args:
        settings: in force.
        request: what to replay.
        enrich: the step that the enricher runs.
        progress: is told how far it is.
        confirm: is asked before anything is published as a correction.
        explain: says why the model answers as it does; None leaves that out of the page.

    Raises:
        RangeError: the range makes no sense or is gone, or a topic does not exist.
        IntentstreamError: the run exists already; Kafka or the model is away; a right is missing.
    """
    try:
        async with _clients(settings) as clients:
            return await _Run(settings, request, clients, progress).run(enrich, confirm, explain)
    except (TopicAuthorizationFailedError, ClusterAuthorizationFailedError) as error:
        raise UnreachableError(
            f"Kafka refuses: this principal lacks a right ({_named(error)})",
            "a replay needs Describe, DescribeConfigs and Read on the workers' topics, Create and "
            "Write on replays.* unless --no-publish, and for a back-fill Write on its topics: "
            "`intentstream topics acls` shows the roles auditor and corrector",
        ) from error
    except KafkaError as error:
        raise UnreachableError(
            f"Kafka failed in the middle of the replay ({type(error).__name__})",
            "nothing is lost: go on with --resume; `intentstream doctor` looks",
        ) from error


def _named(error: KafkaError) -> str:
    return ", ".join([type(error).__name__, *(str(one) for one in error.args)])


@dataclass(frozen=True, slots=True)
class _Clients:
    admin: AIOKafkaAdminClient
    reader: AIOKafkaConsumer


@asynccontextmanager
async def _clients(settings: Settings) -> AsyncIterator[_Clients]:
    kafka = settings.kafka
    async with running(admin(kafka), kafka) as client, running(consumer(kafka), kafka) as reader:
        yield _Clients(client, reader)


class _Run:
    """One run, from its beginning or from where it was killed."""

    def __init__(
        self, settings: Settings, request: ReplayRequest, clients: _Clients, progress: Progress
    ) -> None:
        self._settings = settings
        correct = corrected_topics(request.correct, settings.topic_names)
        self._request = request = replace(request, correct=correct)
        self._clients = clients
        self._progress = progress
        self._names = settings.topic_names
        self._pace = Pace(request.share)
        pseudonyms = settings.pseudonyms.pseudonymiser()
        users = names_of(request.user, pseudonyms)
        self._selection = Selection(
            enrichment_of(settings),
            pseudonyms,
            Filters(users, request.intent),
            self._names.intents,
        )
        self._asked = request.asked() | {"users": sorted(users or ())}

    async def run(self, enrich: Enrich, confirm: Confirm, explain: Explain | None) -> ReplayReport:
        """Does all of it, and writes the run's files."""
        request = self._request
        checked_name(request.run)
        checked_key(self._settings, request.folder.parent)
        topics = await self._topics(request.topic or self._names.raw)
        topic, found = topics.popitem()
        source = None
        if not request.resume:
            source = await resolve(
                self._clients.reader, topic, found.partitions, request.since, request.until
            )
        with opened_state(request.folder, resume=request.resume) as state:
            report = self._begun(state, source)
            self._selection.erased = {}
            async with self._output(state) as output:
                report.published_to = output.topic
                await self._prepare(state, report.source, topics, found)
                runner = BatchRunner(
                    self._settings, report, self._selection, state, output, self._pace
                )
                await runner.run(
                    self._clients.reader, enrich, lambda *done: self._progress("replaying", *done)
                )
            if request.correct:
                await back_fill(self._settings, state, report, confirm)
            report.notes += [*await self._lag(report), *self._older_models(report)]
            why = {} if explain is None else await self._explained(state, report, explain)
            await self._finish(state, report, why)
        return report

    def _begun(self, state: RunState, source: ResolvedRange | None) -> ReplayReport:
        """The report of a new run, or that of a resumed one as it stood."""
        if source is not None:
            report = ReplayReport(self._request, source, notes=list(source.warnings))
            with state.saving():
                state.put("asked", self._asked)
                state.put("range", range_as_dict(source))
            return report
        refuse_other(self._asked, state.get("asked", {}))
        source = range_from_dict(state.get("range"))
        report = ReplayReport(self._request, source, notes=list(source.warnings))
        stored = state.get("report")
        if stored is not None:
            report.restore(stored)
        return report

    @asynccontextmanager
    async def _output(self, state: RunState) -> AsyncIterator[Any]:
        """The run's output; a run whose topic is another's leaves nothing behind."""
        creator = self._clients.admin if self._request.publish else None
        entered = False
        try:
            async with opened_output(self._settings, self._request.run, creator, state) as output:
                entered = True
                yield output
        except RunError:
            if not entered and not self._request.resume:
                shutil.rmtree(self._request.folder, ignore_errors=True)
            raise

    async def _prepare(
        self,
        state: RunState,
        source: ResolvedRange,
        topics: dict[str, TopicState],
        found: TopicState,
    ) -> None:
        """Looks through the range, collects what was published, and draws the sample."""
        later = bool(self._request.intent)  # the sample is of queries whose intent is known
        if state.get("looked") is None:
            more, sample = await self._look(state, source, sampled=not later)
            with state.saving():
                state.put("looked", {"more": more, "sample": sample})
        looked = state.get("looked")
        stamped = found.configs.get("message.timestamp.type") == "LogAppendTime"
        await keep_published(
            self._clients.reader,
            state,
            {name: one.partitions for name, one in topics.items()},
            (self._names.dead, self._names.signals),
            Wanted(
                # without LogAppendTime the source's times are the producers', and may be wrong
                source if stamped else replace(source, since_ms=None),
                frozenset(Position(*pair) for pair in looked["more"]),
            ),
            lambda *done: self._progress("reading what was published", *done),
            self._pace,
        )
        self._selection.erased = erased_users(state)
        if self._request.sample and looked["sample"] is None:
            _, looked["sample"] = await self._look(state, source, sampled=True)
            with state.saving():
                state.put("looked", looked)
        if looked["sample"] is not None:
            self._selection.sample = frozenset(Position(*pair) for pair in looked["sample"])

    async def _look(
        self, state: RunState, source: ResolvedRange, *, sampled: bool
    ) -> tuple[list[list[int]], list[list[int]] | None]:
        """Positions of redriven records outside the range, and the sample, if one is to be drawn."""
        sample = Sample(source.topic, self._request.sample) if self._request.sample else None
        inside = Wanted(source, frozenset())
        more: set[Position] = set()
        self._pace.begin()
        async for found, left in read(
            self._clients.reader, source.topic, source.partitions, batch=_LOOK_AT_ONCE
        ):
            records = [source_record(record) for record in found]
            originals = [self._selection.original(record) for record in records]
            positions = [Position(one.partition, one.offset) for one in originals]
            more.update(one for one in positions if one not in inside)
            if sample is not None and sampled:
                needed = positions if self._selection.needs_published() else ()
                published = state.published(needed)
                for record in records:
                    if self._selection.decide(record, published) is not Choice.OUT:
                        sample.offer(Position(record.partition, record.offset))
            self._progress("looking through the range", source.offsets - left, source.offsets)
            await self._pace.rest()
        chosen = None
        if sample is not None and sampled:
            chosen = [[one.partition, one.offset] for one in sorted(sample.chosen())]
        return [[one.partition, one.offset] for one in sorted(more)], chosen

    async def _topics(self, source: str) -> dict[str, TopicState]:
        """The enricher's output topics as they are, and the source at the end."""
        names = self._names
        if source not in (names.raw, names.actions):
            raise RangeError(
                f"{source} is not read by the enricher",
                f"replay {names.raw} or {names.actions}, with --topic",
            )
        wanted = [names.intents, names.entities, names.signals, names.dead, source]
        states = await topic_states(self._clients.admin, wanted)
        for name in wanted:
            if name not in states:
                raise RangeError(
                    f"there is no topic {name}, or this principal may not see it",
                    "check --topic and INTENTSTREAM_PREFIX; `intentstream topics plan` shows topics",
                )
        return {name: states[name] for name in wanted}

    async def _lag(self, report: ReplayReport) -> list[str]:
        """Says when events are missing because the enricher has not come so far."""
        if not report.tally.total(Verdict.MISSING):
            return []
        group = self._settings.group_id("enricher")
        try:
            committed = await self._clients.admin.list_consumer_group_offsets(group)
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

    def _older_models(self, report: ReplayReport) -> list[str]:
        """Which models to ask for to have the bytes of the originals again."""
        if self._request.model:
            return []
        published, replayed = map(digests_of, (report.published_by, report.replayed_by))
        return [
            f"some events were published by the model {digest}: --model-version {digest} replays "
            "with it, from the repository or the archive"
            for digest in sorted(published - replayed)
        ]

    async def _explained(
        self, state: RunState, report: ReplayReport, explain: Explain
    ) -> dict[Position, Explanation]:
        """Why the replay's model answers the most telling examples as it does."""
        found: dict[Position, Explanation] = {}
        clients, topic = self._clients, report.source.topic
        telling = list(telling_pairs(state, self._names.intents, EXPLAINED))
        self._pace.begin()
        for count, (position, _, _) in enumerate(telling, 1):
            try:
                record = await record_at(clients.reader, clients.admin, topic, position)
                why = await explain(record)
            except IntentstreamError as error:
                report.notes.append(f"examples are not explained: {error.message}")
                break
            if why is not None:
                found[position] = why
            self._progress("explaining examples", count, len(telling))
            await self._pace.rest()
        return found

    async def _finish(
        self, state: RunState, report: ReplayReport, why: dict[Position, Explanation]
    ) -> None:
        cluster = {
            "name": self._settings.cluster,
            "epoch": self._settings.epoch,
            "id": await cluster_id(self._clients.admin),
        }
        finish(self._settings, state, report, Asked(self._asked, cluster, why))
