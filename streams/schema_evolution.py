"""Whether a JSON Schema only adds to an older one, so that neither writers nor readers break."""

from collections.abc import Iterator
from typing import Any

_ANNOTATIONS = frozenset(
    {"title", "description", "examples", "$comment", "$schema", "$id", "$defs"}
)
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What the newer schema takes away or narrows, one sentence each; empty when it only adds.

    Allowed: new optional fields, new values of an enumeration, wider bounds, other words in
    titles and descriptions. Everything else counts as breaking.
    """
    return list(dict.fromkeys(_compared("$", old, new, (old, new), frozenset())))


_Roots = tuple[dict[str, Any], dict[str, Any]]


def _compared(
    path: str, old: Any, new: Any, roots: _Roots, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    pair = (str(old.get("$ref")), str(new.get("$ref")))
    if pair in seen:
        return
    if pair != ("None", "None"):
        seen |= {pair}
    old, new = _resolved(old, roots[0]), _resolved(new, roots[1])
    yield from _properties(path, old, new, roots, seen)
    yield from _alternatives(path, old, new, roots, seen)
    for name in ("items", "additionalProperties"):
        if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
            yield from _compared(f"{path}.{name}", old[name], new[name], roots, seen)
        elif old.get(name) != new.get(name):
            yield f"{path}: {name} changed"
    handled = _ANNOTATIONS | {
        "properties",
        "required",
        "anyOf",
        "items",
        "additionalProperties",
        "$ref",
    }
    for name in sorted((old.keys() | new.keys()) - handled):
        if _narrowed(name, old.get(name), new.get(name)):
            yield f"{path}: {name} changed from {old.get(name)!r} to {new.get(name)!r}"


def _resolved(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{name: value for name, value in schema.items() if name != "$ref"}}


def _properties(
    path: str, old: Any, new: Any, roots: _Roots, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        if name in after:
            yield from _compared(f"{path}.{name}", before[name], after[name], roots, seen)
        else:
            yield f"{path}.{name}: the field is gone"
    required = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(required[1] - required[0]):
        yield f"{path}.{name}: the field is required now"
    for name in sorted((required[0] - required[1]) & after.keys()):
        yield f"{path}.{name}: the field is no longer always there"


def _alternatives(
    path: str, old: Any, new: Any, roots: _Roots, seen: frozenset[tuple[str, str]]
) -> Iterator[str]:
    before, after = old.get("anyOf", []), new.get("anyOf", [])
    kept = [
        option
        for option in before
        if any(not list(_compared(path, option, other, roots, seen)) for other in after)
    ]
    if not len(kept) == len(before) == len(after):
        yield f"{path}: the alternatives changed"


def _narrowed(name: str, old: Any, new: Any) -> bool:
    if name == "enum" and old is not None and new is not None:
        return not set(old) <= set(new)
    if name in _UPPER:
        return new is not None and (old is None or new < old)
    if name in _LOWER:
        return new is not None and (old is None or new > old)
    return bool(old != new)
