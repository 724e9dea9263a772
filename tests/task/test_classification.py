import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch.testing import assert_close

from mmtrain.batch import Fused
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import CrossEntropy, LogitAdjusted, Squared
from mmtrain.metric import CLASS_METRICS
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Classification

Maker = Callable[..., Table]
CELLS = ["b", "a", "c", "a", None, "a"]


@pytest.fixture
def task(table: Maker) -> Classification:
    return fitted(table)


def fitted(table: Maker, cells: Sequence[str | None] = CELLS, *, loss: Any = CrossEntropy, **options: Any) -> Classification:
    task = Classification("kind", column="label", loss=loss, **options)
    task.fit(table(cells))
    return task


def test_facts(task: Classification) -> None:
    assert task.columns == ["label"]
    assert task.spec == TaskSpec(labels=5, gaussian=False, prediction="classes", shape=(len(task.labels.counts),))
    assert (task.weight, task.metric, task.unit) == (1.0, "accuracy", "")


def test_targets(task: Classification, table: Maker) -> None:
    targets, labelled = task.encode(table(CELLS))
    assert_array_equal(targets[labelled], [1, 0, 2, 0, 0])
    assert_array_equal(labelled, [True, True, True, True, False, True])


def test_prior_is_the_log_of_the_frequencies(task: Classification) -> None:
    assert_close(task.prior(), torch.tensor([math.log(3 / 5), math.log(1 / 5), math.log(1 / 5)]))


def test_answer_is_a_softmax(task: Classification) -> None:
    assert_allclose(task.answer(torch.tensor([[0.0, 0.0, math.log(2)]])), [[1 / 4, 1 / 4, 1 / 2]], rtol=1e-6)


def test_loss_knows_the_labels_in_their_order(table: Maker) -> None:
    task = fitted(table, loss=partial(CrossEntropy, class_weights={"c": 5.0}))
    assert_close(task.loss(torch.zeros(3, 3), torch.tensor([0, 1, 2])), math.log(3) * torch.tensor([1.0, 1.0, 5.0]))


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0])
def test_a_head_begins_at_what_becomes_the_frequencies_in_the_loss(table: Maker, tau: float) -> None:
    """At tau 1, all labels are equally likely to it."""
    task = fitted(table, loss=partial(LogitAdjusted, tau=tau))
    vector = torch.zeros(1, 4)
    logits = task.head(4, {})(vector, Fused(vector, {}, torch.ones(1, dtype=torch.bool)))
    expected = np.array([3.0, 1.0, 1.0]) ** (1 - tau)
    assert_allclose(task.answer(logits.detach())[0], expected / expected.sum(), rtol=1e-5)
    assert_close(task.loss(logits, torch.tensor([0])).detach(), torch.tensor([-math.log(3 / 5)]))
    assert_close(task.prior().softmax(0), torch.tensor([3 / 5, 1 / 5, 1 / 5]))


def test_decode(task: Classification) -> None:
    assert list(task.decode(task.answer(torch.zeros(2, 3)))) == ["", ".confidence", ".p.a", ".p.b", ".p.c"]
    assert task.decode(task.answer(torch.tensor([[0.0, 9.0, 1.0]])))[""] == ["b"]


def test_evaluate_by_hand(task: Classification) -> None:
    """Answers a, b, c; the last row's label is new to train. The majority class a is right once in four."""
    answer = np.array([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4], [0.8, 0.1, 0.1]])
    found = task.evaluate(answer, np.array([0, 1, 1, -1]))
    assert found["rows"] == 4
    assert found["accuracy"] == 2 / 4
    assert found["log_loss"] == pytest.approx(-(math.log(0.8) + math.log(0.6) + math.log(0.3)) / 3)
    assert found["constant"] == 1 / 4
    assert found["skill"] == pytest.approx(1 / 3)


def test_the_primary_metrics_are_those_with_a_best_constant() -> None:
    """A constant answer with the train frequencies is perfectly calibrated, so that nothing is left to be skilled at in `ece`."""
    assert set(get_args(get_type_hints(Classification.__init__)["metric"])) == set(CLASS_METRICS) - {"ece"}


def test_no_label_in_train(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.kind: none of the 2 train rows in rows\.csv has a label in column 'label'"):
        fitted(table, [None, None])


def test_one_label_in_train(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.kind: all 2 labels of column 'label' in train are 'a'; two different labels"):
        fitted(table, ["a", "a"])


def test_a_loss_for_numbers(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"tasks\.kind\.loss: 'Squared' is a loss for numbers"):
        fitted(table, loss=Squared)
