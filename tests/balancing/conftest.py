"""Tasks whose gradients are given numbers."""

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from torch import Tensor, nn

from mmtrain.balancing import Balancer
from mmtrain.spec import TaskSpec

Combine = Callable[[Balancer, Mapping[str, Sequence[float]]], tuple[list[float], dict[str, float]]]


@pytest.fixture
def tasks() -> dict[str, TaskSpec]:
    return {"a": TaskSpec(100, gaussian=False), "b": TaskSpec(100, gaussian=True)}


@pytest.fixture
def combine() -> Combine:
    """What a balancer makes of these gradients, and the weights, in a whole step. Every loss is 1."""

    def call(balancer: Balancer, gradients: Mapping[str, Sequence[float]]) -> tuple[list[float], dict[str, float]]:
        numbers = nn.Parameter(torch.zeros(len(next(iter(gradients.values()))), dtype=torch.float64))
        losses: dict[str, Tensor] = {task: 1 + numbers @ torch.tensor(row).double() for task, row in gradients.items()}
        weights = balancer.backward(losses, boundary=[numbers], parameters=[numbers]) | balancer.before_step()
        balancer.after_step()
        assert numbers.grad is not None
        return numbers.grad.tolist(), {task: float(weight) for task, weight in weights.items() if weight is not None}

    return call
