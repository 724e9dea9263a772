"""The smooth maximum, against NumPy and TorchJD."""

import math
from dataclasses import replace

import pytest
import torch
from torchjd.scalarization import STCH as Reference

from mmtrain.balancing import STCH
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: STCH, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


BATCHES = [{"shape": 2.0, "size": 0.5, "match": 1.0}, {"shape": 1.0, "size": 0.25, "match": 5.0}]
NADIR = {"shape": 1.5, "size": 0.375, "match": 3.0}


def epoch(balancer: STCH, *batches: dict[str, float]) -> list[dict[str, float]]:
    found = []
    for values in batches:
        found.append(call(balancer, **values))
        balancer.after_step()
    balancer.epoch_end({})
    return found


def warm(mu: float = 1.0) -> STCH:
    """Past a warm-up of two epochs, of which the second gives the nadir."""
    balancer = STCH(TASKS, mu=mu, warmup_epochs=2)
    epoch(balancer, {"shape": 9.0, "size": 9.0, "match": 9.0})
    epoch(balancer, *BATCHES)
    return balancer


def test_the_warm_up_is_the_sum_of_logarithms() -> None:
    balancer = STCH(TASKS, warmup_epochs=2)
    for _ in range(2):
        assert epoch(balancer, *BATCHES)[1] == pytest.approx({"shape": 1.0, "size": 4.0, "match": 0.2})
    assert epoch(balancer, *BATCHES)[1] != pytest.approx({"shape": 1.0, "size": 4.0, "match": 0.2})


@pytest.mark.parametrize("mu", [1.0, 0.1, 3.0])
@pytest.mark.parametrize("tasks", [["shape", "size", "match"], ["match", "size"], ["shape"]])
def test_it_equals_equation_7_on_logarithms(mu: float, tasks: list[str]) -> None:
    balancer = warm(mu)
    for _ in range(3):  # the nadir stays
        values = torch.rand(len(tasks)) * 3 + 0.05
        found = epoch(balancer, dict(zip(tasks, values.tolist(), strict=True)))[0]
        nadir = torch.tensor([NADIR[task] for task in tasks])
        leaf = values.clone().requires_grad_()
        (len(tasks) * Reference(mu, weights=torch.ones(len(tasks)))((leaf / nadir).log())).backward()
        assert leaf.grad is not None
        assert list(found.values()) == pytest.approx(leaf.grad.tolist(), rel=1e-4)
        numbers = values.double().numpy()
        power = (numbers / nadir.numpy()) ** (1 / mu)
        assert list(found.values()) == pytest.approx(len(tasks) * power / power.sum() / numbers, rel=1e-4)


def test_an_absent_task_keeps_its_nadir_and_a_late_one_gets_its_own() -> None:
    balancer = STCH(TASKS, warmup_epochs=1)
    epoch(balancer, {"shape": 2.0, "match": 1.0})
    [found] = epoch(balancer, {"shape": 4.0, "size": 7.0})  # 4 / 2 against 1, as size has no nadir yet
    assert found == pytest.approx({"shape": 2 * 2 / 3 / 4, "size": 2 * 1 / 3 / 7})
    [found] = epoch(balancer, {"shape": 4.0, "size": 21.0, "match": 1.0})  # 2, 3 and 1
    assert found == pytest.approx({"shape": 3 * 2 / 6 / 4, "size": 3 * 3 / 6 / 21, "match": 3 / 6})


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_does_not_reach_the_nadir(value: float) -> None:
    balancer = STCH(TASKS, warmup_epochs=1)
    epoch(balancer, {"shape": 2.0, "size": 1.0}, {"shape": value, "size": 3.0})
    assert balancer.nadir[[balancer.places[task] for task in ("shape", "size", "match")]].tolist() == [2.0, 2.0, 0.0]


def test_saved_in_the_middle_of_the_epoch_that_gives_the_nadir() -> None:
    unbroken, first, second = (STCH(TASKS, warmup_epochs=1) for _ in range(3))
    call(first, **BATCHES[0])
    first.after_step()
    second.load_state_dict(first.state_dict())
    epoch(second, BATCHES[1])
    epoch(unbroken, *BATCHES)
    assert epoch(second, *BATCHES) == epoch(unbroken, *BATCHES)


def test_what_it_says_before_training() -> None:
    begins = "balancing=stch begins with epoch 5; until then it is balancing=log (balancing.warmup_epochs)"
    assert STCH(TASKS).notes == [begins]
    first, second = STCH(TASKS | {"size": replace(TASKS["size"], weight=3.0)}).notes
    assert first == begins
    assert second.startswith("balancing=stch: tasks.size.weight=3: the nadir takes up a fixed factor of a loss")
