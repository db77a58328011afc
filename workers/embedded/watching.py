"""The loops that show a running system: a screen or lines, and the progress of a feed."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TextIO

from aiokafka.errors import KafkaError
from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from workers.embedded.feed import Feed
from workers.embedded.tail import Lag, Tail
from workers.embedded.view import line, screen, status_line
from workers.embedded.view_state import ViewState
from workers.settings import Settings

_STATUS_EVERY_S = 5.0
_LAG_EVERY_S = 1.0
_FRAMES_PER_S = 8
_PLAIN_PROGRESS_EVERY_S = 2.0


class Watch:
    """Follows what is published and shows it until cancelled.

    Args:
        settings: of the running system.
        opened: set once nothing that is published can be missed.
        names: of users, by their pseudonym, where they may be shown.
    """

    def __init__(self, settings: Settings, opened: asyncio.Event, names: Mapping[str, str]) -> None:
        self._settings = settings
        self._opened = opened
        self.state = ViewState(settings.topic_names, names=names)

    async def lines(self, out: TextIO) -> None:
        """One line an event, and every few seconds one that sums up."""
        loop = asyncio.get_running_loop()
        async with self._following() as tail:
            reported = loop.time()
            try:
                while True:
                    now = loop.time()
                    for record in await tail.batch():
                        seen = self.state.fold(record, now)
                        if seen is not None:
                            print(line(seen, self.state.names), file=out)
                    if now - reported >= _STATUS_EVERY_S:
                        reported = now
                        print(status_line(self.state, now), file=out)
                    out.flush()
            finally:
                print(status_line(self.state, loop.time()), file=out, flush=True)

    async def screen(self, console: Console, *, title: str, footer: str) -> None:
        """The whole terminal, some times a second; it is as it was afterwards."""
        loop = asyncio.get_running_loop()
        async with self._following() as tail:
            try:
                with Live(console=console, screen=True, auto_refresh=False) as live:
                    while True:
                        for record in await tail.batch(wait_ms=1000 // _FRAMES_PER_S):
                            self.state.fold(record, loop.time())
                        size = console.size
                        drawn = screen(
                            self.state,
                            now=loop.time(),
                            width=size.width,
                            height=size.height,
                            title=title,
                            footer=footer,
                        )
                        live.update(drawn, refresh=True)
                        await asyncio.sleep(0.02)  # a full topic must not take all of the processor
            finally:
                console.print(status_line(self.state, loop.time()), markup=False, highlight=False)

    @asynccontextmanager
    async def _following(self) -> AsyncIterator[Tail]:
        """What the view reads; meanwhile the lag is kept up to date."""
        settings, topics = self._settings, self._settings.topic_names
        groups = {
            "enricher": (settings.group_id("enricher"), (topics.raw, topics.actions)),
            "personalizer": (settings.group_id("personalizer"), (topics.signals,)),
        }
        shown = (topics.intents, topics.dead, topics.features)
        async with Tail.of(settings.kafka, shown) as tail, Lag.of(settings.kafka, groups) as lag:
            self._opened.set()
            polling = asyncio.create_task(self._poll(lag))
            try:
                yield tail
            finally:
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)

    async def _poll(self, lag: Lag) -> None:
        while True:
            # a broker that is away for a moment must not end the view
            with contextlib.suppress(KafkaError):
                self.state.lag = await lag.now()
            await asyncio.sleep(_LAG_EVERY_S)


async def feed_progress(feed: Feed, *, plain: bool) -> None:
    """Shows how far a feed is on stderr, until cancelled."""
    if plain or not sys.stderr.isatty():
        while True:
            await asyncio.sleep(_PLAIN_PROGRESS_EVERY_S)
            print(_fed(feed), file=sys.stderr, flush=True)
    columns = (
        TextColumn("[bold]feeding"),
        BarColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        task = progress.add_task("feeding", total=None, note="")
        while True:
            share = feed.fed_share
            # what has been read but has not come out yet is not done
            done = None if share is None else share * feed.settled / max(1, feed.read)
            total = None if done is None else 1.0
            progress.update(task, total=total, completed=done, note=_fed(feed))
            await asyncio.sleep(0.1)


def _fed(feed: Feed) -> str:
    lines = f"{feed.settled} of {feed.read} lines read are out, {feed.dead} of them dead"
    return lines + (f"; {feed.signals_behind} signals to profiles" if feed.signals_behind else "")
