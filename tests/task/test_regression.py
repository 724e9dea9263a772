import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.testing import assert_close

from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import Absolute, CrossEntropy, Huber, Squared
from mmtrain.metric import NUMBER_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Regression

Maker = Callable[..., Table]
CELLS = ["1", "3", None, "3", "9"]  # mean 4, median 3, deviation 3


def fitted(table: Maker, cells: Sequence[Any] = CELLS, *, decimal: str = ".", loss: Any = Absolute, **options: Any) -> Regression:
    task = Regression("size", column="label", loss=loss, **options)
    task.fit(table(cells, decimal=decimal))
    return task


def test_facts(table: Maker) -> None:
    task = fitted(table, unit="cm")
    assert task.columns == ["label"]
    assert (task.weight, task.metric, task.unit) == (1.0, "mae", "cm")


@pytest.mark.parametrize(("loss", "gaussian"), [(Squared, True), (Absolute, False), (partial(Huber, delta=2.0), False)])
def test_only_the_squared_loss_is_gaussian(table: Maker, loss: Any, gaussian: bool) -> None:
    assert fitted(table, loss=loss).spec == TaskSpec(labels=4, gaussian=gaussian)


def test_targets_are_deviations_from_the_train_mean(table: Maker) -> None:
    targets, labelled = fitted(table).encode(table(["4", None, "10", "1e1"]))
    assert_array_equal(labelled, [True, False, True, True])
    assert_array_equal(targets, np.array([0, 0, 2, 2], np.float32))
    assert targets.dtype == np.float32


@pytest.mark.parametrize(("metric", "constant"), [("mae", 3.0), ("spearman", 3.0), ("rmse", 4.0), ("r2", 4.0)])
@pytest.mark.parametrize("scaling", ["standard", "log1p"])
def test_prior_is_the_best_constant_in_train(table: Maker, metric: str, constant: float, scaling: str) -> None:
    task = fitted(table, metric=metric, scaling=scaling)
    assert_allclose(task.answer(task.prior()[None]), [constant], rtol=1e-6)


def test_answers_are_in_the_units_of_the_table(table: Maker) -> None:
    task = fitted(table)
    answer = task.answer(torch.tensor([-1.0, 0.5]))
    assert_allclose(answer, [1.0, 5.5])
    assert task.decode(answer) == {"": [1.0, 5.5]}


def test_metrics_are_in_the_units_of_the_table(table: Maker) -> None:
    """Targets 1 and 9 answered with 2 and 9; the median, 3, is off by 2 and 6."""
    task = fitted(table)
    targets, _ = task.encode(table(["1", "9"]))
    found = task.evaluate(np.array([2.0, 9.0]), targets)
    assert found["mae"] == pytest.approx(0.5)
    assert found["rmse"] == pytest.approx(math.sqrt(0.5))
    assert found["constant"] == pytest.approx(4.0)
    assert found["skill"] == pytest.approx(1 - 0.5 / 4)


def test_loss_is_in_deviations(table: Maker) -> None:
    task = fitted(table, loss=Squared)
    targets, _ = task.encode(table(["1", "10"]))
    assert_close(task.loss(torch.zeros(2), torch.from_numpy(targets)), torch.tensor([1.0, 4.0]))


def test_logarithm_of_counts(table: Maker) -> None:
    """0, 0 and e^2 - 1 have the logarithms 0, 0, 2 of 1 + x: mean 2/3, deviation sqrt(8/9)."""
    task = fitted(table, [0.0, 0.0, math.e**2 - 1], scaling="log1p")
    targets, _ = task.encode(table([math.e - 1]))
    assert_allclose(targets, [(1 - 2 / 3) / math.sqrt(8 / 9)], rtol=1e-6)


def test_decimal_comma(table: Maker) -> None:
    task = fitted(table, ["1,5", "2,5"], decimal=",")
    assert_allclose(task.answer(task.prior()[None]), [2.0])


def test_a_word_is_no_number(table: Maker) -> None:
    cells = table(["2", "abc", None, "inf"])
    targets, labelled = fitted(table).encode(cells)
    assert_array_equal(labelled, [True, False, False, False])
    assert_array_equal(targets[1:], np.zeros(3, np.float32))
    assert [str(problem) for problem in cells.bad] == [
        "rows.csv, row 2, column 'label': found 'abc', which is no number",
        "rows.csv, row 4, column 'label': found 'inf', which is no number",
    ]


def test_no_logarithm_below_0(table: Maker) -> None:
    cells = table(["0", "-3.5", "2"])
    _, labelled = fitted(table, scaling="log1p").encode(cells)
    assert_array_equal(labelled, [True, False, True])
    found = "rows.csv, row 2, column 'label': found '-3.5', which is below 0: scaling=log1p cannot take it"
    assert [str(problem) for problem in cells.bad] == [found]


def test_fit_leaves_bad_cells_to_encode(table: Maker) -> None:
    """So that each is told once."""
    cells = table(["1", "abc", "2"])
    task = Regression("size", column="label", loss=Absolute)
    task.fit(cells)
    assert cells.bad == []
    assert task.spec.labels == 2


def test_the_primary_metrics() -> None:
    assert set(get_args(get_type_hints(Regression.__init__)["metric"])) == set(NUMBER_METRICS)


def test_no_label_in_train(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.size: none of the 2 train rows in rows\.csv has a label in column 'label'"):
        fitted(table, [None, None])


def test_no_number_in_train(table: Maker) -> None:
    """A column of words: the first cells are named."""
    with pytest.raises(DataError) as caught:
        fitted(table, [f"word {number}" for number in range(9)])
    assert len(caught.value.problems) == 6
    assert str(caught.value.problems[0]).endswith("; labels that are words are for task@tasks.size=classification")
    assert str(caught.value.problems[1]) == "rows.csv, row 1, column 'label': found 'word 0', which is no number"


def test_a_constant_target(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.size: all 3 labels of column 'label' in train are 0\.1; there is nothing to learn"):
        fitted(table, ["0.1", "0.10", None, "0.1"])


def test_a_loss_for_classes(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"tasks\.size\.loss: 'CrossEntropy' is a loss for classes, and this task predicts numbers"):
        fitted(table, loss=CrossEntropy)
