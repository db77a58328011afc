"""The model, as the workers see it: texts in, `Understanding`s out, over asynchronous gRPC.

One client per event loop, kept: creating many leaks memory (triton-inference-server/client#731).
Time-outs are generous, because a storm of short ones crashes the server (server#8034): load is
shed by Triton's queue policy, and what it sheds comes back as `ModelUnavailableError`.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import numpy as np
from tritonclient.grpc import InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException

from streams.decoding import Decoder, ModelLabels, ModelOutputs, Understanding
from streams.events import ModelVersion
from workers.errors import ContractError, IntentstreamError, UnreachableError
from workers.model_contract import (
    INPUT,
    MalformedAnswerError,
    ModelContract,
    digest_of,
    output_names,
)
from workers.sections import TritonSettings

MAX_RECONNECT_MS: Final = 2_000
"""gRPC's own back-off grows to two minutes; a restarted server should be noticed in seconds."""

CANARY: Final = ("red cotton shoes for men", "where is my order [ORDER]?")
"""Asked to learn whether the model is well: readiness stays true when its process has died."""

_CHANNEL: Final = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", MAX_RECONNECT_MS),
    # gRPC would send even loopback through the https_proxy that packages are fetched by.
    ("grpc.enable_http_proxy", 0),
)

_OUTAGE: Final = frozenset(
    {
        "UNAVAILABLE",  # no connection, or the server's queue policy refused
        "DEADLINE_EXCEEDED",
        "CANCELLED",
        "ABORTED",
        "RESOURCE_EXHAUSTED",
        "NOT_FOUND",  # unloaded or reloading: "unknown model", "no available versions"
        "UNAUTHENTICATED",
        "PERMISSION_DENIED",
        "UNIMPLEMENTED",  # what a proxy without a backend may answer
        "UNKNOWN",  # gRPC's word for a stream that broke
    }
)
_CRASHED = re.compile(r"stub process|not healthy", re.IGNORECASE)
_DOWN = re.compile(
    r"no available versions|unknown model|not ready|rst_stream"
    r"|stream (?:removed|closed)|server is (?:stopping|shutting)",
    re.IGNORECASE,
)


class ModelUnavailableError(UnreachableError):
    """Nobody could have been answered: an outage. The same call may succeed later."""


class ModelCrashedError(ModelUnavailableError):
    """The model's own process has died in a server that lives on: only loading it anew helps."""


class ModelRejectedError(IntentstreamError):
    """The server is there, but failed on this very batch. Its message quotes no text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request brought: an understanding per text, all by the same model."""

    understandings: tuple[Understanding, ...]
    model: ModelVersion
    vector_space: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The tensors of one request, and what reads them."""

    outputs: ModelOutputs
    decoder: Decoder
    model: ModelVersion


@dataclass(frozen=True, slots=True)
class _Serving:
    """A contract, and the digest of the model that it was read from."""

    digest: str
    contract: ModelContract
    decoder: Decoder


def open_client(settings: TritonSettings) -> Any:
    """A client of Triton; it connects by itself, on the first call.

    Raises:
        UnreachableError: a TLS file cannot be read.
    """
    try:
        return InferenceServerClient(
            settings.address,
            ssl=settings.tls,
            root_certificates=settings.tls_cafile,
            private_key=settings.tls_keyfile,
            certificate_chain=settings.tls_certfile,
            channel_args=list(_CHANNEL),
        )
    except OSError as error:
        raise UnreachableError(
            f"a TLS file for Triton cannot be read: {error.filename}",
            "check the paths in INTENTSTREAM_TRITON__TLS_…",
        ) from error


class TritonModel:
    """The served model. An async context manager: it connects and checks the contract on entry.

    Args:
        settings: the address, TLS, the model's name and version, time-out and limits.
        decoder: builds the decoder for the labels that the model declares.

    Raises:
        ModelUnavailableError: on entry, Triton or the model cannot be reached.
        ContractError: on entry, the model is not what we expect.
    """

    def __init__(
        self,
        settings: TritonSettings,
        *,
        decoder: Callable[[ModelLabels], Decoder] = Decoder,
    ) -> None:
        self.address = settings.address
        self.name = settings.model_name
        self._settings = settings
        self._slots = asyncio.Semaphore(settings.batches_in_flight)
        self._decoder = decoder
        self._rereading = asyncio.Lock()
        self._serving: _Serving | None = None
        self._client: Any = None
        self._outputs = [InferRequestedOutput(name) for name in output_names()]

    async def __aenter__(self) -> Self:
        self.open()
        try:
            await self.canary()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def open(self) -> None:
        """Creates the client; it connects by itself, on the first call and after every outage."""
        if self._client is None:
            self._client = open_client(self._settings)

    async def close(self) -> None:
        """Closes the client; calls in flight are cancelled."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    @property
    def rows_per_request(self) -> int:
        """The most texts that `understand` takes at once."""
        rows = self._settings.max_batch_rows
        return rows if self._serving is None else min(rows, self._serving.contract.max_rows)

    @property
    def digest(self) -> str:
        """The digest of the model that answered last; "" before the first answer."""
        return "" if self._serving is None else self._serving.digest

    @property
    def labels(self) -> ModelLabels | None:
        """The labels of the model that answered last."""
        return None if self._serving is None else self._serving.contract.labels

    async def understand(self, texts: Sequence[str]) -> Answer:
        """Understandings of texts, in their order; one request, at most `rows_per_request` texts.

        Raises:
            ModelUnavailableError: an outage: retry when the model is well.
            ModelRejectedError: this batch failed, though the server is there.
            ContractError: another model is served now, and it is not what we expect.
        """
        reading = await self.read(texts)
        try:
            understandings = reading.decoder.decode(reading.outputs, list(texts))
        except (IndexError, ValueError) as error:
            raise ModelRejectedError("the model's answer cannot be decoded") from error
        return Answer(
            understandings=tuple(understandings),
            model=reading.model,
            vector_space=reading.decoder.labels.vector_space,
        )

    async def read(self, texts: Sequence[str]) -> Reading:
        """The tensors for texts, not decoded yet; as `understand` in all else."""
        async with self._slots:
            result = await self._infer(texts)
            try:
                serving = await self._serving_of(digest_of(_tensor(result, "DIGEST")))
                outputs = serving.contract.read(texts, lambda name: _tensor(result, name))
            except MalformedAnswerError as error:
                raise ModelRejectedError(error.message) from error
        version = result.get_response().model_version
        return Reading(outputs, serving.decoder, ModelVersion(self.name, version, serving.digest))

    async def canary(self) -> ModelVersion:
        """Asks what any model can answer, and says which one did.

        Raises:
            ModelUnavailableError: also when it answers, but not as it should.
            ContractError: as in `understand`.
        """
        try:
            return (await self.understand(CANARY)).model
        except ModelRejectedError as error:
            raise ModelUnavailableError(
                f"the model fails on the canary query: {error.message}",
                "look at Triton's log; unloading and loading the model revives a crashed one",
            ) from error

    async def reload(self) -> None:
        """Unloads the model and loads it anew, which revives a crashed one.

        Raises:
            ModelUnavailableError: the server does not, or allows nobody to.
        """
        try:
            await self._call("unload_model")
            await self._call("load_model")
        except ModelRejectedError as error:
            raise ModelUnavailableError(error.message, error.hint) from error

    async def _infer(self, texts: Sequence[str]) -> Any:
        rows = np.empty((len(texts), 1), dtype=np.object_)
        rows[:, 0] = [text.encode("utf-8", "replace") for text in texts]
        request = InferInput(INPUT, [len(texts), 1], "BYTES")
        request.set_data_from_numpy(rows)
        return await self._call(
            "infer",
            model_version=self._settings.model_version,
            inputs=[request],
            outputs=self._outputs,
        )

    async def _serving_of(self, digest: str) -> _Serving:
        """The contract of the model that answered with this digest, read again when it is new.

        Configuration carries no digest, so a probe after reading it tells whether it still is
        that model's; in the middle of a reload it may not be, and the call is to be repeated.
        """
        if self._serving is not None and self._serving.digest == digest:
            return self._serving
        async with self._rereading:
            if self._serving is not None and self._serving.digest == digest:
                return self._serving
            contract = await self._contract()
            probe = await self._infer(CANARY[:1])
            if digest_of(_tensor(probe, "DIGEST")) != digest:
                raise ModelUnavailableError("the model is being replaced by another version")
            try:
                decoder = self._decoder(contract.labels)
            except ValueError as error:
                raise ContractError(
                    f"the model {self.name!r} cannot be decoded: {error}"
                ) from error
            self._serving = _Serving(digest, contract, decoder)
            return self._serving

    async def _contract(self) -> ModelContract:
        version = self._settings.model_version
        metadata = await self._call("get_model_metadata", model_version=version, as_json=True)
        config = await self._call("get_model_config", model_version=version, as_json=True)
        return ModelContract.of(metadata, config["config"])

    async def _call(self, method: str, **arguments: Any) -> Any:
        if self._client is None:
            raise RuntimeError("the client of the model is not open")
        try:
            return await getattr(self._client, method)(
                model_name=self.name, client_timeout=self._settings.timeout_s, **arguments
            )
        except InferenceServerException as error:
            raise self._classified(error) from error

    def _classified(self, error: InferenceServerException) -> IntentstreamError:
        """Outage or not. Messages of the model itself are left out: they may quote the text."""
        status = str(error.status() or "UNKNOWN").removeprefix("StatusCode.")
        message = str(error.message() or "")
        if status in _OUTAGE:
            said = "" if status == "UNKNOWN" else f": {message}"
            return ModelUnavailableError(
                f"the model {self.name!r} at {self.address} does not answer ({status}{said})",
                "is Triton running there, and the model loaded? `intentstream doctor` looks",
            )
        if _CRASHED.search(message):
            return ModelCrashedError(
                f"the process of the model {self.name!r} at {self.address} has died ({status})",
                "unloading and loading the model revives it",
            )
        if _DOWN.search(message):
            return ModelUnavailableError(
                f"the model {self.name!r} at {self.address} is down ({status})",
                "is it being loaded? `intentstream doctor` looks",
            )
        return ModelRejectedError(f"the model {self.name!r} failed on the batch ({status})")


def _tensor(result: Any, name: str) -> Any:
    """A tensor of a response, or None. Bytes that don't make up the shape count as malformed."""
    try:
        return result.as_numpy(name)
    except (ValueError, TypeError) as error:
        raise MalformedAnswerError(f"{name} cannot be read") from error
