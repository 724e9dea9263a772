"""Learned weights, against NumPy."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mmtrain.balancing import GradNorm
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def chen(weight: np.ndarray, first: np.ndarray, loss: np.ndarray, norm: np.ndarray, alpha: float, lr: float) -> np.ndarray:
    """Equations 1 and 2, with the slope in units of the mean norm."""
    mean = (weight * norm).mean()
    rate = (loss / first) / (loss / first).mean()
    slope = norm * np.sign(weight * norm - mean * rate**alpha) / mean
    stepped = weight - lr * slope
    return stepped * weight.sum() / stepped.sum()


@pytest.mark.parametrize("level", ["features", "parameters"])
def test_steps_against_numpy(level: Any) -> None:
    generator, names = np.random.default_rng(0), "abc"
    balancer = GradNorm({task: TaskSpec(1, gaussian=False) for task in names}, alpha=1.5, lr=0.05, level=level)
    weight, first = np.ones(3), None
    for _ in range(12):
        rows, loss = generator.normal(size=(3, 4)), generator.uniform(0.5, 2, 3)
        first = loss if first is None else first
        numbers = nn.Parameter(torch.zeros(4, dtype=torch.float64))
        losses = {task: float(value) + numbers @ torch.from_numpy(row) for task, value, row in zip(names, loss, rows, strict=True)}
        found = balancer.backward(losses, boundary=[numbers], parameters=[numbers])
        assert [float(found[task] or 0) for task in names] == pytest.approx(weight, rel=1e-4)
        assert numbers.grad is not None
        np.testing.assert_allclose(numbers.grad.numpy(), weight @ rows, rtol=1e-4)
        balancer.after_step()
        weight = chen(weight, first, loss, np.linalg.norm(rows, axis=1), 1.5, 0.05)
    assert weight.sum() == pytest.approx(3)


def test_like_rates_lead_to_like_norms(tasks: Tasks, combine: Any) -> None:
    balancer = GradNorm(tasks, lr=0.01)
    for _ in range(200):
        _, weights = combine(balancer, {"a": (1.0, 0.0), "b": (0.0, 3.0)})
    assert weights == pytest.approx({"a": 1.5, "b": 0.5}, abs=0.05)


def test_an_absent_task_keeps_its_weight(combine: Any) -> None:
    balancer = GradNorm({task: TaskSpec(1, gaussian=False) for task in "abc"}, lr=0.1)
    combine(balancer, {"a": (1.0, 0.0), "b": (0.0, 3.0)})
    combine(balancer, {"a": (1.0, 0.0), "b": (0.0, 3.0)})
    weight = balancer.weight.tolist()
    assert weight[2] == 1 and weight[0] > 1 > weight[1]
    assert sum(weight) == pytest.approx(3)
