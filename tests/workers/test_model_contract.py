"""What is refused when a model is opened and when its answer is read."""

import json
from typing import Any

import numpy as np
import pytest

from streams.decoding import Decoder
from tests.streams.samples import SMALL_LABELS, outputs_of, word_offsets
from workers.errors import ContractError
from workers.model_contract import INPUT, MalformedAnswerError, ModelContract, _outputs

TEXT = "red shoes"


@pytest.mark.parametrize("part", [1.5, -7e4, 1e30])
def test_a_sentence_vector_that_float16_cannot_hold_never_reaches_a_profile(part: float) -> None:
    """Finite as float32, infinite once published: it would stay in a profile for ever."""
    outputs = outputs_of(Decoder(SMALL_LABELS), [word_offsets(TEXT)])
    outputs.sentence_vector[0, 7] = part
    tensors = {
        "INTENT_LOGITS": outputs.intent_logits,
        "SENTIMENT_LOGITS": outputs.sentiment_logits,
        "TAG_LOGITS": outputs.tag_logits,
        "TOKEN_OFFSETS": outputs.token_offsets,
        "TOKEN_COUNT": outputs.token_count.reshape(1, 1),
        "WORD_PIECES": outputs.word_pieces.reshape(1, 1),
        "RELATION_SUBJECT": outputs.relation_subject,
        "RELATION_OBJECT": outputs.relation_object,
        "SENTENCE_VECTOR": outputs.sentence_vector,
        "LANGUAGE": np.array([[b"en"]], np.object_),
        "DIGEST": np.array([[b"sha256:0"]], np.object_),
    }
    with pytest.raises(MalformedAnswerError, match="SENTENCE_VECTOR"):
        ModelContract("m", SMALL_LABELS, 4).read([TEXT], tensors.get)


def _described(transitions: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and configuration of a small model whose labels declare transitions."""
    labels: dict[str, Any] = {
        "intents": SMALL_LABELS.intents,
        "tags": SMALL_LABELS.tags,
        "sentiments": SMALL_LABELS.sentiments,
        "out_of_scope_threshold": 0.5,
    }
    if transitions is not None:
        labels["transitions"] = transitions
    parameters = {"labels": json.dumps(labels), "vector_space": "test-space"}
    outputs = [
        {"name": name, "datatype": kind, "shape": [-1, *shape]}
        for name, (kind, shape) in _outputs(SMALL_LABELS).items()
    ]
    text = {"name": INPUT, "datatype": "BYTES", "shape": [-1, 1]}
    return (
        {"name": "m", "inputs": [text], "outputs": outputs},
        {"parameters": {name: {"string_value": value} for name, value in parameters.items()}},
    )


def _transitions(kinds: int) -> dict[str, Any]:
    ends = [[0.5, -0.5]] * (kinds - 1)
    return {
        "strength": 0.25,
        "start": [0.5] * kinds,
        "follows": [[0.5] * kinds] * kinds,
        "stays": ends,
        "leaves": ends,
    }


def test_a_model_may_declare_transitions_by_language() -> None:
    assert ModelContract.of(*_described()).labels == SMALL_LABELS  # as all did before
    assert ModelContract.of(*_described({})).labels == SMALL_LABELS
    found = ModelContract.of(*_described({"en": _transitions(3)})).labels.transitions
    assert {language: one.as_json() for language, one in found.items()} == {"en": _transitions(3)}


@pytest.mark.parametrize(
    ("transitions", "said"),
    [
        ({"zh": _transitions(4)}, "its transitions for 'zh' are for 3 types, its tags for 2"),
        ({"en": _transitions(3) | {"start": [0.5]}}, "labels .en: .*follows does not fit 1 kinds"),
        (
            {"en": _transitions(3) | {"start": [0.5, float("inf"), 0.5]}},
            "labels .en: .*start holds no plain numbers",
        ),
        ({"en": {"strength": 0.25}}, "labels .en: the transitions lack start, follows"),
        ([_transitions(3)], "labels .the transitions are not given by language"),
    ],
)
def test_transitions_that_do_not_fit_break_the_contract(transitions: Any, said: str) -> None:
    with pytest.raises(ContractError, match=said):
        ModelContract.of(*_described(transitions))
