"""`intentstream replay`: a range of queries once more, against what was published."""

import asyncio
import json
import logging
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    from workers.replays.report import ReplayReport
    from workers.replays.request import ReplayRequest
    from workers.replays.verification import Verification

RUNS = Path(".intentstream/replays")
_FILE_WIDTH = 160  # columns of the table where there is no terminal to ask
_BOUND = "an ISO time, -2h, earliest, latest, or offsets such as 0:120,1:80"

_EPILOG = """
[bold]Examples[/bold]

  Would the last two hours come out the same today?
    [cyan]intentstream replay --from -2h[/cyan]

  What would change under version 2, beside live workers, from a sample of 5,000 queries?
    [cyan]intentstream replay --from -7d --model-version 2 --sample 5000 --share 0.3[/cyan]

  Is the run still what it was?
    [cyan]intentstream replay verify .intentstream/replays/RUN[/cyan]
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    group = typer.Typer(invoke_without_command=True, rich_markup_mode="rich", epilog=_EPILOG)
    group.callback()(replay)
    group.command("verify")(verify)
    group.command("keygen")(keygen)
    app.add_typer(group, name="replay", rich_help_panel="Audit")


def replay(  # noqa: PLR0913, PLR0917 (each is an option of the command line)
    context: typer.Context,
    since: Annotated[
        str, typer.Option("--from", metavar="BOUND", help=f"Where to begin: {_BOUND}")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="BOUND", help="Where to end, itself left out; likewise.")
    ] = "latest",
    topic: Annotated[
        str, typer.Option(help="The topic of queries or of actions; by default that of queries.")
    ] = "",
    user: Annotated[
        str, typer.Option(help="Only records of this user: a raw id or a pseudonym.")
    ] = "",
    intent: Annotated[
        str, typer.Option(help="Only queries that were published with this intent.")
    ] = "",
    sample: Annotated[
        int, typer.Option(min=0, help="Only so many records, by a hash of their positions.")
    ] = 0,
    limit: Annotated[
        int,
        typer.Option(min=0, help="Only the first so many, by partition and offset; 0: all."),
    ] = 0,
    model_version: Annotated[
        str,
        typer.Option(
            metavar="N|DIGEST",
            help="Replay with another version, loaded beside the live one and unloaded after; or "
            "with the digest of an archived model.",
        ),
    ] = "",
    tolerance: Annotated[
        float,
        typer.Option(
            min=0.0, max=1.0, help="Of scores, where the model or the settings were others."
        ),
    ] = 0.01,
    share: Annotated[
        float,
        typer.Option(
            min=0.01, max=1.0, help="Of the time that may go into work; below 1 it spares workers."
        ),
    ] = 1.0,
    publish: Annotated[
        bool,
        typer.Option("--publish/--no-publish", help="Also publish the results to replays.RUN."),
    ] = True,
    publish_to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOPIC",
            help="Back-fill: publish what changed once more on this topic (queries.intents, "
            "queries.entities), with a higher revision; with queries.intents also the signals "
            "for profiles. Asks before it does.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Of a back-fill only count what it would publish.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Back-fill without asking.")] = False,
    run: Annotated[str, typer.Option(help="The run's name; by default its time.")] = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that --run names.")
    ] = False,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="The run's files go to DIR/RUN.")
    ] = RUNS,
    explain: Annotated[
        bool, typer.Option("--explain/--no-explain", help="Explain the most telling examples.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run a range of records through the enricher's code again, and compare with what it published.

    Offsets of the workers stay where they are. The run's folder holds a
    report to look at, every difference, and a signed manifest. Exit code: 0
    all the same, 1 differences, 2 error.
    """
    if context.invoked_subcommand is not None:
        return
    if not since:
        raise typer.BadParameter("say where to begin, such as --from -2h", param_hint="--from")
    from workers.replays.request import ReplayRequest  # noqa: PLC0415 (keeps --help fast)
    from workers.topic_range import parse_bound  # noqa: PLC0415

    with _told():
        now_ms = round(time.time() * 1_000)
        if resume and not run:
            raise IntentstreamError("--resume needs the name of a run", "add --run NAME")
        if (dry_run or yes) and not publish_to:
            option = "--dry-run" if dry_run else "--yes"
            raise IntentstreamError(f"{option} is of a back-fill", "add --publish-to TOPIC")
        name = run or f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        begin = parse_bound(since, now_ms=now_ms)
        if begin.time_ms is not None and begin.time_ms > now_ms:
            raise IntentstreamError(f"--from {since} lies in the future", "choose an earlier one")
        request = ReplayRequest(
            run=name,
            since=begin,
            until=parse_bound(until, now_ms=now_ms),
            folder=output / name,
            topic=topic,
            publish=publish,
            limit=limit,
            user=user,
            intent=intent,
            sample=sample,
            share=share,
            tolerance=tolerance,
            model=model_version,
            correct=tuple(publish_to or ()),
            resume=resume,
        )
        report = asyncio.run(_replayed(request, dry_run=dry_run, yes=yes, explain=explain))
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=2, ensure_ascii=False))
    else:
        _show(report)
    raise typer.Exit(0 if report.tally.agrees else 1)


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run's folder, or its name.")],
    public_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="PEM file of the public key that you trust."),
    ] = None,
    files_only: Annotated[
        bool, typer.Option("--files-only", help="Leave Kafka out: signature and files alone.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the checks as JSON.")] = False,
) -> None:
    """Check a run again: its signature, its files, and what Kafka still has of what it read.

    Exit code: 0 nothing was changed, 1 something was, 2 it cannot be verified.
    """
    from workers.replays.keys import trusted_key  # noqa: PLC0415 (keeps --help fast)
    from workers.replays.verification import verify as run_verify  # noqa: PLC0415
    from workers.replays.verification import verify_files  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    with _told():
        folder = run if run.is_dir() or len(run.parts) > 1 else RUNS / run
        settings = load_settings()
        key = trusted_key(settings, public_key, folder.parent)
        if files_only:
            found, _ = verify_files(folder, key)
        else:
            found = asyncio.run(run_verify(settings, folder, key))
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        _show_checks(found)
    raise typer.Exit(0 if found.holds else 1)


def keygen(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the two files go.")] = Path(),
) -> None:
    """Make a key pair: the private key signs runs, the public one goes to who verifies them."""
    from workers.replays.keys import make_pair  # noqa: PLC0415 (keeps --help fast)
    from workers.replays.signing import fingerprint, public_key  # noqa: PLC0415

    with _told():
        private, public = make_pair(folder)
        typer.echo(f"{private}: keep it secret, and name it in INTENTSTREAM_AUDIT__SIGNING_KEY")
        typer.echo(f"{public}: give it to whoever verifies runs")
        typer.echo(f"fingerprint {fingerprint(public_key(public))}")


@contextmanager
def _told() -> Iterator[None]:
    """Errors in plain words, with the exit code 2: 1 says that there are differences."""
    try:
        yield
    except IntentstreamError as error:
        typer.secho(f"Error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error


async def _replayed(
    request: "ReplayRequest", *, dry_run: bool, yes: bool, explain: bool
) -> "ReplayReport":
    from workers.replays.model_in_use import model_in_use  # noqa: PLC0415
    from workers.replays.replay import replay as run_replay  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415

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
    async with model_in_use(settings, request.model) as model:
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            tasks: dict[str, object] = {}

            def progress(phase: str, done: int, total: int) -> None:
                if phase not in tasks:
                    tasks[phase] = bar.add_task(phase)
                bar.update(tasks[phase], completed=done, total=total)  # type: ignore[arg-type]  # rich's TaskID

            def confirm(counts: Mapping[str, int]) -> bool:
                bar.stop()
                on = ", ".join(f"{count:,} on {topic}" for topic, count in counts.items())
                what = f"{sum(counts.values()):,} events would be published: {on}"
                if dry_run:
                    console.print(f"{what} (dry run)", markup=False)
                    return False
                return yes or typer.confirm(f"{what}. Publish them?", err=True)

            return await run_replay(
                settings,
                request,
                model.enrich,
                progress,
                confirm,
                model.explain if explain else None,
            )


def _show(report: "ReplayReport") -> None:
    from workers.replays.report_page import headline  # noqa: PLC0415

    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    _show_events(console, report)
    _show_differences(console, report)
    if report.left_out:
        console.print(f"{report.left_out:,} records were left out by --user, --intent or --sample.")
    if report.erased:
        console.print(f"{report.erased:,} records of erased users were not replayed.")
    for note in report.notes:
        console.print(f"note: {note}", markup=False)
    console.print(headline(report), markup=False)
    console.print(f"The run's files: {report.request.folder}", markup=False)
    if report.published_to is not None:
        console.print(f"Published to {report.published_to}", markup=False)
    if report.request.correct:
        console.print(
            f"Corrections: {report.to_correct:,} found, {report.corrected:,} published",
            markup=False,
        )


def _show_events(console: Console, report: "ReplayReport") -> None:
    from workers.replays.comparison import Verdict  # noqa: PLC0415

    table = Table(title=f"Replay {report.request.run}: {report.records:,} records")
    table.add_column("topic")
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right")
    for topic, counts in sorted(report.tally.verdicts.items()):
        table.add_row(topic, *(f"{counts[verdict]:,}" for verdict in Verdict))
    if table.row_count:
        console.print(table)


def _show_differences(console: Console, report: "ReplayReport") -> None:
    total, flips = report.agreement.total, report.flips
    if total.queries and not report.tally.all_identical:
        console.print(
            f"Of {total.queries:,} queries {flips['intent']:,} flip their intent, "
            f"{flips['sentiment']:,} their sentiment; {flips['entities']:,} have other entities; "
            f"{report.drifted:,} move in score only.",
            markup=False,
        )
        _show_intents(console, report)
    for kind, count in report.tally.kinds.most_common():
        console.print(f"  {count:,} events differ in {kind.value}", markup=False)
    made = {"published by": report.published_by, "replayed by ": report.replayed_by}
    if report.published_by.keys() != report.replayed_by.keys():
        for what, origins in made.items():
            console.print(f"{what} {_names(origins) or 'nobody'}", markup=False)


def _show_intents(console: Console, report: "ReplayReport") -> None:
    table = Table(title="Agreement by published intent")
    table.add_column("intent")
    for name in ("queries", "same intent", "same entities", "same sentiment"):
        table.add_column(name, justify="right")
    by = report.agreement.by.get("intent", {})
    for label, one in sorted(by.items(), key=lambda item: -item[1].queries):
        shares = (one.intent, one.entities, one.sentiment)
        table.add_row(
            label, f"{one.queries:,}", *(f"{share / one.queries:.2%}" for share in shares)
        )
    console.print(table)


def _show_checks(found: "Verification") -> None:
    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else _FILE_WIDTH)
    for check in found.checks:
        console.print(f"{check.finding.value:>9}  {check.name}: {check.detail}", markup=False)
    console.print(
        f"The run {found.run} is what it was."
        if found.holds
        else f"The run {found.run} was changed.",
        markup=False,
    )


def _names(origins: dict[str, int]) -> str:
    return "; ".join(f"{origin} ({count:,})" for origin, count in origins.items())
