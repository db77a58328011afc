"""`intentstream keys`: the rotation of the pseudonym key."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from workers.settings import Settings


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Rotate the key of the pseudonyms.", no_args_is_help=True)
    group.command("rotate")(rotate)
    group.command("carry")(carry)
    app.add_typer(group, name="keys", rich_help_panel="Profiles")


def rotate(
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Make the key, and write the settings to roll out into this new file, which only "
            "you can read. Without it nothing is made; no secret is ever printed.",
        ),
    ] = None,
) -> None:
    """Show the steps of a rotation of the pseudonym key; with --write, begin it."""
    from workers.profiles import key_rotation  # noqa: PLC0415 (Kafka's client is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    variables = key_rotation.new_key(settings)
    old, new = settings.pseudonyms.key_id, key_rotation.next_key_id(settings.pseudonyms.key_id)
    if write is not None:
        key_rotation.write_settings(write, variables)
    typer.echo(f"rotation of the pseudonym key: {old} to {new}")
    for number, step in enumerate(_steps(settings, write), 1):
        typer.echo(f"{number}. {step}")
    if write is None:
        typer.echo("nothing was changed; begin with: intentstream keys rotate --write FILE")


def _steps(settings: "Settings", file: Path | None) -> tuple[str, ...]:
    made = f"made: the new key and these settings are in {file}" if file else "make the new key"
    carry_them = (
        "intentstream keys carry IDS --dry-run, then without it; IDS: your shop's user ids, one a "
        f"line. It carries what {settings.topic_names.signals} still holds"
    )
    until = (
        f"when no profile under {settings.pseudonyms.key_id} is left or wanted (one without news "
        f"goes after {settings.profile.ttl_days:g} days), unset the two PREVIOUS settings and "
        "destroy the old key"
    )
    return (
        made,
        "stop the enrichers (queries wait in Kafka); personalizers may go on, they need no key",
        f"give {file or 'FILE'} to all enrichers, readers and commands, in place of the old key",
        carry_them,
        "start the enrichers",
        until,
    )


def carry(
    ids: Annotated[
        typer.FileBinaryRead,
        typer.Argument(metavar="IDS", help="File of user ids, one a line; - reads stdin."),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count only; publish nothing.")
    ] = False,
) -> None:
    """Carry users from the previous pseudonym key to the active one. Safe to repeat.

    Stop the enrichers first. The profiles follow as the personalizer reads.
    """
    from workers.profiles import key_rotation  # noqa: PLC0415 (Kafka's client is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    done = asyncio.run(
        key_rotation.carry(load_settings(), key_rotation.user_ids(ids), dry_run=dry_run)
    )
    will = "to be " if dry_run else ""
    typer.echo(f"{done.users} user ids, {done.known} of them with signals under the previous key")
    typer.echo(f"{done.signals} signals {will}carried, {done.already} carried before")
    typer.echo(f"{done.erased} previous names {will}erased")
    if done.late:
        typer.echo(
            f"{done.late} users have signals under the active key already: what is older counts "
            "as far as it can be told from a repeat"
        )
    if done.cut:
        typer.echo("retention has taken the oldest signals: what only they said is not carried")
