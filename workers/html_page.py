"""What the pages that people look at share: one HTML file each, with all it needs inside.

A content security policy forbids scripts and anything from elsewhere. Who fills a page escapes the text.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Final

_CSS: Final = Path(__file__).with_suffix(".css")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_CELL: Final = 26
_LETTER: Final = 6.4  # width of one in the axes' labels, on average


def page(title: str, sections: Iterable[str]) -> str:
    """A whole page, from its title (plain text) and its sections (HTML)."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_CSS.read_text('utf-8')}</style></head><body><main>"
        f"{''.join(sections)}</main></body></html>\n"
    )


def svg(width: float, height: float, parts: Iterable[str], about: str) -> str:
    """A drawing, from its parts (SVG) and what it shows (plain text, for who cannot see it)."""
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" '
        f'aria-label="{escape(about, quote=True)}">{"".join(parts)}</svg>'
    )


def svg_text(x: float, y: float, text: str, anchor: str) -> str:
    """A soft-coloured label in a drawing; `anchor` is `start`, `middle` or `end`."""
    return f'<text class="soft" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def confusion_matrix(
    counts: Mapping[tuple[str, str], int],
    about: str,
    told: Callable[[str, str], str],
    agreed: Callable[[float], tuple[str, float]],
) -> str:
    """Labels of one side down, of the other across; nothing where there are no counts.

    What became another label is coloured by its share of the row.

    Args:
        counts: by the label of the row and that of the column.
        about: what it shows.
        told: a cell's two labels in words, for its tooltip.
        agreed: colour and opacity of a cell where both labels agree, by its share of the row.
    """
    labels = sorted({label for pair in counts for label in pair})
    if not labels:
        return ""
    rows: Counter[str] = Counter()
    for (row, _), count in counts.items():
        rows[row] += count
    longest = round(_LETTER * max(map(len, labels)))
    left, top = longest + 16, round(0.87 * longest) + 16  # sin 60°
    parts = []
    for y, row in enumerate(labels):
        parts.append(svg_text(left - 8, top + y * _CELL + 17, row, "end"))
        for x, column in enumerate(labels):
            count = counts.get((row, column), 0)
            share = count / rows[row] if rows[row] else 0.0
            if row == column:
                fill, opacity = agreed(share)
            else:
                fill = "var(--bad)"
                opacity = (0.25 + 0.75 * min(1.0, 4 * share)) if count else 0.0
            title = f"{told(row, column)}: {count:,} ({share:.1%} of {row})"
            parts.append(_cell(left + x * _CELL, top + y * _CELL, title, count, fill, opacity))
    for x, column in enumerate(labels):
        place = left + x * _CELL + 17
        parts.append(
            f'<text transform="translate({place},{top - 8}) rotate(-60)">{escape(column)}</text>'
        )
    side = len(labels) * _CELL
    return svg(left + side + longest / 2, top + side + 8, parts, about)


def _cell(x: int, y: int, title: str, count: int, fill: str, opacity: float) -> str:
    shown = f"{count}" if 0 < count < 1_000 else f"{count / 1_000:.0f}k" if count else ""
    return (
        f"<g><title>{escape(title)}</title>"
        f'<rect x="{x}" y="{y}" width="{_CELL - 2}" height="{_CELL - 2}" rx="4" '
        f'fill="{fill}" fill-opacity="{opacity:.2f}" stroke="var(--line)"/>'
        f'<text x="{x + _CELL / 2 - 1:g}" y="{y + 16}" text-anchor="middle" '
        f'font-size="9">{shown}</text></g>'
    )
