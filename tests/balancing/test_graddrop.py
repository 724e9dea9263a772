"""One sign in each place."""

from typing import Any

import numpy as np
import pytest

from mmtrain.balancing import GradDrop
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def test_each_place_keeps_one_sign(tasks: Tasks, combine: Any) -> None:
    """In place 1 they agree; in place 2 positive numbers are two thirds of all, and win as often."""
    balancer = GradDrop(tasks)
    drawn = np.array([combine(balancer, {"a": (1.0, -1.0, 0.0), "b": (2.0, 2.0, 0.0)})[0] for _ in range(400)])
    assert (drawn[:, 0] == 3).all() and (drawn[:, 2] == 0).all()
    assert set(drawn[:, 1]) == {2.0, -1.0}
    assert (drawn[:, 1] == 2).mean() == pytest.approx(2 / 3, abs=0.08)


def test_a_leak_keeps_its_share_of_what_is_dropped(tasks: Tasks, combine: Any) -> None:
    found = {combine(GradDrop(tasks, leak=0.25), {"a": (-1.0,), "b": (2.0,)})[0][0]}
    assert found <= {2 - 0.25, -1 + 0.5}


def test_it_has_no_weights(tasks: Tasks, combine: Any) -> None:
    assert combine(GradDrop(tasks), {"a": (1.0,), "b": (2.0,)})[1] == {}


def test_other_random_numbers_go_on_as_if_it_drew_none(tasks: Tasks, combine: Any) -> None:
    import torch

    balancer, before = GradDrop(tasks), torch.get_rng_state()
    combine(balancer, {"a": (1.0,), "b": (2.0,)})
    assert torch.equal(torch.get_rng_state(), before)
