"""Known vulnerabilities of what is installed: `make audit`, and a part of `make test`.

`pip-audit` asks a service in the network. A service that cannot be reached, or that knows nothing (a
mirror of packages without their advisories), is told from one that has nothing to say by a canary: a
release that has been known to be vulnerable for years. Without an answer about it nothing is proved.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT: Final = "intentstream"
SHIPPED: Final = frozenset({"embedded", "rocksdb"})
"""Extras that run where records are: with the runtime itself they must be clean."""

_CANARY: Final = "jinja2==2.4.1"
_TIMEOUT_S: Final = 300


class NoAnswerError(Exception):
    """The service says nothing, so nothing is known."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A known vulnerability of a package that is installed."""

    package: str
    version: str
    advisory: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        mended = f"mended in {', '.join(self.fixed_in)}" if self.fixed_in else "not mended yet"
        return f"{self.package} {self.version}: {self.advisory} ({mended})"


def installed(extras: Iterable[str]) -> dict[str, str]:
    """What the project needs with these extras, directly or not: names and versions installed."""
    found: dict[str, str] = {}
    open_ = [(PROJECT, frozenset(extras))]
    seen = set(open_)
    while open_:
        name, wanted = open_.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # for another system
        if name != PROJECT:
            found[name] = package.version
        for text in package.requires or ():
            need = Requirement(text)
            if need.marker is not None and not any(
                need.marker.evaluate({"extra": extra}) for extra in {"", *wanted}
            ):
                continue
            step = (canonicalize_name(need.name), frozenset(need.extras))
            if step not in seen:
                seen.add(step)
                open_.append(step)
    return found


def audit(packages: dict[str, str]) -> list[Finding]:
    """The known vulnerabilities of these packages.

    Raises:
        NoAnswerError: the service cannot be reached, or knows no advisories.
    """
    if not _asked([_CANARY]):
        raise NoAnswerError("no service of advisories answers here, so nothing was audited")
    return _asked([f"{name}=={version}" for name, version in sorted(packages.items())])


def _asked(requirements: list[str]) -> list[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("\n".join(requirements))
        arguments = ["--requirement", str(file), "--no-deps", "--disable-pip", "--format", "json"]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pip_audit", *arguments, "--progress-spinner", "off"],
                capture_output=True,
                text=True,
                check=False,
                timeout=_TIMEOUT_S,
            )
            report = json.loads(done.stdout)
        except (subprocess.TimeoutExpired, ValueError):
            raise NoAnswerError("the service of advisories cannot be reached") from None
    return [
        Finding(one["name"], one["version"], flaw["id"], tuple(flaw["fix_versions"]))
        for one in report["dependencies"]
        for flaw in one.get("vulns", ())
    ]


def main() -> int:
    """Prints what is known. Exit codes: 0 clean, 1 findings, 3 no answer."""
    packages = installed({*SHIPPED, "train", "dev"})
    try:
        found = audit(packages)
    except NoAnswerError as error:
        print(f"{error}; run it again where the network lets it", file=sys.stderr)
        return 3
    for finding in found:
        print(finding)
    print(f"{len(packages)} packages audited, {len(found)} known vulnerabilities")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
