"""Two processes on their shares of a batch against one process on the whole of it.

This file is also what each of the two runs: `python test_processes.py FILE`.
"""

import importlib
import inspect
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor, nn

from mmtrain import checkpoint, processes
from mmtrain.balancing import Balancer
from mmtrain.cli import main
from mmtrain.errors import ConfigError
from mmtrain.folder import RunFolder
from mmtrain.spec import TaskSpec

ROOT = Path(__file__).parents[2]
TASKS = ("one", "two", "three")
ROWS = 7
# Which rows have a label of each task, step by step. The first process has rows 0, 2, 4 and 6, the second one rows 1, 3 and 5.
STEPS: list[dict[str, Sequence[int]]] = [
    {"one": range(7), "two": [0, 1, 2, 5], "three": [1, 6]},
    {"one": [0, 3, 4], "two": [1, 5], "three": [0, 2]},  # `two` on the second process alone, `three` on the first
    {"one": [0, 2], "two": [4, 6], "three": []},  # none at all on the second
    {"one": [6], "two": [0, 1, 2], "three": range(7)},
]
# Each in one batch, and the last one in two, of which the second process has no row of the second.
PARTS: list[list[Sequence[int]]] = [[range(7)], [range(7)], [range(7)], [range(6), [6]]]


class Small(nn.Module):
    """Two layers that all tasks read, and a head a task; targets are NaN where there is no label."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 3)
        self.heads = nn.ModuleDict({task: nn.Linear(3, 2) for task in TASKS})
        self.unused = nn.Parameter(torch.ones(2))
        self.double()
        generator = torch.Generator().manual_seed(5)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2
        self.inputs = torch.randn(len(STEPS), ROWS, 4, generator=generator, dtype=torch.float64)
        self.targets = 2 * torch.randn(len(STEPS), len(TASKS), ROWS, 2, generator=generator, dtype=torch.float64)
        for step, labelled in enumerate(STEPS):
            for place, task in enumerate(TASKS):
                self.targets[step, place, [row for row in range(ROWS) if row not in labelled[task]]] = torch.nan

    def losses(self, step: int, rows: Sequence[int], counts: Mapping[str, int]) -> tuple[list[Tensor], dict[str, Tensor]]:
        """What lies at the boundary of these rows, and the losses with the values of all processes."""
        losses: dict[str, Tensor] = {}
        features = self.second(self.first(self.inputs[step][list(rows)]).tanh())
        for place, task in enumerate(TASKS):
            own = [number for number, row in enumerate(rows) if row in STEPS[step][task]]
            errors = self.heads[task](features[own]) - self.targets[step, place][list(rows)][own]
            losses |= {task: errors.square().mean(1).sum() / counts[task]} if own else {}
        return [features] if rows else [], processes.whole(losses, TASKS, torch.zeros((), dtype=torch.float64))

    def losses_again(self, step: int, parts: Sequence[Sequence[int]], counts: Mapping[str, int]) -> dict[str, Tensor]:
        """What the losses of all parts of a step add up to."""
        found: dict[str, Tensor] = {}
        for rows in parts:
            found |= {task: loss.detach() + found.get(task, 0) for task, loss in self.losses(step, rows, counts)[1].items()}
        return found


def train(balancer: Balancer) -> Iterator[tuple[dict[str, Tensor | None], dict[str, Any]]]:
    """Gradients and weights of each step, of this process's share of the rows, as `training.step.Step` goes about it."""
    model = Small()
    parameters = list(model.parameters())
    for step, parts in enumerate(PARTS):
        mine = [list(rows)[processes.share()] for rows in parts]
        labelled = [sum(row in STEPS[step][task] for rows in mine for row in rows) for task in TASKS]
        counts = dict(zip(TASKS, processes.sums(labelled), strict=True))
        if balancer.looks_ahead and len(mine) > 1:
            balancer.look_ahead(model.losses_again(step, mine, counts))
        weights: dict[str, Any] = {}
        for rows in mine:
            boundary, losses = model.losses(step, rows, counts)
            penalty = model.first.weight.sum() / len(mine) / processes.count()
            weights |= balancer.backward(losses, boundary=boundary, parameters=parameters, penalty=penalty, scale=4.0)
        processes.add_gradients(parameters)
        weights |= balancer.before_step()
        yield {name: None if parameter.grad is None else parameter.grad.clone() for name, parameter in model.named_parameters()}, weights
        for parameter in parameters:
            parameter.data -= 0 if parameter.grad is None else 0.002 * parameter.grad
            parameter.grad = None
        balancer.after_step(partial(model.losses_again, step, mine, counts) if balancer.measures else None)
        balancer.epoch_end(dict.fromkeys(TASKS, 1.0 + step))


def balancers() -> Iterator[tuple[str, Any]]:
    """Every choice in `configs/balancing`, at each of its levels."""
    specs = {task: TaskSpec(10, gaussian=True) for task in TASKS}
    for path in sorted((ROOT / "configs" / "balancing").glob("*.yaml")):
        options = yaml.safe_load(path.read_text(encoding="utf-8"))
        module, _, name = options.pop("_target_").rpartition(".")
        part = getattr(importlib.import_module(module), name)
        for level in ("features", "parameters") if "level" in inspect.signature(part).parameters else (None,):
            yield f"{path.stem}-{level}" if level else path.stem, partial(part, specs, **options, **({"level": level} if level else {}))


def trained() -> dict[str, Any]:
    """Every balancer's gradients and weights in every step, and its state in the end."""
    found: dict[str, Any] = {}
    for name, build in balancers():
        torch.manual_seed(0)
        try:
            balancer = build()
        except ConfigError:  # a solver that is an extra
            continue
        steps = list(train(balancer))
        found[name] = {"steps": steps, "state": dict(balancer.state_dict())}
    return found


def environment(rank: int, port: int) -> dict[str, str]:
    """What torchrun would set."""
    own = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "localhost", "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
    return os.environ | {name: str(value) for name, value in own.items()} | {"PYTHONPATH": str(ROOT)}


def pair(*words: str, folder: Path | None = None) -> list[tuple[int, str]]:
    """Run two processes of one group, in this folder; the exit code of each, and what it printed."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    both = [
        subprocess.Popen(
            [sys.executable, *words],
            env=environment(rank, port),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in (0, 1)
    ]
    printed = [one.communicate(timeout=100)[0] for one in both]
    return [(one.returncode, text) for one, text in zip(both, printed, strict=True)]


@pytest.fixture(scope="module")
def shared_out(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("processes")
    ended = pair(__file__, str(folder))
    assert [code for code, _ in ended] == [0, 0], ended
    first, second = checkpoint.load(folder)
    assert_close(first, second, tolerance=0.0)
    found: dict[str, Any] = first
    return found


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    found: dict[str, Any] = checkpoint.unpack(checkpoint.pack(trained()))
    return found


def assert_close(one: Any, other: Any, *, tolerance: float) -> None:
    """Two trees of tensors and numbers."""
    if isinstance(one, Tensor):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        assert_close(list(one.values()), [other[key] for key in one], tolerance=tolerance)
    elif isinstance(one, list):
        for each, its in zip(one, other, strict=True):
            assert_close(each, its, tolerance=tolerance)
    else:
        assert one == (pytest.approx(other, rel=tolerance, abs=tolerance) if isinstance(one, float) else other)


@pytest.mark.parametrize("name", [name for name, _ in balancers()])
def test_gradients_weights_and_state_are_those_of_one_process(name: str, shared_out: dict[str, Any], alone: dict[str, Any]) -> None:
    """In float64, with labels that only one process has, or none of one, and a part of a batch that one has no row of."""
    if name not in alone:
        pytest.skip("a solver that is an extra")
    gradients = [gradients for gradients, _ in alone[name]["steps"]]
    assert all(step["first.weight"].abs().max() > 1e-3 for step in gradients)
    assert all(step["unused"] is None for step in gradients)  # and so nothing decays it
    assert gradients[2]["heads.three.weight"] is None
    assert_close(shared_out[name], alone[name], tolerance=1e-6)


# 97 rows: the last batch of an epoch is one row. No dropout, whose draws are each process's own, and no batch statistics.
RUN = ["data.train=97", "data.val=95", "data.test=95", "data.absent=0.2", "data.unlabelled=0.2", "training.batch_size=32"]
RUN += ["encoder/image=embedding", "encoder/text=embedding", "encoder/audio=embedding", "encoder.text.dropout=0", "training.threads=1"]
RUN += ["training.epochs=2", "training.accumulate=2", "balancing=famo", "model.auxiliary=0.5", "sharing=mmoe", "tracker=none"]
RUN += ["modality_balance=ogm_ge", "modality_balance.noise=false"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The run folders of two processes and of one."""
    folder = tmp_path_factory.mktemp("runs")
    ended = pair("-m", "mmtrain", "train", *RUN, "hydra.run.dir=two", folder=folder)
    assert [code for code, _ in ended] == [0, 0], ended
    assert "run folder: two" in ended[0][1]
    assert ended[1][1] == ""
    assert main(["train", *RUN, f"hydra.run.dir={folder / 'one'}"]) == 0
    return folder / "two", folder / "one"


def weights(run: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = checkpoint.load(run / "checkpoints" / "last")["model"]
    return found


def losses(line: Mapping[str, Any]) -> list[Any]:
    return [line["loss"], line["views"], *(task[key] for task in line["tasks"].values() for key in ("loss", "weight"))]


def test_a_run_of_two_processes_equals_one_of_one(runs: tuple[Path, Path]) -> None:
    """The same weights, the same files, and the same figures but for times. One row that turns over makes 0.02 of an accuracy."""
    two, one = runs
    torch.testing.assert_close(weights(two), weights(one), rtol=0.0, atol=1e-5)
    assert sorted(path.name for path in two.iterdir()) == sorted(path.name for path in one.iterdir())
    for found, expected in zip(RunFolder(two).read_metrics(), RunFolder(one).read_metrics(), strict=True):
        for line in (found, expected):
            del line["seconds"], line["samples_per_second"]
        assert_close(found, expected, tolerance=0.03)
        assert_close(losses(found), losses(expected), tolerance=1e-5)
    assert RunFolder(two).results()["status"] == "finished"
    assert_close(RunFolder(two).results()["test"], RunFolder(one).results()["test"], tolerance=0.03)


def test_a_run_goes_on_in_another_number_of_processes(runs: tuple[Path, Path], tmp_path: Path) -> None:
    for run in runs:
        shutil.copytree(run, tmp_path / run.name)
        assert main(["train", "--resume", str(tmp_path / run.name), "training.epochs=3"]) == 0
    torch.testing.assert_close(weights(tmp_path / "two"), weights(tmp_path / "one"), rtol=0.0, atol=1e-4)


FAILING = """
import os
from mmtrain.balancing import Balancer
from mmtrain.errors import Problem, UserError

class Failing(Balancer):
    def __init__(self, tasks):
        super().__init__()
        self.notes = []

    def backward(self, losses, **facts):
        if os.environ["RANK"] == "1":
            raise UserError(Problem("failing", "not on this one"))
        sum(losses.values()).backward()
        return {}

    def after_step(self, measure=None):
        pass

    def epoch_end(self, losses):
        pass
"""


def test_what_goes_wrong_in_one_process_ends_all_and_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(FAILING, encoding="utf-8")
    own = tmp_path / "own" / "balancing"
    own.mkdir(parents=True)
    (own / "failing.yaml").write_text("# Fail.\n_target_: parts.Failing\n", encoding="utf-8")
    words = [*(word for word in RUN if word != "balancing=famo"), "balancing=failing", "trust=[parts]", "hydra.run.dir=run"]
    ended = pair("-m", "mmtrain", "train", "--config-dir", "own", *words, folder=tmp_path)
    assert ended[1] == (2, "error: failing: not on this one\n")
    assert ended[0][0] == 1
    assert "rror" not in ended[0][1]
    assert RunFolder(tmp_path / "run").results()["status"] == "failed"
    assert RunFolder(tmp_path / "run").log.read_text(encoding="utf-8").endswith("failed: failing: not on this one\n")


if __name__ == "__main__":
    with processes.joined():
        both = processes.gathered(trained())
        if processes.rank() == 0:
            checkpoint.save(Path(sys.argv[1]), both)
