"""The containers, as far as they can be checked without an engine.

The compose file against the specification; its Kafka and Redis settings on real servers; its
variables against the settings; its Triton against the model repository; the Dockerfile's sources.
"""

import ast
import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # one call of it is not worth its stubs
from compose_spec import PyCompose
from prometheus_client import CollectorRegistry
from typer.main import get_command

from workers.cli import app
from workers.embedded.kafka import EmbeddedKafka
from workers.embedded.ports import free_ports
from workers.embedded.triton import EmbeddedTriton
from workers.embedded.valkey import EmbeddedValkey
from workers.health import HealthServer
from workers.kafka import advertised
from workers.sections import PREFIX, HealthSettings, KafkaSettings
from workers.settings import load_settings, variables

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "model_repository"
SECRET = "00112233445566778899aabbccddeeff"
WORKERS = ("topics", "enricher", "personalizer")
TRITONS = ("triton-cpu", "triton-gpu")
TRITON_PYTHON = (3, 12)


def interpolated(text: str, environment: dict[str, str]) -> str:
    """The text with `${NAME}`, `${NAME:-default}` and `${NAME:?message}` filled in."""

    def value(match: re.Match[str]) -> str:
        name, operator, word = match[1], match[2], match[3]
        if environment.get(name):
            return environment[name]
        if operator == ":?":
            raise ValueError(word)
        return word or ""

    return re.sub(r"\$\{(\w+)(?:(:[-?])([^}]*))?\}", value, text)


def compose(**environment: str) -> dict[str, Any]:
    given = {"INTENTSTREAM_PSEUDONYMS__SECRET": SECRET} | environment
    loaded: dict[str, Any] = yaml.safe_load(
        interpolated((ROOT / "docker-compose.yml").read_text(), given)
    )
    return loaded


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = compose()["services"]
    return found


def test_the_file_follows_the_specification() -> None:
    checked = PyCompose.from_json(json.dumps(compose()))
    assert set(checked.service_names()) == {"kafka", "redis", *TRITONS, *WORKERS}


def test_without_a_pseudonym_key_it_does_not_start() -> None:
    with pytest.raises(ValueError, match="openssl rand -hex 32"):
        compose(INTENTSTREAM_PSEUDONYMS__SECRET="")


def test_every_image_has_a_version(services: dict[str, Any]) -> None:
    for service in services.values():
        assert "build" in service or re.search(r":\d+\.\d+", service["image"])
    images = re.findall(r"^ARG \w+_IMAGE=(\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+", image) for image in images)


def test_what_is_waited_for_can_be_waited_for(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, wait in service.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert services[name]["healthcheck"]["test"]
            else:
                assert wait["condition"] == "service_completed_successfully"
                assert services[name]["restart"] == "no"
            # a service that a profile may switch off must not be required
            assert wait.get("required", True) is ("profiles" not in services[name])


def test_only_this_machine_reaches_the_ports(services: dict[str, Any]) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("name", WORKERS)
def test_a_workers_variables_are_settings(
    services: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, _, _ in variables():
        monkeypatch.delenv(variable, raising=False)
    environment = services[name]["environment"]
    assert all(variable.startswith(PREFIX) for variable in environment)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings(None)
    assert settings.start_position is not None
    assert settings.pseudonyms.pseudonymiser().user("u").startswith("k1.")
    assert settings.triton.address == "triton:8001"
    for triton in TRITONS:
        assert services[triton]["networks"]["default"]["aliases"] == ["triton"]


@pytest.mark.parametrize("name", WORKERS)
def test_a_workers_command_exists(services: dict[str, Any], name: str) -> None:
    command: Any = get_command(app)
    for word in services[name]["command"]:
        command = command.commands[word]
    assert command.callback is not None


def test_workers_can_do_no_more_than_they_must(services: dict[str, Any]) -> None:
    for name in WORKERS:
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
    worker = _stages()["worker"]
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", worker, re.MULTILINE)


@pytest.mark.parametrize("name", ["enricher", "personalizer"])
async def test_its_health_check_asks_what_the_worker_serves(
    services: dict[str, Any], name: str
) -> None:
    """The check itself, run against the same server on a port of this machine."""

    class Worker:
        reasons: list[str] = []  # noqa: RUF012 (one worker, one list)

        def unhealthy(self) -> list[str]:
            return []

        def unready(self) -> list[str]:
            return self.reasons

    kind, program, option, script = services[name]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    address = services[name]["environment"]["INTENTSTREAM_HEALTH__ADDRESS"]
    port = str(HealthSettings(address=address).host_and_port[1])  # type: ignore[index]  # it is set
    assert script.count(port) == 1

    async def check(at: str) -> int | None:
        mended = script.replace(port, at)
        check = await asyncio.create_subprocess_exec(sys.executable, "-c", mended)
        return await asyncio.wait_for(check.wait(), 20)

    worker = Worker()
    async with HealthServer(("127.0.0.1", 0), worker, CollectorRegistry()) as server:
        at = server.url.rpartition(":")[2]
        assert await check(at) == 0
        worker.reasons.append("the model does not answer")
        assert await check(at) == 1
    assert await check(at) == 1, "nobody answers"


# --- Kafka: the same settings on a real broker


def _listeners(value: str) -> dict[str, str]:
    return dict(listener.split("://", 1) for listener in value.split(","))


def test_each_side_is_sent_to_an_address_that_it_reaches(services: dict[str, Any]) -> None:
    """CASES 23: a container that bootstraps must not be sent to its own localhost."""
    told = _listeners(services["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"])
    for name in WORKERS:
        address = services[name]["environment"]["INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS"]
        assert address == told["INTERNAL"]
        assert address.split(":")[0] in services
    (published,) = services["kafka"]["ports"]
    _, host_port, container_port = published.split(":")
    assert told["EXTERNAL"] == f"localhost:{host_port}"
    listening = _listeners(services["kafka"]["environment"]["KAFKA_LISTENERS"])
    assert listening["EXTERNAL"] == f":{container_port}"


def test_another_port_is_advertised_too() -> None:
    kafka = compose(KAFKA_PORT="19999")["services"]["kafka"]
    assert kafka["ports"] == ["127.0.0.1:19999:9092"]
    assert "localhost:19999" in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"]


async def test_its_settings_start_a_real_kafka_with_both_listeners(
    services: dict[str, Any], tmp_path: Path
) -> None:
    """The image turns KAFKA_A_B into a.b; only hosts, ports and the data folder are ours here."""
    given = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in services["kafka"]["environment"].items()
    }
    internal, external, controller = free_ports(3)
    ports = {"INTERNAL": internal, "EXTERNAL": external, "CONTROLLER": controller}
    for name in ("listeners", "advertised.listeners"):
        given[name] = ",".join(
            f"{listener}://127.0.0.1:{ports[listener]}" for listener in _listeners(given[name])
        )
    # the embedded broker forms its quorum by itself, and keeps its data in its own folder
    for name in ("controller.quorum.voters", "log.dirs"):
        del given[name]
    given["controller.quorum.bootstrap.servers"] = f"127.0.0.1:{controller}"
    async with EmbeddedKafka(tmp_path, port=internal, settings=given):
        for port in (internal, external):
            address = f"127.0.0.1:{port}"
            assert await advertised(KafkaSettings(bootstrap_servers=address)) == [address]


async def test_its_options_start_a_real_valkey(services: dict[str, Any], tmp_path: Path) -> None:
    program, *options = services["redis"]["command"]
    assert program == "redis-server"
    pairs = {
        name.removeprefix("--"): value
        for name, value in zip(options[::2], options[1::2], strict=True)
    }
    assert pairs["maxmemory-policy"] == "noeviction"
    async with EmbeddedValkey(tmp_path, options=pairs):
        pass


# --- Triton: the flags against the repository


def _flags(command: list[str]) -> set[str]:
    return set(command[1:])


def test_the_cpu_container_serves_as_the_embedded_server_does(services: dict[str, Any]) -> None:
    server = EmbeddedTriton(Path("run"), MODELS)
    embedded = {
        flag
        for flag in server._command(Path("links"), "prefix")[1:]
        # where it listens and where its parts lie: a matter of the container
        if not re.match(r"--(http|grpc|metrics|model-repository|backend|cache)-?", flag)
    }
    assert _flags(services["triton-cpu"]["command"]) - {"--model-repository=/models"} == embedded


@pytest.mark.parametrize("name", TRITONS)
def test_what_is_loaded_is_in_the_repository(services: dict[str, Any], name: str) -> None:
    flags = _flags(services[name]["command"])
    loaded = {flag.split("=")[1] for flag in flags if flag.startswith("--load-model=")}
    assert "query_understanding" in loaded
    for model in loaded:
        assert (MODELS / model / "config.pbtxt").is_file()
        assert list((MODELS / model).glob("[1-9]*/model.*"))
    if "--model-config-name=cpu" in flags:
        assert (MODELS / "query_understanding" / "configs" / "cpu.pbtxt").is_file()
    else:
        # the front calls the encoders by name, so all of them must be loaded beside it
        encoders = {path.parent.name for path in MODELS.glob("encoder_*/config.pbtxt")}
        assert loaded == {"query_understanding", *encoders}
    assert services[name]["volumes"] == ["./model_repository:/models:ro"]
    assert services[name]["shm_size"] == "1gb"


def test_the_models_python_is_understood_by_both_pythons() -> None:
    """The container's Python is checked by its build; the embedded server's is 3.11."""
    sources = list(MODELS.rglob("*.py"))
    assert any(source.name == "model.py" for source in sources)
    oldest = min(TRITON_PYTHON, (3, 11), sys.version_info[:2])
    for source in sources:
        ast.parse(source.read_text(), str(source), feature_version=oldest)


def test_the_models_imports_are_in_the_container() -> None:
    installed = {"numpy", "onnxruntime", "tokenizers", "triton_python_backend_utils"}
    own = {source.stem for source in MODELS.rglob("*.py")}
    known = installed | own | set(sys.stdlib_module_names)
    for source in MODELS.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= known, source


# --- the Dockerfile


def _stages() -> dict[str, str]:
    """The text of each stage, by its name."""
    text = (ROOT / "Dockerfile").read_text()
    pieces = re.split(r"^FROM \S+ AS (\w+)$", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def _copied() -> Iterator[str]:
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from=" not in line:
            yield from line.split()[1:-1]


def test_the_targets_that_compose_builds_exist(services: dict[str, Any]) -> None:
    targets = {service["build"]["target"] for service in services.values() if "build" in service}
    assert targets <= _stages().keys()


def test_what_is_copied_exists_and_is_sent_to_the_engine() -> None:
    ignored, *rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert ignored == "*", "all is left out but what is named"
    sent = [rule.removeprefix("!").removesuffix("/**") for rule in rules if rule.startswith("!")]
    copied = [source.rstrip("/") for source in _copied()]
    for source in copied:
        assert (ROOT / source).exists()
    assert sorted(sent) == sorted(copied)
    assert not [name for name in (".env", ".git", ".venv") if name in sent]


def test_the_worker_image_has_all_that_its_package_needs() -> None:
    """A wheel of what is copied must import; training and models are not in the image."""
    copied = {source.rstrip("/") for source in _copied()}
    for source in [*ROOT.glob("streams/**/*.py"), *ROOT.glob("workers/**/*.py")]:
        for node in ast.parse(source.read_text()).body:  # what runs on import
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                top = node.module.split(".")[0]
                assert top not in {"training", "model_repository", "tests"} - copied, source


def test_triton_gets_the_versions_that_are_tested() -> None:
    pinned = dict(re.findall(r"(\w+)==([\d.]+)", _stages()["triton"]))
    lock = (ROOT / "workers" / "embedded" / "triton.lock").read_text()
    assert pinned.keys() == {"numpy", "onnxruntime", "tokenizers"}
    for name, version in pinned.items():
        assert re.search(rf"^{name}=={re.escape(version)} ", lock, re.MULTILINE), name
    assert f"== {TRITON_PYTHON}" in _stages()["triton"]
