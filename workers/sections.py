"""The parts of the settings: one class for each thing that is connected to or tuned.

The description of each field becomes its line in docs/settings.md.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from streams.codec import RawFormat
from streams.pseudonyms import Pseudonymiser, PseudonymKey
from streams.redrive import MAX_ROUNDS, RedriveSigner
from workers.errors import SettingsError

PREFIX = "INTENTSTREAM_"


class Section(BaseModel):
    """A part of the settings: unknown names are refused, values are fixed once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class KafkaSettings(Section):
    """Where Kafka is, and how to get in."""

    bootstrap_servers: str = Field(
        default="localhost:9092",
        min_length=1,
        description="Brokers to start from, `host:port`, by comma.",
    )
    client_id: str = Field(
        default="intentstream", description="The name in the broker's logs and quotas."
    )
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="As in Kafka's own clients."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="Used when the protocol begins with SASL."
    )
    sasl_username: str | None = Field(default=None, description="The principal's name.")
    sasl_password: SecretStr | None = Field(default=None, description="The principal's password.")
    ssl_cafile: Path | None = Field(
        default=None, description="PEM file of the authorities to trust; the system's when unset."
    )
    ssl_certfile: Path | None = Field(default=None, description="PEM certificate for mutual TLS.")
    ssl_keyfile: Path | None = Field(default=None, description="PEM key of that certificate.")
    ssl_keyfile_password: SecretStr | None = Field(
        default=None, description="Password of the key file."
    )
    ssl_check_hostname: bool = Field(
        default=True, description="Refuse a broker whose certificate names another host."
    )
    request_timeout_ms: int = Field(
        default=40_000, ge=1_000, description="How long one request may take, in milliseconds."
    )
    session_timeout_ms: int = Field(
        default=15_000, ge=1_000, description="A worker silent for this long loses its partitions."
    )
    heartbeat_interval_ms: int = Field(
        default=3_000, ge=100, description="How often a worker says that it lives."
    )
    max_poll_interval_ms: int = Field(
        default=300_000, ge=10_000, description="Longest time between two polls of one worker."
    )
    group_instance_id: str | None = Field(
        default=None,
        min_length=1,
        description="Static membership: a name that a worker keeps over restarts, so that a "
        "restart moves no partitions. Differs from worker to worker.",
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="zstd",
        description="Of what is published. `zstd` makes it a quarter smaller than `lz4`, which "
        "aiokafka knows only at its slowest level.",
    )
    linger_ms: int = Field(
        default=5, ge=0, le=1_000, description="How long to collect records before a send."
    )
    transaction_interval_ms: int = Field(
        default=200,
        ge=100,
        le=10_000,
        description="With `exactly_once`: how long a transaction is open. What is in it is seen when "
        "it ends.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.security_protocol.startswith("SASL") and not (
            self.sasl_username and self.sasl_password
        ):
            raise ValueError(
                f"security_protocol {self.security_protocol} needs sasl_username and sasl_password"
            )
        if bool(self.ssl_certfile) != bool(self.ssl_keyfile):
            raise ValueError("ssl_certfile and ssl_keyfile go together: set both or neither")
        if self.heartbeat_interval_ms * 3 > self.session_timeout_ms:
            raise ValueError("heartbeat_interval_ms must be at most a third of session_timeout_ms")
        return self


class TopicSettings(Section):
    """How `intentstream topics apply` makes the topics."""

    partitions: int = Field(
        default=4,
        ge=1,
        le=10_000,
        description="Partitions of each topic: the most workers that can share.",
    )
    replication_factor: int = Field(
        default=-1,
        ge=-1,
        le=32_767,
        description="Copies of each partition; -1 leaves it to the broker.",
    )
    min_insync_replicas: int | None = Field(
        default=None,
        ge=1,
        description="Copies that must have a record before it counts as written.",
    )
    raw: str | None = Field(
        default=None,
        min_length=1,
        description="A topic of yours to read queries from, instead of `queries.raw`. It is "
        "never created or changed.",
    )
    actions: str | None = Field(
        default=None, min_length=1, description="Likewise, instead of `users.actions`."
    )


class InputSettings(Section):
    """How the values of `users.actions` are written."""

    field_mapping: dict[str, str] = Field(
        default_factory=dict,
        description='For JSON of another shape: our field to a JMESPath, `{"text": "payload.q"}`. '
        "Unmapped fields stay empty.",
    )
    schema_registry_framing: bool = Field(
        default=False,
        description="Values start with a zero byte and a 4-byte schema id: strip them.",
    )


class QueryInputSettings(InputSettings):
    """How the values of `queries.raw` are written."""

    format: RawFormat = Field(
        default=RawFormat.JSON, description="`json`, or `text`: the whole value is the query."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.format is RawFormat.TEXT and self.field_mapping:
            raise ValueError("a field_mapping is for JSON, and format is text: unset one of them")
        return self


class RedisSettings(Section):
    """Where the profiles are kept."""

    url: SecretStr = Field(
        default=SecretStr("redis://localhost:6379/0"),
        description="`redis://`, `rediss://` (TLS) or `unix://`; user and password may be in it.",
    )
    username: str | None = Field(default=None, description="ACL user, when it is not in the URL.")
    password: SecretStr | None = Field(
        default=None, description="Password, when it is not in the URL."
    )
    ssl_cafile: Path | None = Field(
        default=None, description="PEM file of the authorities to trust."
    )
    ssl_certfile: Path | None = Field(default=None, description="PEM certificate for mutual TLS.")
    ssl_keyfile: Path | None = Field(default=None, description="PEM key of that certificate.")
    ssl_check_hostname: bool = Field(
        default=True, description="Refuse a server whose certificate names another host."
    )
    timeout_s: float = Field(
        default=5.0, gt=0, description="How long a command may take, in seconds."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        scheme = urlsplit(self.url.get_secret_value()).scheme
        if scheme not in ("redis", "rediss", "unix"):
            raise ValueError("url must begin with redis://, rediss:// or unix://")
        if scheme != "rediss" and (self.ssl_cafile or self.ssl_certfile):
            raise ValueError("certificates are set, but url is not rediss://: TLS would be off")
        return self


class TritonSettings(Section):
    """Where the model is served, and how it is called."""

    address: str = Field(default="localhost:8001", description="gRPC endpoint, `host:port`.")
    model_name: str = Field(
        default="query_understanding", min_length=1, description="The model to call."
    )
    model_version: str = Field(
        default="",
        pattern=r"^[0-9]*$",
        description="The version to call; the served one when empty.",
    )
    repository: Path = Field(
        default=Path("model_repository"),
        description="The folder that Triton serves models from, for `intentstream model` and "
        "`replay --model-version`.",
    )
    archive: str = Field(
        default="model-archive",
        min_length=1,
        description="Where every version that was ever served is kept by its digest: a folder, or "
        "an `fsspec` URL such as s3://bucket/models.",
    )
    tls: bool = Field(default=False, description="Speak TLS.")
    tls_cafile: Path | None = Field(
        default=None, description="PEM file of the authorities to trust."
    )
    tls_certfile: Path | None = Field(default=None, description="PEM certificate for mutual TLS.")
    tls_keyfile: Path | None = Field(default=None, description="PEM key of that certificate.")
    timeout_s: float = Field(
        default=30.0,
        ge=10,
        description="How long a call may take. A storm of short ones crashes Triton.",
    )
    max_batch_rows: int = Field(
        default=256,
        ge=1,
        le=512,
        description="Queries read and sent to the model at once, at most: fewer when fewer wait, so "
        "batches are small when idle and large when behind.",
    )
    batches_in_flight: int = Field(
        default=8,
        ge=1,
        le=64,
        description="Calls under way at once; the worker's bound on work in hand.",
    )
    reloads: int = Field(
        default=3,
        ge=0,
        description="How often in an hour a worker may reload a model whose process has died; "
        "after that it waits for somebody to look.",
    )


def _secret_bytes(value: SecretStr) -> bytes:
    """The bytes of a secret in hex, or else in base64 (either alphabet, padding optional)."""
    text = value.get_secret_value().strip()
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
        return bytes.fromhex(text)
    try:
        padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
        return base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(
            "write the secret in hex or base64; `openssl rand -hex 32` makes one"
        ) from None


class PseudonymSettings(Section):
    """The keys of the hashes that stand for user and session ids."""

    key_id: str = Field(
        default="k1", description="Stands before every pseudonym made with this key."
    )
    secret: SecretStr | None = Field(
        default=None, description="At least 16 bytes in hex or base64: `openssl rand -hex 32`."
    )
    previous_key_id: str | None = Field(
        default=None, description="During a rotation: the key before."
    )
    previous_secret: SecretStr | None = Field(
        default=None, description="During a rotation: its secret."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.previous_key_id is None) != (self.previous_secret is None):
            raise ValueError("previous_key_id and previous_secret go together")
        if self.secret is not None:
            self.pseudonymiser()
        return self

    def pseudonymiser(self) -> Pseudonymiser:
        """Makes the pseudonyms. Raises `SettingsError` while there is no secret."""
        return Pseudonymiser(*self._keys())

    def redrive_signer(self) -> RedriveSigner:
        """Signs what is redriven. Raises `SettingsError` while there is no secret."""
        return RedriveSigner(*self._keys())

    def _keys(self) -> tuple[PseudonymKey, PseudonymKey | None]:
        if self.secret is None:
            raise SettingsError(
                f"{PREFIX}PSEUDONYMS__SECRET is not set",
                "User ids are published as keyed hashes only. Make a key with "
                "`openssl rand -hex 32`, keep it, and give it to all workers.",
            )
        previous = None
        if self.previous_key_id is not None and self.previous_secret is not None:
            previous = PseudonymKey(self.previous_key_id, _secret_bytes(self.previous_secret))
        return PseudonymKey(self.key_id, _secret_bytes(self.secret)), previous


class LimitSettings(Section):
    """What is too large for the model and becomes a dead letter."""

    max_text_chars: int = Field(
        default=8_000, ge=1, le=100_000, description="Longest query text, in characters."
    )
    max_value_bytes: int = Field(
        default=65_536,
        ge=64,
        le=10_000_000,
        description="Largest value of an input record, in bytes.",
    )


class ActionWeights(Section):
    """What one action counts in a profile, against one query's 1."""

    view: float = Field(default=1.0, ge=0, description="Weight of a product view.")
    click: float = Field(default=1.5, ge=0, description="Weight of a click.")
    cart: float = Field(default=4.0, ge=0, description="Weight of a product put in the cart.")
    purchase: float = Field(default=8.0, ge=0, description="Weight of a purchase.")


class ProfileSettings(Section):
    """What a user's profile remembers, and for how long."""

    half_life_days: float = Field(
        default=30.0, gt=0, description="After this time a product attribute counts half."
    )
    vector_half_life_days: float = Field(
        default=14.0, gt=0, description="Likewise for the interests."
    )
    sentiment_half_life_days: float = Field(
        default=7.0, gt=0, description="Likewise for the sentiment."
    )
    action_weights: ActionWeights = ActionWeights()
    top_k: int = Field(
        default=20, ge=1, le=1_000, description="Values kept of each kind of attribute."
    )
    recent_queries: int = Field(
        default=10, ge=0, le=1_000, description="Last queries kept, newest first."
    )
    store: Literal["memory", "rocksdb"] = Field(
        default="memory",
        description="Where a personalizer keeps its table: `rocksdb` is on disk under TMPDIR, for "
        "more users than memory holds (needs the extra `rocksdb`).",
    )
    ttl_days: float = Field(
        default=90.0, gt=0, description="A profile without news for this long leaves Redis."
    )


class DeadLetterSettings(Section):
    """When so many records fail that it is more likely the worker's fault than theirs.

    The enricher then stops reading and is no longer ready, until someone has looked and restarted it.
    And how often a dead letter may be tried again.
    """

    stop: bool | None = Field(
        default=None,
        description="Stop past the limits below. Unset: yes (in `intentstream up`: no, for a file "
        "of which most is malformed is to be processed to its end).",
    )
    max_ratio: float = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Stop when more than this share of the records of the last `window_s` became "
        "dead letters.",
    )
    window_s: float = Field(
        default=60.0, ge=1, le=86_400, description="What the share is taken over, in seconds."
    )
    min_records: int = Field(
        default=1_000,
        ge=1,
        description="The share says nothing of fewer records than this, so that a small bad file "
        "stops nothing.",
    )
    max_in_a_row: int = Field(
        default=2_000,
        ge=1,
        description="Stop when so many records in a row became dead letters, however long it took.",
    )
    max_rounds: int = Field(
        default=MAX_ROUNDS,
        ge=0,
        le=100,
        description="How often a dead letter may be redriven to its topic.",
    )


class HealthSettings(Section):
    """What a worker tells of itself over HTTP: `/healthz`, `/readyz` and `/metrics`.

    docs/operations.md says what they answer. They ask for no password: let them listen only where
    orchestrator and Prometheus are.
    """

    address: str | None = Field(
        default=None,
        pattern=r"^(?:(?:[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])?:)?\d{1,5}$",
        description="Where to listen: `host:port`, or a port on loopback; unset: nowhere. Port 0 is "
        "a free one, which the log names (in `intentstream up` always, for there two workers "
        "share the setting).",
    )
    stall_s: float = Field(
        default=60.0,
        gt=0,
        description="A partition with records to read that has not moved for this long, in "
        "seconds, though the model answers, makes the worker unhealthy.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.address is not None and int(self.address.rpartition(":")[2]) > 65_535:
            raise ValueError("address: a port is at most 65535")
        return self

    @property
    def host_and_port(self) -> tuple[str, int] | None:
        """Where to listen, if anywhere."""
        if self.address is None:
            return None
        host, _, port = self.address.rpartition(":")
        return host.strip("[]") or "127.0.0.1", int(port)


class AuditSettings(Section):
    """The keys of the evidence that `intentstream replay` leaves (docs/replay.md)."""

    signing_key: Path | None = Field(
        default=None,
        description="PEM file of the Ed25519 key that signs runs; `intentstream replay keygen` "
        "makes one. Unset: runs are not signed (in `intentstream up`: a key beside the runs).",
    )
    public_key: Path | None = Field(
        default=None, description="PEM file of its public half, by which `replay verify` checks."
    )
