"""The page that lists every setting, made from the settings themselves (docs/settings.md)."""

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from workers.sections import PREFIX, Section
from workers.settings import Settings, variables

_HEAD = f"""# Settings

<!-- Made by `intentstream config --markdown > docs/settings.md`; a test compares the two. -->

Every setting is an environment variable that begins with `{PREFIX}`, or a line in a `.env` file in
the folder you start from; the environment wins. Names inside a section are joined by two
underscores. Mappings and lists are JSON. A name that is no setting is an error, so a typing mistake
cannot be overlooked. `intentstream config` shows the values in force, with secrets masked.

Two more variables are no settings of the workers: `{PREFIX}HOME` is the folder into which
`intentstream up` installs its servers, and `KAFKA_HOME` an Apache Kafka of yours for it to use.
"""


def render() -> str:
    """The page, as Markdown."""
    return "\n".join([_HEAD, *_tables()]) + "\n"


def _tables() -> Iterator[str]:
    grouped: dict[tuple[str, ...], list[tuple[str, FieldInfo]]] = {}
    for variable, path, field in variables():
        grouped.setdefault(path[:-1], []).append((variable, field))
    for path, rows in grouped.items():
        title, about = _section(path)
        yield f"## {title}\n"
        if about:
            yield f"{about}\n"
        yield "| variable | default | what it does |"
        yield "|---|---|---|"
        for variable, field in rows:
            about = _escaped(field.description or "")
            yield f"| `{variable}` | {_default(field)} | {about}{_allowed(field)} |"
        yield ""


def _section(path: tuple[str, ...]) -> tuple[str, str]:
    """A section's heading and the first sentence of its documentation."""
    if not path:
        return "General", ""
    model: Any = Settings
    for name in path:
        model = model.model_fields[name].annotation
    assert issubclass(model, Section)  # noqa: S101 (narrows for the type checker)
    return " ".join(path).replace("_", " ").capitalize(), inspect.cleandoc(model.__doc__ or "")


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Enum):
        value = value.value
    if value is None or value in ("", {}, frozenset()):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _allowed(field: FieldInfo) -> str:
    """The values allowed, where they are few."""
    annotation = field.annotation
    if get_origin(annotation) is Literal:
        values = [str(value) for value in get_args(annotation)]
    elif isinstance(annotation, type) and issubclass(annotation, Enum):
        values = [str(member.value) for member in annotation]
    else:
        return ""
    return " One of " + ", ".join(f"`{value}`" for value in values) + "." if values[1:] else ""


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
