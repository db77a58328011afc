"""Loading, promoting and rolling back on a real Triton, with queries flowing meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner

import workers.models.control as control_module
from tests.workers.model_versions import (
    add_version,
    digest,
    flowing,
    model_repository,
    read_history,
)
from tests.workers.switchboard import Switchboard
from training.inference.triton import triton_predictor
from workers.cli import app
from workers.embedded.triton import EmbeddedTriton
from workers.errors import UnreachableError
from workers.models.archive import ModelArchive
from workers.models.control import ModelControl, ModelSwitchError, model_beside
from workers.models.repository import FRONT, ModelRepository, ModelVersionError, Version
from workers.sections import TritonSettings
from workers.triton import TritonModel

LIVE = 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedTriton]:
    folder = tmp_path_factory.mktemp("model versions")
    repository = model_repository(folder / "models", LIVE)
    async with EmbeddedTriton(folder / "run", repository) as triton:
        yield triton


@pytest_asyncio.fixture(loop_scope="session")
async def settings(server: EmbeddedTriton, tmp_path: Path) -> AsyncIterator[TritonSettings]:
    """Of the server with version 2 live, which it is again in the end."""
    found = TritonSettings.model_validate(
        {
            "address": server.grpc_address,
            "repository": server.model_repository,
            "archive": str(tmp_path / "archive"),
        }
    )
    yield found
    async with ModelControl(found) as control:
        for name in control.repository.candidates:
            await control.unload(name)
        await control.promote(str(LIVE))
        (server.model_repository / FRONT / "history.json").unlink(missing_ok=True)


async def test_a_version_is_loaded_beside_the_live_one(settings: TritonSettings) -> None:
    async with ModelControl(settings) as control:
        name, answered = await control.load("1")
        assert (name, answered.digest) == (f"{FRONT}_candidate_v1", digest(1))
        assert (await control.served()).digest == digest(LIVE)
        assert {m.name for m in await control.loaded() if m.state == "READY"} == {FRONT, name}
        await control.unload("1")
        assert {m.name for m in await control.loaded() if m.state == "READY"} == {FRONT}
        assert control.repository.candidates == []


async def test_switching_there_and_back_refuses_no_query(settings: TritonSettings) -> None:
    """CASES 35: no gap, and each answer carries the version that gave it."""
    async with flowing(settings) as answered, ModelControl(settings) as control:
        for _ in range(2):
            assert (await control.promote("1")).digest == digest(1)
            await asyncio.sleep(0.1)
            assert (await control.rollback()).version == str(LIVE)
            await asyncio.sleep(0.1)
    assert set(answered) == {("1", digest(1)), ("2", digest(2))}
    assert min(answered.values()) > 5


async def test_rollback_goes_back_step_by_step(settings: TritonSettings) -> None:
    async with ModelControl(settings) as control:
        await control.promote("1")
        await control.promote("1")  # the same again is no step
        assert read_history(settings.repository) == [LIVE]
        assert (await control.rollback()).digest == digest(LIVE)
        with pytest.raises(ModelVersionError, match="no version was live before"):
            await control.rollback()


async def test_a_version_that_does_not_load_changes_nothing(
    settings: TritonSettings, server: EmbeddedTriton
) -> None:
    if not (server.model_repository / FRONT / "3").exists():
        add_version(server.model_repository, 3, broken=True)
    async with ModelControl(settings) as control:
        control.repository.serve(LIVE, [])
        async with flowing(settings) as answered:
            with pytest.raises(ModelSwitchError, match="no weights"):
                await control.promote("3")
            with pytest.raises(ModelSwitchError, match="no weights"):
                await control.load("3")
        assert set(answered) == {("2", digest(2))}
        assert control.repository.served == LIVE
        assert control.repository.candidates == []


async def test_every_version_that_was_live_can_be_audited_by_its_digest(
    settings: TritonSettings,
) -> None:
    async with ModelControl(settings) as control:
        await control.promote("1")
        await control.rollback()
        control.repository.remove(control.repository.version(1))
        with pytest.raises(ModelVersionError):
            control.repository.version(1)
        async with (
            model_beside(settings, digest(1)[:20]) as beside,
            TritonModel(beside) as model,
        ):
            assert (await model.canary()).digest == digest(1)
            numbers = [version.number for version in control.repository.versions()]
            assert beside.model_name == f"{FRONT}_candidate_v{numbers[-1]}"
        # what came for the audit alone has gone again
        assert [v.number for v in control.repository.versions()] == numbers[:-1]
        assert control.repository.candidates == []
        restored = control.archive.restore(control.archive.find(digest(1)), control.repository)
        restored.folder.rename(control.repository.front / "1")


async def test_a_damaged_version_is_refused_with_what_it_lacks(settings: TritonSettings) -> None:
    version = ModelRepository(settings.repository).version(1)
    lost = version.encoder_folders()["en"] / "tokenizer.json"
    moved = lost.rename(lost.with_suffix(".lost"))
    try:
        async with ModelControl(settings) as control:
            for changed in (control.load("1"), control.promote("1")):
                with pytest.raises(ModelVersionError, match=r"version 1 .* lacks tokenizer\.json"):
                    await changed
            assert control.repository.candidates == []
            assert control.repository.served == LIVE
    finally:
        moved.rename(lost)


@pytest.mark.parametrize("digests_alone", [False, True])
async def test_an_archive_that_refuses_changes_nothing(
    settings: TritonSettings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    digests_alone: bool,
) -> None:
    """Neither before the switch nor when the new version has answered: none is live unarchived."""
    async with ModelControl(settings) as control:
        if digests_alone:
            add = control.archive.add

            def refusing(version: Version, answered: str = "") -> str:
                if answered == digest(1):
                    raise UnreachableError("the model archive refuses")
                return add(version, answered)

            monkeypatch.setattr(control.archive, "add", refusing)
        else:
            (tmp_path / "archive").write_text("no folder")
        async with flowing(settings) as answered:
            with pytest.raises(UnreachableError, match="archive"):
                await control.promote("1")
            with pytest.raises(UnreachableError, match="archive"):
                await control.load("1")
        assert digests_alone or set(answered) == {("2", digest(2))}
        assert (await control.served()).digest == digest(LIVE)
        assert (control.repository.served, control.repository.history) == (LIVE, [])
        assert control.repository.candidates == []
        assert {m.name for m in await control.loaded() if m.state == "READY"} == {FRONT}
    if not digests_alone:
        (tmp_path / "archive").unlink()


async def test_a_triton_that_hangs_ends_a_command(
    settings: TritonSettings, server: EmbeddedTriton, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with that the lock on the repository, which is as it was."""
    monkeypatch.setattr(control_module, "_LOADING_S", 1.0)
    async with Switchboard(int(server.grpc_address.rpartition(":")[2])) as switchboard:
        hanging = settings.model_copy(
            update={"address": f"127.0.0.1:{switchboard.port}", "timeout_s": 1.0}
        )
        async with ModelControl(hanging) as control:
            await control.loaded()
            switchboard.flowing.clear()
            with pytest.raises(UnreachableError, match="get_model_repository_index in 1 s"):
                await control.promote("1")
            with pytest.raises(UnreachableError, match=f"load_model {FRONT} in 1 s"):
                await control._call("load_model", model_name=FRONT)
            with control.repository.alone():
                assert (control.repository.served, control.repository.history) == (LIVE, [])
            switchboard.flowing.set()


async def test_replays_of_one_version_share_it_and_the_last_takes_it_away(
    settings: TritonSettings,
) -> None:
    async with model_beside(settings, "1") as first, TritonModel(first) as model:
        async with model_beside(settings, "1") as second:
            assert second.model_name == first.model_name
        assert (await model.canary()).digest == digest(1)
        async with ModelControl(settings) as control:
            with pytest.raises(ModelVersionError, match="a replay calls"):
                await control.unload("1")
    assert ModelRepository(settings.repository).candidates == []


def _archive_seven(settings: TritonSettings, folder: Path) -> ModelArchive:
    """The archive, with a version that the repository does not have."""
    add_version(folder / "elsewhere", 7)
    archive = ModelArchive(settings.archive)
    archive.add(ModelRepository(folder / "elsewhere").version(7), digest(7))
    return archive


async def test_an_archived_version_stays_until_the_last_replay_of_it_ends(
    settings: TritonSettings, tmp_path: Path
) -> None:
    repository = ModelRepository(settings.repository)
    there = [version.number for version in repository.versions()]
    _archive_seven(settings, tmp_path)
    async with model_beside(settings, digest(7)) as first:
        async with model_beside(settings, digest(7)) as second:
            assert second.model_name == first.model_name
        assert [version.number for version in repository.versions()] == [*there, there[-1] + 1]
        async with TritonModel(first) as model:
            assert (await model.canary()).digest == digest(7)
    assert [version.number for version in repository.versions()] == there
    assert repository.candidates == []


async def test_what_was_loaded_by_hand_stays_after_a_replay(settings: TritonSettings) -> None:
    async with ModelControl(settings) as control:
        async with model_beside(settings, "1") as beside:
            name, _ = await control.load("1")
            assert beside.model_name == name
        async with model_beside(settings, "1"):
            pass
        assert control.repository.candidates == [name]
        assert name in {model.name for model in await control.loaded() if model.state == "READY"}


async def test_what_a_killed_replay_left_goes_with_the_next(
    settings: TritonSettings, tmp_path: Path
) -> None:
    """The version too that it had taken out of the archive."""
    repository = ModelRepository(settings.repository)
    there = [version.number for version in repository.versions()]
    archive = _archive_seven(settings, tmp_path)
    restored = archive.restore(archive.find(digest(7)), repository)
    left = repository.add_candidate(restored.number, restored=True)
    async with ModelControl(settings) as control:
        await control._load(left, restored.number)
        async with model_beside(settings, "1") as beside:
            ready = {model.name for model in await control.loaded() if model.state == "READY"}
            assert ready == {FRONT, beside.model_name}
            assert [version.number for version in repository.versions()] == there


@pytest.fixture
def commands(settings: TritonSettings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("address", "repository", "archive"):
        monkeypatch.setenv(f"INTENTSTREAM_TRITON__{name.upper()}", str(getattr(settings, name)))
    return CliRunner()


@pytest.mark.parametrize(("pin", "agreed"), [("", True), ("2", True), ("7", False)])
def test_status_says_whether_the_workers_pin_is_live(
    commands: CliRunner, monkeypatch: pytest.MonkeyPatch, pin: str, *, agreed: bool
) -> None:
    monkeypatch.setenv("INTENTSTREAM_TRITON__MODEL_VERSION", pin)
    told = commands.invoke(app, ["model", "status"])
    assert told.exit_code == (0 if agreed else 1)
    assert f"version {LIVE} answers" in told.stdout
    assert f"workers pin  {pin or 'no version'}" in told.stdout
    assert ("pinned to version 7, which is not served" in told.stderr) is not agreed
    facts = json.loads(commands.invoke(app, ["model", "status", "--json"]).stdout)
    assert (facts["live"]["version"], facts["workers_pin"]) == (str(LIVE), pin or None)


def test_status_says_that_the_repository_is_set_to_another_version(
    commands: CliRunner, settings: TritonSettings
) -> None:
    ModelRepository(settings.repository).serve(1, [])
    told = commands.invoke(app, ["model", "status"])
    assert told.exit_code == 1
    assert "intentstream model promote 1 loads it" in told.stdout


def test_a_candidate_is_evaluated_whatever_version_the_workers_are_pinned_to(
    commands: CliRunner, settings: TritonSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTENTSTREAM_TRITON__MODEL_VERSION", str(LIVE))
    assert commands.invoke(app, ["model", "load", "1"]).exit_code == 0
    place = f"grpc://{settings.address}"
    with triton_predictor(f"{place}/{FRONT}_candidate_v1") as candidate:
        assert candidate(["red shoes"]).digest == digest(1)
    with triton_predictor(place) as live:
        assert live(["red shoes"]).digest == digest(LIVE)


def test_the_commands_say_what_is_live(commands: CliRunner) -> None:
    listed = commands.invoke(app, ["model", "list"])
    assert listed.exit_code == 0, listed.output
    assert "en:2" in listed.output
