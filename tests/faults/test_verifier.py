"""The oracle catches what it is there to catch: each fault is planted in a good run."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from streams.cloudevents import binary_headers, derive_id
from streams.deadletters import DeadReason, RecordError, Stage, dead_letter
from streams.records import OutputRecord, SourceRecord
from tests.faults.verifier import Expected, Place, Sample, Verdict, verify

RAW, USERS = "queries.raw", 3


def output(record: SourceRecord, topic: str) -> OutputRecord:
    headers = binary_headers(
        ce_id=derive_id("c", "1", record.topic, record.partition, record.offset, topic),
        ce_type=topic,
        source_uri="/",
        record=record,
        partition_key=None,
    )
    value = f"{topic} of {record.partition}@{record.offset}".encode()
    return OutputRecord(topic, record.key, value, headers)


def expectations() -> list[Expected]:
    """Two partitions; every tenth record is a dead letter."""
    found = []
    for offset in range(30):
        for partition in range(2):
            key = f"u{partition}-{offset % USERS}".encode()
            record = SourceRecord(RAW, partition, offset, 0, key, b"not JSON")
            error = RecordError(DeadReason.INVALID_JSON, Stage.DECODE, "no JSON")
            made = (output(record, "intents"), output(record, "signals"))
            if offset % 10 == 9:
                letter = dead_letter("dead", record, error, cluster="main", epoch="1")
                made = (letter,)  # type: ignore[assignment]  # one, not two
            found.append(Expected(record, made))
    return found


class Run:
    """A good run: outputs in the log, and a sample after every record."""

    def __init__(self) -> None:
        self.expected = expectations()
        self.logs: dict[Place, list[SourceRecord]] = {}
        self.samples: list[Sample] = []
        for one in self.expected:
            for made in one.outputs:
                self.publish(one.record.partition, made)
            self.commit(one.record.partition, one.record.offset + 1)

    def publish(self, partition: int, made: OutputRecord) -> None:
        log = self.logs.setdefault(Place(made.topic, partition), [])
        log.append(
            SourceRecord(made.topic, partition, len(log), 0, made.key, made.value, made.headers)
        )

    def commit(self, partition: int, offset: int) -> None:
        last = self.samples[-1].committed if self.samples else {}
        ends = {place: len(log) for place, log in self.logs.items()}
        self.samples.append(Sample({**last, Place(RAW, partition): offset}, ends))

    def verdict(self) -> Verdict:
        records = [
            replace(record, offset=offset)
            for log in self.logs.values()
            for offset, record in enumerate(log)
        ]
        return verify(self.expected, records, self.samples)


INTENTS = Place("intents", 0)


def early_commit(run: Run) -> None:
    run.samples.insert(3, replace(run.samples[3], committed={Place(RAW, 0): 25}))


def early_commit_by_one(run: Run) -> None:
    first = run.samples[4]
    ahead = {place: offset + 1 for place, offset in first.committed.items()}
    run.samples[4] = replace(first, committed=ahead)


def dropped(run: Run) -> None:
    del run.logs[Place("signals", 1)][-1]


def dropped_dead_letter(run: Run) -> None:
    del run.logs[Place("dead", 0)][0]


def swapped(run: Run) -> None:
    log = run.logs[INTENTS]
    log[0], log[USERS] = log[USERS], log[0]


def in_another_partition(run: Run) -> None:
    record = run.logs[INTENTS].pop()
    run.logs[Place("intents", 1)].append(replace(record, partition=1))


def repeated_under_another_id(run: Run) -> None:
    record = run.logs[INTENTS][5]
    headers = tuple((n, b"other" if n == "ce_id" else v) for n, v in record.headers)
    run.logs[INTENTS].append(replace(record, headers=headers))


def changed_byte(run: Run) -> None:
    log = run.logs[INTENTS]
    log[7] = replace(log[7], value=b"I" + (log[7].value or b"")[1:])


def changed_header(run: Run) -> None:
    log = run.logs[Place("dead", 1)]
    log[0] = replace(log[0], headers=(*log[0].headers, ("more", b"1")))


def changed_repeat(run: Run) -> None:
    log = run.logs[INTENTS]
    log.append(replace(log[0], value=b"scored anew"))


FAULTS: list[tuple[Callable[[Run], None], str]] = [
    (early_commit, "early commits"),
    (early_commit_by_one, "early commits"),
    (dropped, "lost"),
    (dropped_dead_letter, "lost"),
    (swapped, "order breaks"),
    (in_another_partition, "order breaks"),
    (repeated_under_another_id, "repeats after de-duplication"),
    (repeated_under_another_id, "strangers"),
    (changed_byte, "byte differences"),
    (changed_header, "byte differences"),
    (changed_repeat, "byte differences"),
]


def test_a_good_run_holds() -> None:
    verdict = Run().verdict()
    assert verdict.holds, verdict
    assert (verdict.records, verdict.outputs, verdict.published) == (60, 114, 114)
    assert verdict.repeats == 0


@pytest.mark.parametrize(("plant", "kind"), FAULTS, ids=lambda it: getattr(it, "__name__", it))
def test_a_planted_fault_is_caught(plant: Callable[[Run], None], kind: str) -> None:
    run = Run()
    plant(run)
    verdict = run.verdict()
    assert not verdict.holds
    assert verdict.findings[kind]


def test_what_a_crash_repeats_is_counted_and_is_nothing_wrong() -> None:
    run = Run()
    for place, log in run.logs.items():
        tail = log[-4:]
        log += [replace(record, partition=place.partition) for record in tail]
    verdict = run.verdict()
    assert verdict.holds, verdict
    assert verdict.repeats == 2 * (4 + 4 + 3)


def test_a_loss_makes_every_commit_past_it_an_early_one() -> None:
    run = Run()
    dropped(run)
    assert run.verdict().early_commits
