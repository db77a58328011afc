"""What is missing is said before anything is started, each with the command that mends it."""

import platform
import socket
from pathlib import Path

import pytest

from workers.embedded import preflight
from workers.embedded.ports import LOOPBACK, free_ports, is_free
from workers.errors import PreflightError

_ALL = ("kafka", "triton", "valkey")


def test_this_machine_has_what_is_needed(tmp_path: Path) -> None:
    assert preflight.find_problems(tmp_path, _ALL) == []


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with socket.create_server((LOOPBACK, port)):
        assert not is_free(port)
        (problem,) = preflight.find_problems(tmp_path, _ALL, ports=[port])
    assert str(port) in problem.missing
    assert str(port) in problem.remedy


def test_an_unsupported_platform_is_the_only_thing_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    (problem,) = preflight.find_problems(tmp_path, _ALL)
    assert "aarch64" in problem.missing
    assert "docker-compose" in problem.remedy


@pytest.mark.parametrize(
    ("libc", "parts", "found"),
    [((2, 35), _ALL, 0), ((2, 34), _ALL, 1), ((2, 31), ("kafka", "valkey"), 0), (None, _ALL, 1)],
)
def test_triton_needs_a_recent_glibc(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    libc: tuple[int, int] | None,
    parts: tuple[str, ...],
    found: int,
) -> None:
    monkeypatch.setattr(preflight, "glibc_version", lambda: libc)
    assert len(preflight.find_problems(tmp_path, parts)) == found


def test_too_little_memory_is_said_in_megabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "available_memory", lambda: 300 * 1024 * 1024)
    (problem,) = preflight.find_problems(tmp_path, _ALL)
    assert "300 MB" in problem.missing


def test_a_containers_limit_counts_as_memory(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n")
    cgroup = tmp_path / "cgroup"
    cgroup.mkdir()
    assert preflight.available_memory(tmp_path, cgroup) == 4_096_000_000
    (cgroup / "memory.max").write_text("max\n")
    (cgroup / "memory.current").write_text("100\n")
    assert preflight.available_memory(tmp_path, cgroup) == 4_096_000_000
    (cgroup / "memory.max").write_text("1000000000\n")
    assert preflight.available_memory(tmp_path, cgroup) == 999_999_900


def test_a_missing_package_names_the_interpreter_to_install_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "_PACKAGES", {"kafka": ("no_such_package",)})
    (problem,) = preflight.find_problems(tmp_path, ("kafka",))
    assert "no_such_package" in problem.missing
    assert "intentstream[embedded]" in problem.remedy


def test_all_problems_are_raised_at_once() -> None:
    preflight.require([])
    with pytest.raises(PreflightError) as caught:
        preflight.require([preflight.Problem("a", "mend a"), preflight.Problem("b", "mend b")])
    assert str(caught.value) == "a\n  → mend a\nb\n  → mend b"
