from collections.abc import Callable, Sequence
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor
from torch.testing import assert_close

from mmtrain.batch import Fused
from mmtrain.errors import ConfigError, DataError
from mmtrain.loss import CrossEntropy, LogitAdjusted, Squared
from mmtrain.metric import RANK_METRICS
from mmtrain.metric.calibration import calibration_error
from mmtrain.spec import TaskSpec
from mmtrain.table import Table
from mmtrain.task import Ordinal
from mmtrain.task.head import OrdinalHead

Maker = Callable[..., Table]
WORDS = ["mild", "none", None, "none", "none", "mild", "severe", "severe"]
ORDER = ["none", "mild", "severe"]


def fitted(table: Maker, cells: Sequence[Any] = WORDS, *, order: Any = ORDER, loss: Any = CrossEntropy, **options: Any) -> Ordinal:
    task = Ordinal("pain", column="label", loss=loss, order=order, **options)
    task.fit(table(cells))
    return task


def predict(head: Any, vector: Tensor) -> Tensor:
    prediction: Tensor = head(vector, Fused(vector, {}, torch.ones(len(vector), dtype=torch.bool)))
    return prediction


def test_ranks_follow_the_order(table: Maker) -> None:
    task = fitted(table)
    targets, labelled = task.encode(table(["severe", None, "none", "unbearable"]))
    assert_array_equal(targets, [2, -1, 0, -1])
    assert_array_equal(labelled, [True, False, True, True])
    assert task.spec == TaskSpec(7, False, 1.0, "classes", (3,))


def test_numbers_go_by_their_value(table: Maker) -> None:
    task = fitted(table, ["10", "9", "-1", "9"], order=None)
    assert list(task.labels.counts) == ["-1", "9", "10"]
    assert list(fitted(table, [3, 1, 2], order=[3, 2, 1]).labels.counts) == ["3", "2", "1"]


def test_a_label_that_train_lacks_has_no_rank(table: Maker) -> None:
    assert list(fitted(table, order=["none", "slight", "mild", "severe"]).labels.counts) == ORDER


@pytest.mark.parametrize("width", [2, 3, 6])
def test_the_head_is_that_of_proportional_odds(width: int) -> None:
    """Log odds of `at most j` are a threshold less the score, by NumPy; the odds of two rows are in one proportion at every j."""
    head = OrdinalHead(4, torch.randn(width), hidden=[], dropout=0.0)
    vector = torch.randn(5, 4)
    probability = predict(head, vector).detach().double().exp().numpy()
    assert_allclose(probability.sum(1), 1, rtol=1e-5)
    below = probability.cumsum(1)[:, :-1]
    odds = np.log(below / (1 - below))
    last: Any = head.score.head.layers[-1]
    thresholds = np.append(0, head.gaps.detach().double().exp().numpy().cumsum())
    score = (vector @ last.weight[0] + last.bias[0]).detach().double().numpy()
    assert_allclose(odds, thresholds - score[:, None], rtol=1e-3, atol=1e-3)
    assert (np.diff(thresholds) > 0).all()


def test_the_head_begins_at_the_frequencies(table: Maker) -> None:
    for loss, expected in ((CrossEntropy, [3 / 7, 2 / 7, 2 / 7]), (LogitAdjusted, [1 / 3] * 3)):
        head: Any = fitted(table, loss=loss).head(4, {})
        head.score.head.layers[-1].weight.data.zero_()
        assert_close(predict(head, torch.randn(2, 4)).detach().exp(), torch.tensor([expected] * 2))


def test_far_scores_stay_finite() -> None:
    head = OrdinalHead(1, torch.zeros(4), hidden=[], dropout=0.0)
    prediction = predict(head, torch.tensor([[-1e4], [1e4]], requires_grad=True))
    prediction.sum().backward()
    assert prediction.isfinite().all()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in head.parameters())


@pytest.mark.parametrize(("metric", "label"), [("mae", "mild"), ("kappa", "mild"), ("accuracy", "none")])
def test_the_answered_label(table: Maker, metric: str, label: str) -> None:
    """The median of 0.4, 0.25, 0.35 is the second, the most probable one the first."""
    answer = np.array([[0.4, 0.25, 0.35]])
    decoded = fitted(table, metric=metric).decode(answer)
    confidence = answer[0, ORDER.index(label)]
    assert decoded == {"": [label], ".confidence": [confidence], ".p.none": [0.4], ".p.mild": [0.25], ".p.severe": [0.35]}


@pytest.mark.parametrize("metric", sorted(RANK_METRICS.keys() - {"ece"}))
def test_metrics_are_those_of_the_answered_label(table: Maker, metric: str) -> None:
    task = fitted(table, metric=metric)
    answer, target = np.random.default_rng(0).dirichlet(np.ones(3), 30), np.arange(30) % 3
    ranks = np.array([ORDER.index(label) for label in task.decode(answer)[""]])
    found = task.evaluate(answer, target)
    assert found["mae"] == pytest.approx(np.abs(ranks - target).mean())
    assert found["accuracy"] == pytest.approx((ranks == target).mean())
    assert found["ece"] == pytest.approx(calibration_error(np.array(task.decode(answer)[".confidence"]), ranks == target))
    by_label = task.evaluate_classes(answer, target)
    assert by_label["mild"]["recall"] == pytest.approx((ranks[target == 1] == 1).mean())


def test_the_primary_metrics() -> None:
    assert set(get_args(get_type_hints(Ordinal.__init__)["metric"])) == set(RANK_METRICS) - {"ece"}


@pytest.mark.parametrize(
    ("order", "line"),
    [
        (None, "tasks.pain.order: has to be given: 'mild' is no number, and words have no order of their own; list the labels of column"),
        (["none", "mild", "sever"], "tasks.pain.order: lacks 'severe', which train has; did you mean 'sever'?"),
        (["none", "mild", "severe", "mild"], "tasks.pain.order: names 'mild' twice"),
    ],
)
def test_a_wrong_order(table: Maker, order: Any, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        fitted(table, order=order)
    assert str(caught.value).startswith(line)


def test_nothing_to_learn(table: Maker) -> None:
    with pytest.raises(DataError, match=r"tasks\.pain: all 2 labels of column 'label' in train are 'none'"):
        fitted(table, ["none", None, "none"])


def test_a_loss_for_numbers(table: Maker) -> None:
    with pytest.raises(ConfigError, match=r"'Squared' is a loss for numbers, and this task predicts classes"):
        fitted(table, loss=Squared)
