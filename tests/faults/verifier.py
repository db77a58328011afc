"""The oracle: what was read against all that was published, record by record and byte by byte.

In the manner of the ALL-RECORDS-DELIVERED verifier of Kafka Streams' smoke test, though stricter:
it knows every output of every record. Pure: it compares values that others have read.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from streams.deduplication import Repeats, event_id, original_position
from streams.records import Headers, OutputRecord, SourceRecord


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Expected:
    """A record, and what a fault-free run makes of it.

    `others`: what it makes with other versions of the model that served; the same outputs, but for
    what a version says.
    """

    record: SourceRecord
    outputs: tuple[OutputRecord, ...]
    others: tuple[tuple[OutputRecord, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """What was committed at a moment, and the ends of the output logs, read after it."""

    committed: Mapping[Place, int]
    ends: Mapping[Place, int]


@dataclass(slots=True)
class Verdict:
    """What is wrong. Each finding is a line for humans.

    Attributes:
        records: how many were read.
        outputs: how many they should have become.
        published: how many records the output topics hold.
        lost: outputs that are missing.
        repeats: outputs that are there once more than needed, counted.
        repeats_after: the same, among what a consumer keeps that drops repeats by id.
        order_breaks: outputs of one key that overtook an earlier one; keys in two partitions.
        differences: outputs, also repeated ones, whose key, value or headers differ.
        strangers: records in the output topics that come from nothing that was read.
        early_commits: offsets that were committed before the outputs were in the log.
    """

    records: int = 0
    outputs: int = 0
    published: int = 0
    lost: list[str] = field(default_factory=list)
    repeats: int = 0
    repeats_after: list[str] = field(default_factory=list)
    order_breaks: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    early_commits: list[str] = field(default_factory=list)

    @property
    def findings(self) -> dict[str, list[str]]:
        """All that must be empty."""
        return {
            "lost": self.lost,
            "repeats after de-duplication": self.repeats_after,
            "order breaks": self.order_breaks,
            "byte differences": self.differences,
            "strangers": self.strangers,
            "early commits": self.early_commits,
        }

    @property
    def holds(self) -> bool:
        """Whether everything was delivered as promised."""
        return not any(self.findings.values())


class _Slot(NamedTuple):
    """One output that is expected: the nth of its record."""

    record: SourceRecord
    ordinal: int
    output: OutputRecord
    others: tuple[OutputRecord, ...]


_Log = Sequence[SourceRecord]
_Found = dict[tuple[str, str], list[SourceRecord]]


def verify(
    expected: Iterable[Expected], published: _Log, samples: Iterable[Sample] = ()
) -> Verdict:
    """Compares.

    Args:
        expected: every record of the input topics, with its outputs.
        published: all of all output topics, of each partition in order of offsets.
        samples: taken during the run.
    """
    verdict = Verdict(published=len(published))
    slots: dict[tuple[str, str], _Slot] = {}
    for one in expected:
        verdict.records += 1
        for ordinal, output in enumerate(one.outputs):
            others = tuple(outputs[ordinal] for outputs in one.others)
            slot = _Slot(one.record, ordinal, output, others)
            slots[identity(output.topic, output.headers)] = slot
            verdict.outputs += 1
    if len(slots) != verdict.outputs:
        raise ValueError("two expected outputs have one identity")
    found: _Found = defaultdict(list)
    for record in published:
        found[identity(record.topic, record.headers)].append(record)
    _compare(verdict, slots, found)
    verdict.repeats_after = list(_repeats_after(published))
    verdict.order_breaks = list(_order_breaks(slots, published))
    verdict.early_commits = list(_early_commits(slots, found, samples))
    return verdict


def identity(topic: str, headers: Headers) -> tuple[str, str]:
    """An output's topic and id: of a dead letter its record's position, else the `ce_id`."""
    return topic, original_position(headers) or event_id(headers) or "?"


def _compare(verdict: Verdict, slots: Mapping[tuple[str, str], _Slot], found: _Found) -> None:
    for name, slot in slots.items():
        copies = found.get(name, [])
        if not copies:
            verdict.lost.append(f"{_told(slot)} is not in {slot.output.topic}")
        verdict.repeats += max(len(copies) - 1, 0)
        wanted = [(one.key, one.value, one.headers) for one in (slot.output, *slot.others)]
        verdict.differences += [
            f"{_at(copy)} is not what {_told(slot)} becomes"
            for copy in copies
            if (copy.key, copy.value, copy.headers) not in wanted
        ]
    for name in found.keys() - slots.keys():
        verdict.strangers += [
            f"{_at(copy)} comes from nothing that was read" for copy in found[name]
        ]


def _repeats_after(published: _Log) -> Iterator[str]:
    """Repeats among what a consumer keeps. They are told without the ids: by value.

    The value of an event names its source's position, and an entity's its place in the text. Dead
    letters hold only what their record held; they have no other identity than their position.
    """
    consumers: dict[str, Repeats] = defaultdict(Repeats)
    kept: Counter[tuple[str, bytes | None, bytes | None]] = Counter()
    for record in published:
        topic, name = identity(record.topic, record.headers)
        if consumers[topic].is_repeat(name) or original_position(record.headers) is not None:
            continue
        kept[topic, record.key, record.value] += 1
        if kept[topic, record.key, record.value] > 1:
            yield f"{_at(record)} repeats what a consumer has already"


def _order_breaks(slots: Mapping[tuple[str, str], _Slot], published: _Log) -> Iterator[str]:
    """Of each key: the first copies must come in the order in which their records were read."""
    reached: dict[tuple[str, bytes, str, int], tuple[int, int]] = {}
    homes: dict[tuple[str, bytes], int] = {}
    seen: set[tuple[str, str]] = set()
    for record in published:
        name = identity(record.topic, record.headers)
        slot = slots.get(name)
        if slot is None or record.key is None:
            continue
        if homes.setdefault((record.topic, record.key), record.partition) != record.partition:
            yield f"{_at(record)}: its key has records in another partition"
        if name in seen:
            continue
        seen.add(name)
        lane = (record.topic, record.key, slot.record.topic, slot.record.partition)
        at = (slot.record.offset, slot.ordinal)
        if at < reached.get(lane, (-1, -1)):
            yield f"{_at(record)} comes after what became of later records of its key"
        reached[lane] = max(at, reached.get(lane, at))


def _early_commits(
    slots: Mapping[tuple[str, str], _Slot], found: _Found, samples: Iterable[Sample]
) -> Iterator[str]:
    """Offsets beyond a record one of whose outputs was not in the log yet.

    Of each pair of an input and an output partition: the input's offsets, and to each the highest
    position that outputs of records up to it have.
    """
    reach: dict[tuple[Place, Place], tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    for name, slot in sorted(slots.items(), key=lambda item: item[1].record.offset):
        copies = found.get(name, [])
        first = min(copies, key=lambda copy: (copy.partition, copy.offset), default=None)
        place = Place(slot.output.topic, -1 if first is None else first.partition)
        position = inf if first is None else first.offset
        offsets, highest = reach[Place(slot.record.topic, slot.record.partition), place]
        offsets.append(slot.record.offset)
        highest.append(max(position, highest[-1] if highest else position))
    for sample in samples:
        for (source, sink), (offsets, highest) in reach.items():
            committed = sample.committed.get(source, 0)
            known = bisect_left(offsets, committed)
            if known and highest[known - 1] >= sample.ends.get(sink, 0):
                yield (
                    f"{source.topic}[{source.partition}] was committed up to {committed} before "
                    f"all of it was in {sink.topic}"
                )


def _told(slot: _Slot) -> str:
    record = slot.record
    return f"output {slot.ordinal} of {record.topic}[{record.partition}]@{record.offset}"


def _at(record: SourceRecord) -> str:
    return f"{record.topic}[{record.partition}]@{record.offset}"
