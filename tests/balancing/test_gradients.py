"""Both levels against TorchJD's own engine, on a whole small model, and what no method alone shows."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torchjd import aggregation
from torchjd.autojac import backward, jac_to_grad, mtl_backward

from mmtrain import balancing
from mmtrain.balancing import Balancer
from mmtrain.spec import TaskSpec

NAMES = ("one", "two", "three")
TASKS = {name: TaskSpec(10, gaussian=True) for name in NAMES}
Levels = pytest.mark.parametrize("level", ["features", "parameters"])


class Small(nn.Module):
    """A trunk, a head a task, and a batch; losses whose gradients conflict."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        with torch.random.fork_rng():
            self.trunk = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
            self.heads = nn.ModuleList(nn.Linear(3, 2) for _ in names)
        self.double()
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        self.rows = torch.randn(7, 4, generator=generator, dtype=torch.float64)
        self.targets = torch.randn(len(names), 7, 2, generator=generator, dtype=torch.float64) * 2

    def losses(self, features: Tensor) -> list[Tensor]:
        return [(head(features) - target).square().mean() for head, target in zip(self.heads, self.targets, strict=True)]

    def gradients(self) -> dict[str, Tensor | None]:
        return {name: parameter.grad for name, parameter in self.named_parameters()}


def given(gradient: Tensor | None) -> Tensor:
    assert gradient is not None
    return gradient


def by_engine(aggregator: Any, level: str, names: tuple[str, ...], factor: float) -> Small:
    """A row a task with respect to the features, or to the trunk's parameters; the plain sum in the heads."""
    model = Small(names)
    if level == "features":
        features = model.trunk(model.rows)
        cut = features.detach().requires_grad_()
        read = cut * 1.0
        mtl_backward(model.losses(read), read, tasks_params=[head.parameters() for head in model.heads], shared_params=[cut])
        jac_to_grad([cut], aggregator)
        features.backward(factor * given(cut.grad))
        return model
    losses = model.losses(model.trunk(model.rows))
    shared = list(model.trunk.parameters())
    backward(losses, inputs=shared, retain_graph=True)
    for group in [[parameter] for parameter in shared] if isinstance(aggregator, aggregation.GradDrop) else [shared]:
        jac_to_grad(group, aggregator)
    for parameter in shared:
        parameter.grad = factor * given(parameter.grad)
    torch.stack(losses).sum().backward(inputs=list(model.heads.parameters()))
    return model


def by_us(balancer: Balancer, names: tuple[str, ...]) -> Small:
    model = Small(names)
    features = model.trunk(model.rows)
    losses = dict(zip(names, model.losses(features), strict=True))
    balancer.backward(losses, boundary=[features], parameters=list(model.parameters()))
    balancer.before_step()
    balancer.after_step()
    return model


# What it is called here, what there, over how many tasks (two where an order is drawn), the power of their number that it is multiplied by
ENGINES: dict[str, tuple[Callable[..., Balancer], Callable[[], Any], int, int]] = {
    "mgda": (balancing.MGDA, aggregation.MGDA, 3, 1),
    "pcgrad": (balancing.PCGrad, aggregation.PCGrad, 2, 0),
    "cagrad": (balancing.CAGrad, lambda: aggregation.CAGrad(c=0.5), 3, 1),
    "imtl_g": (balancing.IMTLG, aggregation.IMTLG, 3, 1),
    "aligned": (balancing.Aligned, aggregation.AlignedMTL, 3, 1),
    "graddrop": (balancing.GradDrop, aggregation.GradDrop, 3, 0),
    "gradvac": (balancing.GradVac, aggregation.GradVac, 2, 0),
    "fairgrad": (balancing.FairGrad, lambda: aggregation.FairGrad(alpha=1.0), 3, 0),
    "config_grad": (balancing.ConFIG, aggregation.ConFIG, 3, 0),
    "upgrad": (balancing.UPGrad, aggregation.UPGrad, 3, 1),
}


@Levels
@pytest.mark.parametrize("name", ENGINES)
def test_it_equals_the_engine(name: str, level: str) -> None:
    ours, theirs, count, power = ENGINES[name]
    if name == "cagrad":
        pytest.importorskip("cvxpy")
    names = NAMES[:count]
    balancer = ours({task: TASKS[task] for task in names}, level=level)
    torch.manual_seed(0)
    torch.default_generator.manual_seed(torch.initial_seed() * 1_000_003)  # as the draws of the first step
    expected = by_engine(theirs(), level, names, float(count**power))
    assert_close(by_us(balancer, names).gradients(), expected.gradients(), rtol=1e-6, atol=1e-6)


@Levels
def test_nash_equals_the_engine_where_that_arrives(level: Any) -> None:
    pytest.importorskip("ecos")
    aggregator = aggregation.NashMTL(n_tasks=3, max_norm=1.0, update_weights_every=1, optim_niter=50)
    with pytest.warns(UserWarning, match="DPP"):
        expected = by_engine(aggregator, level, NAMES, 1.0)
    assert_close(by_us(balancing.NashMTL(TASKS, level=level), NAMES).gradients(), expected.gradients(), rtol=1e-2, atol=1e-2)


@Levels
@pytest.mark.parametrize("name", ["mgda", "pcgrad", "imtl_g", "aligned", "graddrop", "gradvac", "config_grad", "upgrad"])
@pytest.mark.parametrize("names", [NAMES, NAMES[1:]])
def test_without_conflict_it_is_the_plain_sum(name: str, level: str, names: tuple[str, ...]) -> None:
    """Of gradients of one length, however many of the tasks are there."""
    balancer, numbers = ENGINES[name][0](TASKS, level=level), nn.Parameter(torch.zeros(3))
    balancer.backward({task: 7 * numbers[NAMES.index(task)] for task in names}, boundary=[numbers], parameters=[numbers])
    balancer.before_step()
    assert_close(numbers.grad, torch.tensor([7.0 * (task in names) for task in NAMES]))


def test_a_block_is_combined_from_just_its_users() -> None:
    """All three tasks use `trunk`, two of them `block`, and one `own`: as if each block were alone."""
    trunk, block, own = (nn.Parameter(torch.tensor(start)) for start in ([1.0, 2.0], [0.5, -1.0], 3.0))

    def losses() -> dict[str, Tensor]:
        one = trunk @ torch.tensor([1.0, 0.0]) + block @ torch.tensor([1.0, 0.0])
        two = trunk @ torch.tensor([-1.0, 1.0]) + block @ torch.tensor([-1.0, 1.0]) + 2 * own
        return {"one": one, "two": two, "three": trunk @ torch.tensor([-1.0, -3.0])}

    balancer = balancing.UPGrad(TASKS, level="parameters")
    assert balancer.backward(losses(), boundary=[], parameters=[own, block, trunk]) == {}
    assert own.grad is None
    weights = balancer.before_step()
    assert set(weights) == set(NAMES)
    assert_close(block.grad, torch.tensor([0.5, 1.5]), rtol=1e-3, atol=1e-3)
    assert given(own.grad).item() == 2
    alone = balancing.UPGrad(TASKS, level="parameters")
    expected = nn.Parameter(trunk.detach().clone())
    rows = zip(NAMES, ([1.0, 0.0], [-1.0, 1.0], [-1.0, -3.0]), strict=True)
    alone.backward({name: expected @ torch.tensor(row) for name, row in rows}, boundary=[], parameters=[expected])
    alone.before_step()
    assert_close(trunk.grad, expected.grad)


def test_what_does_not_pass_the_boundary_gets_the_plain_sum() -> None:
    """A gate that reads the trunk beside it, a task that does not read it, a penalty on it; and it may be listed twice."""
    trunk, gate = nn.Parameter(torch.tensor([1.0, 1.0])), nn.Parameter(torch.tensor(3.0))
    cut = 2 * trunk
    losses = {"one": cut[0] + gate * trunk[1], "two": cut[1] - cut[0], "three": 5 * gate}
    balancing.UPGrad(TASKS).backward(losses, boundary=[cut, cut], parameters=[trunk, gate], penalty=cut.sum())
    combined = torch.tensor([0.5, 1.5])
    assert_close(trunk.grad, 2 * (combined + 1) + torch.tensor([0.0, 3.0]), rtol=1e-3, atol=1e-3)
    assert given(gate.grad).item() == pytest.approx(1 + 5)


def test_behind_a_frozen_trunk_there_is_nothing_to_combine() -> None:
    heads = nn.Parameter(torch.tensor([1.0, 1.0, 1.0]))
    losses = {name: 2 * heads[place] for place, name in enumerate(NAMES)}
    weights = balancing.UPGrad(TASKS).backward(losses, boundary=[torch.ones(2)], parameters=[heads])
    assert weights == dict.fromkeys(NAMES, 1.0)
    assert_close(heads.grad, torch.full((3,), 2.0))


def test_rows_by_the_loss() -> None:
    """The gradients of the logarithms, (1, 0) / 2 and (0, 1) / 4, times the mean loss 3."""
    numbers = nn.Parameter(torch.zeros(2))
    losses = {"one": 2 + numbers[0], "two": 4 + numbers[1]}
    balancing.PCGrad(TASKS, normalisation="loss").backward(losses, boundary=[numbers], parameters=[numbers])
    assert_close(numbers.grad, torch.tensor([1.5, 0.75]))


def test_solvers_are_loaded_only_for_those_who_choose_them() -> None:
    code = "import sys; import mmtrain.balancing; sys.exit('torchjd' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
