"""The frame of the pages that people look at: one HTML file each, with all it needs inside.

A content security policy forbids scripts and anything from elsewhere. Who fills a page escapes the text.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Final

_CSS: Final = Path(__file__).with_suffix(".css")
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


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
