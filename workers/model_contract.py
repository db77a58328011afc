"""What the worker expects of the model that Triton serves, and how it reads its answers.

Free of I/O: it checks the metadata and configuration that the server sent, and turns the tensors
of a response into `ModelOutputs`. A wrong shape found here is one clear message at start, instead
of an opaque error in the middle of a batch.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streams.decoding import ModelLabels, ModelOutputs
from streams.labels import ENTITY_TYPES, INTENTS, SENTIMENTS, bio_tags
from streams.tag_transitions import transitions_of
from workers.errors import ContractError

INPUT = "TEXT"
VECTOR_WIDTH = 384
RELATION_WIDTH = 32
_ANY = -1
_LONGEST: Final = 1.001
"""No part of a unit vector is longer, but for rounding. Far beyond, float16 would make infinities
of it, which would stay in a profile."""

_HINT = (
    "serve the `query_understanding` of this release's model_repository/, "
    "or point INTENTSTREAM_TRITON__ADDRESS at the server that has it"
)

Tensor = NDArray[Any]
TensorOf = Callable[[str], Tensor | None]


class MalformedAnswerError(ContractError):
    """A response that breaks the contract: a tensor is missing, misshapen or not finite."""


@dataclass(frozen=True, slots=True)
class ModelContract:
    """A served model that was found to keep the contract.

    Args:
        name: of the model in Triton.
        labels: the classes behind its logits.
        max_rows: the most rows a request may have.
    """

    name: str
    labels: ModelLabels
    max_rows: int

    @classmethod
    def of(cls, metadata: Mapping[str, Any], config: Mapping[str, Any]) -> "ModelContract":
        """The contract of a model, from its metadata and configuration in JSON form.

        Raises:
            ContractError: naming every difference, when the model is not what we expect.
        """
        name = str(metadata.get("name", "?"))
        try:
            labels = _labels(config.get("parameters", {}))
        except (KeyError, TypeError, ValueError) as error:
            raise ContractError(
                f"the model {name!r} declares no usable labels ({error})", _HINT
            ) from error
        problems = [
            *_unknown_labels(labels),
            *_wrong_transitions(labels),
            *_wrong_tensors(metadata, labels),
        ]
        if problems:
            raise ContractError(
                f"the model {name!r} does not keep the contract: {'; '.join(problems)}", _HINT
            )
        return cls(name, labels, max(int(config.get("max_batch_size", 0)), 1))

    def read(self, texts: Sequence[str], tensor: TensorOf) -> ModelOutputs:
        """The tensors of the response to a request with these texts.

        Raises:
            MalformedAnswerError: with the name of the first tensor that breaks the contract.
        """
        rows = len(texts)
        found = {}
        pieces = _ANY
        for name, (datatype, shape) in _outputs(self.labels).items():
            array = tensor(name)
            if array is None:
                raise MalformedAnswerError(f"the model's answer lacks {name}")
            if not _fits((rows, *shape), array.shape):
                raise MalformedAnswerError(f"{name} has the shape {array.shape}")
            if datatype == "FP32" and not np.isfinite(array).all():
                raise MalformedAnswerError(f"{name} holds values that are not finite")
            if name == "SENTENCE_VECTOR" and array.size and np.abs(array).max() > _LONGEST:
                raise MalformedAnswerError(f"{name} is longer than a unit vector")
            if len(shape) == 2:
                pieces = array.shape[1] if pieces == _ANY else pieces
                if array.shape[1] != pieces:
                    raise MalformedAnswerError(f"{name} counts other word pieces than the rest")
            found[name] = array
        counts = found["TOKEN_COUNT"].reshape(rows)
        if rows and not (counts.min() >= 0 and counts.max() <= pieces):
            raise MalformedAnswerError("TOKEN_COUNT lies outside the tensors")
        if not _within(found["TOKEN_OFFSETS"], texts):
            raise MalformedAnswerError("TOKEN_OFFSETS lie outside the text")
        return ModelOutputs(
            intent_logits=found["INTENT_LOGITS"],
            sentiment_logits=found["SENTIMENT_LOGITS"],
            tag_logits=found["TAG_LOGITS"],
            token_offsets=found["TOKEN_OFFSETS"],
            token_count=counts,
            word_pieces=found["WORD_PIECES"].reshape(rows),
            relation_subject=found["RELATION_SUBJECT"],
            relation_object=found["RELATION_OBJECT"],
            sentence_vector=found["SENTENCE_VECTOR"],
            languages=tuple(
                str(row, "utf-8", "replace") for row in found["LANGUAGE"].reshape(rows)
            ),
            digest=digest_of(found["DIGEST"]),
        )


def digest_of(tensor: Tensor | None) -> str:
    """The one digest in a response's DIGEST tensor.

    Raises:
        MalformedAnswerError: there is none, or the rows disagree.
    """
    digests = set() if tensor is None else {bytes(row) for row in tensor.reshape(-1)}
    if len(digests) != 1 or b"" in digests:
        raise MalformedAnswerError("the model's answer does not carry one DIGEST")
    return _text(digests.pop())


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def output_names() -> tuple[str, ...]:
    """The tensors a request asks for."""
    return tuple(_outputs(ModelLabels((), (), (), 0.0, "")))


def _outputs(labels: ModelLabels) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Name → Triton's data type and the shape after the batch dimension; -1 is any length."""
    return {
        "INTENT_LOGITS": ("FP32", (len(labels.intents),)),
        "SENTIMENT_LOGITS": ("FP32", (len(labels.sentiments),)),
        "TAG_LOGITS": ("FP32", (_ANY, len(labels.tags))),
        "TOKEN_OFFSETS": ("INT32", (_ANY, 2)),
        "TOKEN_COUNT": ("INT32", (1,)),
        "WORD_PIECES": ("INT32", (1,)),
        "RELATION_SUBJECT": ("FP32", (_ANY, RELATION_WIDTH)),
        "RELATION_OBJECT": ("FP32", (_ANY, RELATION_WIDTH)),
        "SENTENCE_VECTOR": ("FP32", (VECTOR_WIDTH,)),
        "LANGUAGE": ("BYTES", (1,)),
        "DIGEST": ("BYTES", (1,)),
    }


def _within(offsets: Tensor, texts: Sequence[str]) -> bool:
    if offsets.size == 0:
        return True
    lengths = np.array([len(text) for text in texts])
    return bool(offsets.min() >= 0 and (offsets.max(axis=(1, 2)) <= lengths).all())


def _labels(parameters: Mapping[str, Any]) -> ModelLabels:
    declared = json.loads(parameters["labels"]["string_value"])
    return ModelLabels(
        intents=tuple(declared["intents"]),
        tags=tuple(declared["tags"]),
        sentiments=tuple(declared["sentiments"]),
        out_of_scope_threshold=float(declared["out_of_scope_threshold"]),
        vector_space=str(parameters["vector_space"]["string_value"]),
        transitions=transitions_of(declared.get("transitions", {})),
    )


def _unknown_labels(labels: ModelLabels) -> list[str]:
    known = {
        "intents": (labels.intents, INTENTS),
        "tags": (labels.tags, bio_tags(ENTITY_TYPES)),
        "sentiments": (labels.sentiments, SENTIMENTS),
    }
    problems = []
    for kind, (declared, schema) in known.items():
        unknown = sorted(set(declared) - set(schema))
        if unknown:
            problems.append(f"{kind} {unknown} are not in this release's label schema")
        if not declared or len(set(declared)) != len(declared):
            problems.append(f"its {kind} are missing or repeat themselves")
    return problems


def _wrong_transitions(labels: ModelLabels) -> list[str]:
    types = sum(tag.startswith("B-") for tag in labels.tags)
    return [
        f"its transitions for {language!r} are for {transitions.types} types, its tags for {types}"
        for language, transitions in labels.transitions.items()
        if transitions.types != types
    ]


def _wrong_tensors(metadata: Mapping[str, Any], labels: ModelLabels) -> list[str]:
    expected = {INPUT: ("BYTES", (1,))} | _outputs(labels)
    declared = {
        str(tensor["name"]): (str(tensor["datatype"]), tuple(int(dim) for dim in tensor["shape"]))
        for part in ("inputs", "outputs")
        for tensor in metadata.get(part, ())
    }
    problems = []
    for name, (datatype, shape) in expected.items():
        if name not in declared:
            problems.append(f"{name} is missing")
            continue
        have_type, have_shape = declared.pop(name)
        if have_type != datatype:
            problems.append(f"{name} is {have_type}, not {datatype}")
        if not _fits((_ANY, *shape), have_shape, declared=True):
            wanted = [_ANY, *shape]
            problems.append(f"{name} has the shape {list(have_shape)}, not {wanted}")
    inputs = (tensor["name"] for tensor in metadata.get("inputs", ()))
    more = sorted(name for name in inputs if name != INPUT)
    if more:
        problems.append(f"it wants further inputs: {more}")
    return problems


def _fits(wanted: tuple[int, ...], have: tuple[int, ...], *, declared: bool = False) -> bool:
    """Whether shapes agree. A *declared* dimension of -1 may turn out to be what we want."""
    return len(wanted) == len(have) and all(
        want in (_ANY, dim) or (declared and dim == _ANY)
        for want, dim in zip(wanted, have, strict=True)
    )
