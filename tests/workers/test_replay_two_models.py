"""Two versions of the shipped model, both served: a replay tells them apart as a look at both does."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from benchmarks.queries import Mix, distinct
from streams.decoding import Understanding
from streams.events import QueryUnderstood
from tests.conftest import REPOSITORY_ROOT
from tests.workers.altered_model import altered_repository
from tests.workers.replay_rig import all_of, ask, deployment, differences, replayed, send
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.triton import EmbeddedTriton
from workers.kafka import source_record
from workers.replays.comparison import Verdict
from workers.replays.model_in_use import model_in_use
from workers.settings import Settings
from workers.triton import TritonModel

_QUERIES = 150


@pytest.mark.timeout(240)
async def test_a_replay_finds_what_a_direct_comparison_of_two_served_models_finds(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    models = tmp_path / "models"
    altered = altered_repository(REPOSITORY_ROOT / "model_repository", models)
    async with EmbeddedTriton(tmp_path / "run", models) as server:
        triton = {
            "address": server.grpc_address,
            "repository": models,
            "archive": str(tmp_path / "archive"),
        }
        settings = await deployment(kafka.bootstrap, triton=triton)
        asked = distinct(_QUERIES, mix=Mix(requests=40))
        await ask(settings, [msgspec.json.encode({"text": one}) for one in asked])
        async with model_in_use(settings) as live, model_in_use(settings, str(altered)) as other:
            records = [source_record(r) for r in await all_of(settings, settings.topic_names.raw)]
            outputs = await live.enrich(records)
            await send(settings, [one for some in outputs for one in some])
            report = await replayed(settings, tmp_path, enrich=other.enrich)
            texts = await _texts(settings)
            pairs = dict(
                zip(
                    texts,
                    zip(
                        await _answers(live.model, list(texts.values())),
                        await _answers(other.model, list(texts.values())),
                        strict=True,
                    ),
                    strict=True,
                )
            )

    flips = Counter((old.intent.label, new.intent.label) for old, new in pairs.values())
    assert report.agreement.intents == flips
    assert report.agreement.sentiments == Counter(
        (old.sentiment.label, new.sentiment.label) for old, new in pairs.values()
    )
    found: dict[str, set[tuple[int, int]]] = {"intent": set(), "sentiment": set(), "entity": set()}
    for one in differences(report):
        if one["topic"] == settings.topic_names.intents:
            place = one["source"]["partition"], one["source"]["offset"]
            for change in one["fields"]:
                kind = change["field"].partition(".label")[0].partition(" ")[0]
                if change["field"] != "entity score" and kind in found:
                    found[kind].add(place)
    assert found["intent"] == {
        at for at, (a, b) in pairs.items() if a.intent.label != b.intent.label
    }
    assert found["sentiment"] == {
        at for at, (a, b) in pairs.items() if a.sentiment.label != b.sentiment.label
    }
    assert found["entity"] == {at for at, (a, b) in pairs.items() if _spans(a) != _spans(b)}
    assert min(map(len, found.values())) > 0, "the models are to differ in each"
    assert len(found["intent"]) < _QUERIES, "and to agree on something"
    counts = report.tally.verdicts[settings.topic_names.intents]
    assert counts[Verdict.CHANGED] + counts[Verdict.EQUIVALENT] == _QUERIES  # another digest each
    assert report.flips == {
        "intent": len(found["intent"]),
        "sentiment": len(found["sentiment"]),
        "entities": len(found["entity"]),
    }


async def _texts(settings: Settings) -> dict[tuple[int, int], str]:
    """What the model was asked, by the record's position."""
    events = [
        msgspec.json.decode(one.value, type=QueryUnderstood)
        for one in await all_of(settings, settings.topic_names.intents)
    ]
    return {(one.source.partition, one.source.offset): one.text for one in events}


async def _answers(model: TritonModel, texts: Sequence[str]) -> list[Understanding]:
    found: list[Understanding] = []
    for start in range(0, len(texts), model.rows_per_request):
        found += (
            await model.understand(texts[start : start + model.rows_per_request])
        ).understandings
    return found


def _spans(understanding: Understanding) -> set[tuple[int, int, str]]:
    return {(one.start, one.end, one.type) for one in understanding.spans}
