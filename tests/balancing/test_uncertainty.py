"""Learned noise, against hand-worked numbers and against autograd and torch's Adam on Kendall's whole objective."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.balancing import Uncertainty
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: Uncertainty, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


def test_the_first_step_by_hand() -> None:
    """Slopes 1/2 - 2 and 1/2 - 1/2 * 1/2: up and down by `lr`, which the first step of Adam always takes in full."""
    balancer = Uncertainty(TASKS, lr=0.1)
    assert call(balancer, shape=2.0, size=0.5) == pytest.approx({"shape": 1.0, "size": 0.5})
    balancer.after_step()
    assert call(balancer, shape=2.0, size=0.5, match=1.0) == pytest.approx(
        {"shape": math.exp(-0.1), "size": 0.5 * math.exp(0.1), "match": 1.0}
    )


def test_a_constant_loss_ends_at_weight_one_half_over_loss() -> None:
    """Where c * exp(-s) * loss = 1/2."""
    balancer = Uncertainty(TASKS, lr=0.1)
    for _ in range(400):
        call(balancer, shape=3.0, size=0.2)
        balancer.after_step()
    assert call(balancer, shape=3.0, size=0.2) == pytest.approx({"shape": 1 / 6, "size": 2.5}, rel=1e-3)


def kendall(log_variance: dict[str, nn.Parameter], losses: dict[str, Tensor]) -> Tensor:
    """Equation 7 for numbers, 10 for classes, with s = log(sigma^2)."""
    terms = []
    for task, loss in losses.items():
        variance = log_variance[task].exp()
        terms.append(loss / (2 * variance) if TASKS[task].gaussian else loss / variance)
        terms.append(variance.sqrt().log())
    return torch.stack(terms).sum()


def test_it_equals_autograd_and_adam_on_the_whole_objective() -> None:
    """With tasks missing at random: torch's Adam leaves a parameter without gradient alone, moments and all."""
    balancer = Uncertainty(TASKS, lr=0.03)
    log_variance = {task: nn.Parameter(torch.zeros((), dtype=torch.float64)) for task in TASKS}
    adam = torch.optim.Adam(log_variance.values(), lr=0.03)
    for _ in range(60):
        values = {task: float(torch.rand(()) * 4) for task in TASKS if torch.rand(()) < 0.7}
        weights = call(balancer, **values)
        expected = {task: (0.5 if TASKS[task].gaussian else 1.0) * math.exp(-log_variance[task].item()) for task in values}
        assert weights == pytest.approx(expected, rel=1e-5)
        balancer.after_step()
        adam.zero_grad()
        if values:
            torch.autograd.backward(kendall(log_variance, {task: torch.tensor(value).double() for task, value in values.items()}))
            adam.step()
    ours = [balancer.log_variance[place].item() for place in (balancer.places[task] for task in TASKS)]
    assert ours == pytest.approx([parameter.item() for parameter in log_variance.values()], rel=1e-5)


def test_an_absent_task_keeps_its_state() -> None:
    balancer = Uncertainty(TASKS)
    for _ in range(3):
        call(balancer, shape=2.0, size=0.5)
        balancer.after_step()
    place = balancer.places["size"]
    before = {name: tensor[place].clone() for name, tensor in balancer.state_dict().items()}
    call(balancer, shape=9.0, match=3.0)
    balancer.after_step()
    assert all(torch.equal(tensor[place], before[name]) for name, tensor in balancer.state_dict().items())


def test_an_absent_task_changes_no_other() -> None:
    alone, together = Uncertainty({"shape": TASKS["shape"]}), Uncertainty(TASKS)
    for step in range(5):
        assert call(alone, shape=2.0)["shape"] == call(together, shape=2.0, **({"size": 7.0} if step % 2 else {}))["shape"]
        alone.after_step()
        together.after_step()


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0])
def test_a_loss_that_has_no_noise_moves_nothing(value: float) -> None:
    balancer = Uncertainty(TASKS)
    call(balancer, shape=value, size=0.5)
    balancer.after_step()
    assert call(balancer, shape=2.0, size=0.5) == pytest.approx({"shape": 1.0, "size": 0.5 * math.exp(0.01)})


def test_saved_between_two_parts_of_a_batch() -> None:
    """The parts seen so far are state, too."""
    unbroken, first, second = Uncertainty(TASKS), Uncertainty(TASKS), Uncertainty(TASKS)
    call(first, shape=1.0)
    second.load_state_dict(first.state_dict())
    call(second, shape=2.0)
    call(unbroken, shape=1.0)
    call(unbroken, shape=2.0)
    for balancer in (second, unbroken):
        balancer.after_step()
    assert_close(dict(second.state_dict()), dict(unbroken.state_dict()), rtol=0, atol=0)


def test_the_order_of_tasks_changes_nothing() -> None:
    balancer, turned = Uncertainty(TASKS), Uncertainty(dict(reversed(TASKS.items())))
    call(balancer, shape=2.0, size=0.5)
    balancer.after_step()
    turned.load_state_dict(balancer.state_dict())
    assert call(turned, shape=1.0, size=1.0) == call(balancer, shape=1.0, size=1.0)


def test_the_state_is_plain_tensors() -> None:
    """As safetensors stores them."""
    assert sorted(Uncertainty(TASKS).state_dict()) == ["log_variance", "moment", "pending", "seen", "square", "steps"]


def test_a_weight_that_it_is_blind_to_is_told() -> None:
    assert Uncertainty(TASKS).notes == []
    [note] = Uncertainty(TASKS | {"size": TaskSpec(100, gaussian=True, weight=3.0)}).notes
    assert note.startswith("balancing=uncertainty: tasks.size.weight=3: the learned noise takes up a fixed factor of a loss")
