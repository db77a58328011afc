# ruff: noqa: SLF001 (what it replaces is private for good reasons)
"""`python -m benchmarks.unsafe_enricher WITHOUT`: an enricher that leaves something out, to measure it.

What is left out is replaced in this process alone: no setting turns it off, and none should.

    idempotence    a producer that may write a retried batch twice
    redaction      personal data stays in the text
    validation     neither a query's fields nor the model's tensors are checked
    metrics        nothing is counted or timed
    dead_letters   no limits on them, and an error in one record ends the worker
"""

import sys
from collections.abc import Callable, Sequence
from typing import Any, Final
from unittest.mock import patch

import msgspec

import streams.enrichment
from streams.codec import RecordDecoder
from streams.decoding import ModelOutputs
from streams.events import RawQuery
from streams.redaction import Redacted
from workers import cli, kafka
from workers.enrichment.batch_enrichment import BatchEnrichment
from workers.enrichment.dead_letter_limits import DeadLetterLimits
from workers.enrichment.enricher_stats import EnricherStats
from workers.metrics import WorkerMetrics
from workers.model_contract import ModelContract, TensorOf, digest_of, output_names

_UNCHECKED: Final = msgspec.json.Decoder(
    msgspec.defstruct(
        "Unchecked",
        [(name, Any, None) for name in RawQuery.__struct_fields__],
        frozen=True,
        gc=False,
    )
)


def _without_idempotence() -> None:
    made = kafka.producer
    _replace(
        kafka, "producer", lambda settings, **more: made(settings, enable_idempotence=False, **more)
    )


def _without_redaction() -> None:
    _replace(streams.enrichment, "redact", Redacted)


def _without_validation() -> None:
    def read(_: ModelContract, texts: Sequence[str], tensor: TensorOf) -> ModelOutputs:
        found: dict[str, Any] = {name: tensor(name) for name in output_names()}
        rows = len(texts)
        return ModelOutputs(
            intent_logits=found["INTENT_LOGITS"],
            sentiment_logits=found["SENTIMENT_LOGITS"],
            tag_logits=found["TAG_LOGITS"],
            token_offsets=found["TOKEN_OFFSETS"],
            token_count=found["TOKEN_COUNT"].reshape(rows),
            word_pieces=found["WORD_PIECES"].reshape(rows),
            relation_subject=found["RELATION_SUBJECT"],
            relation_object=found["RELATION_OBJECT"],
            sentence_vector=found["SENTENCE_VECTOR"],
            languages=tuple(str(row, "utf-8") for row in found["LANGUAGE"].reshape(rows)),
            digest=digest_of(found["DIGEST"]),
        )

    _replace(ModelContract, "read", read)
    _replace(RecordDecoder, "decode", lambda _, value: _UNCHECKED.decode(value))


def _without_metrics() -> None:
    def finished(stats: Any, _: Any, items: Sequence[Any], *__: Any) -> None:
        if stats._limits is not None:
            for _item in items:
                stats._limits.count(dead=False)

    _replace(EnricherStats, "finished", finished)
    _replace(EnricherStats, "took", lambda *_: None)
    _replace(WorkerMetrics, "observe", lambda *_: None)
    _replace(WorkerMetrics, "observe_stage", lambda *_: None)


def _without_dead_letters() -> None:
    def events(step: Any, query: Any, answer: Any) -> Any:
        return step.enrichment._events(
            query, answer.understanding, answer.model, answer.vector_space, degraded=False
        )

    _replace(DeadLetterLimits, "count", lambda *_, **__: None)
    _replace(BatchEnrichment, "_prepared", lambda step, record: step.enrichment._prepared(record))
    _replace(BatchEnrichment, "_events", events)


def _replace(owner: Any, name: str, by: Any) -> None:
    patch.object(owner, name, by).start()


WITHOUT: Final[dict[str, Callable[[], None]]] = {
    "idempotence": _without_idempotence,
    "redaction": _without_redaction,
    "validation": _without_validation,
    "metrics": _without_metrics,
    "dead_letters": _without_dead_letters,
}


if __name__ == "__main__":
    WITHOUT[sys.argv[1]]()
    sys.argv[1:] = ["enrich", "--stats-every", "0"]
    cli.main()
