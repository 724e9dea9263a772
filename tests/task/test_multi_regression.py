import json
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.testing import assert_close

from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import Absolute, CrossEntropy, Squared
from mmtrain.metric import NUMBER_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import MultiRegression, Regression

CELLS = {"x": ["1", "3", None, "3", "9", "77"], "y": ["10", "0", "5", "0", "10", None]}  # x: mean 4, deviation 3; y: mean 5, deviation 5


def pairs(cells: dict[str, list[Any]]) -> Table:
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    return Table(frame, "rows.csv", np.arange(1, len(frame) + 1))


def fitted(cells: dict[str, list[Any]] | None = None, loss: Any = Absolute, **options: Any) -> MultiRegression:
    task = MultiRegression("place", column=["x", "y"], loss=loss, **options)
    task.fit(pairs(cells or CELLS))
    return task


def test_a_row_is_labelled_where_all_its_numbers_are_there() -> None:
    task = fitted()
    targets, labelled = task.encode(pairs(CELLS))
    assert_array_equal(labelled, [True, True, False, True, True, False])
    assert_allclose(targets, np.array([[-1, 1], [-1 / 3, -1], [0, 0], [-1 / 3, -1], [5 / 3, 1], [0, 0]]), rtol=1e-6)
    assert targets.dtype == np.float32
    assert task.spec == TaskSpec(4, False, 1.0, "numbers", (2,))
    assert fitted(loss=Squared).spec.gaussian


def test_what_stands_in_a_row_that_lacks_a_number_has_no_influence() -> None:
    other = {name: [None if cell in ("5", "77") else cell for cell in cells] for name, cells in CELLS.items()}
    assert fitted().state() == fitted(other).state()


def test_state_outlives_json() -> None:
    task, other = fitted(), MultiRegression("place", column=["x", "y"], loss=Absolute)
    other.load_state(json.loads(json.dumps(task.state())))
    assert other.state() == task.state()
    assert other.spec == task.spec
    assert_close(other.prior(), task.prior())


def test_answers_are_in_the_units_of_the_table() -> None:
    task = fitted()
    answer = task.answer(torch.tensor([[-1.0, 0.0], [0.5, 2.0]]))
    assert_allclose(answer, np.array([[1, 5], [5.5, 15]]))
    assert task.decode(answer) == {".x": [1.0, 5.5], ".y": [5.0, 15.0]}


def test_loss_is_the_mean_over_the_numbers() -> None:
    prediction, target = torch.randn(5, 2), torch.randn(5, 2)
    assert_close(fitted(loss=Squared).loss(prediction, target), (prediction - target).square().mean(1))


@pytest.mark.parametrize("metric", list(NUMBER_METRICS))
def test_each_number_is_scored_as_regression_does_it(metric: str) -> None:
    task = fitted(metric=metric)
    targets, labelled = task.encode(pairs(CELLS))
    targets = targets[labelled]
    answer = task.answer(torch.from_numpy(targets) + torch.randn(4, 2))
    found = task.evaluate(answer, targets)
    expected = []
    for place, column in enumerate("xy"):
        single = Regression("place", column=column, loss=Absolute, metric=metric)  # type: ignore[arg-type]
        single.fit(pairs({column: [cell for cell, there in zip(CELLS[column], labelled, strict=True) if there]}))
        expected.append(single.evaluate(answer[:, place], targets[:, place]))
        assert found[f"{metric}.{column}"] == expected[place][metric]
    for name in (*NUMBER_METRICS, "constant", "skill"):
        assert found[name] == pytest.approx(np.mean(np.array([one[name] for one in expected], float)))
    assert task.skill(answer, targets) == found["skill"]
    prior = task.answer(task.prior().expand(4, 2))
    assert task.evaluate(prior, targets)["skill"] == pytest.approx(0, abs=1e-6)
    assert task.evaluate(task.answer(torch.from_numpy(targets)), targets)["skill"] == pytest.approx(1, abs=1e-6)


def test_no_row_and_a_model_that_diverged() -> None:
    task = fitted()
    for answer in (np.zeros((0, 2)), np.full((2, 2), np.nan)):
        found = task.evaluate(answer, np.zeros((len(answer), 2), np.float32))
        assert found["skill"] is found["mae"] is found["mae.x"] is None


def test_a_word_is_no_number() -> None:
    cells = pairs({"x": ["1", "2"], "y": ["abc", "3"]})
    assert_array_equal(fitted().encode(cells)[1], [False, True])
    assert [str(problem) for problem in cells.bad] == ["rows.csv, row 1, column 'y': found 'abc', which is no number"]


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ({"x": ["1", None], "y": [None, "2"]}, r"none of the 2 train rows in rows.csv has a number in every column of \['x', 'y'\]"),
        ({"x": ["1", "2"], "y": [None, None]}, "none of the 2 train rows in rows.csv has a label in column 'y'"),
        ({"x": ["1", "2"], "y": ["3", "3"]}, "all 2 labels of column 'y' in train are 3"),
    ],
)
def test_nothing_to_learn(cells: dict[str, list[Any]], line: str) -> None:
    with pytest.raises(DataError, match=line):
        fitted(cells)


@pytest.mark.parametrize(("column", "line"), [([], "names no column"), (["x", "x"], "names a column twice")])
def test_wrong_columns(column: list[str], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        MultiRegression("place", column=column, loss=Absolute)


def test_a_loss_for_classes() -> None:
    with pytest.raises(ConfigError, match="'CrossEntropy' is a loss for classes, and this task predicts numbers"):
        fitted(loss=CrossEntropy)
