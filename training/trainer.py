"""Fine-tuning: epochs of batches, checkpoints to resume from, the best epoch kept."""

import random
import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from training.averaging import AveragedWeights
from training.config import OptimizerConfig, TrainConfig
from training.corpus import Corpus, batches
from training.evaluation import validation_score
from training.examples import Example
from training.hardware import best_device, fast_bf16
from training.network import QueryModel
from training.objective import Batch, collate, losses, r_drop_loss
from training.predict import TorchPredictor
from training.report import progress_bar
from training.run_folder import RunFolder
from training.sentence_space import SentenceSpace
from training.tokens import Answers, Encoded, encode

_CHECKPOINT_SECONDS = 240.0
_VECTOR_SHARE = 4  # one text in four keeps the sentence vectors in their space, at little cost


class Trainer:
    """Trains one model in one run folder.

    Args:
        config: of the run.
        model: fresh, on its base.
        tokenizer: of the base.
        corpus: what to train on.
        validation: `tags`, `intent` and `relations`, which decide the epoch that is kept.
        run: where everything goes.
        space: gives the sentence vectors that the model learns to give.
        answers: a teacher's, on the words of texts.
    """

    def __init__(
        self,
        config: TrainConfig,
        model: QueryModel,
        tokenizer: Tokenizer,
        corpus: Corpus,
        validation: dict[str, list[Example]],
        run: RunFolder,
        space: SentenceSpace | None = None,
        answers: Answers | None = None,
    ) -> None:
        torch.manual_seed(config.seed)
        torch.set_num_threads(config.threads)
        self._config, self._corpus, self._validation, self._run = config, corpus, validation, run
        self._device = best_device()
        self._bf16 = fast_bf16(self._device)
        self._model = model.to(self._device)
        self._space, self._answers, self._tokenizer = space, answers, tokenizer
        self._pad = int(getattr(model.encoder.config, "pad_token_id", None) or 0)
        self._steps_an_epoch = -(-len(corpus.epoch(0)) // config.optimizer.batch)
        self._optimizer = torch.optim.AdamW(_groups(model, config.optimizer), fused=True)
        self._average = AveragedWeights(
            config.optimizer.average, config.optimizer.epochs * self._steps_an_epoch
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._share)
        self._epoch = self._step = 0  # the step within the epoch
        self._best: dict[str, float] = {}
        self._best_state: dict[str, Tensor] = {}
        self._waited = 0
        self._kept_at = time.monotonic()
        self._vectors: dict[str, NDArray[np.float16]] = {}

    def train(self) -> dict[str, float]:
        """Trains to the end, or resumes; leaves the model with its best epoch's weights.

        Returns:
            The best epoch's validation figures.
        """
        self._resume()
        epochs = self._config.optimizer.epochs
        with SummaryWriter(str(self._run.tensorboard)) as curves, progress_bar() as progress:
            task = progress.add_task("training", total=epochs * self._steps_an_epoch)
            while self._epoch < epochs and self._waited < self._config.optimizer.patience:
                self._run_epoch(progress, task, curves)
                self._finish_epoch(progress, curves)
            self._try_average(progress, curves)
        if self._best_state:
            self._model.load_state_dict(self._best_state)
        self._model.eval()
        return self._best

    def _run_epoch(self, progress: Progress, task: Any, curves: SummaryWriter) -> None:
        encoded = self._encoded(self._epoch)
        self._keep_base_vectors(encoded)
        chance = random.Random(f"{self._config.seed}-order-{self._epoch}")  # noqa: S311 - no secret
        self._model.train()
        for number, items in enumerate(batches(encoded, self._config.optimizer.batch, chance)):
            if number < self._step:
                continue
            parts = self._train_on(self._batch(items))
            self._step = number + 1
            done = self._epoch * self._steps_an_epoch + self._step
            self._average.after(done, self._model)
            if self._step % 20 == 0:
                for name, value in parts.items():
                    curves.add_scalar(f"loss/{name}", value, done)
                total = sum(parts.values())
                progress.update(
                    task, completed=done, description=f"epoch {self._epoch + 1} loss {total:.3f}"
                )
                if not progress.console.is_terminal and self._step % 200 == 0:
                    progress.print(f"epoch {self._epoch + 1} step {self._step} loss {total:.3f}")
            if time.monotonic() - self._kept_at > _CHECKPOINT_SECONDS:
                self._keep()

    def _train_on(self, batch: Batch) -> dict[str, float]:
        optimizer, consistency = self._config.optimizer, self._config.loss.consistency
        rows = batch.annotated if consistency else batch.ids.new_empty(0)
        if len(rows):
            batch = batch.with_repeated(rows)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            heads = self._model(batch.ids, batch.mask)
        parts = losses(heads, batch, self._config.loss, optimizer.label_smoothing)
        if len(rows):
            parts["consistency"] = consistency * r_drop_loss(heads, batch, rows)
        torch.stack(list(parts.values())).sum().backward()  # type: ignore[no-untyped-call] # torch
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), optimizer.clip)
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad(set_to_none=True)
        return {name: value.item() for name, value in parts.items()}

    def _finish_epoch(self, progress: Progress, curves: SummaryWriter) -> None:
        if self._is_best(f"epoch {self._epoch + 1}", progress, curves):
            self._waited = 0
        else:
            self._waited += 1
        self._epoch, self._step = self._epoch + 1, 0
        self._keep()

    def _try_average(self, progress: Progress, curves: SummaryWriter) -> None:
        """The averaged weights are one more candidate beside the epochs."""
        if not self._average.count:
            return
        self._model.load_state_dict(self._average.weights)
        self._is_best(f"average of {self._average.count}", progress, curves)

    def _is_best(self, name: str, progress: Progress, curves: SummaryWriter) -> bool:
        """Measures the model as it stands, and keeps it where it is better than all before it."""
        self._model.eval()
        predictor = TorchPredictor(self._model, self._tokenizer, bf16=self._bf16)
        scores = validation_score(predictor, self._validation)
        for figure, value in scores.items():
            curves.add_scalar(f"validation/{figure}", value, self._epoch + 1)
        listed = ", ".join(f"{figure} {value:.4f}" for figure, value in scores.items())
        progress.print(f"{name}: {listed}")
        better = scores["score"] > self._best.get("score", -1.0)
        if better:
            self._best = scores | {"epoch": self._epoch + 1.0}
            self._best_state = {k: v.clone() for k, v in self._model.state_dict().items()}
        return better

    def _encoded(self, epoch: int) -> list[Encoded]:
        return encode(
            self._corpus.epoch(epoch),
            self._tokenizer,
            self._config.model.max_pieces,
            self._answers,
        )

    def _batch(self, items: list[Encoded]) -> Batch:
        return collate(items, self._vectors, self._pad).to(self._device)

    def _keep_base_vectors(self, encoded: list[Encoded]) -> None:
        """What the sentence vectors of some of an epoch's texts are to be."""
        if self._space is not None and self._config.loss.vector:
            some = encoded[::_VECTOR_SHARE]
            self._vectors = self._space.vectors(item.meaning for item in some if item.meaning)

    def _share(self, step: int) -> float:
        total = self._config.optimizer.epochs * self._steps_an_epoch
        warm = max(int(self._config.optimizer.warmup * total), 1)
        return (step + 1) / warm if step < warm else max((total - step) / max(total - warm, 1), 0.0)

    def _keep(self) -> None:
        state = {
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "epoch": self._epoch,
            "step": self._step,
            "best": self._best,
            "best_state": self._best_state,
            "waited": self._waited,
            "average": self._average.state(),
            "random": torch.get_rng_state(),
        }
        unfinished = self._run.checkpoint.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self._run.checkpoint)
        self._kept_at = time.monotonic()

    def _resume(self) -> None:
        if not self._run.checkpoint.is_file():
            return
        state = torch.load(self._run.checkpoint, weights_only=True)
        self._model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._epoch, self._step = state["epoch"], state["step"]
        self._best, self._best_state = state["best"], state["best_state"]
        self._waited = state["waited"]
        self._average.load(state["average"])
        torch.set_rng_state(state["random"])


def _groups(model: QueryModel, config: OptimizerConfig) -> list[dict[str, Any]]:
    """Biases and layer norms take no weight decay; heads learn faster than what is pre-trained."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        bare = parameter.ndim < 2 or "LayerNorm" in name
        groups.setdefault((name.startswith("encoder."), bare), []).append(parameter)
    return [
        {
            "params": parameters,
            "weight_decay": 0.0 if bare else config.weight_decay,
            "lr": config.learning_rate * (1.0 if pretrained else config.heads),
        }
        for (pretrained, bare), parameters in groups.items()
    ]
