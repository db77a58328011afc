"""Averaged weights: the mean over the last part of a run (Izmailov et al., UAI 2018)."""

from typing import Any

import torch
from torch import Tensor, nn

_SNAPSHOTS = 40


class AveragedWeights:
    """The running mean of a model's weights at 40 evenly spaced steps.

    Args:
        share: the part of all steps, at the end, that counts; 0 for none.
        steps: of the whole run.
    """

    def __init__(self, share: float, steps: int) -> None:
        span = int(share * steps)
        self._begin = steps - span
        self._every = max(span // _SNAPSHOTS, 1)
        self._active = span > 0
        self.count = 0
        self.weights: dict[str, Tensor] = {}

    def after(self, step: int, model: nn.Module) -> None:
        """Takes the weights in, where this many steps done calls for it."""
        if not self._active or step < self._begin or (step - self._begin) % self._every:
            return
        self.count += 1
        with torch.no_grad():
            for name, weight in model.state_dict().items():
                if name not in self.weights:
                    self.weights[name] = weight.detach().clone()
                elif weight.is_floating_point():
                    self.weights[name] += (weight - self.weights[name]) / self.count

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"count": self.count, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        """Goes on from a checkpoint."""
        self.count, self.weights = state["count"], state["weights"]
