"""How much personal data the redactor finds, and what it alters by mistake.

The corpus is Faker's (`benchmarks.personal_data`). Files of ordinary queries, one a line, show what is
altered by mistake; those of the project's own are in the tests.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.personal_data import Sample, corpus
from streams.redaction import redact
from streams.text import normalise
from training.evaluation.altered_queries import altered

_DIGITS = re.compile(r"\d+")
_TELLING = 5


def leaks(value: str, redacted: str) -> bool:
    """Whether something of a value that tells who it is, is still in a redacted text.

    Itself, or so many of its digits in a row that they are no house or flat number.
    """
    clean = normalise(value)
    if clean in redacted:
        return True
    left = "".join(_DIGITS.findall(redacted))
    digits = "".join(_DIGITS.findall(clean))
    return any(
        digits[start : start + _TELLING] in left for start in range(len(digits) - _TELLING + 1)
    )


@dataclass(slots=True)
class Recall:
    """How many values of a kind there were, and which were not found."""

    seen: int = 0
    missed: list[Sample] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of those found."""
        return 1 - len(self.missed) / max(1, self.seen)


BARE, ANNOUNCED, LOWER = "bare", "announced", "in lower case"


def recall(samples: Iterable[Sample]) -> dict[tuple[str, str], Recall]:
    """Recall by kind and by how the value stands there: bare, in a sentence, that in lower case."""
    found: dict[tuple[str, str], Recall] = {}
    for sample in samples:
        shown = [(ANNOUNCED if sample.announced else BARE, sample)]
        if sample.announced:
            small = replace(sample, text=sample.text.lower(), value=sample.value.lower())
            shown.append((LOWER, small))
        for way, one in shown:
            result = found.setdefault((one.kind, way), Recall())
            result.seen += 1
            if leaks(one.value, redact(normalise(one.text)).text):
                result.missed.append(one)
    return found


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="ordinary queries, one a line")
    parser.add_argument("--each", type=int, default=200, help="values per kind and locale")
    parser.add_argument("--show", type=int, default=0, help="show so many of each kind of mistake")
    arguments = parser.parse_args()
    console = Console(soft_wrap=True)
    table = Table(title="Personal data found", box=None)
    ways = (BARE, ANNOUNCED, LOWER)
    for name in ("kind", *ways):
        table.add_column(name, justify="left" if name == "kind" else "right")
    results = recall(corpus(arguments.each))
    for kind in dict.fromkeys(kind for kind, _ in results):
        table.add_row(kind, *(f"{results[kind, way].share:.1%}" for way in ways))
    console.print(table)
    if arguments.show:
        for (kind, way), one in results.items():
            by_locale = Counter(sample.locale for sample in one.missed)
            console.print(f"{kind}, {way}: {dict(by_locale)}", markup=False)
            for sample in one.missed[:: max(1, len(one.missed) // arguments.show)]:
                shown = redact(normalise(sample.text)).text
                console.print("   ", sample.locale, sample.text, "→", shown, markup=False)
    for path in arguments.files:
        queries = path.read_text(encoding="utf-8").splitlines()
        found = altered(queries)
        console.print(
            f"{path.name}: {len(found):,} of {len(queries):,} queries altered "
            f"({len(found) / max(1, len(queries)):.3%})"
        )
        for before, after in found[: arguments.show]:
            console.print("   ", before, "→", after, markup=False)


if __name__ == "__main__":
    main()
