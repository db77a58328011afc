"""`intentstream explain`: why the model said what it said of one query."""

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from workers.replays.explain_event import EventExplanation
    from workers.replays.explanation import Explanation

_FILE_WIDTH = 120
_BAR = 24
_EPILOG = """
[bold]Examples[/bold]

  A text, as if a shopper had typed it:
    [cyan]intentstream explain "red cotton shoes for men"[/cyan]

  The query at an offset of queries.raw, and what was published for it:
    [cyan]intentstream explain --at 0:120[/cyan]

  The query with an id:
    [cyan]intentstream explain --query-id q-123[/cyan]
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("explain", rich_help_panel="Audit", epilog=_EPILOG)(explain)


def explain(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="A query's text.")] = "",
    at: Annotated[
        str,
        typer.Option(metavar="P:OFFSET", help="The record at this position of the raw queries."),
    ] = "",
    query_id: Annotated[str, typer.Option(metavar="ID", help="The query with this id.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show what the model saw, what each head said, and how much each word moved the intent.

    The words' shares are Shapley values: they add up to the intent's score
    for the whole text, minus its score for none of it. Text is shown
    redacted.
    """
    from workers.replays.explain_event import Asked, explain_event  # noqa: PLC0415 (slow imports)
    from workers.settings import load_settings  # noqa: PLC0415

    if sum(map(bool, (text, at, query_id))) != 1:
        raise typer.BadParameter("give a text, or --at, or --query-id")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    found = asyncio.run(explain_event(load_settings(), Asked(text, at, query_id)))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        show(found)


def show(found: "EventExplanation") -> None:
    """Prints an explanation to the terminal."""
    console = Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)
    if found.place:
        console.print(f"record {found.place}", markup=False, highlight=False)
    for line in found.notes:
        console.print(line, markup=False, highlight=False)
    if found.why is not None:
        _show_words(console, found.why)
        _show_heads(console, found.why)
        _show_rules(console, found.why)


def _show_words(console: Console, why: "Explanation") -> None:
    console.print(Text(f"“{why.text}” ({why.language})"))
    console.print(
        f"intent {why.intent.label} {why.intent.score:.4f}", markup=False, highlight=False
    )
    title = f"What each word adds to {why.target}: {why.base:.4f} → {why.score:.4f} ({why.method})"
    table = Table(title=title)
    table.add_column("word")
    table.add_column("adds", justify="right")
    table.add_column("")
    longest = max((abs(word.value) for word in why.words), default=0.0) or 1.0
    for word in why.words:
        error = f" ±{word.error:.4f}" if word.error else ""
        bar = "█" * round(_BAR * abs(word.value) / longest)
        style = "green" if word.value >= 0 else "red"
        table.add_row(Text(word.text), f"{word.value:+.4f}{error}", Text(bar, style))
    console.print(table)


def _show_heads(console: Console, why: "Explanation") -> None:
    for name, chances in (("intents", why.intents), ("sentiment", why.sentiments)):
        told = " · ".join(f"{one.label} {one.score:.4f}" for one in chances)
        console.print(f"{name}: {told}", markup=False, highlight=False)
    table = Table(title=f"{why.word_pieces} word pieces, two frame the text")
    table.add_column("piece")
    table.add_column("at", justify="right")
    table.add_column("likeliest tags")
    for piece in why.pieces:
        tags = " · ".join(f"{one.label} {one.score:.3f}" for one in piece.tags)
        table.add_row(Text(piece.text), f"{piece.start}-{piece.end}", tags)
    console.print(table)
    for entity in why.entities:
        dropped = f", dropped: {entity.dropped}" if entity.dropped else ""
        console.print(
            f"entity {entity.type} “{entity.text}” {entity.score:.4f}{dropped}",
            markup=False,
            highlight=False,
        )
    for pair in why.relations:
        kept = "" if pair.kept else " (not kept)"
        console.print(
            f"relation “{pair.product}” {pair.predicate} “{pair.attribute}” {pair.score:.4f}{kept}",
            markup=False,
            highlight=False,
        )


def _show_rules(console: Console, why: "Explanation") -> None:
    for rule in why.rules:
        console.print(f"rule: {rule}", markup=False, highlight=False)
    model = why.model
    console.print(
        f"model {model.name} {model.version} {model.digest}, settings {why.settings_digest}, "
        f"code {why.code}",
        markup=False,
        highlight=False,
    )
