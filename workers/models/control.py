"""Versions of the model on a running Triton: load one beside the live one, switch, switch back.

Triton's model control is explicit: nothing is served that was not loaded, and nothing changes by
itself. Loading a model that is loaded already brings the new version up first and then lets the
old one finish, so no query is refused in between.
"""

import contextlib
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

from tritonclient.utils import InferenceServerException

from streams.events import ModelVersion
from workers.errors import IntentstreamError, UnreachableError
from workers.models.archive import ModelArchive
from workers.models.repository import FRONT, ModelRepository, ModelVersionError, candidate_name
from workers.sections import TritonSettings
from workers.triton import TritonModel, open_client


class ModelSwitchError(IntentstreamError):
    """Triton could not load a version; what it served before, it serves still."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model on Triton.

    Attributes:
        name: of the model.
        version: that Triton serves under this name, "" where none.
        state: READY, UNAVAILABLE …, as Triton calls it.
        reason: why it is in that state.
    """

    name: str
    version: str
    state: str
    reason: str


class ModelControl:
    """What Triton serves, and what it is to serve. An async context manager.

    Args:
        settings: Triton's address, the repository and the archive.
    """

    def __init__(self, settings: TritonSettings) -> None:
        self.settings = settings
        self.repository = ModelRepository(settings.repository)
        self.archive = ModelArchive(settings.archive)
        self._client: Any = None

    async def __aenter__(self) -> Self:
        self._client = open_client(self.settings)
        return self

    async def __aexit__(self, *_: object) -> None:
        client, self._client = self._client, None
        await client.close()

    async def loaded(self) -> list[Loaded]:
        """The models that Triton knows of.

        Raises:
            UnreachableError: Triton does not answer.
        """
        index = await self._call("get_model_repository_index", as_json=True)
        return [
            Loaded(
                str(model["name"]),
                str(model.get("version", "")),
                str(model.get("state", "UNKNOWN")),
                str(model.get("reason", "")),
            )
            for model in index.get("models", ())
        ]

    async def load(self, which: str) -> tuple[str, ModelVersion]:
        """Loads a version beside the live one, under a name of its own.

        Args:
            which: its number in the repository, or a digest (its beginning is enough) in the archive.

        Returns:
            The name of the model, and how it signs its answers.

        Raises:
            ModelVersionError: there is no such version.
            ModelSwitchError: Triton cannot load it.
            UnreachableError: Triton does not answer, or the archive refuses.
        """
        with self.repository.alone():
            name, found = await self._borrow(which)
            self.repository.keep_candidate(name)
        return name, found

    @asynccontextmanager
    async def beside(self, which: str) -> AsyncIterator[str]:
        """A version beside the live one, for as long as the block runs.

        Whoever asks for the same version meanwhile calls the same model; the last one to end takes
        it away, and the next one to come what a killed process has left. One that was loaded by
        hand stays.

        Args:
            which: as in `load`.

        Yields:
            The name of the model.

        Raises:
            ModelVersionError: there is no such version.
            ModelSwitchError: Triton cannot load it.
            UnreachableError: Triton does not answer, or the archive refuses.
        """
        use = ExitStack()
        with self.repository.alone():
            name, _ = await self._borrow(which)
            use.enter_context(self.repository.calling(name))
        try:
            with use:
                yield name
        finally:
            with self.repository.alone():
                await self._clear()

    async def unload(self, which: str) -> None:
        """Unloads a candidate and removes it; the version stays in the repository.

        Args:
            which: the version's number, or the candidate's name.

        Raises:
            ModelVersionError: it is no candidate, or a replay calls it.
            UnreachableError: Triton does not answer.
        """
        name = candidate_name(int(which)) if which.isdigit() else which
        with self.repository.alone():
            if name not in self.repository.candidates:
                raise ModelVersionError(
                    f"no candidate is called {name}", "intentstream model status shows them"
                )
            if self.repository.is_called(name):
                raise ModelVersionError(
                    f"a replay calls {name}", "let it end, or end it, and unload the version then"
                )
            await self._call("unload_model", model_name=name)
            self.repository.remove_candidate(name)

    async def promote(self, which: str) -> ModelVersion:
        """Makes a version the live one. The one before serves until the new one has answered.

        It is archived first: what is live can be audited. Where anything fails, the version before
        is live still.

        Args:
            which: as in `load`.

        Raises:
            ModelVersionError: there is no such version, or it lacks a file.
            ModelSwitchError: Triton cannot load it.
            UnreachableError: Triton does not answer, or the archive refuses.
        """
        with self.repository.alone():
            before = self.repository.served
            number = self._number(which)
            history = self.repository.history
            return await self._switch(number, history if number == before else [*history, before])

    async def rollback(self) -> ModelVersion:
        """Makes the version live that was so before the last promotion.

        Raises:
            ModelVersionError: nothing was promoted, or the version lacks a file.
            ModelSwitchError: Triton cannot load it.
            UnreachableError: Triton does not answer, or the archive refuses.
        """
        with self.repository.alone():
            history = self.repository.history
            if not history:
                raise ModelVersionError(
                    "no version was live before this one",
                    "promote one: intentstream model promote VERSION",
                )
            return await self._switch(history[-1], history[:-1])

    async def served(self) -> ModelVersion:
        """How the live model signs its answers, whichever version the workers are pinned to.

        Raises:
            ModelUnavailableError: it does not answer.
        """
        async with TritonModel(self.settings.model_copy(update={"model_version": ""})) as model:
            return await model.canary()

    async def _switch(self, number: int, history: list[int]) -> ModelVersion:
        before, told = self.repository.served, self.repository.history
        # Before it answers: an audit may ask for it.
        self.archive.add(self.repository.version(number))
        await self._keep_live(before)
        self.repository.serve(number, history)
        try:
            await self._load(FRONT, number)
            found = await self._canary(FRONT, number)
            self._keep(number, found)
        except BaseException:
            self.repository.serve(before, told)
            with contextlib.suppress(IntentstreamError):
                await self._load(FRONT, before)
            raise
        return found

    async def _keep_live(self, number: int) -> None:
        """Archives the live version, unless it is down or its files are damaged."""
        try:
            answered = await self._canary(FRONT, number)
        except IntentstreamError:
            return
        with contextlib.suppress(ModelVersionError):
            self._keep(number, answered)

    def _number(self, which: str) -> int:
        """The number of a version in the repository, which it enters from the archive if need be."""
        if which.isdigit() and len(which) < _SHORTEST_DIGEST:
            version = self.repository.version(int(which))
            version.content()  # a damaged one is refused here, with what it lacks
            return version.number
        return self.archive.restore(self.archive.find(which), self.repository).number

    def _keep(self, number: int, answered: ModelVersion) -> None:
        self.archive.add(self.repository.version(number), answered.digest)

    async def _borrow(self, which: str) -> tuple[str, ModelVersion]:
        """Loads a candidate that goes when nobody calls it. The repository must be held `alone`."""
        await self._clear()
        free = self.repository.next_number  # which a version out of the archive gets
        number = self._number(which)
        try:
            name = self.repository.add_candidate(number, restored=number == free)
            await self._load(name, number)
            found = await self._canary(name, number)
            self._keep(number, found)
        except BaseException:
            with contextlib.suppress(IntentstreamError):
                await self._clear()
            raise
        return name, found

    async def _clear(self) -> None:
        """Takes away the candidates of replays that have ended, or have died."""
        for name in self.repository.abandoned:
            await self._call("unload_model", model_name=name)
            self.repository.remove_candidate(name)

    async def _load(self, name: str, number: int) -> None:
        known = {model.name for model in await self.loaded() if model.state == "READY"}
        for language in self.repository.version(number).encoders:
            encoder = f"encoder_{language}"
            if encoder in known:  # on a GPU, Triton serves the encoders itself
                await self._call("load_model", model_name=encoder)
        await self._call("load_model", model_name=name)

    async def _canary(self, name: str, number: int) -> ModelVersion:
        settings = self.settings.model_copy(
            update={"model_name": name, "model_version": str(number)}
        )
        async with TritonModel(settings) as model:
            return await model.canary()

    async def _call(self, method: str, **arguments: Any) -> Any:
        patience = max(self.settings.timeout_s, _LOADING_S if method == "load_model" else 0.0)
        try:
            return await getattr(self._client, method)(client_timeout=patience, **arguments)
        except InferenceServerException as error:
            status = str(error.status() or "UNKNOWN").removeprefix("StatusCode.")
            if status == "DEADLINE_EXCEEDED":
                asked = f"{method} {arguments.get('model_name', '')}".rstrip()
                raise UnreachableError(
                    f"Triton at {self.settings.address} has not answered {asked} in {patience:g} s",
                    "look at its log; restart it if it hangs",
                ) from error
            if method == "load_model" and status not in _AWAY:
                raise ModelSwitchError(
                    f"Triton at {self.settings.address} cannot load "
                    f"{arguments['model_name']}: {error.message()}",
                    "look at its log; it needs --model-control-mode=explicit and the same "
                    "repository as INTENTSTREAM_TRITON__REPOSITORY",
                ) from error
            raise UnreachableError(
                f"Triton at {self.settings.address} does not answer ({status})",
                "check INTENTSTREAM_TRITON__ADDRESS",
            ) from error


_AWAY = frozenset({"UNAVAILABLE", "CANCELLED"})
_LOADING_S: Final = 600.0
"""How long loading may take: a large model on a busy machine takes minutes."""
_SHORTEST_DIGEST = 8


@asynccontextmanager
async def model_beside(settings: TritonSettings, which: str) -> AsyncIterator[TritonSettings]:
    """Another version of the model beside the live one, for as long as the block runs.

    Args:
        settings: of the live model.
        which: the version's number, or its digest in the archive.

    Yields:
        The settings by which `TritonModel` calls that version.

    Raises:
        ModelVersionError: there is no such version.
        ModelSwitchError: Triton cannot load it.
        UnreachableError: Triton does not answer, or the archive refuses.
    """
    async with ModelControl(settings) as control, control.beside(which) as name:
        yield settings.model_copy(update={"model_name": name, "model_version": ""})
