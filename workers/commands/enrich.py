"""`intentstream enrich`: the enricher as a process of its own."""

import asyncio
import gc
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.logs import log_to_stderr

if TYPE_CHECKING:
    from workers.enrichment.enricher import Enricher
    from workers.settings import Settings

_SIGNALLED = 128  # what a shell adds to the number of the signal that ended a program

_COLLECT = 50_000, 20, 20
"""Records make garbage by the thousand, but none in cycles: Python's own 700 costs a tenth more."""

_EPILOG = """
[bold]Examples[/bold]

  From the environment, as in production:
    [cyan]intentstream enrich[/cyan]

  The first time against a cluster, where the group has no committed offsets yet:
    [cyan]intentstream enrich --kafka broker:9092 --triton triton:8001 --from earliest[/cyan]

Exit codes: 0 stopped by SIGTERM or SIGINT, 1 failed (the message says what to do), 2 wrong usage.
A second signal ends it at once; what was in flight is then read again by the next worker.
"""


def enrich(
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT[,…]", help="Kafka's bootstrap servers.")
    ] = None,
    triton: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Triton's gRPC endpoint.")
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help="In front of the names of topics and the group.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="earliest|latest|time:ISO8601",
            help="Where to begin a partition without a committed offset. Committed ones win.",
        ),
    ] = None,
    *,
    skip_lost: Annotated[
        bool,
        typer.Option(
            "--skip-lost",
            help="Where retention has deleted records before they were read, go on with the "
            "oldest there is. Without it that is an error.",
        ),
    ] = False,
    stats_every: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Between two statistics; 0: none.")
    ] = 10.0,
) -> None:
    """Read queries and actions, publish what they mean. Run as many as there are partitions.

    Each option stands for an INTENTSTREAM_… setting and wins over it; all
    others come from the environment or .env (see `intentstream config`).
    Statistics go to stderr as lines of JSON.
    """
    from workers.settings import load_settings  # noqa: PLC0415 (a fast --help)

    overrides: dict[str, Any] = {}
    if kafka is not None:
        overrides["kafka"] = {"bootstrap_servers": kafka}
    if triton is not None:
        overrides["triton"] = {"address": triton}
    if prefix is not None:
        overrides["prefix"] = prefix
    if start is not None:
        overrides["start"] = start
    settings = load_settings(**overrides)
    log_to_stderr(settings.log_level)
    asyncio.run(_enrich(settings, skip_lost=skip_lost, stats_every=stats_every))


async def _enrich(settings: "Settings", *, skip_lost: bool, stats_every: float) -> None:
    from workers.enrichment.enricher import Enricher  # noqa: PLC0415 (Kafka's and Triton's clients are slow)

    gc.set_threshold(*_COLLECT)
    enricher = Enricher(settings, skip_lost=skip_lost, stats_every_s=stats_every)
    _stop_on_signals(enricher)
    await enricher.run()


def _stop_on_signals(enricher: "Enricher") -> None:
    """The first SIGTERM or SIGINT ends the worker in order, the second at once."""
    loop = asyncio.get_running_loop()
    asked = False

    def on_signal(number: int) -> None:
        nonlocal asked
        if asked:
            sys.stderr.flush()
            os._exit(_SIGNALLED + number)
        asked = True
        logging.getLogger(__name__).info("stopping; a second signal stops at once")
        enricher.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("enrich", rich_help_panel="Workers", epilog=_EPILOG)(enrich)
