"""Which values of a recipe a search tries: ranges and choices by dotted name."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.config import TASKS, TrainConfig
from training.errors import ConfigError
from training.recipes import changed

_TABLES = ("optimizer", "loss", "tuning")
_OTHERS = frozenset(
    {
        "model.dropout", "data.typos", "data.punctuation", "data.casing", "data.spaces",
        "data.lookalikes", "data.drop_stop_words",
    }
)  # fmt: skip
"""What may vary besides those tables: all that needs neither other data nor another base."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One value that varies: within a range, or among choices.

    Attributes:
        name: dotted, as `optimizer.learning_rate`.
        low: the least; a whole number makes all whole.
        high: the greatest.
        log: whether steps multiply rather than add.
        choices: instead of a range.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[Any, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are tried."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: object) -> bool:
        """Whether a value lies on the axis."""
        if self.choices:
            return value in self.choices
        return isinstance(value, int | float) and self.low <= value <= self.high


def axes_of(config: TrainConfig) -> tuple[Axis, ...]:
    """The axes of a recipe's `[search.space]`, or of the default one, around its own values.

    Raises:
        ConfigError: a name that no search can vary, an empty range, a value that no recipe may have.
    """
    given = dict(_flat(config.search.space))
    axes = tuple(_axis(name, raw) for name, raw in given.items()) or _around(config)
    for axis in axes:
        for value in axis.choices or (axis.low, axis.high):
            changed(config, {axis.name: value})  # both ends must make a recipe
    return axes


def value_of(config: TrainConfig, name: str) -> Any:
    """The value of a dotted name.

    Raises:
        ConfigError: there is no such name.
    """
    table, _, key = name.partition(".")
    try:
        return getattr(getattr(config, table), key)
    except AttributeError:
        raise ConfigError(f"[search.space] names {name}, which no recipe has") from None


def _flat(space: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (f"{table}.{key}".rstrip("."), raw)
        for table, inner in space.items()
        for key, raw in (inner.items() if isinstance(inner, dict) else [("", inner)])
    ]


def _axis(name: str, raw: Any) -> Axis:
    if name.partition(".")[0] not in _TABLES and name not in _OTHERS:
        raise ConfigError(
            f"[search.space] cannot vary {name}",
            f"it may vary [{'], ['.join(_TABLES)}], {', '.join(sorted(_OTHERS))}",
        )
    if isinstance(raw, list) and raw:
        return Axis(name, choices=tuple(raw))
    known = {field.name for field in dataclasses.fields(Axis)} - {"name", "choices"}
    if not isinstance(raw, dict) or set(raw) - known or not {"low", "high"} <= set(raw):
        raise ConfigError(
            f"[search.space] {name} = {raw!r} is no range",
            "write { low = 1e-5, high = 1e-3, log = true }, or a list of choices",
        )
    axis = Axis(name, **raw)
    if not axis.low < axis.high or (axis.log and axis.low <= 0):
        raise ConfigError(f"[search.space] {name}: the range is empty", "low lies below high")
    return axis


def _around(config: TrainConfig) -> tuple[Axis, ...]:
    """What is worth varying in any recipe, about its own values."""
    optimizer = config.optimizer
    rate, batch, epochs = optimizer.learning_rate, optimizer.batch, optimizer.epochs
    axes = [
        Axis("optimizer.learning_rate", rate / 4, min(rate * 4, 0.09), log=True),
        Axis("optimizer.batch", choices=tuple(sorted({max(batch // 2, 1), batch, batch * 2}))),
        Axis("optimizer.heads", 1.0, 10.0, log=True),
        Axis("optimizer.label_smoothing", 0.0, 0.2),
        Axis("model.dropout", 0.0, 0.3),
    ]
    if epochs > 1:
        axes.append(Axis("optimizer.epochs", -(-epochs // 2), epochs))
    weights = {name: getattr(config.loss, name) for name in TASKS if getattr(config.loss, name)}
    if len(weights) > 1:
        axes += [Axis(f"loss.{name}", w / 2, w * 2, log=True) for name, w in weights.items()]
    return tuple(axes)
