"""Fine-tuning: epochs of batches, checkpoints to resume from, the best epoch kept."""

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import Progress, TaskID
from tokenizers import Tokenizer  # type: ignore[import-untyped] # has no type information
from torch import Tensor

from training.config import TrainConfig
from training.data.corpus import Corpus
from training.data.examples import Example
from training.errors import DivergedError
from training.fine_tuning.averaging import AveragedWeights
from training.fine_tuning.curves import Curves, open_curves
from training.fine_tuning.processes import Processes
from training.fine_tuning.stepping import Stepper
from training.fine_tuning.validation import validation_score
from training.hardware import best_device, fast_bf16
from training.inference.predict import TorchPredictor
from training.inference.sentence_space import SentenceSpace
from training.network.objective import Batch, batches, collate
from training.network.query_model import QueryModel
from training.network.run_folder import RunFolder
from training.network.tokens import Encoded, SoftTargets, encode
from training.terminal import progress_bar

_CHECKPOINT_SECONDS = 240.0

Item = TypeVar("Item")
Heard = Callable[[int, Mapping[str, float]], None]
"""Told of an epoch, counted from 1, and its validation figures; may end the training by raising."""


def evenly(items: Sequence[Item], share: float) -> list[Item]:
    """A share of some items at even distances, the first among them; as many as it says, rounded up."""
    return [
        item for n, item in enumerate(items) if math.ceil(n * share) < math.ceil((n + 1) * share)
    ]


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
        soft_targets: a teacher's, of the words of texts.
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
        soft_targets: SoftTargets | None = None,
    ) -> None:
        self._processes = Processes()
        torch.manual_seed(config.seed + self._processes.rank)  # of dropout: the weights are there
        torch.set_num_threads(config.threads)
        self._config, self._corpus, self._validation, self._run = config, corpus, validation, run
        self._device = best_device()
        self._bf16 = fast_bf16(self._device)
        self._model = model.to(self._device)
        self._space, self._soft_targets, self._tokenizer = space, soft_targets, tokenizer
        self._pad = int(getattr(model.encoder.config, "pad_token_id", None) or 0)
        self._processes.same_weights(model)
        self._size = config.optimizer.batch * self._processes.count  # of a batch of all processes
        self._rounds = -(-len(corpus.epoch(0)) // self._size)  # batches an epoch
        self._stepper = Stepper(config, self._model, self._rounds, self._processes, bf16=self._bf16)
        self._average = AveragedWeights(config.optimizer.average, self._stepper.steps)
        self._epoch = self._step = self._last = 0  # the batch within the epoch, and its last
        self._scores: dict[str, float] = {}  # the newest
        self._best: dict[str, float] = {}
        self._best_state: dict[str, Tensor] = {}
        self._waited = 0
        self._began = self._kept_at = time.monotonic()
        self._spent = 0.0  # seconds, by the processes that trained before this one
        self._vectors: dict[str, NDArray[np.float16]] = {}

    @property
    def seconds(self) -> float:
        """What the run has taken until now, in all processes that trained one after the other.

        Of one that was cut off, up to its last checkpoint.
        """
        return self._spent + time.monotonic() - self._began

    @property
    def unkept(self) -> float:
        """Seconds since the last checkpoint; in a process that has written none, since it began."""
        return time.monotonic() - self._kept_at

    def train(self, heard: Heard | None = None) -> dict[str, float]:
        """Trains to the end, or resumes; leaves the model with its best epoch's weights.

        Args:
            heard: told of each epoch.

        Returns:
            The best epoch's validation figures, and its number, `epoch`; where the average is better than
            any, its figures, the last epoch's number, and how many weights were `averaged`.
        """
        self._resume()
        epochs = self._config.optimizer.epochs
        main = self._processes.main
        arguments = asdict(self._config)
        with (
            open_curves(self._run.path, self._config.wandb, arguments, main=main) as curves,
            progress_bar(shown=main) as progress,
        ):
            task = progress.add_task("training", total=epochs * self._rounds)
            while self._epoch < epochs and self._waited < self._config.optimizer.patience:
                self._run_epoch(progress, task, curves)
                self._finish_epoch(progress, curves)
                if heard is not None:
                    heard(self._epoch, self._scores)
            self._try_average(progress, curves)
        if self._best_state:
            self._model.load_state_dict(self._best_state)
        self._model.eval()
        return self._best

    def _run_epoch(self, progress: Progress, task: TaskID, curves: Curves) -> None:
        encoded = self._encoded(self._epoch)
        self._keep_base_vectors(encoded)
        chance = random.Random(f"{self._config.seed}-order-{self._epoch}")  # noqa: S311 - no secret
        self._model.train()
        groups = list(batches(encoded, self._size, chance))
        self._last = len(groups)
        for number, items in enumerate(groups[self._step :], self._step + 1):
            self._step = number
            parts = self._train_on(self._batch(self._processes.part_of(items)))
            self._check(parts)
            if self._stepper.whole:
                self._average.after(self._stepper.done, self._model)
            if self._step % 20 == 0 or self._step == self._last:
                self._show(parts, progress, task, curves)
            if self._stepper.whole and time.monotonic() - self._kept_at > _CHECKPOINT_SECONDS:
                self._keep()

    def _train_on(self, batch: Batch) -> dict[str, float]:
        return self._stepper.train_on(batch, last=self._step == self._last)

    def _check(self, parts: dict[str, float]) -> None:
        broken = [name for name, value in parts.items() if not math.isfinite(value)]
        if broken:
            raise DivergedError(
                f"the loss of {', '.join(broken)} is no number any more, in step {self._step} of "
                f"epoch {self._epoch + 1}",
                "lower [optimizer] learning_rate, or lengthen its warmup; the curves are in the "
                "run's tensorboard/",
            )

    def _show(
        self, parts: dict[str, float], progress: Progress, task: TaskID, curves: Curves
    ) -> None:
        curves.add({f"loss/{name}": value for name, value in parts.items()}, self._stepper.done)
        total = sum(parts.values())
        progress.update(
            task,
            completed=self._epoch * self._rounds + self._step,
            description=f"epoch {self._epoch + 1} loss {total:.3f}",
        )
        if not progress.console.is_terminal and self._step % 200 == 0:
            progress.print(f"epoch {self._epoch + 1} step {self._step} loss {total:.3f}")

    def _finish_epoch(self, progress: Progress, curves: Curves) -> None:
        self._epoch, self._step = self._epoch + 1, 0
        self._waited += 1
        if self._is_best(f"epoch {self._epoch}", progress, curves):
            self._waited = 0
        self._keep()

    def _try_average(self, progress: Progress, curves: Curves) -> None:
        """The averaged weights are one more candidate beside the epochs."""
        if not self._average.count:
            return
        self._model.load_state_dict(self._average.weights)
        if self._is_best(f"average of {self._average.count}", progress, curves):
            self._best["averaged"] = float(self._average.count)

    def _is_best(self, name: str, progress: Progress, curves: Curves) -> bool:
        """Measures the model as it stands, and keeps it where it is better than all before it."""
        self._model.eval()
        scores: dict[str, float] = {}
        if self._processes.main:
            predictor = TorchPredictor(self._model, self._tokenizer, bf16=self._bf16)
            scores = validation_score(predictor, self._validation)
        self._scores = scores = self._processes.told_by_main(scores)
        curves.add({f"validation/{name}": value for name, value in scores.items()}, self._epoch)
        listed = ", ".join(f"{figure} {value:.4f}" for figure, value in scores.items())
        progress.print(f"{name}: {listed}")
        better = scores["score"] > self._best.get("score", -1.0)
        if better:
            self._best = scores | {"epoch": float(self._epoch)}
            self._best_state = {k: v.clone() for k, v in self._model.state_dict().items()}
        return better

    def _encoded(self, epoch: int) -> list[Encoded]:
        return encode(
            self._corpus.epoch(epoch),
            self._tokenizer,
            self._config.model.max_pieces,
            self._soft_targets,
        )

    def _batch(self, items: list[Encoded]) -> Batch:
        return collate(items, self._vectors, self._pad).to(self._device)

    def _keep_base_vectors(self, encoded: list[Encoded]) -> None:
        """What the sentence vectors of some of an epoch's texts are to be."""
        if self._space is not None and self._config.loss.vector:
            # A share of the texts keeps the sentence vectors in their space at little cost.
            some = evenly(encoded, self._config.loss.vector_share)
            self._vectors = self._space.vectors(item.meaning for item in some if item.meaning)

    def _keep(self) -> None:
        self._kept_at = time.monotonic()
        if not self._processes.main:
            return
        state = self._stepper.state() | {
            "model": self._model.state_dict(),
            "epoch": self._epoch,
            "step": self._step,
            "best": self._best,
            "best_state": self._best_state,
            "waited": self._waited,
            "seconds": self.seconds,
            "average": self._average.state(),
            "random": torch.get_rng_state(),
        }
        unfinished = self._run.checkpoint.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(self._run.checkpoint)

    def _resume(self) -> None:
        if not self._run.checkpoint.is_file():
            return
        state = torch.load(self._run.checkpoint, map_location=self._device, weights_only=True)
        self._model.load_state_dict(state["model"])
        self._stepper.load_state(state)
        self._epoch, self._step = state["epoch"], state["step"]
        self._best, self._best_state = state["best"], state["best_state"]
        self._waited = state["waited"]
        self._spent = state.get("seconds", 0.0)  # older checkpoints lack it
        self._average.load(state["average"])
        if self._processes.main:
            torch.set_rng_state(state["random"].cpu())
        else:  # any other dropout than the main process's will do
            torch.manual_seed(hash((self._config.seed, self._processes.rank, self._stepper.done)))
