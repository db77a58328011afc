"""The model that a replay asks, and the enricher's own step around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from streams.enrichment import PreparedQuery
from streams.records import SourceRecord
from workers.enrichment.batch_enrichment import BatchEnrichment, enrichment_of
from workers.enrichment.circuit_breaker import CircuitBreaker
from workers.replays.batches import Enrich
from workers.replays.explanation import Explanation, explained
from workers.settings import Settings, settings_digest
from workers.triton import TritonModel

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


@asynccontextmanager
async def model_in_use(settings: Settings) -> AsyncIterator[ModelInUse]:
    """The model that the settings name, with an outage of at most two minutes.

    Raises:
        ModelUnavailableError: it cannot be reached.
        ContractError: it is not what we expect.
    """
    async with TritonModel(settings.triton) as model:
        breaker = CircuitBreaker(model.canary, patience_s=_OUTAGE_S)
        try:
            step = BatchEnrichment(enrichment_of(settings), model, breaker)
            yield ModelInUse(step.enrich, model, settings)
        finally:
            await breaker.close()
