"""The model that a replay asks, and the enricher's own step around it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Final

from streams.enrichment import PreparedQuery
from streams.events import ModelVersion
from streams.records import SourceRecord
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.models.control import model_beside
from workers.replays.batches import Enrich
from workers.replays.explanation import Explanation, explained
from workers.settings import Settings, settings_digest
from workers.triton import Answer, TritonModel

_OUTAGE_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class ModelInUse:
    """What a replay needs: the step that enriches, and what explains one of its answers."""

    enrich: Enrich
    model: TritonModel
    settings: Settings

    async def explain(self, record: SourceRecord) -> Explanation | None:
        """Why the model says what it says of a record; None for what never reaches it."""
        enrichment = enrichment_of(self.settings)
        prepared = enrichment.prepare(record)
        if not isinstance(prepared, PreparedQuery):
            return None
        return await explained(
            prepared, self.model, settings_digest(self.settings), enrichment.pipeline.version
        )


class _Beside:
    """A version beside the live one, under the live one's name.

    That is what its events will carry when it is live; the name under which Triton has it for the
    time being shapes none.
    """

    def __init__(self, model: TritonModel, name: str) -> None:
        self._model = model
        self._name = name

    @property
    def rows_per_request(self) -> int:
        """As the model's."""
        return self._model.rows_per_request

    @property
    def digest(self) -> str:
        """As the model's."""
        return self._model.digest

    async def understand(self, texts: Sequence[str]) -> Answer:
        """As the model does."""
        answer = await self._model.understand(texts)
        model = ModelVersion(self._name, answer.model.version, answer.model.digest)
        return Answer(answer.understandings, model, answer.vector_space)

    async def canary(self) -> object:
        """As the model does."""
        return await self._model.canary()


@asynccontextmanager
async def model_in_use(settings: Settings, which: str = "") -> AsyncIterator[ModelInUse]:
    """The model that the settings name, or another version beside it; an outage of two minutes.

    The step's settings stay those in force: a version's own name in Triton shapes no event.

    Args:
        settings: in force.
        which: a version, or the digest of an archived one; the served model where empty.

    Raises:
        ModelUnavailableError: it cannot be reached.
        ContractError: it is not what we expect.
    """
    beside = model_beside(settings.triton, which) if which else nullcontext(settings.triton)
    async with beside as triton, TritonModel(triton) as model:
        breaker = CircuitBreaker(model.canary, patience_s=_OUTAGE_S)
        try:
            asked = _Beside(model, settings.triton.model_name)
            step = BatchEnrichment(enrichment_of(settings), asked, breaker)
            yield ModelInUse(step.enrich, model, settings)
        finally:
            await breaker.close()
