"""Adversarial training: the word embeddings are pushed to where the loss is worst, for one more pass.

The fast gradient method on embeddings (Miyato et al., ICLR 2017). Their vectors are normalised one
text at a time over the vocabulary; here, as is usual with pre-trained encoders, the whole table is
moved by `epsilon` along its normalised gradient, and put back afterwards.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


@contextmanager
def worst_embeddings(encoder: nn.Module, epsilon: float) -> Iterator[bool]:
    """While it lasts, the embeddings lie `epsilon` further along the gradient they have now.

    Args:
        encoder: whose loss has been passed backward.
        epsilon: how far, in units of the embeddings (L2 norm over the table).

    Yields:
        Whether they were moved: frozen embeddings have no gradient.
    """
    table = _table(encoder)
    gradient = table.grad
    norm = None if gradient is None else torch.linalg.vector_norm(gradient)
    if gradient is None or norm is None or not torch.isfinite(norm) or norm == 0:
        yield False
        return
    before = table.detach().clone()
    with torch.no_grad():
        table.add_(gradient, alpha=float(epsilon / norm))
    try:
        yield True
    finally:
        with torch.no_grad():
            table.copy_(before)


def _table(encoder: nn.Module) -> nn.Parameter:
    holder: Any = encoder
    weight: nn.Parameter = holder.get_input_embeddings().weight
    return weight
