"""Weights by progress, against NumPy and TorchJD."""

import math

import numpy as np
import pytest
import torch
from torchjd.scalarization import DWA as Reference

from mmtrain.balancing import DWA
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: DWA, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


EPOCHS = np.array([[2.0, 0.5, 1.0], [1.0, 0.5, 0.9], [0.8, 0.1, 0.95], [0.7, 0.2, 0.1]])


def weights(balancer: DWA) -> dict[str, float]:
    return call(balancer, shape=1.0, size=1.0, match=1.0)


@pytest.mark.parametrize("temperature", [2.0, 0.5])
def test_it_equals_equation_7(temperature: float) -> None:
    balancer, reference = DWA(TASKS, temperature=temperature), Reference(temperature)
    for epoch, losses in enumerate(EPOCHS):
        ratio = EPOCHS[epoch - 1] / EPOCHS[epoch - 2] if epoch >= 2 else np.ones(3)
        expected = 3 * np.exp(ratio / temperature) / np.exp(ratio / temperature).sum()
        assert list(weights(balancer).values()) == pytest.approx(expected, rel=1e-6)
        leaf = torch.tensor(losses, dtype=torch.float32, requires_grad=True)
        reference(leaf).backward()
        assert leaf.grad is not None
        assert list(weights(balancer).values()) == pytest.approx(leaf.grad.tolist(), rel=1e-6)
        reference.step()
        balancer.epoch_end(dict(zip(TASKS, losses.tolist(), strict=True)))


def test_an_absent_task_changes_no_weight() -> None:
    balancer = DWA(TASKS)
    for losses in EPOCHS[:2]:
        balancer.epoch_end(dict(zip(TASKS, losses.tolist(), strict=True)))
    everything = weights(balancer)
    assert call(balancer, size=1.0, match=1.0) == {task: everything[task] for task in ("size", "match")}


@pytest.mark.parametrize("lost", [{}, {"size": math.nan}, {"size": math.inf}])
def test_an_epoch_without_a_loss_leaves_the_last_two(lost: dict[str, float]) -> None:
    balancer = DWA(TASKS)
    balancer.epoch_end({"shape": 1.0, "size": 1.0, "match": 1.0})
    balancer.epoch_end({"shape": 1.0, "size": 0.5, "match": 1.0})
    balancer.epoch_end({"shape": 1.0, "match": 1.0} | lost)
    ratio = np.array([1, 0.5, 1])
    assert list(weights(balancer).values()) == pytest.approx(3 * np.exp(ratio / 2) / np.exp(ratio / 2).sum())


def test_a_loss_of_0_counts_as_no_progress() -> None:
    balancer = DWA(TASKS)
    for _ in range(3):
        balancer.epoch_end({"shape": 1.0, "size": 0.0, "match": 1.0})
    assert weights(balancer) == pytest.approx({"shape": 1.0, "size": 1.0, "match": 1.0})
