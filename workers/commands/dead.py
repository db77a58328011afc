"""`intentstream dead`: what was set aside, and why."""

import asyncio
import json
import logging
import re
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from streams.deadletters import DeadReason
from workers.errors import IntentstreamError

if TYPE_CHECKING:
    from workers.dead_letters import DeadLetter

_FILE_WIDTH = 160  # columns of the table where there is no terminal to ask
_BOUND = "an ISO time, -2h, earliest, latest, or offsets such as 0:120"
_POSITION = re.compile(r"(\d+):(\d+)")


def list_(
    *,
    reason: Annotated[
        list[DeadReason] | None, typer.Option(help="Only those with this reason; repeatable.")
    ] = None,
    since: Annotated[
        str, typer.Option("--from", metavar="BOUND", help=f"Where to begin: {_BOUND}")
    ] = "earliest",
    until: Annotated[
        str, typer.Option("--to", metavar="BOUND", help="Where to end, itself left out; likewise.")
    ] = "latest",
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List dead letters with their reasons and where they came from; never their content."""
    shown, counts = asyncio.run(_listed(set(reason or DeadReason), since, until, limit))
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "counts": dict(counts.most_common()),
                    "dead_letters": [letter.as_dict() for letter in shown],
                },
                indent=2,
                ensure_ascii=False,
            )
        )
        return
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    table = Table("dead letter", "at", "reason", "from", "bytes", "message", box=None)
    for letter in shown:
        size = "null" if letter.value_bytes is None else f"{letter.value_bytes:,}"
        position = f"{letter.partition}:{letter.offset}"
        table.add_row(position, letter.at, letter.reason, letter.source, size, letter.message)
    if shown:
        console.print(table)
    summary = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    console.print(f"{counts.total():,} dead letters{': ' if summary else ''}{summary}")
    if counts.total() > len(shown):
        console.print(f"{len(shown):,} are shown; --limit shows more")


async def _listed(
    reasons: set[DeadReason], since: str, until: str, limit: int
) -> "tuple[list[DeadLetter], Counter[str]]":
    from workers.dead_letters import dead_letters  # noqa: PLC0415 (Kafka's client is slow)
    from workers.settings import load_settings  # noqa: PLC0415
    from workers.topic_range import parse_bound  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    now_ms = round(time.time() * 1_000)
    begin, end = (parse_bound(text, now_ms=now_ms) for text in (since, until))
    wanted = {reason.value for reason in reasons}
    if len(reasons) == len(DeadReason):
        wanted.add("unknown")
    shown: list[DeadLetter] = []
    counts: Counter[str] = Counter()
    async for letter in dead_letters(load_settings(), begin, end):
        if letter.reason in wanted:
            counts[letter.reason] += 1
            if len(shown) < limit:
                shown.append(letter)
    return shown, counts


def show(
    position: Annotated[
        str, typer.Argument(metavar="PARTITION:OFFSET", help="As `dead list` shows it.")
    ],
    *,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Show key and value too: they may hold personal data."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show one dead letter."""
    from workers.dead_letters import dead_letter_at  # noqa: PLC0415 (Kafka's client is slow)
    from workers.settings import load_settings  # noqa: PLC0415

    match = _POSITION.fullmatch(position)
    if match is None:
        raise IntentstreamError(f"{position!r} is no position", "write PARTITION:OFFSET, as 0:42")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    letter = asyncio.run(dead_letter_at(load_settings(), int(match[1]), int(match[2])))
    found = letter.as_dict(raw=raw)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    for name, value in found.items():
        typer.echo(f"{name}: {'null' if value is None else value}")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Dead letters: what could not be processed, and why.")
    group.command("list")(list_)
    group.command("show")(show)
    app.add_typer(group, name="dead", no_args_is_help=True, rich_help_panel="Audit")
