from collections.abc import Callable, Sequence
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import metrics

from mmtrain.batch import Fused
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import Poisson, Squared
from mmtrain.metric import COUNT_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Count

Maker = Callable[..., Table]
CELLS = ["0", "1", None, "1", "6"]  # mean 2, median 1


def fitted(table: Maker, cells: Sequence[Any] = CELLS, loss: Any = Poisson, **options: Any) -> Count:
    task = Count("visits", column="label", loss=loss, **options)
    task.fit(table(cells))
    return task


def test_facts(table: Maker) -> None:
    task = fitted(table, unit="bikes")
    assert (task.columns, task.weight, task.metric, task.unit) == (["label"], 1.0, "poisson_deviance", "bikes")
    assert task.spec == TaskSpec(labels=4, gaussian=False)


def test_targets_are_the_counts(table: Maker) -> None:
    targets, labelled = fitted(table).encode(table(["4", None, "0", "1e1", "16777216"]))
    assert_array_equal(labelled, [True, False, True, True, True])
    assert_array_equal(targets, np.array([4, 0, 0, 10, 16777216], np.float32))


def test_integer_columns(table: Maker) -> None:
    assert_array_equal(fitted(table).encode(table([3, None, 0]))[0], [3, 0, 0])


@pytest.mark.parametrize(("metric", "constant"), [("poisson_deviance", 2.0), ("rmse", 2.0), ("r2", 2.0), ("mae", 1.0), ("spearman", 1.0)])
def test_prior_is_the_best_constant_in_train(table: Maker, metric: str, constant: float) -> None:
    task = fitted(table, metric=metric)
    assert_allclose(task.answer(task.prior()[None]), [constant], rtol=1e-6)


def test_a_median_of_0_has_a_logarithm_all_the_same(table: Maker) -> None:
    task = fitted(table, ["0", "0", "3"], metric="mae")
    assert_allclose(task.answer(task.prior()[None]), [0.0], atol=1e-8)
    head: Any = task.head(4, {})  # begins at the mean, from where it can learn
    head.head.layers[-1].weight.data.zero_()
    vector = torch.randn(2, 4)
    assert_allclose(task.answer(head(vector, Fused(vector, {}, torch.ones(2, dtype=torch.bool))).detach()), [1.0, 1.0], rtol=1e-6)


def test_skill_is_the_share_of_the_deviance_that_is_explained(table: Maker) -> None:
    """As scikit-learn has it, of the rows that train was fitted on."""
    task, target = fitted(table), np.array([0, 1, 1, 6], np.float32)
    answer = np.array([0.5, 1.0, 2.0, 5.0])
    found = task.evaluate(answer, target)
    assert found["poisson_deviance"] == pytest.approx(metrics.mean_poisson_deviance(target, answer))
    assert found["skill"] == pytest.approx(metrics.d2_tweedie_score(target, answer, power=1))
    assert task.decode(answer) == {"": [0.5, 1.0, 2.0, 5.0]}


def test_what_is_no_count(table: Maker) -> None:
    cells = table(["2", "-1", "2.5", "abc", "3"])
    targets, labelled = fitted(table).encode(cells)
    assert_array_equal(labelled, [True, False, False, False, True])
    assert_array_equal(targets[1:4], np.zeros(3, np.float32))
    assert sorted(str(problem) for problem in cells.bad) == [
        "rows.csv, row 2, column 'label': found '-1', which is no count; allowed: 0, 1, 2, ...",
        "rows.csv, row 3, column 'label': found '2.5', which is no count; allowed: 0, 1, 2, ...",
        "rows.csv, row 4, column 'label': found 'abc', which is no number",
    ]


def test_the_primary_metrics() -> None:
    assert set(get_args(get_type_hints(Count.__init__)["metric"])) == set(COUNT_METRICS)


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ([None, None], "tasks.visits: none of the 2 train rows in rows.csv has a label in column 'label'"),
        (["0", "0"], "tasks.visits: all 2 labels of column 'label' in train are 0; there is nothing to learn from a constant"),
        (["-2", "0.5"], "which is no count; allowed: 0, 1, 2, ..."),
    ],
)
def test_nothing_to_learn(table: Maker, cells: list[str | None], line: str) -> None:
    with pytest.raises(DataError) as caught:
        fitted(table, cells)
    assert line in str(caught.value)


def test_a_loss_for_numbers(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"'Squared' is a loss for numbers, and this task predicts counts; .*=poisson"):
        fitted(table, loss=Squared)
