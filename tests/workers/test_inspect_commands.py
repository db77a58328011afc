"""`intentstream config`, `doctor` and `topics` from the command line, with their exit codes."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from workers.cli import app
from workers.embedded.kafka import EmbeddedKafka
from workers.settings import variables
from workers.settings_page import render


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, _, _ in variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_config_prints_what_a_file_could_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTENTSTREAM_KAFKA__CLIENT_ID", "mine")
    monkeypatch.setenv("INTENTSTREAM_REDIS__PASSWORD", "hunter2")
    monkeypatch.setenv("INTENTSTREAM_CONTEXT_KEYS", "b,a")
    result = run("config")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert "INTENTSTREAM_KAFKA__CLIENT_ID=mine" in lines
    assert "INTENTSTREAM_CONTEXT_KEYS=a,b" in lines
    assert "hunter2" not in result.output
    assert lines[-1].startswith("# settings digest: ")


def test_what_config_prints_loads_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INTENTSTREAM_QUERIES__FIELD_MAPPING", '{"text": "q"}')
    first = run("config").output
    monkeypatch.delenv("INTENTSTREAM_QUERIES__FIELD_MAPPING")
    (tmp_path / ".env").write_text(first)
    assert run("config").output == first


def test_config_as_json_and_as_a_page() -> None:
    shown = json.loads(run("config", "--json").output)
    assert shown["kafka"]["bootstrap_servers"] == "localhost:9092"
    assert len(shown["settings_digest"]) == 16
    assert run("config", "--markdown").output == render()


def test_doctor_exits_1_when_something_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, address in (
        ("KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:1"),
        ("TRITON__ADDRESS", "127.0.0.1:1"),
        ("REDIS__URL", "redis://127.0.0.1:1"),
    ):
        monkeypatch.setenv(f"INTENTSTREAM_{name}", address)
    result = run("doctor", "--json")
    assert result.exit_code == 1
    found = json.loads(result.output)
    assert {finding["about"] for finding in found} == {
        "settings",
        "kafka",
        "topics",
        "triton",
        "redis",
    }
    assert "fail" in run("doctor").output


# `topics` runs an event loop of its own, so these are plain functions beside the server's loop.
def test_topics_plan_and_apply(kafka: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS", kafka.bootstrap)
    monkeypatch.setenv("INTENTSTREAM_PREFIX", "commanded")
    planned = run("topics", "plan")
    assert planned.exit_code == 1
    assert "message.timestamp.type: LogAppendTime" in planned.output
    assert run("topics", "apply").exit_code == 0
    settled = run("topics", "plan", "--json")
    assert settled.exit_code == 0
    assert {topic["action"] for topic in json.loads(settled.output)} == {"ok"}
