import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training.config import TASKS, ModelConfig, TrainConfig
from training.errors import ConfigError
from training.network.run_folder import RunFolder, json_text, learnt_by

_TEXTS = st.text('[],{}:"\\\n 1-é', max_size=8)
_FACTS = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | _TEXTS,
    lambda some: st.lists(some, max_size=4) | st.dictionaries(_TEXTS, some, max_size=3),
    max_leaves=12,
)


def test_a_list_of_numbers_takes_one_line() -> None:
    facts = {"follows": [[0.5, -1.25e-7], [3, 40]], "named": ["red", 1], "none": [], "strength": 1}
    assert json_text(facts) == (
        "{\n"
        '  "follows": [\n'
        "    [0.5, -1.25e-07],\n"
        "    [3, 40]\n"
        "  ],\n"
        '  "named": [\n'
        '    "red",\n'
        "    1\n"
        "  ],\n"
        '  "none": [],\n'
        '  "strength": 1\n'
        "}\n"
    )


@given(st.dictionaries(_TEXTS, _FACTS, max_size=3))
@example({"text": "[\n  1,\n  2\n]", "[\n1\n]": [1e300, -0.0, float("inf")]})
def test_what_is_written_loads_as_it_was(facts: dict[str, object]) -> None:
    again = json.loads(json_text(facts))
    assert json.dumps(again, sort_keys=True) == json.dumps(facts, sort_keys=True)


def test_a_run_that_goes_on_has_its_files_as_they_were(tmp_path: Path) -> None:
    run, config = RunFolder(tmp_path / "run"), TrainConfig()
    run.record_start(config, {"own.csv": "1", "public.txt": "1"})
    run.record_start(config, {"own.csv": "2"})  # nothing has been trained yet
    run.checkpoint.touch()
    run.record_start(config, {"own.csv": "2", "unknown.csv": "1"})  # as a run of an older version
    with pytest.raises(ConfigError, match=r"own\.csv, unknown\.csv changed since"):
        run.record_start(config, {"own.csv": "3", "unknown.csv": "3"})


def test_a_new_run_has_nothing_of_another_that_came_to_no_checkpoint(tmp_path: Path) -> None:
    run, config = RunFolder(tmp_path / "run"), TrainConfig()
    run.record_start(config, {})
    run.record(start={"path": "runs/other"})
    made = [run.path / name for name in ("base", "fewer layers", "fewer pieces", "model")]
    for folder in made:
        (folder / "inside").mkdir(parents=True)
    run.answers.touch()  # which are known by what they were made of
    RunFolder(run.path, writes=False).record_start(replace(config, seed=2), {})
    assert all(folder.is_dir() for folder in made)  # another process's to remove
    assert run.record_start(replace(config, seed=2), {}) == {}
    assert not any(folder.exists() for folder in made)
    assert run.answers.exists()
    assert "start" not in run.manifest()


def test_a_run_that_goes_on_keeps_what_it_has_made(tmp_path: Path) -> None:
    run, config = RunFolder(tmp_path / "run"), TrainConfig()
    run.record_start(config, {})
    run.record(start={"path": "runs/other"})
    (run.path / "base").mkdir()
    run.checkpoint.touch()
    assert run.record_start(config, {})["start"] == {"path": "runs/other"}
    assert (run.path / "base").is_dir()
    assert run.manifest()["start"] == {"path": "runs/other"}


@pytest.mark.parametrize("name", ["base", "start"])
def test_a_new_run_does_not_remove_what_it_begins_with(tmp_path: Path, name: str) -> None:
    run = RunFolder(tmp_path / "run")
    run.record_start(TrainConfig(), {})
    base, start = run.path / "base", run.path
    base.mkdir()
    run.model.mkdir()
    model = ModelConfig(base=str(base)) if name == "base" else ModelConfig(start=str(start))
    config = TrainConfig(model=model)
    with pytest.raises(ConfigError, match="give another --run folder"):
        run.record_start(config, {})
    assert (run.path / "base").is_dir()
    assert run.model.is_dir()


def test_a_manifest_is_whole_or_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = RunFolder(tmp_path / "run")
    run.record(seconds=1)

    def cut_off(self: Path, text: str, **_: object) -> None:
        self.write_bytes(text.encode()[:5])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", cut_off)
    with pytest.raises(KeyboardInterrupt):
        run.record(seconds=2)
    assert run.manifest() == {"seconds": 1}


def test_a_manifest_says_what_its_model_has_learnt() -> None:
    loss = {"intent": 0.0, "tags": 1.0}
    assert learnt_by({"learnt": ["tags"], "arguments": {"loss": loss}}) == {"tags"}
    # Those of older runs do not say it.
    assert learnt_by({"arguments": {"loss": loss}}) == set(TASKS) - {"intent"}
    assert learnt_by({"arguments": {"loss": loss, "model": {"start": "runs/x"}}}) == set(TASKS)
