"""The joint loss: each task takes part where a batch knows its answer."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.config import LossConfig
from training.network.query_model import Heads
from training.network.tokens import IGNORED, Encoded

_SHARPNESS = 20.0  # of the softmax over cosines, as sentence-transformers scales them


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
    vectors: Tensor  # [K, 384]: what those are to be
    soft: Tensor | None = None  # [B, L, tags]: a teacher's answers, 0 where there is none

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        moved: dict[str, Any] = {
            field.name: None if (held := getattr(self, field.name)) is None else held.to(device)
            for field in fields(self)
        }
        return Batch(**moved)

    def annotated(self, *, answered: bool = False) -> Tensor:
        """The rows [R] that have a label of a word, and if wanted a teacher's answer too."""
        rows = (self.tags != IGNORED).any(dim=1)
        if answered:
            soft = torch.zeros_like(rows) if self.soft is None else self.soft.any(dim=2).any(dim=1)
            rows = rows & soft
        return rows.nonzero()[:, 0]

    def with_repeated(self, rows: Tensor) -> "Batch":
        """The batch with some rows once more at its end, as R-Drop wants them."""
        size = len(self.ids)
        order = torch.cat((torch.arange(size, device=rows.device), rows))
        place = torch.full((size,), -1, device=rows.device)
        place[rows] = torch.arange(size, len(order), device=rows.device)
        again = place[self.pairs[:, 0]]
        pairs = torch.cat((again[:, None], self.pairs[:, 1:]), dim=1)[again >= 0]
        return Batch(
            ids=self.ids[order],
            mask=self.mask[order],
            intent=self.intent[order],
            sentiment=self.sentiment[order],
            tags=self.tags[order],
            pairs=torch.cat((self.pairs, pairs)),
            related=torch.cat((self.related, self.related[again >= 0])),
            kept=self.kept,
            vectors=self.vectors,
            soft=None if self.soft is None else self.soft[order],
        )


def collate(
    items: Sequence[Encoded],
    vectors: Mapping[str, NDArray[np.float16]] = MappingProxyType({}),
    pad: int = 0,
) -> Batch:
    """A batch of examples.

    Args:
        items: the rows.
        vectors: of some of their `meaning`s: what their sentence vectors are to be.
        pad: id of the padding piece.
    """
    longest = max(len(item.ids) for item in items)
    ids = torch.full((len(items), longest), pad, dtype=torch.long)
    mask = torch.zeros((len(items), longest), dtype=torch.long)
    tags = torch.full((len(items), longest), IGNORED, dtype=torch.long)
    pairs: list[tuple[int, int, int]] = []
    related: list[float] = []
    answered = next((item.soft for item in items if item.soft is not None), None)
    soft = None if answered is None else torch.zeros(len(items), longest, answered.shape[1])
    for row, item in enumerate(items):
        length = len(item.ids)
        ids[row, :length] = torch.tensor(item.ids)
        tags[row, :length] = torch.tensor(item.tags)
        mask[row, :length] = 1
        for product, attribute, together in item.pairs:
            pairs.append((row, product, attribute))
            related.append(together)
        if soft is not None and item.soft is not None:
            soft[row, :length] = torch.from_numpy(item.soft)
    kept = [row for row, item in enumerate(items) if item.meaning in vectors]
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
            np.array([vectors[items[row].meaning] for row in kept], dtype=np.float32)
        ),
        soft=soft,
    )


def losses(heads: Heads, batch: Batch, weights: LossConfig, smoothing: float) -> dict[str, Tensor]:
    """The weighted loss of each task that the batch knows something of."""
    found: dict[str, Tensor] = {}
    for name, logits, target in (
        ("intent", heads.intent, batch.intent),
        ("sentiment", heads.sentiment, batch.sentiment),
    ):
        if name in weights.tasks and (target != IGNORED).any():
            found[name] = getattr(weights, name) * functional.cross_entropy(
                logits.float(), target, ignore_index=IGNORED, label_smoothing=smoothing
            )
    if weights.tags and (batch.soft is not None or (batch.tags != IGNORED).any()):
        found["tags"] = weights.tags * tag_loss(
            heads.tags, batch.tags, batch.soft, weights.teacher, smoothing
        )
    if weights.relations and len(batch.pairs):
        found["relations"] = weights.relations * relation_loss(heads, batch)
        if weights.owners:
            found["owners"] = weights.owners * owner_loss(heads, batch)
    if weights.vector and len(batch.kept):
        kept = heads.vector[batch.kept]
        found["vector"] = weights.vector * (1.0 - (kept * batch.vectors).sum(dim=-1)).mean()
        if weights.contrast:
            found["contrast"] = weights.contrast * likeness_loss(kept, batch.vectors)
    return found


def likeness_loss(vectors: Tensor, wanted: Tensor) -> Tensor:
    """How far vectors are from lying to the wanted ones of a batch as those lie to each other.

    Cross-entropy of two softmaxes over the batch (SEED: Fang et al., ICLR 2021): the same text twice
    shares its weight.

    Args:
        vectors: [K, width], L2-normalised.
        wanted: [K, width], likewise.
    """
    targets = functional.softmax(wanted @ wanted.T * _SHARPNESS, dim=-1)
    found = functional.log_softmax(vectors.float() @ wanted.T * _SHARPNESS, dim=-1)
    return -(targets * found).sum(dim=-1).mean()


def r_drop_loss(heads: Heads, batch: Batch, rows: Tensor) -> Tensor:
    """How far the tags of rows that `with_repeated` put at the end stray from their first pass."""
    size = len(batch.ids) - len(rows)
    words = batch.tags[size:] != IGNORED
    return consistency_loss(heads.tags[rows], heads.tags[size:], words)


def relation_loss(heads: Heads, batch: Batch) -> Tensor:
    """Binary cross-entropy over pairs of product and attribute."""
    return functional.binary_cross_entropy_with_logits(_pair_scores(heads, batch), batch.related)


def owner_loss(heads: Heads, batch: Batch) -> Tensor:
    """Cross-entropy over the products of each attribute's query: it is given to the likeliest."""
    scores = _pair_scores(heads, batch)
    names, group = torch.unique(
        batch.pairs[:, 0] * batch.ids.shape[1] + batch.pairs[:, 2], return_inverse=True
    )
    highest = scores.new_full((len(names),), -torch.inf)
    highest = highest.scatter_reduce(0, group, scores.detach(), "amax")
    shifted = scores - highest[group]
    total = torch.zeros_like(highest).index_add(0, group, shifted.exp())
    share = shifted - total.log()[group]
    return -(batch.related * share).sum() / batch.related.sum().clamp(min=1)


def _pair_scores(heads: Heads, batch: Batch) -> Tensor:
    """Logits [P] of the batch's pairs."""
    rows, products, attributes = batch.pairs.unbind(dim=1)
    return (heads.subject[rows, products] * heads.object[rows, attributes]).float().sum(dim=-1)


def batches(
    encoded: Sequence[Encoded], size: int, chance: random.Random
) -> Iterator[list[Encoded]]:
    """Shuffled batches of nearly equal length each, so that little is padded."""
    order = sorted(encoded, key=lambda item: len(item.ids) + chance.random())
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    chance.shuffle(groups)
    yield from groups


def tag_loss(
    logits: Tensor, hard: Tensor, soft: Tensor | None, share: float = 0.7, smoothing: float = 0.1
) -> Tensor:
    """Cross-entropy against the teacher, the label, or both; the mean over words that have either.

    Args:
        logits: [..., tags].
        hard: [...], `IGNORED` where there is no label.
        soft: [..., tags], all 0 where there is no answer of a teacher; None if there is none at all.
        share: of the teacher, where both are there.
        smoothing: of the labels.
    """
    labelled = hard != IGNORED
    classes = logits.shape[-1]
    targets = functional.one_hot(hard.clamp(min=0), classes).float()
    targets = targets * (1.0 - smoothing) + smoothing / classes
    weight = labelled.float()
    if soft is not None:
        answered = soft.sum(dim=-1) > 0
        weight = torch.where(answered, (1.0 - share) * weight, weight)
        guided = torch.where(labelled, share, 1.0) * answered
        targets = targets * weight[..., None] + soft * guided[..., None]
        labelled = labelled | answered
    else:
        targets = targets * weight[..., None]
    lost = -(targets * functional.log_softmax(logits.float(), dim=-1)).sum(dim=-1)
    return lost.sum() / labelled.sum().clamp(min=1)


def consistency_loss(first: Tensor, second: Tensor, kept: Tensor) -> Tensor:
    """How far two passes with different dropout disagree: R-Drop (Liang et al., NeurIPS 2021).

    Args:
        first: logits [..., classes].
        second: logits of the same inputs.
        kept: [...], whether a place counts.

    Returns:
        The symmetric Kullback-Leibler divergence, the mean over the places that count.
    """
    one = functional.log_softmax(first.float(), dim=-1)
    two = functional.log_softmax(second.float(), dim=-1)
    apart = ((one.exp() - two.exp()) * (one - two)).sum(dim=-1) / 2
    return (apart * kept).sum() / kept.sum().clamp(min=1)
