"""Drawings of an evaluation as inline SVG: no script, nothing from elsewhere, every mark with a tooltip."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from training.evaluation.intervals import Interval
from training.evaluation.metrics import ConfidenceBin
from workers.html_page import confusion_matrix, svg, svg_text

_SIDE: Final = 260
_ROW: Final = 20
_NAME: Final = 330  # width of the names beside bars
_WIDTH: Final = 330  # of bars


def confusion(counts: Mapping[tuple[str, str], int]) -> str:
    """A confusion matrix: given labels down, answers across; of each row, what went where."""
    return confusion_matrix(
        {pair: count for pair, count in counts.items() if all(pair)},
        "Confusion matrix: given labels down, answers across",
        lambda given, answer: f"{given} answered as {answer}",
        lambda share: ("var(--good)", (0.1 + 0.6 * share) if share else 0.0),
    )


def reliability_diagram(bins: Sequence[ConfidenceBin]) -> str:
    """How sure the model is, across, against how often it is right, up; on the line it is honest."""
    total = sum(one.count for one in bins) or 1
    left, top = 44, 8
    parts = [
        (
            f'<rect x="{left}" y="{top}" width="{_SIDE}" height="{_SIDE}" fill="none" '
            'stroke="var(--line)"/>'
        ),
        (
            f'<path d="M{left} {top + _SIDE}L{left + _SIDE} {top}" stroke="var(--soft)" '
            'stroke-dasharray="4 4"/>'
        ),
    ]
    for one in bins:
        x, y = left + one.confidence * _SIDE, top + (1 - one.accuracy) * _SIDE
        weight = max(0.2, (one.count / total) ** 0.5)
        honest = top + (1 - one.confidence) * _SIDE
        title = escape(
            f"{one.count:,} answers, {one.confidence:.3f} sure on average, {one.accuracy:.3f} right"
        )
        parts.append(
            f'<g><title>{title}</title><path d="M{x:.1f} {honest:.1f}V{y:.1f}" '
            f'stroke="var(--bad)" stroke-width="2" stroke-opacity="{weight:.2f}"/>'
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{3 + 9 * weight:.1f}" '
            'fill="var(--accent)" fill-opacity="0.75"/></g>'
        )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(svg_text(left - 6, top + _SIDE + 4 - share * _SIDE, f"{share:g}", "end"))
        parts.append(svg_text(left + share * _SIDE, top + _SIDE + 16, f"{share:g}", "middle"))
    parts.append(svg_text(left + _SIDE / 2, top + _SIDE + 34, "how sure", "middle"))
    parts.append(
        f'<text class="soft" transform="translate(12,{top + _SIDE / 2 + 30}) rotate(-90)">'
        "how often right</text>"
    )
    return svg(left + _SIDE + 16, top + _SIDE + 42, parts, "Reliability diagram")


def share_bars(values: Sequence[tuple[str, float, int]], about: str) -> str:
    """Figures from 0 to 1, a bar each: name, figure, how many it is over."""
    parts = []
    for row, (name, value, count) in enumerate(values):
        y = row * _ROW
        fill = "good" if value >= 0.8 else "mid" if value >= 0.6 else "bad"
        parts.append(svg_text(_NAME - 8, y + 14, f"{name} ({count:,})", "end"))
        parts.append(
            f"<g><title>{escape(f'{name}: {value:.4f} over {count:,}')}</title>"
            f'<rect x="{_NAME}" y="{y + 3}" width="{_WIDTH}" height="14" rx="3" fill="var(--line)" '
            'fill-opacity="0.5"/>'
            f'<rect x="{_NAME}" y="{y + 3}" width="{max(value, 0) * _WIDTH:.1f}" height="14" '
            f'rx="3" fill="var(--{fill})"/></g>'
        )
        parts.append(svg_text(_NAME + _WIDTH + 8, y + 14, f"{value:.3f}", "start"))
    return svg(_NAME + _WIDTH + 60, max(len(values), 1) * _ROW + 4, parts, about)


def differences(
    values: Sequence[tuple[str, Interval, str]], about: str, *, unit: float = 0.0
) -> str:
    """Differences around a line at 0, each with its interval.

    Args:
        values: name, difference, and `good`, `bad` or `soft`: the colour.
        about: what is shown, for who cannot see it.
        unit: the length of the axis to either side; by default it fits what is drawn.
    """
    ends = [abs(edge) for _, one, _ in values for edge in (one.low, one.high)]
    longest = unit or min(max(ends, default=0.1), 1.0) or 0.1
    middle, half = _NAME + _WIDTH / 2, _WIDTH / 2

    def x(value: float) -> float:
        return middle + half * max(-1.0, min(1.0, value / longest))

    height = len(values) * _ROW
    parts = [f'<path d="M{middle:g} 0V{height + 4}" stroke="var(--soft)"/>']
    for row, (name, one, colour) in enumerate(values):
        y = row * _ROW + 10
        title = f"{name}: {one.value:+.4f}, between {one.low:+.4f} and {one.high:+.4f}"
        parts.append(svg_text(_NAME - 8, y + 4, _clipped(name), "end"))
        parts.append(
            f"<g><title>{escape(title)}</title>"
            f'<path d="M{x(one.low):.1f} {y}H{x(one.high):.1f}" stroke="var(--{colour})" '
            'stroke-width="2"/>'
            f'<circle cx="{x(one.value):.1f}" cy="{y}" r="4.5" fill="var(--{colour})"/></g>'
        )
        parts.append(svg_text(_NAME + _WIDTH + 8, y + 4, f"{one.value:+.3f}", "start"))
    parts += [
        svg_text(x(value), height + 18, f"{value:+.2g}" if value else "0", "middle")
        for value in (-longest, 0.0, longest)
    ]
    return svg(_NAME + _WIDTH + 60, height + 24, parts, about)


def _clipped(name: str) -> str:
    """Long names lose their middle: a set's name begins alike, and a kind's end tells most."""
    return name if len(name) <= 56 else f"{name[:20]}…{name[-35:]}"
