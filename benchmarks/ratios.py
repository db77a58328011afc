"""Ratios of what was measured side by side, and how far they can be trusted.

Two things are measured in turns, round by round, so that both meet the same neighbours on a busy
machine. A ratio is the median over the rounds; its noise is half the range over them, which is what
a further round may well be off by. The row of a ratio's noise stands beside it, under the same case.
"""

import statistics
from collections.abc import Sequence
from typing import Final

from benchmarks.measured import Row

NOISE: Final = ", noise"
"""Ends the case of the row that holds the noise of the row with the case before it."""


def ratio(
    measure: str, case: str, above: Sequence[float], below: Sequence[float], unit: str = "×"
) -> list[Row]:
    """The median of the rounds' ratios, and their noise.

    Args:
        measure: for the rows.
        case: likewise.
        above: one value a round.
        below: likewise, of the same rounds.
        unit: of the ratio.

    Raises:
        ValueError: the numbers of rounds differ, or there are none.
    """
    return spread(measure, case, [a / b for a, b in zip(above, below, strict=True)], unit)


def spread(measure: str, case: str, values: Sequence[float], unit: str) -> list[Row]:
    """The median of the rounds' values, and their noise.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("nothing was measured")
    noise = (max(values) - min(values)) / 2
    return [
        Row(measure, case, statistics.median(values), unit),
        Row(measure, case + NOISE, noise, unit),
    ]
