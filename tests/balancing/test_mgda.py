"""The shortest convex combination, against the closed form for two gradients."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import MGDA
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def closed_form(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Sener and Koltun 2018, equation 6."""
    share = np.clip(other @ (other - one) / ((one - other) @ (one - other)), 0, 1)
    return share * one + (1 - share) * other


@pytest.mark.parametrize("level", ["features", "parameters"])
@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((1.0, 0.0), (0.0, 2.0), [1.6, 0.8]), ((1.0, 0.0), (3.0, 1.0), [2.0, 0.0]), ((1.0, 1.0), (1.0, -1.0), [2.0, 0.0])],
)
def test_two_gradients(tasks: Tasks, combine: Any, level: Any, one: Any, other: Any, expected: list[float]) -> None:
    """Times two, for two tasks; the second pair is won by the shorter gradient alone."""
    gradient, weights = combine(MGDA(tasks, level=level), {"a": one, "b": other})
    assert gradient == pytest.approx(expected)
    assert gradient == pytest.approx(2 * closed_form(np.array(one), np.array(other)))
    assert sum(weights.values()) == pytest.approx(2)


def test_normalised_rows_weigh_alike(tasks: Tasks, combine: Any) -> None:
    """(1, 0) and (0, 3) become (2, 0) and (0, 2), of the same mean norm, and have the mean (1, 1)."""
    gradient, weights = combine(MGDA(tasks, normalisation="unit"), {"a": (1.0, 0.0), "b": (0.0, 3.0)})
    assert gradient == pytest.approx([2.0, 2.0])
    assert weights == pytest.approx({"a": 2.0, "b": 2 / 3})


def test_an_absent_task_changes_no_weight_without_conflict(combine: Any) -> None:
    specs = {task: TaskSpec(1, gaussian=False) for task in "abc"}
    rows = {"a": (1.0, 0.0, 0.0), "b": (0.0, 1.0, 0.0), "c": (0.0, 0.0, 1.0)}
    assert combine(MGDA(specs), rows)[1] == pytest.approx({"a": 1.0, "b": 1.0, "c": 1.0})
    assert combine(MGDA(specs), {task: rows[task] for task in "ab"})[1] == pytest.approx({"a": 1.0, "b": 1.0})


def test_a_gradient_of_zeros_does_not_stop_the_others(tasks: Tasks, combine: Any) -> None:
    assert combine(MGDA(tasks), {"a": (0.0, 0.0), "b": (0.0, 3.0)})[0] == [0.0, 3.0]
