"""What a kind of entity says about the next one: the transitions of a linear-chain CRF over tags.

As in Lafferty, McCallum and Pereira (ICML 2001), the score of a path is that of its tags plus that
of its steps. A step scores log P(next | previous) - log P(next), a language model of the labels
divided by their prior, as the hybrids of neural networks and Markov models have it (Bourlard and
Morgan, 1994), times a strength. It is counted in annotated texts, by kind and not by tag: a kind
is O, or a type whose entity begins.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_LARGEST: Final = 100.0
"""Of any number: further ones could outweigh what BIO rules out."""

Row = tuple[float, ...]
Table = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class TagTransitions:
    """Log ratios for K kinds: O first, then the T types in the order of the model's tags.

    Args:
        strength: that all of them are multiplied by; with 0 they say nothing.
        start: of the first word's kind [K].
        follows: of a kind behind a kind [from, to].
        stays: of I-x behind B-x and behind I-x [T, 2].
        leaves: of an end behind B-x and behind I-x [T, 2]; what comes then is in `follows`.

    Raises:
        ValueError: shapes that do not fit, or a number that is not finite or too large.
    """

    strength: float
    start: Row
    follows: Table
    stays: Table
    leaves: Table

    def __post_init__(self) -> None:
        """Checks what the class promises."""
        kinds = len(self.start)
        shapes = {
            "start": ((self.start,), 1, kinds),
            "follows": (self.follows, kinds, kinds),
            "stays": (self.stays, kinds - 1, 2),
            "leaves": (self.leaves, kinds - 1, 2),
        }
        if not kinds:
            raise ValueError("the transitions' start is empty")
        for name, (table, rows, columns) in shapes.items():
            if len(table) != rows or any(len(row) != columns for row in table):
                raise ValueError(f"the transitions' {name} does not fit {kinds} kinds")
            if not all(math.isfinite(v) and abs(v) <= _LARGEST for row in table for v in row):
                raise ValueError(f"the transitions' {name} holds no plain numbers")
        if not 0.0 <= self.strength <= _LARGEST:
            raise ValueError(f"the transitions' strength is {self.strength}")

    @property
    def types(self) -> int:
        """How many types of entities they are for."""
        return len(self.start) - 1

    @classmethod
    def of(cls, declared: Mapping[str, Any]) -> "TagTransitions":
        """What `as_json` gave.

        Raises:
            ValueError: a part is missing or is not what it must be.
        """
        if not isinstance(declared, Mapping):
            raise ValueError("the transitions are not an object")  # noqa: TRY004 - as any other fault
        parts = ("strength", "start", "follows", "stays", "leaves")
        if missing := [name for name in parts if name not in declared]:
            raise ValueError(f"the transitions lack {', '.join(missing)}")
        try:
            return cls(
                float(declared["strength"]),
                _row(declared["start"]),
                *(tuple(_row(row) for row in declared[name]) for name in parts[2:]),
            )
        except TypeError as error:
            raise ValueError(f"the transitions are not lists of numbers: {error}") from error

    def as_json(self) -> dict[str, Any]:
        """Plain values, fit for JSON."""
        return {
            "strength": self.strength,
            "start": list(self.start),
            "follows": [list(row) for row in self.follows],
            "stays": [list(row) for row in self.stays],
            "leaves": [list(row) for row in self.leaves],
        }


def _row(values: Any) -> Row:
    return tuple(float(value) for value in values)


def transitions_of(declared: Any) -> dict[str, TagTransitions]:
    """Those of each language, from the labels that a model declares; none where it declares none.

    Raises:
        ValueError: naming the language whose are not what they must be.
    """
    if not isinstance(declared, Mapping):
        raise ValueError("the transitions are not given by language")  # noqa: TRY004 - as any other fault
    found = {}
    for language, one in declared.items():
        try:
            found[str(language)] = TagTransitions.of(one)
        except ValueError as error:
            raise ValueError(f"{language}: {error}") from error
    return found
