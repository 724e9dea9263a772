"""Projections, by hand."""

from typing import Any

import pytest

from mmtrain.balancing import PCGrad
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def test_two_gradients_in_conflict(tasks: Tasks, combine: Any) -> None:
    """(1, 0) + (-1, 1) / 2 = (0.5, 0.5), and (-1, 1) + (1, 0) = (0, 1)."""
    gradient, weights = combine(PCGrad(tasks), {"a": (1.0, 0.0), "b": (-1.0, 1.0)})
    assert gradient == pytest.approx([0.5, 1.5])
    assert weights == pytest.approx({"a": 2.0, "b": 1.5})


def test_without_conflict_it_is_the_plain_sum(tasks: Tasks, combine: Any) -> None:
    assert combine(PCGrad(tasks), {"a": (1.0, 0.0), "b": (1.0, 1.0)})[0] == [2.0, 1.0]


def test_the_order_is_another_in_each_step(combine: Any) -> None:
    rows = {"a": (1.0, 0.0, 0.3), "b": (-1.0, 1.0, 0.0), "c": (-0.5, -1.0, 1.0)}
    balancer = PCGrad({task: TaskSpec(1, gaussian=False) for task in "abc"})
    assert len({tuple(combine(balancer, rows)[0]) for _ in range(20)}) > 1
