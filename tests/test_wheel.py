"""The package as others get it: built from the source archive, installed where nothing else is."""

import email.message
import email.parser
import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(900)  # it downloads what it installs, the first time

_ROOT = Path(__file__).parents[1]
_APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
_LARGEST_MB = 80  # the weights of an encoder are 35


def _run(*command: str | Path, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--outdir", folder, _ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.parser.Parser().parsestr(wheel.read(name).decode())


def test_the_metadata_is_what_the_project_says(metadata: email.message.Message) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    assert metadata["Name"] == "intentstream"
    assert metadata["Version"] == project["version"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}
    assert metadata["Summary"]
    assert len(str(metadata.get_payload())) > 500, "the README is the description"
    wanted = metadata.get_all("Requires-Dist", [])
    runtime = [line for line in wanted if "extra ==" not in line]
    assert len(runtime) == len(project["dependencies"])
    assert all("==" in line for line in runtime), "each dependency is pinned"
    assert set(metadata.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])


def test_the_licence_is_the_whole_apache_licence(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("licenses/LICENSE"))
    assert hashlib.sha256(wheel.read(name)).hexdigest() == _APACHE_2


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"streams", "workers", "training", "model_repository"}
    for needed in (
        "streams/py.typed",
        "workers/py.typed",
        "workers/embedded/kafka.lock",
        "workers/embedded/triton.lock",
    ):
        assert needed in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert sum(item.compress_size for item in wheel.infolist()) < _LARGEST_MB * 1_000_000


def test_the_source_archive_holds_no_data_of_this_machine(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    for needed in ("LICENSE", "README.md", "pyproject.toml", "streams/events.py"):
        assert needed in names
    tops = {name.partition("/")[0] for name in names}
    assert not tops & {".venv", ".intentstream", ".git", "dist", "build", "runs", ".env"}


def test_it_runs_where_nothing_else_is_installed(built: Path, tmp_path: Path) -> None:
    (path,) = built.glob("*.whl")
    home = tmp_path / "clean environment"
    venv.create(home, with_pip=True)
    python, command = home / "bin/python", home / "bin/intentstream"
    _run(python, "-m", "pip", "install", "--quiet", path, cwd=tmp_path)

    assert "replay" in _run(command, "--help", cwd=tmp_path)
    assert _run(command, "--version", cwd=tmp_path).startswith("intentstream ")
    assert "QueryUnderstood" in _run(command, "schema", "QueryUnderstood", cwd=tmp_path)
    script = "import pathlib, workers; print(pathlib.Path(workers.__path__[0]).parent)"
    installed = Path(_run(python, "-c", script, cwd=tmp_path).strip())
    assert home in installed.parents
    assert (installed / "model_repository/query_understanding").is_dir()
    assert not list(installed.glob("torch*")), "running needs no torch"
    _run(python, "-m", "pip", "check", cwd=tmp_path)
