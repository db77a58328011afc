"""`intentstream config` and `intentstream doctor`: what is set, and what is wrong."""

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from workers.doctor import Finding

_MARKS = {"ok": "[green]ok  [/green]", "warn": "[yellow]warn[/yellow]", "fail": "[red]fail[/red]"}


def config(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the page that describes every setting.")
    ] = False,
) -> None:
    """Show the settings in force, with secrets masked."""
    from workers.settings import (  # noqa: PLC0415 (pydantic is slow to import)
        effective,
        load_settings,
        settings_digest,
        variables,
    )

    if as_markdown:
        from workers.settings_page import render  # noqa: PLC0415

        typer.echo(render(), nl=False)
        return
    settings = load_settings()
    shown = effective(settings)
    if as_json:
        digest = {"settings_digest": settings_digest(settings)}
        typer.echo(json.dumps(digest | shown, indent=2))
        return
    for variable, path, _ in variables():
        value: Any = shown
        for name in path:
            value = value[name]
        typer.echo(f"{variable}={'' if value is None else _plain(value)}")
    typer.echo(f"# settings digest: {settings_digest(settings)}")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value) if value else ""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check each connection, the topics and the model's contract. Exits 1 when one fails."""
    from workers.doctor import Status, examine  # noqa: PLC0415 (Kafka and gRPC are slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # the findings say it better
    settings = load_settings()

    async def collect() -> list["Finding"]:
        return [finding async for finding in examine(settings)]

    findings = asyncio.run(collect())
    if as_json:
        typer.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.status is Status.FAIL for finding in findings):
        raise typer.Exit(1)


def _print(findings: "list[Finding]") -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.markup import escape  # noqa: PLC0415

    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        console.print(f"{_MARKS[finding.status]}  {finding.about:<8}  {escape(finding.said)}")
        if finding.fix:
            console.print(f"                → {escape(finding.fix)}")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("config", rich_help_panel="Operations")(config)
    app.command("doctor", rich_help_panel="Operations")(doctor)
