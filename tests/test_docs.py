"""What the pages promise: settings, commands, links and reasons that there are."""

import re
from pathlib import Path

import pytest
import typer.main

from streams.deadletters import DeadReason
from streams.schemas import EVENTS
from workers.cli import app
from workers.settings import OTHER_VARIABLES, variables

_ROOT = Path(__file__).parents[1]
_PAGES = sorted([*_ROOT.glob("*.md"), *(_ROOT / "docs").glob("*.md")])
_VARIABLE = re.compile(r"INTENTSTREAM_[A-Z0-9_]*[A-Z0-9]")
_COMMAND = re.compile(r"(?:^|[`$(] ?)intentstream ([a-z-]+)(?: ([a-z][a-z-]*))?", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")

_pages = pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.name)


@_pages
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {variable for variable, _, _ in variables()} | OTHER_VARIABLES
    named = set(_VARIABLE.findall(page.read_text()))
    unknown = {
        name for name in named - known if not any(one.startswith(f"{name}__") for one in known)
    }
    assert unknown == set()


@_pages
def test_every_command_that_is_named_exists(page: Path) -> None:
    commands = typer.main.get_group(app).commands
    unknown = []
    for name, rest in _COMMAND.findall(page.read_text()):
        inner = getattr(commands.get(name), "commands", None)
        if name not in commands or (inner is not None and rest and rest not in inner):
            unknown.append(f"{name} {rest}")
    assert unknown == []


@_pages
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_the_page_on_events_names_each_event_and_each_reason() -> None:
    text = (_ROOT / "docs" / "events.md").read_text()
    assert set(re.findall(r"^\| `([a-z_]+)` \| ", text, re.MULTILINE)) == set(DeadReason)
    for event in EVENTS:
        assert f"schemas/{event.name}.json" in text
