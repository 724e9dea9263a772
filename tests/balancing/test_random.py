"""Random weights: their distribution, and that they follow from seed and step alone."""

import math
import statistics

import pytest
import torch

from mmtrain.balancing import Random
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: Random, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


def drawn(balancer: Random, steps: int) -> list[dict[str, float]]:
    found = []
    for _ in range(steps):
        found.append(call(balancer, shape=1.0, size=1.0, match=1.0))
        balancer.after_step()
    return found


def test_they_are_a_softmax_of_normal_numbers() -> None:
    """Differences of logarithms are normal with variance 2 then; of uniform weights they would be logistic, with variance 3.3."""
    found = drawn(Random(TASKS), 4000)
    assert all(sum(weights.values()) == pytest.approx(3) for weights in found)
    differences = [math.log(weights["shape"] / weights["size"]) for weights in found]
    assert statistics.fmean(differences) == pytest.approx(0, abs=0.1)
    assert statistics.pvariance(differences) == pytest.approx(2, abs=0.2)
    within = sum(abs(difference) < math.sqrt(2) for difference in differences) / len(differences)
    assert within == pytest.approx(0.6827, abs=0.03)
    assert [statistics.fmean(weights[task] for weights in found) for task in TASKS] == pytest.approx([1, 1, 1], abs=0.05)


def test_they_follow_from_the_seed_of_the_run() -> None:
    same, again = Random(TASKS), Random(TASKS)
    assert drawn(same, 3) == drawn(again, 3)
    torch.manual_seed(1)
    assert drawn(Random(TASKS), 3) != drawn(again, 3)


def test_they_disturb_no_other_random_number() -> None:
    before = torch.get_rng_state()
    drawn(Random(TASKS), 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_they_stay_until_the_step_is_done() -> None:
    balancer = Random(TASKS)
    first = call(balancer, shape=1.0, size=1.0)
    assert call(balancer, shape=3.0, match=1.0)["shape"] == first["shape"]
    balancer.after_step()
    assert call(balancer, shape=3.0)["shape"] != first["shape"]


def test_the_state_is_a_plain_tensor() -> None:
    """As safetensors stores them."""
    balancer = Random(TASKS)
    drawn(balancer, 2)
    assert {name: tensor.tolist() for name, tensor in balancer.state_dict().items()} == {"_extra_state": [0, 2]}


def test_the_order_of_tasks_changes_nothing() -> None:
    turned = Random(dict(reversed(TASKS.items())))
    assert drawn(turned, 2) == drawn(Random(TASKS), 2)
