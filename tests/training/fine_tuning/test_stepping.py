"""Steps of a tiny model: a batch that teaches nothing, an epoch's last step, a share of the texts."""

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from tests.training.tiny import encoder_folder
from training.config import TrainConfig
from training.data.examples import Example
from training.fine_tuning.processes import Processes
from training.fine_tuning.stepping import Stepper
from training.fine_tuning.trainer import evenly
from training.network.objective import Batch, collate
from training.network.query_model import QueryModel
from training.network.tokens import encode, load_tokenizer
from training.network.tuning import make_tunable
from training.recipes import changed

Make = Callable[..., tuple[Stepper, QueryModel]]

_INTENTS = {"loss.sentiment": 0.0, "loss.tags": 0.0, "loss.relations": 0.0, "loss.vector": 0.0}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return encoder_folder(tmp_path)


@pytest.fixture
def make(base: Path) -> Make:
    def stepper(batches: int = 4, **values: object) -> tuple[Stepper, QueryModel]:
        generated = {"data.generated": {"requests": 1}}
        named = {name.replace("__", "."): value for name, value in values.items()}
        config = changed(TrainConfig(), generated | _INTENTS | named)
        torch.manual_seed(1)
        model = QueryModel.from_base(base, 0.0).eval()  # without dropout
        make_tunable(model, config.tuning)
        return Stepper(config, model, batches, Processes(), bf16=False), model

    return stepper


def _batch(base: Path, *intents: str | None) -> Batch:
    examples = [Example("red shoes", "own", intent=intent) for intent in intents]
    return collate(encode(examples, load_tokenizer(base), 8))


def _weights(model: QueryModel) -> dict[str, torch.Tensor]:
    return {name: weight.clone() for name, weight in model.state_dict().items()}


@pytest.mark.parametrize("adversarial", [0.0, 0.5])
def test_a_batch_without_a_label_of_what_is_trained_changes_nothing(
    make: Make, base: Path, adversarial: float
) -> None:
    stepper, model = make(optimizer__adversarial=adversarial)
    before = _weights(model)
    assert stepper.train_on(_batch(base, None, None), last=False) == {}
    assert stepper.done == 1  # it counts all the same
    assert stepper.whole
    assert all(torch.equal(before[name], weight) for name, weight in model.state_dict().items())
    assert "intent" in stepper.train_on(_batch(base, "refund"), last=True)
    assert any(not torch.equal(before[n], weight) for n, weight in model.state_dict().items())


def test_it_may_be_one_of_several_of_a_step(make: Make, base: Path) -> None:
    stepper, _ = make(optimizer__accumulate=2, optimizer__adversarial=0.5)
    stepper.train_on(_batch(base, "refund"), last=False)
    assert stepper.train_on(_batch(base, None), last=False) == {}
    assert stepper.done == 1


def test_ranks_find_their_place_beside_batches_that_teach_nothing(make: Make, base: Path) -> None:
    stepper, _ = make(tuning__method="adalora", tuning__rank=2)
    assert set(stepper.train_on(_batch(base, None), last=False)) == {"ranks"}
    assert set(stepper.train_on(_batch(base, "refund"), last=False)) == {"intent", "ranks"}
    assert stepper.done == 2


def test_an_epochs_last_step_is_the_mean_of_the_batches_that_are_left(
    make: Make, base: Path
) -> None:
    """Of stochastic gradient descent, whose steps are as long as the gradient."""
    plain = {"optimizer__kind": "sgd", "optimizer__clip": 1e9, "optimizer__learning_rate": 0.01}
    batch = _batch(base, "refund", "chitchat")
    one, alone = make(**plain)
    one.train_on(batch, last=True)
    several, shared = make(**plain, optimizer__accumulate=4)
    for last in (False, False, True):
        several.train_on(batch, last=last)
    assert several.done == 1
    for name, weight in alone.state_dict().items():
        torch.testing.assert_close(shared.state_dict()[name], weight)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_gradient_longer_than_clip_is_cut_to_that_length(
    make: Make, base: Path, accumulate: int
) -> None:
    """The whole of it, with its direction: of stochastic gradient descent, whose step it is."""
    plain = {"optimizer__kind": "sgd", "optimizer__learning_rate": 0.09, "optimizer__warmup": 0.0,
             "optimizer__weight_decay": 0.0, "optimizer__accumulate": accumulate}  # fmt: skip
    batch = _batch(base, "refund", "chitchat")

    def step(clip: float) -> torch.Tensor:
        stepper, model = make(**plain, optimizer__clip=clip)
        before = [weight.detach().clone() for weight in model.parameters()]
        for number in range(accumulate):
            stepper.train_on(batch, last=number + 1 == accumulate)
        moved = zip(before, model.parameters(), strict=True)
        return torch.cat([(was - now.detach()).flatten() for was, now in moved]) / 0.09

    free, cut = step(1e9), step(0.05)
    assert free.norm() > 0.5
    assert cut.norm().item() == pytest.approx(0.05, rel=1e-2)
    assert torch.cosine_similarity(free, cut, dim=0).item() == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize("share", [1.0, 0.7, 0.5, 0.4, 0.25, 0.1])
def test_a_share_of_the_texts_is_what_it_says(share: float) -> None:
    found = evenly(range(1000), share)
    assert found[0] == 0
    assert len(found) == round(1000 * share)
    assert max(b - a for a, b in pairwise(found)) <= math.ceil(1 / share)


@pytest.mark.parametrize("every", [1, 2, 4])
def test_one_text_of_so_many_is_every_so_manieth(every: int) -> None:
    assert evenly(range(10), 1 / every) == list(range(10))[::every]
