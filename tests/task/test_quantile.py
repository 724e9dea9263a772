from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.testing import assert_close

from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import Absolute, Pinball
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Quantile

Maker = Callable[..., Table]
CELLS = ["1", "3", None, "3", "9"]  # mean 4, deviation 3


def fitted(table: Maker, cells: Sequence[Any] = CELLS, loss: Any = Pinball, **options: Any) -> Quantile:
    task = Quantile("size", column="label", loss=loss, **options)
    task.fit(table(cells))
    return task


def test_facts(table: Maker) -> None:
    task = fitted(table, unit="cm")
    assert task.spec == TaskSpec(4, False, 1.0, "numbers", (3,))
    targets, labelled = task.encode(table(["4", None, "10", "abc"]))
    assert_array_equal(targets, np.array([0, 0, 2, 0], np.float32))
    assert_array_equal(labelled, [True, False, True, False])


@pytest.mark.parametrize("scaling", ["standard", "log1p"])
def test_prior_are_the_quantiles_of_train(table: Maker, scaling: str) -> None:
    task = fitted(table, [str(number) for number in range(1, 11)], scaling=scaling, quantiles=[0.2, 0.5, 0.95])
    assert_allclose(task.answer(task.prior()[None]), [[2, 5, 10]], rtol=1e-6)


def test_quantiles_that_cross_are_sorted_and_cost_no_more(table: Maker) -> None:
    task = fitted(table)
    prediction, target = torch.randn(40, 3), torch.randn(40)
    answer = task.answer(prediction)
    assert (np.diff(answer) >= 0).all()
    assert_allclose(answer, np.sort(3 * prediction.double().numpy() + 4), rtol=1e-5)
    assert task.loss(prediction.sort(1).values, target).mean() <= task.loss(prediction, target).mean()


def test_columns(table: Maker) -> None:
    task = fitted(table, quantiles=[0.025, 0.5, 0.975])
    assert task.decode(np.array([[1.0, 2.0, 3.0]])) == {"": [2.0], ".q2.5": [1.0], ".q50": [2.0], ".q97.5": [3.0]}


def test_metrics_are_in_the_units_of_the_table(table: Maker) -> None:
    """Targets 1 and 9; medians 2 and 9, intervals 2 to 4 and 8 to 9."""
    task = fitted(table, metric="mae")
    targets, _ = task.encode(table(["1", "9"]))
    found = task.evaluate(np.array([[2.0, 2.0, 4.0], [8.0, 9.0, 9.0]]), targets)
    assert found["mae"] == pytest.approx(0.5)
    assert found["coverage"] == 0.5
    assert found["pinball"] == pytest.approx((0.9 * 1 + 0.1 * 1 + 0.5 + 0.1 * 3 + 0) / 6)
    assert found["constant"] == pytest.approx(4.0)


def test_loss_is_in_deviations(table: Maker) -> None:
    task = fitted(table, quantiles=[0.5])
    targets, _ = task.encode(table(["1", "10"]))
    assert_close(task.loss(torch.zeros(2, 1), torch.from_numpy(targets)), torch.tensor([0.5, 1.0]))


@pytest.mark.parametrize(
    ("quantiles", "line"),
    [([0.5, 0.1], "does not rise"), ([0.5, 0.5], "does not rise"), ([0.1, 0.9], "leaves out the median; add 0.5"), ([], "leaves out")],
)
def test_wrong_quantiles(table: Maker, quantiles: list[float], line: str) -> None:
    with pytest.raises(ConfigError, match=line):
        fitted(table, quantiles=quantiles)


def test_nothing_to_learn(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.size: all 2 labels of column 'label' in train are 1"):
        fitted(table, ["1", "1"])


def test_a_loss_for_numbers(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"'Absolute' is a loss for numbers, and this task predicts quantiles; .*=pinball"):
        fitted(table, loss=Absolute)
