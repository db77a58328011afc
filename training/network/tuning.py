"""How a model is fine-tuned: whole or in part, or through a few parameters added to a frozen base.

LoRA (Hu et al., ICLR 2022), AdaLoRA (Zhang et al., ICLR 2023) and prefix tuning (Li and Liang, ACL
2021) are `peft`'s; bottleneck adapters are `training.network.bottleneck`. The heads always learn.
What LoRA and AdaLoRA have learnt is merged into the base's weights afterwards, so that such a model is served
as any other; adapters and prefixes remain parts of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from peft import AdaLoraConfig, LoraConfig, PrefixTuningConfig, get_peft_model
from torch import Tensor

from training.config import TuningConfig
from training.errors import ConfigError
from training.network.bottleneck import insert_adapters
from training.network.freezing import freeze
from training.network.query_model import QueryModel

MERGED = frozenset({"lora", "adalora"})
"""Methods of which nothing but changed weights remains."""

_UNKNOWN = 1_000_000  # steps, until they are known


@dataclass(frozen=True, slots=True)
class Parameters:
    """How many there are, and how many of them learn."""

    all: int
    learning: int


def count_parameters(model: torch.nn.Module) -> Parameters:
    """The model's parameters as it now stands."""
    sizes = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return Parameters(sum(n for n, _ in sizes), sum(n for n, learns in sizes if learns))


def make_tunable(model: QueryModel, config: TuningConfig) -> None:
    """Freezes what is to stay and adds what is to be learnt, in place.

    Raises:
        ConfigError: the method does not fit this base.
    """
    if config.method == "full":
        freeze(model.encoder, config.freeze, config.layers)
    elif config.method == "adapters":
        insert_adapters(model.encoder, model.width, config.bottleneck)
    else:
        try:
            model.encoder = get_peft_model(model.encoder, _peft_config(config))
        except ValueError as error:
            raise ConfigError(
                f"{config.method} does not fit this base: {error}",
                'choose another method under [tuning]; "adapters" fits most',
            ) from error


def _peft_config(config: TuningConfig) -> Any:
    shared: dict[str, Any] = {
        "lora_alpha": config.alpha,
        "lora_dropout": config.dropout,
        "target_modules": "all-linear",
        "exclude_modules": ".*pooler.*",  # no head reads the pooled state of BERT
    }
    if config.method == "lora":
        return LoraConfig(r=config.rank, **shared)
    if config.method == "adalora":
        return AdaLoraConfig(
            init_r=config.rank + config.rank // 2,
            target_r=config.rank,
            total_step=_UNKNOWN,
            **shared,
        )
    return PrefixTuningConfig(task_type="FEATURE_EXTRACTION", num_virtual_tokens=config.prefix)


def merge(model: QueryModel, config: TuningConfig) -> None:
    """Adds what LoRA or AdaLoRA have learnt to the base's own weights, in place."""
    if config.method in MERGED:
        encoder: Any = model.encoder
        model.encoder = encoder.merge_and_unload()


class RankBudget:
    """AdaLoRA's part in training: it moves rank to where it matters while it goes on.

    Of the steps, a tenth passes before the ranks shrink, and for the last three tenths they stay.
    For all other methods nothing here does anything.

    Args:
        model: that `make_tunable` has been given.
        config: of the run.
        steps: there will be.
    """

    def __init__(self, model: QueryModel, config: TuningConfig, steps: int) -> None:
        encoder: Any = model.encoder
        self._encoder: Any = encoder.base_model if config.method == "adalora" else None
        if self._encoder is None:
            return
        self._budget: Any = self._encoder.peft_config["default"]
        self._budget.total_step = steps
        self._budget.tinit, self._budget.tfinal = steps // 10, steps * 3 // 10
        self._budget.deltaT = max(steps // 100, 1)

    def penalty(self) -> Tensor | None:
        """What keeps the added matrices near orthogonal: a mean norm (equation 4 of the paper)."""
        if self._encoder is None:
            return None
        norms = []
        for name, value in self._encoder.named_parameters():
            if "lora_A" in name or "lora_B" in name:
                product = value @ value.T if "lora_A" in name else value.T @ value
                norms.append(torch.linalg.norm(product - torch.eye(len(product)).to(product)))
        penalty: Tensor = torch.stack(norms).mean() * self._budget.orth_reg_weight
        return penalty

    def after_step(self, step: int) -> None:
        """To be told of each step, counted from 1, while its gradients are still there."""
        if self._encoder is None:
            return
        for name, value in self._encoder.named_parameters():
            if "lora_" in name and value.grad is None:  # of a step whose texts had no label
                value.grad = torch.zeros_like(value)
        self._encoder.update_and_allocate(step)

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep beside the weights."""
        if self._encoder is None:
            return {}
        allocator = self._encoder.rankallocator
        return {
            "sensitivity": dict(allocator.exp_avg_ipt),
            "uncertainty": dict(allocator.exp_avg_unc),
            "last": dict(allocator.ipt),
            "ranks": self._budget.rank_pattern,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave."""
        if self._encoder is None or not state:
            return
        allocator = self._encoder.rankallocator
        allocator.exp_avg_ipt = dict(state["sensitivity"])
        allocator.exp_avg_unc = dict(state["uncertainty"])
        allocator.ipt = dict(state["last"])
        self._budget.rank_pattern = state["ranks"]
