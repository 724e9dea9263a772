"""The plain sum."""

import torch
from torch import nn

from mmtrain.balancing import Fixed
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(10, gaussian=True)}


def test_every_task_weighs_one() -> None:
    """d/dw (2w + 3w) + 5w = 10, times the scale."""
    weight = nn.Parameter(torch.tensor(7.0))
    losses = {"shape": 2 * weight, "size": 3 * weight}
    weights = Fixed(TASKS).backward(losses, boundary=[], parameters=[weight], penalty=5 * weight, scale=4.0)
    assert weights == {"shape": 1.0, "size": 1.0}
    assert weight.grad == torch.tensor(40.0)


def test_there_is_nothing_to_save_or_to_say() -> None:
    assert Fixed(TASKS).state_dict() == {}
    assert Fixed(TASKS).notes == []
