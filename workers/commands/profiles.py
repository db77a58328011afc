"""Commands about profiles: run the personalizer; show, erase, rebuild and check profiles."""

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workers.errors import ContractError, IntentstreamError
from workers.logs import log_to_stderr

if TYPE_CHECKING:
    from streams.profile_hash import UserFeatures
    from workers.profiles.topic_reading import Advance
    from workers.settings import Settings

_TELL_EVERY_S = 10.0
_USER = typer.Argument(metavar="USER", help="The user's id as your shop knows it, or a pseudonym.")


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("personalize", rich_help_panel="Workers")(personalize)
    app.command("profile", rich_help_panel="Profiles")(profile)
    app.command("forget", rich_help_panel="Profiles")(forget)
    app.command("rebuild-profiles", rich_help_panel="Profiles")(rebuild_profiles)
    app.command("check-profiles", rich_help_panel="Profiles")(check_profiles)


def personalize(
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT[,…]", help="Kafka's bootstrap servers.")
    ] = None,
    redis: Annotated[str | None, typer.Option(metavar="URL", help="Where profiles go.")] = None,
    prefix: Annotated[
        str | None, typer.Option(help="In front of the names of topics, the group and keys.")
    ] = None,
    redis_patience: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=1,
            max=900,
            help="How long to wait for a Redis that takes no writes, before giving up. Nothing "
            "is lost either way.",
        ),
    ] = 300.0,
) -> None:
    """Fold users.signals into profiles: to users.features and to Redis. Ctrl-C ends it.

    Each option stands for an INTENTSTREAM_… setting and wins over it; all
    others come from the environment or .env (see `intentstream config`).
    """
    from workers.profiles import personalizer  # noqa: PLC0415 (Faust is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    overrides: dict[str, Any] = {}
    if kafka is not None:
        overrides["kafka"] = {"bootstrap_servers": kafka}
    if redis is not None:
        overrides["redis"] = {"url": redis}
    if prefix is not None:
        overrides["prefix"] = prefix
    settings = load_settings(**overrides)
    log_to_stderr(settings.log_level)

    async def main() -> int:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await personalizer.run(settings, stop, redis_patience_s=redis_patience)

    handled = asyncio.run(main())
    logging.getLogger(__name__).info("stopped; %d signals handled", handled)


def profile(
    user: Annotated[str, _USER],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything, as one JSON object.")
    ] = False,
) -> None:
    """Show what is known of a user: interests, price band, recent intents."""
    from workers.settings import load_settings  # noqa: PLC0415

    features = asyncio.run(_read(load_settings(), user))
    if features is None:
        raise IntentstreamError(
            "Nothing is known of this user: never seen, expired or erased.",
            "Ids are taken as your shop writes them, case and all. Is the personalizer running?",
        )
    if as_json:
        import msgspec  # noqa: PLC0415

        typer.echo(msgspec.json.format(msgspec.json.encode(features)).decode())
        return
    from rich.console import Console  # noqa: PLC0415

    from workers.profiles.card import card  # noqa: PLC0415

    Console().print(card(features))


async def _read(settings: "Settings", user: str) -> "UserFeatures | None":
    from workers.profiles.reader import ProfileReader  # noqa: PLC0415

    async with ProfileReader.connect(settings) as reader:
        return (await reader.read([user])).found.get(user)


def forget(
    user: Annotated[str, _USER],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="How long to wait for the personalizer to do it."
        ),
    ] = 30.0,
) -> None:
    """Erase a user's profile, everywhere and for good: what was said before never comes back."""
    from workers.profiles import erasure  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    if not yes and not typer.confirm("Erase all that is known of this user?"):
        raise typer.Exit(1)
    proof = asyncio.run(erasure.forget(settings, user, wait_s=wait))
    for pseudonym in proof.pseudonyms:
        typer.echo(f"erasure published for {pseudonym}")
    if not proof.complete:
        raise ContractError(
            f"The profile was not seen to go within {wait:.0f} s; the erasure itself is safe in "
            f"{settings.topic_names.signals}.",
            "Is the personalizer running? It carries the erasure out as soon as it does.",
        )
    typer.echo("erased from Redis: only a marker is left, which tells nothing")
    typer.echo("tombstone published; compaction removes what users.features held before")
    typer.echo("removed by retention only: " + ", ".join(proof.kept_until_retention))


class Origin(StrEnum):
    """Where profiles are rebuilt from."""

    FEATURES = "features"
    SIGNALS = "signals"
    CORRECTIONS = "corrections"


def rebuild_profiles(
    source: Annotated[
        Origin,
        typer.Option(
            "--from",
            help="`features`: the profiles as published. `signals`: folded anew, with today's "
            "rules; brings back markers of erased users, and what users.features lacks. "
            "`corrections`: after `replay --publish-to`, the profiles of users whose queries it "
            "corrected.",
        ),
    ] = Origin.FEATURES,
) -> None:
    """Fill Redis with the profiles again, from Kafka. Safe beside live workers, and to repeat.

    One that was stopped or killed goes on where it was when the same command
    is given again. From corrections it goes the other way round: the profiles
    as they should be are published on users.signals, and the personalizer
    takes them over, to users.features and Redis.
    """
    from workers.profiles import rebuild  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415

    settings = load_settings()
    if source is Origin.CORRECTIONS:
        _correct(settings)
        return
    fill_redis = {
        Origin.FEATURES: rebuild.rebuild_from_features,
        Origin.SIGNALS: rebuild.rebuild_from_signals,
    }[source]
    with _progress("writing") as advance:
        done = asyncio.run(fill_redis(settings, advance))
    if done.resumed:
        typer.echo(f"{done.resumed} records were done by an earlier run that did not finish")
    typer.echo(
        f"{done.read} records read, {done.written} profiles written, {done.superseded} newer in "
        f"Redis already, {done.expired} expired"
    )
    if done.published:
        typer.echo(
            f"{done.published} profiles published that {settings.topic_names.features} lacked"
        )
    if done.left_out:
        typer.echo(
            f"{done.left_out} users left as they are: retention has taken the beginning of their "
            "log, and no snapshot reflects it"
        )


def _correct(settings: "Settings") -> None:
    from workers.profiles.corrections import correct_profiles  # noqa: PLC0415

    with _progress("folding") as advance:
        done = asyncio.run(correct_profiles(settings, advance))
    typer.echo(
        f"{done.users} users with corrected signals: {done.restated} profiles published as they "
        f"should be, {done.unchanged} right already"
    )
    if done.busy:
        typer.echo(
            f"{done.busy} users left as they are: something new was said, or waits for the "
            "personalizer; give the same command again"
        )
    if done.left_out:
        typer.echo(
            f"{done.left_out} users left as they are: retention has taken part of their log, or "
            "other rules made their profile"
        )


def check_profiles(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="The result as JSON.")] = False,
) -> None:
    """Compare every profile served with the offline fold of users.signals, bit for bit.

    Exits 1 when one differs. Safe beside live workers.
    """
    import msgspec  # noqa: PLC0415

    from workers.profiles.parity import check  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415

    with _progress("folding") as advance:
        parity = asyncio.run(check(load_settings(), advance))
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(parity)).decode())
    else:
        typer.echo(
            f"{parity.users} users: {parity.equal} equal, {parity.moved_on} moved on meanwhile, "
            f"{parity.behind} waiting for the personalizer, {parity.expired} expired, "
            f"{parity.left_out} not comparable, {len(parity.different)} different"
        )
        if parity.from_snapshot:
            typer.echo(f"  {parity.from_snapshot} of them from a snapshot: their log is cut")
        for name, where in sorted(parity.different.items()):
            typer.echo(f"  {name}  {where}")
    if parity.different:
        raise typer.Exit(1)


@contextmanager
def _progress(what: str) -> "Iterator[Advance]":
    """A progress bar on stderr, where that is a terminal; else a line now and then."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import MofNCompleteColumn, Progress  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Told(what)
        return
    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda read, total: bar.update(task, completed=read, total=total)


class _Told:
    """Says on stderr how far it is and how long the rest may take, every ten seconds."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = self._told = time.monotonic()

    def __call__(self, read: int, total: int) -> None:
        now = time.monotonic()
        if now - self._told < _TELL_EVERY_S or not read:
            return
        self._told = now
        left = (now - self._began) * (total - read) / read
        typer.echo(
            f"{self._what}: {read:,} of {total:,} records, about {left:.0f} s left", err=True
        )
