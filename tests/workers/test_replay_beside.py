"""`replay --model-version`: another version beside the live one, on a real Triton."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.workers.model_versions import digest, model_repository
from tests.workers.replay_rig import all_of, ask, deployment, queries, replayed, send
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton
from workers.kafka import source_record
from workers.models.control import ModelControl
from workers.models.repository import ModelVersionError
from workers.replays.comparison import Verdict
from workers.replays.model_in_use import model_in_use


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedTriton]:
    folder = tmp_path_factory.mktemp("beside")
    async with EmbeddedTriton(folder / "run", model_repository(folder / "models", 2)) as triton:
        yield triton


async def test_another_version_is_asked_beside_the_live_one_and_unloaded(
    kafka: EmbeddedKafka, server: EmbeddedTriton, tmp_path: Path
) -> None:
    triton = {
        "address": server.grpc_address,
        "repository": server.model_repository,
        "archive": str(tmp_path / "archive"),
    }
    settings = await deployment(kafka.bootstrap, triton=triton)
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
    with pytest.raises(ModelVersionError, match="sha256:ffff"):
        async with model_in_use(settings, "sha256:" + "f" * 64):
            pass
