"""A model that keeps the contract and fails when told to: the real one never fails on a string.

What it says is simple and depends on the text alone. A text with the word `poison` fails its whole
batch, until it is `mended`. Files in the folder `$RIGGED` steer all of it: `digest` (its content is
the digest), `failing` (every request fails), `garbage` (not-a-number logits), `slow` (seconds that a
request takes), `crash` (the process dies, as of a fault in native code), `rows` (more of them in one
request do not fit).
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils

_COLOURS = {"red", "blue", "green"}


class TritonPythonModel:
    """One instance."""

    def initialize(self, _args: dict[str, str]) -> None:
        self._folder = Path(os.environ.get("RIGGED", "/nonexistent"))

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._answer(request) for request in requests]

    def _told(self, name: str) -> str | None:
        try:
            return (self._folder / name).read_text().strip()
        except OSError:
            return None

    def _answer(self, request: Any) -> Any:
        rows = pb_utils.get_input_tensor_by_name(request, "TEXT").as_numpy().reshape(-1)
        texts = [row.decode() for row in rows]
        if slow := self._told("slow"):
            time.sleep(float(slow))
        poisoned = self._told("mended") is None and any("poison" in text for text in texts)
        if self._told("crash") is not None:
            os._exit(1)
        if (most := self._told("rows")) and len(texts) > int(most):
            error = pb_utils.TritonError("Failed to increase the shared memory pool size")
            return pb_utils.InferenceResponse(error=error)
        if self._told("failing") is not None or poisoned:
            error = pb_utils.TritonError(f"cannot read {texts[0]}")
            return pb_utils.InferenceResponse(error=error)
        return pb_utils.InferenceResponse(output_tensors=self._tensors(texts))

    def _tensors(self, texts: list[str]) -> list[Any]:
        rows = len(texts)
        words = [_words(text) for text in texts]
        longest = max(1, *(len(found) for found in words))
        intents = np.full((rows, 3), -4, np.float32)
        tags = np.zeros((rows, longest, 5), np.float32)
        offsets = np.zeros((rows, longest, 2), np.int32)
        subjects = np.zeros((rows, longest, 32), np.float32)
        for row, found in enumerate(words):
            intents[row, 1 if "order" in texts[row] else 0] = 4
            for token, (start, end) in enumerate(found):
                offsets[row, token] = start, end
                tags[row, token, 3 if texts[row][start:end] in _COLOURS else 0] = 9
                subjects[row, token, 0] = 2
        if self._told("garbage") is not None:
            intents[:] = np.nan
        counts = np.array([[len(found)] for found in words], np.int32)
        vectors = np.zeros((rows, 384), np.float32)
        vectors[:, 0] = 1
        digest = (self._told("digest") or "rigged-1").encode()
        tensors = {
            "INTENT_LOGITS": intents,
            "SENTIMENT_LOGITS": np.tile(np.array([0, 3, 0], np.float32), (rows, 1)),
            "TAG_LOGITS": tags,
            "TOKEN_OFFSETS": offsets,
            "TOKEN_COUNT": counts,
            "WORD_PIECES": counts,
            "RELATION_SUBJECT": subjects,
            "RELATION_OBJECT": subjects,
            "SENTENCE_VECTOR": vectors,
            "LANGUAGE": np.full((rows, 1), b"en", np.object_),
            "DIGEST": np.full((rows, 1), digest, np.object_),
        }
        return [pb_utils.Tensor(name, array) for name, array in tensors.items()]


def _words(text: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    start = 0
    for word in text.split(" ")[:128]:
        if word:
            found.append((start, start + len(word)))
        start += len(word) + 1
    return found
