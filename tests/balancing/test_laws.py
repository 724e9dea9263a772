"""What every balancer promises, for each choice in `configs/balancing`: a new one is tested by being there."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn
from torch.testing import assert_close

from mmtrain.balancing import Balancer
from mmtrain.balancing.balancer import Weights
from mmtrain.errors import ConfigError
from mmtrain.spec import TaskSpec

Build = Callable[..., Balancer]

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "balancing").glob("*.yaml"))
TASKS = {"shape": TaskSpec(300, gaussian=False), "size": TaskSpec(100, gaussian=True), "match": TaskSpec(200, gaussian=False)}


def options_of(path: Path) -> tuple[Any, dict[str, Any]]:
    """A choice's class, and what the YAML sets."""
    options = yaml.safe_load(path.read_text(encoding="utf-8"))
    module, _, name = options.pop("_target_").rpartition(".")
    return getattr(importlib.import_module(module), name), options


# Methods that compare gradients keep the laws at both levels.
CASES = {
    f"{path.stem}-{level}" if level else path.stem: (path, {"level": level} if level else {})
    for path in CHOICES
    for level in (("features", "parameters") if "level" in inspect.signature(options_of(path)[0]).parameters else (None,))
}
# The length of the combination does not follow that of the gradients, and a part does not know what share of the batch it is.
WHOLE_BATCHES_ONLY = {"fairgrad-features", "nash-features"}


COMPARING = [case for case in CASES if case.endswith(("-features", "-parameters", "db_mtl"))]
compared = pytest.mark.parametrize("case", COMPARING, indirect=True)
# A part's gradients tell nothing of the whole batch's: what weights follow from them is known at its end.
weighted = pytest.mark.parametrize("case", [case for case in CASES if case not in COMPARING], indirect=True)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def build(case: str) -> Build:
    path, level = CASES[case]
    part, options = options_of(path)
    try:
        part(TASKS, **options, **level)
    except ConfigError as error:
        pytest.skip(str(error))  # a solver that is an extra
    return lambda tasks=None: part(TASKS | (tasks or {}), **options, **level)


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
        """Backward of a whole batch, and the weights of those methods that have weights."""
        found = self.part(balancer, losses, penalty=penalty, scale=scale) | balancer.before_step()
        return {task: float(weight) for task, weight in found.items() if weight is not None}

    def part(self, balancer: Balancer, losses: Mapping[str, Tensor], *, penalty: bool = False, scale: float = 1.0) -> Weights:
        return balancer.backward(
            losses, boundary=[self.weight], parameters=[self.weight], penalty=self.weight.sum() if penalty else None, scale=scale
        )


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
    if not weights:
        pytest.skip("a method without weights")
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


def test_four_parts_of_a_batch_are_one_batch(build: Build, case: str) -> None:
    if case in WHOLE_BATCHES_ONLY:
        pytest.skip("said in its docstring")
    whole, parts = build(), build()
    for seed in range(3):
        once, four = Trunk(), Trunk()
        expected = once.call(whole, once.losses(seed=seed))
        if parts.looks_ahead:
            parts.look_ahead(four.losses(seed=seed))
        for share in (0.1, 0.2, 0.3, 0.4):
            found = four.part(parts, four.losses(seed=seed, share=share))
            known = {task: float(weight) for task, weight in found.items() if weight is not None}
            assert not known or known == pytest.approx(expected, rel=1e-5, abs=1e-6)
        late = {task: float(weight) for task, weight in parts.before_step().items() if weight is not None}
        assert not late or late == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert_close(four.gradient(), once.gradient(), rtol=1e-5, atol=1e-5)
        whole.after_step()
        parts.after_step()


@weighted
def test_a_task_that_only_some_parts_have_weighs_the_same_in_them(build: Build) -> None:
    whole, parts, once, two = build(), build(), Trunk(), Trunk()
    expected = once.call(whole, once.losses())
    if parts.looks_ahead:
        parts.look_ahead(two.losses())
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
    assert weights.keys() <= {"shape", "match"}  # none, of a method without weights


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
    assert all(isinstance(number, float) for number in balancer.diagnostics().values())
    balancer.after_step(lambda: {task: loss.detach() for task, loss in trunk.losses().items()})
    balancer.epoch_end({"shape": 1.0, "size": 0.5, "match": 2.0})
    assert all(isinstance(note, str) for note in balancer.notes)


@compared
def test_one_task_gets_its_plain_gradient(build: Build, case: str) -> None:
    """DB-MTL that of the logarithm."""
    trunk, balancer, loss = Trunk(), build(), Trunk().losses(["size"])["size"]
    weights = trunk.call(balancer, trunk.losses(["size"]))
    plain = torch.autograd.grad(trunk.losses(["size"])["size"], trunk.weight)[0]
    assert_close(trunk.gradient(), plain / loss.detach() if case == "db_mtl" else plain)
    assert set(weights.values()) <= {1.0}


@compared
@pytest.mark.parametrize("value", [torch.inf, torch.nan])
def test_a_gradient_that_is_not_finite_stays_so_and_leaves_the_state_usable(build: Build, value: float) -> None:
    """The loss scaler then skips the step; the next one is as if nothing had been."""
    balancer, trunk = build(), Trunk()
    trunk.call(balancer, trunk.losses() | {"size": (trunk.weight * value).sum()})
    assert not trunk.gradient().isfinite().all()
    balancer.after_step()
    assert all(tensor.isfinite().all() for tensor in balancer.state_dict().values())
    steps(balancer, range(3))
    trunk = Trunk()
    trunk.call(balancer, trunk.losses())
    assert trunk.gradient().isfinite().all()


def test_the_order_of_tasks_changes_nothing(build: Build) -> None:
    balancer, turned, one, other = build(), build(), Trunk(), Trunk()
    one.call(balancer, one.losses())
    other.call(turned, dict(reversed(other.losses().items())))
    assert_close(other.gradient(), one.gradient())
