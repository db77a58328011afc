"""What is refused when a model's answer is read."""

import numpy as np
import pytest

from streams.decoding import Decoder
from tests.streams.samples import SMALL_LABELS, outputs_of, word_offsets
from workers.model_contract import MalformedAnswerError, ModelContract

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
