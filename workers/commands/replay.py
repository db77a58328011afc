"""`intentstream replay`: a range of queries once more, against what was published."""

import asyncio
import json
import logging
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from workers.errors import IntentstreamError

if TYPE_CHECKING:
    from workers.replays.replay import ReplayReport, ReplayRequest

_RUNS = Path(".intentstream/replays")
_OUTAGE_S = 120.0
_FILE_WIDTH = 160  # columns of the table where there is no terminal to ask
_BOUND = "an ISO time, -2h, earliest, latest, or offsets such as 0:120,1:80"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("replay", rich_help_panel="Audit")(replay)


def replay(
    since: Annotated[
        str, typer.Option("--from", metavar="BOUND", help=f"Where to begin: {_BOUND}")
    ],
    until: Annotated[
        str, typer.Option("--to", metavar="BOUND", help="Where to end, itself left out; likewise.")
    ] = "latest",
    topic: Annotated[
        str, typer.Option(help="The topic of queries or of actions; by default that of queries.")
    ] = "",
    publish: Annotated[
        bool,
        typer.Option("--publish/--no-publish", help="Also publish the results to replays.RUN."),
    ] = True,
    run: Annotated[str, typer.Option(help="The run's name; by default its time.")] = "",
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The run's files go to DIR/RUN.")
    ] = _RUNS,
    limit: Annotated[int, typer.Option(min=0, help="Stop after this many records; 0: all.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run a range of records through the enricher's code again, and compare with what it published.

    Offsets of the workers stay where they are. Exit code: 0 all identical, 1 differences, 2 error.
    """
    from workers.replays.replay import ReplayRequest  # noqa: PLC0415 (keeps --help fast)
    from workers.topic_range import parse_bound  # noqa: PLC0415

    try:
        now_ms = round(time.time() * 1_000)
        name = run or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        report = asyncio.run(
            _replayed(
                ReplayRequest(
                    run=name,
                    since=parse_bound(since, now_ms=now_ms),
                    until=parse_bound(until, now_ms=now_ms),
                    folder=output / name,
                    topic=topic,
                    publish=publish,
                    limit=limit,
                )
            )
        )
    except IntentstreamError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
    else:
        _show(report)
    raise typer.Exit(0 if report.tally.all_identical else 1)


async def _replayed(request: "ReplayRequest") -> "ReplayReport":
    from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of  # noqa: PLC0415
    from workers.enrichment.circuit_breaker import CircuitBreaker  # noqa: PLC0415
    from workers.replays.replay import replay as run_replay  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415
    from workers.triton import TritonModel  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    settings = load_settings()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    async with TritonModel(settings.triton) as model:
        breaker = CircuitBreaker(model.canary, patience_s=_OUTAGE_S)
        step = BatchEnrichment(enrichment_of(settings), model, breaker)
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            tasks: dict[str, object] = {}

            def progress(phase: str, done: int, total: int) -> None:
                if phase not in tasks:
                    tasks[phase] = bar.add_task(phase)
                bar.update(tasks[phase], completed=done, total=total)  # type: ignore[arg-type]  # rich's TaskID

            try:
                return await run_replay(settings, request, step.enrich, progress)
            finally:
                await breaker.close()


def _show(report: "ReplayReport") -> None:
    from workers.replays.comparison import Verdict  # noqa: PLC0415

    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    table = Table(title=f"Replay {report.request.run}: {report.records} records")
    table.add_column("topic")
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right")
    for topic, counts in sorted(report.tally.verdicts.items()):
        table.add_row(topic, *(f"{counts[verdict]:,}" for verdict in Verdict))
    console.print(table)
    for name, count in report.tally.fields.most_common(10):
        console.print(f"  changed in {count:,} events: {name}", markup=False)
    if report.published_by.keys() - report.replayed_by.keys():
        console.print(f"published by {_names(report.published_by)}", markup=False)
        console.print(f"replayed by  {_names(report.replayed_by)}", markup=False)
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
    if report.tally.all_identical:
        console.print(f"All {report.tally.total(Verdict.IDENTICAL):,} events are identical.")
    console.print(f"The run's files: {report.request.folder}", markup=False)
    if report.published_to is not None:
        console.print(f"Published to {report.published_to}", markup=False)


def _names(origins: dict[str, int]) -> str:
    return "; ".join(f"{origin} ({count:,})" for origin, count in origins.items())
