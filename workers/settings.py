"""All settings, from `INTENTSTREAM_…` environment variables and a `.env` file.

Nested names are joined by two underscores: `INTENTSTREAM_KAFKA__BOOTSTRAP_SERVERS`. What each
means stands beside it, and docs/settings.md is made from that.
"""

import difflib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
from dotenv import dotenv_values
from jmespath.exceptions import JMESPathError
from msgspec import Struct
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings import SettingsError as Unreadable

from streams.codec import RawFormat, RecordDecoder
from streams.events import RawQuery, UserAction
from streams.topics import TopicNames
from workers.errors import SettingsError
from workers.sections import (
    PREFIX,
    AuditSettings,
    DeadLetterSettings,
    HealthSettings,
    InputSettings,
    KafkaSettings,
    LimitSettings,
    ProfileSettings,
    PseudonymSettings,
    QueryInputSettings,
    RedisSettings,
    Section,
    TopicSettings,
    TritonSettings,
)

ENV_FILE = Path(".env")
DEVELOPMENT_KEY_ID = "dev"
MASK = "********"

StructT = TypeVar("StructT", bound=Struct)


@dataclass(frozen=True, slots=True)
class StartPosition:
    """Where to begin without a committed offset; `timestamp_ms` (Unix, ms) only for `time`."""

    at: Literal["earliest", "latest", "time"]
    timestamp_ms: int | None = None


def _parse_start(value: str) -> StartPosition:
    if value == "earliest":
        return StartPosition("earliest")
    if value == "latest":
        return StartPosition("latest")
    kind, _, instant = value.partition(":")
    try:
        if kind == "time":
            parsed = datetime.fromisoformat(instant)
            aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
            return StartPosition("time", int(aware.timestamp() * 1000))
    except ValueError:
        pass
    raise ValueError("use earliest, latest or time:<ISO 8601>, such as time:2026-05-01T00:00:00Z")


def _checked_start(value: str | None) -> str | None:
    if value is not None:
        _parse_start(value)
    return value


def _listed(value: object) -> object:
    """A list from `a,b` or from JSON."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    return json.loads(text) if text.startswith("[") else [p.strip() for p in text.split(",") if p]


class Settings(BaseSettings):
    """All that can be set. Values are fixed once loaded."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=ENV_FILE,
        env_ignore_empty=True,
        extra="ignore",  # `load_settings` refuses unknown names itself, with a suggestion
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Literal["production", "embedded"] = Field(
        default="production", description="`embedded` only inside `intentstream up`."
    )
    prefix: str = Field(
        default="",
        pattern=r"^(?:[A-Za-z0-9][A-Za-z0-9_-]{0,63})?$",
        description="In front of the names of all topics, groups and Redis keys.",
    )
    cluster: str = Field(
        default="main",
        min_length=1,
        max_length=100,
        description="Your name of the Kafka cluster. Event ids are derived from it: never change "
        "it for a running cluster.",
    )
    epoch: str = Field(
        default="1",
        min_length=1,
        max_length=100,
        description="Goes into event ids too. Change it when a topic is recreated or mirrored, "
        "for offsets then begin anew.",
    )
    start: Annotated[str | None, AfterValidator(_checked_start)] = Field(
        default=None,
        description="Where to begin without a committed offset: `earliest`, `latest` or "
        "`time:<ISO 8601>`. Unset: that is an error (in `intentstream up`: `earliest`).",
    )
    guarantee: Literal["at_least_once", "exactly_once"] = Field(
        default="at_least_once",
        description="What the enricher promises whoever reads its topics: docs/guarantees.md.",
    )
    on_outage: Literal["wait", "degrade"] = Field(
        default="wait",
        description="What to do while the model is away: `wait`, losing nothing, or answer by "
        "rules and mark that (docs/guarantees.md).",
    )
    degrade_after_s: float = Field(
        default=10.0,
        ge=0,
        description="With `degrade`: how long an outage is waited for first, in seconds.",
    )
    context_keys: Annotated[frozenset[str], NoDecode, BeforeValidator(_listed)] = Field(
        default=frozenset(),
        description="Keys of a query's `context` to publish, by comma; others go.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="How much the workers say."
    )
    kafka: KafkaSettings = KafkaSettings()
    topics: TopicSettings = TopicSettings()
    queries: QueryInputSettings = QueryInputSettings()
    actions: InputSettings = InputSettings()
    triton: TritonSettings = TritonSettings()
    redis: RedisSettings = RedisSettings()
    pseudonyms: PseudonymSettings = PseudonymSettings()
    limits: LimitSettings = LimitSettings()
    dead_letters: DeadLetterSettings = DeadLetterSettings()
    health: HealthSettings = HealthSettings()
    profile: ProfileSettings = ProfileSettings()
    audit: AuditSettings = AuditSettings()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self.query_decoder()
        self.action_decoder()
        keys = (self.pseudonyms.key_id, self.pseudonyms.previous_key_id)
        if self.environment != "embedded" and DEVELOPMENT_KEY_ID in keys:
            raise ValueError(
                f"pseudonym key {DEVELOPMENT_KEY_ID} is the development key of `intentstream up`; "
                "make your own with `openssl rand -hex 32` and another key id"
            )
        return self

    @property
    def topic_names(self) -> TopicNames:
        """The topics' names under the prefix, with yours where you named one."""
        return TopicNames(
            self.prefix, raw_override=self.topics.raw, actions_override=self.topics.actions
        )

    @property
    def namespace(self) -> str:
        """What group ids and Redis keys begin with."""
        return self.prefix or "intentstream"

    def group_id(self, role: str) -> str:
        """The consumer group of a role: `enricher`, `personalizer` and so on."""
        return f"{self.namespace}.{role}"

    @property
    def start_position(self) -> StartPosition | None:
        """Where to begin without a committed offset; None when that is an error."""
        if self.start is not None:
            return _parse_start(self.start)
        return StartPosition("earliest") if self.environment == "embedded" else None

    @property
    def stops_on_dead_letters(self) -> bool:
        """Whether the enricher stops past its limits of dead letters."""
        if self.dead_letters.stop is not None:
            return self.dead_letters.stop
        return self.environment != "embedded"

    @property
    def health_address(self) -> tuple[str, int] | None:
        """Host and port to answer on; in the embedded stack a free one for each worker."""
        found = self.health.host_and_port
        return (found[0], 0) if found and self.environment == "embedded" else found

    def query_decoder(self) -> RecordDecoder[RawQuery]:
        """Decodes the values of the raw queries' topic."""
        return _decoder(RawQuery, "queries", self.queries, self.limits)

    def action_decoder(self) -> RecordDecoder[UserAction]:
        """Decodes the values of the actions' topic."""
        return _decoder(UserAction, "actions", self.actions, self.limits)


def _decoder(
    struct: type[StructT], name: str, source: InputSettings, limits: LimitSettings
) -> RecordDecoder[StructT]:
    """The decoder of one input; raises `ValueError` for a mapping that cannot work."""
    variable = f"{PREFIX}{name.upper()}__FIELD_MAPPING"
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    unmapped = sorted(required - source.field_mapping.keys())
    if source.field_mapping and unmapped:
        raise ValueError(f"{variable} must map {', '.join(unmapped)} too")
    try:
        return RecordDecoder(
            struct,
            raw_format=getattr(source, "format", RawFormat.JSON),
            field_mapping=source.field_mapping,
            schema_registry_framing=source.schema_registry_framing,
            max_bytes=limits.max_value_bytes,
        )
    except JMESPathError as error:
        raise ValueError(f"{variable}: no JMESPath: {_one_line(error)}") from None
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def load_settings(env_file: Path | None = ENV_FILE, **overrides: Any) -> Settings:
    """The settings in force: `overrides`, then the environment, then `env_file`, then defaults.

    Raises `SettingsError` that names each wrong variable and what is allowed; never its value.
    """
    present = dict(os.environ)
    if env_file is not None and env_file.is_file():
        present |= {name: value or "" for name, value in dotenv_values(env_file).items()}
    _refuse_unknown(present)
    try:
        return Settings(_env_file=env_file, **overrides)  # type: ignore[call-arg]  # untyped upstream
    except ValidationError as error:
        lines = [_explained(problem) for problem in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines), _SEE) from None
    except Unreadable as error:  # a mapping that is not JSON; the error names its section only
        names = _unreadable(present) or [str(error)]
        lines = [f"{name}: write it as JSON, such as {_MAPPING_EXAMPLE}" for name in names]
        raise SettingsError("\n".join(lines), _SEE) from None


OTHER_VARIABLES = frozenset(
    {
        "INTENTSTREAM_HOME",  # where the embedded stack is installed
        "INTENTSTREAM_DATA",  # where the training data are
    }
)
"""Variables of the prefix that are no setting of a worker."""

_MAPPING_EXAMPLE = '{"text": "payload.q"}'

_SEE = "docs/settings.md lists all settings; `intentstream config` shows those in force."


def _explained(problem: ErrorDetails) -> str:
    place = "__".join(str(part) for part in problem["loc"]).upper()
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "string_pattern_mismatch":  # a regular expression alone helps few
        message += "".join(
            f". {field.description}"
            for name, _, field in variables()
            if name == f"{PREFIX}{place}" and field.description
        )
    return f"{PREFIX}{place}: {message}" if place else message


def _unreadable(present: Mapping[str, str]) -> list[str]:
    """The variables that must hold JSON and do not."""
    names = []
    for name, value in present.items():
        if name.upper().startswith(PREFIX) and name.upper().endswith("FIELD_MAPPING") and value:
            try:
                json.loads(value)
            except ValueError:
                names.append(name)
    return names


def _refuse_unknown(present: Mapping[str, str]) -> None:
    """A misspelt variable would otherwise be ignored, and the default be used in silence."""
    known = {variable for variable, _, _ in variables()}
    mappings = tuple(f"{name}__" for name in known if name.endswith("FIELD_MAPPING"))
    problems = []
    for name in sorted(present):
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in known | OTHER_VARIABLES:
            continue
        if upper.startswith(mappings):
            continue
        near = difflib.get_close_matches(upper, known, n=1)
        problems.append(f"{name} is no setting" + (f"; did you mean {near[0]}?" if near else ""))
    if problems:
        raise SettingsError("\n".join(problems), _SEE)


def variables(
    model: type[BaseSettings | Section] | None = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    """Each setting's environment variable, its path in `Settings` and its pydantic field."""
    for name, field in (model or Settings).model_fields.items():
        here = (*path, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from variables(field.annotation, here)
        else:
            yield PREFIX + "__".join(here).upper(), here, field


def value_at(settings: Settings, path: tuple[str, ...]) -> Any:
    """The value of one setting, by its path."""
    value: Any = settings
    for name in path:
        value = getattr(value, name)
    return value


_SHAPES_EVENTS = frozenset(
    {
        ("prefix",),
        ("cluster",),
        ("epoch",),
        ("context_keys",),
        ("topics", "raw"),
        ("topics", "actions"),
        ("queries", "format"),
        ("queries", "field_mapping"),
        ("queries", "schema_registry_framing"),
        ("actions", "field_mapping"),
        ("actions", "schema_registry_framing"),
        ("triton", "model_name"),
        ("pseudonyms", "key_id"),
        ("limits", "max_text_chars"),
        ("limits", "max_value_bytes"),
        ("dead_letters", "max_rounds"),
    }
)
"""What can change the value of an event the enricher publishes, or whether there is one.

The profile's settings are not here: they change profiles, and no enriched event. Neither is the
model's version: the event carries its digest.
"""


def event_settings(settings: Settings) -> dict[str, Any]:
    """The settings that shape events, by their dotted name; no secret and no address among them."""
    return {
        ".".join(path): value_at(settings, path)
        for _, path, _ in variables()
        if path in _SHAPES_EVENTS
    }


def settings_digest(settings: Settings) -> str:
    """16 hex digits that are equal when settings make equal events of equal records.

    No secret and no address goes in. BLAKE2b over sorted JSON.
    """
    text = json.dumps(event_settings(settings), sort_keys=True, default=sorted)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def effective(settings: Settings) -> dict[str, Any]:
    """The settings in force as nested plain values, fit for JSON; secrets are masked."""
    shown: dict[str, Any] = {}
    for _, path, _ in variables():
        section = shown
        for name in path[:-1]:
            section = section.setdefault(name, {})
        section[path[-1]] = _shown(value_at(settings, path))
    return shown


def _shown(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return _without_password(value.get_secret_value())
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, Path) else value


def _without_password(secret: str) -> str:
    """A secret is masked whole; of a URL only the password, for the rest is what one looks for."""
    parts = urlsplit(secret)
    if not parts.scheme or not (parts.netloc or parts.path):
        return MASK
    userinfo, at, host = parts.netloc.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    shown = f"{user}{colon}{MASK if colon else ''}{at}{host}"
    # a password may stand in the query too, as redis-py allows
    query = MASK if "password" in parts.query.lower() else parts.query
    return urlunsplit((parts.scheme, shown, parts.path, query, ""))
