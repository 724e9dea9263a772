"""Projections on the dual cone, by hand."""

from typing import Any

import pytest

from mmtrain.balancing import UPGrad
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


@pytest.mark.parametrize("level", ["features", "parameters"])
@pytest.mark.parametrize("size", [1.0, 1e-6])
def test_two_gradients_in_conflict(tasks: Tasks, combine: Any, level: Any, size: float) -> None:
    """As far as they conflict (1, 0) becomes (0.5, 0.5), and (-1, 1) becomes (0, 1); small ones, too."""
    gradient, weights = combine(UPGrad(tasks, level=level), {"a": (size, 0.0), "b": (-size, size)})
    assert gradient == pytest.approx([0.5 * size, 1.5 * size], rel=1e-3)
    assert weights == pytest.approx({"a": 2.0, "b": 1.5}, rel=1e-3)


def test_without_conflict_it_is_the_plain_sum(tasks: Tasks, combine: Any) -> None:
    gradient, weights = combine(UPGrad(tasks), {"a": (1.0, 0.0), "b": (1.0, 1.0)})
    assert gradient == pytest.approx([2.0, 1.0])
    assert weights == pytest.approx({"a": 1.0, "b": 1.0})


def test_it_says_what_it_cannot_see(tasks: Tasks) -> None:
    [note] = UPGrad(tasks).notes
    assert note.startswith("balancing=upgrad compares the tasks where their heads begin, row by row")
    assert UPGrad(tasks, level="parameters").notes == UPGrad({"a": tasks["a"]}).notes == []


def test_how_far_tasks_pull_apart_is_told(tasks: Tasks, combine: Any) -> None:
    balancer = UPGrad(tasks)
    assert balancer.diagnostics() == {}
    combine(balancer, {"a": (3.0, 0.0), "b": (-3.0, 4.0)})
    assert balancer.diagnostics() == pytest.approx({"norm/a": 3.0, "norm/b": 5.0, "cosine/a/b": -0.6, "conflicts": 1.0})
    combine(balancer, {"b": (3.0, 4.0)})
    assert balancer.diagnostics() == pytest.approx({"norm/b": 5.0})
