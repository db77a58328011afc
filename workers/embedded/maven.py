"""Pinned Maven artifacts, fetched one by one and checked against their hash."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from workers.embedded.home import Cancelled, Pin, has_digest
from workers.errors import InstallError

_TIMEOUT_S = 30


class MavenFetcher:
    """Fetches artifacts into a folder laid out like a Maven repository.

    Args:
        cache: The folder; what is in it already, with the right hash, is not fetched again.
        advance: Called with the number of bytes that arrived, and with the artifact's name.
        cancelled: Set to call a download off.
    """

    def __init__(
        self, cache: Path, advance: Callable[[int, str], None], cancelled: threading.Event
    ) -> None:
        self._advance = advance
        self._cancelled = cancelled
        # jgo logs every URL it tries at a level that an application's handlers may show.
        logging.getLogger("jgo").setLevel(logging.ERROR)
        resolver = PythonResolver(progress_callback=self._progress)
        self._maven = MavenContext(resolver=resolver, repo_cache=cache, timeout=_TIMEOUT_S)

    @contextmanager
    def _progress(self, filename: str, _: int) -> Iterator[Callable[[int], None]]:
        def update(count: int) -> None:
            if self._cancelled.is_set():
                raise Cancelled
            self._advance(count, filename)

        yield update

    def fetch(self, pin: Pin) -> Path:
        """The artifact's file.

        Raises:
            InstallError: It cannot be fetched, or its hash is not the pinned one.
            Cancelled: The download was called off.
        """
        group, name, version, *classifier = pin.name.split(":")
        component = self._maven.project(group, name).at_version(version)
        artifact = component.artifact(classifier=classifier[0] if classifier else "")
        cached = artifact.cached_path
        if cached is not None and cached.exists():
            if has_digest(cached, pin):
                self._advance(pin.size, cached.name)
                return cached
            cached.unlink()  # an interrupted download
        if self._cancelled.is_set():
            raise Cancelled
        try:
            path = Path(artifact.resolve())
        except (requests.RequestException, RuntimeError) as error:
            if cached is not None:
                cached.unlink(missing_ok=True)
            raise InstallError(
                f"cannot download {pin.name} ({_reason(error)})",
                "connect to the network (behind a proxy: set https_proxy) and run it again;"
                " what has arrived is kept",
            ) from error
        if not has_digest(path, pin):
            path.unlink()
            raise InstallError(
                f"{pin.name} is not what its pinned hash promises",
                "run it again; if it stays so, something between you and the repository alters files",
            )
        return path


def _reason(error: Exception) -> str:
    match error:
        case requests.Timeout():
            return "no answer"
        case requests.exceptions.SSLError():
            return "the certificate was not accepted"
        case requests.ConnectionError():
            return "no connection"
        case RuntimeError():
            return "the repository does not have it or refuses it"
        case _:
            return type(error).__name__
