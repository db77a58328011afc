"""Versions of the model in the repository and in the archive, without a server."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.workers.model_versions import add_version, digest, model_repository
from workers.cli import app
from workers.errors import UnreachableError
from workers.models.archive import ModelArchive
from workers.models.repository import ModelRepository, ModelVersionError, Version

_LABELS = re.compile(r'parameters \{\s+key: "labels".*?\}\s*\}\n', re.DOTALL)


@pytest.fixture
def repository(tmp_path: Path) -> ModelRepository:
    return ModelRepository(model_repository(tmp_path / "models", 3))


def test_the_last_export_is_the_one_that_is_served(repository: ModelRepository) -> None:
    assert [version.number for version in repository.versions()] == [1, 2, 3]
    assert repository.served == 3
    assert repository.version(2).encoders == {"en": 2}


def test_the_shipped_repository_reads_as_one() -> None:
    shipped = ModelRepository(Path(__file__).resolve().parents[2] / "model_repository")
    served = shipped.version(shipped.served)
    assert "en" in served.encoders
    assert all(folder.is_dir() for folder in served.encoder_folders().values())
    assert len(served.content()) == 64


def test_serving_another_version_takes_its_configuration_along(repository: ModelRepository) -> None:
    repository.serve(1, [3])
    text = (repository.front / "configs/cpu.pbtxt").read_text()
    assert 'string_value: "1"' in text
    assert text.count("version_policy") == 1
    assert repository.served == 1
    assert repository.history == [3]


def _declare(version: Version, labels: str) -> None:
    """Labels as an export writes them."""
    line = f'parameters {{ key: "labels" value: {{ string_value: {json.dumps(labels)} }} }}\n'
    for name in ("config.pbtxt", "configs/cpu.pbtxt"):
        path = version.folder / name
        kept = _LABELS.sub("", path.read_text())
        path.write_text(kept + line)


def test_a_versions_transitions_go_and_come_with_it(
    repository: ModelRepository, tmp_path: Path
) -> None:
    """They stand in its labels: promoted, rolled back, as a candidate and out of the archive."""
    _declare(repository.version(2), '{"intents": []}')
    without = repository.version(2).content()
    _declare(repository.version(2), '{"intents": [], "transitions": {"en": {"strength": 0.25}}}')
    said = r"\"transitions\": {\"en\": {\"strength\": 0.25}}"

    def served() -> list[bool]:
        files = ("config.pbtxt", "configs/cpu.pbtxt")
        return [said in (repository.front / name).read_text() for name in files]

    assert repository.version(2).content() != without
    repository.serve(2, [3])
    assert served() == [True, True]
    repository.serve(3, [])
    assert served() == [False, False]
    candidate = repository.path / repository.add_candidate(2)
    assert said in (candidate / "configs/cpu.pbtxt").read_text()
    archive = ModelArchive(str(tmp_path / "archive"))
    content = archive.add(repository.version(2), digest(2))
    other = ModelRepository(model_repository(tmp_path / "other", 1))
    assert all(said in text for text in archive.restore(content, other).configs)


def test_a_version_from_before_configurations_were_kept_gets_one(
    repository: ModelRepository,
) -> None:
    """The version that is live owns the configuration that Triton reads."""
    for name in ("config.pbtxt", "configs/cpu.pbtxt"):
        (repository.front / "3" / name).unlink()
    repository.serve(1, [3])
    assert repository.version(3).encoders == {"en": 3}
    repository.serve(3, [])
    assert repository.served == 3


def test_a_candidate_is_a_model_of_its_own(repository: ModelRepository) -> None:
    name = repository.add_candidate(2)
    assert name == "query_understanding_candidate_v2"
    text = (repository.path / name / "configs/cpu.pbtxt").read_text()
    assert 'name: "query_understanding_candidate_v2"' in text
    assert "versions: [ 2 ]" in text
    assert repository.candidates == [name]
    repository.remove_candidate(name)
    assert repository.candidates == []
    assert repository.version(2).folder.is_dir()


def test_a_candidate_is_abandoned_when_the_last_process_that_called_it_has_died(
    repository: ModelRepository,
) -> None:
    name = repository.add_candidate(2)
    assert repository.abandoned == [name]
    calling = "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[3]); "
    calling += "from workers.models.repository import ModelRepository\n"
    calling += "with ModelRepository(Path(sys.argv[1])).calling(sys.argv[2]):\n"
    calling += " print('calls', flush=True); time.sleep(60)"
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", calling, repository.path, name, root], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"calls\n"
        with repository.calling(name):
            assert repository.abandoned == []
        assert repository.abandoned == []
        process.kill()
    assert repository.abandoned == [name]


def test_a_candidate_that_is_kept_is_never_abandoned(repository: ModelRepository) -> None:
    name = repository.add_candidate(2)
    repository.keep_candidate(name)
    assert repository.abandoned == []
    assert repository.add_candidate(2) == name
    assert repository.abandoned == []


@pytest.mark.parametrize(("promoted", "left"), [(False, [1, 2]), (True, [1, 2, 3])])
def test_a_version_restored_for_a_candidate_goes_with_it_unless_it_was_live(
    repository: ModelRepository, *, promoted: bool, left: list[int]
) -> None:
    repository.serve(2, [])
    name = repository.add_candidate(3, restored=True)
    if promoted:
        repository.serve(3, [2])
        repository.serve(2, [3])
    repository.remove_candidate(name)
    assert [version.number for version in repository.versions()] == left


def test_encoders_that_triton_serves_itself_serve_both_versions(
    repository: ModelRepository,
) -> None:
    config = repository.path / "encoder_en/config.pbtxt"
    config.write_text('name: "encoder_en"\nversion_policy: { specific { versions: [ 3 ] } }\n')
    repository.add_candidate(2)
    assert "versions: [ 2, 3 ]" in config.read_text()


def test_content_tells_versions_apart_and_ignores_their_numbers(
    repository: ModelRepository, tmp_path: Path
) -> None:
    contents = {version.content() for version in repository.versions()}
    assert len(contents) == 3
    again = ModelRepository(model_repository(tmp_path / "again", 1))
    assert again.version(1).content() == repository.version(1).content()


def test_a_version_that_lacks_a_file_says_which(repository: ModelRepository) -> None:
    (repository.path / "encoder_en/2/model.onnx").unlink()
    with pytest.raises(ModelVersionError, match=r"version 2 of the model lacks model\.onnx"):
        repository.version(2).content()


@pytest.mark.parametrize("file", ["encoder_en/2/tokenizer.json", "query_understanding/2/model.py"])
def test_a_damaged_version_is_in_the_way_of_no_other(
    repository: ModelRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """It is listed as damaged, and comes back from the archive under the next free number."""
    archive = ModelArchive(str(tmp_path / "archive"))
    contents = [archive.add(version, digest(version.number)) for version in repository.versions()]
    repository.remove(repository.version(1))
    (repository.path / file).unlink()
    assert archive.restore(contents[2], repository).number == 3
    assert archive.restore(contents[0], repository).number == 4
    assert archive.restore(contents[1], repository).number == 5
    monkeypatch.setenv("INTENTSTREAM_TRITON__REPOSITORY", str(repository.path))
    monkeypatch.setenv("INTENTSTREAM_TRITON__ARCHIVE", archive.url)
    rows = json.loads(CliRunner().invoke(app, ["model", "list", "--json"]).stdout)
    assert [row["version"] for row in rows] == [2, 3, 4, 5]
    assert [row["content"] for row in rows] == [None, contents[2], contents[0], contents[1]]
    table = CliRunner().invoke(app, ["model", "list"]).stdout
    assert [("damaged" in line) for line in table.splitlines() if "en:" in line] == [
        row["damaged"] for row in rows
    ]


def test_what_is_not_there_is_said(repository: ModelRepository, tmp_path: Path) -> None:
    with pytest.raises(ModelVersionError, match="no version 9") as caught:
        repository.version(9)
    assert "1, 2, 3" in caught.value.hint
    with pytest.raises(ModelVersionError, match="no query_understanding"):
        ModelRepository(tmp_path)


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_an_archived_version_comes_back_by_its_digest(
    repository: ModelRepository, tmp_path: Path, kind: str
) -> None:
    """Under the next free numbers, with the content that went in."""
    url = str(tmp_path / "archive") if kind == "folder" else f"memory://{tmp_path.name}"
    content = ModelArchive(url).add(repository.version(1), digest(1))
    other = ModelRepository(model_repository(tmp_path / "other", 1))
    add_version(other.path, 2)
    (other.path / "encoder_en/1/model.onnx").write_bytes(b"another graph")
    archive = ModelArchive(url)
    version = archive.restore(archive.find(digest(1)[:12]), other)
    assert version.number == 3
    assert version.encoders == {"en": 3}
    assert version.content() == content
    assert (other.path / "encoder_en/3/model.onnx").read_bytes() == b"graph 1"
    assert archive.restore(content, other).number == 3  # it is there already
    other.remove(version)
    assert [v.number for v in other.versions()] == [1, 2]
    assert not (other.path / "encoder_en/3").exists()


def test_one_content_may_have_answered_with_several_digests(
    repository: ModelRepository, tmp_path: Path
) -> None:
    """The runtime and the processor count into a digest."""
    archive = ModelArchive(str(tmp_path / "archive"))
    for number in (1, 7):
        archive.add(repository.version(1), digest(number))
    archive.add(repository.version(2))
    first, second = sorted(archive.versions(), key=lambda found: len(found.digests))
    assert first.digests == ()
    assert second.digests == (digest(1), digest(7))


def test_an_archived_version_gains_what_came_later(
    repository: ModelRepository, tmp_path: Path
) -> None:
    """A graph for the GPU is made after the version may have been archived; a copy may be cut off."""
    archive = ModelArchive(str(tmp_path / "archive"))
    content = archive.add(repository.version(1), digest(1))
    kept = tmp_path / "archive" / content / "encoder_en"
    (kept / "model.onnx").write_bytes(b"graph")  # and no more of it
    (repository.path / "encoder_en/1/model.fp16.onnx").write_bytes(b"half a graph")
    assert archive.add(repository.version(1), digest(2)) == content
    assert (kept / "model.fp16.onnx").read_bytes() == b"half a graph"
    assert (kept / "model.onnx").read_bytes() == b"graph 1"


def test_a_damaged_archive_is_not_served(repository: ModelRepository, tmp_path: Path) -> None:
    archive = ModelArchive(str(tmp_path / "archive"))
    content = archive.add(repository.version(1), digest(1))
    (tmp_path / "archive" / content / "encoder_en/model.onnx").write_bytes(b"bits have rotted")
    other = ModelRepository(model_repository(tmp_path / "other", 1))
    (other.path / "encoder_en/1/model.onnx").write_bytes(b"another graph")
    with pytest.raises(ModelVersionError, match="damaged"):
        archive.restore(content, other)
    assert [version.number for version in other.versions()] == [1]


def test_an_unknown_digest_and_an_unknown_store_are_said(tmp_path: Path) -> None:
    archive = ModelArchive(str(tmp_path / "archive"))
    with pytest.raises(ModelVersionError, match="no version in the model archive"):
        archive.find("abcdef0123")
    with pytest.raises(UnreachableError, match="cannot be opened"):
        ModelArchive("nosuchstore://bucket")
