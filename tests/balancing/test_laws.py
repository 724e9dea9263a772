"""What every balancer promises, for each choice in `configs/balancing`: a new one is tested by being there."""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.balancing import Balancer
from mmtrain.spec import TaskSpec

Build = Callable[..., Balancer]

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "balancing").glob("*.yaml"))
TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def build(request: pytest.FixtureRequest) -> Build:
    options = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    module, _, name = options.pop("_target_").rpartition(".")
    return lambda tasks=None: getattr(importlib.import_module(module), name)(TASKS | (tasks or {}), **options)


class Trunk:
    """Three numbers that all tasks share; a task's loss is a square of their product with the task's own numbers."""

    def __init__(self) -> None:
        self.weight = nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))

    def losses(self, tasks: Iterable[str] = TASKS, *, seed: int = 0, share: float = 1.0) -> dict[str, Tensor]:
        own = torch.randn(3, 3, generator=torch.Generator().manual_seed(seed))
        return {task: share * (self.weight * own[list(TASKS).index(task)]).sum() ** 2 for task in tasks}

    def gradient(self) -> Tensor:
        assert self.weight.grad is not None
        return self.weight.grad

    def call(self, balancer: Balancer, losses: Mapping[str, Tensor], *, penalty: bool = False, scale: float = 1.0) -> dict[str, float]:
        found = balancer.backward(
            losses, boundary=[self.weight], parameters=[self.weight], penalty=self.weight.sum() if penalty else None, scale=scale
        )
        return {task: float(weight) for task, weight in found.items() if weight is not None}


def steps(balancer: Balancer, seeds: Iterable[int], scale: float = 1.0) -> list[dict[str, float]]:
    """Weights received over some steps, each on other losses and an epoch of its own; task `size` has none in every third."""
    received = []
    for seed in seeds:
        trunk, tasks = Trunk(), ["shape", "match"] if seed % 3 == 1 else list(TASKS)
        received.append(trunk.call(balancer, trunk.losses(tasks, seed=seed), scale=scale))
        after = {task: loss.detach() for task, loss in trunk.losses(tasks, seed=seed + 100).items()}
        balancer.after_step(partial(dict, after) if balancer.measures else None)
        balancer.epoch_end({task: float(loss) for task, loss in after.items()})
    return received


def test_without_loss_and_penalty_nothing_happens(build: Build) -> None:
    balancer, trunk = build(), Trunk()
    before = {name: tensor.clone() for name, tensor in balancer.state_dict().items()}
    assert trunk.call(balancer, {}) == {}
    balancer.after_step()
    assert trunk.weight.grad is None
    assert all(torch.equal(tensor, before[name]) for name, tensor in balancer.state_dict().items())


def test_the_penalty_is_not_weighed(build: Build) -> None:
    trunk = Trunk()
    assert trunk.call(build(), {}, penalty=True, scale=8.0) == {}
    assert torch.equal(trunk.gradient(), torch.full((3,), 8.0))


def test_the_gradient_is_that_of_the_weighted_sum(build: Build) -> None:
    balancer, trunk = build(), Trunk()
    steps(balancer, range(5))
    weights = trunk.call(balancer, trunk.losses(), penalty=True)
    total = sum(weights[task] * loss for task, loss in trunk.losses().items()) + trunk.weight.sum()
    assert_close(trunk.gradient(), torch.autograd.grad(total, trunk.weight)[0])


def test_gradients_are_added(build: Build) -> None:
    alone, trunk = Trunk(), Trunk()
    alone.call(build(), alone.losses())
    trunk.weight.grad = torch.ones(3)
    trunk.call(build(), trunk.losses())
    assert_close(trunk.gradient(), 1 + alone.gradient())


def test_only_tasks_with_a_loss_get_a_weight(build: Build) -> None:
    trunk = Trunk()
    assert trunk.call(build(), trunk.losses(["match", "size"])).keys() <= {"match", "size"}


def test_four_parts_of_a_batch_are_one_batch(build: Build) -> None:
    whole, parts = build(), build()
    for seed in range(3):
        once, four = Trunk(), Trunk()
        expected = once.call(whole, once.losses(seed=seed))
        if parts.looks_ahead:
            parts.before_step(four.losses(seed=seed))
        for share in (0.1, 0.2, 0.3, 0.4):
            assert four.call(parts, four.losses(seed=seed, share=share)) == pytest.approx(expected, rel=1e-6)
        assert_close(four.gradient(), once.gradient())
        whole.after_step()
        parts.after_step()


def test_a_task_that_only_some_parts_have_weighs_the_same_in_them(build: Build) -> None:
    whole, parts, once, two = build(), build(), Trunk(), Trunk()
    expected = once.call(whole, once.losses())
    if parts.looks_ahead:
        parts.before_step(two.losses())
    first = two.call(parts, two.losses(["shape", "match"], share=0.5))
    second = two.call(parts, two.losses(["shape", "match"], share=0.5) | two.losses(["size"]))
    assert first == pytest.approx({task: expected[task] for task in ("shape", "match")})
    assert second == pytest.approx(expected)
    assert_close(two.gradient(), once.gradient())


def test_a_weight_of_0_takes_a_task_out(build: Build) -> None:
    """It has a loss of 0 then, which no logarithm may make infinite."""
    trunk, plain = Trunk(), Trunk()
    losses = trunk.losses()
    trunk.call(build({"size": replace(TASKS["size"], weight=0.0)}), losses | {"size": 0 * losses["size"]})
    weights = plain.call(build({"size": replace(TASKS["size"], weight=0.0)}), plain.losses(["shape", "match"]))
    assert_close(trunk.gradient(), plain.gradient())
    assert weights.keys() == {"shape", "match"}


def test_a_resumed_run_equals_an_unbroken_one(build: Build) -> None:
    """To the bit, from the state dict alone."""
    unbroken, first, second = build(), build(), build()
    expected = steps(unbroken, range(12))
    received = steps(first, range(5))
    second.load_state_dict({name: tensor.clone() for name, tensor in first.state_dict().items()})
    assert received + steps(second, range(5, 12)) == expected
    assert all(torch.equal(tensor, unbroken.state_dict()[name]) for name, tensor in second.state_dict().items())


def test_the_loss_scale_of_fp16_reaches_only_the_gradients(build: Build) -> None:
    plain, scaled, trunk, large = build(), build(), Trunk(), Trunk()
    assert steps(plain, range(5)) == steps(scaled, range(5), scale=65536.0)
    trunk.call(plain, trunk.losses())
    large.call(scaled, large.losses(), scale=65536.0)
    assert torch.equal(large.gradient(), 65536 * trunk.gradient())


def test_state_is_out_of_reach_of_the_optimizer(build: Build) -> None:
    assert list(build().parameters()) == []


def test_every_call_of_the_loop_exists(build: Build) -> None:
    balancer, trunk = build(), Trunk()
    trunk.call(balancer, trunk.losses())
    balancer.after_step(lambda: {task: loss.detach() for task, loss in trunk.losses().items()})
    balancer.epoch_end({"shape": 1.0, "size": 0.5, "match": 2.0})
    assert all(isinstance(note, str) for note in balancer.notes)
