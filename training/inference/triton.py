"""The model that a Triton serves, asked through the client of the workers."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from streams.decoding import ModelLabels, ModelOutputs
from training.errors import TrainingError
from training.inference.routed import joined
from workers.errors import IntentstreamError
from workers.sections import TritonSettings
from workers.settings import load_settings
from workers.triton import TritonModel

SCHEME = "grpc://"


class ServedModelError(TrainingError):
    """The served model cannot be reached, or keeps another contract than ours."""


class TritonPredictor:
    """A served model. Texts go in requests as the workers send them, several under way at once."""

    def __init__(self, model: TritonModel, labels: ModelLabels, runner: asyncio.Runner) -> None:
        self.labels = labels
        self._model, self._runner = model, runner

    def __call__(self, texts: Sequence[str]) -> ModelOutputs:
        """The model's tensors, one row a text.

        Raises:
            ServedModelError: an outage, or a batch that the model fails on.
        """
        try:
            return self._runner.run(self._read(texts))
        except IntentstreamError as error:
            raise ServedModelError(error.message, error.hint) from error

    async def _read(self, texts: Sequence[str]) -> ModelOutputs:
        size = self._model.rows_per_request
        starts = range(0, len(texts), size)
        readings = await asyncio.gather(
            *(self._model.read(texts[start : start + size]) for start in starts)
        )
        parts = [
            (range(start, min(start + size, len(texts))), reading.outputs)
            for start, reading in zip(starts, readings, strict=True)
        ]
        if len({outputs.digest for _, outputs in parts}) > 1:
            raise ServedModelError(
                "the server changed the model while it was measured", "measure again"
            )
        return joined(parts, len(texts))


@contextmanager
def triton_predictor(address: str) -> Iterator[TritonPredictor]:
    """The model that Triton serves at an address; TLS and the rest are INTENTSTREAM_TRITON__….

    Args:
        address: `host:port` or `grpc://host:port`, and after a slash the model's name if it is not
            the configured one: `grpc://host:port/query_understanding_candidate_v2`. The version that the
            workers are pinned to is one of the configured model; of another, the version that it serves is
            asked.

    Raises:
        ServedModelError: it does not answer, or is not a model of this release's contract.
    """
    with asyncio.Runner() as runner:
        try:
            model = TritonModel(_settings(address))
            runner.run(model.__aenter__())
        except IntentstreamError as error:
            raise ServedModelError(error.message, error.hint) from error
        try:
            if model.labels is None:  # the canary has been answered: it cannot be
                raise ServedModelError("the served model declared no labels")
            yield TritonPredictor(model, model.labels, runner)
        finally:
            runner.run(model.close())


def _settings(address: str) -> TritonSettings:
    place, _, name = address.removeprefix(SCHEME).partition("/")
    if not place.rpartition(":")[2].isdigit():
        raise ServedModelError(
            f"{address!r} names no port",
            "Triton's gRPC endpoint is host:port, such as localhost:8001",
        )
    changes = {"address": place} | ({"model_name": name, "model_version": ""} if name else {})
    return load_settings().triton.model_copy(update=changes)
