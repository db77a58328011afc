"""`intentstream topics`: what the topics need, and making them so."""

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workers.topics_admin import TopicPlan

_FILE_WIDTH = 160  # columns of the table where there is no terminal to ask
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def plan(*, as_json: _JSON = False) -> None:
    """Show what each topic needs; change nothing. Exits 1 while something does."""
    from workers import topics_admin  # noqa: PLC0415 (Kafka's client is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    topics = asyncio.run(topics_admin.plan(load_settings()))
    _show(topics, as_json=as_json, tense="needs")
    if any(topic.action is not topics_admin.Action.OK for topic in topics):
        raise typer.Exit(1)


def apply(*, as_json: _JSON = False) -> None:
    """Make the topics as they must be; safe to repeat. Deletes nothing."""
    from workers import topics_admin  # noqa: PLC0415 (Kafka's client is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    topics = asyncio.run(topics_admin.apply(load_settings()))
    _show(topics, as_json=as_json, tense="done")
    if any(topic.action is topics_admin.Action.MISSING for topic in topics):
        raise typer.Exit(1)


def _show(topics: "list[TopicPlan]", *, as_json: bool, tense: str) -> None:
    if as_json:
        typer.echo(json.dumps([topic.as_dict() for topic in topics], indent=2))
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table("topic", tense, "partitions", "configuration", box=None, pad_edge=False)
    for topic in topics:
        partitions = "" if topic.partitions is None else "{} → {}".format(*topic.partitions)
        configs = "\n".join(
            f"{name}: {value}" if have is None else f"{name}: {have} → {value}"
            for name, (have, value) in topic.configs.items()
        )
        table.add_row(topic.name, topic.action.value, partitions, configs)
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(table)
    for topic in topics:
        for warning in topic.warnings:
            console.print(f"[yellow]warning[/yellow] {topic.name}: {warning}")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Make the topics as they must be.", no_args_is_help=True)
    group.command("plan")(plan)
    group.command("apply")(apply)
    app.add_typer(group, name="topics", rich_help_panel="Operations")
