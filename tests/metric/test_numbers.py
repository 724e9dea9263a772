"""Against literals worked by hand, scikit-learn and scipy."""

import math

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as sklearn

from mmtrain.metric.numbers import NUMBER_METRICS, mae, r2, rmse, spearman

ANSWER = np.array([1.0, 2.0, 6.0])
TARGET = np.array([1.0, 4.0, 4.0])


def test_by_hand() -> None:
    assert mae(ANSWER, TARGET) == pytest.approx(4 / 3)
    assert rmse(ANSWER, TARGET) == pytest.approx(math.sqrt(8 / 3))
    assert r2(ANSWER, TARGET) == pytest.approx(1 - 8 / 6)
    assert spearman(ANSWER, TARGET) == pytest.approx(1.5 / math.sqrt(2 * 1.5))  # ranks 1, 2, 3 and 1, 2.5, 2.5


@pytest.mark.parametrize("seed", range(3))
def test_as_scikit_learn_and_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 9, 80).astype(np.float64)
    answer = (target + rng.normal(0, 3, 80)).round(1)
    assert mae(answer, target) == pytest.approx(sklearn.mean_absolute_error(target, answer))
    assert rmse(answer, target) == pytest.approx(sklearn.root_mean_squared_error(target, answer))
    assert r2(answer, target) == pytest.approx(sklearn.r2_score(target, answer))
    assert spearman(answer, target) == pytest.approx(spearmanr(answer, target).statistic)


@pytest.mark.parametrize("target", [[3.0], [3.0, 3.0, 3.0]], ids=["one row", "equal targets"])
def test_equal_targets_have_no_variance_and_no_order(target: list[float]) -> None:
    answer = np.arange(len(target), dtype=np.float64)
    assert r2(answer, np.array(target)) is None
    assert spearman(answer, np.array(target)) is None
    assert mae(answer, np.array(target)) == pytest.approx(3 - (len(target) - 1) / 2)


def test_equal_answers_rank_nothing() -> None:
    assert spearman(np.ones(3), TARGET) == 0.0


def test_the_table_names_its_metrics() -> None:
    assert list(NUMBER_METRICS) == ["mae", "rmse", "r2", "spearman"]
    assert all(metric.score.__name__ == name for name, metric in NUMBER_METRICS.items())
