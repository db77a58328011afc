"""`intentstream schema`: JSON Schema and AsyncAPI of everything that flows."""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from workers.errors import ContractError, IntentstreamError


class SchemaFormat(StrEnum):
    """In which language the events are described."""

    JSON_SCHEMA = "json-schema"
    ASYNCAPI = "asyncapi"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("schema", rich_help_panel="Operations")(schema)


def schema(
    event: Annotated[
        str | None,
        typer.Argument(metavar="[EVENT]", help="One event, such as QueryUnderstood; else all."),
    ] = None,
    output_format: Annotated[
        SchemaFormat, typer.Option("--format", help="How to describe the events.")
    ] = SchemaFormat.JSON_SCHEMA,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write asyncapi.json and schemas/EVENT.json into this folder instead; refused "
            "when a schema that is there would lose something.",
        ),
    ] = None,
    prefix: Annotated[str, typer.Option(help="Of the topics' names in the document.")] = "",
) -> None:
    """Print the events' JSON Schema, or one AsyncAPI 3 document of topics and events."""
    from streams import schemas  # noqa: PLC0415 (keeps --help fast)
    from streams.topics import TopicNames  # noqa: PLC0415

    if output is not None:
        _write(output)
    elif output_format is SchemaFormat.ASYNCAPI:
        typer.echo(_text(schemas.asyncapi(TopicNames(prefix))), nl=False)
    elif event is None:
        typer.echo(_text(schemas.json_schemas()), nl=False)
    else:
        found = {known.name.lower(): known for known in schemas.EVENTS}
        if event.lower() not in found:
            names = ", ".join(known.name for known in schemas.EVENTS)
            raise IntentstreamError(f"There is no event {event}.", f"The events are {names}.")
        typer.echo(_text(schemas.json_schema(found[event.lower()])), nl=False)


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path) -> None:
    """Writes all documents, or none when one would break those who use what is there."""
    from streams import schemas  # noqa: PLC0415
    from streams.schema_evolution import breaking_changes  # noqa: PLC0415

    texts = {folder / "asyncapi.json": _text(schemas.asyncapi())}
    for event in schemas.EVENTS:
        path, current = folder / "schemas" / f"{event.name}.json", schemas.json_schema(event)
        if path.is_file():
            changes = breaking_changes(json.loads(path.read_text()), current)
            if changes:
                raise ContractError(
                    f"{event.name} would break those who use {path}: {'; '.join(changes)}",
                    "Add fields with a default and leave the rest as it is; a break on purpose "
                    "needs a new event type, and the old file deleted by hand.",
                )
        texts[path] = _text(current)
    (folder / "schemas").mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text)
        typer.echo(f"wrote {path}")
