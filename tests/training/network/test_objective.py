"""The loss that learns whose attribute is whose."""

import math

import pytest
import torch

from training.network.objective import collate, owner_loss
from training.network.query_model import Heads
from training.network.tokens import IGNORED, Encoded


def test_the_loss_of_owners_falls_when_the_right_product_is_the_likeliest() -> None:
    item = Encoded((1, 2, 3, 4, 5), 0, 0, (IGNORED,) * 5, ((1, 3, 1.0), (2, 3, 0.0)), "")
    batch = collate([item])

    def loss(first: float, second: float) -> float:
        subject, owned = torch.zeros(1, 5, 32), torch.zeros(1, 5, 32)
        subject[0, 1, 0], subject[0, 2, 0], owned[0, 3, 0] = first, second, 1.0
        other = torch.zeros(1, 1)
        return owner_loss(Heads(other, other, other, subject, owned, other), batch).item()

    assert loss(3.0, -3.0) < 0.01
    assert loss(2.0, 1.0) < loss(1.0, 1.0) < loss(1.0, 2.0) < loss(-3.0, 3.0)
    assert loss(-1.0, -4.0) == pytest.approx(loss(4.0, 1.0))  # the likeliest, however likely
    assert loss(0.0, 0.0) == pytest.approx(math.log(2))
