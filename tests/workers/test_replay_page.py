"""The report: whole, self-contained, nothing unescaped, and what a reviewer looks for is on it."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from streams.events import QueryUnderstood, encode
from streams.records import OutputRecord
from tests.workers.replay_rig import (
    ask,
    asked_and_published,
    enriched,
    replayed,
    request,
    send,
    step,
)
from tests.workers.test_replay_versions import _RED, _query
from workers.errors import UnreachableError
from workers.replays import plots
from workers.replays.files import PAGE
from workers.replays.marked_query import both, marked
from workers.replays.replay import EXPLAINED, replay
from workers.settings import Settings

_VOID = {"meta", "br"}
_EVIL = "<script>alert(1)</script> \"quoted\" & 'it'"


class _Strict(HTMLParser):
    """Every tag that opens is closed, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _parsed(page: str) -> _Strict:
    parser = _Strict()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def _references(page: str) -> Iterator[str]:
    for tag, attributes in _parsed(page).seen:
        for name in ("src", "href", "action", "data", "srcset"):
            if attributes.get(name):
                yield f"{tag} {attributes[name]}"


async def test_a_page_is_whole_and_needs_nothing_from_elsewhere(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 80)
    report = await replayed(settings, tmp_path, salt=1)
    page = (report.request.folder / PAGE).read_text()
    parsed = _parsed(page)
    assert all(one.startswith("a #") for one in _references(page))
    assert not {"script", "link", "iframe", "img", "object"} & {tag for tag, _ in parsed.seen}
    assert "url(" not in page
    assert "@import" not in page
    tags = [tag for tag, _ in parsed.seen]
    assert tags.count("svg") >= 3
    assert tags.count("article") == 40
    words = " ".join(parsed.text)
    for part in (
        "another intent",
        "Agreement by intent",
        "hash chain",
        "sha256:1",
        "product_search",
    ):
        assert part in words
    assert ids_of(page) >= {one.removeprefix("a #") for one in _references(page)}


def ids_of(page: str) -> set[str]:
    return {attributes["id"] or "" for _, attributes in _parsed(page).seen if "id" in attributes}


async def test_a_page_of_an_identical_run_says_so(settings: Settings, tmp_path: Path) -> None:
    await asked_and_published(settings, 5)
    report = await replayed(settings, tmp_path)
    words = " ".join(_parsed((report.request.folder / PAGE).read_text()).text)
    assert "are identical, byte for byte" in words
    assert "There are no differences to show" in words


async def test_an_empty_run_has_a_page(settings: Settings, tmp_path: Path) -> None:
    report = await replayed(settings, tmp_path)
    words = " ".join(_parsed((report.request.folder / PAGE).read_text()).text)
    assert "Nothing was published or replayed" in words


async def test_a_run_whose_filters_leave_nothing_says_so(
    settings: Settings, tmp_path: Path
) -> None:
    await asked_and_published(settings, 5)
    report = await replayed(settings, tmp_path, user="nobody")
    words = " ".join(_parsed((report.request.folder / PAGE).read_text()).text)
    assert "None of the 5 records of this range is what was asked for" in words


async def test_what_a_shopper_typed_is_text_on_the_page(settings: Settings, tmp_path: Path) -> None:
    await ask(settings, [json.dumps({"text": _EVIL, "query_id": "<b>q</b>"}).encode()])
    published = await enriched(settings)
    await send(settings, published)
    report = await replayed(settings, tmp_path, salt=1)
    page = (report.request.folder / PAGE).read_text()
    assert "<script" not in page
    assert "<b>q</b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    _parsed(page)


async def test_tampered_events_do_not_break_the_page(settings: Settings, tmp_path: Path) -> None:
    """Labels and offsets that no enricher would publish."""
    await ask(settings, [b'{"text":"red shoes","user_id":"u"}'])
    events = [one for one in await enriched(settings) if one.topic == settings.topic_names.intents]
    value = msgspec.json.decode(events[0].value or b"", type=QueryUnderstood)
    wrong = msgspec.structs.replace(
        value,
        intent=msgspec.structs.replace(value.intent, label="<i>x</i>"),
        entities=(msgspec.structs.replace(_RED, start=5, end=99, type='"><script>'), _RED, _RED),
    )
    await send(
        settings, [OutputRecord(events[0].topic, events[0].key, encode(wrong), events[0].headers)]
    )
    report = await replayed(settings, tmp_path)
    page = (report.request.folder / PAGE).read_text()
    assert "<script" not in page
    assert "<i>x</i>" not in page
    assert "red shoes" in re.sub(r"\s+", " ", " ".join(_parsed(page).text)).replace("color ", "")


async def test_the_most_telling_examples_are_explained(settings: Settings, tmp_path: Path) -> None:
    """The page asks for each of the first ones; what fails there does not fail the run."""
    await asked_and_published(settings, 30)
    asked: list[int] = []

    async def explain(_record: object) -> None:
        asked.append(1)

    async def broken(_record: object) -> None:
        raise UnreachableError("the model went away")

    enrich = step(settings, 1).enrich
    for how in (explain, broken):
        report = await replay(settings, request(tmp_path), enrich, lambda *_: None, explain=how)
        assert (report.request.folder / PAGE).exists()
    assert len(asked) == EXPLAINED
    assert any("not explained: the model went away" in note for note in report.notes)


# --- pieces


def test_entities_are_marked_and_differences_stand_out() -> None:
    page = both(_query(), _query(entities=(msgspec.structs.replace(_RED, type="modifier"),)))
    _parsed(page)
    assert page.count("<mark") == 3
    assert page.count("differs") == 3
    assert "entity relabelled: “red” color → modifier" in page
    assert "entity lost: core_product_type “shoes”" in page
    assert "differs" not in marked(_query(), _query())


@pytest.mark.parametrize(
    "figure",
    [
        plots.confusion({("a<b", "a<b"): 5, ("a<b", 'c"'): 2_000}),
        plots.shifts({0: 3, 7: 12_345}),
        plots.scores({(0, 0): 1, (19, 3): 200}),
        plots.bars([("red & <blue>", 0.4), ("x" * 50, -0.2), ("", 0.0)], "about"),
        plots.shifts({}),
        plots.bars([], ""),
    ],
)
def test_a_plot_is_well_formed(figure: str) -> None:
    root = ET.fromstring(figure)  # noqa: S314 (our own)
    assert root.tag == "svg"
    assert float(root.attrib["width"]) > 0


def test_nothing_to_confuse_is_no_plot() -> None:
    assert plots.confusion({}) == ""
