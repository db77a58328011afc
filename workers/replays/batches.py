"""The middle of a replay: batch after batch through the enricher's step, compared and counted."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer

from streams.records import OutputRecord, SourceRecord
from workers.kafka import source_record
from workers.replays.agreement import telling
from workers.replays.back_fill import corrections_of
from workers.replays.comparison import DRIFT, Difference, Verdict
from workers.replays.event_identity import EventKey, Position, key_of
from workers.replays.evidence import PartitionEvidence, record_digest
from workers.replays.output import ReplayOutput
from workers.replays.pace import Pace
from workers.replays.record_comparison import Compared, Comparer, RecordComparison
from workers.replays.report import ReplayReport, origin
from workers.replays.run_state import Input, NotedDifference, RunState
from workers.replays.selection import Choice, Selection
from workers.settings import Settings
from workers.topic_range import PartitionRange, read, read_in_order

Enrich = Callable[[Sequence[SourceRecord]], Awaitable[Sequence[tuple[OutputRecord, ...]]]]
"""The step that the enricher runs: the outputs of each record, in the records' order."""

_BATCH: Final = 512
_BATCH_BESIDE: Final = 128
"""Records at once beside live workers: they wait for the model no longer than for these."""

_AHEAD: Final = 2
"""Batches at the model at once: while one is compared, the next is being answered."""

_Events = Mapping[EventKey, OutputRecord]


@dataclass(slots=True)
class _Batch:
    """Records of the range, and what is to become of them."""

    seen: list[SourceRecord]
    chosen: list[SourceRecord]
    published: dict[Position, dict[EventKey, OutputRecord]]
    left_out: int
    erased: int
    left: int
    answer: "asyncio.Task[Sequence[tuple[OutputRecord, ...]]] | None" = field(default=None)


class BatchRunner:
    """Runs a range.

    Args:
        settings: in force.
        report: counts go here.
        selection: which records.
        state: keeps what was found, a batch at a time.
        output: publishes what came out.
        pace: leaves live workers their share.
    """

    def __init__(
        self,
        settings: Settings,
        report: ReplayReport,
        selection: Selection,
        state: RunState,
        output: ReplayOutput,
        pace: Pace,
    ) -> None:
        self._names = settings.topic_names
        self._report = report
        self._selection = selection
        self._state = state
        self._output = output
        self._comparer = Comparer(self._names, report.request.tolerance)
        self._pace = pace
        self._since = time.monotonic()

    async def run(
        self, reader: AIOKafkaConsumer, enrich: Enrich, progress: Callable[[int, int], None]
    ) -> None:
        """Replays what is left of the range; then what was published and did not come out again."""
        if self._state.get("replayed"):
            return
        source, limit = self._report.source, self._report.request.limit
        parts = self._report.partitions
        for one in source.partitions:
            if one.partition not in parts:
                parts[one.partition] = PartitionEvidence(
                    one.partition, one.start, one.end, one.start
                )
        left_parts = [PartitionRange(n, part.reached, part.end) for n, part in parts.items()]
        alone = self._pace.share == 1
        ahead, size = (_AHEAD, _BATCH) if alone else (1, _BATCH_BESIDE)
        waiting: deque[_Batch] = deque()
        taken = self._report.records
        reading = read_in_order if limit else read  # the first so many are the same every time
        self._pace.begin()
        try:
            async for found, left in reading(reader, source.topic, left_parts, batch=size):
                batch = self._chosen([source_record(record) for record in found], left)
                if limit:
                    self._cut(batch, limit - taken)
                taken += len(batch.chosen)
                batch.answer = asyncio.create_task(_answered(enrich, batch.chosen))
                waiting.append(batch)
                full = bool(limit and taken >= limit)
                while waiting and (full or len(waiting) >= ahead):
                    await self._settle(waiting.popleft(), progress)
                if full:
                    break
            else:
                while waiting:
                    await self._settle(waiting.popleft(), progress)
                for part in parts.values():
                    part.reached = part.end
        finally:
            tasks = [batch.answer for batch in waiting if batch.answer is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        with self._state.saving():
            self._extra()
            self._state.put("replayed", True)
            self._save()

    def _chosen(self, records: list[SourceRecord], left: int) -> _Batch:
        batch = _Batch(records, [], {}, 0, 0, left)
        originals = [self._selection.original(record) for record in records]
        positions = {Position(one.partition, one.offset) for one in originals}
        batch.published = self._state.published(list(positions))
        for record in records:
            choice = self._selection.decide(record, batch.published)
            if choice is Choice.IN:
                batch.chosen.append(record)
            elif choice is Choice.OUT:
                batch.left_out += 1
            else:
                batch.erased += 1
        return batch

    def _cut(self, batch: _Batch, most: int) -> None:
        """Only the first records, when a limit ends within the batch."""
        if len(batch.chosen) <= most:
            return
        last = batch.chosen[most]
        kept = batch.seen[: batch.seen.index(last)]
        again = self._chosen(kept, batch.left)
        batch.seen, batch.chosen = again.seen, again.chosen
        batch.left_out, batch.erased = again.left_out, again.erased

    async def _settle(self, batch: _Batch, progress: Callable[[int, int], None]) -> None:
        """Compares the answers of a batch, publishes them, and keeps all of it at once."""
        assert batch.answer is not None  # noqa: S101 (a batch waits only once it was asked)
        outputs = await batch.answer
        published = await self._output.publish(batch.chosen, outputs)
        with self._state.saving():
            for event in published:
                self._report.output.add(event)
            for record, events in zip(batch.chosen, outputs, strict=True):
                self._record(record, {key_of(one, self._names.dead): one for one in events}, batch)
            self._count(batch)
            self._save()
        total = self._report.source.offsets
        progress(total - batch.left, total)
        await self._pace.rest()

    def _count(self, batch: _Batch) -> None:
        self._report.left_out += batch.left_out
        self._report.erased += batch.erased
        self._report.records += len(batch.chosen)
        for record in batch.seen:
            part = self._report.partitions[record.partition]
            part.seen += 1
            part.reached = record.offset + 1

    def _save(self) -> None:
        now = time.monotonic()
        self._report.seconds += now - self._since
        self._since = now
        self._state.put("report", self._report.stored())

    def _record(self, record: SourceRecord, replayed: _Events, batch: _Batch) -> None:
        """One record's part of the evidence, and the verdicts on what it became."""
        digest = record_digest(record)
        self._report.partitions[record.partition].add(digest)
        original = self._selection.original(record)
        position = Position(original.partition, original.offset)
        published: _Events = batch.published.get(position, {})
        if original is not record:
            self._report.redriven += 1
            replayed, published = self._redriven(position, replayed, published)
        user = next(
            (key.decode() for one in replayed.values() if (key := self._user(one)) is not None),
            None,
        )
        self._state.keep_inputs([Input(record.partition, record.offset, digest, user)])
        found = self._comparer.compare(replayed, published)
        self._note(found)
        waiting = [one.key for one in found.events if one.verdict is Verdict.EXTRA]
        if waiting:
            self._state.leave_unmatched(waiting)
        if found.before is not None and found.after is not None:
            self._report.published_by[origin(found.before)] += 1
            self._report.agreement.add(found.before, found.after)
        if found.after is not None:
            self._report.replayed_by[origin(found.after)] += 1

    def _user(self, event: OutputRecord) -> bytes | None:
        return event.key if event.topic == self._names.signals else None

    def _redriven(
        self, position: Position, replayed: _Events, published: _Events
    ) -> tuple[_Events, _Events]:
        """What of a redriven record is to be compared.

        It has the identity of its first reading, so what its first replay has accounted for is a
        repeat; and what it accounts for is not extra.
        """
        done = self._state.has_input(position)
        fresh = {
            key: event
            for key, event in replayed.items()
            if self._state.match_redriven(key) or not done
        }
        return fresh, {key: event for key, event in published.items() if key in fresh}

    def _note(self, found: RecordComparison) -> None:
        correct = self._report.request.correct
        for one in found.events:
            if one.verdict is Verdict.EXTRA:
                continue  # a redriven record may still account for it
            self._report.tally.add(one.key.topic, one.verdict, one.fields)
            if one.verdict is Verdict.IDENTICAL:
                continue
            self._differs(one, found)
            if one.key.topic in correct:
                events = list(corrections_of(one, found.after))
                self._report.to_correct += len(events)
                self._state.keep_corrections(events)

    def _differs(self, one: Compared, found: RecordComparison) -> None:
        weight, replayed = 0.0, None
        if one.key.topic == self._names.intents:
            if one.verdict is Verdict.CHANGED and all(
                change.within(self._report.request.tolerance) or change.kind in DRIFT
                for change in one.fields
            ):
                self._report.drifted += 1
            if found.before is not None and found.after is not None:
                weight = telling(found.before, found.after) + 1e-6
                replayed = None if one.replayed is None else one.replayed.value
        self._noted(Difference.of(one.verdict, one.key, one.fields), weight, replayed)

    def _noted(self, difference: Difference, weight: float, replayed: bytes | None) -> None:
        body = json.dumps(difference.as_dict(), ensure_ascii=False)
        self._state.note(
            [
                NotedDifference(
                    difference.partition,
                    difference.offset,
                    difference.topic,
                    weight,
                    body,
                    replayed,
                )
            ]
        )

    def _extra(self) -> None:
        """What was published for the records read, and did not come out again."""
        redriven = 0
        for key in self._state.unmatched():
            self._report.tally.add(key.topic, Verdict.EXTRA)
            self._noted(Difference.of(Verdict.EXTRA, key), 0.0, None)
            beside = self._state.published([key.position]).get(key.position, {})
            redriven += key.topic != self._names.dead and any(
                one.topic == self._names.dead for one in beside
            )
        if redriven:
            self._report.notes.append(
                f"{redriven} of the extra events have a dead letter beside them: their records "
                "were redriven outside the range"
            )


async def _answered(
    enrich: Enrich, records: Sequence[SourceRecord]
) -> Sequence[tuple[OutputRecord, ...]]:
    return await enrich(records) if records else ()
