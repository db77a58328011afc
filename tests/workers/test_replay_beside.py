"""`replay --model-version`: another version beside the live one, on a real Triton."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.workers.model_versions import add_version, digest, flowing, model_repository
from tests.workers.replay_rig import all_of, ask, deployment, queries, replayed, send
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton
from workers.kafka import source_record
from workers.models.archive import ModelArchive
from workers.models.control import ModelControl
from workers.models.repository import ModelRepository, ModelVersionError
from workers.replays.comparison import Verdict
from workers.replays.model_in_use import model_in_use
from workers.settings import Settings


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedTriton]:
    folder = tmp_path_factory.mktemp("beside")
    async with EmbeddedTriton(folder / "run", model_repository(folder / "models", 2)) as triton:
        yield triton


async def _settings(kafka: EmbeddedKafka, server: EmbeddedTriton, archive: str) -> Settings:
    triton = {
        "address": server.grpc_address,
        "repository": server.model_repository,
        "archive": archive,
    }
    return await deployment(kafka.bootstrap, triton=triton)


async def test_another_version_is_asked_beside_the_live_one_and_unloaded(
    kafka: EmbeddedKafka, server: EmbeddedTriton, tmp_path: Path
) -> None:
    settings = await _settings(kafka, server, str(tmp_path / "archive"))
    await ask(settings, queries(20))
    records = [source_record(one) for one in await all_of(settings, settings.topic_names.raw)]
    async with model_in_use(settings) as live:
        outputs = await live.enrich(records)
        await send(settings, [one for some in outputs for one in some])
        async with model_in_use(settings, "2") as same:
            report = await replayed(settings, tmp_path, enrich=same.enrich)
        assert report.tally.all_identical  # the live version under another name: the same bytes
        async with model_in_use(settings, "1") as other:
            report = await replayed(settings, tmp_path, enrich=other.enrich)
            assert await live.enrich(records) == outputs  # meanwhile the live one is what it was
    assert [name.split(",")[0] for name in report.replayed_by] == [f"model {digest(1)}"]
    assert report.tally.verdicts[settings.topic_names.intents][Verdict.EQUIVALENT] == 20
    async with ModelControl(settings.triton) as control:
        assert control.repository.candidates == []
    with pytest.raises(ModelVersionError, match="9"):
        async with model_in_use(settings, "9"):
            pass


async def test_no_live_call_fails_while_another_version_comes_works_and_goes(
    kafka: EmbeddedKafka, server: EmbeddedTriton, tmp_path: Path
) -> None:
    """CASES 35: four callers that never pause, from before it is loaded until after it is gone."""
    settings = await _settings(kafka, server, str(tmp_path / "archive"))
    await ask(settings, queries(60))
    async with flowing(settings.triton) as answered:
        await asyncio.sleep(0.1)
        async with model_in_use(settings, "1") as other:
            report = await replayed(settings, tmp_path, enrich=other.enrich)
    assert report.records == 60
    assert set(answered) == {("2", digest(2))}
    assert answered.total() > 20


@pytest.mark.parametrize("store", ["{folder}", "file://{folder}", "memory://{name}"])
async def test_an_old_digest_comes_from_the_archive_and_goes_again(
    kafka: EmbeddedKafka, server: EmbeddedTriton, tmp_path: Path, store: str
) -> None:
    """Version 3 is in no repository that is served: it is known by its digest alone."""
    url = store.format(folder=tmp_path / "archive", name=uuid4().hex)
    add_version(tmp_path / "elsewhere", 3)
    ModelArchive(url).add(ModelRepository(tmp_path / "elsewhere").version(3), digest(3))
    settings = await _settings(kafka, server, url)
    await ask(settings, queries(10))
    records = [source_record(one) for one in await all_of(settings, settings.topic_names.raw)]
    async with model_in_use(settings, digest(3)) as old:
        outputs = await old.enrich(records)
        await send(settings, [one for some in outputs for one in some])
    async with model_in_use(settings, digest(3)[:20]) as old:
        report = await replayed(settings, tmp_path, enrich=old.enrich)
    assert report.tally.all_identical
    assert [name.split(",")[0] for name in report.published_by] == [f"model {digest(3)}"]
    async with ModelControl(settings.triton) as control:
        assert [version.number for version in control.repository.versions()] == [1, 2]
        assert control.repository.candidates == []
    with pytest.raises(ModelVersionError, match="sha256:ffff"):
        async with model_in_use(settings, "sha256:" + "f" * 64):
            pass
