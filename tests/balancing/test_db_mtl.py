"""Smoothed gradients of logarithms, against NumPy."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmtrain.balancing import DBMTL
from mmtrain.spec import TaskSpec

Tasks = dict[str, TaskSpec]


def parts(loss: np.ndarray, rows: np.ndarray) -> tuple[nn.Parameter, nn.Parameter, dict[str, Tensor]]:
    """A trunk of four numbers, a number of task a's own, and losses with these values and gradients in the trunk."""
    trunk, own = nn.Parameter(torch.zeros(4, dtype=torch.float64)), nn.Parameter(torch.zeros((), dtype=torch.float64))
    losses = {task: float(loss[row]) + trunk @ torch.from_numpy(rows[row]) for row, task in enumerate("ab")}
    return trunk, own, losses | {"a": losses["a"] + 5 * own}


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_steps_against_numpy(tasks: Tasks, sigma: float) -> None:
    generator, balancer, average = np.random.default_rng(0), DBMTL(tasks, beta=0.8, sigma=sigma), np.zeros((2, 4))
    balancer.double()
    for step in range(1, 6):
        rows, loss = generator.normal(size=(2, 4)), generator.uniform(0.5, 2, 2)
        trunk, own, losses = parts(loss, rows)
        balancer.backward(losses, boundary=[], parameters=[trunk, own])
        assert balancer.before_step() == {"a": None, "b": None}
        balancer.after_step()
        beta = 0.8 / step**sigma
        average = beta * average + (1 - beta) * rows / loss[:, None]
        norms = np.linalg.norm(average, axis=1)
        assert trunk.grad is not None and own.grad is not None
        np.testing.assert_allclose(trunk.grad.numpy(), (norms.max() / norms) @ average, atol=1e-6)
        assert own.grad.item() == pytest.approx(5 / loss[0])


def test_saved_and_taken_up_again(tasks: Tasks) -> None:
    first, second = DBMTL(tasks), DBMTL(tasks)
    trunk, own, losses = parts(np.ones(2), np.ones((2, 4)))
    first.backward(losses, boundary=[], parameters=[trunk, own])
    first.before_step()
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.average, first.average) and second.average.shape == (2, 5)


def test_other_parameters_start_anew(tasks: Tasks) -> None:
    balancer = DBMTL(tasks)
    for parameters in (2, 1):
        trunk, own, losses = parts(np.ones(2), np.ones((2, 4)))
        balancer.backward(losses, boundary=[], parameters=[trunk, own][:parameters])
        balancer.before_step()
    assert balancer.average.shape == (2, 4)
    assert balancer.steps.tolist() == [1, 1]
