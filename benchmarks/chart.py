"""Grouped horizontal bars as SVG: no plotting library for three small panels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

_COLORS: Final = ("#9aa5b1", "#3b6fb6", "#d98324", "#4b9b6e", "#8a63a8")
_BAR, _GAP, _LABELS, _WIDTH = 11, 9, 130, 300


@dataclass(frozen=True, slots=True)
class Panel:
    """One set of bars: for each row a value by series; `spread` is half of an error bar."""

    title: str
    rows: Sequence[str]
    series: Mapping[str, Sequence[float]]
    spread: Mapping[str, Sequence[float]]


def svg(panels: Sequence[Panel]) -> str:
    """The panels side by side, each with a legend of its own."""
    column = _LABELS + _WIDTH + 60
    height = max(_height(panel) for panel in panels)
    body = "\n".join(
        f'<g transform="translate({number * column},0)">\n{_drawn(panel)}\n</g>'
        for number, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {column * len(panels)} {height}" '
        'font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _height(panel: Panel) -> int:
    return 50 + len(panel.rows) * (len(panel.series) * _BAR + _GAP) + len(panel.series) * 16


def _drawn(panel: Panel) -> str:
    most = max(max(values) for values in panel.series.values()) * 1.1 or 1.0
    scale = _WIDTH / most
    parts = [f'<text x="10" y="20" font-size="13" font-weight="bold">{escape(panel.title)}</text>']
    y = 36
    for number, row in enumerate(panel.rows):
        middle = y + len(panel.series) * _BAR / 2 + 4
        parts.append(f'<text x="{_LABELS}" y="{middle:g}" text-anchor="end">{escape(row)}</text>')
        for color, (name, values) in zip(_COLORS, panel.series.items(), strict=False):
            long, x = values[number] * scale, _LABELS + 8
            parts.append(
                f'<rect x="{x}" y="{y}" width="{long:.1f}" height="{_BAR - 1}" fill="{color}"/>'
            )
            end = x + long
            if name in panel.spread:
                half = panel.spread[name][number] * scale
                end += half
                line = f"M{x + long - half:.1f} {y + 5}H{end:.1f}"
                parts.append(f'<path d="{line}" stroke="#222222"/>')
            parts.append(
                f'<text x="{end + 4:.1f}" y="{y + 9}" font-size="9">{values[number]:.3f}</text>'
            )
            y += _BAR
        y += _GAP
    for color, name in zip(_COLORS, panel.series, strict=False):
        parts.append(f'<rect x="{_LABELS + 8}" y="{y}" width="10" height="10" fill="{color}"/>')
        parts.append(f'<text x="{_LABELS + 24}" y="{y + 9}">{escape(name)}</text>')
        y += 16
    return "\n".join(parts)
