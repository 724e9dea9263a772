"""Equal rates, against NumPy, TorchJD, and autograd with torch's Adam."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchjd.scalarization import FAMO as Reference

from mmtrain.balancing import FAMO
from mmtrain.spec import TaskSpec

TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def call(balancer: FAMO, **values: float) -> dict[str, float]:
    """Weights that tasks with these loss values receive."""
    losses = {task: torch.tensor(value, requires_grad=True) * 1.0 for task, value in values.items()}
    found = balancer.backward(losses, boundary=[], parameters=[])
    return {task: float(weight) for task, weight in found.items() if weight is not None}


def take(balancer: FAMO, before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """One step that turns these losses into those."""
    found = call(balancer, **before)
    balancer.after_step(lambda: {task: torch.tensor(value) for task, value in after.items()})
    return found


def logits(balancer: FAMO) -> np.ndarray:
    return balancer.logit[[balancer.places[task] for task in TASKS]].double().numpy()


def test_the_first_step_by_hand() -> None:
    """Equal z: weights in proportion to 1 / loss, of mean 1. Then the task that fell less gains `lr`, the other loses it."""
    balancer = FAMO(TASKS, lr=0.1)
    assert take(balancer, {"shape": 2.0, "size": 0.5}, {"shape": 1.0, "size": 0.5}) == pytest.approx({"shape": 0.4, "size": 1.6})
    assert logits(balancer) == pytest.approx([-0.1, 0.1, 0], rel=1e-4)
    share = np.exp([-0.1, 0.1])
    assert call(balancer, shape=1.0, size=1.0) == pytest.approx(
        dict(zip(("shape", "size"), 2 * share / share.sum(), strict=True)), rel=1e-5
    )


def test_it_equals_torchjd() -> None:
    """But for the factor 3."""
    balancer, reference = FAMO(TASKS, lr=0.05, decay=0.01), Reference(3, lr=0.05, weight_decay=0.01)
    for _ in range(30):
        before, after = torch.rand(3) + 0.05, torch.rand(3) + 0.05
        leaf = before.clone().requires_grad_()
        reference(leaf).backward()
        reference.update(after)
        assert leaf.grad is not None
        found = take(balancer, *(dict(zip(TASKS, values.tolist(), strict=True)) for values in (before, after)))
        assert list(found.values()) == pytest.approx((3 * leaf.grad).tolist(), rel=1e-4)


def test_with_tasks_missing_at_random_it_equals_numpy() -> None:
    """Algorithm 1 on those present, Adam with moments and steps for each task alone."""
    balancer, places = FAMO(TASKS, lr=0.05, decay=0.01), {task: place for place, task in enumerate(TASKS)}
    w, m, v, t = (np.zeros(3) for _ in range(4))
    for _ in range(60):
        tasks = [task for task in TASKS if torch.rand(()) < 0.7]
        before, after = ({task: float(torch.rand(()) + 0.05) for task in tasks} for _ in range(2))
        at, loss = [places[task] for task in tasks], np.array(list(before.values()))
        z = np.exp(w[at]) / np.exp(w[at]).sum()
        expected = len(tasks) * z / loss / (z / loss).sum()
        assert list(take(balancer, before, after).values()) == pytest.approx(expected, rel=1e-4)
        delta = np.log(loss) - np.log(np.array(list(after.values())))
        slope = (np.diag(z) - np.outer(z, z)) @ delta + 0.01 * w[at]
        t[at] += 1
        m[at] = 0.9 * m[at] + 0.1 * slope
        v[at] = 0.999 * v[at] + 0.001 * slope**2
        w[at] -= 0.05 * m[at] / (1 - 0.9 ** t[at]) / (np.sqrt(v[at] / (1 - 0.999 ** t[at])) + 1e-8)
        assert logits(balancer) == pytest.approx(w, rel=1e-3, abs=1e-5)


def test_an_absent_task_keeps_its_state() -> None:
    balancer = FAMO(TASKS)
    for _ in range(3):
        take(balancer, {"shape": 2.0, "size": 0.5}, {"shape": 1.9, "size": 0.2})
    place = balancer.places["size"]
    before = {name: tensor[place].clone() for name, tensor in balancer.state_dict().items()}
    take(balancer, {"shape": 2.0, "match": 0.5}, {"shape": 1.9, "match": 0.2, "size": 5.0})
    assert all(torch.equal(tensor[place], before[name]) for name, tensor in balancer.state_dict().items())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_as_if_absent(value: float) -> None:
    broken, whole = FAMO(TASKS), FAMO(TASKS)
    take(broken, {"shape": 2.0, "size": 0.5, "match": 1.0}, {"shape": 1.0, "size": 0.5, "match": value})
    take(whole, {"shape": 2.0, "size": 0.5}, {"shape": 1.0, "size": 0.5})
    assert logits(broken).tolist() == logits(whole).tolist()


def test_without_a_measurement_nothing_moves() -> None:
    balancer = FAMO(TASKS)
    call(balancer, shape=2.0, size=0.5)
    balancer.after_step()
    assert logits(balancer).tolist() == [0, 0, 0]


def test_a_weight_that_it_is_blind_to_is_told() -> None:
    heavy = FAMO(TASKS | {"size": replace(TASKS["size"], weight=3.0)})
    assert heavy.notes[0].startswith("balancing=famo: tasks.size.weight=3: only ratios of a loss to itself count")
    plain = FAMO(TASKS)
    for _ in range(5):
        take(plain, {"shape": 2.0, "size": 0.5}, {"shape": 1.9, "size": 0.2})
        take(heavy, {"shape": 2.0, "size": 1.5}, {"shape": 1.9, "size": 0.6})
    assert logits(heavy) == pytest.approx(logits(plain), rel=1e-5)


def test_a_loss_of_exactly_0_takes_no_weight_from_others() -> None:
    """As InfoNCE of a single row, or of words of which none was read."""
    found = call(FAMO(TASKS), shape=2.0, size=0.0, match=0.5)
    assert found.pop("size") == 0
    assert found == pytest.approx(call(FAMO(TASKS), shape=2.0, match=0.5))
    assert call(FAMO(TASKS), shape=0.0) == {"shape": 0}
