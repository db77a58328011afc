"""Attention heads and feed-forward units that a trained model can do without are cut out of it.

How much a head matters is how much the loss would change without it, to first order: the product of
its output and of the loss's gradient there, summed over a text, its size averaged over texts (Michel
et al., NeurIPS 2019; the same criterion for units: Molchanov et al., ICLR 2017). What stays keeps its
weights, and is trained on.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.config import LossConfig
from training.errors import ConfigError
from training.network.freezing import layers_of
from training.network.objective import Batch, losses
from training.network.query_model import QueryModel

_ATTENTION, _UNITS = "attention.output.dense", "output.dense"
_BEFORE_ATTENTION = ("attention.self.query", "attention.self.key", "attention.self.value")


@dataclass(frozen=True, slots=True)
class Importance:
    """What the loss would change by, to first order.

    Attributes:
        heads: [heads] for each layer.
        units: [units] for each layer.
    """

    heads: tuple[Tensor, ...]
    units: tuple[Tensor, ...]


def importance(model: QueryModel, batches: Iterable[Batch], weights: LossConfig) -> Importance:
    """How much each head and each unit of a trained model matters to the loss of some batches.

    Args:
        model: on a BERT, with its trained heads.
        batches: of training examples.
        weights: of the tasks.

    Raises:
        ConfigError: an encoder of another make; no text has a label of what is trained.
    """
    layers = _layers(model.encoder)
    model.eval()
    size = _head_size(model.encoder)
    totals: dict[str, list[Tensor]] = {_ATTENTION: [], _UNITS: []}
    for batch in batches:
        with _watched(layers) as seen:
            parts = losses(model(batch.ids, batch.mask), batch, weights, 0.0)
            if not parts:
                continue
            model.zero_grad(set_to_none=True)
            torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call] # torch
        for name, inputs in seen.items():
            changes = []
            for states in inputs:
                slope = torch.zeros_like(states) if states.grad is None else states.grad
                change = (states.detach() * slope).sum(dim=1)  # [B, width], over a text
                if name == _ATTENTION:
                    change = change.view(len(change), -1, size).sum(dim=2)
                changes.append(change.abs().sum(dim=0))
            before = totals[name] or [torch.zeros_like(change) for change in changes]
            totals[name] = [a + b for a, b in zip(before, changes, strict=True)]
    model.zero_grad(set_to_none=True)
    if not totals[_UNITS]:
        raise ConfigError(
            "no text has a label that tells which heads and units matter",
            "train on labelled texts too, or leave heads and units out of [student]",
        )
    return Importance(tuple(totals[_ATTENTION]), tuple(totals[_UNITS]))


def prune(model: QueryModel, found: Importance, heads: float, units: float) -> None:
    """Cuts the least important heads and units out, in place.

    Heads are compared across layers, each layer's scores divided by their norm as Michel et al. do;
    every layer keeps at least one. Of units, each layer keeps the same share, so that products
    stay even.

    Args:
        model: that `importance` has looked at.
        found: what it has seen.
        heads: the share of all heads that stays.
        units: the share of each layer's units that stays.
    """
    size = _head_size(model.encoder)
    for layer, kept in zip(_layers(model.encoder), _kept_heads(found.heads, heads), strict=True):
        rows = (kept[:, None] * size + torch.arange(size)).flatten()
        for name in _BEFORE_ATTENTION:
            _set(layer, name, rows=rows)
        _set(layer, _ATTENTION, columns=rows)
    for layer, scores in zip(_layers(model.encoder), found.units, strict=True):
        count = max(round(units * len(scores)), 1)
        kept = scores.cpu().topk(count).indices.sort().values
        _set(layer, "intermediate.dense", rows=kept)
        _set(layer, _UNITS, columns=kept)


def _layers(encoder: nn.Module) -> nn.ModuleList:
    layers = layers_of(encoder)
    names = {name for name, _ in layers[0].named_modules()}
    if not {*_BEFORE_ATTENTION, _ATTENTION, _UNITS, "intermediate.dense"} <= names:
        raise ConfigError(
            f"heads and units of a {type(layers[0]).__name__} cannot be pruned",
            "prune a model on a BERT encoder",
        )
    return layers


def _head_size(encoder: nn.Module) -> int:
    config: Any = encoder.config
    size: int = config.hidden_size // config.num_attention_heads
    return size


@contextmanager
def _watched(layers: nn.ModuleList) -> Iterator[dict[str, list[Tensor]]]:
    """While it lasts, what enters the ends of attention and feed-forward is kept, with its gradient."""
    seen: dict[str, list[Tensor]] = {_ATTENTION: [], _UNITS: []}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            inputs[0].retain_grad()
            seen[name].append(inputs[0])

        return hook

    hooks = [
        layer.get_submodule(name).register_forward_pre_hook(keep(name))
        for layer in layers
        for name in seen
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _kept_heads(scores: tuple[Tensor, ...], share: float) -> list[Tensor]:
    """The indices of each layer's heads that stay."""
    alike = [(layer / layer.norm().clamp(min=1e-12)).cpu() for layer in scores]
    for layer in alike:
        layer[layer.argmax()] = torch.inf  # no layer loses all its heads
    everything = torch.cat(alike)
    count = max(round(share * len(everything)), len(scores))
    least = everything.topk(count).values[-1]
    return [(layer >= least).nonzero()[:, 0] for layer in alike]


def _set(
    layer: nn.Module, name: str, rows: Tensor | None = None, columns: Tensor | None = None
) -> None:
    """A linear layer with only some of its outputs (rows) or inputs (columns)."""
    old: Any = layer.get_submodule(name)
    weight, bias = old.weight.detach(), old.bias.detach()
    if rows is not None:
        rows = rows.to(weight.device)
        weight, bias = weight[rows], bias[rows]
    if columns is not None:
        weight = weight[:, columns.to(weight.device)]
    new = nn.Linear(weight.shape[1], weight.shape[0]).to(weight.device)
    with torch.no_grad():
        new.weight.copy_(weight)
        new.bias.copy_(bias)
    parent, _, last = name.rpartition(".")
    setattr(layer.get_submodule(parent), last, new)
