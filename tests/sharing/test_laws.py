"""What every sharing promises, for each choice in `configs/sharing`: a new one is tested by being there."""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor
from torch.testing import assert_close

TASKS = ["shape", "match", "type", "values"]  # two of them as modules call what they have
IN_DIM, ROWS = 6, 5

CHOICES = sorted((Path(__file__).parents[2] / "configs" / "sharing").glob("*.yaml"))


@pytest.fixture(params=CHOICES, ids=[path.stem for path in CHOICES])
def build(request: pytest.FixtureRequest) -> Any:
    """Builds one YAML of the group for these tasks, always from the same random state."""
    choice = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    module, _, name = choice.pop("_target_").rpartition(".")

    def build(tasks: Sequence[str] = TASKS, seed: int = 0, in_dim: int = IN_DIM, **options: Any) -> Any:
        torch.manual_seed(seed)
        return getattr(importlib.import_module(module), name)(in_dim, tasks, **choice | options)

    return build


@pytest.fixture
def vector() -> Tensor:
    return torch.randn(ROWS, IN_DIM)


def answers(sharing: Any, vector: Tensor, tasks: Sequence[str] = TASKS) -> dict[str, Tensor]:
    features = sharing.shared(vector)
    return {task: sharing.split(features, vector, task)[0] for task in tasks}


def test_the_width_is_as_said(build: Any, vector: Tensor) -> None:
    sharing = build()
    assert {found.shape for found in answers(sharing, vector).values()} == {(ROWS, sharing.out_dim)}
    assert {found.dtype for found in answers(sharing, vector).values()} == {torch.float32}


@pytest.mark.parametrize("rows", [0, 1])
def test_one_row_or_none(build: Any, rows: int) -> None:
    for found in answers(build(), torch.randn(rows, IN_DIM)).values():
        assert len(found) == rows
        assert found.isfinite().all()


def test_one_task(build: Any, vector: Tensor) -> None:
    sharing = build(["shape"])
    assert answers(sharing, vector, ["shape"])["shape"].isfinite().all()


def test_other_rows_change_only_rounding(build: Any, vector: Tensor) -> None:
    sharing = build()
    together = answers(sharing, vector)
    for row in range(ROWS):
        for task, alone in answers(sharing, vector[row : row + 1]).items():
            assert_close(alone[0], together[task][row], rtol=1e-5, atol=1e-6)


def test_a_row_gets_its_own_gradient_only(build: Any, vector: Tensor) -> None:
    vector.requires_grad_()
    for found in answers(build(), vector).values():
        [gradient] = torch.autograd.grad((torch.randn(found.shape[1]) * found[2]).sum(), vector, retain_graph=True)
        assert gradient[2].any()
        assert not gradient[[0, 1, 3, 4]].any()


def test_the_order_of_tasks_changes_nothing(build: Any, vector: Tensor) -> None:
    expected, found = answers(build(), vector), answers(build(TASKS[::-1]), vector)
    for task in TASKS:
        assert torch.equal(found[task], expected[task])


def test_every_parameter_gets_a_gradient(build: Any, vector: Tensor) -> None:
    sharing = build()
    for found in answers(sharing, vector.requires_grad_()).values():
        (torch.randn_like(found) * found).sum().backward(retain_graph=True)
    assert [name for name, parameter in sharing.named_parameters() if parameter.grad is None or not parameter.grad.any()] == []


def test_features_are_one_tensor_that_every_task_uses(build: Any, vector: Tensor) -> None:
    """Balancing cuts there: each task has a gradient with respect to it, and all rows come first."""
    sharing = build()
    features = sharing.shared(vector.requires_grad_())
    assert len(features) == ROWS
    for task in TASKS:
        own, _ = sharing.split(features, vector, task)
        [gradient] = torch.autograd.grad((torch.randn_like(own) * own).sum(), features, retain_graph=True)
        assert gradient.any()


def test_a_task_without_a_loss_moves_nothing_of_its_own(build: Any, vector: Tensor) -> None:
    """What one task alone owns gets no gradient from another, not even a zero that would be decayed."""
    sharing = build()
    features = sharing.shared(vector.requires_grad_())
    own, _ = sharing.split(features, vector, "match")
    other, _ = sharing.split(features, vector, "shape")
    leaves = [vector, *sharing.parameters()]
    found = (torch.autograd.grad(part.sum(), leaves, allow_unused=True, retain_graph=True) for part in (own, other))
    used = [(first is not None, second is not None) for first, second in zip(*found, strict=True)]
    assert used.count((True, False)) == used.count((False, True))


def test_gates(build: Any, vector: Tensor) -> None:
    """A weight for each name and row, none below 0; all gates of a choice are alike, whatever the task."""
    sharing = build()
    features = sharing.shared(vector)
    gates = [sharing.split(features, vector, task)[1] for task in TASKS]
    if gates[0] is None:
        assert gates == [None] * len(TASKS)
        return
    for gate in gates:
        assert gate.weights.shape == (ROWS, len(gate.names))
        assert len(set(gate.names)) == len(gate.names)
        assert torch.all(gate.weights >= 0)
        assert all(cost.shape == (ROWS,) for cost in gate.penalties.values())
    assert {tuple(gate.names) for gate in gates} == {tuple(gates[0].names)}


def test_everything_moves_with_the_module(build: Any, vector: Tensor) -> None:
    sharing = build().to(torch.float64)
    assert {tensor.dtype for tensor in sharing.state_dict().values()} <= {torch.float64}
    assert {found.dtype for found in answers(sharing, vector.double()).values()} == {torch.float64}


def test_save_and_load_are_equal(build: Any, vector: Tensor) -> None:
    first, second = build(seed=0), build(seed=1)
    if first.state_dict():
        assert not torch.equal(answers(first, vector)["shape"], answers(second, vector)["shape"])
    second.load_state_dict(first.state_dict())
    for task in TASKS:
        assert torch.equal(answers(first, vector)[task], answers(second, vector)[task])


def test_gradients_are_right(build: Any) -> None:
    sharing = build(["shape", "match"], in_dim=3).to(torch.float64)
    vector = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda values: torch.cat(list(answers(sharing, values, ["shape", "match"]).values()), 1), vector, fast_mode=True
    )


def test_an_untouched_input(build: Any, vector: Tensor) -> None:
    """Another view may read the same vector."""
    before = vector.clone()
    answers(build(), vector)
    assert torch.equal(vector, before)
