"""Weights by number of labels, against hand-worked numbers."""

import pytest
import torch
from torch import nn

from mmtrain.balancing import Size
from mmtrain.spec import TaskSpec


def specs(**labels: int) -> dict[str, TaskSpec]:
    return {task: TaskSpec(count, gaussian=False) for task, count in labels.items()}


@pytest.mark.parametrize(
    ("labels", "exponent", "expected"),
    [
        ({"common": 300, "rare": 100}, 1.0, {"common": 0.5, "rare": 1.5}),
        ({"common": 400, "rare": 100}, 0.5, {"common": 2 / 3, "rare": 4 / 3}),
        ({"a": 100, "b": 200, "c": 400}, 1.0, {"a": 12 / 7, "b": 6 / 7, "c": 3 / 7}),
        ({"common": 300, "rare": 100}, 0.0, {"common": 1.0, "rare": 1.0}),
        ({"only": 5}, 1.0, {"only": 1.0}),
    ],
)
def test_values(labels: dict[str, int], exponent: float, expected: dict[str, float]) -> None:
    weight = nn.Parameter(torch.tensor(7.0))
    found = Size(specs(**labels), exponent=exponent).backward(dict.fromkeys(labels, weight * 1.0), boundary=[], parameters=[weight])
    assert found == pytest.approx(expected)
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(len(labels))  # the mean weight is 1


def test_an_absent_task_does_not_change_the_weight_of_another() -> None:
    weight = nn.Parameter(torch.tensor(7.0))
    found = Size(specs(common=300, rare=100)).backward({"rare": weight * 1.0}, boundary=[], parameters=[weight])
    assert found == pytest.approx({"rare": 1.5})


def test_it_says_that_it_corrects_twice() -> None:
    assert Size(specs(shape=1000, size=100)).notes == [
        "balancing=size corrects for the number of labels a second time: a loss is a mean over labelled rows, so that tasks already weigh "
        "alike; now 'size' (100 labels) weighs 10 times as much as 'shape' (1000 labels). It is meant for tasks so rare "
        "that most batches hold no label of theirs; otherwise use balancing=fixed"
    ]


@pytest.mark.parametrize(("labels", "exponent"), [((1000, 950), 1.0), ((1000, 10), 0.0), ((1000, 1000), 1.0)])
def test_weights_that_are_nearly_equal_are_not_worth_a_word(labels: tuple[int, int], exponent: float) -> None:
    assert Size(specs(shape=labels[0], size=labels[1]), exponent=exponent).notes == []
