"""The sentence vectors that a model learns to give: those of an encoder which stays as it is.

Models on different bases, and of different languages, so share one vector space.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from transformers import AutoConfig, AutoModel

from training.hardware import best_device
from training.inference.predict import batches
from training.network.query_model import VECTOR_WIDTH, sentence_vectors
from training.network.tokens import load_tokenizer

_BATCH = 128


class SentenceSpace:
    """An untouched encoder that gives the mean of its last states, L2-normalised.

    Args:
        folder: of a Hugging Face encoder that is 384 wide.
        bf16: whether to compute in bfloat16.
    """

    def __init__(self, folder: Path, *, bf16: bool = False) -> None:
        encoder: nn.Module = AutoModel.from_pretrained(folder, local_files_only=True)
        self._device = best_device()
        self._encoder = encoder.float().to(self._device).eval()
        self._tokenizer = load_tokenizer(folder)
        self._bf16 = bf16

    @staticmethod
    def fits(folder: Path) -> bool:
        """Whether the encoder's vectors are as wide as the model's."""
        width: object = AutoConfig.from_pretrained(folder, local_files_only=True).hidden_size
        return width == VECTOR_WIDTH

    def vectors(self, texts: Iterable[str]) -> dict[str, NDArray[np.float16]]:
        """The vector [384] of each different text."""
        asked = list(dict.fromkeys(texts))
        encodings = self._tokenizer.encode_batch(asked)
        found: dict[str, NDArray[np.float16]] = {}
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16),
        ):
            for rows, ids in batches(encodings, _BATCH):
                pieces = torch.tensor(ids, device=self._device)
                made = sentence_vectors(self._encoder, pieces, torch.ones_like(pieces))
                found |= {
                    asked[row]: vector
                    for row, vector in zip(rows, made.cpu().half().numpy(), strict=True)
                }
        return found
