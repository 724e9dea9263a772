"""Learned scales, against hand-worked numbers, and against autograd and torch's Adam on the paper's objective."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torchjd.scalarization import IMTLL as Reference

from mmtrain.balancing import IMTLL
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: IMTLL, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


def test_the_first_step_by_hand() -> None:
    """Slopes 2 - 1 and 0.5 - 1: down and up by `lr`, which the first step of Adam always takes in full."""
    balancer = IMTLL(TASKS, lr=0.1)
    assert call(balancer, shape=2.0, size=0.5) == pytest.approx({"shape": 1.0, "size": 1.0})
    balancer.after_step()
    assert call(balancer, shape=2.0, size=0.5, match=1.0) == pytest.approx({"shape": math.exp(-0.1), "size": math.exp(0.1), "match": 1.0})


def test_a_constant_loss_ends_at_1() -> None:
    balancer = IMTLL(TASKS, lr=0.1)
    for _ in range(400):
        call(balancer, shape=3.0, size=0.2)
        balancer.after_step()
    assert call(balancer, shape=3.0, size=0.2) == pytest.approx({"shape": 1 / 3, "size": 5.0}, rel=1e-3)


def test_it_equals_torchjd_with_adam() -> None:
    balancer, reference = IMTLL(TASKS, lr=0.03), Reference(3)
    adam = torch.optim.Adam(reference.parameters(), lr=0.03)
    for _ in range(20):
        values = torch.rand(3) * 4
        leaf = values.clone().requires_grad_()
        adam.zero_grad()
        reference(leaf).backward()
        assert leaf.grad is not None
        found = call(balancer, **dict(zip(TASKS, values.tolist(), strict=True)))
        assert list(found.values()) == pytest.approx(leaf.grad.tolist(), rel=1e-5)
        balancer.after_step()
        adam.step()


def test_with_tasks_missing_at_random() -> None:
    """torch's Adam leaves a parameter without gradient alone, moments and all."""
    balancer = IMTLL(TASKS, lr=0.03)
    scales = {task: nn.Parameter(torch.zeros((), dtype=torch.float64)) for task in TASKS}
    adam = torch.optim.Adam(scales.values(), lr=0.03)
    for _ in range(60):
        values = {task: float(torch.rand(()) * 4) for task in TASKS if torch.rand(()) < 0.7}
        assert call(balancer, **values) == pytest.approx({task: scales[task].exp().item() for task in values}, rel=1e-5)
        balancer.after_step()
        adam.zero_grad()
        if values:
            torch.stack([scales[task].exp() * value - scales[task] for task, value in values.items()]).sum().backward()
            adam.step()


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0])
def test_a_loss_that_has_no_scale_moves_nothing(value: float) -> None:
    balancer = IMTLL(TASKS)
    call(balancer, shape=value, size=0.5)
    balancer.after_step()
    assert call(balancer, shape=2.0, size=0.5) == pytest.approx({"shape": 1.0, "size": math.exp(0.01)})


def test_parts_add_up() -> None:
    parts, whole = IMTLL(TASKS), IMTLL(TASKS)
    for value in (0.5, 1.5):
        call(parts, shape=value)
    call(whole, shape=2.0)
    parts.after_step()
    whole.after_step()
    torch.testing.assert_close(dict(parts.state_dict()), dict(whole.state_dict()), rtol=0, atol=0)


def test_a_weight_that_it_is_blind_to_is_told() -> None:
    [note] = IMTLL(TASKS | {"size": replace(TASKS["size"], weight=3.0)}).notes
    assert note.startswith("balancing=imtl_l: tasks.size.weight=3: the learned scale takes up a fixed factor of a loss")
