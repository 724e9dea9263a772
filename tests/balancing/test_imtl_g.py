"""Equal projections, by hand."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import IMTLG
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def test_two_gradients_at_right_angles(tasks: Tasks, combine: Any) -> None:
    """Weights 2/3 and 1/3, times two."""
    gradient, weights = combine(IMTLG(tasks), {"a": (1.0, 0.0), "b": (0.0, 2.0)})
    assert gradient == pytest.approx([4 / 3, 4 / 3])
    assert weights == pytest.approx({"a": 4 / 3, "b": 2 / 3})


def test_all_projections_are_equal(combine: Any) -> None:
    """Equation 1 of the paper."""
    rows = np.random.default_rng(0).normal(size=(3, 5)) * [[1], [10], [0.1]]
    gradient, weights = combine(IMTLG({task: TaskSpec(1, gaussian=False) for task in "abc"}), dict(zip("abc", rows, strict=True)))
    projections = rows / np.linalg.norm(rows, axis=1, keepdims=True) @ gradient
    assert projections == pytest.approx(np.full(3, projections[0]))
    assert sum(weights.values()) == pytest.approx(3)


def test_a_weight_that_it_is_blind_to_is_told(tasks: Tasks) -> None:
    notes = IMTLG(tasks | {"a": TaskSpec(1, gaussian=False, weight=3.0)}, level="parameters").notes
    assert [note.partition(": the method")[0] for note in notes] == ["balancing=imtl_g: tasks.a.weight=3"]
