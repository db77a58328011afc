"""Workers seen from outside: the verdicts, the metrics, the page about them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiokafka import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from tests.streams.profile_signals import query
from tests.workers.personalizer_rig import rig as personalizer_rig
from tests.workers.rig import Rig
from tests.workers.world import World, lost, queries, world_of
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.ports import free_ports
from workers.embedded.valkey import EmbeddedValkey
from workers.errors import SettingsError
from workers.health import HealthServer
from workers.metrics import METRICS, Kind, Metric, Value, Worker, WorkerMetrics, table
from workers.sections import HealthSettings
from workers.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
LOOPBACK = ("127.0.0.1", 0)


class Asked:
    """A worker that says what it is told to."""

    def __init__(self) -> None:
        self.stalled: list[str] = []
        self.unable: list[str] = []

    def unhealthy(self) -> list[str]:
        return self.stalled

    def unready(self) -> list[str]:
        return self.unable


def fake(metric: Metric) -> Value:
    if not metric.labels:
        return 1
    return {metric.labels[0]: 1} if len(metric.labels) == 1 else {metric.labels: 1}


def exported_by(worker: Worker) -> WorkerMetrics:
    made = WorkerMetrics(worker, lambda: {metric: fake(metric) for metric in METRICS})
    for metric in METRICS:
        if metric.kind is Kind.HISTOGRAM:
            made.observe(metric, 0.2, "model" if metric.labels else "")
    return made


async def ask(url: str, path: str) -> tuple[int, Any]:
    async with ClientSession() as client, client.get(url + path) as response:
        return response.status, await response.json()


async def scrape(url: str) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and its labels' values."""
    async with ClientSession() as client, client.get(url + "/metrics") as response:
        assert response.status == 200
        text = await response.text()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# --- the server


async def test_well_is_200_unwell_is_503_with_the_reasons() -> None:
    worker = Asked()
    registry = exported_by(Worker.ENRICHER).registry
    async with HealthServer(LOOPBACK, worker, registry) as server:
        assert await ask(server.url, "/healthz") == (200, {"ok": True, "reasons": []})
        worker.unable.append("the model does not answer")
        assert await ask(server.url, "/healthz") == (200, {"ok": True, "reasons": []})
        assert await ask(server.url, "/readyz") == (
            503,
            {"ok": False, "reasons": ["the model does not answer"]},
        )
        worker.stalled.append("stuck")
        assert (await ask(server.url, "/healthz"))[0] == 503


async def test_a_taken_port_is_a_clear_error() -> None:
    registry = exported_by(Worker.ENRICHER).registry
    [port] = free_ports(1)
    async with HealthServer(("127.0.0.1", port), Asked(), registry):
        with pytest.raises(SettingsError, match=rf"127.0.0.1:{port} cannot be listened on"):
            async with HealthServer(("127.0.0.1", port), Asked(), registry):
                pass


async def test_without_an_address_nothing_is_served() -> None:
    async with HealthServer(None, Asked(), exported_by(Worker.ENRICHER).registry) as server:
        assert server.url == ""


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("9100", ("127.0.0.1", 9100)),
        (":0", ("127.0.0.1", 0)),
        ("0.0.0.0:9100", ("0.0.0.0", 9100)),  # noqa: S104 (a setting, not a socket)
        ("[::1]:9100", ("::1", 9100)),
        (None, None),
    ],
)
def test_an_address_is_a_port_or_host_and_port(
    address: str | None, expected: tuple[str, int] | None
) -> None:
    assert load_settings(None, health={"address": address}).health_address == expected


@pytest.mark.parametrize("address", ["localhost", "1:2:3", "70000", "http://x:1", "-1"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match="HEALTH"):
        load_settings(None, health={"address": address})


def test_two_embedded_workers_do_not_fight_for_a_port() -> None:
    settings = load_settings(
        None, environment="embedded", health=HealthSettings(address="0.0.0.0:9100")
    )
    assert settings.health_address == ("0.0.0.0", 0)  # noqa: S104


# --- the metrics


@pytest.mark.parametrize("worker", Worker)
def test_a_scrape_has_all_that_is_declared_of_a_worker_and_no_more(worker: Worker) -> None:
    registry = exported_by(worker).registry
    names = {family.name for family in registry.collect() if family.name.startswith("intent")}
    assert names == {f"intentstream_{one.name}" for one in METRICS if worker in one.workers}


def test_names_are_unique_and_meanings_are_sentences() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.meaning.endswith("."), metric.name
        assert metric.buckets or metric.kind is not Kind.HISTOGRAM


def test_labels_are_of_the_installation_never_of_a_record() -> None:
    allowed = {"topic", "partition", "stage", "state", "reason", "kind"}
    assert {label for metric in METRICS for label in metric.labels} <= allowed


def test_the_page_lists_every_metric() -> None:
    assert table() in PAGE.read_text(), "paste the output of `python -m workers.metrics`"


def test_alerts_on_the_page_use_metrics_that_exist() -> None:
    page = PAGE.read_text().replace(table(), "")
    names = {metric.exported for metric in METRICS} | {
        f"{metric.exported}_{part}"
        for metric in METRICS
        if metric.kind is Kind.HISTOGRAM
        for part in ("bucket", "count", "sum")
    }
    mentioned = set(_words(page))
    assert mentioned
    assert mentioned <= names


def _words(page: str) -> Iterator[str]:
    for word in "".join(c if c.isalnum() or c == "_" else " " for c in page).split():
        if word.startswith("intentstream_"):
            yield word


# --- the real chain


async def healthy_world(kafka: EmbeddedKafka, rig: Rig, name: str, **more: Any) -> World:
    triton = {"address": rig.server.grpc_address, "model_name": "rigged", "max_batch_rows": 32}
    health = {"address": "0"} | more.pop("health", {})
    return await world_of(kafka.bootstrap, name, triton=triton, health=health, **more)


async def test_an_enricher_tells_how_it_is_and_what_it_did(kafka: EmbeddedKafka, rig: Rig) -> None:
    world = await healthy_world(kafka, rig, "seen")
    await world.produce([*queries(50), b"{not json"])
    async with world.enricher() as enricher:
        await world.until(lambda: enricher.health_url != "")
        status, answer = await ask(enricher.health_url, "/readyz")
        assert status == 503
        assert any("not in the consumer group" in reason for reason in answer["reasons"])
        await world.until_committed()
        await world.until(lambda: not enricher.unready())
        assert await ask(enricher.health_url, "/healthz") == (200, {"ok": True, "reasons": []})
        assert await ask(enricher.health_url, "/readyz") == (200, {"ok": True, "reasons": []})
        seen = await scrape(enricher.health_url)
        rig.tell("failing")
        await world.produce(queries(50, first=50))
        await world.until(lambda: "the model does not answer" in enricher.unready())
        assert await ask(enricher.health_url, "/healthz") == (200, {"ok": True, "reasons": []})
        rig.reset()
        await world.until_committed()
    assert seen["intentstream_records_in_total", ()] == 51
    assert seen["intentstream_records_done_total", ()] == 51
    assert seen["intentstream_events_total", ("intent",)] == 50
    assert seen["intentstream_dead_letters_total", ("invalid_json",)] == 1
    assert seen["intentstream_dead_letters_total", ("too_long",)] == 0
    assert seen["intentstream_breaker_state", ("closed",)] == 1
    assert seen["intentstream_partitions_assigned", ()] == 6
    assert seen["intentstream_consuming", ()] == seen["intentstream_ready", ()] == 1
    assert seen["intentstream_commits_total", ()] >= 1
    assert seen["intentstream_end_to_end_seconds_count", ()] == 51
    for stage in ("decode", "model", "publish"):
        assert seen["intentstream_stage_seconds_count", (stage,)] >= 1
    assert seen["process_resident_memory_bytes", ()] > 1e7
    labels = {value for _, values in seen for value in values}
    assert not any("red hat" in label or "u1" in label for label in labels)


async def test_past_the_limits_of_dead_letters_reading_stops_until_a_restart(
    kafka: EmbeddedKafka, rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    world = await healthy_world(kafka, rig, "limits", dead_letters={"max_in_a_row": 50})
    names = world.settings.topic_names
    await world.produce(queries(30))
    async with world.enricher() as enricher:
        await world.until_committed()
        await world.produce([b"{not json"] * 2_000)
        await world.until(lambda: enricher.counters.read > 30)
        await world.until(lambda: enricher._source._holding)
        read = enricher.counters.read
        status, answer = await ask(enricher.health_url, "/readyz")
        assert status == 503
        assert any("reading has stopped" in reason for reason in answer["reasons"])
        assert (await ask(enricher.health_url, "/healthz"))[0] == 200
        enricher._source.consumer._coordinator.request_rejoin()
        await world.until(lambda: enricher._source.rebalances > 1)
        await world.until(lambda: enricher._pipeline.in_flight == 0)
        seen = await scrape(enricher.health_url)
        assert seen["intentstream_consuming", ()] == 0
        assert enricher.counters.read == read, "a rebalance does not set it going again"
    assert "`intentstream dead list` shows them" in caplog.text
    letters = await world.all_of(names.dead)
    assert 50 <= len(letters) < 500
    done = sum(offset or 0 for offset in (await world.committed(world.raw)).values())
    assert done == 30 + len(letters), "what was not dead-lettered is still to be read"
    world.settings = load_settings(
        None, **world.settings.model_dump() | {"dead_letters": {"stop": False}}
    )
    async with world.enricher():
        await world.until_committed()
    assert len(await world.all_of(names.dead)) == 2_000
    assert not lost(await world.events(), 30)


async def test_in_the_embedded_stack_a_file_of_malformed_lines_is_worked_off(
    kafka: EmbeddedKafka, rig: Rig
) -> None:
    limits = {"max_in_a_row": 50, "min_records": 50}
    world = await healthy_world(kafka, rig, "bad-file", environment="embedded", dead_letters=limits)
    await world.produce([b"{not json"] * 500)
    async with world.enricher() as enricher:
        await world.until_committed()
        await world.until(lambda: not enricher.unready())
    assert len(await world.all_of(world.settings.topic_names.dead)) == 500


async def test_a_partition_that_stands_still_turns_health_red_and_shows_where(
    kafka: EmbeddedKafka,
    rig: Rig,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """CASES 21: one partition stalls in silence; the group is stable, and others go on."""
    monkeypatch.setattr("workers.enrichment.enricher.WATCH_EVERY_S", 0.3)
    world = await healthy_world(kafka, rig, "stalled", health={"stall_s": 2})
    async with world.enricher() as enricher:
        await world.produce(queries(20))
        await world.until_committed()
        silent = TopicPartition(world.raw, 0)
        enricher._source.consumer.pause(silent)
        await world.produce(queries(60, first=20, users=20))
        await world.until(lambda: bool(enricher.unhealthy()))
        assert [*enricher._stats.watchdog.stalled] == [silent]
        status, answer = await ask(enricher.health_url, "/healthz")
        assert status == 503
        assert "stalled.queries.raw[0] has not moved for" in answer["reasons"][0]
        seen = await scrape(enricher.health_url)
        assert seen["intentstream_partitions_stalled", ()] == 1
        assert seen["intentstream_lag_records", ("0", world.raw)] > 0
        assert seen["intentstream_lag_seconds", ("0", world.raw)] >= 2
        assert seen["intentstream_lag_records", ("1", world.raw)] == 0
        enricher._source.consumer.resume(silent)
        await world.until_committed()
        await world.until(lambda: not enricher.unhealthy())
        assert (await ask(enricher.health_url, "/healthz"))[0] == 200
    assert "stalled: stalled.queries.raw[0]" in caplog.text
    assert "RecordSource.next" in caplog.text
    assert "red hat" not in caplog.text
    assert not lost(await world.events(), 80)


async def test_a_personalizer_tells_how_it_is_and_what_it_did(
    kafka: EmbeddedKafka, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    async with personalizer_rig(kafka.bootstrap, valkey.url, tmp_path) as bench:
        user = bench.key.user("ann")
        await bench.feed([query(user=user)] * 3)
        await bench.feed_raw([(user.encode(), b"not json")])
        await bench.start_worker(HEALTH__ADDRESS=str(port))

        async def ready() -> bool:
            try:
                return (await ask(url, "/readyz"))[0] == 200
            except OSError:
                return False

        await bench.until(ready)

        async def done() -> bool:
            seen = await scrape(url)
            return seen["intentstream_records_done_total", ()] == 4

        await bench.until(done)
        seen = await scrape(url)
        assert (await ask(url, "/healthz"))[0] == 200
    assert seen["intentstream_dead_letters_total", ("invalid_json",)] == 1
    assert seen["intentstream_end_to_end_seconds_count", ()] == 4
    assert seen["intentstream_stage_seconds_count", ("publish",)] >= 1
    assert seen["intentstream_records_in_total", ()] == 4
