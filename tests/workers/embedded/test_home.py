"""Installed trees are complete or absent, and two installers don't get into each other's way."""

import threading
import time
from pathlib import Path

import pytest

from workers.embedded import kafka, triton_runtime
from workers.embedded.home import (
    Lock,
    Pin,
    ensure_installed,
    has_digest,
    installed,
    read_lock,
    state_folder,
)
from workers.embedded.progress import Progressed, silent
from workers.errors import InstallError

_LOCK = Lock((Pin("a:b:1", "0" * 64, 3),), "abc123")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a home"
    monkeypatch.setenv("INTENTSTREAM_HOME", str(folder))
    return folder


def test_the_state_folder_is_the_named_one_else_the_xdg_one_else_under_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    assert state_folder() == home
    monkeypatch.delenv("INTENTSTREAM_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert state_folder() == tmp_path / "xdg" / "intentstream"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local" / "share" / "intentstream"


def test_a_state_folder_that_cannot_be_made_says_which_setting_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("INTENTSTREAM_HOME", str(tmp_path / "file" / "below"))
    with pytest.raises(InstallError, match="INTENTSTREAM_HOME"):
        state_folder()


def test_a_tree_is_filled_once() -> None:
    calls = []

    def fill(folder: Path) -> None:
        calls.append(folder)
        (folder / "server").write_text("x")

    for _ in range(2):
        tree = ensure_installed("s", _LOCK, fill, report=silent, cancelled=threading.Event())
        assert (tree / "server").read_text() == "x"
    assert len(calls) == 1


def test_an_interrupted_installation_leaves_no_tree_and_keeps_what_arrived() -> None:
    def fails(folder: Path) -> None:
        (folder / "half").touch()
        raise InstallError("no network")

    with pytest.raises(InstallError):
        ensure_installed("s", _LOCK, fails, report=silent, cancelled=threading.Event())
    assert installed("s", _LOCK) is None

    def goes_on(folder: Path) -> None:
        assert (folder / "half").exists()

    tree = ensure_installed("s", _LOCK, goes_on, report=silent, cancelled=threading.Event())
    assert installed("s", _LOCK) == tree


def test_the_second_installer_waits_for_the_first_and_uses_its_tree() -> None:
    filled: list[str] = []
    told: list[Progressed] = []
    begun = threading.Event()

    def fill(_: Path) -> None:
        begun.set()
        time.sleep(0.5)
        filled.append(threading.current_thread().name)

    def install() -> None:
        ensure_installed("s", _LOCK, fill, report=told.append, cancelled=threading.Event())

    first = threading.Thread(target=install)
    first.start()
    begun.wait()
    install()
    first.join()
    assert len(filled) == 1
    assert [fact.phase for fact in told] == ["waiting"]


def test_a_changed_lock_or_recipe_is_another_tree(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    path.write_text(f"# comment\na:b:1 {'0' * 64} 10\n")
    before = read_lock(path, "recipe-1")
    assert before.size == 10
    assert read_lock(path, "recipe-2").digest != before.digest
    path.write_text(f"a:b:1 {'1' * 64} 10\n")
    assert read_lock(path, "recipe-1").digest != before.digest


def test_a_file_is_recognised_by_its_hash_alone(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert has_digest(path, Pin("p", digest, 3))
    path.write_bytes(b"abd")
    assert not has_digest(path, Pin("p", digest, 3))
    assert not has_digest(tmp_path / "missing", Pin("p", digest, 3))


def test_the_locks_pin_all_of_kafka_and_of_triton() -> None:
    kafka_pins = {pin.name.split(":")[1] for pin in kafka.kafka_lock().pins}
    assert len(kafka_pins) == 45
    assert {"kafka_2.13", "kafka-clients", "log4j-slf4j-impl"} <= kafka_pins
    triton_pins = {pin.name for pin in triton_runtime.triton_lock().pins}
    assert {"nvidia-pytriton==0.7.0", "numpy==1.26.4"} <= triton_pins
    assert all(
        len(pin.sha256) == 64
        for pin in (*kafka.kafka_lock().pins, *triton_runtime.triton_lock().pins)
    )


def test_kafka_home_wins_and_must_hold_a_kafka_of_a_known_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    libs = tmp_path / "libs"
    libs.mkdir()
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    with pytest.raises(InstallError, match="holds no Kafka"):
        kafka.install_kafka()
    (libs / "kafka-clients-3.9.1.jar").touch()
    with pytest.raises(InstallError, match=r"Kafka 3\.9\.1"):
        kafka.install_kafka()
    (libs / "kafka-clients-3.9.1.jar").rename(libs / "kafka-clients-4.1.0.jar")
    assert kafka.install_kafka() == libs
    assert kafka.needs_download() == 0
