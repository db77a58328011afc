"""The topics: their names under a prefix, and how each must be configured."""

from dataclasses import dataclass, field
from functools import cached_property

_DAY_MS = 24 * 60 * 60 * 1000
_RAW_MAX_BYTES = 2 * 1024 * 1024  # twice the broker's default: 1 MB of text and what is around it
DEAD_MAX_BYTES = 4 * 1024 * 1024
"""The largest dead letter: any raw record with the error's headers added, also when it was
compressed better than ours is."""


@dataclass(frozen=True)  # without slots: names are put together once, for every record asks
class TopicNames:
    """The names of all topics in one environment. An empty prefix leaves them bare.

    `raw_override` and `actions_override` are topics that a shop has already, read as they are.
    """

    prefix: str = ""
    raw_override: str | None = None
    actions_override: str | None = None

    def _named(self, name: str) -> str:
        return f"{self.prefix}.{name}" if self.prefix else name

    @cached_property
    def raw(self) -> str:
        """Raw shopper queries, as they come."""
        return self.raw_override or self._named("queries.raw")

    @cached_property
    def actions(self) -> str:
        """What users did with products."""
        return self.actions_override or self._named("users.actions")

    @cached_property
    def intents(self) -> str:
        """One enriched event per query."""
        return self._named("queries.intents")

    @cached_property
    def entities(self) -> str:
        """One event per entity."""
        return self._named("queries.entities")

    @cached_property
    def dead(self) -> str:
        """Records that could not be processed, with their original bytes. Restricted access."""
        return self._named("queries.dead")

    @cached_property
    def signals(self) -> str:
        """One ordered log per user of all that shapes a profile."""
        return self._named("users.signals")

    @cached_property
    def features(self) -> str:
        """The current profile of each user, compacted."""
        return self._named("users.features")

    def replay(self, run: str) -> str:
        """Where a replay publishes."""
        return self._named(f"replays.{run}")


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How a topic must be: partitions, and the configs that differ from the broker's defaults."""

    name: str
    partitions: int
    configs: dict[str, str] = field(default_factory=dict)


def topic_specs(names: TopicNames, *, partitions: int = 4) -> tuple[TopicSpec, ...]:
    """All topics as they must be; `partitions` is the count of each.

    Raw topics use LogAppendTime, or a replay's time range would be only as good as the
    producers' clocks. Dead letters are kept longer than the raw queries they explain.
    """

    def kept(days: int, **more: str) -> dict[str, str]:
        configs = {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MS)}
        return configs | {name.replace("_", "."): value for name, value in more.items()}

    appended = {"message_timestamp_type": "LogAppendTime"}
    raw = appended | {"max_message_bytes": str(_RAW_MAX_BYTES)}
    dead = appended | {"max_message_bytes": str(DEAD_MAX_BYTES)}
    return (
        TopicSpec(names.raw, partitions, kept(14, **raw)),
        TopicSpec(names.actions, partitions, kept(14, **raw)),
        TopicSpec(names.intents, partitions, kept(30)),
        TopicSpec(names.entities, partitions, kept(30)),
        TopicSpec(names.signals, partitions, kept(30)),
        TopicSpec(names.features, partitions, {"cleanup.policy": "compact"}),
        TopicSpec(names.dead, partitions, kept(30, **dead)),
    )


def replay_spec(names: TopicNames, run: str, *, partitions: int) -> TopicSpec:
    """The topic that one replay publishes to: kept for a week."""
    configs = {"cleanup.policy": "delete", "retention.ms": str(7 * _DAY_MS)}
    return TopicSpec(names.replay(run), partitions, configs)
