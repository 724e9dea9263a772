"""One step, however its rows are cut into batches."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from mmtrain import runtime
from mmtrain.assembly import build_model, data_parts
from mmtrain.balancing import DBMTL, Fixed, Uncertainty, UPGrad
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
    modality_balance = Nothing(list(data.modalities), {name: task.spec for name, task in data.tasks.items()})
    return Step(model, balancer, modality_balance, optimizer, machine, dict.fromkeys(data.tasks, 1.0) | weights, clip=None)


@pytest.mark.parametrize("balancing", [Fixed, Uncertainty, partial(UPGrad, level="parameters"), DBMTL])
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
