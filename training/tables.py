"""A table of TOML as a dataclass: every name known, every value of its field's type."""

import dataclasses
import math
from typing import Any, get_args, get_origin

from training.errors import ConfigError


def built(kind: type[Any], raw: Any, where: str) -> Any:
    """A dataclass from a table, and those of its fields from the tables within.

    Args:
        kind: its fields are numbers, texts, dicts, dataclasses, and tuples of texts or of dataclasses.
        raw: the table as it was read.
        where: it stands, for errors.

    Raises:
        ConfigError: not a table, an unknown name, a value of another type or a number that is not finite.
    """
    if not isinstance(raw, dict):
        raise ConfigError(f"{where} = {raw!r} is not a table", "write its values below its name")
    fields = {f.name: f for f in dataclasses.fields(kind)}
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in fields:
            raise ConfigError(
                f"{where}: unknown name {name!r}", f"there are {', '.join(sorted(fields))}"
            )
        expected: Any = fields[name].type
        if dataclasses.is_dataclass(expected):
            values[name] = built(expected, value, f"{where} [{name}]")  # type: ignore[arg-type] # a class
        elif get_origin(expected) is tuple:
            values[name] = _listed(name, value, get_args(expected)[0], where)
        else:
            values[name] = _value(name, value, expected, where)
    return kind(**values)


def _listed(name: str, value: Any, inner: Any, where: str) -> tuple[Any, ...]:
    tables = dataclasses.is_dataclass(inner)
    if not isinstance(value, list | tuple):
        if tables:
            raise ConfigError(
                f"{where}: {name} = {value!r} is not a list of tables",
                f'write [[data.{name}]] and below it path = "…" for each file',
            )
        raise ConfigError(f"{where}: {name} = {value!r} is not a list of words")
    if tables:
        return tuple(built(inner, one, f"{where} [[{name}]]") for one in value)
    if not all(isinstance(word, str) for word in value):
        raise ConfigError(f"{where}: {name} = {value!r} is not a list of words")
    return tuple(value)


def _value(name: str, value: Any, expected: Any, where: str) -> Any:
    expected = get_origin(expected) or expected
    fits = isinstance(value, expected)
    if expected is float and isinstance(value, int):
        fits = True
    if isinstance(value, bool) and expected is not bool:  # True is an int to Python
        fits = False
    if not fits:
        kind = "table" if expected is dict else expected.__name__
        raise ConfigError(f"{where}: {name} = {value!r} is not a {kind}")
    if expected is not float:
        return value
    if not math.isfinite(value):  # TOML has inf and nan, which no rule's bounds catch for certain
        raise ConfigError(f"{where}: {name} = {value!r} is not a finite number")
    return float(value)
