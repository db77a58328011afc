"""How commands in another terminal find the stack that is running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workers.embedded import run_env
from workers.errors import IntentstreamError

ENVIRONMENT = {
    "INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1234",
    "INTENTSTREAM_PSEUDONYMS__SECRET": "it's a 'secret' \\ $HOME #1",
}


@pytest.fixture(autouse=True)
def _nothing_configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("INTENTSTREAM_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def test_a_running_stack_is_found_with_its_exact_values(tmp_path: Path) -> None:
    with run_env.published(tmp_path, ENVIRONMENT) as path:
        assert run_env.running(tmp_path) == ENVIRONMENT
        assert path.stat().st_mode & 0o077 == 0
    assert run_env.running(tmp_path) is None
    assert not path.exists()


def test_the_file_of_a_killed_stack_is_not_used(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from workers.embedded import run_env\n"
        "with run_env.published(Path(sys.argv[1]), {'INTENTSTREAM_PREFIX': 'x'}):\n"
        f"    os.kill(os.getpid(), {int(signal.SIGKILL)})\n"
    )
    root = Path(run_env.__file__).parents[2]
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, cwd=root)
    assert (tmp_path / "run.env").exists()
    assert run_env.running(tmp_path) is None


def test_two_stacks_cannot_share_a_folder(tmp_path: Path) -> None:
    with (
        run_env.published(tmp_path, ENVIRONMENT),
        pytest.raises(IntentstreamError, match="Another"),
        run_env.published(tmp_path, {}),
    ):
        pass


class TestAdopting:
    def adopted(self, monkeypatch: pytest.MonkeyPatch, run_dir: Path | None = None) -> bool:
        environment = dict(os.environ)
        monkeypatch.setattr(os, "environ", environment)
        return run_env.adopt(run_dir) and environment["INTENTSTREAM_PREFIX"] == "embedded"

    @pytest.fixture(autouse=True)
    def _running(self) -> object:
        run_env.RUN_DIR.mkdir()
        with run_env.published(run_env.RUN_DIR, {"INTENTSTREAM_PREFIX": "embedded"}):
            yield

    def test_the_one_in_this_folder_is_found_by_itself(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("INTENTSTREAM_HOME", "/somewhere")
        assert self.adopted(monkeypatch)

    def test_but_not_where_a_variable_names_another_system(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS", "broker:9092")
        assert not self.adopted(monkeypatch)

    def test_nor_where_a_dotenv_file_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(".env").write_text("INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS=broker:9092\n")
        assert not self.adopted(monkeypatch)

    def test_unless_its_folder_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        Path(".env").write_text("INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS=broker:9092\n")
        assert self.adopted(monkeypatch, run_env.RUN_DIR)
