"""A replay that is killed goes on where it was, and never leaves what looks whole and is not."""

import asyncio
import json
import resource
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from streams.records import OutputRecord, SourceRecord
from tests.workers.replay_rig import (
    all_of,
    ask,
    asked_and_published,
    queries,
    replayed,
    request,
    step,
)
from workers.replays.batches import Enrich
from workers.replays.evidence import MANIFEST
from workers.replays.files import CONTENT
from workers.replays.pace import Pace
from workers.replays.run_state import WORK, RunError, opened_state
from workers.settings import Settings

pytestmark = pytest.mark.usefixtures("small_batches")


class Killed(BaseException):
    """As a signal would end it."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.replays.batches._BATCH", 10)
    monkeypatch.setattr("workers.replays.published_events._BATCH", 25)


def _killed_after(settings: Settings, batches: int, salt: int = 0) -> Enrich:
    made = step(settings, salt)
    left = batches

    async def enrich(records: Sequence[SourceRecord]) -> list[tuple[OutputRecord, ...]]:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed
        return await made.enrich(records)

    return enrich


@pytest.mark.parametrize("batches", [0, 1, 4])
async def test_a_killed_run_goes_on_and_finds_the_same(
    settings: Settings, tmp_path: Path, batches: int
) -> None:
    """CASES 10, 62: what was in flight is done again; under another model, to find much."""
    await asked_and_published(settings, 80)
    whole = await replayed(settings, tmp_path, salt=1)
    with pytest.raises(Killed):
        await replayed(
            settings, tmp_path, run="cut", enrich=_killed_after(settings, batches, 1), publish=True
        )
    assert not (tmp_path / "cut" / MANIFEST).exists()
    await ask(settings, queries(9))  # what comes meanwhile is not in the range
    asked: list[int] = []
    made = step(settings, 1)

    async def enrich(records: Sequence[SourceRecord]) -> list[tuple[OutputRecord, ...]]:
        asked.append(len(records))
        return await made.enrich(records)

    report = await replayed(settings, tmp_path, run="cut", enrich=enrich, publish=True, resume=True)
    assert report.records == 80
    for name in ("differences.jsonl", "inputs.jsonl"):
        one, other = (
            sorted((tmp_path / run / name).read_text().splitlines())
            for run in ("cut", whole.request.run)
        )
        assert one == other
    same = ("verdicts", "topics", "fields", "flips", "replayed_by", "changed", "missing", "extra")
    told, wanted = report.as_dict(), whole.as_dict()
    assert {name: told.get(name) for name in same} == {name: wanted.get(name) for name in same}
    assert sum(asked) < 80 or batches == 0
    if batches == 4:
        assert sum(asked) <= 60  # what was done is not done again
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == sorted(
        (*CONTENT, MANIFEST)
    )
    assert report.published_to is not None
    names = {dict(one.headers).get("ce_id") for one in await all_of(settings, report.published_to)}
    assert len(names) == report.output.events


async def test_a_run_killed_while_its_files_are_written_is_not_whole(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asked_and_published(settings, 12)

    def killed(*_: object) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("workers.replays.files.page", killed)
        with pytest.raises(Killed):
            await replayed(settings, tmp_path, run="cut")
    assert not (tmp_path / "cut" / MANIFEST).exists()
    report = await replayed(settings, tmp_path, run="cut", resume=True)
    assert report.tally.all_identical
    assert report.records == 12
    assert (tmp_path / "cut" / MANIFEST).exists()
    assert not (tmp_path / "cut" / WORK).exists()


async def test_an_unfinished_run_is_named_and_not_overwritten(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 30)
    with pytest.raises(Killed):
        await replayed(settings, tmp_path, run="cut", enrich=_killed_after(settings, 1))
    with pytest.raises(RunError, match="exists already, unfinished") as caught:
        await replayed(settings, tmp_path, run="cut")
    assert "--resume" in caught.value.hint
    with pytest.raises(RunError, match="other options: sample, tolerance"):
        await replayed(settings, tmp_path, run="cut", resume=True, tolerance=0.5, sample=3)
    await replayed(settings, tmp_path, run="cut", resume=True)
    for resume in (False, True):
        with pytest.raises(RunError, match="exists already"):
            await replayed(settings, tmp_path, run="cut", resume=resume)
    with pytest.raises(RunError, match=r"no run .* to resume"):
        await replayed(settings, tmp_path, run="another", resume=True)


def test_two_processes_cannot_be_at_one_run(tmp_path: Path) -> None:
    with opened_state(tmp_path / "run", resume=False) as state:
        with state.saving():
            state.put("a", 1)
        with (
            pytest.raises(RunError, match="another process"),
            opened_state(tmp_path / "run", resume=True),
        ):
            pass
    with opened_state(tmp_path / "run", resume=True) as state:
        assert state.get("a") == 1


def test_a_damaged_state_is_said_in_plain_words(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / WORK).write_bytes(b"no database" * 1_000)
    with (
        pytest.raises(RunError, match="damaged"),
        opened_state(tmp_path / "run", resume=True),
    ):
        pass


def test_a_batch_is_kept_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with opened_state(tmp_path / "run", resume=False) as state:
        with state.saving():
            state.put("a", 1)
        with suppress(Killed), state.saving():
            state.put("a", 2)
            raise Killed
        assert state.get("a") == 1


@contextmanager
def _largest_file(size: int) -> Iterator[None]:
    """As if the disk had no room for more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_an_error_and_the_run_goes_on_when_there_is_room(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 120)
    with _largest_file(150_000), pytest.raises(RunError, match="cannot be written") as caught:
        await replayed(settings, tmp_path, run="full")
    assert "--resume" in caught.value.hint
    assert not (tmp_path / "full" / MANIFEST).exists()
    report = await replayed(settings, tmp_path, run="full", resume=True)
    assert report.tally.all_identical
    assert report.records == 120


async def test_a_folder_that_may_not_be_written_is_an_error(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        await replayed(settings, tmp_path / "file")


async def test_memory_is_on_disk(settings: Settings, tmp_path: Path) -> None:
    """What was published is looked up batch by batch: no query of the state takes all of it."""
    await asked_and_published(settings, 60)
    seen: list[int] = []
    made = step(settings)

    async def enrich(records: Sequence[SourceRecord]) -> Any:
        seen.append(len(records))
        return await made.enrich(records)

    with pytest.raises(Killed):
        await replayed(settings, tmp_path, run="cut", enrich=_killed_after(settings, 2))
    with closing(sqlite3.connect(tmp_path / "cut" / WORK)) as state:
        (kept,) = state.execute("select count(*) from published").fetchone()
        (reached,) = state.execute("select value from meta where name = 'report'").fetchone()
    assert kept > 120
    assert 0 < json.loads(reached)["counts"]["records"] <= 20
    await replayed(settings, tmp_path, run="cut", enrich=enrich, resume=True)
    assert max(seen) <= 10


# --- its share


async def test_a_share_rests_as_long_as_it_says() -> None:
    now, slept = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    pace = Pace(0.25, clock=lambda: now, sleep=sleep)
    for worked in (1.0, 0.5, 2.0):
        pace.begin()
        now += worked
        await pace.rest()
    assert slept == [3.0, 1.5, 6.0]
    assert pace.worked_s / (pace.worked_s + pace.rested_s) == pytest.approx(0.25)


async def test_a_whole_share_never_rests() -> None:
    async def sleep(_seconds: float) -> None:
        raise AssertionError

    pace = Pace(1.0, sleep=sleep)
    pace.begin()
    await pace.rest()
    assert pace.rested_s == 0.0


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01])
def test_a_share_that_makes_no_sense_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share"):
        Pace(share)


async def test_a_replay_keeps_to_its_share(settings: Settings, tmp_path: Path) -> None:
    """While it rests nobody waits for it: the model and the processor are the workers'."""
    await asked_and_published(settings, 40)
    made = step(settings)
    busy = 0.0

    async def enrich(records: Sequence[SourceRecord]) -> list[tuple[OutputRecord, ...]]:
        nonlocal busy
        began = asyncio.get_running_loop().time()
        found = await made.enrich(records)
        await asyncio.sleep(0.05)
        busy += asyncio.get_running_loop().time() - began
        return found

    began = asyncio.get_running_loop().time()
    report = await replayed(settings, tmp_path, enrich=enrich, share=0.2)
    assert report.tally.all_identical
    assert busy / (asyncio.get_running_loop().time() - began) <= 0.2


def test_a_request_says_what_was_asked(tmp_path: Path) -> None:
    asked = request(tmp_path, "-2h", "0:5", sample=3, intent="refund", user="jane").asked()
    assert (asked["from"], asked["to"], asked["sample"]) == ("-2h", "0:5", 3)
    assert "jane" not in json.dumps(asked)
