"""Cosines pushed up to their average, against the paper's equations."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import GradVac
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def vaccinated(one: np.ndarray, other: np.ndarray, target: float) -> np.ndarray:
    """Equation 3: `one`, turned towards `other` until their cosine is the target."""
    cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    if cosine >= target:
        return one
    gain = np.linalg.norm(one) * (target * np.sqrt(1 - cosine**2) - cosine * np.sqrt(1 - target**2))
    return one + gain / (np.linalg.norm(other) * np.sqrt(1 - target**2)) * other


def test_three_steps_with_moving_targets(tasks: Tasks, combine: Any) -> None:
    """With an average of the cosines, equation 4, as the target of each direction."""
    balancer, target, generator = GradVac(tasks, beta=0.4), 0.0, np.random.default_rng(3)
    for shift in (2.0, 1.0, -1.0):
        one, other = generator.normal(size=(2, 6)) + np.array([[shift], [1.0]])
        expected = vaccinated(one, other, target) + vaccinated(other, one, target)
        assert combine(balancer, {"a": one, "b": other})[0] == pytest.approx(expected, rel=1e-6)
        target = 0.6 * target + 0.4 * (one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        assert balancer.target[0, 1].item() == balancer.target[1, 0].item() == pytest.approx(target)


def test_an_absent_task_keeps_its_targets(combine: Any) -> None:
    balancer = GradVac({task: TaskSpec(1, gaussian=False) for task in "abc"})
    combine(balancer, {"a": (1.0, 0.0), "b": (1.0, 1.0), "c": (1.0, -0.5)})
    before = balancer.target.clone()
    combine(balancer, {"a": (1.0, 3.0), "c": (1.0, -0.5)})
    changed = (balancer.target != before).nonzero().tolist()
    assert changed == [[0, 2], [2, 0]]
