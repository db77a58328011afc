"""Plots of a run as inline SVG: no script, nothing from elsewhere, every mark with its tooltip."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log1p
from typing import Final

from workers.html_page import confusion_matrix, svg, svg_text
from workers.replays.agreement import GRID, SHIFT_EDGES

_HEIGHT: Final = 170


def confusion(counts: Mapping[tuple[str, str], int]) -> str:
    """A confusion matrix: published labels down, replayed labels across.

    Agreement is grey; what became another label is coloured by its share of the row.
    """
    return confusion_matrix(
        counts,
        "Confusion of labels, published against replayed",
        lambda old, new: f"{old} → {new}",
        lambda share: ("var(--soft)", 0.12 + 0.4 * share),
    )


def shifts(counts: Mapping[int, int]) -> str:
    """How the scores of unchanged intents moved: a bar a bin, heights by logarithm."""
    bins = len(SHIFT_EDGES) - 1
    highest = max((log1p(count) for count in counts.values()), default=0.0) or 1.0
    width, parts = 30, []
    for place in range(bins):
        count = counts.get(place, 0)
        low, high = SHIFT_EDGES[place], SHIFT_EDGES[place + 1]
        height = (_HEIGHT - 20) * log1p(count) / highest
        middle = low < 0 < high
        colour = (
            "var(--good)" if middle else "var(--mid)" if abs(low + high) < 0.3 else "var(--bad)"
        )
        title = escape(f"{low:+g} to {high:+g}: {count:,} queries")
        parts.append(
            f"<g><title>{title}</title>"
            f'<rect x="{10 + place * width}" y="{_HEIGHT - height:.1f}" width="{width - 3}" '
            f'height="{height:.1f}" rx="3" fill="{colour}"/>'
            f'<text class="soft" x="{10 + place * width + width / 2 - 2:g}" '
            f'y="{_HEIGHT - height - 4:.1f}" text-anchor="middle" font-size="9">'
            f"{_short(count)}</text></g>"
        )
    parts += [
        f'<text class="soft" transform="translate({8 + place * width},{_HEIGHT + 12}) '
        f'rotate(50)" font-size="9">{edge:+g}</text>'
        for place, edge in enumerate(SHIFT_EDGES)
    ]
    return svg(20 + bins * width, _HEIGHT + 46, parts, "Shifts of the intent's score")


def scores(counts: Mapping[tuple[int, int], int]) -> str:
    """The intent's score, published (across) against replayed (up): a cell a 20th."""
    side, parts = 15, []
    highest = max((log1p(count) for count in counts.values()), default=0.0) or 1.0
    for (old, new), count in sorted(counts.items()):
        title = escape(
            f"published {old / GRID:.2f}-{(old + 1) / GRID:.2f}, "
            f"replayed {new / GRID:.2f}-{(new + 1) / GRID:.2f}: {count:,} queries"
        )
        colour = "var(--good)" if old == new else "var(--accent)"
        parts.append(
            f'<rect x="{40 + old * side}" y="{(GRID - 1 - new) * side + 6}" width="{side - 1}" '
            f'height="{side - 1}" fill="{colour}" '
            f'fill-opacity="{0.15 + 0.85 * log1p(count) / highest:.2f}"><title>{title}</title></rect>'
        )
    end = GRID * side
    parts.append(
        f'<path d="M40 {end + 6}L{40 + end} 6" stroke="var(--line)" stroke-dasharray="3 3"/>'
        f'<rect x="40" y="6" width="{end}" height="{end}" fill="none" stroke="var(--line)"/>'
    )
    for share in (0.0, 0.5, 1.0):
        parts.append(svg_text(34, end + 10 - share * end, f"{share:g}", "end"))
        parts.append(svg_text(40 + share * end, end + 20, f"{share:g}", "middle"))
    parts.append(svg_text(40 + end / 2, end + 36, "published score", "middle"))
    parts.append(
        f'<text class="soft" transform="translate(12,{end / 2 + 30}) rotate(-90)">replayed score</text>'
    )
    return svg(60 + end, end + 42, parts, "Intent scores, published against replayed")


def bars(values: Sequence[tuple[str, float]], about: str) -> str:
    """Signed values, a bar each, from a line in the middle: longest is 1."""
    longest = max((abs(value) for _, value in values), default=0.0) or 1.0
    parts = [f'<path d="M230 0V{18 * len(values)}" stroke="var(--line)"/>']
    for row, (name, value) in enumerate(values):
        width = 130 * abs(value) / longest
        start = 230 if value >= 0 else 230 - width
        colour = "var(--good)" if value >= 0 else "var(--bad)"
        parts.append(svg_text(92, 18 * row + 13, _clipped(name), "end"))
        parts.append(
            f"<g><title>{escape(f'{name}: {value:+.4f}')}</title>"
            f'<rect x="{start:.1f}" y="{18 * row + 3}" width="{max(width, 0.5):.1f}" height="12" '
            f'rx="3" fill="{colour}"/></g>'
        )
        parts.append(svg_text(368, 18 * row + 13, f"{value:+.3f}", "start"))
    return svg(420, 18 * len(values) + 4, parts, about)


def _clipped(name: str) -> str:
    return name if len(name) <= 16 else f"{name[:15]}…"


def _short(count: int) -> str:
    return "" if not count else f"{count}" if count < 1_000 else f"{count / 1_000:.1f}k"
