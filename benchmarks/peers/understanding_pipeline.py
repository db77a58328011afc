"""The served English encoder as a model and a pipeline of transformers, as its guides have custom ones.

One forward pass computes all heads, in fp32 and with PyTorch's fused attention, which is transformers'
own choice. The weights are the served int8 ones, their scales undone: labels agree, scores only about.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
from transformers import Pipeline, PreTrainedModel, PreTrainedTokenizerFast, pipeline
from transformers.pipelines import PIPELINE_REGISTRY

from benchmarks.dequantized import torch_model
from benchmarks.peers.answers import Event, Reading, described
from streams.decoding import MAX_WORD_PIECES
from training.network.query_model import QueryModel

TASK: Final = "query-understanding"
_LANGUAGE: Final = "en"
_SPECIAL: Final = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "cls", "sep", "pad")}


class QueryUnderstandingModel(PreTrainedModel):
    """The network behind transformers' interface."""

    _supports_sdpa = True  # PyTorch's fused attention, as its encoder does

    def __init__(self, network: QueryModel) -> None:
        super().__init__(network.encoder.config)
        self.network = network

    def forward(self, input_ids: Any, attention_mask: Any) -> dict[str, Any]:
        """The heads that an event is made of."""
        found = self.network(input_ids, attention_mask)
        return {
            "INTENT_LOGITS": found.intent,
            "SENTIMENT_LOGITS": found.sentiment,
            "TAG_LOGITS": found.tags[:, 1:-1],
            "RELATION_SUBJECT": found.subject[:, 1:-1],
            "RELATION_OBJECT": found.object[:, 1:-1],
        }


class UnderstandingPipeline(Pipeline):
    """A text in, its part of an event out."""

    def __init__(self, *arguments: Any, reading: Reading, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._reading = reading

    def _sanitize_parameters(self, **_more: Any) -> tuple[Event, Event, Event]:
        return {}, {}, {}

    def preprocess(self, text: str) -> Event:
        """Word pieces of a text."""
        found = self.tokenizer(
            text,
            return_tensors="pt",
            return_offsets_mapping=True,
            truncation=True,
            max_length=MAX_WORD_PIECES,
        )
        return {"text": text, "offsets": found.pop("offset_mapping"), **found}

    def _forward(self, inputs: Event) -> Event:
        heads = self.model(inputs["input_ids"], inputs["attention_mask"])
        return {"text": inputs["text"], "offsets": inputs["offsets"], **heads}

    def postprocess(self, outputs: Event) -> Event:
        """An answer of the heads."""
        text = outputs.pop("text")
        offsets = outputs.pop("offsets").numpy()
        pieces = offsets.shape[1]
        found = {name: value.numpy() for name, value in outputs.items()} | {
            "TOKEN_OFFSETS": offsets[:, 1:-1],
            "TOKEN_COUNT": np.array([pieces - 2]),
            "WORD_PIECES": np.array([pieces]),
            "LANGUAGE": np.array([_LANGUAGE.encode()]),
        }
        (answer,) = self._reading.of_tensors([text], found)
        return answer


def open_pipeline(triton: str, models: Path) -> Any:
    """The pipeline of the English encoder, in the version that Triton serves.

    Args:
        triton: asked which version that is, and what its labels are; then no more.
        models: the folder that it serves.
    """
    contract, parameters = described(triton)
    version = parameters[f"encoder_{_LANGUAGE}_version"]["string_value"]
    folder = models / f"encoder_{_LANGUAGE}" / version
    make_tokenizer: Any = PreTrainedTokenizerFast  # its constructor has no types
    PIPELINE_REGISTRY.register_pipeline(TASK, UnderstandingPipeline, type="text")
    return pipeline(
        TASK,
        model=QueryUnderstandingModel(torch_model(folder / "model.onnx", "sdpa")),
        tokenizer=make_tokenizer(tokenizer_file=str(folder / "tokenizer.json"), **_SPECIAL),
        reading=Reading(contract.labels),
    )
