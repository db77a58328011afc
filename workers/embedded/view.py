"""How the live view looks: a screen for terminals, lines for everything else."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from rich.cells import cell_len, set_cell_size
from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streams.events import QueryUnderstood
from streams.profile_schema import Profile
from workers.embedded.view_state import DeadSeen, Seen, ViewState

_WIDE = 110
"""Columns from which the profile stands beside the queries rather than below them."""
_SIDE = 40
_TOP = 6
_BAR = 8
_INTENT_WIDTH = 16

_SENTIMENTS = {"positive": ("▲", "green"), "neutral": ("•", "dim"), "negative": ("▼", "red")}
_STYLES = {
    "core_product_type": "bold cyan",
    "product_name": "bold cyan",
    "product_number": "cyan",
    "creator": "bold magenta",
    "color": "bold yellow",
    "material": "yellow",
    "UoM": "green",
    "quantity": "green",
    "price": "bold green",
    "money": "bold green",
    "department": "blue",
    "occasion": "bold blue",
    "order_id": "bold red",
    "contact": "red",
}
_LEGEND = (
    ("core_product_type", "product"),
    ("creator", "brand"),
    ("color", "colour"),
    ("material", "material"),
    ("UoM", "size"),
    ("price", "price"),
    ("department", "for"),
    ("order_id", "order"),
)
_PROFILE_FIELDS = (
    ("products", "product_types"),
    ("brands", "brands"),
    ("colours", "colors"),
    ("materials", "materials"),
    ("sizes", "sizes"),
    ("occasions", "occasions"),
    ("intents", "intents"),
)


def clock(instant: datetime) -> str:
    """Local time of day."""
    return instant.astimezone().strftime("%H:%M:%S")


def fitted(text: str, width: int) -> str:
    """Text in exactly `width` terminal columns; Chinese, Japanese and emoji take two each."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def highlighted(event: QueryUnderstood) -> Text:
    """The query with each entity in its type's colour."""
    text = Text(event.text)
    for entity in event.entities:
        text.stylize(_STYLES.get(entity.type, "underline"), entity.start, entity.end)
    return text


def annotated(event: QueryUnderstood) -> str:
    """The query with each entity as `{text:type}`, for where there are no colours."""
    parts: list[str] = []
    copied = 0
    for entity in sorted(event.entities, key=lambda entity: entity.start):
        if entity.start >= copied:
            parts += (event.text[copied : entity.start], f"{{{entity.text}:{entity.type}}}")
            copied = entity.end
    parts.append(event.text[copied:])
    return "".join(parts)


# --- lines


def line(seen: Seen, names: Mapping[str, str] = MappingProxyType({})) -> str:
    """One line about one event; `names` for pseudonyms that have one."""
    if isinstance(seen, QueryUnderstood):
        sign, _ = _SENTIMENTS.get(seen.sentiment.label, ("?", ""))
        intent = fitted(seen.intent.label, _INTENT_WIDTH)
        head = f"{clock(seen.occurred_at)} query   {intent} {seen.intent.score:4.2f} {sign}"
        return f"{head} {seen.language:3} {annotated(seen)}"
    if isinstance(seen, DeadSeen):
        return f"{'':8} dead    {fitted(seen.reason, _INTENT_WIDTH)} {seen.position}"
    likes = "; ".join(
        f"{title} {', '.join(found)}"
        for title, name in _PROFILE_FIELDS[:3]
        if (found := _heaviest(seen, name, 2))
    )
    count = seen.counts.get("queries", 0)
    queries = f"{count} quer{'y' if count == 1 else 'ies'}"
    user = names.get(seen.user, f"{seen.user[:12]}…")
    return f"{clock(seen.as_of)} profile {fitted(user, _INTENT_WIDTH)} {queries}; {likes}"


def status_line(state: ViewState, now: float) -> str:
    """One line about everything so far."""
    reasons = ", ".join(f"{reason} {count}" for reason, count in state.dead.most_common())
    dead = f"{state.dead.total()} dead" + (f" ({reasons})" if reasons else "")
    lag = ", ".join(f"{name} {count}" for name, count in state.lag.items())
    rate = state.rate.per_second(now)
    return (
        f"-- {state.enriched} enriched, {state.entities} entities, {dead}, {rate:.1f} queries/s"
        + (f", behind: {lag}" if lag else "")
    )


# --- screen


def screen(
    state: ViewState, *, now: float, width: int, height: int, title: str, footer: str
) -> RenderableType:
    """The whole screen. `now` in seconds of a monotonic clock; `width` and `height` in cells."""
    lines = Text(footer, style="dim", no_wrap=True, overflow="ellipsis")
    top = Panel(Group(_status(state, now), lines), title=title)
    profile = Panel(_profile_body(state), title="one user's profile", border_style="magenta")
    dead = Panel(_dead_body(state), title="dead letters", border_style="red")
    layout = Layout()
    body = Layout(name="body")
    side = Layout(name="side")
    layout.split_column(Layout(top, size=_TOP), body)
    dead_rows = min(len(state.dead), 6) + 2 + (not state.dead)
    if width >= _WIDE:
        rows, columns = height - _TOP - 2, width - _SIDE - 4
        side.split_column(Layout(profile), Layout(dead, size=dead_rows))
        body.split_row(Layout(_queries(state, rows, columns)), Layout(side, size=_SIDE))
    else:
        side_rows = min(16, (height - _TOP) // 2)
        rows, columns = height - _TOP - side_rows - 2, width - 4
        side.split_row(Layout(profile), Layout(dead, size=min(28, width // 3)))
        body.split_column(Layout(_queries(state, rows, columns)), Layout(side, size=side_rows))
    return layout


def _status(state: ViewState, now: float) -> Text:
    text = Text(overflow="ellipsis", no_wrap=True)
    text.append(f"{state.rate.per_second(now):.1f}", "bold green").append(" queries/s   ")
    text.append(f"{state.enriched}", "bold").append(" enriched   ")
    text.append(f"{state.entities}", "bold").append(" entities   ")
    text.append(f"{state.dead.total()}", "bold red" if state.dead else "bold").append(" dead   ")
    text.append(f"{state.profile_updates}", "bold").append(" profile updates\n")
    for name, count in state.lag.items():
        text.append(f"{name} lag ").append(f"{count}   ", "bold yellow" if count else "bold")
    return text


def _queries(state: ViewState, rows: int, columns: int) -> Panel:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=8, style="dim")
    table.add_column(width=_INTENT_WIDTH, no_wrap=True, overflow="ellipsis")
    table.add_column(width=4, justify="right")
    table.add_column(width=1)
    query_width = max(10, columns - 8 - _INTENT_WIDTH - 4 - 1 - 5)
    table.add_column(width=query_width, no_wrap=True, overflow="ellipsis")
    for event in list(state.queries)[-max(1, rows) :]:
        sign, style = _SENTIMENTS.get(event.sentiment.label, ("?", ""))
        sure = event.intent.score >= 0.5
        table.add_row(
            clock(event.occurred_at),
            Text(event.intent.label, "bold" if sure else "dim"),
            Text(f"{event.intent.score:.2f}", "" if sure else "dim"),
            Text(sign, style),
            highlighted(event),
        )
    return Panel(table, title="queries", subtitle=_legend(), border_style="cyan")


def _legend() -> Text:
    """What the colours of the entities mean."""
    return Text(" ").join(Text(word, _STYLES[kind]) for kind, word in _LEGEND)


def _profile_body(state: ViewState) -> RenderableType:
    profile = state.profile
    if profile is None:
        return Text("nobody yet", style="dim")
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=9, style="dim")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    name = state.names.get(profile.user)
    user = f"{name} = {profile.user}" if name else profile.user
    table.add_row("user", Text(user, overflow="ellipsis"))
    table.add_row("counts", ", ".join(f"{count} {name}" for name, count in profile.counts.items()))
    for title, name in _PROFILE_FIELDS:
        for value, share in list(getattr(profile, name).shares().items())[:2]:
            bar = "█" * max(1, round(share * _BAR))
            table.add_row(title, Text(f"{bar:{_BAR}} {value}"))
            title = ""  # noqa: PLW2901 (said once, on the first of its rows)
    for query in profile.recent_queries[:2]:
        table.add_row("said", Text(query.text, style="italic"))
    trend = profile.sentiment.recent.value
    table.add_row("mood", Text(f"{trend:+.2f}", "red" if trend < 0 else "green"))
    return table


def _dead_body(state: ViewState) -> RenderableType:
    if not state.dead:
        return Text("none", style="dim")
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(justify="right", style="bold")
    for reason, count in state.dead.most_common(6):
        table.add_row(reason, str(count))
    return table


def _heaviest(profile: Profile, name: str, count: int) -> list[str]:
    return list(getattr(profile, name).shares())[:count]
