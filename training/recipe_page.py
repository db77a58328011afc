"""The page that lists every key of a recipe, made from `training.config` (docs/recipes.md)."""

import dataclasses
import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from training.config import FileConfig, TrainConfig

_HEAD = """# Recipes

<!-- Made by `python -m training.recipe_page > docs/recipes.md`; a test compares the two. -->

A recipe is a TOML file; [training.md](training.md) shows one and says what the keys are for. A name that
is no key, and a value out of its range, are errors before the first step.
"""
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)


def render() -> str:
    """The page, as Markdown."""
    fields = dataclasses.fields(TrainConfig)
    tables = [(f"`[{f.name}]`", f.type) for f in fields if dataclasses.is_dataclass(f.type)]
    place = [title for title, _ in tables].index("`[data]`") + 1
    tables.insert(place, ("`[[data.files]]` and `[[data.validation]]`", FileConfig))
    parts = [("Above all tables", TrainConfig), *tables]
    return "\n".join([_HEAD, *(line for title, kind in parts for line in _table(title, kind))])


def described(kind: Any) -> tuple[str, dict[str, str]]:
    """What a dataclass of the configuration is, and each of its fields, by its documentation."""
    about, _, listed = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    found = {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(listed)}
    return " ".join(about.split()), found


def _table(title: str, kind: Any) -> Iterator[str]:
    about, texts = described(kind)
    yield f"## {title}\n"
    if kind is not TrainConfig:
        yield f"{about}\n"
    yield "| key | default | what it is |"
    yield "|---|---|---|"
    for one in dataclasses.fields(kind):
        if not dataclasses.is_dataclass(one.type):
            text = texts[one.name]
            yield f"| `{one.name}` | {_default(one)} | {text[0].upper()}{text[1:]} |"
    yield ""


def _default(one: dataclasses.Field[Any]) -> str:
    value = one.default
    if value is dataclasses.MISSING or value in ("", ()):
        return ""
    return f"`{json.dumps(value)}`"


if __name__ == "__main__":
    print(render(), end="")
