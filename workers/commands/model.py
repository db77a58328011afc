"""`intentstream model`: versions of the model; try one beside the live one, switch, switch back."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from streams.events import ModelVersion
    from workers.models.archive import Archived
    from workers.models.control import Loaded, ModelControl
    from workers.models.repository import ModelRepository

_FILE_WIDTH = 160  # columns of the table where there is no terminal to ask
_SHORT = 19  # of "sha256:" and a digest, in tables
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
_Which = Annotated[
    str,
    typer.Argument(
        metavar="VERSION", help="A number in the repository, or the digest of an archived version."
    ),
]
Found = TypeVar("Found")

_EPILOG = """
[bold]Examples[/bold]

  A new version was exported. Load it beside the live one, and see what it would change:
    [cyan]intentstream model load 2[/cyan]
    [cyan]intentstream replay --from -2h --model-version 2[/cyan]

  Serve it, without a refused query; and back again:
    [cyan]intentstream model promote 2[/cyan]
    [cyan]intentstream model rollback[/cyan]

  The repository and the archive are INTENTSTREAM_TRITON__REPOSITORY and …__ARCHIVE.
"""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(
        help="Versions of the model: list, load beside the live one, promote, roll back.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        epilog=_EPILOG,
    )
    for command in (status, load, unload, promote, rollback):
        group.command()(command)
    group.command("list")(list_versions)
    app.add_typer(group, name="model", rich_help_panel="Model")


def list_versions(*, as_json: _JSON = False) -> None:
    """The versions in the repository and in the archive."""
    from workers.models.archive import ModelArchive  # noqa: PLC0415 (keeps --help fast)
    from workers.models.repository import ModelRepository  # noqa: PLC0415
    from workers.settings import load_settings  # noqa: PLC0415

    settings = load_settings().triton
    repository, archive = ModelRepository(settings.repository), ModelArchive(settings.archive)
    rows = _versions(repository, archive.versions())
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("version", "encoders", "state", "archived", "answers signed")
    for row in rows:
        table.add_row(
            str(row["version"] or "-"),
            " ".join(f"{language}:{n}" for language, n in row["encoders"].items()),
            " ".join(state for state in ("live", "damaged") if row[state]),
            row["content"][:12] if row["archived"] else "",
            " ".join(digest[:_SHORT] for digest in row["digests"]),
        )
    _console().print(table)


def _versions(repository: "ModelRepository", archived: "list[Archived]") -> list[dict[str, Any]]:
    """Each content once: those in the repository by number, then those in the archive alone."""
    kept = {entry.content: entry for entry in archived}
    rows: list[dict[str, Any]] = []
    for version, content in repository.contents():
        entry = kept.pop(content, None) if content else None
        rows.append(
            {
                "version": version.number,
                "content": content,
                "encoders": version.encoders,
                "live": version.number == repository.served,
                "damaged": content is None,
                "archived": entry is not None,
                "digests": list(entry.digests) if entry else [],
            }
        )
    rows += [
        {
            "version": None,
            "content": entry.content,
            "encoders": entry.encoders,
            "live": False,
            "damaged": False,
            "archived": True,
            "digests": list(entry.digests),
        }
        for entry in kept.values()
    ]
    return rows


def status(*, as_json: _JSON = False) -> None:
    """What Triton serves, and what the workers are pinned to. Exits 1 when these don't agree.

    The version that answers is also to be the one that the repository is set to.
    """

    async def ask(control: "ModelControl") -> "tuple[ModelVersion, list[Loaded]]":
        return await control.served(), await control.loaded()

    (answered, loaded), control = _with_control(ask)
    pinned = control.settings.model_version
    facts = {
        "triton": control.settings.address,
        "live": {
            "name": answered.name,
            "version": answered.version,
            "digest": answered.digest,
        },
        "configured": control.repository.served,
        "workers_pin": pinned or None,
        "before": control.repository.history,
        "models": [
            {"name": m.name, "version": m.version, "state": m.state, "reason": m.reason}
            for m in loaded
        ],
    }
    configured = answered.version == str(control.repository.served)
    if as_json:
        typer.echo(json.dumps(facts, indent=2))
    else:
        _print_status(facts, loaded)
        if not configured:
            typer.echo(
                f"the repository is set to version {control.repository.served}: "
                f"intentstream model promote {control.repository.served} loads it"
            )
    pinned_to_it = _checked_pin(answered, control)
    raise typer.Exit(0 if configured and pinned_to_it else 1)


def _print_status(facts: dict[str, Any], loaded: "list[Loaded]") -> None:
    live = facts["live"]
    typer.echo(f"{live['name']} version {live['version']} answers at {facts['triton']}")
    typer.echo(f"digest       {live['digest']}")
    typer.echo(f"workers pin  {facts['workers_pin'] or 'no version: they call the live one'}")
    before = facts["before"]
    typer.echo(f"rollback to  {before[-1] if before else 'nothing: none was promoted'}")
    table = Table("on Triton", "version", "state", "")
    for model in loaded:
        table.add_row(model.name, model.version, model.state, model.reason)
    _console().print(table)


def load(which: _Which) -> None:
    """Load a version beside the live one, under a name of its own."""
    (name, answered), _ = _with_control(lambda control: control.load(which))
    typer.echo(f"loaded {name}; its answers carry {answered.digest}")
    typer.echo(f"intentstream model unload {answered.version} takes it away again")


def unload(
    which: Annotated[
        str, typer.Argument(metavar="VERSION", help="The candidate's number, or its whole name.")
    ],
) -> None:
    """Take a candidate away again; its version stays in the repository."""
    _with_control(lambda control: control.unload(which))
    typer.echo("unloaded")


def promote(which: _Which) -> None:
    """Make a version the live one; the one before serves until the new one has answered."""
    answered, control = _with_control(lambda control: control.promote(which))
    _told(answered, control)


def rollback() -> None:
    """Make the version live that was so before the last promotion."""
    answered, control = _with_control(lambda control: control.rollback())
    _told(answered, control)


def _told(answered: "ModelVersion", control: "ModelControl") -> None:
    typer.echo(f"version {answered.version} is live; its answers carry {answered.digest}")
    _checked_pin(answered, control)


def _checked_pin(answered: "ModelVersion", control: "ModelControl") -> bool:
    """Whether workers with these settings can call the live model; says on stderr if not."""
    pinned = control.settings.model_version
    if pinned in ("", answered.version):
        return True
    typer.echo(
        f"workers with these settings are pinned to version {pinned}, which is not served: set "
        "INTENTSTREAM_TRITON__MODEL_VERSION anew, or leave it out",
        err=True,
    )
    return False


def _with_control(
    ask: "Callable[[ModelControl], Awaitable[Found]]",
) -> "tuple[Found, ModelControl]":
    """Asks Triton; the answer, and the control that it was asked through."""
    from workers.models.control import ModelControl  # noqa: PLC0415 (gRPC is slow to import)
    from workers.settings import load_settings  # noqa: PLC0415

    control = ModelControl(load_settings().triton)

    async def asked() -> Found:
        async with control:
            return await ask(control)

    return asyncio.run(asked()), control


def _console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_FILE_WIDTH)
