"""Faust's folder goes with its process, also one that was killed."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from workers.profiles.scratch import scratch_folder

_HOLDS_ONE = """
from workers.profiles.scratch import scratch_folder
with scratch_folder() as folder:
    print(folder, flush=True)
    input()
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_it_is_gone_at_the_end(place: Path) -> None:
    with scratch_folder() as folder:
        (folder / "table").mkdir()
        assert folder.parent == place
    assert not list(place.iterdir())


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else(place: Path) -> None:
    unknown = place / "intentstream-faust-unknown"
    unknown.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS_ONE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        with scratch_folder():
            assert theirs.is_dir(), "its process is alive"
        other.kill()
        other.wait()
    with scratch_folder() as ours:
        assert set(place.iterdir()) == {unknown, ours}
