"""What each peer must do of itself around its framework: ask Triton, and make events of tensors.

The tensors are decoded by the project's own decoder, so that the answers can be the same. A peer asks
for all that it publishes and no more: not for the sentence vector.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from tritonclient import grpc
from tritonclient.grpc import aio

from streams.decoding import Decoder, ModelLabels, ModelOutputs, Understanding
from streams.events import Label
from workers.model_contract import INPUT, ModelContract
from workers.sections import TritonSettings

MODEL: Final = "query_understanding"
ROWS: Final = TritonSettings().max_batch_rows
"""Queries in one call, for the peers that ask in batches: as many as the enricher by default."""

_OUTPUTS: Final = (
    "INTENT_LOGITS",
    "SENTIMENT_LOGITS",
    "TAG_LOGITS",
    "TOKEN_OFFSETS",
    "TOKEN_COUNT",
    "WORD_PIECES",
    "RELATION_SUBJECT",
    "RELATION_OBJECT",
    "LANGUAGE",
)

Event = dict[str, Any]


class Model:
    """The served model, asked in turn.

    Args:
        address: Triton's gRPC `host:port`.
    """

    def __init__(self, address: str) -> None:
        self._client = grpc.InferenceServerClient(address)
        self._reading = Reading(described(address)[0].labels)

    def understand(self, texts: Sequence[str]) -> list[Event]:
        """What is said of each text."""
        result = self._client.infer(MODEL, [tensor(texts)], outputs=wanted())
        return self._reading.answers(texts, result)


class AsyncModel:
    """Likewise, for an event loop, which must be running when it is made."""

    def __init__(self, address: str) -> None:
        self._client = aio.InferenceServerClient(address)
        self._reading = Reading(described(address)[0].labels)

    async def understand(self, texts: Sequence[str]) -> list[Event]:
        """What is said of each text."""
        result = await self._client.infer(MODEL, [tensor(texts)], outputs=wanted())
        return self._reading.answers(texts, result)

    async def close(self) -> None:
        """Closes the connection."""
        await self._client.close()


def described(address: str) -> tuple[ModelContract, Event]:
    """What the model says of itself: its contract, and the parameters of its configuration."""
    with grpc.InferenceServerClient(address) as client:
        metadata = client.get_model_metadata(MODEL, as_json=True)
        config = client.get_model_config(MODEL, as_json=True)["config"]
    return ModelContract.of(metadata, config), config["parameters"]


def tensor(texts: Sequence[str]) -> Any:
    """The model's input."""
    rows = np.array([[text.encode()] for text in texts], dtype=np.object_)
    made = grpc.InferInput(INPUT, [len(texts), 1], "BYTES")
    made.set_data_from_numpy(rows)
    return made


def wanted() -> list[Any]:
    """The model's outputs that are asked for."""
    return [grpc.InferRequestedOutput(name) for name in _OUTPUTS]


class Reading:
    """Makes answers of tensors. The labels are the model's."""

    def __init__(self, labels: ModelLabels) -> None:
        self._decoder = Decoder(labels)

    def answers(self, texts: Sequence[str], result: Any) -> list[Event]:
        """The part of an event that is the model's, for each row of a response."""
        return self.of_tensors(texts, {name: result.as_numpy(name) for name in _OUTPUTS})

    def of_tensors(self, texts: Sequence[str], found: Mapping[str, Any]) -> list[Event]:
        """Likewise, of tensors by name, wherever they are from."""
        outputs = ModelOutputs(
            intent_logits=found["INTENT_LOGITS"],
            sentiment_logits=found["SENTIMENT_LOGITS"],
            tag_logits=found["TAG_LOGITS"],
            token_offsets=found["TOKEN_OFFSETS"],
            token_count=found["TOKEN_COUNT"].reshape(-1),
            word_pieces=found["WORD_PIECES"].reshape(-1),
            relation_subject=found["RELATION_SUBJECT"],
            relation_object=found["RELATION_OBJECT"],
            sentence_vector=np.empty((len(texts), 0), np.float32),
            languages=tuple(row.decode() for row in found["LANGUAGE"].reshape(-1)),
            digest="",
        )
        understood = self._decoder.decode(outputs, list(texts))
        return [_answer(text, one) for text, one in zip(texts, understood, strict=True)]


def _answer(text: str, found: Understanding) -> Event:
    return {
        "language": found.language,
        "intent": _label(found.intent),
        "alternatives": [_label(one) for one in found.alternatives],
        "sentiment": _label(found.sentiment),
        "entities": [
            {
                "type": span.type,
                "text": text[span.start : span.end],
                "start": span.start,
                "end": span.end,
                "score": span.score,
            }
            for span in found.spans
        ],
        "relations": [
            {
                "subject": one.subject,
                "predicate": one.predicate,
                "object": one.object,
                "score": one.score,
            }
            for one in found.relations
        ],
    }


def _label(found: Label) -> Event:
    return {"label": found.label, "score": found.score}
