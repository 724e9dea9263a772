"""Logarithms, against hand-worked numbers and autograd on the sum of logarithms."""

from dataclasses import replace

import pytest
import torch

from mmtrain.balancing import Log
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: Log, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


def test_weights_are_one_over_the_loss() -> None:
    assert call(Log(TASKS), shape=2.0, size=0.25) == pytest.approx({"shape": 0.5, "size": 4.0})


def test_the_gradient_is_that_of_the_sum_of_logarithms() -> None:
    values = torch.rand(3) + 0.1
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    Log(TASKS).backward(dict(zip(TASKS, ours.unbind(), strict=True)), boundary=[], parameters=[])
    theirs.log().sum().backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_loss_of_0_stays_finite() -> None:
    assert call(Log(TASKS), shape=0.0, size=1.0) == pytest.approx({"shape": 1e8, "size": 1.0})


def test_a_weight_that_it_is_blind_to_is_told() -> None:
    """Not a weight of 0, which takes the task out."""
    assert Log(TASKS | {"size": replace(TASKS["size"], weight=0.0)}).notes == []
    [note] = Log(TASKS | {"size": replace(TASKS["size"], weight=3.0)}).notes
    assert note == (
        "balancing=log: tasks.size.weight=3: a factor of a loss is a summand of its logarithm, so that it changes nothing; "
        "use balancing=fixed to weigh tasks"
    )
