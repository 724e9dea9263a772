"""A perceptron a task."""

from typing import Any

import numpy as np
import torch

from mmtrain.sharing import Separate


def test_values(by_hand: Any, answer: Any) -> None:
    """Caruana 1997, section 2, with a tower of one hidden layer; the towers go by the tasks' names."""
    sharing, vector = Separate(5, ["size", "shape"], out_dim=3, hidden_dim=4), torch.randn(6, 5)
    hand = by_hand(sharing)
    for place, task in enumerate(["shape", "size"]):
        np.testing.assert_allclose(answer(sharing, vector, task), hand.perceptron(f"towers.{place}", vector.numpy()), atol=1e-6)


def test_tasks_share_nothing() -> None:
    sharing, vector = Separate(5, ["size", "shape"]), torch.randn(6, 5)
    own, _ = sharing.split(sharing.shared(vector), vector, "size")
    own.sum().backward()
    moved = {name.split(".")[1] for name, parameter in sharing.named_parameters() if parameter.grad is not None}
    assert moved == {"1"}


def test_balancing_cuts_at_the_vector() -> None:
    vector = torch.randn(6, 5)
    assert Separate(5, ["shape"]).shared(vector) is vector
