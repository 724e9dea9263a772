"""The geometric mean, against NumPy and TorchJD."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torchjd.scalarization import GeometricMean

from mmtrain.balancing import Geometric
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: Geometric, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


def test_weights_are_the_mean_over_the_loss() -> None:
    """Cube root of 2 * 0.5 * 8."""
    assert call(Geometric(TASKS), shape=2.0, size=0.5, match=8.0) == pytest.approx({"shape": 1.0, "size": 4.0, "match": 0.25})


def test_equal_losses_are_summed() -> None:
    assert call(Geometric(TASKS), shape=0.3, match=0.3) == pytest.approx({"shape": 1.0, "match": 1.0})


@pytest.mark.parametrize("tasks", [["shape"], ["shape", "match"], ["match", "shape", "size"]])
def test_the_gradient_is_that_of_the_mean_times_the_number_of_tasks(tasks: list[str]) -> None:
    values = torch.rand(len(tasks)) + 0.1
    ours, theirs = values.clone().requires_grad_(), values.clone().requires_grad_()
    Geometric(TASKS).backward(dict(zip(tasks, ours.unbind(), strict=True)), boundary=[], parameters=[])
    (len(tasks) * GeometricMean()(theirs)).backward()
    torch.testing.assert_close(ours.grad, theirs.grad)
    numbers = values.double().numpy()
    assert ours.grad is not None
    np.testing.assert_allclose(ours.grad.numpy(), np.prod(numbers) ** (1 / len(tasks)) / numbers, rtol=1e-5)


def test_a_weight_favours_no_task() -> None:
    weighted = Geometric(TASKS | {"size": replace(TASKS["size"], weight=8.0)})
    plain, heavy = call(Geometric(TASKS), shape=2.0, size=0.5, match=8.0), call(weighted, shape=2.0, size=4.0, match=8.0)
    assert {task: heavy[task] * (8 if task == "size" else 1) / plain[task] for task in TASKS} == pytest.approx(dict.fromkeys(TASKS, 2.0))
    [note] = weighted.notes
    assert note.startswith("balancing=geometric: tasks.size.weight=8: a factor of one loss scales the gradients of all tasks alike")


def test_a_loss_of_exactly_0_takes_no_weight_from_others() -> None:
    """As InfoNCE of a single row, or of words of which none was read."""
    found = call(Geometric(TASKS), shape=2.0, size=0.0, match=0.5)
    assert found.pop("size") == 0
    assert found == pytest.approx(call(Geometric(TASKS), shape=2.0, match=0.5))
    assert call(Geometric(TASKS), shape=0.0) == {"shape": 0}
