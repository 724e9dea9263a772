import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.nn import functional
from torch.testing import assert_close

from mmtrain.batch import Fused
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import CrossEntropy, Focal, LogitAdjusted
from mmtrain.metric import BINARY_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Binary

Maker = Callable[..., Table]
CELLS = ["yes", "no", "no", None, "no"]


def fitted(table: Maker, cells: Sequence[str | None] = CELLS, *, loss: Any = CrossEntropy, **options: Any) -> Binary:
    task = Binary("ill", column="label", loss=loss, **options)
    task.fit(table(cells))
    return task


def test_facts(table: Maker) -> None:
    task = fitted(table, weight=2.0)
    assert task.columns == ["label"]
    assert task.spec == TaskSpec(labels=4, gaussian=False, weight=2.0, prediction="binary")
    assert (task.weight, task.metric, task.unit) == (2.0, "auroc", "")


@pytest.mark.parametrize(
    ("labels", "options", "positive"),
    [
        (["no", "yes"], {}, "yes"),
        (["True", "False"], {}, "True"),
        (["0", "1"], {}, "1"),
        (["1", "2"], {}, "1"),
        (["Y", "unknown"], {}, "Y"),
        (["true", "1"], {}, "true"),  # both are usual: the last in order
        (["-50000", "50000+."], {}, "50000+."),
        (["10", "9"], {}, "10"),
        (["no", "yes"], {"positive": "no"}, "no"),
        (["0", "1"], {"positive": 0}, "0"),
    ],
    ids=str,
)
def test_which_label_is_positive(table: Maker, labels: list[str], options: dict[str, Any], positive: str) -> None:
    for cells in (labels, labels[::-1]):
        task = fitted(table, cells, **options)
        targets, _ = task.encode(table([positive, next(label for label in labels if label != positive)]))
        assert_array_equal(targets, [1, 0])
        assert task.decode(task.answer(torch.tensor([3.0])))[""] == [positive]


def test_targets_of_empty_and_unseen_cells(table: Maker) -> None:
    targets, labelled = fitted(table).encode(table(["no", None, "maybe", "yes"]))
    assert_array_equal(labelled, [True, False, True, True])
    assert_array_equal(targets[labelled], [0, -1, 1])


def test_prior_is_the_logit_of_the_frequency(table: Maker) -> None:
    assert_close(fitted(table).prior(), torch.tensor(math.log(1 / 3)))


def test_loss_is_that_of_one_logit(table: Maker) -> None:
    prediction, target = torch.randn(10), torch.randint(2, (10,))
    expected = functional.binary_cross_entropy_with_logits(prediction, target.float(), reduction="none")
    assert_close(fitted(table).loss(prediction, target), expected)


def test_focal_loss_of_one_logit(table: Maker) -> None:
    """p = 1/4 for yes: (3/4)^2 log 4 for a yes, (1/4)^2 log 4/3 for a no."""
    loss = fitted(table, loss=partial(Focal, gamma=2.0)).loss
    found = loss(torch.full((2,), -math.log(3)), torch.tensor([1, 0]))
    assert_close(found, torch.tensor([9 / 16 * math.log(4), math.log(4 / 3) / 16]))


def test_logit_adjusted_loss_of_one_logit(table: Maker) -> None:
    """One of four is a yes: the odds of a yes are a third of what the logit says."""
    task = fitted(table, loss=LogitAdjusted)
    logit = torch.tensor([0.7, -0.2])
    odds = (1 / 3) * torch.exp(logit)
    assert_close(task.loss(logit, torch.tensor([1, 0])), -torch.stack([(odds / (1 + odds))[0], (1 / (1 + odds))[1]]).log())
    vector = torch.zeros(1, 4)
    first = task.head(4, {})(vector, Fused(vector, {}, torch.ones(1, dtype=torch.bool))).detach()
    assert_close(first, torch.zeros(1))  # both are equally likely to it
    assert_close(task.loss(first, torch.tensor([1])), torch.tensor([math.log(4)]))


def test_class_weights_go_to_their_labels(table: Maker) -> None:
    task = fitted(table, loss=partial(CrossEntropy, class_weights={"no": 3.0}), positive="no")
    assert_close(task.loss(torch.zeros(2), torch.tensor([0, 1])), math.log(2) * torch.tensor([1.0, 3.0]))


def test_answer_and_decode(table: Maker) -> None:
    task = fitted(table)
    answer = task.answer(torch.tensor([math.log(3), -200.0]))
    assert_allclose(answer, np.array([[0.25, 0.75], [1, 0]]), rtol=1e-6, atol=1e-80)
    columns = task.decode(answer)
    assert list(columns) == ["", ".confidence", ".p.no", ".p.yes"]
    assert columns[""] == ["yes", "no"]
    assert columns[".confidence"] == pytest.approx([0.75, 1.0])


def test_evaluate_by_hand(table: Maker) -> None:
    """Of the four pairs of a yes and a no, three are in order; the constant has 1/2."""
    answer = fitted(table).answer(torch.tensor([2.0, -1.0, 1.0, -2.0]))
    found = fitted(table).evaluate(answer, np.array([1, 1, 0, 0]))
    assert found["auroc"] == 0.75
    assert found["constant"] == 0.5
    assert found["skill"] == pytest.approx(0.5)
    assert found["average_precision"] == pytest.approx((1 + 2 / 3) / 2)


def test_the_constant_of_average_precision_is_the_prevalence_of_the_rows(table: Maker) -> None:
    task = fitted(table, metric="average_precision")
    assert task.evaluate(task.answer(torch.randn(5)), np.array([1, 1, 0, 0, 1]))["constant"] == pytest.approx(3 / 5)


def test_the_primary_metrics() -> None:
    assert set(get_args(get_type_hints(Binary.__init__)["metric"])) == set(BINARY_METRICS) - {"ece", "f1"}


def test_more_than_two_labels(table: Maker) -> None:
    with pytest.raises(DataError) as caught:
        fitted(table, ["no", "yes", "maybe"])
    assert str(caught.value) == (
        "tasks.ill: column 'label' has 3 labels in train ('maybe', 'no', 'yes') where a binary task has two; "
        "choose task@tasks.ill=classification"
    )


def test_very_many_labels_are_not_all_named(table: Maker) -> None:
    with pytest.raises(DataError, match=r"has 500 labels in train \('0', '1', '2', '3', '4', '5', '6', '7', \.\.\.\)"):
        fitted(table, [str(number) for number in range(500)])


def test_one_label_or_none(table: Maker) -> None:
    with pytest.raises(DataError, match="all 2 labels of column 'label' in train are 'no'"):
        fitted(table, ["no", "no", None])
    with pytest.raises(DataError, match=r"none of the 1 train rows in rows\.csv has a label in column 'label'"):
        fitted(table, [None])


def test_a_positive_label_that_is_not_there(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"tasks\.ill\.positive: train has no label 'yse'; did you mean 'yes'\? allowed: no, yes"):
        fitted(table, positive="yse")
