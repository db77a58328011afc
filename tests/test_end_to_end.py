"""`intentstream up` as its user runs it: a process with real servers and workers below it."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from streams.deadletters import DeadReason

COMMAND = (sys.executable, "-m", "workers.cli", "up")
START_S = 60.0
STOP_S = 20.0

pytestmark = pytest.mark.timeout(180)


class Up:
    """A running `intentstream up` and all that it has started."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.run_dir = folder / "run"
        self._errors = folder / "stderr.txt"
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("INTENTSTREAM_")
        }
        with self._errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [*COMMAND, "--run-dir", str(self.run_dir), *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=environment,
                text=True,
                start_new_session=True,
            )
        self._family: dict[int, psutil.Process] = {}

    @property
    def errors(self) -> str:
        return self._errors.read_text()

    def census(self) -> list[psutil.Process]:
        """Everything that runs below it now, remembered for `left_over`."""
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        self._family |= {process.pid: process for process in found}
        return found

    def left_over(self) -> list[str]:
        alive = [
            process
            for process in self._family.values()
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        ]
        return [f"{process.pid} {process.name()}" for process in alive]

    def worker(self, name: str) -> psutil.Process:
        for process in self.census():
            command = process.cmdline()
            if command[-1:] == [name] and "workers.cli" in command:
                return process
        raise AssertionError(f"no {name} runs: {self.errors}")

    def wait_for_line(self, word: str) -> str:
        """The first line on stdout with a word in it."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if word in line:
                return line
        raise AssertionError(f"no line with {word!r}; stderr: {self.errors}")


@contextmanager
def running(folder: Path, *arguments: str) -> Iterator[Up]:
    up = Up(folder, *arguments)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.terminate()
            try:
                up.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                up.process.kill()
        if up.process.stdout is not None:
            up.process.stdout.close()
        up.process.wait()


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.1)
    return condition()


# --- a file that has never been seen

COLOURS = ("turquoise", "beige", "crimson", "off-white", "khaki", "red")
THINGS = ("ukulele", "hiking boots", "espresso machine", "bath towels", "office chair", "sari")
REASONS = ("for my nephew", "under 40 dollars", "size 11", "that lasts", "made of cork", "")
BAD_LINES: tuple[tuple[bytes, DeadReason], ...] = (
    (b"not json at all", DeadReason.INVALID_JSON),
    (b"", DeadReason.INVALID_JSON),
    (b'{"text": "cut o', DeadReason.INVALID_JSON),
    (b'{"q": "no text"}', DeadReason.MISSING_TEXT),
    (b'{"text": 5}', DeadReason.MISSING_TEXT),
    (b'{"text": " \\t "}', DeadReason.EMPTY_TEXT),
    (b'{"text": "x", "locale": 3}', DeadReason.INVALID_FIELD),
    (b'{"text": "caf\xe9"}', DeadReason.INVALID_ENCODING),
    (b'{"text": "' + b"long " * 2_000 + b'"}', DeadReason.TOO_LONG),
    (b'{"text": "' + b"a" * 100_000 + b'"}', DeadReason.TOO_LARGE),
)


def unseen_file(path: Path, *, good: int, users: int) -> Counter[str]:
    """Queries made up on the spot, with bad lines among them; returns the reasons to expect."""
    rng = random.Random(time.time_ns())
    lines: list[bytes] = []
    for number in range(good):
        words = (rng.choice(COLOURS), rng.choice(THINGS), rng.choice(REASONS), f"no {number}")
        query: dict[str, Any] = {"text": " ".join(words), "query_id": f"q{number}"}
        if rng.random() < 0.9:
            query["user_id"] = f"visitor-{rng.randrange(users)}"
        lines.append(json.dumps(query).encode())
    expected: Counter[str] = Counter()
    for line, reason in BAD_LINES:
        lines.insert(rng.randrange(len(lines)), line)
        expected[reason.value] += 1
    path.write_bytes(b"\n".join(lines) + b"\n")
    return expected


def kept(folder: Path, topic: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{topic}.jsonl").read_bytes().splitlines()]


def test_every_line_of_an_unseen_file_comes_out(tmp_path: Path) -> None:
    good, output = 2_000, tmp_path / "kept"
    expected = unseen_file(tmp_path / "queries.jsonl", good=good, users=50)
    arguments = ("--input", "queries.jsonl", "--until-drained", "--output", str(output))
    with running(tmp_path, *arguments) as up:
        assert eventually(lambda: len(up.census()) >= 5, START_S), up.errors
        stdout, _ = up.process.communicate(timeout=120)
    assert up.process.returncode == 0, up.errors
    summary = json.loads(stdout)
    assert summary["read"] == good + len(BAD_LINES)
    assert summary["read"] == summary["enriched"] + summary["dead"]
    assert summary["dead_reasons"] == expected
    assert summary["enriched"] == good
    assert summary["profiles"] == 50
    assert summary["latency_p50_ms"] <= summary["latency_p99_ms"]
    assert up.left_over() == []

    events = [record["value"] for record in kept(output, "queries.intents")]
    assert {event["query_id"] for event in events} == {f"q{n}" for n in range(good)}
    entities = [(event["text"], entity) for event in events for entity in event["entities"]]
    assert entities
    assert all(text[e["start"] : e["end"]] == e["text"] for text, e in entities)
    assert summary["entities"] == len(entities) == len(kept(output, "queries.entities"))
    dead = {
        record["value"]
        for record in kept(output, "queries.dead")
        if isinstance(record["value"], str)
    }
    assert {line.decode() for line, _ in BAD_LINES if line.isascii()} <= dead
    users = {record["key"] for record in kept(output, "users.features")}
    assert len(users) == 50
    assert all(user.startswith("dev.") for user in users)


# --- what happens when it ends, in whatever way


def test_it_stops_within_seconds_and_leaves_nothing(tmp_path: Path) -> None:
    with running(tmp_path, "--plain", "--rate", "20") as up:
        up.wait_for_line("query")
        assert len(up.census()) >= 5
        up.process.send_signal(signal.SIGINT)
        assert up.process.wait(STOP_S) == 0, up.errors
        assert up.left_over() == []
        assert not (up.run_dir / "run.env").exists()
    assert up.errors.splitlines()[-2:] == ["Stopping …", "Stopped; nothing is left running."]


def test_nothing_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    with running(tmp_path, "--plain", "--rate", "20") as up:
        up.wait_for_line("query")
        up.census()
        up.process.kill()
        assert eventually(lambda: up.left_over() == [], STOP_S), up.left_over()


def test_a_worker_that_dies_is_reported_and_ends_it(tmp_path: Path) -> None:
    with running(tmp_path, "--plain", "--no-traffic") as up:
        assert eventually(lambda: "Everything is up" in up.errors, START_S), up.errors
        up.worker("personalize").kill()
        assert up.process.wait(STOP_S) == 1
        assert "personalizer ended unexpectedly (killed by SIGKILL)" in up.errors
        assert "Traceback" not in up.errors
        assert up.left_over() == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--input", "missing.jsonl", "--until-drained"), "missing.jsonl cannot be read"),
        (("--until-drained",), "needs a file to drain"),
        (("--kafka", "127.0.0.1:9"), "nothing answers at --kafka 127.0.0.1:9"),
        (("--redis", "redis://me:secret@127.0.0.1:9/0"), "--redis redis://127.0.0.1:9/0: Connect"),
        (("--triton", "localhost:none"), "--triton localhost:none: that is no HOST:PORT"),
    ],
)
def test_what_cannot_work_is_said_at_once(
    tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    with running(tmp_path, *arguments) as up:
        assert up.process.wait(START_S) == 1
        assert complaint in up.errors
        assert "Traceback" not in up.errors
