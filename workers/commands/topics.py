"""`intentstream topics`: what the topics need, making them so, and who may do what with them."""

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from workers.errors import IntentstreamError

if TYPE_CHECKING:
    from workers.access import Role
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


def acls(
    principal: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=PRINCIPAL",
            help="Who has a role, as auditor=User:jane; repeatable. Without it all roles are shown, "
            "each under a principal of its name.",
        ),
    ] = None,
    *,
    grant: Annotated[
        bool, typer.Option("--grant", help="Grant the rights instead; safe to repeat.")
    ] = False,
) -> None:
    """Show the least rights of each role, as lines for Kafka's own `kafka-acls.sh`; or grant them.

    Roles: enricher, personalizer, auditor (replays, reads dead letters),
    redriver (what an auditor needs besides, to send dead letters back),
    corrector (what an auditor needs besides, for back-fills and to rebuild
    profiles), operator (makes topics, erases users), producer and consumer
    (the shop's own services). Only the auditor may read dead letters.
    """
    from workers import access  # noqa: PLC0415 (Kafka's client is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    settings = load_settings()
    principals = _principals(
        principal or [f"{role.value}=User:{role.value}" for role in access.Role]
    )
    if not grant:
        for line in access.commands(settings, principals):
            typer.echo(line)
        return
    if not principal:
        raise IntentstreamError("nobody is named", "name them: --principal enricher=User:worker")
    count = asyncio.run(access.grant(settings, principals))
    typer.echo(f"{count} rights granted to {', '.join(principals.values())}")


def _principals(pairs: list[str]) -> "dict[Role, str]":
    from workers.access import Role  # noqa: PLC0415

    found = {}
    for pair in pairs:
        role, _, name = pair.partition("=")
        if role not in set(Role) or ":" not in name:
            roles = ", ".join(Role)
            raise IntentstreamError(
                f"{pair!r} is no ROLE=PRINCIPAL", f"write auditor=User:jane; roles: {roles}"
            )
        found[Role(role)] = name
    return found


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
    group = typer.Typer(
        help="Make the topics as they must be, and grant rights.", no_args_is_help=True
    )
    group.command("plan")(plan)
    group.command("apply")(apply)
    group.command("acls")(acls)
    app.add_typer(group, name="topics", rich_help_panel="Operations")
