"""The joint loss: each task takes part where a batch knows its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.config import LossConfig
from training.network import Heads
from training.tokens import IGNORED, Encoded


@dataclass(frozen=True, slots=True)
class Batch:
    """B examples as tensors, padded to the longest, L pieces."""

    ids: Tensor  # [B, L]
    mask: Tensor  # [B, L]
    intent: Tensor  # [B]
    sentiment: Tensor  # [B]
    tags: Tensor  # [B, L]
    pairs: Tensor  # [P, 3]: row, product's piece, attribute's piece
    related: Tensor  # [P]
    kept: Tensor  # [K]: rows whose sentence vector is to be kept
    vectors: Tensor  # [K, 384]: the base's own


def collate(
    items: Sequence[Encoded],
    vectors: Mapping[str, NDArray[np.float16]] = MappingProxyType({}),
    pad: int = 0,
) -> Batch:
    """A batch of examples; `vectors` holds the base's own sentence vectors of some texts."""
    longest = max(len(item.ids) for item in items)
    ids = torch.full((len(items), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(items), longest), dtype=torch.long)
    tags = torch.full((len(items), longest), IGNORED, dtype=torch.long)
    pairs: list[tuple[int, int, int]] = []
    related: list[float] = []
    for row, item in enumerate(items):
        length = len(item.ids)
        ids[row, :length] = torch.tensor(item.ids)
        tags[row, :length] = torch.tensor(item.tags)
        mask[row, :length] = 1
        for product, attribute, together in item.pairs:
            pairs.append((row, product, attribute))
            related.append(together)
    kept = [row for row, item in enumerate(items) if item.text in vectors]
    return Batch(
        ids=ids,
        mask=mask,
        intent=torch.tensor([item.intent for item in items]),
        sentiment=torch.tensor([item.sentiment for item in items]),
        tags=tags,
        pairs=torch.tensor(pairs, dtype=torch.long).reshape(-1, 3),
        related=torch.tensor(related),
        kept=torch.tensor(kept, dtype=torch.long),
        vectors=torch.from_numpy(
            np.array([vectors[items[row].text] for row in kept], dtype=np.float32)
        ),
    )


def losses(heads: Heads, batch: Batch, weights: LossConfig, smoothing: float) -> dict[str, Tensor]:
    """The weighted loss of each task that the batch knows something of."""
    found: dict[str, Tensor] = {}
    for name, logits, target in (
        ("intent", heads.intent, batch.intent),
        ("sentiment", heads.sentiment, batch.sentiment),
        ("tags", heads.tags, batch.tags),
    ):
        share = (target != IGNORED).any()
        if share:
            found[name] = getattr(weights, name) * functional.cross_entropy(
                logits.float().flatten(0, -2),
                target.flatten(),
                ignore_index=IGNORED,
                label_smoothing=smoothing,
            )
    if len(batch.pairs):
        found["relations"] = weights.relations * relation_loss(heads, batch)
    if len(batch.kept):
        cosine = (heads.vector[batch.kept] * batch.vectors).sum(dim=-1)
        found["vector"] = weights.vector * (1.0 - cosine).mean()
    return found


def relation_loss(heads: Heads, batch: Batch) -> Tensor:
    """Binary cross-entropy over pairs of product and attribute."""
    rows, products, attributes = batch.pairs.unbind(dim=1)
    scores = (heads.subject[rows, products] * heads.object[rows, attributes]).float().sum(dim=-1)
    return functional.binary_cross_entropy_with_logits(scores, batch.related)
