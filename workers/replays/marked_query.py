"""A query as published and as replayed, side by side: entities coloured, differences marked."""

import zlib
from collections.abc import Iterator
from html import escape

from streams.events import Entity, QueryUnderstood


def both(before: QueryUnderstood, after: QueryUnderstood) -> str:
    """Two rows, and a list of what differs."""
    found = list(_told(before, after))
    listed = "".join(f"<li>{escape(line)}</li>" for line in found)
    changes = f'<ul class="changes">{listed}</ul>' if found else ""
    return (
        f'<dl class="say"><dt>published</dt><dd>{_version(before, after)}</dd>'
        f"<dt>replayed</dt><dd>{_version(after, before)}</dd></dl>{changes}"
    )


def _version(event: QueryUnderstood, other: QueryUnderstood) -> str:
    labels = " · ".join(
        f'<span class="label{" differs" if mine.label != theirs.label else ""}">'
        f"{escape(mine.label)}</span> {mine.score:.4f}"
        for mine, theirs in (
            (event.intent, other.intent),
            (event.sentiment, other.sentiment),
        )
    )
    return f'<div class="query">{marked(event, other)}</div>{labels}'


def marked(event: QueryUnderstood, other: QueryUnderstood | None = None) -> str:
    """The text with its entities marked; those that `other` has not, or otherwise, stand out."""
    theirs = None
    if other is not None:
        theirs = {(one.start, one.end): one.type for one in other.entities}
    parts, at = [], 0
    for entity in sorted(event.entities, key=lambda one: one.start):
        if not at <= entity.start < entity.end <= len(event.text):
            continue  # tampered or foreign: the text is shown, whatever an entity claims
        parts.append(escape(event.text[at : entity.start]))
        parts.append(_mark(event.text, entity, theirs))
        at = entity.end
    return "".join([*parts, escape(event.text[at:])])


def _mark(text: str, entity: Entity, theirs: dict[tuple[int, int], str] | None) -> str:
    differs = theirs is not None and theirs.get((entity.start, entity.end)) != entity.type
    hue = zlib.crc32(entity.type.encode()) % 360
    title = escape(f"{entity.type} {entity.score:.4f}", quote=True)
    return (
        f'<mark{" class=differs" if differs else ""} style="--hue:hsl({hue} 65% 50%)" '
        f'title="{title}">{escape(text[entity.start : entity.end])}'
        f"<small>{escape(entity.type)}</small></mark>"
    )


def _told(before: QueryUnderstood, after: QueryUnderstood) -> Iterator[str]:
    """What differs, in words."""
    for name in ("intent", "sentiment"):
        old, new = getattr(before, name), getattr(after, name)
        if old.label != new.label:
            yield f"{name}: {old.label} ({old.score:.4f}) → {new.label} ({new.score:.4f})"
        elif abs(old.score - new.score) >= 0.00005:
            yield f"{name} score: {old.score:.4f} → {new.score:.4f} ({new.score - old.score:+.4f})"
    if before.text != after.text:
        yield "the redacted text is another"
    if before.language != after.language:
        yield f"language: {before.language} → {after.language}"
    old_places = {(one.start, one.end): one for one in before.entities}
    new_places = {(one.start, one.end): one for one in after.entities}
    for place, old in old_places.items():
        new = new_places.get(place)
        if new is None:
            yield f"entity lost: {old.type} “{old.text}”"
        elif new.type != old.type:
            yield f"entity relabelled: “{old.text}” {old.type} → {new.type}"
    for place, new in new_places.items():
        if place not in old_places:
            yield f"entity added: {new.type} “{new.text}”"
