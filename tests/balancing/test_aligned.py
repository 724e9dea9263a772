"""Components of equal length, by hand."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import Aligned
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


@pytest.mark.parametrize(("scale_mode", "length"), [("min", 1.0), ("median", 1.0), ("rmse", 2.5**0.5)])
def test_two_gradients_at_right_angles(tasks: Tasks, combine: Any, scale_mode: Any, length: float) -> None:
    """Singular values 2 and 1."""
    gradient, weights = combine(Aligned(tasks, scale_mode=scale_mode), {"a": (2.0, 0.0), "b": (0.0, 1.0)})
    assert gradient == pytest.approx([length, length])
    assert weights == pytest.approx({"a": length / 2, "b": length})


def test_it_is_the_polar_factor_times_the_smallest_singular_value(combine: Any) -> None:
    rows = np.random.default_rng(0).normal(size=(3, 5))
    gradient, _ = combine(Aligned({task: TaskSpec(1, gaussian=False) for task in "abc"}), dict(zip("abc", rows, strict=True)))
    left, lengths, right = np.linalg.svd(rows, full_matrices=False)
    assert gradient == pytest.approx((lengths.min() * left @ right).sum(0))
