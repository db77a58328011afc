"""A user's profile as a card on the terminal."""

from datetime import datetime

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.profile_hash import UserFeatures, WeightedValues

_ROWS = 4
_BAR = 20
_TITLES = {
    "product_types": "looks for",
    "brands": "brands",
    "colors": "colours",
    "materials": "materials",
    "sizes": "sizes",
    "occasions": "occasions",
    "attributes": "attributes",
}


def card(features: UserFeatures) -> Panel:
    """Top interests with bars, price bands, recent intents and queries, first and last seen."""
    parts: list[RenderableType] = [_facts(features), Text()]
    parts.append(_interests(features))
    if features.prices:
        parts += [Text(), _prices(features)]
    if features.recent_queries:
        parts += [Text(), _queries(features)]
    title = Text(features.user, style="bold")
    return Panel(Group(*parts), title=title, title_align="left", expand=False, padding=(1, 2))


class _Grid(Table):
    """Columns without lines; strings are shown as they are, never read as markup."""

    def __init__(self) -> None:
        super().__init__(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)

    def line(self, *cells: str | Text) -> None:
        self.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))


def _facts(features: UserFeatures) -> Table:
    grid = _Grid()
    grid.line("seen", f"{_time(features.first_seen)} to {_time(features.last_seen)}")
    counts = ", ".join(f"{count} {name}" for name, count in features.counts.items() if count)
    grid.line("counted", counts or "nothing")
    shares = list(features.intents.shares().items())[:3]
    grid.line("intents", ", ".join(f"{name} {share:.0%}" for name, share in shares) or "none")
    if features.last_intent is not None:
        last = features.last_intent
        grid.line("last intent", f"{last.label} ({last.score:.2f}) at {_time(last.at)}")
    mood = features.sentiment
    arrow = "↗" if mood.trend > 0.05 else "↘" if mood.trend < -0.05 else "→"
    grid.line("sentiment", f"{mood.recent:+.2f} {arrow} (usually {mood.long_term:+.2f})")
    if features.vector_space is not None:
        grid.line("interests", f"vector in {features.vector_space}")
    at = features.position
    grid.line("reflects", f"epoch {at.epoch}, partition {at.partition}, offset {at.offset}")
    return grid


def _interests(features: UserFeatures) -> RenderableType:
    grid = _Grid()
    for name, title in _TITLES.items():
        values: WeightedValues = getattr(features, name)
        rows = list(values.shares().items())[:_ROWS]
        for number, (value, share) in enumerate(rows):
            bar = Text("█" * max(1, round(share * _BAR)), style="cyan")
            label = Text(title, style="bold") if number == 0 else Text()
            grid.line(label, Text(value, overflow="ellipsis"), bar, f"{share:.0%}")
    return grid if grid.row_count else Text("no interests yet", style="dim")


def _prices(features: UserFeatures) -> Table:
    grid = _Grid()
    for code, bands in features.prices.items():
        currency = "" if code == "XXX" else f" {code}"
        rows = {"all": bands.overall} | dict(
            sorted(bands.by_type.items(), key=lambda item: -item[1].weight)[:_ROWS]
        )
        for number, (name, band) in enumerate(rows.items()):
            label = Text("prices" + currency, style="bold") if number == 0 else Text()
            spread = f"{band.low:,.2f} to {band.high:,.2f}"
            grid.line(label, name, f"{band.typical:,.2f}", Text(spread, style="dim"))
    return grid


def _queries(features: UserFeatures) -> Table:
    grid = _Grid()
    for number, query in enumerate(features.recent_queries[: 2 * _ROWS]):
        label = Text("queries", style="bold") if number == 0 else Text()
        text = Text(query.text, overflow="ellipsis")
        grid.line(label, Text(_time(query.at), style="dim"), query.intent, text)
    return grid


def _time(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S}Z"
