"""Against literals worked by hand and formulas in numpy."""

import math

import numpy as np
import pytest

from mmtrain.metric.numbers import COUNT_METRICS, NUMBER_METRICS, mae, poisson_deviance, r2, rmse, spearman

ANSWER = np.array([1.0, 2.0, 6.0])
TARGET = np.array([1.0, 4.0, 4.0])


def test_by_hand() -> None:
    assert mae(ANSWER, TARGET) == pytest.approx(4 / 3)
    assert rmse(ANSWER, TARGET) == pytest.approx(math.sqrt(8 / 3))
    assert r2(ANSWER, TARGET) == pytest.approx(1 - 8 / 6)
    assert spearman(ANSWER, TARGET) == pytest.approx(1.5 / math.sqrt(2 * 1.5))  # ranks 1, 2, 3 and 1, 2.5, 2.5


def ranks(values: np.ndarray) -> np.ndarray:
    """Places in ascending order; equal values share the mean of theirs."""
    return (values[:, None] > values).sum(1) + (values[:, None] == values).sum(1) / 2


@pytest.mark.parametrize("seed", range(3))
def test_as_the_formula_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 9, 80).astype(np.float64)
    answer = (target + rng.normal(0, 3, 80)).round(1)
    error = answer - target
    assert mae(answer, target) == pytest.approx(np.abs(error).mean())
    assert rmse(answer, target) == pytest.approx(np.sqrt((error**2).mean()))
    assert r2(answer, target) == pytest.approx(1 - (error**2).mean() / target.var())
    assert spearman(answer, target) == pytest.approx(np.corrcoef(ranks(answer), ranks(target))[0, 1])


@pytest.mark.parametrize("target", [[3.0], [3.0, 3.0, 3.0]], ids=["one row", "equal targets"])
def test_equal_targets_have_no_variance_and_no_order(target: list[float]) -> None:
    answer = np.arange(len(target), dtype=np.float64)
    assert r2(answer, np.array(target)) is None
    assert spearman(answer, np.array(target)) is None
    assert mae(answer, np.array(target)) == pytest.approx(3 - (len(target) - 1) / 2)


def test_equal_answers_rank_nothing() -> None:
    assert spearman(np.ones(3), TARGET) == 0.0


def test_poisson_deviance_by_hand() -> None:
    """Counts 0 and 2, answered with the rates 1 and 4: 2 (1) and 2 (2 log(2 / 4) - 2 + 4)."""
    assert poisson_deviance(np.array([1.0, 4.0]), np.array([0.0, 2.0])) == pytest.approx((2 + 2 * (2 - 2 * math.log(2))) / 2)
    assert poisson_deviance(np.zeros(2), np.zeros(2)) == pytest.approx(0)


def test_the_table_names_its_metrics() -> None:
    assert list(NUMBER_METRICS) == ["mae", "rmse", "r2", "spearman"]
    assert list(COUNT_METRICS) == ["poisson_deviance", "mae", "rmse", "r2", "spearman"]
    assert all(metric.score.__name__ == name for name, metric in COUNT_METRICS.items())
