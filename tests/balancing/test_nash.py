"""The bargaining solution, by hand and by its equation."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import NashMTL
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def test_two_gradients_at_right_angles(tasks: Tasks, combine: Any) -> None:
    """G = diag(4, 1/4), so that w = 1/2 and 2."""
    gradient, weights = combine(NashMTL(tasks, max_norm=0.0), {"a": (2.0, 0.0), "b": (0.0, 0.5)})
    assert gradient == pytest.approx([1.0, 1.0])
    assert weights == pytest.approx({"a": 0.5, "b": 2.0})


@pytest.mark.parametrize("tilt", [-0.4, 0.0, 2.0])
def test_the_equation_of_the_paper(combine: Any, tilt: float) -> None:
    """G w = 1 / w, claim 3.1; then the square of the norm is the number of tasks."""
    rows = (np.random.default_rng(0).normal(size=(4, 9)) + tilt) * [[1], [100], [0.01], [3]]
    gradient, weights = combine(
        NashMTL({task: TaskSpec(1, gaussian=False) for task in "abcd"}, max_norm=0.0), dict(zip("abcd", rows, strict=True))
    )
    found = np.array([weights[task] for task in "abcd"])
    assert (rows @ rows.T @ found) * found == pytest.approx(np.ones(4))
    assert np.linalg.norm(gradient) == pytest.approx(2)


def test_the_norm_is_bounded(tasks: Tasks, combine: Any) -> None:
    assert combine(NashMTL(tasks, max_norm=0.5), {"a": (2.0, 0.0), "b": (0.0, 0.5)})[0] == pytest.approx([0.5 / 2**0.5] * 2)


def test_gradients_that_cancel_leave_nothing(tasks: Tasks, combine: Any) -> None:
    assert combine(NashMTL(tasks), {"a": (1.0, 2.0), "b": (-1.0, -2.0)})[0] == pytest.approx([0.0, 0.0], abs=1e-6)
