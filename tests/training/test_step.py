"""One step, however its rows are cut into batches."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from mmtrain import runtime
from mmtrain.assembly import build_model, data_parts
from mmtrain.balancing import DBMTL, DWA, FAMO, IMTLL, STCH, Fixed, Geometric, Log, Random, Uncertainty, UPGrad
from mmtrain.balancing.balancer import Weights
from mmtrain.batch import FUSED, Batch
from mmtrain.config import load
from mmtrain.data import Data, prepare
from mmtrain.modality_balance import Nothing
from mmtrain.objective import scored_rows, view_losses
from mmtrain.training import Settings
from mmtrain.training.meter import Meter
from mmtrain.training.step import Step

ROWS = np.arange(24)


@pytest.fixture(scope="module")
def data(tiny: list[str]) -> Data:
    parts = data_parts(load(tiny).config)
    return prepare(parts.source, parts.settings, parts.modalities, parts.tasks, progress=False)


def step(tiny: list[str], data: Data, balancing: Any = Fixed, **weights: float) -> Step:
    machine = runtime.start(Settings(device="cpu", threads=1), seed=0)
    model = build_model(load(tiny).config, data.modalities, data.tasks).eval()  # no batch statistics: batches may be cut
    balancer = balancing({name: task.spec for name, task in data.tasks.items()})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    dims = {name: encoder.out_dim for name, encoder in model.encoder.items()}
    modality_balance = Nothing(dims, {name: task.spec for name, task in data.tasks.items()})
    return Step(model, balancer, modality_balance, optimizer, machine, dict.fromkeys(data.tasks, 1.0) | weights, clip=None)


EXACT = [DWA, DBMTL, FAMO, Fixed, Geometric, IMTLL, Log, Random, STCH, Uncertainty, partial(UPGrad, level="parameters")]


@pytest.mark.parametrize("balancing", EXACT)
def test_accumulated_batches_are_one_batch(tiny: list[str], data: Data, balancing: Any) -> None:
    train = data.splits["train"]
    one, four = step(tiny, data, balancing), step(tiny, data, balancing)
    for _ in range(2):
        whole, parts = one([train.batch(ROWS)]), four([train.batch(rows) for rows in np.split(ROWS, [2, 3, 15])])
    assert whole is not None and parts is not None
    torch.testing.assert_close(parts.losses, whole.losses, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(parts.weights, whole.weights)
    for name, parameter in one.model.named_parameters():
        torch.testing.assert_close(four.model.get_parameter(name), parameter, rtol=1e-4, atol=1e-5)


class Watching(Fixed):
    """Keeps what it is told of the losses of whole batches."""

    looks_ahead: ClassVar[bool] = True
    measures: ClassVar[bool] = True

    def look_ahead(self, losses: Mapping[str, torch.Tensor]) -> None:
        self.ahead = losses

    def backward(self, losses: Mapping[str, torch.Tensor], **facts: Any) -> Weights:
        self.trained = {task: loss.detach() + self.__dict__.get("trained", {}).get(task, 0) for task, loss in losses.items()}
        return super().backward(losses, **facts)

    def after_step(self, measure: Callable[[], Mapping[str, torch.Tensor]] | None = None) -> None:
        assert measure is not None
        self.after = measure()


def watched(taken: Step) -> Watching:
    assert isinstance(taken.balancer, Watching)
    return taken.balancer


def in_training(tiny: list[str], data: Data, balancing: Any, lr: float) -> Step:
    """Taken once, of two batches, with dropout, of modalities too, and batch statistics."""
    overrides = [*tiny, "fusion.dropout=0.3", "encoder/image=resnet18", "missing.dropout=0.3", "model.auxiliary=0.5"]
    taken = step(overrides, data, balancing, shape=3.0)
    taken.model.train()
    taken.optimizer.param_groups[0]["lr"] = lr
    taken([data.splits["train"].batch(rows) for rows in np.split(ROWS, [14])])
    return taken


def test_a_look_at_the_losses_leaves_nothing_behind(tiny: list[str], data: Data) -> None:
    """Neither in weights and batch statistics nor in what is drawn next."""
    plain = in_training(tiny, data, Fixed, lr=0.1)
    expected = plain.model.state_dict(), torch.get_rng_state()
    watching = in_training(tiny, data, Watching, lr=0.1)
    assert any("running_mean" in name for name in expected[0])
    assert all(torch.equal(tensor, expected[0][name]) for name, tensor in watching.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), expected[1])


def test_a_look_at_the_losses_has_the_random_draws_of_the_step(tiny: list[str], data: Data) -> None:
    """Without a step they are the same, to the bit; with one, others."""
    resting, moving = (watched(in_training(tiny, data, Watching, lr=lr)) for lr in (0.0, 0.1))
    assert resting.trained == resting.ahead == resting.after == moving.trained == moving.ahead
    assert resting.trained.keys() == data.tasks.keys()
    assert all(moving.after[task] != loss and not moving.after[task].requires_grad for task, loss in moving.trained.items())


def test_only_tasks_that_can_still_learn_are_told_of_ahead(tiny: list[str], data: Data) -> None:
    taken = step(tiny, data, Watching)
    for parameter in taken.model.parameters():
        parameter.requires_grad_(False)
    for parameter in taken.model.head["shape"].parameters():
        parameter.requires_grad_(True)
    taken([data.splits["train"].batch(rows) for rows in np.split(ROWS, [14])])
    assert watched(taken).ahead.keys() == watched(taken).trained.keys() == {"shape"}


def test_losses_are_means_over_labelled_rows_and_weights_are_no_part_of_them(tiny: list[str], data: Data) -> None:
    batch = data.splits["train"].batch(ROWS)
    plain, heavy = step(tiny, data)([batch]), step(tiny, data, shape=5.0)([batch])
    assert plain is not None and heavy is not None
    torch.testing.assert_close(heavy.losses, plain.losses)
    scored = batch.scored["shape"][FUSED]
    assert 0 < len(scored) < len(ROWS)
    expected = torch.nn.functional.cross_entropy(plain.outputs[0].predictions["shape"][scored], batch.targets["shape"][scored])
    torch.testing.assert_close(plain.losses["shape"][FUSED], expected)


def test_without_a_label_there_is_no_step(tiny: list[str], data: Data) -> None:
    train = data.splits["train"]
    nothing = [row for row in range(len(train)) if not any(mask[row] for mask in train.labelled.values())]
    if not nothing:
        nothing = [row for row in range(len(train)) if not any(mask[row] for mask in train.present.values())]
    taken = step(tiny, data)
    before = {name: parameter.clone() for name, parameter in taken.model.named_parameters()}
    assert taken([train.batch(np.array(nothing[:1]))]) is None
    assert all(torch.equal(before[name], parameter) for name, parameter in taken.model.named_parameters())


def test_a_meter_goes_on_from_its_state(tiny: list[str], data: Data) -> None:
    taken, train = step(tiny, data), data.splits["train"]

    def feed(meter: Meter, batch: Batch) -> None:
        output, rows = taken.model(batch), scored_rows([batch])
        meter.add(batch, output)
        meter.add_losses(view_losses(taken.model, output, batch, rows), rows)

    straight, stopped, resumed = (Meter(data.tasks) for _ in range(3))
    feed(straight, train.batch(ROWS))
    feed(stopped, train.batch(ROWS))
    resumed.load_state_dict(stopped.state_dict(), torch.device("cpu"))
    for meter in (straight, resumed):
        feed(meter, train.batch(ROWS + 24))
    assert resumed.scores() == straight.scores()
    scores = straight.scores()
    assert scores.loss == pytest.approx(sum(found["loss"] for found in scores.tasks.values()))
    assert scores.skill == pytest.approx(np.mean([found["skill"] for found in scores.tasks.values()]))
