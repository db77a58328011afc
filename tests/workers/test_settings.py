"""Settings: where they come from, what is refused and how it is said, the digest, the page."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from streams.pseudonyms import is_pseudonym
from workers.errors import SettingsError
from workers.sections import PREFIX
from workers.settings import (
    MASK,
    Settings,
    StartPosition,
    effective,
    load_settings,
    settings_digest,
    value_at,
    variables,
)
from workers.settings_page import render

SECRET = "00112233445566778899aabbccddeeff"
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, _, _ in variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **variables_: str) -> Settings:
    for name, value in variables_.items():
        monkeypatch.setenv(PREFIX + name, value)
    return load_settings()


def test_defaults_need_no_environment() -> None:
    settings = load_settings()
    assert settings.kafka.bootstrap_servers == "localhost:9092"
    assert settings.topic_names.raw == "queries.raw"
    assert settings.group_id("enricher") == "intentstream.enricher"
    assert settings.start_position is None


def test_environment_over_file_over_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(
        "INTENTSTREAM_CLUSTER=from-file\nINTENTSTREAM_EPOCH=7\nPATH_OF_OTHERS=1\n"
    )
    settings = load(monkeypatch, CLUSTER="from-environment")
    assert (settings.cluster, settings.epoch) == ("from-environment", "7")
    assert load_settings(cluster="given").cluster == "given"


def test_overrides_join_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTENTSTREAM_KAFKA__CLIENT_ID", "mine")
    settings = load_settings(kafka={"bootstrap_servers": "broker:9092"})
    assert settings.kafka.client_id == "mine"
    assert settings.kafka.bootstrap_servers == "broker:9092"


def test_one_prefix_for_topics_groups_and_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, PREFIX="staging")
    assert settings.topic_names.intents == "staging.queries.intents"
    assert settings.group_id("personalizer") == "staging.personalizer"
    assert settings.namespace == "staging"


def test_a_shops_own_topic_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        TOPICS__RAW="shop.search-log",
        QUERIES__FIELD_MAPPING='{"text": "payload.q", "user_id": "customer.id"}',
    )
    assert settings.topic_names.raw == "shop.search-log"
    value = b'{"payload": {"q": "red shoes"}, "customer": {"id": 7}}'
    query = settings.query_decoder().decode(value)
    assert (query.text, query.user_id) == ("red shoes", 7)


@pytest.mark.parametrize("text", ["a,b", " a , b ", '["a", "b"]'])
def test_lists_by_comma_or_json(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    assert load(monkeypatch, CONTEXT_KEYS=text).context_keys == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("earliest", StartPosition("earliest")),
        ("latest", StartPosition("latest")),
        ("time:1970-01-01T00:01:00Z", StartPosition("time", 60_000)),
        ("time:1970-01-01T01:00:00+01:00", StartPosition("time", 0)),
        ("time:1970-01-02", StartPosition("time", 86_400_000)),
    ],
)
def test_start(monkeypatch: pytest.MonkeyPatch, text: str, expected: StartPosition) -> None:
    assert load(monkeypatch, START=text).start_position == expected


def test_only_the_embedded_stack_has_a_default_start(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, ENVIRONMENT="embedded").start_position == StartPosition("earliest")


REFUSED = [
    ({"KAFKA_CLIENT_ID": "x"}, "did you mean INTENTSTREAM_KAFKA__CLIENT_ID?"),
    ({"KAFKA__SECURITY_PROTOCOL": "TLS"}, "KAFKA__SECURITY_PROTOCOL: Input should be 'PLAINTEXT'"),
    ({"KAFKA__SECURITY_PROTOCOL": "SASL_SSL"}, "needs sasl_username and sasl_password"),
    ({"KAFKA__SSL_CERTFILE": "c.pem"}, "set both or neither"),
    ({"KAFKA__SESSION_TIMEOUT_MS": "3000"}, "at most a third of session_timeout_ms"),
    ({"TRITON__TIMEOUT_S": "1"}, "INTENTSTREAM_TRITON__TIMEOUT_S: Input should be greater"),
    ({"TRITON__MAX_BATCH_ROWS": "513"}, "less than or equal to 512"),
    ({"REDIS__URL": "http://cache"}, "redis://, rediss:// or unix://"),
    ({"REDIS__SSL_CAFILE": "ca.pem"}, "TLS would be off"),
    ({"START": "yesterday"}, "use earliest, latest or time:<ISO 8601>"),
    ({"START": "time:soon"}, "use earliest, latest or time:<ISO 8601>"),
    ({"ON_OUTAGE": "skip"}, "INTENTSTREAM_ON_OUTAGE"),
    ({"PREFIX": "two words"}, "In front of the names of all topics"),
    ({"QUERIES__FIELD_MAPPING": "text=q"}, "INTENTSTREAM_QUERIES__FIELD_MAPPING: write it as JSON"),
    (
        {"QUERIES__FIELD_MAPPING": '{"txt": "q"}'},
        "INTENTSTREAM_QUERIES__FIELD_MAPPING must map text",
    ),
    ({"QUERIES__FIELD_MAPPING": '{"text": "q", "txt": "q"}'}, "which RawQuery does not have"),
    ({"QUERIES__FIELD_MAPPING": '{"text": "a..b"}'}, "QUERIES__FIELD_MAPPING: no JMESPath"),
    ({"QUERIES__FIELD_MAPPING": '{"text": "q"}', "QUERIES__FORMAT": "text"}, "unset one of them"),
    ({"ACTIONS__FIELD_MAPPING": '{"action": "a"}'}, "must map product, user_id too"),
    ({"CONTEXT_KEYS": "[1"}, "INTENTSTREAM_CONTEXT_KEYS"),
    ({"PSEUDONYMS__SECRET": "00ff"}, "at least 16"),
    ({"PSEUDONYMS__SECRET": "pass phrase!"}, "hex or base64"),
    ({"PSEUDONYMS__PREVIOUS_KEY_ID": "k0"}, "go together"),
    ({"PSEUDONYMS__KEY_ID": "dev"}, "development key"),
]


@pytest.mark.parametrize(("given", "message"), REFUSED)
def test_a_wrong_setting_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, **given)
    assert message in str(caught.value)
    assert "docs/settings.md" in caught.value.hint


def test_an_error_never_shows_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, PSEUDONYMS__SECRET="hunter2hunter2!", REDIS__URL="ftp://:hunter2@host")
    assert "hunter2" not in str(caught.value)


def test_a_misspelt_name_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("INTENTSTREAM_REDIS_URL=redis://cache\n")
    with pytest.raises(SettingsError, match="did you mean INTENTSTREAM_REDIS__URL"):
        load_settings()


@pytest.mark.parametrize(
    "text",
    [SECRET, SECRET.upper(), *(f(bytes.fromhex(SECRET)).decode() for f in (base64.b64encode,))],
)
def test_the_key_is_read_from_hex_or_base64(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    expected = load_settings(pseudonyms={"secret": SECRET}).pseudonyms.pseudonymiser().user("u")
    made = load(monkeypatch, PSEUDONYMS__SECRET=text).pseudonyms.pseudonymiser().user("u")
    assert made == expected
    assert is_pseudonym(made)


def test_without_a_key_there_are_no_pseudonyms() -> None:
    with pytest.raises(SettingsError, match="INTENTSTREAM_PSEUDONYMS__SECRET is not set"):
        load_settings().pseudonyms.pseudonymiser()


def test_the_development_key_works_inside_the_embedded_stack() -> None:
    settings = load_settings(environment="embedded", pseudonyms={"key_id": "dev", "secret": SECRET})
    assert settings.pseudonyms.pseudonymiser().user("u").startswith("dev.")


def test_effective_settings_mask_every_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        REDIS__URL="rediss://worker:hunter2@cache:6380/1",
        REDIS__PASSWORD="hunter2",
        KAFKA__SASL_PASSWORD="hunter2",
        PSEUDONYMS__SECRET=SECRET,
    )
    shown = effective(settings)
    text = json.dumps(shown)
    assert "hunter2" not in text
    assert SECRET not in text
    assert shown["redis"]["url"] == f"rediss://worker:{MASK}@cache:6380/1"
    assert shown["kafka"]["sasl_password"] == MASK
    assert shown["profile"]["action_weights"]["purchase"] == 8.0


def test_a_password_in_a_urls_query_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, REDIS__URL="redis://cache/0?password=hunter2")
    assert "hunter2" not in json.dumps(effective(settings))


CHANGED: dict[tuple[str, ...], Any] = {
    ("prefix",): "p",
    ("cluster",): "c",
    ("epoch",): "2",
    ("context_keys",): "page",
    ("topics", "raw"): "t",
    ("topics", "actions"): "t",
    ("queries", "format"): "text",
    ("queries", "field_mapping"): '{"text": "q"}',
    ("queries", "schema_registry_framing"): "true",
    ("actions", "field_mapping"): '{"user_id": "u", "action": "a", "product": "p"}',
    ("actions", "schema_registry_framing"): "true",
    ("triton", "model_name"): "m",
    ("pseudonyms", "key_id"): "k9",
    ("limits", "max_text_chars"): "9",
    ("limits", "max_value_bytes"): "99",
}
UNCHANGED: dict[tuple[str, ...], str] = {
    ("environment",): "embedded",
    ("start",): "latest",
    ("log_level",): "DEBUG",
    ("kafka", "bootstrap_servers"): "elsewhere:9092",
    ("triton", "address"): "elsewhere:8001",
    ("triton", "max_batch_rows"): "7",
    ("triton", "batches_in_flight"): "1",
    ("redis", "url"): "redis://elsewhere",
    ("pseudonyms", "secret"): SECRET,
    ("topics", "partitions"): "9",
    ("profile", "top_k"): "3",
}


@pytest.mark.parametrize(
    ("path", "value", "changes"),
    [*((p, v, True) for p, v in CHANGED.items()), *((p, v, False) for p, v in UNCHANGED.items())],
)
def test_the_digest_changes_with_what_shapes_events_only(
    monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], value: str, *, changes: bool
) -> None:
    before = load_settings()
    after = load(monkeypatch, **{"__".join(path).upper(): value})
    assert value_at(after, path) != value_at(before, path)
    assert (settings_digest(after) != settings_digest(before)) is changes


def test_the_digest_does_not_depend_on_order() -> None:
    one = load_settings(
        context_keys="a,b,c,d,e", queries={"field_mapping": {"text": "q", "locale": "l"}}
    )
    two = load_settings(
        context_keys="e,d,c,b,a", queries={"field_mapping": {"locale": "l", "text": "q"}}
    )
    assert settings_digest(one) == settings_digest(two)


def test_the_folder_of_the_embedded_stack_is_no_misspelt_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load(monkeypatch, HOME="/somewhere").cluster == "main"


def test_every_setting_is_described() -> None:
    assert [variable for variable, _, field in variables() if not field.description] == []


def test_the_page_is_the_one_that_is_committed() -> None:
    page = (ROOT / "docs" / "settings.md").read_text()
    assert page == render(), "run: intentstream config --markdown > docs/settings.md"
