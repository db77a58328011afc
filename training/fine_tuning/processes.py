"""Several processes, on one machine or more, that train one model together, through `accelerate`.

Each passes its part of every batch, and gradients are averaged before each step, so all hold the same weights
throughout. One process, the main one, measures, writes and talks.
"""

import atexit
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle, islice
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.utils import broadcast, broadcast_object_list, reduce
from torch import nn

from training.hardware import best_device

Item = TypeVar("Item")

_PATIENCE = timedelta(days=1)
"""How long the others wait for the main process: while a teacher answers, or while it measures."""


class Processes:
    """This process among those that train together; alone where it was started alone."""

    def __init__(self) -> None:
        # On processors alone it looks for no other process unless it is told so.
        self._state: Any = PartialState(cpu=best_device().type == "cpu", timeout=_PATIENCE)
        self.count: int = self._state.num_processes
        self.rank: int = self._state.process_index
        self.main: bool = self._state.is_main_process
        if self.count > 1:  # a process that ends with its connections open may be aborted
            atexit.register(self._state.destroy_process_group)

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """The main process passes the block first; the others may use what it has left behind."""
        with self._state.main_process_first():
            yield

    def same_weights(self, model: nn.Module) -> None:
        """Gives all processes the main one's weights."""
        if self.count == 1:
            return
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(broadcast(parameter.detach().clone()))

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """The mean of all processes' gradients; a gradient that is missing somewhere counts as zero."""
        if self.count == 1:
            return
        learning = [p for p in parameters if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in learning]
        mean = reduce(torch.cat([gradient.flatten() for gradient in gradients]), "mean")
        parts = mean.split([p.numel() for p in learning])
        for parameter, part in zip(learning, parts, strict=True):
            parameter.grad = part.view_as(parameter)

    def told_by_main(self, value: Any) -> Any:
        """The main process's value, in all processes."""
        if self.count == 1:
            return value
        return broadcast_object_list([value])[0]

    def part_of(self, batch: Sequence[Item]) -> list[Item]:
        """This process's items of a batch: as many as any other's, the first ones again to fill up.

        Every n-th is its own, so that of items sorted by length no process gets the long ones and
        lets the others wait.
        """
        filled = -(-len(batch) // self.count) * self.count
        return list(islice(cycle(batch), self.rank, filled, self.count))
