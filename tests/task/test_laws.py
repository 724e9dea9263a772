"""What every task promises, for each of its primary metrics and losses."""

import json
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused
from mmtrain.loss import Absolute, BinaryCrossEntropy, CrossEntropy, Focal, Huber, LogitAdjusted, Pinball, Poisson, Squared
from mmtrain.metric import BINARY_METRICS, CLASS_METRICS, COUNT_METRICS, NUMBER_METRICS, RANK_METRICS, SET_METRICS, quantile_metrics
from mmtrain.table import Table
from mmtrain.task import Binary, Classification, Count, Multilabel, Ordinal, Quantile, Regression, Task

Maker = Callable[..., Table]

CELLS: dict[Any, list[str | None]] = {
    Classification: ["b", "a", None, "c", "a", "a", "b", "a"],
    Binary: ["no", "yes", None, "no", "no", "yes", "no", "no"],
    Multilabel: ["b,c", "[]", None, "a", "b", "a,b,c", "b", "[]"],
    Ordinal: ["2", "1", None, "10", "2", "1", "2", "2"],
    Regression: ["1.5", "0", None, "20", "3", "3", "100", "0"],
    Quantile: ["1.5", "0", None, "20", "3", "4", "100", "0"],
    Count: ["1", "0", None, "7", "2", "2", "40", "0"],
}
LOSSES: dict[Any, list[Any]] = {
    Classification: [CrossEntropy, Focal, LogitAdjusted],
    Binary: [partial(CrossEntropy, class_weights="inverse"), Focal, LogitAdjusted],
    Multilabel: [BinaryCrossEntropy],
    Ordinal: [CrossEntropy, Focal, LogitAdjusted],
    Regression: [Squared, Absolute, Huber],
    Quantile: [Pinball],
    Count: [Poisson],
}
METRICS = {
    Classification: CLASS_METRICS,
    Binary: BINARY_METRICS,
    Multilabel: SET_METRICS,
    Ordinal: RANK_METRICS,
    Regression: NUMBER_METRICS,
    Quantile: quantile_metrics([0.1, 0.5, 0.9]),
    Count: COUNT_METRICS,
}
NUMBERS = (Regression, Quantile, Count)

each_task = pytest.mark.parametrize("kind", CELLS)
# Skill is not measured in these: a constant answer may be perfectly calibrated or cover all, and the best one for F1 is always "yes".
each_metric = pytest.mark.parametrize(
    ("kind", "metric"),
    [(kind, metric) for kind, metrics in METRICS.items() for metric in metrics if metric not in ("ece", "f1", "coverage")],
)


def build(kind: Any, **options: Any) -> Task:
    task: Task = kind("target", **{"column": "label", "loss": LOSSES[kind][0]} | options)
    return task


def fitted(kind: Any, table: Maker, **options: Any) -> Task:
    task = build(kind, **options)
    task.fit(table(CELLS[kind]))
    return task


def predict(head: Any, vector: Tensor) -> Tensor:
    prediction: Tensor = head(vector, Fused(vector, {}, torch.ones(len(vector), dtype=torch.bool)))
    return prediction


def perfect(task: Task, target: np.ndarray) -> Tensor:
    """Predictions that leave no doubt."""
    if isinstance(task, Classification | Ordinal):
        return 100 * torch.eye(len(task.prior()))[target]
    if isinstance(task, Multilabel):
        return torch.from_numpy(200.0 * target[:, :-1] - 100)
    if isinstance(task, Quantile):
        return torch.from_numpy(target)[:, None].expand(-1, 3)
    if isinstance(task, Count):
        return torch.from_numpy(target).clamp(min=1e-9).log()
    return torch.from_numpy(target) if isinstance(task, Regression) else torch.from_numpy(200.0 * target - 100)


@each_metric
def test_skill_of_the_prior_is_0_and_of_perfection_1(kind: Any, metric: str, table: Maker) -> None:
    task = fitted(kind, table, metric=metric)
    target, labelled = task.encode(table(CELLS[kind]))
    target = target[labelled]
    prior = task.evaluate(task.answer(task.prior().expand(len(target), *task.prior().shape)), target)
    assert prior["skill"] == pytest.approx(0, abs=1e-6)
    assert prior["constant"] == pytest.approx(prior[metric], abs=1e-6)
    half = task.answer(torch.stack([*perfect(task, target)[:4], *task.prior().expand(len(target), *task.prior().shape)[4:]]))
    assert task.skill(half, target) == task.evaluate(half, target)["skill"]
    best = task.evaluate(task.answer(perfect(task, target)), target)
    assert best[metric] == pytest.approx(METRICS[kind][metric].perfect, abs=1e-6)
    assert best["skill"] == pytest.approx(1, abs=1e-6)


@each_metric
def test_no_constant_answer_is_better_in_train_than_the_prior(kind: Any, metric: str, table: Maker) -> None:
    task = fitted(kind, table, metric=metric)
    target, labelled = task.encode(table(CELLS[kind]))
    target = target[labelled]
    for constant in torch.randn(12, *task.prior().shape) * 3:
        skill = task.evaluate(task.answer(constant.expand(len(target), *constant.shape)), target)["skill"]
        assert skill is not None
        assert skill <= 1e-6


@each_metric
def test_one_row_and_no_row_are_scored_without_a_warning(kind: Any, metric: str, table: Maker) -> None:
    task = fitted(kind, table, metric=metric)
    target, _ = task.encode(table(CELLS[kind]))
    answer = task.answer(perfect(task, np.where(target < 0, 0, target)))
    for rows in (0, 1):
        found = task.evaluate(answer[:rows], target[:rows])
        assert found["rows"] == rows
        assert task.skill(answer[:rows], target[:rows]) == found["skill"]
        assert list(found) == ["rows", *METRICS[kind], "constant", "skill"]
        json.dumps(found, allow_nan=False)


@each_task
def test_each_label_is_scored_under_its_own_name(kind: Any, table: Maker) -> None:
    task = fitted(kind, table)
    target, labelled = task.encode(table(CELLS[kind]))
    found = task.evaluate_classes(task.answer(perfect(task, target[labelled])), target[labelled])
    cells = [] if kind in NUMBERS else [cell for cell in CELLS[kind] if cell is not None]
    cells = [label for cell in cells for label in cell.split(",") if label != "[]"]
    assert {label: scores["rows"] for label, scores in found.items()} == Counter(cells)
    assert all(scores["precision"] == scores["recall"] == scores["f1"] == 1 for scores in found.values())
    assert all(scores["f1"] is None for scores in task.evaluate_classes(task.answer(perfect(task, target[:0])), target[:0]).values())


@each_task
def test_a_model_that_diverged_has_no_skill(kind: Any, table: Maker) -> None:
    task = fitted(kind, table)
    target, _ = task.encode(table(CELLS[kind]))
    answer = task.answer(torch.full((8, *task.prior().shape), torch.nan))
    found = task.evaluate(answer, np.where(target < 0, 0, target))
    assert found["skill"] is None
    json.dumps(found, allow_nan=False)


@each_task
def test_unlabelled_rows_have_no_influence(kind: Any, table: Maker) -> None:
    task, other = build(kind), build(kind)
    task.fit(table(CELLS[kind]))
    other.fit(table([cell for cell in CELLS[kind] if cell is not None]))
    assert task.state() == other.state()
    assert_close(task.prior(), other.prior())
    assert task.spec == other.spec


@each_task
def test_the_order_of_rows_has_no_influence(kind: Any, table: Maker) -> None:
    task, other = fitted(kind, table), build(kind)
    other.fit(table(CELLS[kind][::-1]))
    assert task.state() == other.state()


@each_task
def test_state_outlives_json(kind: Any, table: Maker) -> None:
    task, restored = fitted(kind, table), build(kind)
    restored.load_state(json.loads(json.dumps(task.state(), allow_nan=False)))
    assert restored.state() == task.state()
    assert restored.spec == task.spec
    for ours, theirs in zip(task.encode(table(CELLS[kind])), restored.encode(table(CELLS[kind])), strict=True):
        assert_array_equal(ours, theirs)
    prediction = torch.randn(4, *task.prior().shape)
    assert task.decode(task.answer(prediction)) == restored.decode(restored.answer(prediction))
    target = torch.from_numpy(task.encode(table(CELLS[kind]))[0][3:7])
    assert_close(task.loss(prediction, target), restored.loss(prediction, target))


@pytest.mark.parametrize(("kind", "loss"), [(kind, loss) for kind, losses in LOSSES.items() for loss in losses])
@pytest.mark.parametrize("hidden", [0, 4, [5, 3]], ids=str)
def test_every_parameter_of_a_head_gets_a_gradient(kind: Any, loss: Any, hidden: int | list[int], table: Maker) -> None:
    task = fitted(kind, table, loss=loss, hidden=hidden, dropout=0.1)
    target, labelled = task.encode(table(CELLS[kind]))
    head = task.head(6, {})
    prediction = predict(head, torch.randn(8, 6))
    task.loss(prediction[labelled], torch.from_numpy(target[labelled])).mean().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in head.parameters())


@each_task
def test_predictions_of_the_head_are_of_the_priors_shape(kind: Any, table: Maker) -> None:
    task = fitted(kind, table)
    for rows in (1, 3):
        assert predict(task.head(6, {}), torch.randn(rows, 6)).shape == (rows, *task.prior().shape)


@each_task
def test_columns_have_a_cell_a_row(kind: Any, table: Maker) -> None:
    task = fitted(kind, table)
    for rows in (0, 1, 3):
        columns = task.decode(task.answer(torch.randn(rows, *task.prior().shape)))
        assert "" in columns
        assert {len(cells) for cells in columns.values()} == {rows}


@each_task
def test_labels_come_back_as_they_were(kind: Any, table: Maker) -> None:
    task = fitted(kind, table)
    target, labelled = task.encode(table(CELLS[kind]))
    decoded = task.decode(task.answer(perfect(task, target[labelled])))[""]
    cells = [cell for cell in CELLS[kind] if cell is not None]
    if kind in NUMBERS:
        assert decoded == pytest.approx([float(cell) for cell in cells], abs=1e-4)
    else:
        assert decoded == cells


@each_task
def test_it_is_a_task(kind: Any, table: Maker) -> None:
    """Every member that `Task` names is there."""
    task = fitted(kind, table)
    assert [name for name in vars(Task) if not name.startswith("_") and not hasattr(task, name)] == []
    assert task.name == "target"


@each_task
def test_a_temperature_changes_no_answer_where_there_may_be_one(kind: Any, table: Maker) -> None:
    task = fitted(kind, table)
    prediction = torch.randn(40, *task.prior().shape) * 3
    same = [task.decode(task.answer(prediction / heat))[""] for heat in (0.2, 1.0, 5.0)]
    assert (same[0] == same[1] == same[2]) == getattr(task, "tempered", False)
