"""The command line itself: help that teaches, errors in plain words, exit codes."""

import inspect
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
import typer.main

import training.cli
import workers.cli


def intentstream(
    *arguments: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("INTENTSTREAM_")
    }
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        cwd=cwd,
        env=clean | environment | {"COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_help_names_every_command_and_gives_examples(tmp_path: Path) -> None:
    done = intentstream("--help", cwd=tmp_path)
    assert done.returncode == 0
    for command in ("up", "enrich", "personalize", "profile", "forget", "topics", "config",
                    "doctor", "replay", "schema", "train", "evaluate", "export"):  # fmt: skip
        assert f" {command} " in done.stdout, command
    assert "intentstream up --input queries.jsonl --until-drained" in done.stdout


@pytest.mark.parametrize("app", [workers.cli.app, training.cli.app], ids=["workers", "training"])
def test_the_lines_of_a_help_fit_a_terminal(app: typer.Typer) -> None:
    """Of 80 columns. Line breaks are kept, so one that is too long would be broken once more."""
    waiting = [typer.main.get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        _, _, further = inspect.cleandoc(command.help or "").partition("\n\n")
        for paragraph in further.split("\n\n"):
            lines = paragraph.split("\n")
            assert len(lines) == 1 or max(map(len, lines)) <= 78, (command.name, paragraph)


def test_the_version(tmp_path: Path) -> None:
    done = intentstream("--version", cwd=tmp_path)
    assert done.stdout == f"intentstream {version('intentstream')}\n"


def test_an_error_is_said_in_plain_words_with_what_to_do(tmp_path: Path) -> None:
    done = intentstream(
        "topics", "plan", cwd=tmp_path, INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:9"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "Error: Kafka at 127.0.0.1:9 cannot be reached" in done.stderr
    assert "→ check INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_misspelt_setting_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    done = intentstream("config", cwd=tmp_path, INTENTSTREAM_KAFKA__BOOTSTRAP_SERVER="a:1")
    assert done.returncode == 1
    assert "did you mean INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS?" in done.stderr


@pytest.mark.parametrize("command", ["up", "enrich", "train"])
def test_wrong_usage_is_exit_code_2(tmp_path: Path, command: str) -> None:
    done = intentstream(command, "--no-such-option", cwd=tmp_path)
    assert done.returncode == 2
    assert "--no-such-option" in done.stderr


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_training_commands_have_help_of_their_own(tmp_path: Path, option: str) -> None:
    done = intentstream("train", option, cwd=tmp_path)
    assert done.returncode == 0
    assert "--config" in done.stdout


def test_without_the_training_extra_it_says_what_to_install(tmp_path: Path) -> None:
    # an environment in which the extra cannot be found
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\nsys.modules['torch'] = None\nsys.modules['transformers'] = None\n"
    )
    done = intentstream("train", "--config", "any.toml", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert done.returncode == 1
    assert "pip install -e '.[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_folder_in_which_nothing_runs_is_an_error(tmp_path: Path) -> None:
    done = intentstream("--run-dir", "nowhere", "doctor", cwd=tmp_path)
    assert done.returncode == 1
    assert "No `intentstream up` runs in nowhere" in done.stderr
