"""Which records a replay reads: bounds as people write them, to offsets per partition."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from workers.errors import IntentstreamError, UnreachableError

_DURATION = re.compile(r"-(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS: Final = (86_400, 3_600, 60, 1)
_OFFSETS = re.compile(r"\d+:\d+(?:,\d+:\d+)*")
_FORMS = (
    "write an ISO time (2026-01-31T12:00, UTC unless it says otherwise), a duration back from now "
    "(-2h, -1d12h), earliest, latest, or offsets by partition (0:120,1:80)"
)
_STALL_S: Final = 60.0
_CLOCK_MARGIN_MS: Final = 10 * 60 * 1_000
"""How far the clocks of brokers and of whoever publishes may be apart."""


class RangeError(IntentstreamError):
    """The range cannot be read: nonsense, an unknown topic, or records that are gone."""


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range: a moment, an end of the log, or an offset for some partitions."""

    text: str
    time_ms: int | None = None
    offsets: Mapping[int, int] | None = None

    @property
    def is_latest(self) -> bool:
        """Whether it is the end of the log as it is now."""
        return self.text == "latest"


def published_since(moment_ms: int | None) -> Bound:
    """From where to read what has been published since a moment (Unix, ms); None: all of it."""
    if moment_ms is None:
        return Bound("earliest")
    return Bound("time", time_ms=max(0, moment_ms - _CLOCK_MARGIN_MS))


@dataclass(frozen=True, slots=True)
class PartitionRange:
    """Offsets from `start` to before `end` of one partition."""

    partition: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ResolvedRange:
    """A range with its ends fixed. `warnings` say what of it is no longer there."""

    topic: str
    partitions: tuple[PartitionRange, ...]
    since_ms: int | None
    warnings: tuple[str, ...] = ()

    @property
    def offsets(self) -> int:
        """How many offsets it spans; of records there may be fewer (gaps, transaction markers)."""
        return sum(part.end - part.start for part in self.partitions)


def parse_bound(text: str, *, now_ms: int) -> Bound:
    """A bound from the command line. Raises `RangeError` that shows the forms."""
    text = text.strip()
    if text in ("earliest", "latest"):
        return Bound(text)
    if _OFFSETS.fullmatch(text):
        pairs = [part.split(":") for part in text.split(",")]
        offsets = {int(partition): int(offset) for partition, offset in pairs}
        if len(offsets) < len(pairs):
            raise RangeError(f"{text!r} names a partition twice", _FORMS)
        return Bound(text, offsets=offsets)
    duration = _DURATION.fullmatch(text)
    if duration and any(duration.groups()):
        parts = zip(duration.groups(), _UNITS, strict=True)
        seconds = sum(int(count) * unit for count, unit in parts if count)
        return Bound(text, time_ms=max(0, now_ms - 1_000 * seconds))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RangeError(f"{text!r} is no bound of a range", _FORMS) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Bound(text, time_ms=max(0, round(moment.timestamp() * 1_000)))


async def resolve(
    consumer: AIOKafkaConsumer,
    topic: str,
    partitions: int,
    since: Bound,
    until: Bound,
    *,
    strict: bool = True,
) -> ResolvedRange:
    """The offsets between two bounds, with the ends as they are now.

    Args:
        consumer: without a group.
        topic: that exists.
        partitions: how many it has.
        since: the first moment or offset that is in.
        until: the first that is out.
        strict: whether it is an error when nothing of a range by time is left.

    Raises:
        RangeError: the bounds contradict each other, or name records that are no longer there.
    """
    if since.time_ms is not None and until.time_ms is not None and since.time_ms > until.time_ms:
        raise RangeError(f"--from {since.text} lies after --to {until.text}", _FORMS)
    chosen = _chosen(topic, partitions, since, until)
    oldest = await consumer.beginning_offsets(chosen)
    newest = await consumer.end_offsets(chosen)
    starts = await _offsets(consumer, since, oldest, newest)
    ends = await _offsets(consumer, until, oldest, newest)
    warnings, gone = await _expired(consumer, since, oldest, ends)
    if strict and gone:
        raise RangeError(
            f"nothing of the range is retained any more: {'; '.join(warnings)}",
            "choose a later --from, or earliest for all that is left",
        )
    parts = []
    for tp in chosen:
        if starts[tp] > ends[tp] and since.offsets and until.offsets:
            raise RangeError(f"{_name(tp)}: {starts[tp]} lies after {ends[tp]}", _FORMS)
        parts.append(PartitionRange(tp.partition, starts[tp], max(starts[tp], ends[tp])))
    return ResolvedRange(topic, tuple(parts), since.time_ms, tuple(warnings))


def _chosen(topic: str, partitions: int, since: Bound, until: Bound) -> list[TopicPartition]:
    """Those that the bounds name, else all."""
    named = [set(bound.offsets) for bound in (since, until) if bound.offsets is not None]
    if len(named) == 2 and named[0] != named[1]:
        raise RangeError("--from and --to name different partitions", _FORMS)
    wanted = sorted(named[0]) if named else list(range(partitions))
    unknown = [partition for partition in wanted if partition >= partitions]
    if unknown:
        raise RangeError(f"{topic} has no partition {unknown[0]}", f"it has 0 to {partitions - 1}")
    return [TopicPartition(topic, partition) for partition in wanted]


async def _offsets(
    consumer: AIOKafkaConsumer,
    bound: Bound,
    oldest: Mapping[TopicPartition, int],
    newest: Mapping[TopicPartition, int],
) -> dict[TopicPartition, int]:
    if bound.offsets is not None:
        return {tp: _kept(tp, bound.offsets[tp.partition], oldest[tp], newest[tp]) for tp in oldest}
    if bound.time_ms is None:
        return dict(newest if bound.is_latest else oldest)
    found = await consumer.offsets_for_times(dict.fromkeys(oldest, bound.time_ms))
    # None: no record is as young as that, so the range begins or ends with the log
    return {tp: newest[tp] if found.get(tp) is None else found[tp].offset for tp in oldest}


def _kept(tp: TopicPartition, offset: int, oldest: int, newest: int) -> int:
    if oldest <= offset <= newest:
        return offset
    raise RangeError(
        f"{_name(tp)} has no offset {offset}",
        f"what is left goes from {oldest} to {newest}"
        if newest > oldest
        else "nothing is left in it",
    )


async def _expired(
    consumer: AIOKafkaConsumer,
    since: Bound,
    oldest: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> tuple[list[str], bool]:
    """What of a range by time retention has deleted, and whether that is all of it."""
    cut = [tp for tp in sorted(oldest) if oldest[tp] > 0]
    if since.time_ms is None or not cut:
        return [], False
    firsts = await consumer.offsets_for_times(dict.fromkeys(cut, 0))
    warnings, gone = [], 0
    for tp in cut:
        first = firsts.get(tp)
        if first is not None and first.timestamp <= since.time_ms:
            continue
        left = "nothing" if first is None else f"from {_moment(first.timestamp)} on"
        warnings.append(f"{_name(tp)}: older records are deleted; left is {left}")
        gone += ends[tp] <= oldest[tp]
    return warnings, gone == len(oldest)


def _moment(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1_000, UTC).isoformat(timespec="seconds")


def _name(tp: TopicPartition) -> str:
    return f"{tp.topic}[{tp.partition}]"


async def read(
    consumer: AIOKafkaConsumer, topic: str, partitions: Sequence[PartitionRange], *, batch: int
) -> AsyncIterator[tuple[list[ConsumerRecord], int]]:
    """Batches of the range's records, and how many offsets are left; ends with the range.

    Records that arrive meanwhile are not in it. Offsets without a record (transaction markers,
    aborted transactions, compaction) count as read when the consumer has passed them.

    Raises:
        RangeError: retention deleted the next record before it was read.
        UnreachableError: nothing came for a minute, though the range is not at its end.
    """
    open_ = {
        TopicPartition(topic, part.partition): part for part in partitions if part.start < part.end
    }
    consumer.assign(list(open_))
    for tp, part in open_.items():
        consumer.seek(tp, part.start)
    reached = {tp: part.start for tp, part in open_.items()}
    moved = time.monotonic()
    while open_:
        got = await _polled(consumer, list(open_), batch)
        records = [
            record for tp, found in got.items() for record in found if record.offset < open_[tp].end
        ]
        for tp, part in list(open_.items()):
            position = await consumer.position(tp)
            if position > reached[tp]:
                reached[tp], moved = position, time.monotonic()
            if position >= part.end:
                consumer.pause(tp)
                del open_[tp]
        if time.monotonic() - moved > _STALL_S:
            raise _stalled(topic)
        yield records, sum(max(0, part.end - reached[tp]) for tp, part in open_.items())


async def read_in_order(
    consumer: AIOKafkaConsumer, topic: str, partitions: Sequence[PartitionRange], *, batch: int
) -> AsyncIterator[tuple[list[ConsumerRecord], int]]:
    """As `read`, one partition after the other: the same order every time, and slower."""
    left = sum(part.end - part.start for part in partitions)
    for part in partitions:
        left -= part.end - part.start
        async for records, of_this in read(consumer, topic, [part], batch=batch):
            yield records, of_this + left


async def _polled(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], batch: int
) -> dict[TopicPartition, list[ConsumerRecord]]:
    try:
        async with asyncio.timeout(_STALL_S):
            found: dict[TopicPartition, list[ConsumerRecord]] = await consumer.getmany(
                *partitions, timeout_ms=500, max_records=batch
            )
            return found
    except TimeoutError as error:
        raise _stalled(partitions[0].topic) from error
    except OffsetOutOfRangeError as error:
        names = ", ".join(f"{_name(tp)} from {offset}" for tp, offset in error.args[0].items())
        raise RangeError(
            f"retention deleted records before they were read: {names}",
            "choose a later --from, or earliest for all that is left",
        ) from error


def _stalled(topic: str) -> UnreachableError:
    return UnreachableError(
        f"{topic}: no record for {_STALL_S:.0f} s, though the range is not at its end",
        "is Kafka well? `intentstream doctor` looks; a replay goes on with --resume",
    )
