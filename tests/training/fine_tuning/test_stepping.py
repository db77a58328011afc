"""Steps of a tiny model: what a batch that teaches nothing changes, and what an epoch's last step weighs."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.training.tiny import encoder_folder
from training.config import TrainConfig, changed
from training.data.examples import Example
from training.fine_tuning.processes import Processes
from training.fine_tuning.stepping import Stepper
from training.network.objective import Batch, collate
from training.network.query_model import QueryModel
from training.network.tokens import encode, load_tokenizer
from training.network.tuning import make_tunable

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
