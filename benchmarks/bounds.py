"""The ratios that are promised (`bounds.toml`), and whether what was measured keeps them."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.measured import Row
from benchmarks.ratios import NOISE

FILE: Final = Path(__file__).with_name("bounds.toml")


class Verdict(StrEnum):
    """How a ratio stands."""

    MET = "met"
    WITHIN_NOISE = "within its noise"
    HELD = "not met, reason known"
    BROKEN = "broken"
    MISSING = "not measured"


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ratio: where it comes from, its bar, and what is held where the bar is not met."""

    name: str
    title: str
    module: str
    measure: str
    case: str
    at_least: float | None = None
    at_most: float | None = None
    holds: float | None = None
    why: str = ""
    full_only: bool = False

    @property
    def bar(self) -> str:
        """The bar in words."""
        return f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"

    def keeps(self, value: float, limit: float, noise: float = 0.0) -> bool:
        """Whether a value is on the right side of a limit, or beyond it by no more than the noise."""
        return value + noise >= limit if self.at_least is not None else value - noise <= limit

    def judged(self, rows: Sequence[Row]) -> "Judged":
        """This ratio as the rows have it."""
        found = {row.case: row.value for row in rows if row.measure == self.measure}
        value, noise = found.get(self.case), found.get(self.case + NOISE, 0.0)
        return Judged(self, value, noise, self._verdict(value, noise))

    def _verdict(self, value: float | None, noise: float) -> Verdict:
        bar = self.at_least if self.at_least is not None else self.at_most
        assert bar is not None  # noqa: S101 (`bounds` has checked it)
        if value is None:
            return Verdict.MISSING
        if self.keeps(value, bar):
            return Verdict.MET
        if self.holds is not None and self.keeps(value, self.holds, noise):
            return Verdict.HELD
        return Verdict.WITHIN_NOISE if self.keeps(value, bar, noise) else Verdict.BROKEN


@dataclass(frozen=True, slots=True)
class Judged:
    """A ratio with its value, its noise, and how it stands."""

    bound: Bound
    value: float | None
    noise: float
    verdict: Verdict


def bounds(path: Path = FILE) -> list[Bound]:
    """All ratios, in the file's order.

    Raises:
        ValueError: one has no bar or two, or a reason is missing.
        msgspec.ValidationError: a field is unknown or of the wrong kind.
    """
    found = msgspec.convert(tomllib.loads(path.read_text("utf-8"))["ratio"], list[Bound])
    for bound in found:
        if (bound.at_least is None) == (bound.at_most is None):
            raise ValueError(f"{bound.name}, {bound.case}: one of at_least and at_most")
        if (bound.holds is None) != (not bound.why):
            raise ValueError(f"{bound.name}, {bound.case}: holds and why go together")
    return found


def modules(found: Sequence[Bound]) -> list[str]:
    """The modules that measure them, each once, in their order."""
    return list(dict.fromkeys(bound.module for bound in found))
