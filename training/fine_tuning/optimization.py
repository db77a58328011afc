"""Optimizers, their groups of parameters, and how learning rates change over the steps."""

import math
from typing import Any

import torch
from torch import nn

from training.config import OptimizerConfig
from training.network.freezing import depths
from training.network.query_model import QueryModel


def make_optimizer(model: QueryModel, config: OptimizerConfig) -> torch.optim.Optimizer:
    """AdamW, or stochastic gradient descent with momentum, over what learns."""
    groups = parameter_groups(model, config)
    if config.kind == "sgd":
        return torch.optim.SGD(groups, momentum=config.momentum)
    return torch.optim.AdamW(groups, fused=True)


def parameter_groups(model: QueryModel, config: OptimizerConfig) -> list[dict[str, Any]]:
    """Parameters that share a learning rate and a weight decay.

    Biases and layer norms take no weight decay; heads learn faster, and lower layers slower, than
    the top of what is pre-trained, as the configuration says.
    """
    below = depths(model.encoder) if config.layer_decay < 1.0 else {}
    groups: dict[tuple[bool, float, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        bare = parameter.ndim < 2 or "LayerNorm" in name
        inner = name.removeprefix("encoder.")
        pretrained = inner != name
        rate = config.layer_decay ** below.get(inner, 0) if pretrained else config.heads
        groups.setdefault((pretrained, rate, bare), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": 0.0 if bare else config.weight_decay,
            "lr": config.learning_rate * rate,
        }
        for (_, rate, bare), parameters in groups.items()
    ]


def rate_share(config: OptimizerConfig, step: int, steps: int) -> float:
    """The learning rate at a step of so many, as a share of the highest."""
    warm = max(int(config.warmup * steps), 1)
    if step < warm:
        return (step + 1) / warm
    if config.schedule == "constant":
        return 1.0
    left = max((steps - step) / max(steps - warm, 1), 0.0)
    return left if config.schedule == "linear" else (1.0 - math.cos(math.pi * left)) / 2.0
