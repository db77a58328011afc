"""What goes into the trained network's products, seen on training queries."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from training.export.quantization import STATIC, Range
from training.network.query_model import QueryModel


def observe(model: QueryModel, batches: Iterable[list[list[int]]]) -> dict[str, Range]:
    """The ranges of the inputs that get one scale, by the name of the linear layer they enter.

    Args:
        model: in evaluation mode.
        batches: word pieces [B, L] of training queries, each batch of one length.
    """
    found: dict[str, Range] = {}

    def watch(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
            rows = inputs[0].detach().float().flatten(0, -2)
            least, greatest = rows.amin(0).numpy(), rows.amax(0).numpy()
            if before := found.get(name):
                least = np.minimum(before.least, least)
                greatest = np.maximum(before.greatest, greatest)
            found[name] = Range(least, greatest)

        return hook

    hooks = [
        module.register_forward_pre_hook(watch(name))
        for name, module in model.named_modules()
        if name.endswith(STATIC)
    ]
    try:
        with torch.inference_mode():
            for ids in batches:
                whole = torch.tensor(ids)
                model(whole, torch.ones_like(whole))
    finally:
        for hook in hooks:
            hook.remove()
    return found
