"""Norms, cosines and conflicts of an epoch: by hand, under every kind of balancing, and without a trace in training."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mmtrain.cli import main
from mmtrain.config import load
from mmtrain.folder import RunFolder
from mmtrain.objective import scored_rows, view_losses
from mmtrain.train import open_session, prepare_data
from mmtrain.training.conflicts import EpochConflicts

TASKS = ["a", "b", "c"]


def gramian(*rows: list[float]) -> Tensor:
    """Of gradients that are written down; a task without one has zeros."""
    table = torch.tensor(rows)
    return table @ table.T


def test_means_over_the_steps_in_which_there_was_a_gradient() -> None:
    found = EpochConflicts(TASKS)
    assert found.numbers() == {}
    found.add(gramian([3.0, 0.0], [0.0, 2.0], [0.0, 0.0]))
    found.add(gramian([1.0, 0.0], [-1.0, 1.0], [0.0, 4.0]))
    numbers = found.numbers()
    assert numbers["norm"] == pytest.approx({"a": 2.0, "b": (2 + np.sqrt(2)) / 2, "c": 4.0})
    assert numbers["cosine"] == pytest.approx({"a/b": -np.sqrt(0.5) / 2, "a/c": 0.0, "b/c": np.sqrt(0.5)})
    assert (numbers["steps"], numbers["conflicts"]) == (2, 0.5)


def test_a_gradient_that_is_not_finite_is_left_out() -> None:
    found = EpochConflicts(TASKS)
    found.add(torch.tensor([[torch.inf, torch.nan, 0], [torch.nan, 4, -1], [0, -1, 1]]))
    numbers = found.numbers()
    assert numbers == {"steps": 1, "norm": {"b": 2.0, "c": 1.0}, "cosine": {"b/c": -0.5}, "conflicts": 1.0}


def test_one_task_has_a_norm_and_no_conflict() -> None:
    found = EpochConflicts(["a"])
    found.add(torch.tensor([[4.0]]))
    assert found.numbers() == {"steps": 1, "norm": {"a": 2.0}, "cosine": {}, "conflicts": 0.0}


def test_it_goes_on_from_its_state() -> None:
    straight, stopped, resumed = (EpochConflicts(TASKS) for _ in range(3))
    steps = [gramian(*torch.randn(3, 4).tolist()) for _ in range(4)]
    for step in steps:
        straight.add(step)
    for step in steps[:2]:
        stopped.add(step)
    resumed.load_state_dict(stopped.state_dict(), torch.device("cpu"))
    for step in steps[2:]:
        resumed.add(step)
    assert resumed.numbers() == straight.numbers()


def test_a_step_compares_gradients_at_the_boundary_and_goes_on_as_if_it_had_not(tiny: list[str], tmp_path: Path) -> None:
    config = load([*tiny, "tracker=none", "tasks.match.weight=3", "model.auxiliary=0"]).config
    data, ends = prepare_data(config), []
    gramians: list[Tensor] = []
    for number, (compare, parts) in enumerate([(False, 1), (True, 1), (True, 2)]):
        with open_session(config, data, RunFolder(tmp_path / str(number)), live=False) as session:
            loop, split = session.loop, data.splits["train"]
            loop.model.eval()  # no batch statistics: batches may be cut
            batches = [split.batch(rows) for rows in np.split(np.arange(24), parts)]
            if compare:
                expected = by_hand(loop.model, batches[0]) if parts == 1 else gramians[0]
            taken = loop.step(batches, compare=compare)
            assert taken is not None and (taken.gramian is not None) == compare
            if taken.gramian is not None:
                torch.testing.assert_close(taken.gramian, expected, rtol=1e-4, atol=1e-5)
                gramians.append(taken.gramian)
            ends.append(loop.model.state_dict())
    assert all(torch.equal(value, ends[1][name]) for name, value in ends[0].items())


def by_hand(model: torch.nn.Module, batch: object) -> Tensor:
    """One backward a task, rows in the order of the tasks' names."""
    output, rows = model(batch), scored_rows([batch])  # type: ignore[list-item]
    losses = view_losses(model, output, batch, rows)  # type: ignore[arg-type]
    weights = {"match": 3.0}
    [boundary] = output.boundary
    gradients = []
    for task in sorted(losses):
        [gradient] = torch.autograd.grad(weights.get(task, 1.0) * losses[task]["fused"], [boundary], retain_graph=True)
        gradients.append(gradient.flatten())
    return torch.stack([torch.stack([(one * other).sum() for other in gradients]) for one in gradients])


def test_every_method_has_the_same_figures_in_the_log(tiny: list[str], tmp_path: Path) -> None:
    """Of the first step, which all take from the same weights."""
    found = {}
    for method in ("fixed", "famo", "upgrad", "upgrad balancing.level=parameters"):
        folder = tmp_path / method.split()[-1]
        words = [*tiny, *f"balancing={method}".split(), "training.steps=1", "tracker=none"]
        assert main(["train", *words, f"hydra.run.dir={folder}"]) == 0
        train, val = RunFolder(folder).read_metrics()
        assert "gradients" not in val
        found[method] = train["gradients"]
    assert found["fixed"]["steps"] == 1
    assert len(found["fixed"]["norm"]) == 5 and len(found["fixed"]["cosine"]) == 10
    assert found["fixed"]["conflicts"] == float(min(found["fixed"]["cosine"].values()) < 0)
    for method in found:
        for name in ("norm", "cosine"):
            assert found[method][name] == pytest.approx(found["fixed"][name], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("every", "steps"), [(0, [None, None]), (2, [2, 2]), (4, [1, 1])])
def test_how_often(every: int, steps: list[int | None], tiny: list[str], tmp_path: Path) -> None:
    """Two epochs of three steps."""
    assert main(["train", *tiny, f"training.conflicts_every={every}", "tracker=none", f"hydra.run.dir={tmp_path / 'run'}"]) == 0
    lines = [line for line in RunFolder(tmp_path / "run").read_metrics() if line["split"] == "train"]
    assert [line.get("gradients", {}).get("steps") for line in lines] == steps
