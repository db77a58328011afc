"""What is said on a machine that cannot even make a virtual environment."""

import os
import subprocess
from pathlib import Path

import pytest

_SCRIPT = Path(__file__).resolve().parents[3] / "workers" / "embedded" / "venv.sh"
_TOOLS = ("sh", "id", "cat", "rm")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a space in its path, and beside it the only programs there are."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for tool in _TOOLS:
        (programs / tool).symlink_to(Path("/bin") / tool)
    _program(tmp_path, "uname", '[ "$1" = -s ] && echo Linux || echo x86_64')
    folder = tmp_path / "a checkout"
    folder.mkdir()
    return folder


def _program(place: Path, name: str, script: str) -> None:
    path = place / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _run(folder: Path, python: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(_SCRIPT), python],
        cwd=folder,
        env={"PATH": str(folder.parent / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )


def _python(version: str, *, makes_environments: bool) -> str:
    """A stand-in that answers the script's questions."""
    return f"""
case "$*" in
    *"import sys"*) echo {version} ;;
    *"import venv"*) exit {0 if makes_environments else 1} ;;
    "-m venv .venv") echo made by {version} ;;
esac"""


def test_no_python_at_all_names_the_package_that_brings_one(bare: Path) -> None:
    result = _run(bare)
    assert result.returncode == 1
    assert "no Python 3.11, 3.12 or 3.13 was found" in result.stderr
    assert "apt-get install python3 python3-venv" in result.stderr


def test_an_unsupported_python_counts_as_none(bare: Path) -> None:
    _program(bare.parent, "python3", 'echo ""')
    assert "no Python 3.11, 3.12 or 3.13 was found" in _run(bare).stderr


def test_a_python_without_venv_names_its_package(bare: Path) -> None:
    _program(bare.parent, "python3", _python("3.12", makes_environments=False))
    result = _run(bare)
    assert result.returncode == 1
    assert "apt-get install python3.12-venv" in result.stderr
    assert ("sudo " in result.stderr) == (os.getuid() != 0)


def test_the_newest_supported_python_is_taken(bare: Path) -> None:
    _program(bare.parent, "python3.11", _python("3.11", makes_environments=True))
    _program(
        bare.parent, "python3.13", "exit 127"
    )  # as a version switcher's shim without that version
    _program(bare.parent, "python3.12", _python("3.12", makes_environments=True))
    assert "made by 3.12" in _run(bare).stdout


def test_a_python_asked_for_must_be_there_and_supported(bare: Path) -> None:
    assert "there is no python3.7" in _run(bare, "python3.7").stderr
    _program(bare.parent, "python3.7", 'echo ""')
    assert "python3.7 is not Python 3.11 to 3.13" in _run(bare, "python3.7").stderr


def test_another_platform_is_sent_to_docker(bare: Path) -> None:
    _program(bare.parent, "uname", "echo Darwin")
    result = _run(bare)
    assert result.returncode == 1
    assert "docker-compose.yml" in result.stderr
