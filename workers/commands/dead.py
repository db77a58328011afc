"""`intentstream dead`: what was set aside, and why; and back with it once that is mended."""

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
    from workers.dead_letters import DeadLetter, Selection
    from workers.redriving import RedriveReport

_FILE_WIDTH = 160  # columns of the table where there is no terminal to ask
_BOUND = "an ISO time, -2h, earliest, latest, or offsets such as 0:120"
_POSITION = re.compile(r"(\d+):(\d+)")

_Reasons = Annotated[
    list[DeadReason] | None, typer.Option(help="Only those with this reason; repeatable.")
]
_Sources = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TOPIC[:PARTITION[:FIRST[-LAST]]]",
        help="Only those whose record was read there; repeatable.",
    ),
]
_Since = Annotated[
    str,
    typer.Option("--from", metavar="BOUND", help=f"Where to begin in the dead letters: {_BOUND}"),
]
_Until = Annotated[
    str, typer.Option("--to", metavar="BOUND", help="Where to end, itself left out; likewise.")
]


def list_(
    *,
    reason: _Reasons = None,
    source: _Sources = None,
    since: _Since = "earliest",
    until: _Until = "latest",
    limit: Annotated[int, typer.Option(min=1, help="Show at most this many.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List dead letters with their reasons and where they came from; never their content."""
    selection = _selection(reason, source, since, until)
    shown, counts = asyncio.run(_listed(selection, limit))
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
    table = Table("dead letter", "at", "reason", "from", "round", "bytes", "message", box=None)
    for letter in shown:
        size = "null" if letter.value_bytes is None else f"{letter.value_bytes:,}"
        position = f"{letter.partition}:{letter.offset}"
        table.add_row(
            position,
            letter.at,
            letter.reason,
            letter.source,
            str(letter.round),
            size,
            letter.message,
        )
    if shown:
        console.print(table)
    summary = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    console.print(f"{counts.total():,} dead letters{': ' if summary else ''}{summary}")
    if counts.total() > len(shown):
        console.print(f"{len(shown):,} are shown; --limit shows more")


def _selection(
    reasons: list[DeadReason] | None, sources: list[str] | None, since: str, until: str
) -> "Selection":
    from workers.dead_letters import Selection, parse_source  # noqa: PLC0415 (Kafka's client is slow)
    from workers.topic_range import parse_bound  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    now_ms = round(time.time() * 1_000)
    return Selection(
        since=parse_bound(since, now_ms=now_ms),
        until=parse_bound(until, now_ms=now_ms),
        reasons=frozenset(reasons or ()),
        sources=tuple(parse_source(text) for text in sources or ()),
    )


async def _listed(selection: "Selection", limit: int) -> "tuple[list[DeadLetter], Counter[str]]":
    from workers.dead_letters import dead_letters  # noqa: PLC0415 (Kafka's client is slow)
    from workers.settings import load_settings  # noqa: PLC0415

    shown: list[DeadLetter] = []
    counts: Counter[str] = Counter()
    async for letter in dead_letters(load_settings(), selection):
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


def redrive(
    *,
    reason: _Reasons = None,
    source: _Sources = None,
    since: _Since = "earliest",
    until: _Until = "latest",
    limit: Annotated[int, typer.Option(min=0, help="Redrive at most this many; 0: all.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Send the records of dead letters back to their topics, once what was wrong is mended.

    Key, value and headers are the original ones; a signed header more says
    where each was read first, which stays its identity, and how often it has
    been redriven. Safe to repeat: what is back already is not sent twice, and
    users erased since don't come back.

    Begin with a look: intentstream dead redrive --reason model_rejected
    --from -2h --dry-run
    """
    selection = _selection(reason, source, since, until)
    report = asyncio.run(_redriven(selection, limit, dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2))
    else:
        _tell(report)


async def _redriven(selection: "Selection", limit: int, *, dry_run: bool) -> "RedriveReport":
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from workers.redriving import redrive as run  # noqa: PLC0415 (Kafka's client is slow)
    from workers.settings import load_settings  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("dead letters", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        return await run(load_settings(), selection, progress, dry_run=dry_run, limit=limit)


_WHY = {
    "already": "are back in their topic already",
    "erased": "are of users who have been erased since",
    "rounds": "have been redriven as often as INTENTSTREAM_DEAD_LETTERS__MAX_ROUNDS allows",
    "signal": "are signals, which `intentstream rebuild-profiles` reads where they are",
    "elsewhere": "are from topics that these settings do not read",
    "value_missing": "were too large to be kept: their value is only where they were read",
    "unreadable": "are no dead letters of an enricher",
}


def _tell(report: "RedriveReport") -> None:
    would = "would be " if report.dry_run else ""
    for topic, count in sorted(report.redriven.items()):
        typer.echo(f"{count:,} {would}sent back to {topic}")
    for reason, count in report.left_out.most_common():
        typer.echo(f"{count:,} left out: they {_WHY[reason.value]}")
    if again := report.fails_again.total():
        reasons = ", ".join(f"{name} {count:,}" for name, count in report.fails_again.most_common())
        typer.echo(
            f"{again:,} of them fail again as this version and its settings stand: {reasons}",
            err=True,
        )
    typer.echo(
        f"{report.redriven.total():,} of {report.selected:,} dead letters {would}redriven"
        if report.selected
        else "no dead letter is selected"
    )


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Dead letters: what could not be processed, and why.")
    group.command("list")(list_)
    group.command("show")(show)
    group.command("redrive")(redrive)
    app.add_typer(group, name="dead", no_args_is_help=True, rich_help_panel="Audit")
