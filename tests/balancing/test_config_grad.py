"""The same cosine with all, by hand."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import ConFIG
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def test_two_gradients_at_right_angles(tasks: Tasks, combine: Any) -> None:
    """Along (1, 1), as long as the projections together: 4 / sqrt(2)."""
    gradient, weights = combine(ConFIG(tasks), {"a": (1.0, 0.0), "b": (0.0, 3.0)})
    assert gradient == pytest.approx([2.0, 2.0])
    assert weights == pytest.approx({"a": 2.0, "b": 2 / 3})


def test_equations_2_and_3_of_the_paper(combine: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(3, 7)) * [[1], [100], [0.01]]
    gradient, _ = combine(ConFIG({task: TaskSpec(1, gaussian=False) for task in "abc"}), dict(zip("abc", rows, strict=True)))
    direction = np.linalg.pinv(rows / np.linalg.norm(rows, axis=1, keepdims=True)) @ np.ones(3)
    direction /= np.linalg.norm(direction)
    assert gradient == pytest.approx((rows @ direction).sum() * direction)


def test_gradients_that_cancel_leave_nothing(tasks: Tasks, combine: Any) -> None:
    assert combine(ConFIG(tasks), {"a": (1.0, 2.0), "b": (-1.0, -2.0)})[0] == pytest.approx([0.0, 0.0], abs=1e-6)
