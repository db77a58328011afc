"""A cache of Kafka's loaded classes, which halves the time and the CPU that its start takes.

The JVM writes it at the end of one training run and maps it into every later start. It is worth nothing but
time: it can be deleted at any moment, and a JVM that finds it unsuitable goes on without it.
"""

import hashlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from workers.embedded.home import state_folder
from workers.embedded.java import major_version
from workers.errors import ServerError

_ONE_STEP_MAJOR = (
    25  # from here on -XX:AOTCacheOutput (JEP 514) does it, without the JDK's own archive
)
# The JVM's remarks on classes that cannot be cached would go into Kafka's log.
_QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")


@dataclass(frozen=True, slots=True)
class ClassCache:
    """The cache for one Java and one set of jars.

    Attributes:
        path: Where it is, or will be.
        ahead_of_time: Whether this Java makes the newer kind.
    """

    path: Path
    ahead_of_time: bool

    @property
    def usable(self) -> bool:
        """Whether a training run has made it."""
        return self.path.is_file() and self.path.stat().st_size > 0

    def flags_to_use(self, name: str) -> list[str]:
        """Arguments of a JVM that uses it under this name, relative to its working directory."""
        option = "AOTCache" if self.ahead_of_time else "SharedArchiveFile"
        return [*_QUIET, f"-XX:{option}={name}"]

    def flags_to_train(self, name: str) -> list[str]:
        """Arguments of a JVM that writes it under this name when it ends."""
        option = "AOTCacheOutput" if self.ahead_of_time else "ArchiveClassesAtExit"
        return [*_QUIET, f"-XX:{option}={name}"]

    async def make(self, train: Callable[[], Awaitable[Path]]) -> None:
        """Make it once: ``train`` runs Kafka with ``flags_to_train`` and says what file came out.

        Where that fails an empty file is left, so that it is not tried at every start.
        """
        if self.path.exists():
            return
        scratch = self.path.with_suffix(f".{os.getpid()}.partial")
        try:
            made = await train()
            # The training run's folder may be on another file system: copy, then rename.
            scratch.write_bytes(made.read_bytes() if made.is_file() else b"")
        except ServerError:
            scratch.write_bytes(b"")
        scratch.replace(self.path)


def class_cache(java: Path, libs: Path) -> ClassCache:
    """The cache that belongs to this Java and these jars; a change of either is another cache."""
    launcher = java.resolve()
    facts = [str(launcher), str(launcher.stat().st_mtime_ns), str(libs.resolve())]
    facts += sorted(f"{jar.name} {jar.stat().st_mtime_ns}" for jar in libs.glob("*.jar"))
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    return ClassCache(
        path=state_folder() / f"kafka-classes-{digest}",
        ahead_of_time=(major_version(java) or 0) >= _ONE_STEP_MAJOR,
    )
