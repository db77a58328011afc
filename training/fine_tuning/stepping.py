"""Steps: the loss of a batch, its gradients, what is done to them, and the change of the weights."""

from typing import Any

import torch
from torch import Tensor

from training.config import TrainConfig
from training.fine_tuning.adversarial import worst_embeddings
from training.fine_tuning.optimization import make_optimizer, rate_share
from training.fine_tuning.processes import Processes
from training.network.objective import Batch, losses, r_drop_loss
from training.network.query_model import QueryModel
from training.network.tuning import RankBudget


class Stepper:
    """Changes a model's weights, batch by batch.

    Args:
        config: of the run.
        model: on its device, with what is not to learn frozen.
        batches: that each process will be given in an epoch.
        processes: that train together.
        bf16: whether to compute in bfloat16 where that is safe.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: QueryModel,
        batches: int,
        processes: Processes,
        *,
        bf16: bool,
    ) -> None:
        self._config, self._model, self._processes, self._bf16 = config, model, processes, bf16
        optimizer = config.optimizer
        self.steps_an_epoch = -(-batches // optimizer.accumulate)
        self.steps = optimizer.epochs * self.steps_an_epoch
        self.done = 0
        self._waiting = 0  # batches whose gradients have not made a step yet
        self._optimizer = make_optimizer(model, optimizer)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer, lambda step: rate_share(optimizer, step, self.steps)
        )
        self._budget = RankBudget(model, config.tuning, self.steps)

    @property
    def whole(self) -> bool:
        """Whether no batch waits for its step, so that a checkpoint loses nothing."""
        return self._waiting == 0

    def train_on(self, batch: Batch, *, last: bool) -> dict[str, float]:
        """Passes a batch; makes a step when enough of them have passed, or this is an epoch's last.

        Returns:
            The losses by name; none where no text has a label of what is trained. Such a batch counts as any
            other, so that all processes make their steps together.
        """
        parts = self._backward(batch)
        if parts and (epsilon := self._config.optimizer.adversarial):
            with worst_embeddings(self._model.encoder, epsilon) as moved:
                if moved:
                    harder = self._backward(batch)
                    parts["adversarial"] = torch.stack(list(harder.values())).sum()
        self._waiting += 1
        if last or self._waiting == self._config.optimizer.accumulate:
            self._step()
        return {name: value.item() for name, value in parts.items()}

    def _backward(self, batch: Batch) -> dict[str, Tensor]:
        consistency = self._config.loss.consistency
        taught = bool(self._config.distillation.texts)
        rows = batch.annotated(answered=taught) if consistency else batch.ids.new_empty(0)
        if len(rows):
            batch = batch.with_repeated(rows)
        with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=self._bf16):
            heads = self._model(batch.ids, batch.mask)
        parts = losses(heads, batch, self._config.loss, self._config.optimizer.label_smoothing)
        if len(rows):
            parts["consistency"] = consistency * r_drop_loss(heads, batch, rows)
        if (penalty := self._budget.penalty()) is not None:
            parts["ranks"] = penalty
        if not parts:
            return {}
        total = torch.stack(list(parts.values())).sum() / self._config.optimizer.accumulate
        total.backward()  # type: ignore[no-untyped-call] # torch
        return {name: value.detach() for name, value in parts.items()}

    def _step(self) -> None:
        accumulate = self._config.optimizer.accumulate
        if self._waiting < accumulate:  # an epoch's last: the mean of the batches that are left
            for parameter in self._model.parameters():
                if parameter.grad is not None:
                    parameter.grad *= accumulate / self._waiting
        self._processes.average_gradients(self._model.parameters())
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.optimizer.clip)
        self._optimizer.step()
        self._schedule.step()
        self.done += 1
        self._budget.after_step(self.done)
        self._optimizer.zero_grad(set_to_none=True)
        self._waiting = 0

    def state(self) -> dict[str, Any]:
        """What a checkpoint must keep beside the weights."""
        return {
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "ranks": self._budget.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Goes on from what `state` gave."""
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self.done = self._schedule.last_epoch  # which counts steps
        self._budget.load_state(state.get("ranks", {}))
