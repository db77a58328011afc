import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from training.config import TASKS, TrainConfig
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


def test_a_manifest_says_what_its_model_has_learnt() -> None:
    loss = {"intent": 0.0, "tags": 1.0}
    assert learnt_by({"learnt": ["tags"], "arguments": {"loss": loss}}) == {"tags"}
    # Those of older runs do not say it.
    assert learnt_by({"arguments": {"loss": loss}}) == set(TASKS) - {"intent"}
    assert learnt_by({"arguments": {"loss": loss, "model": {"start": "runs/x"}}}) == set(TASKS)
