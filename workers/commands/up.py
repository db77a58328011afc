"""`intentstream up`: the whole system on one machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workers.embedded.session import UpOptions

_PARTS = "Parts by address"
_INPUT = "A file instead of sample traffic"
_SAMPLE = "Sample traffic"


def up(  # noqa: PLR0913 (each is an option of the command)
    *,
    plain: Annotated[
        bool,
        typer.Option("--plain", help="Lines instead of a screen. By itself without a terminal."),
    ] = False,
    exit_after: Annotated[
        float | None,
        typer.Option(min=0.1, metavar="SECONDS", help="Stop this long after everything is up."),
    ] = None,
    input_path: Annotated[
        str | None,
        typer.Option(
            "--input",
            metavar="FILE",
            help="Feed this file of raw queries, one a line: JSON or plain text; - is stdin.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    input_format: Annotated[
        str,
        typer.Option(
            metavar="auto|jsonl|text",
            help="How the file is written. auto: JSON lines when at least half of the first 1,000 "
            "are JSON objects, or one is and the name ends in .jsonl.",
            rich_help_panel=_INPUT,
        ),
    ] = "auto",
    until_drained: Annotated[
        bool,
        typer.Option(
            "--until-drained",
            help="Wait until the whole file is processed, print a summary as JSON on stdout, and "
            "stop. Exits 0 only if every line came out, enriched or as a dead letter.",
            rich_help_panel=_INPUT,
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Keep what is published: one JSONL file a topic.",
            rich_help_panel=_INPUT,
        ),
    ] = None,
    kafka: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Use this Kafka. Its security comes from INTENTSTREAM_KAFKA__… settings.",
            rich_help_panel=_PARTS,
        ),
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Use this Redis.", rich_help_panel=_PARTS),
    ] = None,
    triton: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Use this Triton (gRPC).", rich_help_panel=_PARTS),
    ] = None,
    traffic: Annotated[
        bool | None,
        typer.Option(
            "--traffic/--no-traffic",
            help="Send sample queries and actions. By itself only into our own Kafka.",
            rich_help_panel=_SAMPLE,
        ),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(min=0.01, max=1000, help="Records a second.", rich_help_panel=_SAMPLE),
    ] = 3.0,
    seed: Annotated[
        int | None,
        typer.Option(
            help="Equal seeds give equal traffic; without one it differs each time.",
            rich_help_panel=_SAMPLE,
        ),
    ] = None,
    run_dir: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Where data, logs and keys of this run are kept."),
    ] = Path(".intentstream"),
    model_repository: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Serve these models instead of the shipped ones."),
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Enricher processes that share the work.")
    ] = 1,
) -> None:
    """Run everything on this machine: servers, workers, sample traffic and a live view.

    Starts Apache Kafka, Triton and Valkey on loopback and free ports, the
    enricher and the personalizer as processes of their own, and stops it all
    at Ctrl-C. Nothing outlives it.

    [bold]Examples[/bold]

    A live view of sample traffic:

        intentstream up

    For a minute, without a terminal:

        intentstream up --plain --exit-after 60

    A file of queries; the summary goes to stdout, what was published to a
    folder:

        intentstream up --input queries.jsonl --until-drained --output out/

    Against a Kafka of your own:

        intentstream up --kafka broker:9092 --no-traffic
    """
    import logging  # noqa: PLC0415

    from workers.embedded import session  # noqa: PLC0415 (Kafka's client is slow to import)
    from workers.embedded.input_file import InputFormat  # noqa: PLC0415

    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # our own errors say it better
    try:
        recognised = InputFormat(input_format)
    except ValueError:
        raise typer.BadParameter("use auto, jsonl or text", param_hint="--input-format") from None
    options: UpOptions = session.UpOptions(
        run_dir=run_dir,
        model_repository=model_repository,
        plain=plain,
        exit_after_s=exit_after,
        kafka=kafka,
        redis=redis,
        triton=triton,
        input_path=input_path,
        input_format=recognised,
        until_drained=until_drained,
        output=output,
        traffic=traffic,
        rate=rate,
        seed=seed,
        enrichers=workers,
    )
    raise typer.Exit(session.run(options))


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("up", rich_help_panel="Run")(up)
