"""Fair shares, by hand and by their equation."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import FairGrad
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
def test_two_gradients_at_right_angles(tasks: Tasks, combine: Any, alpha: float) -> None:
    """n**2 w = w ** (-1 / alpha) for a norm n, so that w = n ** (-2 alpha / (1 + alpha)); small gradients, too."""
    power = -2 * alpha / (1 + alpha)
    _, weights = combine(FairGrad(tasks, alpha=alpha), {"a": (2e-3, 0.0), "b": (0.0, 0.5e-3)})
    assert weights == pytest.approx({"a": 2e-3**power, "b": 0.5e-3**power}, rel=1e-3)


def test_the_equation_of_the_paper(combine: Any) -> None:
    """G w = w ** (-1 / alpha), equation 4."""
    rows = np.random.default_rng(0).normal(size=(3, 9))
    _, weights = combine(FairGrad({task: TaskSpec(1, gaussian=False) for task in "abc"}, alpha=2.0), dict(zip("abc", rows, strict=True)))
    found = np.array([weights[task] for task in "abc"])
    assert rows @ rows.T @ found == pytest.approx(found**-0.5, rel=1e-3)


def test_at_zero_it_is_the_plain_sum(tasks: Tasks, combine: Any) -> None:
    assert combine(FairGrad(tasks, alpha=0.0), {"a": (2.0, 0.0), "b": (0.0, 0.5)})[0] == pytest.approx([2.0, 0.5])
